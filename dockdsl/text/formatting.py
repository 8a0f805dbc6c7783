"""Formatting: mend the layout of a Dockerfile where it is untidy, and leave what its author laid out.

It edits the lines of the text. Operands are not written anew, except in the old form of ENV and LABEL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from dockdsl.instructions.verbatim import Verbatim
from dockdsl.model.dockerfile import Dockerfile, looks_like_directive
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lines import SPACE, continued
from dockdsl.text.parser import lines_of, parse

_MOST_BLANK_LINES = 2
"""How many blank lines in a row are kept."""
_head = re.compile(r"(\S+)[ \t]+(?=[^ \t])")
_as = re.compile(r"\S+\s+(as)\s+\S+", re.ASCII | re.IGNORECASE).fullmatch
_kind = re.compile(r"(?:cmd|none)(?!\S)", re.ASCII | re.IGNORECASE).match


def reformat(text: str, path: str | None = None) -> str:
    r"""Return a Dockerfile with keywords in capitals, ``key=value`` in ENV and LABEL, and no stray whitespace.

    `path` is the name of the file in errors. The rest is returned as it is.

    Raises `DockerfileSyntaxError` for text that BuildKit would refuse, `InvalidType` if `text` is not a ``str``.

    >>> print(reformat("from alpine:3.22 as app\nENV    A b c\n\nLABEL one=1 \\  \n      two='2'"), end="")
    FROM alpine:3.22 AS app
    ENV A="b c"
    <BLANKLINE>
    LABEL one=1 \
          two='2'

    Source: the Dockerfile reference, "Format".
    """
    texts = spelled(parse(text, path))
    lines = text.removeprefix("\ufeff").split("\n")
    found = lines_of(text)
    columns = [None, *map(_column, found), None]
    pieces: list[str] = []
    above = 0
    for line, *beside in zip(found, columns, columns[2:], strict=False):
        pieces += _between(lines[above : line.logical.first])
        pieces += _instruction(line, texts, beside)
        above = line.last + 1
    pieces += _between(lines[above:])
    written = "\n".join(pieces)
    tidy = written.strip("\n")
    if written.startswith("\n") and (tidy.startswith("#!") or looks_like_directive().match(tidy.lstrip(SPACE))):
        # It is the blank line above it that makes the first line a comment, and no directive.
        tidy = f"\n{tidy}"
    return f"{tidy}\n"


def spelled(dockerfile: Dockerfile) -> dict[int, str]:
    """Return the text of each instruction by its line; what no class can express is left out."""
    return {
        value.origin.line: piece
        for piece, value in dockerfile.pieces()
        if value is not None and not isinstance(value, Verbatim)
    }


def _between(lines: Iterable[str]) -> Iterator[str]:
    """Yield the comments and the blank lines between instructions."""
    for is_blank, group in groupby(lines, lambda line: not line.strip(SPACE)):
        if is_blank:
            yield from [""] * min(len(list(group)), _MOST_BLANK_LINES)
        else:
            yield from [line.rstrip(" \t\r") for line in group]


def _instruction(line: Line, texts: dict[int, str], beside: Sequence[int | None]) -> Iterator[str]:
    """Yield the lines of an instruction; its operands stay where they line up with those above or below."""
    where = line.logical
    rows = list(where.lines[where.first : where.last + 1])
    if line.origin.line in texts:
        _tidy_words(line, rows, texts[line.origin.line], beside)
    rows[0] = rows[0].lstrip(SPACE)
    for row in rows:
        trimmed = row.rstrip(" \t\r")
        if trimmed.strip(SPACE):
            # Behind an escape character, a carriage return among blanks is text.
            yield trimmed if continued(trimmed, line.escape) == continued(row, line.escape) else row
    yield from [f"{each.content}{each.end}" for each in line.documents]


def _tidy_words(line: Line, rows: list[str], written: str, beside: Sequence[int | None]) -> None:
    """Tidy the keywords of an instruction and the whitespace behind the first one; modernize ``ENV key value``."""
    where = line.logical
    for start, keyword in _keywords(line, len(where.text) - len(where.text.lstrip(SPACE))):
        # A keyword may be broken across lines.
        for offset, char in enumerate(keyword, start):
            number, column = where.place(offset)
            row = rows[number - where.first]
            rows[number - where.first] = f"{row[:column]}{char}{row[column + 1 :]}"
    if _column(line) not in beside:
        rows[0] = _head.sub(r"\1 ", rows[0], count=1)
    if len(rows) == 1 and not where.is_open:
        pair = line.inner() if line.keyword == "ONBUILD" else line
        new = paired(pair, written)
        if new:
            rows[0] = rows[0].rstrip(SPACE).removesuffix(pair.text) + new


def paired(line: Line, written: str) -> str:
    """Return ``key=value`` for the old form ``key value`` of ENV and LABEL; nothing for another instruction or form."""
    if line.keyword not in ("ENV", "LABEL") or "=" in (words := line.quoted_words())[0]:
        return ""
    pair = list(line.legacy_pair())
    # Otherwise the value needs quotes, or other ones.
    return "=".join(pair) if pair == words else written.partition(f"{line.keyword} ")[2]


def _column(line: Line) -> int | None:
    """Return the column in which the operands of an instruction begin."""
    found = _head.match(line.logical.lines[line.logical.first].strip(SPACE).expandtabs())
    return None if found is None else found.end()


def _keywords(line: Line, start: int) -> Iterator[tuple[int, str]]:
    """Yield the keywords of an instruction, in capitals, with their places in the text; the first one is at `start`."""
    yield start, line.keyword
    if line.keyword == "ONBUILD":
        yield from _keywords(line.inner(), line.start)
    elif line.keyword == "FROM" and (found := _as(line.text)) is not None:
        yield line.start + found.start(1), "AS"
    elif line.keyword == "HEALTHCHECK" and (found := _kind(line.text)) is not None:
        yield line.start, found[0].upper()
