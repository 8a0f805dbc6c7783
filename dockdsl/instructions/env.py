"""ENV: environment variables of the image."""

from __future__ import annotations

from typing import ClassVar

from dockdsl.instructions.instruction import Declaration
from dockdsl.instructions.pairs import PairsInstruction


class Env(PairsInstruction):
    """Set environment variables of the image and of the build steps that follow: ``ENV key=value …``.

    `pairs` is a mapping, or an iterable of (key, value) pairs. A value is any text without a newline; ``$NAME`` in it
    is expanded to the value that the variable has before the instruction.

    Raises `InvalidValue` for an empty mapping, for a key that is empty or has an equals sign, and for newlines and
    control characters; `InvalidType` for a wrong type.

    >>> print(Env({"GOFLAGS": "-mod=readonly", "GREETING": 'say "hi"'}))
    ENV GOFLAGS=-mod=readonly GREETING="say \\"hi\\""

    Source: the Dockerfile reference, "ENV".
    """

    KEYWORD: ClassVar[str] = "ENV"

    def declares(self) -> tuple[Declaration, ...]:
        """The variables, except for those whose name contains a literal dollar."""
        return tuple([Declaration(key, "env", has_value=True) for key, _ in self.pairs if isinstance(key, str)])
