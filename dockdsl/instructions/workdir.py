"""WORKDIR: the working directory."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import attrs

from dockdsl.instructions._base import Instruction
from dockdsl.syntax.flags import read_flags
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.refusal import Refused, shown
from dockdsl.syntax.words import Spelling, Word, is_bare, word


def nonblank(spelling: Spelling, value: Word, what: str) -> str:
    """Spell the one operand of an instruction, which must not be blank."""
    if isinstance(value, str) and not value.strip():
        raise Refused(f"the {what} {shown(value)} is blank", f"name a {what}")
    spelled = spelling.value(value)
    # Two dashes would start a flag.
    return f'"{spelled}"' if spelled.startswith("--") else spelled


def read_operand(kind: type[Instruction], line: Line, field: str) -> tuple[str | None, dict[str, Any]]:
    """Read the one operand of an instruction; return its spelling, where that is known, and the fields."""
    text = line.text
    if not text:
        raise line.wrong(f"no {field} is given", f"write {kind.KEYWORD} {field}")
    if is_bare(text) and text[0] != "-" and kind.KEYWORD != "STOPSIGNAL":
        return f"{kind.KEYWORD} {text}", {field: text}
    return None, {field: line.word(text)}


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

    @classmethod
    def read(cls, line: Line) -> Self:
        """Read the operand, which is the rest of the line."""
        read_flags(cls, line)
        return line.made(cls, *read_operand(cls, line, "path"))

    def write(self, spelling: Spelling) -> str:
        """Return the instruction's text."""
        return f"WORKDIR {nonblank(spelling, self.path, 'path')}"
