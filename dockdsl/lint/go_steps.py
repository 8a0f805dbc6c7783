"""The steps of a stage that run ``go``: where they run, and which module they see there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from dockdsl.context.sending import BuildContext
from dockdsl.lint.effects import Effects, Ran, joined
from dockdsl.lint.go_sources import Program, built_folders, program
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

    @property
    def output(self) -> str | None:
        """The path that ``-o`` gives, with a slash at its end if it has one; empty if it is not known, None without."""
        words = self.command.words
        given = [word[3:] for word in words if word.startswith("-o=")]
        given += [words[index + 1] for index, word in enumerate(words[:-1]) if word == "-o"]
        if not given:
            return None
        path = None if "$" in given[-1] else joined(self.folder, given[-1])
        return "" if path is None else f"{path.rstrip('/')}/" if given[-1].endswith("/") else path


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


def built(stage: Effects, step: GoStep, context: BuildContext) -> Program | None:
    """Return the program that a step builds; None if that is not certain."""
    if step.verb not in _BUILDING or step.folder is None:
        return None
    module = nearest(stage, step, "go.mod")
    folders = built_folders(step.command)
    if module is None or folders is None or len(folders) != 1:
        return None
    root = posixpath.dirname(module[1])
    given = folders[0] if not folders[0].endswith(".go") else posixpath.dirname(folders[0]) or "."
    inside = posixpath.relpath(joined(step.folder, given) or "/", module[0])
    if inside.startswith(".."):
        return None
    folder = posixpath.normpath(posixpath.join(root, inside))
    return program(context, root, "" if folder == "." else folder)
