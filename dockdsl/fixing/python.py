"""Fixing a Python build file: what its Dockerfiles should be is known, and the calls that make them are rewritten.

What was rewritten is run, and is accepted if its Dockerfiles are what they should be.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import accumulate
from typing import Any, NamedTuple

from dockdsl.codegen.rewriting import Change, Value, rewritten
from dockdsl.display import one_line
from dockdsl.errors import DockdslError
from dockdsl.fixing.faults import Faults, Key, key_of
from dockdsl.lint.finding import Finding
from dockdsl.lint.fix import Edit
from dockdsl.lint.fixing import applied, edits_of, has_effect, next_round
from dockdsl.loading import run_file
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.origins import Origin
from dockdsl.selection import select, split
from dockdsl.text.confirming import confirm
from dockdsl.text.parser import lines_of, parse
from dockdsl.text.rendering import render, render_with_map

_OTHER = "the Dockerfiles of the changed file would not be the fixed ones; change it by hand"
_ANOTHER_FILE = "it is made in another file; change it there"


_RUNS = 40
"""How often a file is run at most."""
Reasons = dict[Key, str]
"""Why something is not fixed."""


class FixedPython(NamedTuple):
    """What came of fixing a Python file."""

    source: str
    made: tuple[Finding, ...]
    is_proven: bool
    kept: Reasons


class _Rendered(NamedTuple):
    """A Dockerfile of the file, and what is to be fixed in it at once."""

    text: str
    origins: Sequence[Origin | None]
    now: list[Finding]
    fixed: str


def fix_python(spec: str, source: str, faults: Faults) -> FixedPython:
    """Return what becomes of a Python file: round by round, as with a Dockerfile.

    What cannot be changed in Python is left out, and the others are tried again without it: half of them at once, as
    long as it is not known which one it is.
    """
    file, _ = split(spec)
    made: dict[Key, Finding] = {}
    kept: Reasons = {}
    tried: Sequence[Key] | None = None
    is_proven = True
    objects = _objects(spec, run_file(file, source))
    for _ in range(_RUNS):
        found = _rendered(faults, source, objects, kept, tried)
        now = {key_of(each): each for one in found for each in one.now}
        if not now:
            break
        new, refused = _rewritten(faults.path, source, found)
        if refused:
            kept |= refused
            continue
        for each in found:
            is_proven &= has_effect(each.now) or confirm(each.text, each.fixed, f"{one_line(file)}: the fixed text")
        changed = _run(spec, new)
        if [render(each) for each in changed] == [each.fixed for each in found]:
            # Below a line that is gone, the places of what is kept are others.
            kept = kept if source.count("\n") == new.count("\n") else {}
            source, objects, tried = new, changed, None
            made |= now
        elif len(now) > 1:
            tried = [*now][: len(now) // 2]
        else:
            kept |= dict.fromkeys(now, _OTHER)
            tried = None
    return FixedPython(source, tuple(made.values()), is_proven, kept)


def _objects(spec: str, namespace: dict[str, Any]) -> list[Dockerfile]:
    """Return all Dockerfiles of the file, since a change concerns all, and what the name means besides."""
    file, name = split(spec)
    files = {file: namespace}
    found, _ = select(f"{file}:*", Dockerfile, files=files)
    if name not in (None, "*"):
        found += select(spec, Dockerfile, files=files)[0]
    return list({id(each.value): each.value for each in found}.values())


def _run(spec: str, source: str) -> list[Dockerfile]:
    """Return the Dockerfiles of the changed file; none where it cannot be run."""
    try:
        return _objects(spec, run_file(split(spec)[0], source))
    except DockdslError:
        return []


def _rendered(
    faults: Faults, source: str, objects: Sequence[Dockerfile], kept: Reasons, tried: Sequence[Key] | None
) -> list[_Rendered]:
    """Return the Dockerfiles, each with what is to be fixed at once: in all of them, or in none, what has no effect."""
    made = [render_with_map(each) for each in objects]
    every = [
        [
            each
            for each in faults.in_python(source, text, origins)
            if each.fix is not None and key_of(each) not in kept and (tried is None or key_of(each) in tried)
        ]
        for text, origins in made
    ]
    is_quiet = any(not has_effect([each]) for found in every for each in found)
    rounds = [next_round([each for each in found if not (is_quiet and has_effect([each]))]) for found in every]
    return [_Rendered(*each, now, applied(each.text, now)) for each, now in zip(made, rounds, strict=True)]


def _rewritten(path: str, source: str, found: Sequence[_Rendered]) -> tuple[str, Reasons]:
    """Return the source with all changes that are to be made at once, and why some cannot be made."""
    changes: dict[Change, list[Key]] = {}
    refused: Reasons = {}
    for each in found:
        for number, keys, old, new in _differing(each):
            origin = each.origins[number]
            if origin is None or origin.path != path:
                refused |= dict.fromkeys(keys, _ANOTHER_FILE)
            else:
                changes.setdefault(Change(origin.line, origin.extent, old, new), []).extend(keys)
    made = rewritten(source, list(changes), parse(found[0].fixed))
    for keys, reason in zip(changes.values(), made.reasons, strict=True):
        if reason:
            refused |= dict.fromkeys(keys, reason)
    return made.source, refused


def _differing(rendered: _Rendered) -> Iterator[tuple[int, list[Key], Value, Value | None]]:
    """Yield the first line, from 0, of each instruction that is changed or removed, what for, and what it becomes."""
    before, after = _values(rendered.text), _values(rendered.fixed)
    starts = list(accumulate(map(len, StringIO(rendered.text, newline="\n")), initial=0))
    touched: dict[int, list[Finding]] = {}
    for finding in rendered.now:
        for edit in edits_of(finding):
            touched.setdefault(bisect_right(starts, edit.start) - 1, []).append(finding)
    left = iter(after)
    for number, last, old in before:
        findings = [each for line in range(number, last + 1) for each in touched.get(line, ())]
        whole = Edit(starts[number], starts[last + 1], "")
        is_removed = any(edit == whole for each in findings for edit in edits_of(each))
        new = None if is_removed else next(left)[2]
        if findings:
            yield number, [key_of(each) for each in findings], old, new


def _values(text: str) -> list[tuple[int, int, Value]]:
    """Return the first and the last line, from 0, of each instruction, and its value."""
    values = {value.origin.line: value for _, value in parse(text).pieces() if isinstance(value, Value)}
    return [(line.logical.first, line.last, values[line.origin.line]) for line in lines_of(text)]
