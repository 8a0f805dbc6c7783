"""USER: as whom the image runs."""

from __future__ import annotations

from typing import ClassVar, Self

import attrs

from dockdsl.instructions._base import Instruction, number_or_word
from dockdsl.instructions.workdir import nonblank, read_operand
from dockdsl.syntax.flags import read_flags
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.words import Spelling, Word


def _user(value: int | Word) -> Word:
    return number_or_word(value)  # type: ignore[no-any-return]  # what it leaves as it is is refused when spelled


@attrs.frozen(slots=False, repr=False, eq=False)
class User(Instruction):
    """As whom later commands and the container run: ``USER user[:group]``.

    Names or numbers, a user alone also as an ``int``. Numbers need no ``/etc/passwd``, and are what Kubernetes can
    check.

    Raises `InvalidValue` for a blank name or one with a newline, `InvalidType` for a wrong type.

    >>> print(User("65532:65532"))
    USER 65532:65532

    Source: the Dockerfile reference, "USER".
    """

    KEYWORD: ClassVar[str] = "USER"

    user: Word = attrs.field(converter=_user)

    @classmethod
    def read(cls, line: Line) -> Self:
        """Read the operand, which is the rest of the line."""
        read_flags(cls, line)
        return line.made(cls, *read_operand(cls, line, "user"))

    def write(self, spelling: Spelling) -> str:
        """Return the instruction's text."""
        return f"USER {nonblank(spelling, self.user, 'user')}"
