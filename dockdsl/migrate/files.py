"""Which files of the host come out of a container: the answer to what COPY takes from the context."""

from __future__ import annotations

import os
import posixpath
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from dockdsl.migrate.recipe import Artefact, Build, Container, Recipe


class Origin(NamedTuple):
    """Where a file of the host comes from."""

    inside: str
    """Its path in the image."""
    artefact: Artefact

    @property
    def is_whole(self) -> bool:
        """Whether it is the artefact itself, and not a file in that folder."""
        return self.inside == self.artefact.inside


def origins(recipe: Recipe, build: Build, path: Path, moves: int | None = None) -> list[Origin]:
    """Return what a source of COPY names among the artefacts; wildcards in its last part count.

    `moves` is how many of those on the host may have brought it there.
    """
    if path in recipe.gone and moves is None:
        return []
    made = made_before(recipe, build)
    exact = [artefact for artefact in made if artefact.path == path]
    if exact:
        return [Origin(exact[-1].inside, exact[-1])]
    around = [each for each in made if each.path in path.parents and each.is_folder is not False]
    if around:
        # Of a folder in a folder, the inner one has the file; of those in one place, the last.
        artefact = max(reversed(around), key=lambda each: len(each.path.parts))
        is_unpacked_around = artefact.path == build.context and path.exists()
        if is_unpacked_around:
            fact = f"files of an image are unpacked into the folder that has {recipe.shown(path)}"
            recipe.note(
                artefact.place, fact, "it was left as the project has it: name it to docker cp if the image has it"
            )
            return []
        rest = os.path.relpath(path, artefact.path)
        return [Origin(posixpath.join(artefact.inside, rest), artefact)]
    if any(char in path.name for char in "*?["):
        latest = {each.path: each for each in made if each.path.parent == path.parent}
        found = [each for each in latest.values() if fnmatchcase(each.path.name, path.name)]
        if found:
            return [Origin(each.inside, each) for each in found]
    return _mounted(recipe, build, path) or _moved(
        recipe, build, path, len(_moves(recipe, build)) if moves is None else moves
    )


def _moved(recipe: Recipe, build: Build, path: Path, moves: int) -> list[Origin]:
    """Return what was moved to a path."""
    for index in reversed(range(moves)):
        source, target = recipe.moves[index]
        if path == target or target in path.parents:
            before = source / os.path.relpath(path, target) if path != target else source
            found = origins(recipe, build, before, index)
            return [Origin(each.inside, each.artefact._replace(path=path, inside=each.inside)) for each in found]
    return []


def below(recipe: Recipe, build: Build, path: Path) -> list[Origin]:
    """Return the artefacts in a folder that is copied."""
    made = {each.path for each in made_before(recipe, build)} | {target for _, target in _moves(recipe, build)}
    inside = sorted(each for each in made if path in each.parents)
    found = [origin for each in inside for origin in origins(recipe, build, each)]
    for source, target in _moves(recipe, build):
        if path == target or target in path.parents:
            before = source / path.relative_to(target)
            for each in below(recipe, build, before):
                there = path / each.artefact.path.relative_to(before)
                found.append(each._replace(artefact=each.artefact._replace(path=there)))
    return found


def brought_to(recipe: Recipe, path: Path) -> list[tuple[Path, str]]:
    """Return what the script has copied to a path, or into that folder: from where, and where it is in it."""
    found = {}
    for source, target in recipe.moves:
        if target == path or path in target.parents:
            before = source if source.exists() else recipe.before(source)
            if before.exists():
                found[target] = before
    if not found and recipe.before(path) != path and recipe.before(path).exists():
        found[path] = recipe.before(path)
    return [(before, "" if target == path else os.path.relpath(target, path)) for target, before in found.items()]


def made_before(recipe: Recipe, build: Build) -> list[Artefact]:
    """Return what the script has made before it builds an image."""
    earlier = recipe.builds[: recipe.builds.index(build)]
    made = recipe.artefacts if build.before is None else recipe.artefacts[: build.before[0]]
    return [each for each in [*made, *recipe.told] if _builder(each) is None or _builder(each) in earlier]


def _moves(recipe: Recipe, build: Build) -> list[tuple[Path, Path]]:
    return recipe.moves if build.before is None else recipe.moves[: build.before[1]]


def _builder(artefact: Artefact) -> Build | None:
    return artefact.source.build if isinstance(artefact.source, Container) else artefact.source


def _mounted(recipe: Recipe, build: Build, path: Path) -> list[Origin]:
    """Return a file of a folder that a container has worked in."""
    is_noted = False
    if path in recipe.writers or path in recipe.packed:
        return []
    for container in reversed(recipe.containers):
        is_later = container.place.path == build.place.path and container.place > build.place
        if not container.executions or is_later:
            continue
        folders = bound(recipe, container)
        around = [folder for folder in folders if path == folder or folder in path.parents]
        if not around:
            continue
        # Of a folder in a folder, the inner one has what is written there.
        folder = max(around, key=lambda each: len(each.parts))
        words = [word for execution in container.executions for word in execution.command]
        is_said = any(path.name in (word.text or "") for word in words)
        if path.exists() and not is_said and path != folder:
            if is_noted:
                continue
            is_noted = True
            fact = f"{recipe.shown(path)} is taken from the project, where it is"
            remedy = f"if the container of {container.place} makes it, remove it and migrate again"
            recipe.note(build.place, fact, remedy)
            continue
        inside = posixpath.normpath(posixpath.join(folders[folder], os.path.relpath(path, folder)))
        return [Origin(inside, Artefact(container.place, path, container, inside))]
    return []


def bound(recipe: Recipe, container: Container) -> dict[Path, str]:
    """Return the folders of the project that a container works in, and where it has them."""
    found = {}
    for source, target in container.mounts:
        where = source.text
        if container.executions and where is not None and where.startswith(("/", ".")):
            path = Path(os.path.normpath(container.folder / where))
            if path == recipe.root or recipe.root in path.parents or path in recipe.root.parents:
                found[path] = target
    return found
