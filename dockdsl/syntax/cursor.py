"""Reading a word that BuildKit expands: what all readers of such words share."""

from __future__ import annotations

import re
from functools import cache

from dockdsl.syntax.lazy_regex import lazy_regex

_BOM = "\ufeff"
_name = lazy_regex(r"\d+|[@*#?$!-]|\w+")


@cache
def run_without(special: str) -> re.Pattern[str]:
    """Return the pattern of a run of characters that are not in `special`."""
    return re.compile(f"[^{re.escape(special)}]*")


class Cursor:
    """A place in a word."""

    def __init__(self, word: str, escape: str) -> None:
        self.word = word
        self.escape = escape
        # BuildKit's scanner drops a byte order mark in front of the word.
        self.at = 1 if word.startswith(_BOM) else 0

    def run(self, plain: re.Pattern[str]) -> str:
        """Step over a run of characters, which may be empty, and return it."""
        found = plain.match(self.word, self.at)
        assert found is not None  # the pattern also matches an empty text
        self.at = found.end()
        return found[0]

    def escaped(self, *, in_quotes: bool) -> str:
        """Step over an escape character and what it escapes; return the text that they represent."""
        following = self.word[self.at + 1 : self.at + 2]
        if in_quotes and following not in ('"', "$", self.escape):
            # In double quotes an escape character that escapes nothing stands for itself.
            self.at += 1
            return self.escape
        self.at += 1 + len(following)
        return following

    def single_quoted(self) -> str | None:
        """Step over text in single quotes, and return it without them; None if the quote is never closed."""
        start = self.at + 1
        end = self.word.find("'", start)
        if end < 0:
            return None
        self.at = end + 1
        return self.word[start:end]

    def name(self) -> str:
        """Step over the name of a variable, a digit or a special character, and return it; "" if there is none."""
        found = _name().match(self.word, self.at)
        name = leading_name(found[0]) if found else ""
        self.at += len(name)
        return name


def leading_name(text: str) -> str:
    """Return `text`, a run of ``\\w``, up to the first character that cannot be in a name.

    In Go, a numeral such as ² is neither a letter nor a digit.
    """
    if text.isascii():
        return text
    for index, char in enumerate(text):
        if not (char.isalpha() or char.isdecimal() or char == "_"):
            return text[:index]
    return text
