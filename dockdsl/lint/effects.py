"""What the steps of each stage do, as far as the Dockerfile and its context tell: one walk, which all rules share."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from dockdsl.context.globs import is_pattern
from dockdsl.context.ignoring import Patterns
from dockdsl.context.sending import Found, Matches, cleaned
from dockdsl.errors import DockdslError, Refused
from dockdsl.instructions.add import Add
from dockdsl.instructions.arg import Arg
from dockdsl.instructions.copy import Copy
from dockdsl.instructions.env import Env
from dockdsl.instructions.heredoc import Heredoc
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.mounts.bind import Bind
from dockdsl.instructions.mounts.cache import Cache
from dockdsl.instructions.mounts.mount import Mount
from dockdsl.instructions.mounts.tmpfs import Tmpfs
from dockdsl.instructions.onbuild import Onbuild
from dockdsl.instructions.run import Run
from dockdsl.instructions.shell import Shell
from dockdsl.instructions.sources import External, Reference, StageBase
from dockdsl.instructions.user import User
from dockdsl.instructions.workdir import Workdir
from dockdsl.lint.build import Build
from dockdsl.lint.files import Base, Files, FromContext, FromStage, Place, Unknown
from dockdsl.lint.images import Image, image
from dockdsl.lint.scope import Scope, Values
from dockdsl.lint.scripts import Script
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.graph import StageGraph
from dockdsl.model.stage import Stage
from dockdsl.syntax import expand
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.patterns import is_remote
from dockdsl.syntax.words import BACKSLASH, Word

_SHELL = ("/bin/sh",)
_WITH_DEFAULT = ("-", ":-", "+", ":+")
_ARCHIVES = (".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
_writes = lazy_regex(r"(?<![0-9&])>(?!&)")
_COMPILERS = ("go", "cc", "gcc", "g++", "clang", "clang++", "rustc")
_in_programs = lazy_regex(
    r"/(?:(?:usr/(?:local/)?)?s?bin|go/bin|usr/local/cargo/bin|.*/target/(?:[^/]+/)?release)/"
    r"(?!build$|deps$|examples$|incremental$)[^/]+"
)
_HARMLESS = frozenset(
    # A block of words is easier to read than as many quoted ones.
    """[ : cat cd chgrp chmod chown cmp cut date diff echo env export false find grep head id ls mkdir nproc printf pwd
    set sleep sort stat sync tail test tree tr true uname unset wc which""".split()
)
"""Commands that make no files but folders."""
_Before = tuple[Line, Instruction, int, str | None, Values]


class From(NamedTuple):
    """A source of COPY, ADD or a mount."""

    kind: Literal["context", "stage", "image", "remote", "text"]
    text: str | None
    """With its variables replaced; None where their values are not known."""
    stage: Effects | None = None
    """The stage that it is in."""
    found: Found | None = None
    """What it finds in the context, if that is known, without wildcards; with wildcards it is `matches`."""
    matches: Matches | None = None
    content: str | None = None
    """The text of a heredoc, if it has no variables."""

    @property
    def is_pattern(self) -> bool:
        """Whether it has wildcards."""
        return self.text is not None and is_pattern(self.text)

    @property
    def path(self) -> str:
        """The path in a stage."""
        return "/" + cleaned(self.text or "")


class Done:
    """A step: what was known before it, and what it does."""

    def __init__(self, line: Line, instruction: Instruction, at: int, workdir: str | None, values: Values) -> None:
        self.line = line
        self.instruction = instruction
        self.at = at
        """The number of what was made last before it, in the files of its stage."""
        self.workdir = workdir
        self.values = values


class Transfer(Done):
    """A COPY or ADD."""

    def __init__(self, before: _Before, sources: Sequence[From], destination: str | None, *, has_slash: bool) -> None:
        super().__init__(*before)
        self.sources = tuple(sources)
        self.destination = destination
        """As an absolute path without a slash at its end; None if it is not known."""
        self.has_slash = has_slash
        """Whether the destination is a folder by how it is written."""


class Ran(Done):
    """A RUN."""

    def __init__(self, before: _Before, script: Script) -> None:
        super().__init__(*before)
        self.script = script
        self.binds: list[tuple[Bind, From, str | None]] = []
        """Its bind mounts, with the source and the target of each."""
        self.caches: list[tuple[str, str | None]] = []
        """The targets of its cache mounts, and their ids; of tmpfs mounts, the target and None."""

    @cached_property
    def is_harmless(self) -> bool:
        """Whether it is certain to make no files."""
        names = {command.name for command in self.script.read.commands}
        return bool(names) and names <= _HARMLESS and not _writes().search(self.script.text)

    @cached_property
    def outputs(self) -> list[str]:
        """The paths that compilers are told to write to, those of folders with a slash at the end."""
        found = []
        for command in self.script.commands(*_COMPILERS):
            words = command.words
            for index, word in enumerate(words[:-1]):
                path = joined(self.workdir, words[index + 1]) if word == "-o" and "$" not in words[index + 1] else None
                if path is not None:
                    found.append(f"{path}/" if words[index + 1].endswith("/") else path)
        return found

    def cache_at(self, folder: str) -> tuple[str, str] | None:
        """Return the cache that a folder is in, and where in it."""
        for target, name in self.caches:
            if name is not None and f"{folder}/".startswith(f"{target}/"):
                return name, folder[len(target) :]
        return None


class Effects:
    """A stage: its steps, and what they leave."""

    def __init__(self, stage: Stage, line: Line, base: Image | None, parent: Effects | None) -> None:
        """Begin with the base, which is another stage or an image; None if its name is not known."""
        self.stage = stage
        self.line = line
        """The FROM line."""
        self.parent = parent
        self.root: Image | None = parent.root if parent else base
        """The image that the stage, or the one that it is based on, begins with."""
        self.steps: list[Done] = []
        self.files: Files = Files(FromStage(parent.files, parent.files.now, "") if parent else _base(base))
        self.workdir: str | None = parent.workdir if parent else base.workdir if base else None
        self.shell: Sequence[str] = parent.shell if parent else ()
        self.scope = Scope(parent.values if parent else {})
        self.triggers: list[tuple[Instruction, Line]] = []
        """What ONBUILD gives to the stages that are based on it."""
        self.user: Done | None = parent.user if parent else None

    @property
    def chain(self) -> list[Effects]:
        """The stage, after those that it is based on."""
        found = [self]
        while found[-1].parent is not None:
            found.append(found[-1].parent)
        return found[::-1]

    @property
    def values(self) -> Values:
        """The variables that are set now."""
        return self.scope.view()

    def look(self, path: str, at: Done | None = None) -> Place:
        """Return what is at a path before a step, or at the end."""
        return self.files.look(path, None if at is None else at.at)

    def lacks_shell(self, done: Done, shell: Sequence[str], at: Done | None) -> str | None:
        """Return the shell that a step is run by, if the image certainly has none before a step, or at the end."""
        program = (shell or _SHELL)[0]
        mounted = [target for _, _, target in done.binds] if isinstance(done, Ran) else []
        if not program.startswith("/") or any(each is None or f"{program}/".startswith(f"{each}/") for each in mounted):
            return None
        return program if self.look(program, at).kind == "absent" else None

    def runs(self) -> list[Ran]:
        """The RUN instructions of the stage itself."""
        return [each for each in self.steps if isinstance(each, Ran)]

    def transfers(self) -> list[Transfer]:
        """The COPY and ADD instructions of the stage itself."""
        return [each for each in self.steps if isinstance(each, Transfer)]


def _base(base: Image | None) -> Base | Unknown:
    return Unknown() if base is None else Base(base)


def is_archive(path: str) -> bool:
    """Whether ADD unpacks a file of this name."""
    return path.endswith(_ARCHIVES)


def expanded(text: str, values: Values, escape: str = "\\") -> str | None:
    """Return a word with its variables replaced; None where a value is not known.

    An ARG without a default has no known value; with ``${NAME:-default}``, it counts as not set.
    """
    if "$" not in text and escape not in text and "'" not in text and '"' not in text:
        return text
    try:
        references = expand.references(text, escape=escape)
        for reference in references:
            is_known = values.get(reference.name) is not None
            if not is_known and not (reference.name in values and reference.modifier in _WITH_DEFAULT):
                return None
        given = {reference.name: values.get(reference.name) for reference in references}
        known = {name: value for name, value in given.items() if value is not None}
        return expand.expand(text, known, escape=escape)
    except DockdslError:
        return None


def walked(
    dockerfile: Dockerfile,
    graph: StageGraph,
    lines: Iterable[tuple[Line, Sequence[Line]]],
    scripts: Mapping[int, Script],
    build: Build,
) -> list[Effects]:
    """Return what each stage of a Dockerfile does, in their order.

    `lines` are those of FROM and of the steps, for each stage; `scripts` what the RUN instructions run, by the ids of
    their lines.
    """
    walk = _Walk(dockerfile, graph, scripts, build)
    for stage, (line, steps) in zip(dockerfile.stages, lines, strict=True):
        walk.stage(stage, line, steps)
    return list(walk.found.values())


class _Walk:
    def __init__(self, dockerfile: Dockerfile, graph: StageGraph, scripts: Mapping[int, Script], build: Build) -> None:
        self.scripts = scripts
        self.graph = graph
        self.build = build
        self.found: dict[int, Effects] = {}
        self.by_name: dict[str, Effects] = {}
        self.above = Scope({})
        for arg in dockerfile.args:
            if isinstance(arg, Arg):
                self._declare(arg, self.above, {})

    def stage(self, stage: Stage, line: Line, steps: Sequence[Line]) -> None:
        """Walk over a stage."""
        base, parent = self._base(stage)
        effects = self.found[id(stage)] = Effects(stage, line, base, parent)
        if stage.name is not None:
            self.by_name[stage.name] = effects
        for step, given in parent.triggers if parent is not None else ():
            self._step(step, given, effects)
        by_number = {each.logical.first + 1: each for each in steps}
        for step in stage.steps:
            found = by_number.get(step.origin.line)
            if found is not None:
                self._step(step, found, effects)

    def _base(self, stage: Stage) -> tuple[Image | None, Effects | None]:
        if isinstance(stage.base, StageBase):
            return None, self.found.get(id(self.graph.resolve(Reference(stage.base, "base"), stage)))
        base = stage.base if isinstance(stage.base, External) else BACKSLASH.lexed(stage.base)
        name = expanded(base, self.above.view())
        if name is None:
            return None, None
        parent = self.by_name.get(name.lower())
        return (None if parent else image(name)), parent

    def _step(self, step: Instruction, line: Line, effects: Effects) -> None:
        before = (line, step, effects.files.now, effects.workdir, effects.values)
        done: Done
        if isinstance(step, (Copy, Add)):
            done = self._transfer(step, before, effects)
            self._copy(done, effects)
        elif isinstance(step, Run):
            done = self._ran(step, before, effects)
            self._run(done, effects)
        else:
            done = Done(*before)
            self._other(step, done, effects)
        effects.steps.append(done)

    def _other(self, step: Instruction, done: Done, effects: Effects) -> None:
        if isinstance(step, Workdir):
            path = expanded(BACKSLASH.value(step.path), effects.values)
            effects.workdir = None if path is None else joined(effects.workdir, path)
            if effects.workdir is not None:
                effects.files.add_folder(effects.workdir)
        elif isinstance(step, Shell):
            effects.shell = step.argv
        elif isinstance(step, User):
            effects.user = done
        elif isinstance(step, Onbuild):
            effects.triggers.append((step.instruction, done.line))
        elif isinstance(step, (Arg, Env)):
            if isinstance(step, Arg):
                self._declare(step, effects.scope, self.above.view())
            else:
                # Of one ENV, no value sees those beside it.
                values = effects.values
                for key, value in step.pairs:
                    if isinstance(key, str):
                        effects.scope.set(key, expanded(BACKSLASH.value(value), values))
        elif step.keyword in ("RUN", "COPY", "ADD"):
            # It has a form that the model does not express.
            effects.files.run()

    def _declare(self, arg: Arg, scope: Scope, otherwise: Values) -> None:
        for each in (arg, *arg.more):
            values = scope.view()
            default = None if each.default is None else expanded(BACKSLASH.value(each.default), values)
            inherited = otherwise.get(each.name) if each.default is None else default
            given = self.build.args.get(each.name)
            if given is not None or inherited is not None or values.get(each.name) is None:
                scope.set(each.name, inherited if given is None else given)

    def _text(self, word: Word, effects: Effects) -> str | None:
        return expanded(BACKSLASH.lexed(word), effects.values)

    def _transfer(self, step: Copy | Add, before: _Before, effects: Effects) -> Transfer:
        from_ = step.from_ if isinstance(step, Copy) else None
        sources = []
        for each in step.sources:
            if isinstance(each, Heredoc):
                is_plain = isinstance(each.content, str) and not (each.expand and "$" in each.content)
                content = str(each.content) if is_plain else None
                sources.append(From("text", each.name, content=content))
            elif is_remote(each):
                sources.append(From("remote", None))
            else:
                sources.append(self._source(self._text(each, effects), Reference(from_, "copy"), effects))
        text = self._text(step.destination, effects)
        destination = None if text is None else joined(effects.workdir, text)
        has_slash = text is not None and (text.endswith(("/", "/.")) or text in (".", "..", ""))
        return Transfer(before, sources, destination, has_slash=has_slash)

    def _source(self, text: str | None, reference: Reference, effects: Effects) -> From:
        if reference.source is not None:
            stage = self.graph.resolve(reference, effects.stage)
            known = None if stage is None else self.found.get(id(stage))
            return From("image" if stage is None else "stage", text, known)
        context = self.build.context
        if text is None or context is None or "\\" in text:
            return From("context", text)
        if reference.by == "copy" and is_pattern(text):
            return From("context", text, matches=context.match(text))
        return From("context", text, found=context.find(text))

    def _ran(self, step: Run, before: _Before, effects: Effects) -> Ran:
        ran = Ran(before, self.scripts[id(before[0])])
        for mount in step.mounts:
            target = self._target(mount, effects)
            if isinstance(mount, Bind):
                source = "" if mount.source is None else self._text(mount.source, effects)
                ran.binds.append((mount, self._source(source, Reference(mount.from_, "mount"), effects), target))
            elif isinstance(mount, Cache) and target is not None:
                name = target if mount.id is None else self._text(mount.id, effects)
                ran.caches.append((target, name or target))
            elif isinstance(mount, Tmpfs) and target is not None:
                ran.caches.append((target, None))
        return ran

    def _target(self, mount: Mount, effects: Effects) -> str | None:
        word = getattr(mount, "target", None)
        text = None if word is None else self._text(word, effects)
        return None if text is None else joined(effects.workdir, text)

    def _run(self, ran: Ran, effects: Effects) -> None:
        if ran.instruction.shell_text() and effects.lacks_shell(ran, effects.shell, ran) is not None:
            # It cannot run.
            return
        if not ran.is_harmless:
            effects.files.run()
            return
        for command in ran.script.commands("mkdir"):
            for path in command.arguments:
                made = None if "$" in path or "{" in path else joined(effects.workdir, path)
                if made is None:
                    effects.files.run()
                else:
                    effects.files.add_folder(made)

    def _copy(self, done: Transfer, effects: Effects) -> None:
        """Note the files that a COPY or ADD makes."""
        files, to = effects.files, done.destination
        if to is None or getattr(done.instruction, "parents", None):
            files.forget(to or "/")
            return
        if done.has_slash or to == effects.workdir:
            files.add_folder(to)
        for source in done.sources:
            self._put(source, done, to, files)

    def _put(self, source: From, done: Transfer, to: str, files: Files) -> None:
        left_out = excluded(done.instruction)
        if source.kind == "text":
            _put_file(source.text or "", None, to, files, source.content)
        elif source.kind == "stage" and source.stage is not None and not source.is_pattern and source.text is not None:
            inside = source.stage.files
            place = inside.look(source.path)
            if place.kind == "file":
                _put_file(posixpath.basename(source.path), place.context, to, files)
            elif place.kind == "folder":
                files.fill(to, FromStage(inside, inside.now, source.path.rstrip("/")))
            elif place.kind != "absent" and _is_program(source):
                _put_file(posixpath.basename(source.path), None, to, files)
            elif place.kind != "absent":
                files.forget(to)
        elif source.kind == "image" and source.text is not None and _is_program(source):
            _put_file(posixpath.basename(source.path), None, to, files)
        elif source.kind == "context" and self.build.context is not None and (source.found or source.matches):
            paths = (source.found.way.end,) if source.found else source.matches.sent if source.matches else ()
            if not (source.found.way.is_known if source.found else source.matches and source.matches.is_known):
                files.forget(to)
            for path in paths:
                way = self.build.context.folder.follow(path)
                name = posixpath.basename(source.found.path if source.found else path)
                if way.kind == "folder":
                    files.fill(to, FromContext(self.build.context, way.end, left_out))
                elif isinstance(done.instruction, Add) and is_archive(name) and done.instruction.unpack is not False:
                    files.add_folder(to)
                    files.forget(to)
                elif way.kind is not None:
                    _put_file(name, way.end, to, files)
        else:
            files.forget(to)


def _is_program(source: From) -> bool:
    """Whether what is copied is a program, and so one file: by its folder, or since a compiler writes it."""
    if source.is_pattern:
        return False
    if _in_programs().fullmatch(source.path) is not None:
        return True
    runs = [run for every in (source.stage.chain if source.stage else ()) for run in every.runs()]
    written = (source.path, f"{posixpath.dirname(source.path)}/")
    if not any(path in written for run in runs for path in run.outputs):
        return False
    is_folder = re.compile(rf"\bmkdir\b[^;&|\n]*{re.escape(source.path)}|{re.escape(source.path)}/").search
    return not any(is_folder(run.script.text) for run in runs)


def _put_file(name: str, context: str | None, to: str, files: Files, content: str | None = None) -> None:
    kind = files.look(to).kind
    if kind == "unknown":
        files.forget(to)
    else:
        files.add_file(posixpath.join(to, name) if kind == "folder" else to, context, content)


def excluded(step: Instruction) -> Patterns | None:
    """Return what a COPY or ADD leaves out."""
    patterns: tuple[str, ...] = getattr(step, "exclude", ())
    try:
        return Patterns(patterns) if patterns else None
    except Refused:
        return None


def joined(workdir: str | None, path: str) -> str | None:
    """Return an absolute path; None for one that is relative to a folder that is not known."""
    if path.startswith("/"):
        return "/" + cleaned(path)
    return None if workdir is None else "/" + cleaned(f"{workdir}/{path}")
