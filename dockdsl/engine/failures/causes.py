"""Why a build or a container failed, out of what the engine and the programs print.

What was said last counts, and of two rows of the table that fit there the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from dockdsl.display import both_ends
from dockdsl.engine.building import LOG_LINES
from dockdsl.engine.failures.tables import CAUSES

_NEAR = 5
"""Lines at the end of a log in which words count that programs also print when they continue."""


@attrs.frozen
class Explanation:
    """Why a step or a container failed, and what to do, in plain words."""

    cause: str
    fix: str


def explain(reason: str, log: Iterable[str] = ()) -> Explanation | None:
    """Return what is known of a failure from what the engine says of it and the last lines of its log, or None.

    >>> print(explain("exit code: 1", ["go: go.mod requires go >= 1.99 (running go 1.27.3; GOTOOLCHAIN=local)"]).cause)
    the Go of this stage is 1.27.3, and go.mod asks for 1.99 or newer
    >>> print(explain("exit code: 1", ["dial: connection refused"]).cause)
    most likely nothing listens at the address that is asked
    >>> print(explain("dial: connection refused").cause)
    nothing listens at the address that is asked
    >>> explain("exit code: 1")
    """
    # A search for words takes the square of a line's length at worst.
    shown = [both_ends(line) for line in list(log)[-LOG_LINES:]]
    reason = "\n".join(map(both_ends, reason.split("\n")))
    # That a program failed says less than what it printed; what the engine itself could not do says all.
    first = reason.startswith("exit code: ")
    text = "\n".join([reason, *shown] if first else [*shown, reason])
    near = len("\n".join(text.split("\n")[:-_NEAR]))
    best, last = None, -1
    for row in CAUSES:
        for found in re.finditer(row.words, text, re.MULTILINE):
            said = found.end() <= len(reason) if first else found.start() >= len(text) - len(reason)
            line = text.count("\n", 0, found.end())
            if line > last and (said or not row.is_broad or found.start() >= near):
                groups = {name: (value or "").strip() for name, value in found.groupdict().items()}
                cause = _filled(row.cause, groups)
                best = Explanation(
                    cause if said or not row.is_broad else f"most likely {cause}", _filled(row.fix, groups)
                )
                last = line
    return best


def _filled(text: str, groups: dict[str, str]) -> str:
    """Put the groups in; what is left empty takes its parentheses along."""
    return text.format(**groups).replace(" ()", "")
