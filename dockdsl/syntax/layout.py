"""The layout of what is written: the width of lines, their indentation, the delimiters of heredocs."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 100
"""The length in characters from which an instruction is broken into several lines."""
INDENT = "    "


def lay_out(escape: str, pieces: Sequence[str], *, one_each: bool = False) -> str:
    """Join pieces with spaces: on one line if that is short, else in filled lines (or with one piece on each)."""
    line = " ".join(pieces)
    if len(line) <= WIDTH or len(pieces) <= 2:
        return line
    lines = [pieces[0] + " " + pieces[1]]
    for piece in pieces[2:]:
        if one_each or len(lines[-1]) + 1 + len(piece) > WIDTH:
            lines.append(INDENT + piece)
        else:
            lines[-1] += " " + piece
    return f" {escape}\n".join(lines)


def pick_delimiter(text: str) -> str:
    """Return a heredoc delimiter that is not a line of `text`."""
    taken = {line.strip() for line in text.split("\n")}
    number = 1
    name = "EOF"
    while name in taken:
        number += 1
        name = f"EOF{number}"
    return name
