"""Findings as text for people, and in the formats that other programs read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dockdsl import __version__
from dockdsl.display import for_terminal, printable
from dockdsl.lint.finding import Finding, Level
from dockdsl.lint.rules import rules
from dockdsl.origins import short_path

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
_SARIF_LEVELS: dict[Level, str] = {"error": "error", "warning": "warning", "hint": "note"}
_GITHUB_LEVELS: dict[Level, str] = {"error": "error", "warning": "warning", "hint": "notice"}


def text(found: Sequence[Finding]) -> str:
    """Return each finding with the line that it is about."""
    return "".join([f"{each}\n{_excerpt(each)}" for each in found])


def _excerpt(finding: Finding) -> str:
    try:
        lines = Path(finding.origin.path).read_text(encoding="utf-8", errors="replace").splitlines()
        line = lines[finding.origin.line - 1]
    except (OSError, IndexError):
        return ""
    number = str(finding.origin.line)
    return f"  {number} | {printable(line)}\n"


def _place(finding: Finding) -> tuple[str, int]:
    return short_path(finding.origin.path), finding.origin.line


def as_json(found: Sequence[Finding]) -> str:
    """Return a list of objects."""
    rows = []
    for each in found:
        path, line = _place(each)
        row = {"rule": each.rule, "level": each.level, "path": path, "line": line, "dockerfile_line": each.line}
        rows.append({**row, "message": each.fact, "remedy": each.remedy})
    return _dumped(rows)


def github(found: Sequence[Finding]) -> str:
    """Return commands of GitHub Actions, which become annotations of a pull request."""
    lines = []
    for each in found:
        path, line = _place(each)
        head = f"::{_GITHUB_LEVELS[each.level]} file={_property(path)},line={line},title={_property(each.rule)}::"
        lines.append(f"{head}{_escaped(f'{each.fact}; {each.remedy}')}\n")
    return "".join(lines)


def _escaped(value: str) -> str:
    value = for_terminal(value, keep="\r\n\t")
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _escaped(value).replace(":", "%3A").replace(",", "%2C")


def sarif(found: Sequence[Finding]) -> str:
    """Return SARIF 2.1.0."""
    names = {each.rule for each in found}
    described: list[dict[str, Any]] = [
        {"id": rule.name, "shortDescription": {"text": rule.summary}, "fullDescription": {"text": rule.page}}
        for rule in rules()
        if rule.name in names
    ]
    known = {rule["id"] for rule in described}
    described += [{"id": name, "shortDescription": {"text": name}} for name in sorted(names - known)]
    results = []
    for each in found:
        path, line = _place(each)
        where = {"artifactLocation": {"uri": path}, "region": {"startLine": line}}
        message = {"text": f"{each.fact}; {each.remedy}"}
        level = _SARIF_LEVELS[each.level]
        location = [{"physicalLocation": where}]
        results.append({"ruleId": each.rule, "level": level, "message": message, "locations": location})
    driver = {"name": "dockdsl", "version": __version__, "rules": described}
    run = {"tool": {"driver": driver}, "results": results}
    return _dumped({"$schema": _SARIF, "version": "2.1.0", "runs": [run]})


def _dumped(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


FORMATS: dict[str, Callable[[Sequence[Finding]], str]] = {
    "text": text,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}
