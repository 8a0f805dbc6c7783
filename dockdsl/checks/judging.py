"""What checks say of text that a program printed or a file holds."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dockdsl.operands import shown


def judged_text(
    what: str, found: bytes, *, text: str | None, patterns: Iterable[str], absent: Iterable[str] = ()
) -> list[str]:
    """Return how text differs from what is expected of it, a line each.

    >>> judged_text("stdout", b"v1", text=None, patterns=["^v2"], absent=["1"])
    ["stdout: expected a match of '^v2', got 'v1'", "stdout: expected no match of '1', got '1'"]
    """
    said = found.decode("utf-8", "replace")
    wrong = []
    if text is not None and said != text:
        wrong.append(f"{what}: expected {shown(text)}, got {shown(said)}")
    wrong += [
        f"{what}: expected a match of {shown(pattern)}, got {shown(said)}"
        for pattern in patterns
        if re.search(pattern, said, re.MULTILINE) is None
    ]
    for pattern in absent:
        match = re.search(pattern, said, re.MULTILINE)
        if match is not None:
            wrong.append(f"{what}: expected no match of {shown(pattern)}, got {shown(match[0] or said)}")
    return wrong
