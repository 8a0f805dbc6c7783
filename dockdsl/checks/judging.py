"""What checks say of text that a program printed or a file contains, and of values that have names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from types import EllipsisType

from dockdsl.checks.searching import Searches
from dockdsl.display import shown


def judged_text(
    what: str,
    found: bytes,
    *,
    text: str | None,
    patterns: Iterable[str],
    absent: Iterable[str] = (),
    searches: Searches | None = None,
) -> list[str]:
    """Return how text differs from what is expected of it, a line each. Raises `RunFailed` as `Searches` does.

    >>> judged_text("stdout", b"v1", text=None, patterns=["^v2"], absent=["1"])
    ["stdout: expected a match of '^v2', got 'v1'", "stdout: expected no match of '1', got '1'"]
    """
    content = found.decode("utf-8", "replace")
    searches = searches or Searches()
    wrong = []
    if text is not None and content != text:
        wrong.append(f"{what}: expected {shown(text)}, got {shown(content)}")
    wrong += [
        f"{what}: expected a match of {shown(pattern)}, got {shown(content)}"
        for pattern in patterns
        if searches.first(pattern, content, re.MULTILINE) is None
    ]
    for pattern in absent:
        match = searches.first(pattern, content, re.MULTILINE)
        if match is not None:
            wrong.append(f"{what}: expected no match of {shown(pattern)}, got {shown(match[0] or content)}")
    return wrong


def judged_value(
    what: str,
    name: str,
    expected: str | re.Pattern[str] | EllipsisType | None,
    found: str | None,
    searches: Searches | None = None,
) -> Iterator[str]:
    """Yield how a named value differs from what is expected: a text, a match, any value (``...``), or none (None).

    Raises `RunFailed` as `Searches` does.

    >>> [*judged_value("label", "made", "today", "before"), *judged_value("label", "made", ..., None)]
    ["expected the label made to be 'today', got 'before'", 'expected the label made, got none']
    """
    if expected is None:
        if found is not None:
            yield f"expected no {what} {name}, got {shown(found)}"
    elif found is None:
        yield f"expected the {what} {name}, got none"
    elif isinstance(expected, re.Pattern):
        if (searches or Searches()).first(expected, found) is None:
            yield f"expected the {what} {name} with a match of {shown(expected.pattern)}, got {shown(found)}"
    elif expected is not ... and found != expected:
        yield f"expected the {what} {name} to be {shown(expected)}, got {shown(found)}"
