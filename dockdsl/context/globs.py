"""File patterns as Go's ``filepath.Match`` reads them: the wildcards of COPY and ADD."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

from dockdsl.errors import Refused

STAR = "[^/]*"
"""What an asterisk is as a regular expression."""
_has_wildcard = re.compile(r"(?:[^\\*?\[]|\\.)*[*?\[]", re.DOTALL).match


def is_pattern(path: str) -> bool:
    """Whether a path has a wildcard that no backslash escapes."""
    return _has_wildcard(path) is not None


def unescaped(pattern: str) -> str:
    """Return the name that a pattern without wildcards stands for."""
    return re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)


@lru_cache(maxsize=1024)
def matcher(pattern: str) -> Callable[[str], object]:
    """Return a function that tells whether a name without slashes fits a pattern.

    Raises `Refused` for a pattern that Go refuses.

    >>> [name for name in ("a.go", ".go", "a.c") if matcher("*.[gh]o")(name)]
    ['a.go', '.go']

    Source: the documentation of Go's package ``path/filepath``, "Match".
    """
    pieces: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            pieces.append(STAR)
        elif char == "?":
            pieces.append("[^/]")
        elif char == "[":
            piece, at = _class(pattern, at)
            pieces.append(piece)
        elif char == "\\":
            if at == len(pattern):
                raise _bad(pattern)
            pieces.append(re.escape(pattern[at]))
            at += 1
        else:
            pieces.append(re.escape(char))
    return re.compile(joined(pieces)).fullmatch


def joined(pieces: Sequence[str]) -> str:
    """Return the regular expression of a pattern, from those of its characters.

    The first place where what follows an asterisk fits is as good as a later one, so a search never returns to it: a
    pattern with many asterisks takes no longer than one with few.
    """
    stars = [index for index, piece in enumerate(pieces) if piece == STAR]
    found = list(pieces[: stars[0]] if stars else pieces)
    for star, following in pairwise(stars):
        found.append(f"(?>{STAR}?{''.join(pieces[star + 1 : following])})")
    return "".join([*found, *(pieces[stars[-1] :] if stars else ())])


def _class(pattern: str, at: int) -> tuple[str, int]:
    """Return the regular expression of a class, and the place after it; `at` is behind its opening bracket."""
    is_negated = pattern.startswith("^", at)
    at += is_negated
    ranges: list[str] = []
    while not (ranges and pattern.startswith("]", at)):
        low, at = _character(pattern, at)
        high = low
        if pattern.startswith("-", at):
            high, at = _character(pattern, at + 1)
        # Go reads a range whose ends are the wrong way round, which fits nothing.
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")
    inside = "".join(ranges)
    if not inside:
        return ("[\\s\\S]" if is_negated else "(?!)"), at + 1
    return f"[{'^' if is_negated else ''}{inside}]", at + 1


def _character(pattern: str, at: int) -> tuple[str, int]:
    """Return a character of a class, and the place after it in the pattern."""
    char = pattern[at : at + 1]
    if char in ("", "-", "]"):
        raise _bad(pattern)
    if char == "\\":
        at += 1
        char = pattern[at : at + 1]
    # A class is closed, so something follows.
    if not char or at + 1 >= len(pattern):
        raise _bad(pattern)
    return char, at + 1


def _bad(pattern: str) -> Refused:
    return Refused(f"the pattern {pattern!r} is not valid", "close the bracket, and write no backslash at the end")
