"""LABEL: metadata of the image."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.instructions.pairs import PairsInstruction
from dockdsl.syntax.flags import convert_later


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
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
