"""How far two sequences are the same."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile


def alike(one: Iterable[str], other: Iterable[str]) -> int:
    """Return how many characters, or lines, are the same, up to the first that are not.

    >>> alike("apt install", "apt-get install"), alike(["a\\n", "b\\n"], ["a\\n", "c\\n"])
    (3, 1)
    """
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
