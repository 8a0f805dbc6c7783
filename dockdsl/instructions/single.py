"""What WORKDIR, USER and STOPSIGNAL share: one operand, which is the rest of the line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused
from dockdsl.instructions.instruction import Instruction
from dockdsl.syntax.flags import declared
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.words import Spelling


@attrs.frozen(slots=False, repr=False)
class SingleOperand(Instruction):
    """An instruction with one operand, its only field."""

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        """Read the operand."""
        (field,) = declared(cls).fields
        if not line.text:
            raise line.wrong(f"no {field.name} is given", f"write {cls.KEYWORD} {field.name}")
        return {field.name: line.word(line.text)}

    def operands(self, spelling: Spelling) -> Sequence[str]:
        """Spell the operand, which must not be blank."""
        (field,) = declared(type(self)).fields
        value = getattr(self, field.name)
        if isinstance(value, str) and not value.strip():
            raise Refused(f"the {field.name} {shown(value)} is blank", f"name a {field.name}")
        spelled = spelling.value(value)
        # Two dashes would start a flag.
        return (f'"{spelled}"' if spelled.startswith("--") else spelled,)
