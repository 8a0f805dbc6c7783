"""One way to go over a model: its steps, what they take files from, and the variables that they declare and use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal as OneOf
from typing import NamedTuple

import attrs

from dockdsl.instructions.instruction import Declaration, Instruction
from dockdsl.instructions.sources import External, Reference, Source
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.graph import StageGraph
from dockdsl.model.stage import Stage
from dockdsl.syntax.modifiers import references_in
from dockdsl.syntax.words import Literal

_names_in = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)").findall


class Step(NamedTuple):
    """An instruction of a model, and where it stands."""

    instruction: Instruction
    stage: Stage | None
    """None for the global arguments above the first stage."""
    place: int
    """The place among the steps of the stage, or among the arguments, counted from 0."""
    onbuild: Instruction | None = None
    """The ONBUILD that keeps the instruction for another build, if it stands in one."""


def steps_of(dockerfile: Dockerfile) -> Iterator[Step]:
    """Yield every instruction in the order of the Dockerfile; behind an ONBUILD the one that stands in it.

    >>> from dockdsl import Copy, Dockerfile, Onbuild, Stage, User
    >>> file = Dockerfile(Stage("alpine:3.22", steps=[User("1000"), Onbuild(Copy(".", "/src"))]))
    >>> [(step.place, step.instruction.keyword, step.onbuild is not None) for step in steps_of(file)]
    [(0, 'USER', False), (1, 'ONBUILD', False), (1, 'COPY', True)]
    """
    groups = [(None, dockerfile.args), *[(stage, stage.steps) for stage in dockerfile.stages]]
    for stage, steps in groups:
        for place, instruction in enumerate(steps):
            yield Step(instruction, stage, place)
            nested = instruction.nested()
            if nested is not None:
                yield Step(nested, stage, place, instruction)


def _by_stage(dockerfile: Dockerfile) -> dict[int, list[Step]]:
    found: dict[int, list[Step]] = {}
    for step in steps_of(dockerfile):
        found.setdefault(id(step.stage), []).append(step)
    return found


class Need(NamedTuple):
    """What a stage takes files from: a base, or the source of a copy or a mount."""

    kind: OneOf["stage", "image", "context"]
    """Another stage of the Dockerfile; an image; or a context, named or (without a name) that of the build."""
    by: OneOf["base", "copy", "mount"]
    stage: Stage
    """The stage that needs it."""
    step: Step | None
    """The step that names it; None for a base."""
    name: str | None
    """What it is called; None for the build context, and for a stage without a name."""
    needs: Stage | None
    """The stage that is needed, where it is one."""


def needs_of(dockerfile: Dockerfile) -> Iterator[Need]:
    """Yield all that the stages take files from, in the order of the Dockerfile.

    What `external` names may be an image or a named context: it is told to be a context. What stands in an ONBUILD
    names something in another build, so no stage of this one.

    >>> from dockdsl import Copy, Dockerfile, Stage
    >>> build = Stage("golang:1.27", name="build", steps=[Copy(".", ".")])
    >>> api = Stage("scratch", steps=[Copy("/api", "/", from_=build)])
    >>> [(need.kind, need.by, need.name) for need in needs_of(Dockerfile(api))][:2]
    [('image', 'base', 'golang:1.27'), ('context', 'copy', None)]
    """
    graph = dockerfile.graph
    by_stage = _by_stage(dockerfile)
    for stage in dockerfile.stages:
        yield _need(graph, Reference(_base_name(stage), "base"), stage, None)
        for step in by_stage.get(id(stage), ()):
            for reference in step.instruction.references():
                yield _need(graph, reference, stage, step)


def _base_name(stage: Stage) -> Source:
    base = stage.base
    if isinstance(base, Literal):
        return "".join([text for _, text in base.parts])
    return base


def _need(graph: StageGraph, reference: Reference, stage: Stage, step: Step | None) -> Need:
    source = reference.source
    inside = step is not None and step.onbuild is not None
    needed = None if inside else graph.resolve(reference, stage)
    if needed is not None:
        return Need("stage", reference.by, stage, step, needed.name, needed)
    name = None if source is None else str(source)
    is_context = source is None or (isinstance(source, External) and reference.by != "base")
    return Need("context" if is_context else "image", reference.by, stage, step, name, None)


class Use(NamedTuple):
    """A place at which a variable is referred to."""

    step: Step | None
    """None for a ``FROM`` line."""
    stage: Stage | None
    by: OneOf["builder", "shell"]
    """Who puts the value in: BuildKit, or (as far as the text shows) the shell that runs the command."""


@attrs.define(eq=False)
class Variable:
    """A variable of a model: a declaration, or a name that is used without one, and where it is seen."""

    name: str
    kind: OneOf["global", "arg", "env", "undeclared"]
    """An ``ARG`` above the first stage, one in a stage, an ``ENV``; or none of them: it may be predefined."""
    declared: Step | None
    uses: list[Use] = attrs.Factory(list)
    default: Variable | None = None
    """For an ``ARG`` in a stage without a default, the global one whose value it takes."""


def variables_of(dockerfile: Dockerfile) -> list[Variable]:
    """Return the variables of a model in the order in which they come up, each declaration one of its own.

    A stage that is built on another one sees its variables. Global arguments are seen by ``FROM`` lines, and by a stage
    that declares them again.

    >>> from dockdsl import Arg, Dockerfile, Run, Stage, Workdir
    >>> stage = Stage("golang:${GO}", steps=[Arg("DIR", "/src"), Workdir("$DIR"), Run("ls $HOME")])
    >>> found = variables_of(Dockerfile(stage, args=[Arg("GO", "1.27")]))
    >>> [(variable.name, variable.kind, len(variable.uses)) for variable in found]
    [('GO', 'global', 1), ('DIR', 'arg', 1), ('HOME', 'undeclared', 1)]

    Source: the Dockerfile reference, "Scope" of ARG and "Environment replacement".
    """
    return _Scopes(dockerfile).found


class _Scopes:
    """A walk over a model with the variables in sight."""

    def __init__(self, dockerfile: Dockerfile) -> None:
        self.found: list[Variable] = []
        self.graph = dockerfile.graph
        self.of_stage: dict[int, dict[str, Variable]] = {}
        global_scope: dict[str, Variable] = {}
        self.undeclared: dict[str, Variable] = {}
        scope = global_scope
        by_stage = _by_stage(dockerfile)
        for step in by_stage.get(id(None), ()):
            self._step(step, scope, {})
        for stage in dockerfile.stages:
            for text in (stage.base, stage.platform):
                self._use(text, None, stage, global_scope)
            base = self.graph.resolve(Reference(_base_name(stage), "base"), stage)
            scope = dict(self.of_stage.get(id(base), {}))
            for step in by_stage.get(id(stage), ()):
                self._step(step, scope, global_scope)
            self.of_stage[id(stage)] = scope

    def _step(self, step: Step, scope: dict[str, Variable], above: dict[str, Variable]) -> None:
        if step.onbuild is not None:
            # It is run, and its variables are looked up, in another build.
            return
        self._use(tuple(step.instruction.expanded()), step, step.stage, scope)
        for name in dict.fromkeys(_names_in(step.instruction.shell_text())):
            self._used(name, Use(step, step.stage, "shell"), scope)
        for each in step.instruction.declares():
            self._declare(each, step, scope, above)

    def _declare(self, given: Declaration, step: Step, scope: dict[str, Variable], above: dict[str, Variable]) -> None:
        kind = "global" if step.stage is None else given.kind
        variable = Variable(given.name, kind, step, default=None if given.has_value else above.get(given.name))
        self.found.append(variable)
        known = scope.get(variable.name)
        # The value of an ENV goes before that of an ARG, wherever they stand.
        if kind != "arg" or known is None or known.kind != "env":
            scope[variable.name] = variable

    def _use(self, value: object, step: Step | None, stage: Stage | None, scope: dict[str, Variable]) -> None:
        for reference in references_in(value):
            for name in _names_in(reference):
                self._used(name, Use(step, stage, "builder"), scope)

    def _used(self, name: str, use: Use, scope: dict[str, Variable]) -> None:
        variable = scope.get(name) or self.undeclared.get(name)
        if variable is None:
            variable = self.undeclared[name] = Variable(name, "undeclared", None)
            self.found.append(variable)
        variable.uses.append(use)
