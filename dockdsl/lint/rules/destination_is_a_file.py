"""A folder is not needed where an earlier step made a file.

The build fails: ``mkdir …: not a directory``. Most often a slash is missing at the end of the earlier destination.

Files::

    app.conf
    extra.conf

Bad::

    FROM scratch
    COPY app.conf /etc/app
    COPY extra.conf /etc/app/

Good::

    FROM scratch
    COPY app.conf /etc/app/
    COPY extra.conf /etc/app/

Fix: end the first destination with a slash, or choose another one.

Source: https://docs.docker.com/reference/dockerfile/#destination
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename

from dockdsl.display import shown
from dockdsl.instructions.workdir import Workdir
from dockdsl.lint.effects import Done, Effects, Transfer, expanded, joined
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.words import BACKSLASH


def examine(subject: Subject) -> Iterator[Fault]:
    """Find destinations and working directories at or below a file."""
    for stage in subject.built:
        for done in stage.steps:
            folder = _needed(done)
            blocking = None if folder is None else stage.files.file_above(folder, done.at)
            if blocking is not None and not _is_changed(stage, blocking):
                maker = _maker(subject, stage, blocking, done)
                fact = f"{shown(folder)} is needed as a folder, and {maker} made {shown(blocking)} a file"
                yield Fault(done.line, fact, f"write {blocking}/ there, or choose another path")


def _needed(done: Done) -> str | None:
    """Return the folder that a step needs; None if it needs none, or if that is not known."""
    if isinstance(done.instruction, Workdir):
        path = expanded(BACKSLASH.value(done.instruction.path), done.values)
        return None if path is None else joined(done.workdir, path)
    if not isinstance(done, Transfer) or done.destination is None:
        return None
    is_folder = done.has_slash or any(each.found and each.found.way.kind == "folder" for each in done.sources)
    return done.destination if is_folder else done.destination.rpartition("/")[0]


def _is_changed(stage: Effects, path: str) -> bool:
    """Whether a command may have made something else of a file."""
    texts = [run.script.text for every in stage.chain for run in every.runs() if not run.is_harmless]
    return any(basename(path) in text or re.search(r"\brm\b", text) for text in texts)


def _maker(subject: Subject, stage: Effects, path: str, before: Done) -> str:
    """Return how the step that made a file is called."""
    for each in stage.transfers():
        if each.at < before.at and each.destination is not None and f"{path}/".startswith(f"{each.destination}/"):
            return subject.place(each.line)
    return "an earlier step"


RULE = Rule("DestinationIsAFile", examine, __doc__ or "", "error", ("destination-is-a-file",), needs_build=True)
