"""Dockerfiles for builders that support less of the language than BuildKit: buildah, and podman, which uses it.

What such a builder does not support is written in an equivalent form if there is one, left out and reported if that
only affects speed or caching, and refused otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import attrs

from dockdsl.errors import InvalidValue
from dockdsl.instructions.add import Add
from dockdsl.instructions.copy import Copy
from dockdsl.instructions.heredoc import Heredoc
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.onbuild import Onbuild
from dockdsl.instructions.run import Run
from dockdsl.instructions.shell import Shell
from dockdsl.instructions.sources import external
from dockdsl.model import dockerfile as model
from dockdsl.model.dockerfile import Dockerfile, Piece
from dockdsl.origins import Origin
from dockdsl.syntax.flags import declared
from dockdsl.syntax.lines import heredoc_of, joined
from dockdsl.syntax.shell import has_heredoc, under
from dockdsl.syntax.versions import SyntaxVersion

FILES = "dockdsl-files"
"""The named context in which the builder finds the files whose content was in the Dockerfile."""
_OLDEST = "buildah 1.28 and podman 4.3"
_SHELL = ("/bin/sh", "-c")
_KNOWS_FLAGS_OF = "1.3"
# Flags that can be left out, and the consequence.
_LEFT_OUT = {"link": ": a new base image repeats the copy", "start-interval": ""}
_tabs = re.compile(r"^\t+", re.MULTILINE).sub


class Translated(NamedTuple):
    """A Dockerfile in another dialect."""

    text: str
    origins: tuple[Origin | None, ...]
    """The place in the user's file for each line."""
    files: tuple[tuple[str, str], ...]
    """The path of each file in the context `FILES`, and its content."""
    notes: tuple[tuple[str, Origin | None], ...]
    """What was left out, and its place in the user's file."""


def for_buildah(dockerfile: Dockerfile) -> Translated:
    """Return an equivalent Dockerfile for buildah from 1.28 and podman from 4.3.

    A heredoc of ``RUN`` becomes an argument of the shell; a heredoc of ``COPY`` or ``ADD`` becomes a file of a named
    context. ``--link``, and ``--start-interval`` of ``HEALTHCHECK``, are left out. Instructions in ONBUILD are
    translated as well.

    Raises `InvalidValue` for what has no equivalent: other flags that were introduced after frontend 1.3, scripts for
    programs other than the shell, heredocs of ``COPY`` and ``ADD`` with variables or in an ONBUILD.

    >>> from dockdsl import Copy, Dockerfile, Run, Stage
    >>> stage = Stage("alpine:3.22", steps=[Run.script("a\\nb"), Copy("x", "/", link=True)])
    >>> translated = for_buildah(Dockerfile(stage))
    >>> print(translated.text)
    FROM alpine:3.22
    RUN ["/bin/sh", "-c", "set -e\\na\\nb\\n"]
    COPY x /
    <BLANKLINE>
    >>> [note for note, _ in translated.notes]
    ['COPY: buildah 1.28 and podman 4.3 do not support --link, which is left out: a new base image repeats the copy']
    """
    translator = _Translator(dockerfile)
    text, origins = model.joined(map(translator.piece, dockerfile.pieces()))
    return Translated(text, origins, tuple(translator.files), tuple(translator.notes))


