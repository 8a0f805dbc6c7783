"""ENV and LABEL: pairs of key and value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dockdsl.instructions._base import Instruction, tuple_of
from dockdsl.syntax.lines import lay_out
from dockdsl.syntax.refusal import Refused, refuse_type, shown
from dockdsl.syntax.words import Literal, Spelling, Word, word

Pairs = Mapping[str, Word] | Mapping[Literal, Word] | Iterable[tuple[Word, Word]]


def pairs_of(value: Pairs) -> tuple[tuple[Word, Word], ...]:
    """Return pairs in their order; what is wrong with them is for the spelling to say."""
    given: Any = value.items() if isinstance(value, Mapping) else tuple_of(value)
    return tuple(
        [
            (word(pair[0]), word(pair[1])) if isinstance(pair, (tuple, list)) and len(pair) == 2 else pair
            for pair in given
        ]
    )


class PairsInstruction(Instruction):
    """What ENV and LABEL share."""

    def write_pairs(self, spelling: Spelling, pairs: tuple[tuple[Word, Word], ...]) -> str:
        """Spell the pairs."""
        if not pairs:
            raise Refused("no pair is given", "give at least one key and value")
        operands = []
        for pair in pairs:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise refuse_type("operand", pair, "pass a mapping, or pairs of key and value")
            key, value = pair
            try:
                operands.append(f"{spelling.key(key)}={spelling.value(value)}")
            except Refused as refused:
                raise refused.within(shown(key)) from None
        return lay_out(spelling.escape, [self.KEYWORD, *operands], one_each=True)
