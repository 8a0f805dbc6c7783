"""Bases with variables: the stages that ``FROM layer-${KIND}`` may be built on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dockdsl.errors import ExpansionError
from dockdsl.instructions.arg import Arg
from dockdsl.instructions.instruction import Instruction
from dockdsl.model.stage import Stage, has_variable
from dockdsl.syntax.words import BACKSLASH, atoms_of, text_in

_in_names = re.compile(r"[a-z0-9_.-]*").fullmatch


class Candidates(NamedTuple):
    """The stages that a base may mean."""

    possible: list[Stage]
    """Those whose names fit, whatever the variables are set to."""
    expected: list[Stage]
    """The one that the defaults give; all that fit, if a variable has no default."""
    certain: list[Stage]
    """The one that the defaults give."""


def candidates_of(
    order: Iterable[Stage], by_name: Mapping[str, Stage], args: Iterable[Instruction]
) -> dict[int, Candidates]:
    """Return the stages that each base with variables may mean, by the id of the stage with that base.

    If one that fits is above already, the order is meant: only the default counts. A base that is a variable alone,
    without a default, fits any name, so it means none.
    """
    above: set[int] = set()
    found: dict[int, Candidates] = {}
    known: dict[str, Candidates] = {}
    defaults: dict[str, str] | None = None
    for stage in order:
        base = stage.base
        if not has_variable(base):
            above.add(id(stage))
            continue
        atoms = atoms_of(base)
        text = text_in(base)
        if text not in known:
            defaults = _defaults(args) if defaults is None else defaults
            known[text] = _candidates(atoms, text, by_name, defaults)
        possible, expected, certain = [[each for each in some if each is not stage] for some in known[text]]
        if any(id(each) in above for each in possible):
            possible = expected = certain
        found[id(stage)] = Candidates(possible, expected, certain)
        above.add(id(stage))
    return found


def _candidates(
    atoms: list[tuple[bool, str]], text: str, by_name: Mapping[str, Stage], defaults: Mapping[str, str]
) -> Candidates:
    from dockdsl.syntax.expand import expand, names  # noqa: PLC0415 - few bases have variables

    fixed = "".join([text for is_reference, text in atoms if not is_reference])
    possible: list[Stage] = []
    if fixed and _in_names(fixed):
        pattern = "".join([".*" if is_reference else re.escape(text) for is_reference, text in atoms])
        fits = re.compile(pattern).fullmatch
        possible = [stage for name, stage in by_name.items() if fits(name)]
    try:
        default = by_name.get(expand(text, defaults))
        is_known = defaults.keys() >= set(names(text))
    except ExpansionError:
        default, is_known = None, False
    if default is not None:
        return Candidates([default, *[stage for stage in possible if stage is not default]], [default], [default])
    return Candidates(possible, [] if is_known else possible, [])


def _defaults(args: Iterable[Instruction]) -> dict[str, str]:
    """Return the values that the variables above the first stage have if the build sets none."""
    from dockdsl.syntax.expand import expand  # noqa: PLC0415 - as above

    values: dict[str, str] = {}
    for each in [each for arg in args if isinstance(arg, Arg) for each in (arg, *arg.more)]:
        values.pop(each.name, None)
        if each.default is not None:
            try:
                values[each.name] = expand(BACKSLASH.value(each.default), values)
            except ExpansionError:
                continue
    return values
