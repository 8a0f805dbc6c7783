"""Whether each original image is in the result: put back what has moved, and compare what BuildKit reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from dockdsl.errors import DockdslError
from dockdsl.instructions.instruction import Instruction
from dockdsl.migrate.draft import Change, Image
from dockdsl.migrate.merge import Merged
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.stage import Stage
from dockdsl.text.proof import Difference, prove
from dockdsl.text.rendering import render


def proven(result: Merged, made: Dockerfile) -> Iterator[tuple[Image, Difference | str | None]]:
    """Yield each image with what is different in it, or None; `made` is the Dockerfile of the Python file.

    Raises `ProofUnavailable` without BuildKit's parser.
    """
    by_name = {stage.name: stage for stage in made.stages}
    for image in result.draft.images.values():
        try:
            yield image, prove(image.text, render(_restored(image, by_name)))
        except DockdslError as error:
            yield image, error.message


def _restored(image: Image, by_name: dict[str | None, Stage]) -> Dockerfile:
    """Return the Dockerfile of an image, from the stages of the result and the steps that have moved."""
    original = image.original
    stages = [by_name[image.names[index]] for index in range(len(original.stages))]
    numbers = {id(stage): index for index, stage in enumerate(stages)}

    def before(stage: Stage) -> Stage:
        index = numbers.get(id(stage))
        if index is None:
            return stage
        old = original.stages[index]
        base = stage.base if isinstance(old.base, Stage) else old.base
        return attrs.evolve(stage, base=base, name=old.name, steps=_steps(stage, image.changes.get(index, ())))

    whole = Dockerfile(stages, original.args, syntax=original.frontend, escape=original.escape, check=original.check)
    return whole.map(before)


def _steps(stage: Stage, changes: Sequence[Change]) -> list[Instruction]:
    """Return the steps of a stage with each change undone, in order."""
    steps, waiting = list(stage.steps), list(changes)
    restored: list[Instruction] = []
    while steps:
        change = waiting[0] if waiting else None
        count = 0 if change is None else len(change.after)
        if change is not None and list(map(str, steps[:count])) == list(map(str, change.after)):
            restored.append(change.before)
            del steps[:count], waiting[0]
        else:
            restored.append(steps.pop(0))
    return restored
