"""WORKDIR: the working directory."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.instructions._base import Instruction
from dockdsl.syntax.refusal import Refused, shown
from dockdsl.syntax.words import Spelling, Word, word


def nonblank(spelling: Spelling, value: Word, what: str) -> str:
    """Spell the one operand of an instruction, which must not be blank."""
    if isinstance(value, str) and not value.strip():
        raise Refused(f"the {what} {shown(value)} is blank", f"name a {what}")
    spelled = spelling.value(value)
    # Two dashes would start a flag.
    return f'"{spelled}"' if spelled.startswith("--") else spelled


@attrs.frozen(slots=False, repr=False, eq=False)
class Workdir(Instruction):
    """The working directory of all that follows, made if it is not there: ``WORKDIR path``.

    A relative path continues the one before. ``$NAME`` is expanded.

    Raises `InvalidValue` for a blank path or one with a newline, `InvalidType` for a wrong type.

    >>> print(Workdir("/src"))
    WORKDIR /src

    Source: the Dockerfile reference, "WORKDIR".
    """

    KEYWORD: ClassVar[str] = "WORKDIR"

    path: Word = attrs.field(converter=word)

    def write(self, spelling: Spelling) -> str:
        """Return the instruction's text."""
        return f"WORKDIR {nonblank(spelling, self.path, 'path')}"
