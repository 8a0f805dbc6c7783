"""Dockerfiles for builders that know less of the language than BuildKit does: buildah, and podman with it.

What such a builder lacks is spelled another way where one means the same, left out where only the speed or the cache
suffers from that, and refused where nothing would do. What was left out is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import attrs

from dockdsl.errors import InvalidValue
from dockdsl.instructions.add import Add
from dockdsl.instructions.copy import Copy
from dockdsl.instructions.healthcheck import Healthcheck
from dockdsl.instructions.heredoc import Heredoc
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.run import Run
from dockdsl.instructions.shell import Shell
from dockdsl.instructions.sources import external
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.stage import Stage
from dockdsl.origins import Origin
from dockdsl.syntax.words import BACKSLASH

FILES = "dockdsl-files"
"""The named context in which the builder finds files that were written in place."""
_OLDEST = "buildah 1.28 and podman 4.3"
_SHELL = ("/bin/sh", "-c")
_own_heredoc = re.compile(r"<<-?(['\"]?)(\w+)\1\n(.*)\n?^\2\s*\Z", re.DOTALL | re.MULTILINE).match


class Translated(NamedTuple):
    """A Dockerfile in another dialect."""

    text: str
    origins: tuple[Origin | None, ...]
    """For each line the place in the user's file."""
    files: tuple[tuple[str, str], ...]
    """Paths in the context `FILES`, and contents."""
    notes: tuple[tuple[str, Origin | None], ...]
    """What was left out, and where that was written."""


def for_buildah(dockerfile: Dockerfile) -> Translated:
    """Return a Dockerfile that buildah 1.28, podman 4.3 and later ones read as BuildKit reads the one that was given.

    A ``RUN`` heredoc becomes the shell's own argument, a file written in place one of a named context. ``--link``, and
    ``--start-interval`` of a ``HEALTHCHECK``, are left out.

    Raises `InvalidValue` for what it cannot say: ``--parents``, ``--exclude``, ``--security``, ``--device``, scripts
    for other programs than the shell, variables in files that are written in place.

    >>> from dockdsl import Copy, Dockerfile, Run, Stage
    >>> stage = Stage("alpine:3.22", steps=[Run.script("a\\nb"), Copy("x", "/", link=True)])
    >>> translated = for_buildah(Dockerfile(stage))
    >>> print(translated.text)
    FROM alpine:3.22
    RUN ["/bin/sh", "-c", "set -e\\na\\nb\\n"]
    COPY x /
    <BLANKLINE>
    >>> [note for note, _ in translated.notes]
    ['COPY: --link is left out, which buildah 1.28 and podman 4.3 do not know: a new base image makes the copy anew']
    """
    shells = dict(_shells(dockerfile))
    lines: list[str] = []
    origins: list[Origin | None] = []
    files: list[tuple[str, str]] = []
    notes: list[tuple[str, Origin | None]] = []
    for text, value in dockerfile.pieces():
        if isinstance(value, Instruction) and dockerfile.escape == "\\":
            step = _fitted(value, shells.get(id(value), _SHELL), files, notes)
            text = text if step is value else step.rendered(BACKSLASH)  # noqa: PLW2901 - the same text, in a dialect
        lines.append(text)
        origins.extend([None if value is None else value.origin] * (text.count("\n") + 1))
    return Translated("\n".join(lines) + "\n", tuple(origins), tuple(files), tuple(notes))


def _shells(dockerfile: Dockerfile) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the shell of each step behind a SHELL; that of a base image is not known, and most often the usual one."""
    last: dict[int, tuple[str, ...]] = {}
    for stage in dockerfile.stages:
        shell = last.get(id(stage.base), _SHELL) if isinstance(stage.base, Stage) else _SHELL
        for step in stage.steps:
            if isinstance(step, Shell):
                shell = tuple(step.argv)
            yield id(step), shell
        last[id(stage)] = shell


def _fitted(
    step: Instruction,
    shell: tuple[str, ...],
    files: list[tuple[str, str]],
    notes: list[tuple[str, Origin | None]],
) -> Instruction:
    if isinstance(step, (Copy, Add)):
        _refuse(step, "exclude", "parents", "keep_git_dir", "checksum", "unpack")
        changes: dict[str, Any] = {}
        if step.link is not None:
            changes["link"] = None
            if step.link:
                note = f"--link is left out, which {_OLDEST} do not know: a new base image makes the copy anew"
                notes.append((f"{step.keyword}: {note}", step.origin))
        if any(isinstance(source, Heredoc) for source in step.sources):
            return _from_files(step, files)
        return attrs.evolve(step, **changes) if changes else step
    if isinstance(step, Run):
        _refuse(step, "security", "device")
        if isinstance(step.command, str) and "\n" in step.command:
            return attrs.evolve(step, command=(*shell, _script(step)))
        return step
    if isinstance(step, Healthcheck) and step.start_interval is not None:
        notes.append((f"HEALTHCHECK: --start-interval is left out, which {_OLDEST} do not know", step.origin))
        return attrs.evolve(step, start_interval=None)
    return step


def _script(step: Run) -> str:
    """Return what the shell is to run instead of a heredoc; what is no heredoc of RUN is the shell's own."""
    text = str(step.command)
    if not text.startswith("<<"):
        return text
    found = _own_heredoc(text)
    if found is None or found[3].startswith("#!"):
        raise InvalidValue(
            f"RUN: the script is for another program than the shell, and {_OLDEST} know no heredocs; copy it in as a "
            "file and run that",
            origin=step.origin,
        )
    return found[3]


def _from_files(step: Copy | Add, files: list[tuple[str, str]]) -> Copy:
    """Return a COPY of the same files from the named context."""
    inline = [source for source in step.sources if isinstance(source, Heredoc)]
    if len(inline) < len(step.sources) or any(each.expand for each in inline):
        fact = "variables in it" if any(each.expand for each in inline) else "other sources beside it"
        raise InvalidValue(
            f"{step.keyword}: a file written in place has {fact}, and {_OLDEST} know no heredocs; write them "
            "apart, without variables",
            origin=step.origin,
        )
    number = len(files)
    paths = [f"{number}/{each.name}" for each in inline]
    files += [(path, str(each.content)) for path, each in zip(paths, inline, strict=True)]
    return Copy(paths, step.destination, from_=external(FILES), chmod=step.chmod, chown=step.chown)


def _refuse(step: Instruction, *names: str) -> None:
    for name in names:
        if getattr(step, name, None):
            option = name.replace("_", "-")
            raise InvalidValue(
                f"{step.keyword}: {_OLDEST} do not know --{option}; leave it out, or build with BuildKit",
                origin=step.origin,
            )
