"""Text for people: sizes, short names, and lines from outside that must not steer a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

_END = 1000
"""Characters of a very long line that are told of its begin, and as many of its end."""


def short_image(name: str) -> str:
    """Return an id cut to twelve digits, and a tag as it is.

    >>> short_image("sha256:0123456789abcdef")
    '0123456789ab'
    """
    return name.removeprefix("sha256:")[:12] if name.startswith("sha256:") else name


def megabytes(size: int) -> str:
    """Return a number of bytes as the engine's own listings show it, in powers of ten.

    >>> megabytes(6_590_000), megabytes(229_000_000), megabytes(12_300)
    ('6.59 MB', '229 MB', '12.3 kB')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            number = size / unit
            return f"{number:.0f} {name}" if number >= 100 else f"{number:.3g} {name}"
    return f"{size} B"


def printable(text: str) -> str:
    """Return a line from outside without what could steer a terminal: escape sequences and control characters.

    Half of a surrogate pair, which no encoding can write, becomes an escape.

    >>> printable("\\x1b[31mred\\x1b[0m\\ta\\x07")
    'red\\ta'
    >>> print(printable("\\ud800"))
    \\ud800
    """
    text = re.sub(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])", "", text)
    text = re.sub(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", "", text)
    return re.sub(r"[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def cut(text: str, longest: int) -> str:
    """Return text of `longest` characters at most, with an ellipsis where something is left out.

    >>> cut("0123456789", 5)
    '0123…'
    """
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def both_ends(line: str) -> str:
    """Return a line of a log as it is told and looked at: of one that is very long, its begin and its end.

    >>> len(both_ends("x" * 100_000))
    2001
    """
    return line if len(line) <= 2 * _END else f"{line[:_END]}…{line[-_END:]}"


def quoted_log(lines: Iterable[str], title: str) -> str:
    """Return log lines under a title, indented, to be put below a message; nothing for no lines."""
    body = "".join(f"\n  {printable(both_ends(line))}" for line in lines)
    return f"\n{title}:{body}" if body else ""
