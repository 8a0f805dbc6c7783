"""Which line of a call in Python has the text of a line of the Dockerfile."""

from __future__ import annotations

from collections.abc import Callable

from dockdsl.origins import Origin

# What a string in Python has besides, or spells in another way.
_SPELLING = str.maketrans("", "", "\"'\\ \t")
_AROUND = "(),[]"


def within(call: Origin, text: str, line_of: Callable[[Origin], str]) -> Origin:
    """Return the place of a text, a line of what a call wrote, in the lines of the call; else that of the call.

    The string may be spelled in another way there. Where several lines have the text, none is taken.
    """
    if call.extent is None or call.extent[1] == call.line:
        return call
    wanted = text.strip().removesuffix("\\").rstrip().removesuffix("&&").translate(_SPELLING).strip(_AROUND)
    places = [Origin(call.path, number) for number in range(call.line, call.extent[1] + 1)]
    found = {place: line_of(place).translate(_SPELLING).strip(_AROUND) for place in places}
    same = [place for place, line in found.items() if line == wanted]
    having = same or [place for place, line in found.items() if wanted and wanted in line]
    return having[0] if len(having) == 1 else call
