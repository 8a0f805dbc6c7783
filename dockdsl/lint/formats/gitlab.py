"""Findings as a report of GitLab's code quality."""

from __future__ import annotations

from collections.abc import Sequence

from dockdsl.lint.data import dumped, fingerprints
from dockdsl.lint.finding import Finding, Level
from dockdsl.origins import short_path

_LEVELS: dict[Level, str] = {"error": "critical", "warning": "major", "hint": "info"}


def written(found: Sequence[Finding]) -> str:
    """Return a list of objects."""
    rows = [
        {
            "description": each.message,
            "check_name": each.rule,
            "fingerprint": mark,
            "severity": _LEVELS[each.severity],
            "location": {"path": short_path(each.origin.path), "lines": {"begin": each.origin.line}},
        }
        for each, mark in zip(found, fingerprints(found), strict=True)
    ]
    return dumped(rows)
