"""What is known of a word of a script: text, and the parts that are settled only when it runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple


class Variable(NamedTuple):
    """A variable that the script does not set: it comes from the environment."""

    name: str
    default: str = ""

    def __str__(self) -> str:
        # An argument of the script is a variable of the result, and a number in the script.
        name = re.sub(r"^ARG(?=\d+$)", "", self.name)
        return f"${{{name}:-{self.default}}}" if self.default else f"${{{name}}}"


class Unknown(NamedTuple):
    """A part that only running the script could tell, as it is written there."""

    text: str

    def __str__(self) -> str:
        return self.text


Part = str | Variable | Unknown


class Word(tuple[Part, ...]):
    """A word as its parts. Two words with the same parts are the same text whenever the script runs."""

    __slots__ = ()

    @classmethod
    def of(cls, parts: Iterable[Part]) -> Word:
        """Join the parts: texts next to each other are one."""
        joined: list[Part] = []
        for part in parts:
            if isinstance(part, str) and joined and isinstance(joined[-1], str):
                joined[-1] += part
            elif part != "":
                joined.append(part)
        return cls(joined)

    @property
    def text(self) -> str | None:
        """The text, if the script says all of it."""
        if not self:
            return ""
        return self[0] if len(self) == 1 and isinstance(self[0], str) else None

    @property
    def likely(self) -> str | None:
        """The text, if the script says all of it where nobody sets a variable."""
        said = [part.default if isinstance(part, Variable) else part for part in self]
        known = [part for part in said if isinstance(part, str) and part]
        return "".join(known) if len(known) == len(said) else None

    @property
    def is_settled(self) -> bool:
        """Whether Python can say it, with the environment at hand."""
        return not any(isinstance(part, Unknown) for part in self)

    def then(self, change: Callable[[str], str]) -> Word:
        """Return the word with its text changed, if that is known."""
        return self if self.text is None else Word.of([change(self.text)])

    def partition(self, separator: str) -> tuple[Word, Word | None]:
        """Split at the first separator that stands in a text; without one, the second is None."""
        for index, part in enumerate(self):
            if isinstance(part, str) and separator in part:
                before, _, after = part.partition(separator)
                return Word.of([*self[:index], before]), Word.of([after, *self[index + 1 :]])
        return self, None

    def __str__(self) -> str:
        return "".join(map(str, self))


def text(value: str) -> Word:
    """Return a word that is all text."""
    return Word.of([value])
