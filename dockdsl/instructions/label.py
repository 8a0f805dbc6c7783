"""LABEL: metadata of the image."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.instructions.pairs import PairsInstruction
from dockdsl.syntax.flags import convert_later


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Label(PairsInstruction):
    """Add metadata to the image: ``LABEL key=value …``.

    `pairs` is a mapping, or an iterable of (key, value) pairs, with values as for `Env`.

    Raises `InvalidValue` for an empty mapping, for a key that is empty or has an equals sign, and for newlines and
    control characters; `InvalidType` for a wrong type.

    >>> print(Label({"org.opencontainers.image.title": "Go API"}))
    LABEL org.opencontainers.image.title="Go API"

    Source: the Dockerfile reference, "LABEL".
    """

    KEYWORD: ClassVar[str] = "LABEL"
