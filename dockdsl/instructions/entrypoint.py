"""ENTRYPOINT: the program that a container is."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.instructions.commands import CommandInstruction
from dockdsl.syntax.flags import convert_later


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Entrypoint(CommandInstruction):
    """The program that a container is: ``ENTRYPOINT command``.

    ``Entrypoint("text")`` gives the text to the stage's shell; `Entrypoint.exec` names a program and its
    arguments, and is the better form: signals reach the program. ``Entrypoint.exec()`` without arguments
    clears what was inherited.

    Raises `InvalidValue` for shell text that is empty, has several lines or ends in a backslash;
    `InvalidType` for a wrong type.

    >>> print(Entrypoint.exec("/api"))
    ENTRYPOINT ["/api"]

    Source: the Dockerfile reference, "ENTRYPOINT".
    """

    KEYWORD: ClassVar[str] = "ENTRYPOINT"
