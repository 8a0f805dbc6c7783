"""The results of builds and checks, as data for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs

from dockdsl.origins import Origin, short_path

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult
    from dockdsl.engine.building import BuildResult


def of_build(result: BuildResult) -> dict[str, Any]:
    """Return all fields of a `BuildResult` under their names; sizes are in bytes, times in seconds."""
    return attrs.asdict(result, value_serializer=lambda _, __, value: _plain(value))


def of_test(build: BuildResult | None, results: Iterable[CheckResult], error: str | None) -> dict[str, Any]:
    """Return the result of a test: its build, each check, and the error that stopped it, if any."""
    checks = list(results)
    return {
        "ok": error is None and all(each.ok for each in checks),
        "error": error,
        "build": None if build is None else of_build(build),
        "checks": [
            {
                "title": each.title,
                "ok": each.ok,
                "seconds": _plain(each.seconds),
                "detail": each.detail,
                "mismatches": list(each.mismatches),
                "origin": _plain(each.origin),
            }
            for each in checks
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Origin):
        return {"file": short_path(value.path), "line": value.line}
    return round(value, 3) if isinstance(value, float) else value
