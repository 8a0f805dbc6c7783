"""The steps of a stage that run ``go``: where they run, and which module they see there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from dockdsl.context.sending import BuildContext
from dockdsl.lint.effects import Effects, Ran, joined
from dockdsl.lint.go_sources import Program, built_folders, main_packages, package_name, program
from dockdsl.lint.shell import Command

_BUILDING = ("build", "install")


class GoStep(NamedTuple):
    """A ``go`` command."""

    run: Ran
    command: Command
    folder: str | None
    """Where it runs; None if that is not known."""

    @property
    def verb(self) -> str:
        """What it does: ``build``, ``mod download``."""
        words = [word for word in self.command.words[1:] if word[:1] != "-"]
        return " ".join(words[: 2 if words[:1] == ["mod"] else 1])

    def option(self, name: str) -> str | None:
        """Return what is given with an option."""
        words = self.command.words
        given = [word.partition("=")[2] for word in words if word.startswith((f"-{name}=", f"--{name}="))]
        given += [after for word, after in pairwise(words) if word in (f"-{name}", f"--{name}")]
        return given[-1] if given else None


def go_steps(stage: Effects) -> Iterator[GoStep]:
    """Yield the go commands of a stage."""
    for run in stage.runs():
        folder = run.workdir
        for command in run.script.read.commands:
            if command.name == "cd":
                words = command.arguments
                folder = joined(folder, words[0]) if words and "$" not in words[0] and words[0] != "-" else None
            elif command.name == "go":
                words = command.words
                if words[1:2] == ("-C",) and len(words) > 2:
                    moved = command._replace(words=("go", *words[3:]))
                    yield GoStep(run, moved, joined(folder, words[2]))
                else:
                    yield GoStep(run, command, folder)


def seen(stage: Effects, run: Ran, path: str) -> str | None:
    """Return the path in the context of a file that a RUN sees; None if there is none, or that is not known."""
    for _, source, target in run.binds:
        if target is not None and f"{path}/".startswith(f"{target}/") and source.found is not None:
            way = source.found.way
            if way.kind == "file":
                return way.end if path == target else None
            return f"{way.end}{path[len(target) :]}".strip("/")
    place = stage.files.look(path, run.at, trusting=True)
    return place.context if place.kind == "file" else None


def nearest(stage: Effects, step: GoStep, name: str) -> tuple[str, str] | None:
    """Return the folder with the file of that name that a go command reads, and its path in the context."""
    folder = step.folder
    while folder is not None:
        found = seen(stage, step.run, posixpath.join(folder, name))
        if found is not None:
            return folder, found
        folder = None if folder == "/" else posixpath.dirname(folder)
    return None


def binaries(stage: Effects, step: GoStep, context: BuildContext) -> list[tuple[str, Program]]:
    """Return the programs that a step builds, each with the path that it is written to; those that are certain."""
    module = nearest(stage, step, "go.mod") if step.verb in _BUILDING and step.folder is not None else None
    given = built_folders(step.command)
    if module is None or given is None:
        return []
    root = posixpath.dirname(module[1])
    found: list[tuple[str, Program]] = []
    is_many = len(given) > 1 or any("..." in each for each in given)
    for each in given:
        name = posixpath.basename(each)[:-3] if each.endswith(".go") else None
        place = posixpath.dirname(each) or "." if name else each
        inside = posixpath.relpath(joined(step.folder, place.removesuffix("...")) or "/", module[0])
        if inside.startswith(".."):
            continue
        folder = posixpath.normpath(posixpath.join(root, inside))
        top = "" if folder == "." else folder
        for path in main_packages(context, top) if place.endswith("...") else [top]:
            code = program(context, root, path)
            written = _written(stage, step, name or package_name(context, root, path), is_many=is_many)
            if code is not None and written is not None:
                found.append((written, code))
    return found


def _written(stage: Effects, step: GoStep, name: str, *, is_many: bool) -> str | None:
    """Return the path that a program is written to; None if it is not written, or that is not known."""
    output = step.option("o")
    values = step.run.values
    if output is not None:
        path = None if "$" in output else joined(step.folder, output)
        made = [joined(step.folder, word) for each in step.run.script.commands("mkdir") for word in each.arguments]
        if path is None or not (
            is_many
            or output.endswith("/")
            or path in made
            or stage.files.look(path, step.run.at, trusting=True).kind == "folder"
        ):
            return path
        return f"{path.rstrip('/')}/{name}"
    if step.verb == "install":
        gopath = values.get("GOPATH", "/go")
        folder = values.get("GOBIN", gopath and f"{gopath}/bin")
    else:
        folder = None if is_many else step.folder
    return f"{folder.rstrip('/')}/{name}" if folder else None
