"""Findings as text for people."""

from __future__ import annotations

from collections.abc import Sequence

from dockdsl.lint.finding import Finding


def written(found: Sequence[Finding]) -> str:
    """Return each finding with the line that it is about."""
    return "".join([f"{each}\n{each.excerpt()}" for each in found])
