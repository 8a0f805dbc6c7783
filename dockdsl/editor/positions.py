"""Places in a text as the Language Server Protocol counts them."""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol.types import Position, PositionEncodingKind, Range, TextEdit

from dockdsl.syntax.alike import alike

_ends = re.compile(r"\r\n|\n|\r").finditer
_UNITS = {PositionEncodingKind.Utf8: ("utf-8", 1), PositionEncodingKind.Utf16: ("utf-16-le", 2)}


class Positions:
    """The places of one text, in the units that client and server agreed on: UTF-16, where nothing else was said."""

    def __init__(self, text: str, encoding: PositionEncodingKind | str | None = None) -> None:
        self.text = text
        self._coding = _UNITS.get(PositionEncodingKind(encoding or PositionEncodingKind.Utf16), ("utf-32-le", 4))
        self._starts = [0, *[found.end() for found in _ends(text)]]
        """Where each line of the protocol begins."""

    def at(self, offset: int) -> Position:
        """Return the position of a place in the text."""
        line = bisect_right(self._starts, offset) - 1
        return Position(line, self._units(self.text[self._starts[line] : offset]))

    def range(self, start: int, end: int) -> Range:
        """Return the range between two places in the text."""
        return Range(self.at(start), self.at(end))

    def _units(self, text: str) -> int:
        coding, size = self._coding
        return len(text.encode(coding, "surrogatepass")) // size

    def in_line(self, line: int, columns: tuple[int, int] | None, *, in_python: bool) -> Range:
        """Return the range of columns of a line, both from 1; without columns, that of the text in the line.

        A Dockerfile has no other ends of lines than newlines. A byte order mark is no column.
        """
        starts = self._starts if in_python else [0, *[found.end() for found in re.finditer("\n", self.text)]]
        if line > len(starts):
            return self.range(len(self.text), len(self.text))
        start = starts[line - 1]
        end = starts[line] if line < len(starts) else len(self.text)
        text = self.text[start:end].rstrip()
        if columns is None:
            return self.range(start + len(text) - len(text.lstrip("\ufeff \t")), start + len(text))
        mark = start + text.startswith("\ufeff")
        return self.range(min(mark + columns[0] - 1, start + len(text)), min(mark + columns[1] - 1, start + len(text)))

    def change(self, new: str) -> list[TextEdit]:
        """Return the edit that makes another text of it: it replaces the lines that differ."""
        old, lines = (each.splitlines(keepends=True) for each in (self.text, new))
        if old == lines:
            return []
        first = alike(old, lines)
        last = alike(reversed(old[first:]), reversed(lines[first:]))
        start = sum(map(len, old[:first]))
        end = len(self.text) - sum(map(len, old[len(old) - last :]))
        return [TextEdit(self.range(start, end), "".join(lines[first : len(lines) - last]))]
