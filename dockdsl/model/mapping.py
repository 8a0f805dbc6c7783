"""Changing a model: references to a stage become references to what has taken its place."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar
from typing import Literal as OneOf

from dockdsl.display import shown
from dockdsl.errors import InvalidType, StageError
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.located import Located
from dockdsl.instructions.mounts.mount import Mount
from dockdsl.instructions.sources import External, StageBase
from dockdsl.instructions.verbatim import Verbatim
from dockdsl.model.order import called, refuse_cycle
from dockdsl.model.stage import Stage, walked
from dockdsl.syntax.flags import declared

By = OneOf["base", "copy", "mount"]
_names_in = re.compile(r"""(?:--|[,=])from=["']?([A-Za-z][A-Za-z0-9_.-]*)""", re.IGNORECASE).findall
_Value = TypeVar("_Value", bound=Located)


def mapped(stages: Sequence[Stage], change: Callable[[Stage], Stage]) -> Callable[[Stage], Stage]:
    """Call `change` for each stage, and return the function from a stage to what has taken its place.

    All references to a stage are moved to what has taken its place, and a name is one if it is that of a stage. Raises
    `InvalidType` if `change` does not return a stage, `StageError` for a cycle and for a reference that cannot move.
    """
    return _Moves(stages, change).of


class _Moves:
    def __init__(self, stages: Sequence[Stage], change: Callable[[Stage], Stage]) -> None:
        self.before = {id(stage): stage for stage in stages}
        self.by_name = {stage.name: stage for stage in stages if stage.name is not None}
        bases = [(stage, self.old(stage.base, "base")) for stage in stages]
        self.based_on = {id(base) for stage, base in bases if base is not stage}
        self.after = {id(stage): _changed(stage, change) for stage in stages}
        self.replaced: dict[int, list[Stage]] = {}
        """The stages that a new one has taken the place of."""
        for stage in stages:
            self.replaced.setdefault(id(self.after[id(stage)]), []).append(stage)
        self.done: dict[int, Stage] = {}
        for stage in walked(self.after.values(), self.needs, refuse_cycle):
            self.done[id(stage)] = self.moved(stage)

    def of(self, stage: Stage) -> Stage:
        """Return what has taken the place of a stage."""
        return self.done[id(self.after[id(self.old(stage, "base"))])]

    def old(self, source: object, by: By) -> Stage | None:
        """Return the stage that a reference meant before the change."""
        if isinstance(source, StageBase):
            # Of equal stages with the same name, one is kept.
            named = None if source.name is None else self.by_name.get(source.name)
            return self.before.get(id(source)) or (named if named == source else None)
        if not isinstance(source, str) or isinstance(source, External):
            return None
        return self.by_name.get(source if by == "base" else source.lower())

    def target(self, source: object, by: By, stage: Stage) -> Stage | None:
        """Return the stage that a reference in a changed stage means, before that is moved itself; None if none."""
        old = self.old(source, by)
        if old is None:
            return source if isinstance(source, Stage) else None
        if any(old is each for each in self.replaced.get(id(stage), ())):
            # A stage may be built on the one that it takes the place of. By its own name it can mean an image alone.
            return old if isinstance(source, StageBase) else None
        new = self.after[id(old)]
        return None if isinstance(source, str) and new.name == old.name else new

    def needs(self, stage: Stage) -> Iterator[Stage]:
        """Yield the stages that a changed stage refers to."""
        for source, by in ((stage.base, "base"), *[(each.source, each.by) for each in stage.references()]):
            found = self.target(source, by, stage)
            if found is not None:
                yield found

    def moved(self, stage: Stage) -> Stage:
        """Return a changed stage with its references moved."""
        olds = self.replaced.get(id(stage), [])
        changes: dict[str, Any] = {}
        if not stage.is_read and [(each.base, each.name) for each in olds if each.is_read] == [
            (stage.base, stage.name)
        ]:
            # A file may have two stages with the same name.
            changes["is_read"] = True
        base = self.target(stage.base, "base", stage)
        if base is not None and self.done[id(base)] is not stage.base:
            changes["base"] = self.done[id(base)]
        steps = tuple([self.moved_step(step, stage, olds) for step in stage.steps])
        if not all(map(operator.is_, steps, stage.steps)):
            changes["steps"] = steps
        return stage.changed(**changes) if changes else stage

    def moved_step(self, step: Instruction, stage: Stage, olds: list[Stage]) -> Instruction:
        if isinstance(step, Verbatim):
            self.check_verbatim(step, stage)
        elif step.nested() is not None:
            # What it names belongs to another build, unless a stage of this one is based on it.
            if any(id(old) in self.based_on for old in olds):
                return _redirected(step, lambda source, by: self.named(source, by, stage, step))
        elif step.references():
            return _redirected(step, lambda source, by: self.source(source, by, stage))
        return step

    def source(self, source: object, by: By, stage: Stage) -> object:
        target = self.target(source, by, stage)
        return source if target is None else self.done[id(target)]

    def named(self, source: object, by: By, stage: Stage, step: Instruction) -> object:
        """Return a name in an ONBUILD, which cannot hold a stage, as that of the new stage."""
        target = self.target(source, by, stage)
        if target is None:
            return source
        if target.name is None:
            raise StageError(
                f"Dockerfile.map: {step.keyword} in {called(stage)} refers to the stage {source!r}, which has no name "
                "any more; give it one",
                origin=step.origin,
            )
        return target.name

    def check_verbatim(self, step: Verbatim, stage: Stage) -> None:
        for name in _names_in(step.text):
            if self.target(name, "copy", stage) is not None:
                raise StageError(
                    f"Dockerfile.map: {shown(step.text)} in {called(stage)} is Verbatim, and refers to the stage "
                    f"{name.lower()!r}, whose name has changed; replace that step, too",
                    origin=step.origin,
                )


def _changed(stage: Stage, change: Callable[[Stage], Stage]) -> Stage:
    new = change(stage)
    if not isinstance(new, Stage):
        raise InvalidType(f"Dockerfile.map: the function returned {shown(new)} for {called(stage)}; return a Stage")
    return new


def _redirected(value: _Value, source_of: Callable[[object, By], object]) -> _Value:
    """Return an instruction or a mount with what it takes files from replaced; the same one if nothing is."""
    changes: dict[str, object] = {}
    for field in declared(type(value)).fields:
        given = new = getattr(value, field.name)
        if isinstance(given, StageBase) or (field.name == "from_" and isinstance(given, str)):
            new = source_of(given, "mount" if isinstance(value, Mount) else "copy")
        elif isinstance(given, Instruction):
            new = _redirected(given, source_of)
        elif isinstance(given, tuple):
            new = tuple([_redirected(each, source_of) if isinstance(each, Mount) else each for each in given])
            new = given if all(map(operator.is_, given, new)) else new
        if new is not given:
            changes[field.name] = new
    return value.changed(**changes) if changes else value
