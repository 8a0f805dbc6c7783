"""WORKDIR: the working directory."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.instructions.constructor import plain_if
from dockdsl.instructions.single import SingleOperand
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.words import Word, is_plain, word


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Workdir(SingleOperand):
    """Set the working directory of the instructions that follow: ``WORKDIR path``. It is created if it does not exist.

    A relative path is relative to the previous working directory. ``$NAME`` is expanded.

    Raises `InvalidValue` for a path that is blank or has a newline, `InvalidType` for a wrong type.

    >>> print(Workdir("/src"))
    WORKDIR /src

    Source: the Dockerfile reference, "WORKDIR".
    """

    KEYWORD: ClassVar[str] = "WORKDIR"
    OPERAND: ClassVar[str] = "path"

    path: Word = attrs.field(converter=word, metadata=plain_if(is_plain))
