"""SHELL: the shell that runs the shell form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused
from dockdsl.instructions.commands import exec_form
from dockdsl.instructions.converters import tuple_of
from dockdsl.instructions.instruction import Instruction
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.words import Spelling, plain


def _argv(value: Iterable[str]) -> tuple[str, ...]:
    return tuple([plain(each) for each in tuple_of(value)])


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Shell(Instruction):
    """Set the program that runs the shell form: ``SHELL ["program", "argument"]``.

    `argv` is the program and its arguments; the text of an instruction in the shell form is added as the last one.

    Raises `InvalidValue` for an empty list, `InvalidType` for a wrong type.

    >>> print(Shell(["/bin/bash", "-o", "pipefail", "-c"]))
    SHELL ["/bin/bash", "-o", "pipefail", "-c"]

    Source: the Dockerfile reference, "SHELL".
    """

    KEYWORD: ClassVar[str] = "SHELL"
    EXPANDED: ClassVar[bool] = False

    argv: tuple[str, ...] = attrs.field(converter=_argv)

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        array = line.array()
        if not array:
            raise line.wrong("the shell is not a JSON array", 'write SHELL ["/bin/sh", "-c"]')
        return {"argv": tuple(array)}

    def operands(self, spelling: Spelling) -> Sequence[str]:
        if not self.argv:
            raise Refused("the list is empty", "name the program")
        if len(self.argv) == 1 and isinstance(self.argv[0], str) and " " in self.argv[0]:
            raise Refused(
                f"the shell {shown(self.argv[0])} is a single word with whitespace in it", "pass a list of words"
            )
        return exec_form(self.argv)
