"""What ``tar`` is asked for, in the forms that people write: ``tar xC folder``, ``tar -c -f - -C folder file``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_LETTERS = "cxvfpzjJCmo"
_LONG = {"--create": "c", "--extract": "x", "--get": "x", "--directory": "C", "--file": "f", "--verbose": "v"}
_LONG |= {"--gzip": "z", "--bzip2": "j", "--xz": "J"}


class Tar(NamedTuple):
    """A command of tar."""

    action: str
    folder: str
    file: str
    """The archive; ``-`` is the stream."""
    operands: tuple[str, ...]


def read(words: Sequence[str | None]) -> Tar | None:
    """Return what the words after ``tar`` say; None for what is not known here."""
    letters: dict[str, str] = {}
    operands: list[str] = []
    waiting = list(words)
    is_first = True
    while waiting:
        word = waiting.pop(0)
        if word is None:
            return None
        name, separator, value = word.partition("=")
        if word.startswith("--"):
            found = _LONG.get(name, "")
            given = [value] if separator else waiting
        elif is_first or (word.startswith("-") and word != "-"):
            found, given = word.removeprefix("-"), waiting
        else:
            operands.append(word)
            continue
        is_first = False
        if not found or not set(found) <= set(_LETTERS):
            return None
        for letter in found:
            taken = given.pop(0) if letter in "Cf" and given else ""
            if taken is None:
                return None
            letters[letter] = taken
    action = next((letter for letter in "cx" if letter in letters), "")
    return Tar(action, letters.get("C", ""), letters.get("f", "-"), tuple(operands)) if action else None
