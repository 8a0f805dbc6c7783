"""What grows while the images of a recipe become stages: names, contexts, build arguments."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from dockdsl.instructions.instruction import Instruction
from dockdsl.migrate.recipe import Build, Recipe
from dockdsl.migrate.words import Word
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.stage import RESERVED, Stage

_not_in_names = re.compile(r"[^a-z0-9_.-]+").sub


@attrs.frozen
class Change:
    """A step of an original stage that has become others."""

    before: Instruction
    after: tuple[Instruction, ...]


@attrs.define(eq=False)
class Image:
    """An image of the recipe, as stages of the result."""

    build: Build
    original: Dockerfile
    text: str
    name: str
    result: Stage | None = None
    """The stage that is the image."""
    build_args: dict[str, Word] = attrs.field(factory=dict)
    all_args: dict[str, Word] = attrs.field(factory=dict)
    """Those of all images that it comes from."""
    names: dict[int, str] = attrs.field(factory=dict)
    """The names of its stages in the result, by the number of the original."""
    changes: dict[int, list[Change]] = attrs.field(factory=dict)
    """What has changed in each stage, by its number."""


@attrs.define(eq=False)
class Draft:
    """The state of a merge."""

    recipe: Recipe
    context: Path
    """The build context of the result."""
    images: dict[int, Image] = attrs.field(factory=dict)
    """The images, by the id of their build."""
    build_args: dict[str, Word] = attrs.field(factory=dict)
    """Those of containers."""
    contexts: dict[str, Path] = attrs.field(factory=dict)
    made: dict[int, Stage] = attrs.field(factory=dict)
    """The stages that do what containers did, by the id of the container."""
    needed: set[int] = attrs.field(factory=set)
    """The ids of the builds that others need."""
    taken: set[str] = attrs.field(factory=set)

    def fresh(self, wish: str) -> str:
        """Return an unused name for a stage."""
        name = label(wish, "stage")
        name = name if name[0].isalpha() and name not in RESERVED else f"stage-{name}"
        first, count = name, 1
        while name in self.taken:
            count += 1
            name = f"{first}-{count}"
        self.taken.add(name)
        return name

    def stage_of(self, build: Build) -> Stage:
        """Return the stage of an image, which is needed from now on."""
        self.needed.add(id(build))
        stage = self.images[id(build)].result
        assert stage is not None
        return stage

    def context_name(self, folder: Path) -> str:
        """Return the name of another context than that of the result."""
        name = label(folder.name, "other")
        while self.contexts.setdefault(name, folder) != folder:
            name += "-2"
        return name


def label(wish: str, otherwise: str) -> str:
    """Return a name for a stage or a context."""
    return _not_in_names("-", wish.lower()).strip("-._") or otherwise
