"""Findings as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from dockdsl.lint.data import dumped, to_row
from dockdsl.lint.finding import Finding


def written(found: Sequence[Finding]) -> str:
    """Return a list of objects."""
    return dumped([to_row(each) for each in found])
