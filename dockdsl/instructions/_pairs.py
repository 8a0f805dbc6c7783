"""ENV and LABEL: pairs of key and value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from dockdsl.instructions._base import Instruction, tuple_of
from dockdsl.syntax.flags import read_flags
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.layout import lay_out
from dockdsl.syntax.refusal import Refused, refuse_type, shown
from dockdsl.syntax.words import Literal, Spelling, Word, is_bare, is_bare_key, word

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

    @classmethod
    def read(cls, line: Line) -> Self:
        """Read the pairs: ``key=value …``, or the old form ``key value``."""
        read_flags(cls, line)
        words = line.quoted_words()
        if not words:
            raise line.wrong("no pair is given", f"write {cls.KEYWORD} key=value")
        if "=" not in words[0]:
            given = [line.legacy_pair()]
        else:
            given = []
            for each in words:
                key, equals, value = each.partition("=")
                if not equals:
                    remedy = f'write {each}=value, or quote the value before it: "a b"'
                    raise line.wrong(f"the word {each!r} has no equals sign", remedy, each, grammar=True)
                given.append((key, value))
        operands = []
        for key, value in given:
            if not key:
                raise line.wrong("a key is blank", "give it a name", f"={value}")
            if is_bare_key(key) and is_bare(value):
                operands.append(f"{key}={value}")
        if len(operands) == len(given):
            return line.made(cls, lay_out("\\", [cls.KEYWORD, *operands], one_each=True), {"pairs": tuple(given)})
        pairs = tuple([(line.word(key), line.word(value)) for key, value in given])
        return line.made(cls, None, {"pairs": pairs})

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
