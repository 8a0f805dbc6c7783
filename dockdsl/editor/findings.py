"""Findings as the Language Server Protocol has them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import attrs
from lsprotocol import types

from dockdsl.display import for_terminal
from dockdsl.editor.positions import Positions
from dockdsl.lint.rules import rules

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "hint": types.DiagnosticSeverity.Hint,
}


@attrs.frozen
class Found:
    """A finding in a text, and what would fix it."""

    diagnostic: types.Diagnostic
    rule: str
    remedy: str
    key: tuple[str, int, str]
    """What knows it again: its rule, its line in the file, and its message."""
    edits: tuple[types.TextEdit, ...] = ()
    """Those of a Dockerfile; those of a Python file are worked out when they are asked for."""
    is_fixable: bool = False
    """Whether something certainly fixes it."""
    effect: str = ""

    @property
    def is_fixed_with_all(self) -> bool:
        """Whether it is fixed with all others: it is no hint, and the fix has no effect."""
        return self.is_fixable and not self.effect and self.diagnostic.severity != types.DiagnosticSeverity.Hint

    def touches(self, place: types.Range) -> bool:
        """Whether it is about a part of the text."""
        own = self.diagnostic.range
        return own.start <= place.end and place.start <= own.end


def found_in(row: dict[str, Any], positions: Positions, *, in_python: bool) -> Found:
    """Return a finding in a text, of which an answer of a worker has a row."""
    columns = None if row["columns"] is None else (row["columns"][0], row["columns"][1])
    page = page_of(row["rule"])
    source = re.search(r"^Source: (https://\S+)", page, re.MULTILINE)
    diagnostic = types.Diagnostic(
        positions.in_line(row["line"], columns, in_python=in_python),
        for_terminal(row["message"]),
        severity=_SEVERITIES[row["severity"]],
        code=row["rule"],
        code_description=None if source is None else types.CodeDescription(source[1]),
        source="dockdsl",
    )
    key = (row["rule"], row["line"], row["message"])
    given = [] if in_python else row["edits"]
    edits = [types.TextEdit(positions.range(start, end), text) for start, end, text in given]
    return Found(diagnostic, row["rule"], row["remedy"], key, tuple(edits), bool(row["edits"]), row["effect"])


def text_of(path: str) -> str:
    """Return the text of a file that is not open; empty if it cannot be read."""
    try:
        return Path(path).read_bytes().decode(errors="replace")
    except OSError:
        return ""


def page_of(rule: str) -> str:
    """Return the page of a rule; empty for one of a project's own."""
    return _pages().get(rule, "")


@cache
def _pages() -> dict[str, str]:
    return {rule.name: rule.page for rule in rules()}


def as_markdown(rule: str) -> str:
    """Return the page of a rule for people; empty if it has none."""
    page = page_of(rule)
    return f"**{rule}**\n\n" + re.sub(r"::$", ":", page.replace("``", "`"), flags=re.MULTILINE) if page else ""
