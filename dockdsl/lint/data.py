"""Findings as data, which other programs and other processes read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from dockdsl.lint.finding import Finding
from dockdsl.origins import Origin, short_path


def to_row(finding: Finding) -> dict[str, Any]:
    """Return a finding that is not ignored as an object of JSON."""
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "path": short_path(finding.origin.path),
        "line": finding.origin.line,
        "columns": finding.columns,
        "message": finding.message,
        "remedy": finding.remedy,
        "source": finding.source,
        "dockerfile_lines": (finding.line, finding.last),
        "alias": finding.alias,
        "count": finding.count,
        "edits": [each._asdict() for each in finding.edits],
        "effect": "" if finding.fix is None else finding.fix.effect,
    }


def to_whole_row(finding: Finding) -> dict[str, Any]:
    """Return the same with why it is ignored or cannot be fixed, if so; `from_row` reads that."""
    return {**to_row(finding), "reason": finding.reason, "unfixed": finding.unfixed}


def from_row(row: dict[str, Any]) -> Finding:
    """Return the finding that an object of JSON is, without its fix."""
    first, last = row["dockerfile_lines"]
    begin, end = row["columns"] or (0, 0)
    at = (Origin(row["path"], row["line"]), first, last, (begin, end) if begin else None)
    how = (row["rule"], row["severity"], row["message"], row["remedy"])
    more = {"alias": row["alias"], "unfixed": row["unfixed"], "count": row["count"]}
    return Finding(*how, *at, row["source"], row["reason"], **more)


def fingerprints(found: Sequence[Finding]) -> list[str]:
    """Return for each finding what knows it again when lines were added above it, or its message was reworded.

    It is of the rule, the file and the text of the line, and of which it is of several that have these alike.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    marks = []
    for each in found:
        key = (each.rule, short_path(each.origin.path), each.source.strip())
        seen[key] += 1
        marks.append(sha256("\0".join([*key, str(seen[key])]).encode(errors="replace")).hexdigest())
    return marks


def dumped(value: object) -> str:
    """Return a value as JSON for people to read, too."""
    return json.dumps(value, indent=2) + "\n"
