"""How a fault is mended: replacements of ranges of the Dockerfile's text."""

from __future__ import annotations

from typing import NamedTuple

import attrs


class Edit(NamedTuple):
    """A range of a text, and what stands there instead. Of an insertion, start and end are the same."""

    start: int
    end: int
    text: str


@attrs.frozen
class Fix:
    """Edits that mend a fault: all of them or none."""

    edits: tuple[Edit, ...]
    effect: str = ""
    """What BuildKit reads differently afterwards, in a few words; empty where it reads the same."""
