"""LABEL: metadata of the image."""

from __future__ import annotations

from typing import ClassVar

from dockdsl.instructions.pairs import PairsInstruction


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
