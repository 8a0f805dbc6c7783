"""Which paths the commands of a stage name: what is a folder there, and what a file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from dockdsl.instructions.copy import FileInstruction
from dockdsl.instructions.run import Run
from dockdsl.instructions.user import User
from dockdsl.instructions.workdir import Workdir
from dockdsl.model.stage import Stage
from dockdsl.syntax.words import text_in

_split = re.compile(r"[\s\"'=;&|()<>]+").split
_commands = re.compile(r"\s*(?:&&|[;|&\n])\s*").split


def words_of(run: Run) -> list[str]:
    """Return the words of a command, roughly: what stands between blanks and signs."""
    return _split(run.command if isinstance(run.command, str) else " ".join(map(str, run.command)))


def _lines(stage: Stage) -> Iterator[tuple[str, list[str]]]:
    """Yield the words of each command with the folder in which it runs, those of the stages below first."""
    if isinstance(stage.base, Stage):
        yield from _lines(stage.base)
    folder = "/"
    for step in stage.steps:
        if isinstance(step, Workdir):
            folder = posixpath.join(folder, text_in(step.path))
            yield folder, [posixpath.join(folder, "")]
        elif isinstance(step, Run):
            for line in _commands(step.command if isinstance(step.command, str) else " ".join(map(str, step.command))):
                yield folder, _split(line)
        elif isinstance(step, FileInstruction):
            yield folder, [text_in(step.destination)]


def is_folder(stage: Stage, path: str) -> bool | None:
    """Return whether a path of an image is a folder, as far as its steps tell; None where they do not."""
    found = None
    for folder, words in _lines(stage):
        made = words[:1] == ["mkdir"]
        for word in words:
            whole = posixpath.normpath(posixpath.join(folder, word))
            if whole.startswith(f"{path}/") or (whole == path and (made or word.endswith("/"))):
                return True
            if whole == path:
                found = False
    return found


def may_have_owners(stage: Stage) -> bool:
    """Whether some files of a stage may belong to somebody else than root."""
    for step in stage.steps:
        if isinstance(step, User) and str(step.user) not in ("root", "0", "0:0", "root:root"):
            return True
        if isinstance(step, FileInstruction) and getattr(step, "chown", None) is not None:
            return True
        if isinstance(step, Run) and {"chown", "install", "adduser", "useradd"} & set(words_of(step)):
            return True
    return isinstance(stage.base, Stage) and may_have_owners(stage.base)
