"""Iteration over a model: its steps, what they take files from, and the variables that they declare and use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal as OneOf
from typing import NamedTuple

import attrs

from dockdsl.instructions.instruction import Declaration, Instruction
from dockdsl.instructions.sources import External, Reference, Source
from dockdsl.model.dockerfile import Dockerfile, checked
from dockdsl.model.graph import StageGraph
from dockdsl.model.stage import Stage
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.modifiers import references_in
from dockdsl.syntax.words import Literal, text_in

_names_in = lazy_regex(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


class Step(NamedTuple):
    """An instruction of a model, and its place."""

    instruction: Instruction
    stage: Stage | None
    """None for the global arguments above the first stage."""
    place: int
    """The index among the steps of the stage, or among the global arguments."""
    onbuild: Instruction | None = None
    """The ONBUILD that contains the instruction, if there is one."""


def steps_of(dockerfile: Dockerfile) -> Iterator[Step]:
    """Yield every instruction in the order of the Dockerfile; after an ONBUILD, the instruction in it.

    >>> from dockdsl import Copy, Dockerfile, Onbuild, Stage, User
    >>> file = Dockerfile(Stage("alpine:3.22", steps=[User("1000"), Onbuild(Copy(".", "/src"))]))
    >>> [(step.place, step.instruction.keyword, step.onbuild is not None) for step in steps_of(file)]
    [(0, 'USER', False), (1, 'ONBUILD', False), (1, 'COPY', True)]

    Raises `InvalidType` if `dockerfile` is not a `Dockerfile`.

    Source: the Dockerfile reference, "ONBUILD".
    """
    checked(dockerfile, "steps_of")
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
    """What a stage takes files from: its base, or the source of a copy or a mount."""

    kind: OneOf["stage", "image", "context"]
    """Another stage of the Dockerfile; an image; or a named context or (without a name) the build context."""
    by: OneOf["base", "copy", "mount"]
    stage: Stage
    """The stage that needs it."""
    step: Step | None
    """The step that refers to it; None for a base."""
    name: str | None
    """Its name; None for the build context and for an unnamed stage."""
    needs: Stage | None
    """The stage that is needed, if it is one."""


def needs_of(dockerfile: Dockerfile) -> Iterator[Need]:
    """Yield everything that the stages take files from, in the order of the Dockerfile.

    A name made by `external` may be that of an image or a named context; it is reported as a context. Names in an
    ONBUILD belong to another build, so they never refer to a stage of this one. ``scratch`` is not reported.

    >>> from dockdsl import Copy, Dockerfile, Stage
    >>> build = Stage("golang:1.27", name="build", steps=[Copy(".", ".")])
    >>> api = Stage("scratch", steps=[Copy("/api", "/", from_=build)])
    >>> [(need.kind, need.by, need.name) for need in needs_of(Dockerfile(api))]
    [('image', 'base', 'golang:1.27'), ('context', 'copy', None), ('stage', 'copy', 'build')]

    Raises `InvalidType` if `dockerfile` is not a `Dockerfile`.

    Source: the Dockerfile reference, "FROM", "COPY --from" and "RUN --mount".
    """
    graph = checked(dockerfile, "needs_of").graph
    by_stage = _by_stage(dockerfile)
    for stage in dockerfile.stages:
        base = _base_name(stage)
        if base != "scratch":
            yield _need(graph, Reference(base, "base"), stage, None)
        for step in by_stage.get(id(stage), ()):
            for reference in step.instruction.references():
                yield _need(graph, reference, stage, step)


def _base_name(stage: Stage) -> Source:
    return text_in(stage.base) if isinstance(stage.base, Literal) else stage.base


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
    """What expands it: BuildKit, or (as far as the text shows) the shell that runs the command."""


@attrs.define(eq=False)
class Variable:
    """A variable of a model, declared or not, and the places where it is used."""

    name: str
    kind: OneOf["global", "arg", "env", "undeclared"]
    """An ``ARG`` above the first stage, one in a stage, an ``ENV``; or undeclared, such as a predefined one."""
    declared: Step | None
    uses: list[Use] = attrs.Factory(list)
    default: Variable | None = None
    """For an ``ARG`` without a default in a stage, the global one that it takes its value from."""


def variables_of(dockerfile: Dockerfile) -> list[Variable]:
    """Return the variables of a model in the order in which they occur, one for each declaration.

    A stage inherits the variables of the stage that it is based on. Global arguments are visible in ``FROM`` lines, and
    in a stage that declares them again. If an ``ARG`` and an ``ENV`` have the same name, the later one counts; only the
    ``ENV`` is visible to the command of a ``CMD``, ``ENTRYPOINT`` or ``HEALTHCHECK``. A name that is not declared is
    one variable in the whole Dockerfile.

    >>> from dockdsl import Arg, Dockerfile, Run, Stage, Workdir
    >>> stage = Stage("golang:${GO}", steps=[Arg("DIR", "/src"), Workdir("$DIR"), Run("ls $HOME")])
    >>> found = variables_of(Dockerfile(stage, args=[Arg("GO", "1.27")]))
    >>> [(variable.name, variable.kind, len(variable.uses)) for variable in found]
    [('GO', 'global', 1), ('DIR', 'arg', 1), ('HOME', 'undeclared', 1)]

    Raises `InvalidType` if `dockerfile` is not a `Dockerfile`.

    Source: the Dockerfile reference, "Scope" of ARG and "Environment replacement".
    """
    return _Scopes(checked(dockerfile, "variables_of")).found


class _Scope(NamedTuple):
    """The variables that are visible to build steps, and to what a container runs."""

    build: dict[str, Variable]
    container: dict[str, Variable]


class _Scopes:
    """A walk over a model that keeps track of the visible variables."""

    def __init__(self, dockerfile: Dockerfile) -> None:
        self.found: list[Variable] = []
        self.undeclared: dict[str, Variable] = {}
        self.above = _Scope({}, {})
        graph = dockerfile.graph
        by_stage = _by_stage(dockerfile)
        for step in by_stage.get(id(None), ()):
            self._step(step, self.above)
        of_stage: dict[int, _Scope] = {}
        for stage in dockerfile.stages:
            # What no class can express is not read either.
            read = tuple([each for each in (stage.base, stage.platform) if not isinstance(each, External)])
            self._expanded(read, None, stage, self.above)
            base = of_stage.get(id(graph.resolve(Reference(_base_name(stage), "base"), stage)), _Scope({}, {}))
            scope = of_stage[id(stage)] = _Scope({**base.build}, {**base.container})
            for step in by_stage.get(id(stage), ()):
                self._step(step, scope)

    def _step(self, step: Step, scope: _Scope) -> None:
        if step.onbuild is not None:
            # It belongs to another build.
            return
        instruction = step.instruction
        self._expanded(tuple(instruction.expanded()), step, step.stage, scope)
        seen = scope.build if instruction.RUNS_AT_BUILD else scope.container
        for name in dict.fromkeys(_names_in().findall(instruction.shell_text())):
            self._used(name, Use(step, step.stage, "shell"), seen)
        for each in instruction.declares():
            self._declare(each, step, scope)

    def _declare(self, given: Declaration, step: Step, scope: _Scope) -> None:
        kind = "global" if step.stage is None else given.kind
        default = None if given.has_value or scope is self.above else self.above.build.get(given.name)
        variable = Variable(given.name, kind, step, default=default)
        self.found.append(variable)
        if given.kind == "env":
            scope.container[given.name] = variable
        # An ARG without a value does not change that of an ENV above.
        if given.has_value or default is not None or given.name not in scope.container:
            scope.build[given.name] = variable

    def _expanded(self, value: object, step: Step | None, stage: Stage | None, scope: _Scope) -> None:
        for reference in references_in(value):
            for name in _names_in().findall(reference):
                self._used(name, Use(step, stage, "builder"), scope.build)

    def _used(self, name: str, use: Use, seen: dict[str, Variable]) -> None:
        variable = seen.get(name) or self.undeclared.get(name)
        if variable is None:
            variable = self.undeclared[name] = Variable(name, "undeclared", None)
            self.found.append(variable)
        variable.uses.append(use)
