"""LABEL: metadata of the image."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.instructions._pairs import PairsInstruction, pairs_of
from dockdsl.syntax.words import Spelling, Word


@attrs.frozen(slots=False, repr=False, eq=False)
class Label(PairsInstruction):
    """Metadata of the image: ``LABEL key=value …``.

    `pairs` is a mapping, or pairs in order, with the values that `Env` takes.

    Raises `InvalidValue` for an empty mapping, a key that is empty or has an equals sign, and a
    newline or control character; `InvalidType` for a wrong type.

    >>> print(Label({"org.opencontainers.image.title": "Go API"}))
    LABEL org.opencontainers.image.title="Go API"

    Source: the Dockerfile reference, "LABEL".
    """

    KEYWORD: ClassVar[str] = "LABEL"

    pairs: tuple[tuple[Word, Word], ...] = attrs.field(converter=pairs_of)

    def write(self, spelling: Spelling) -> str:
        """Return the instruction's text."""
        return self.write_pairs(spelling, self.pairs)