class _Translator:
    def __init__(self, dockerfile: Dockerfile) -> None:
        self.spelling = dockerfile.spelling()
        self.shells = dict(_shells(dockerfile))
        self.files: list[tuple[str, str]] = []
        self.notes: list[tuple[str, Origin | None]] = []

    def piece(self, piece: Piece) -> Piece:
        """Return the text of an instruction in the dialect; any other piece as it is."""
        text, value = piece
        if isinstance(value, Instruction) and (step := self.step(value)) is not value:
            text = step.rendered(self.spelling)
        return text, value

    def step(self, step: Instruction, *, kept: bool = False) -> Instruction:
        """Return a step as it is, or an equivalent one in the dialect."""
        if isinstance(step, Onbuild):
            inner = self.step(step.instruction, kept=True)
            return step if inner is step.instruction else attrs.evolve(step, instruction=inner)
        fitted = self._without_flags(step)
        if isinstance(fitted, (Copy, Add)) and any(isinstance(source, Heredoc) for source in fitted.sources):
            return self._from_files(fitted, kept=kept)
        if isinstance(fitted, Run) and isinstance(fitted.command, str) and self._has_heredoc(fitted.command):
            script = _script(fitted, fitted.command)
            return fitted.changed(command=(*self.shells.get(id(step), _SHELL), script))
        return fitted

    def _without_flags(self, step: Instruction) -> Instruction:
        changes: dict[str, Any] = {}
        for attribute, flag in declared(type(step)).flags:
            value = getattr(step, attribute)
            if value in (None, ()) or SyntaxVersion(flag.since) <= _KNOWS_FLAGS_OF:
                continue
            fact = f"{step.keyword}: {_OLDEST} do not support --{flag.name}"
            if flag.name not in _LEFT_OUT:
                raise InvalidValue(f"{fact}; leave it out, or build with BuildKit", origin=step.origin)
            if value is not False:
                self.notes.append((f"{fact}, which is left out{_LEFT_OUT[flag.name]}", step.origin))
            changes[attribute] = None
        return step.changed(**changes) if changes else step

    def _has_heredoc(self, command: str) -> bool:
        # Under another escape character, a text may be wrapped in one.
        return has_heredoc(command) or under(command, self.spelling.escape).startswith("<<")

    def _from_files(self, step: Copy | Add, *, kept: bool) -> Copy:
        """Return a COPY of the same files from the named context."""
        inline = [source for source in step.sources if isinstance(source, Heredoc)]
        for is_so, fact, remedy in (
            (kept, "is kept for another build", "copy it from the build context"),
            (any(each.expand for each in inline), "has variables in it", "write it without variables"),
            (len(inline) < len(step.sources), "has other sources beside it", "copy them in another instruction"),
        ):
            if is_so:
                raise InvalidValue(
                    f"{step.keyword}: a file written in place {fact}, and {_OLDEST} do not support heredocs; {remedy}",
                    origin=step.origin,
                )
        number = len(self.files)
        paths = [f"{number}/{each.name}" for each in inline]
        self.files += [(path, str(each.content)) for path, each in zip(paths, inline, strict=True)]
        return Copy(paths, step.destination, from_=external(FILES), chmod=step.chmod, chown=step.chown)


def _shells(dockerfile: Dockerfile) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the id and the shell of each step; that of a base image is unknown, and assumed to be the usual one.

    The instruction in an ONBUILD uses the last shell of its stage.
    """
    bases = {id(edge.stage): edge.needs for edge in dockerfile.graph.edges if edge.by == "base"}
    last: dict[int, tuple[str, ...]] = {}
    for stage in dockerfile.stages:
        shell = last.get(id(bases.get(id(stage))), _SHELL)
        for step in stage.steps:
            if isinstance(step, Shell):
                shell = step.argv
            yield id(step), shell
        yield from [(id(step.nested()), shell) for step in stage.steps if step.nested()]
        last[id(stage)] = shell


def _script(step: Run, command: str) -> str:
    """Return the text that the shell runs instead of a heredoc of RUN; other heredocs are the shell's own."""
    text, documents = joined(command)
    if not text.startswith("<<"):
        return text
    script = _tabs("", documents[0].content) if documents[0].word.strip_tabs else documents[0].content
    if heredoc_of(text.partition("\n")[0]) is None or script.startswith("#!"):
        raise InvalidValue(
            f"RUN: the script is for another program than the shell, and {_OLDEST} do not support heredocs; copy it in "
            "as a file and run that",
            origin=step.origin,
        )
    return script
