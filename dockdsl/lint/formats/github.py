"""Findings as commands of GitHub Actions, which become annotations of a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from dockdsl.display import for_terminal
from dockdsl.lint.finding import Finding, Level
from dockdsl.origins import short_path

_LEVELS: dict[Level, str] = {"error": "error", "warning": "warning", "hint": "notice"}


def written(found: Sequence[Finding]) -> str:
    """Return a line for each."""
    lines = []
    for each in found:
        place = f"file={_property(short_path(each.origin.path))},line={each.origin.line}"
        if each.columns is not None:
            place += f",col={each.columns[0]},endColumn={each.columns[1]}"
        head = f"::{_LEVELS[each.severity]} {place},title={_property(each.rule)}::"
        lines.append(f"{head}{_escaped(each.message)}\n")
    return "".join(lines)


def _escaped(value: str) -> str:
    value = for_terminal(value, keep="\r\n\t")
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _escaped(value).replace(":", "%3A").replace(",", "%2C")
