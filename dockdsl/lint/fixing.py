"""Fixing a Dockerfile: round by round, since a fix may bring up or prevent another one."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from typing import NamedTuple

import attrs

from dockdsl.lint.finding import Finding
from dockdsl.lint.fix import Edit
from dockdsl.text.confirming import confirm

_ROUNDS = 20
"""More than a file can need whose fixes come to an end."""


class Fixed(NamedTuple):
    """What came of fixing a text."""

    text: str
    made: tuple[Finding, ...]
    """The findings whose fixes were made, with their lines in the text that was given."""
    is_proven: bool
    """Whether BuildKit's parser confirmed the fixes that have no effect."""


def fix_text(text: str, path: str, find: Callable[[str], Sequence[Finding]]) -> Fixed:
    """Make all fixes of what `find` finds in a Dockerfile that can be read.

    Fixes that have no effect are made first, and it is proven that they have none.

    Raises `SourceError` where that cannot be proven.
    """
    made: list[Finding] = []
    is_proven = True
    lines = list(range(1, text.count("\n") + 2))
    for _ in range(_ROUNDS):
        now = next_round(find(text))
        if not now:
            break
        fixed = applied(text, now)
        is_proven &= has_effect(now) or confirm(text, fixed, f"{path}: the fixed text")
        made += [_at_line(each, lines[each.line - 1]) for each in now]
        lines = _moved(lines, text, now)
        text = fixed
    return Fixed(text, tuple(made), is_proven)


def _at_line(finding: Finding, line: int) -> Finding:
    last = line + finding.last - finding.line
    return attrs.evolve(finding, line=line, last=last, origin=finding.origin._replace(line=line))


def _moved(lines: Sequence[int], text: str, found: Sequence[Finding]) -> list[int]:
    """Return for each line of a text with fixes made which one it was at first, given that for the text before."""
    moved = [lines[0]]
    at = line = 0
    for edit in _edits(found):
        kept = line + text.count("\n", at, edit.start)
        moved += [*lines[line + 1 : kept + 1], *[lines[kept]] * edit.text.count("\n")]
        at, line = edit.end, kept + text.count("\n", edit.start, edit.end)
        if not edit.text and text[max(0, edit.start - 1) : edit.start] in ("", "\n"):
            # Whole lines are gone.
            moved[-1] = lines[line]
    return moved + list(lines[line + 1 :])


def has_effect(found: Sequence[Finding]) -> bool:
    """Whether a fix of these has an effect."""
    return any(each.fix is not None and each.fix.effect for each in found)


def next_round(found: Sequence[Finding]) -> list[Finding]:
    """Return the findings whose fixes are made at once: those that have no effect; where there are none, the others."""
    fixable = [each for each in found if each.fix is not None]
    quiet = [each for each in fixable if not has_effect([each])]
    return _chosen(quiet or fixable)


def _chosen(found: Sequence[Finding]) -> list[Finding]:
    """Return what can be fixed at once: a fix that is in the way of an earlier one is left out.

    An edit that an earlier fix makes as well is not in the way.
    """
    taken: list[Finding] = []
    # In order, and apart: the nearest two are those that another one can touch.
    edits: list[Edit] = []
    for each in found:
        new = [edit for edit in edits_of(each) if edit not in _nearest(edits, edit)]
        if any(_touch(edit, other) for edit in new for other in _nearest(edits, edit)):
            continue
        taken.append(each)
        for edit in new:
            insort(edits, edit)
    return taken


def edits_of(finding: Finding) -> tuple[Edit, ...]:
    """Return the edits that fix a finding; none where it has no fix."""
    return () if finding.fix is None else finding.fix.edits


def _nearest(edits: list[Edit], edit: Edit) -> list[Edit]:
    at = bisect_left(edits, edit)
    return edits[max(0, at - 1) : at + 1]


def _touch(one: Edit, other: Edit) -> bool:
    if one.start == one.end or other.start == other.end:
        return one.start <= other.end and other.start <= one.end
    return one.start < other.end and other.start < one.end


def _edits(found: Sequence[Finding]) -> list[Edit]:
    return sorted({edit for each in found for edit in edits_of(each)})


def applied(text: str, found: Sequence[Finding]) -> str:
    """Return a text with the fixes of `next_round` made; the rest of it is as it was."""
    pieces: list[str] = []
    at = 0
    for edit in _edits(found):
        pieces += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*pieces, text[at:]])
