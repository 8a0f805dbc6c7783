"""What ENV and LABEL share: key-value pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused, refuse_type
from dockdsl.instructions.constructor import Written, plain_if
from dockdsl.instructions.converters import tuple_of
from dockdsl.instructions.instruction import Instruction
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.words import Literal, Spelling, Word, is_bare, is_bare_key, word

_TEXT = {str}
Pairs = Mapping[str, Word] | Mapping[Literal, Word] | Iterable[tuple[Word, Word]]


def pairs_of(value: Pairs) -> tuple[tuple[Word, Word], ...]:
    """Return the pairs in order; those that are not valid are refused when they are written."""
    if type(value) is dict and _TEXT.issuperset(map(type, chain(value, value.values()))):
        return tuple(value.items())
    given: Any = value.items() if type(value) is dict or isinstance(value, Mapping) else tuple_of(value)
    return tuple(
        [
            (word(pair[0]), word(pair[1])) if isinstance(pair, (tuple, list)) and len(pair) == 2 else pair
            for pair in given
        ]
    )


def _plain_pairs(value: Any) -> Written:
    given = tuple(value.items()) if type(value) is dict else value
    if type(given) is not tuple:
        return None
    texts: list[str] = []
    for pair in given:
        if type(pair) is not tuple or len(pair) != 2:
            return None
        key, text = pair
        if not (type(key) is str and type(text) is str and is_bare_key(key) and is_bare(text)):
            return None
        texts.append(f"{key}={text}")
    return (given, " ".join(texts)) if texts else None


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class PairsInstruction(Instruction):
    """An instruction whose operands are key-value pairs."""

    ONE_PER_LINE: ClassVar[bool] = True

    pairs: tuple[tuple[Word, Word], ...] = attrs.field(converter=pairs_of, metadata=plain_if(write=_plain_pairs))

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        """Read the pairs: ``key=value …``, or the old form ``key value``."""
        words = line.quoted_words()
        if not words:
            raise line.wrong("no key-value pair is given", f"write {cls.KEYWORD} key=value")
        given = []
        if "=" not in words[0]:
            given = [line.legacy_pair()]
        else:
            for each in words:
                key, equals, value = each.partition("=")
                if not equals:
                    remedy = f'write {each}=value, or quote the value before it: "a b"'
                    raise line.wrong(f"the word {each!r} has no equals sign", remedy, each, grammar=True)
                given.append((key, value))
        for key, value in given:
            if not key:
                raise line.wrong("a key is blank", "give it a name", f"={value}")
        return {"pairs": tuple([(line.word(key), line.word(value)) for key, value in given])}

    def operands(self, spelling: Spelling) -> Sequence[str]:
        if not self.pairs:
            raise Refused("no key-value pair is given", "give at least one")
        return [_written(spelling, pair) for pair in self.pairs]


def _written(spelling: Spelling, pair: Any) -> str:
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise refuse_type("operand", pair, "pass a mapping, or (key, value) pairs")
    key, value = pair
    if type(key) is str and type(value) is str and is_bare_key(key) and is_bare(value):
        return f"{key}={value}"
    try:
        return f"{spelling.key(key)}={spelling.value(value)}"
    except Refused as refused:
        raise refused.within(shown(key)) from None
