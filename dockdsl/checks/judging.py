"""What checks say of text that a program printed or a file contains, and of values that have names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from dockdsl.checks.searching import Searches
from dockdsl.display import shown
from dockdsl.secrecy import hide

LONGEST_CONTENT = 16 << 20
"""Bytes of a file that are searched at most."""
EXECUTABLE_BY = {"owner": 0o100, "group": 0o010, "other": 0o001, "any": 0o111}
_TAIL = 160
"""Characters of what a program printed that are told."""
_Pattern = TypeVar("_Pattern")


def judged_text(
    what: str,
    found: bytes,
    patterns: Iterable[_Pattern],
    absent: Iterable[_Pattern],
    find: Callable[[_Pattern, str], str | None],
    text: str | None = None,
) -> Iterator[str]:
    """Yield how text differs from what is expected of it, a line each; `find` returns what a pattern matches.

    >>> [*judged_text("stdout", b"v1", ["^v2"], ["1"], Searches().in_lines)]
    ["stdout: expected a match of '^v2', got 'v1'", "stdout: expected no match of '1', got '1'"]
    """
    content = found.decode("utf-8", "replace")
    if text is not None and content != text:
        yield f"{what}: expected {shown(text)}, got {shown(content)}"
    for pattern in patterns:
        if find(pattern, content) is None:
            yield f"{what}: expected a match of {shown(pattern)}, got {shown(content)}"
    for pattern in absent:
        match = find(pattern, content)
        if match is not None:
            yield f"{what}: expected no match of {shown(pattern)}, got {shown(match or content)}"


def told(text: str) -> str:
    """Return a phrase with the end of what a program printed.

    >>> told("one\\ntwo\\n"), told(" ")
    ("it printed 'one\\\\ntwo'", 'it printed nothing')
    """
    text = hide(text.strip())
    if not text:
        return "it printed nothing"
    return f"it printed {text if len(text) <= _TAIL else f'…{text[-_TAIL:]}'!r}"


def judged_value(
    what: str, name: str, expected: Any, found: str | None, find: Callable[[Any, str], object] | None = None
) -> Iterator[str]:
    """Yield how a named value differs from what is expected: a text, a match, any value (``...``), or none (None).

    `find` returns what a pattern matches; without it, `Searches` do.

    >>> [*judged_value("label", "made", "today", "before"), *judged_value("label", "made", ..., None)]
    ["expected the label made to be 'today', got 'before'", 'expected the label made, got none']
    """
    if expected is None:
        if found is not None:
            yield f"expected no {what} {name}, got {shown(found)}"
    elif found is None:
        yield f"expected the {what} {name}, got none"
    elif isinstance(expected, str):
        if found != expected:
            yield f"expected the {what} {name} to be {shown(expected)}, got {shown(found)}"
    elif expected is not ... and (find or Searches().first)(expected, found) is None:
        yield f"expected the {what} {name} with a match of {shown(expected.pattern)}, got {shown(found)}"


def judged_names(
    what: str, expected: Iterable[str], absent: Iterable[str], found: Iterable[str], also: Iterable[str] = ()
) -> Iterator[str]:
    """Yield which names are not there, or should not be; `also` are other names of those that are there."""
    known, names = {*found, *also}, ", ".join(sorted(found)) or "none"
    yield from (f"expected the {what} {each}, got {names}" for each in expected if each not in known)
    yield from (f"expected no {what} {each}, got {names}" for each in absent if each in known)


def judged_setting(name: str, expected: Any, found: Any) -> Iterator[str]:
    """Yield how a setting of an image differs from what is expected: a text, arguments, or none."""
    if expected != found:
        values = [
            shown(list(each) if isinstance(each, tuple) else each) if each else "none" for each in (expected, found)
        ]
        yield f"expected {name} {values[0]}, got {values[1]}"
