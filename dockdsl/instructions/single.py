"""What WORKDIR, USER and STOPSIGNAL share: a single operand, which is the rest of the line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from dockdsl.display import shown
from dockdsl.errors import Refused
from dockdsl.instructions.instruction import Instruction
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.words import Literal, Spelling, is_bare, refuse_word


class SingleOperand(Instruction):
    """An instruction with one operand, its only field."""

    OPERAND: ClassVar[str]
    """The name of the field, also in messages."""

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        if not line.text:
            raise line.wrong(f"no {cls.OPERAND} is given", f"write {cls.KEYWORD} {cls.OPERAND}")
        return {cls.OPERAND: line.word(line.text)}

    def operands(self, spelling: Spelling) -> Sequence[str]:
        value = getattr(self, self.OPERAND)
        if type(value) is str and is_bare(value) and value[0] != "-":
            return (value,)
        if not isinstance(value, (str, Literal)):
            raise refuse_word(self.OPERAND, value)
        if isinstance(value, str) and not value.strip():
            raise Refused(f"the {self.OPERAND} {shown(value)} is blank", f"name a {self.OPERAND}")
        spelled = spelling.value(value)
        # Two dashes would start a flag.
        return (f'"{spelled}"' if spelled.startswith("--") else spelled,)
