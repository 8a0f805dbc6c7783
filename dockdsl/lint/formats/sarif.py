"""Findings as SARIF 2.1.0, for code scanning."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dockdsl import __version__
from dockdsl.lint.data import dumped, fingerprints
from dockdsl.lint.finding import Finding, Level
from dockdsl.lint.rules import rules
from dockdsl.origins import short_path

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: dict[Level, str] = {"error": "error", "warning": "warning", "hint": "note"}
_source = re.compile(r"^Source: (https://[^\s,]+)", re.MULTILINE)


def written(found: Sequence[Finding]) -> str:
    """Return a log with one run; what is ignored is in it as suppressed, with the reason."""
    described = _described({each.rule for each in found})
    index = {rule["id"]: number for number, rule in enumerate(described)}
    results = [_result(each, index[each.rule], mark) for each, mark in zip(found, fingerprints(found), strict=True)]
    driver = {"name": "dockdsl", "version": __version__, "rules": described}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return dumped({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _described(names: set[str]) -> list[dict[str, Any]]:
    pages = {rule.name: rule for rule in rules()}
    described: list[dict[str, Any]] = []
    for name in sorted(names):
        rule = pages.get(name)
        if rule is None:
            described.append({"id": name, "shortDescription": {"text": name}})
            continue
        row = {
            "id": name,
            "shortDescription": {"text": rule.summary},
            "fullDescription": {"text": rule.page},
            "help": {"text": rule.page},
            "defaultConfiguration": {"level": _LEVELS[rule.level]},
        }
        found = _source.search(rule.page)
        described.append(row if found is None else {**row, "helpUri": found[1]})
    return described


def _result(finding: Finding, index: int, mark: str) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": finding.origin.line}
    if finding.columns is not None:
        region |= {"startColumn": finding.columns[0], "endColumn": finding.columns[1]}
    if finding.source:
        region["snippet"] = {"text": finding.source}
    place = {"artifactLocation": {"uri": _address(finding.origin.path)}, "region": region}
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"dockdsl/v1": mark},
    }
    if finding.count > 1:
        result["occurrenceCount"] = finding.count
    if finding.reason is not None:
        kind = "external" if finding.is_settled else "inSource"
        result["suppressions"] = [{"kind": kind, "justification": finding.reason}]
    if finding.edits:
        result["fixes"] = [_fix(finding)]
    return result


def _fix(finding: Finding) -> dict[str, Any]:
    replacements = [
        {
            "deletedRegion": {
                "startLine": each.line,
                "startColumn": each.column,
                "endLine": each.end_line,
                "endColumn": each.end_column,
            },
            "insertedContent": {"text": each.text},
        }
        for each in finding.edits
    ]
    change = {"artifactLocation": {"uri": _address(finding.origin.path)}, "replacements": replacements}
    effect = finding.fix.effect if finding.fix is not None else ""
    return {"description": {"text": effect or finding.remedy}, "artifactChanges": [change]}


def _address(path: str) -> str:
    """Return the path of a file below the current folder as it is, and another as an address."""
    short = short_path(path)
    return Path(short).as_uri() if Path(short).is_absolute() else quote(os.fsencode(Path(short).as_posix()))
