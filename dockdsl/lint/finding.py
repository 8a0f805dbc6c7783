"""What a rule finds."""

from __future__ import annotations

from typing import Literal

import attrs

from dockdsl.lint.fix import Fix
from dockdsl.origins import Origin

Level = Literal["error", "warning", "hint"]
LEVELS: tuple[Level, ...] = ("error", "warning", "hint")


@attrs.frozen(order=False)
class Finding:
    """What a rule finds: where, what, and what to do."""

    rule: str
    level: Level
    fact: str
    remedy: str
    line: int
    """The line of the Dockerfile, from 1."""
    last: int
    """The last line of the instruction."""
    origin: Origin
    """Where it was written: a line of the Python file, or of the Dockerfile."""
    fix: Fix | None = None
    """What mends it in the Dockerfile; None where nothing certainly does."""

    def __str__(self) -> str:
        return f"{self.origin}: {self.level}: {self.fact}; {self.remedy} [{self.rule}]"
