"""A comparison as a table, for terminals and for Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dockdsl.codegen.printer import width
from dockdsl.compare.comparison import Comparison, Side
from dockdsl.compare.words import Words
from dockdsl.display import megabytes, printable


class Row(NamedTuple):
    """A line of the table, with both values as text, and as lengths of bars where they can be compared so."""

    key: str
    label: str
    before: str
    after: str
    bars: tuple[float, float] | None = None


def rows(found: Comparison, words: Words) -> Iterator[Row]:
    """Yield the lines of the table."""
    sides = found.before, found.after

    def row(key: str, texts: list[str], bars: list[float | None] | None = None) -> Row:
        label = words(key, printable(found.changed or "")) if key == "rebuild" else words(key)
        lengths = None if bars is None else tuple(each or 0.0 for each in bars)
        return Row(key, label, texts[0], texts[1], lengths)  # type: ignore[arg-type]

    yield row("commands", [str(len(side.commands)) for side in sides], [len(side.commands) for side in sides])
    images = [words("sized", len(side.images), megabytes(side.image_bytes)) for side in sides]
    yield row("images", images, [side.image_bytes for side in sides])
    yield row("files", [_files(side, words) for side in sides], [side.file_bytes for side in sides])
    yield row("layers", [str(side.layers) for side in sides])
    yield row("shipped", [megabytes(side.shipped_bytes) for side in sides], [side.shipped_bytes for side in sides])
    yield row("cold", [words.seconds(side.cold_seconds) for side in sides], [side.cold_seconds for side in sides])
    if found.changed is not None:
        times = [side.rebuild_seconds for side in sides]
        yield row("rebuild", [words.seconds(each) for each in times], [*times])
    yield row("unneeded", [_unneeded(side, words) for side in sides])


def _files(side: Side, words: Words) -> str:
    if len(side.files) == 1:
        return words("sized", printable(side.files[0].name), megabytes(side.file_bytes))
    return words("sized", len(side.files), megabytes(side.file_bytes)) if side.files else words("none")


def _unneeded(side: Side, words: Words) -> str:
    return words.listed([words("sized", words(each.kind), megabytes(each.bytes)) for each in side.unneeded])


def text(found: Comparison, words: Words) -> str:
    """Return the table for a terminal."""
    table = [("", words("before"), words("after")), *((row.label, row.before, row.after) for row in rows(found, words))]
    widths = [max(width(row[column]) for row in table) for column in range(3)]
    lines = [words("title", printable(found.name))]
    for label, before, after in table:
        cells = [label + " " * (widths[0] - width(label))]
        cells += [" " * (widths[index] - width(cell)) + cell for index, cell in ((1, before), (2, after))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, ""])


def markdown(found: Comparison, words: Words) -> str:
    """Return the table in Markdown."""
    lines = [f"| | {words('before')} | {words('after')} |", "|---|---|---|"]
    for row in rows(found, words):
        cells = [cell.replace("|", "\\|") for cell in (row.label, row.before, row.after)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])
