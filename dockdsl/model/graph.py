"""StageGraph: the stages of a Dockerfile and their dependencies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal as OneOf

import attrs

from dockdsl.errors import UnknownStage
from dockdsl.instructions.sources import Reference, StageBase
from dockdsl.model.stage import Stage


@attrs.frozen
class Edge:
    """A dependency of a stage on another one."""

    stage: Stage
    needs: Stage
    by: OneOf["base", "copy", "mount"]
    """Whether the stage is based on the other one, copies from it, or mounts it."""
    step: int | None
    """The index of the step; None for the base."""


class StageGraph:
    """The stages of a `Dockerfile` and their dependencies.

    `stages`
        The stages in the order of the Dockerfile: each after those that it needs.
    `edges`
        The dependencies, in the order of the stages and of their steps.

    >>> from dockdsl import Copy, Dockerfile
    >>> build = Stage("golang:1.27", name="build")
    >>> graph = Dockerfile(Stage("scratch", name="api", steps=[Copy("/api", "/", from_=build)])).graph
    >>> [(edge.stage.name, edge.needs.name, edge.by, edge.step) for edge in graph.edges]
    [('api', 'build', 'copy', 0)]
    >>> [stage.name for stage in graph.reached_by(graph.stages[1])]
    ['build', 'api']

    Source: the Dockerfile reference, "FROM" and "COPY --from".
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = tuple(stages)
        self._index = {id(stage): index for index, stage in enumerate(self.stages)}
        self._by_name = {stage.name: stage for stage in self.stages if stage.name is not None}

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """What the stages need of each other, in the order in which they refer to it."""
        return tuple([edge for stage in self.stages for edge in self._edges(stage)])

    @cached_property
    def _needs(self) -> dict[int, list[Stage]]:
        needs: dict[int, list[Stage]] = {}
        for edge in self.edges:
            needs.setdefault(id(edge.stage), []).append(edge.needs)
        return needs

    def index(self, stage: StageBase) -> int:
        """Return the index of a stage; equal stages with the same name have the same one.

        Raises `UnknownStage` for a stage that is not in the graph.
        """
        found = self._index.get(id(stage))
        if found is None and stage.name in self._by_name:
            found = self._index[id(self._by_name[stage.name])]
        if found is None:
            raise UnknownStage(f"StageGraph: {stage!r} is not one of its stages; pass one of them")
        return found

    def resolve(self, reference: Reference, stage: Stage) -> Stage | None:
        """Return the stage that a reference in `stage` means; None for an image or a context.

        A base is looked up among the stages above, a source among all; of several with that name, it is the last one.
        """
        source = reference.source
        if isinstance(source, StageBase):
            return self.stages[self.index(source)]
        if source is None:
            return None
        if reference.by == "base":
            found = self._by_name.get(source)
            return found if found is not None and self.index(found) < self.index(stage) else None
        return self._by_name.get(source.lower())

    def needs(self, stage: Stage) -> tuple[Stage, ...]:
        """Return the stages that a stage needs directly, each once, in the order in which it refers to them."""
        # Two stages may be equal, and are two all the same.
        return tuple({id(each): each for each in self._needs.get(id(self.stages[self.index(stage)]), ())}.values())

    def reached_by(self, target: Stage) -> tuple[Stage, ...]:
        """Return the stages that are built for a target, itself included, in the order of the Dockerfile."""
        seen = {self.index(target)}
        left = [target]
        while left:
            for need in self.needs(left.pop()):
                if self.index(need) not in seen:
                    seen.add(self.index(need))
                    left.append(need)
        return tuple([self.stages[index] for index in sorted(seen)])

    def _edges(self, stage: Stage) -> Iterator[Edge]:
        base = stage.base if isinstance(stage.base, (StageBase, str)) else None
        found = None if base is None else self.resolve(Reference(base, "base"), stage)
        if found is not None:
            yield Edge(stage, found, "base", None)
        for number, step in enumerate(stage.steps):
            for reference in step.references():
                needed = self.resolve(reference, stage)
                if needed is not None:
                    yield Edge(stage, needed, reference.by, number)
