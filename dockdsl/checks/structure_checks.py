"""The checks that a file of container-structure-test asks for. Each has the verdict of that tool.

They are kinds of their own, and not those that users write: that tool has Go's regular expressions, replaces variables,
looks at links themselves, and compares permissions as Go writes them.
"""
# ruff: noqa: PLC0415 - RE2 comes with an extra, and few need it

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import attrs

from dockdsl.checks.check import Check, asked_by
from dockdsl.checks.judging import (
    EXECUTABLE_BY,
    LONGEST_CONTENT,
    judged_names,
    judged_setting,
    judged_text,
    judged_value,
)
from dockdsl.display import shown
from dockdsl.errors import Refused, RunFailed
from dockdsl.operands import Pairs

if TYPE_CHECKING:
    from dockdsl.checks.image_files import Entry, ImageFiles
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject

TIMEOUT = 300.0
"""Seconds that a command may take, since the file cannot say any."""
_KINDS = {"directory": "d", "link": "L", "other": "?"}
_SPECIAL = {0o4000: "u", 0o2000: "g", 0o1000: "t"}
_VARIABLE = r"\$(?:\{([^}]*)\}|\{|([*#$@!?0-9-]|[A-Za-z_][A-Za-z0-9_]*))"
_PACKAGES, _UNREAD_PACKAGES = "/usr/share/doc", ("libgnutls30",)
_BAD_LICENSES = ("AGPL", "WTFPL")


class GoPattern:
    """A regular expression as Go understands it: by RE2, which has the same syntax. Raises `Refused`.

    >>> bool(GoPattern("^[[:alpha:]]+$").search("a1")), GoPattern(r"\\Qa.b\\E")
    (False, '\\\\Qa.b\\\\E')
    """

    def __init__(self, text: str) -> None:
        import re2

        options = re2.Options()
        options.log_errors = False
        self.pattern = text
        try:
            self._compiled: Any = re2.compile(text, options)
        except re2.error as error:
            why = error.args[0].decode("utf-8", "replace") if error.args else "RE2 refuses it"
            raise Refused(f"{shown(text)} is not a regular expression of Go ({why})", "fix it") from None

    def search(self, text: str) -> str | None:
        """Return what it finds, or None."""
        found = self._compiled.search(text)
        return None if found is None else str(found[0])

    def __repr__(self) -> str:
        return shown(self.pattern)


Patterns = tuple[GoPattern, ...]
Expected = tuple[tuple[str, str | GoPattern | None], ...]
"""Names, each with its value, with what must be found in its value, or with None where it must not be there."""


@attrs.frozen(kw_only=True)
class RunOptions:
    """How the commands of a file are run: what `RunRequest` says of its fields."""

    user: str | None = None
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    env: Pairs = ()


@attrs.frozen(slots=False, kw_only=True)
class Command(Check):
    """A command in which variables are replaced, run in what the commands of `setup` leave of the image."""

    name: str
    program: str
    args: tuple[str, ...] = ()
    setup: tuple[tuple[str, ...], ...] = ()
    exit_code: int = 0
    stdout: Patterns = ()
    no_stdout: Patterns = ()
    stderr: Patterns = ()
    no_stderr: Patterns = ()
    env: Pairs = ()
    variables: Pairs = ()
    options: RunOptions = attrs.field(factory=RunOptions)

    @property
    def title(self) -> str:
        """The name, and the command as a shell would show it."""
        import shlex

        return f"{self.name}: run {shlex.join([self.program, *self.args])}"

    def examine(self, subject: Subject) -> CheckResult:
        """Run the commands, each in a container of its own."""
        own, known = _variables(subject, self.variables)
        with contextlib.ExitStack() as prepared:
            image = subject.request.image
            if self.setup:
                own.update((name, expanded(value, known)) for name, value in self.env)
                known.update(own)
                image = self._prepared(subject, own, prepared)
            argv = [expanded(each, known) for each in (self.program, *self.args)]
            if not argv[0]:
                raise RunFailed(f"the command {self.program} is empty, since no variable of the image has that name")
            env = (*subject.request.env, *own.items(), *self.env, *self.options.env)
            done = subject.run(
                timeout=TIMEOUT, image=image, entrypoint=argv[:1], command=argv[1:], env=env, **self._options
            )
        wrong = [
            *judged_text("stdout", done.stdout, self.stdout, self.no_stdout, GoPattern.search),
            *judged_text("stderr", done.stderr, self.stderr, self.no_stderr, GoPattern.search),
        ]
        if done.exit_code != self.exit_code:
            wrong.insert(0, f"expected exit code {self.exit_code}, got {done.exit_code}")
        return self.result(
            wrong, detail=f"exit code {done.exit_code}", seconds=done.seconds, log=done.lines() if wrong else ()
        )

    @property
    def _options(self) -> Any:
        # The variables of the options are given to the command alone.
        return attrs.asdict(self.options, filter=lambda field, _: field.name != "env")

    def _prepared(self, subject: Subject, env: Mapping[str, str], prepared: contextlib.ExitStack) -> str:
        """Return a tag of what the commands of `setup` leave, which goes when `prepared` is closed."""
        from dockdsl.checks.subject import afterwards, ended

        image = subject.request.image
        for argv in self.setup:
            variables = (*subject.request.env, *env.items())
            with subject.started(
                ports=(), image=image, entrypoint=argv[:1], command=argv[1:], env=variables, **self._options
            ) as container:
                if ended(container, TIMEOUT).running:
                    raise RunFailed(f"the setup {shown(argv)} did not end within {TIMEOUT:g} s", log=container.logs())
                image = subject.runner.temporary_tag()
                prepared.enter_context(afterwards(partial(subject.runner.untag, image)))
                container.commit(image)
        return image


@attrs.frozen(slots=False, kw_only=True)
class Existence(Check):
    """A file, in whose path variables are replaced. A link at the end of its path is looked at itself."""

    name: str
    path: str
    exists: bool = True
    permissions: str = ""
    uid: int = -1
    gid: int = -1
    executable_by: Literal["", "owner", "group", "other", "any"] = ""
    variables: Pairs | None = ()

    @property
    def title(self) -> str:
        """The name and the path."""
        return f"{self.name}: {'file' if self.exists else 'no file'} {self.path}"

    def examine(self, subject: Subject) -> CheckResult:
        """Examine the file in the image's layers."""
        path = self.path
        if self.variables is not None:
            path = expanded(path, _variables(subject, self.variables)[1])
        entry = subject.files.in_container(path, follow=False) if path else None
        wrong = []
        if entry is None:
            wrong = ["expected a file, got none"] if self.exists else []
        elif not self.exists:
            wrong = [f"expected none, got a {entry.kind}"]
        else:
            wrong = [*self._facts(entry)]
        return self.result(wrong, detail="" if entry is None else f"{permissions(entry)} {entry.uid}:{entry.gid}")

    def _facts(self, entry: Entry) -> Iterator[str]:
        found = permissions(entry)
        if self.permissions not in ("", found):
            yield f"expected permissions {self.permissions}, got {found}"
        if self.executable_by and not entry.mode & EXECUTABLE_BY[self.executable_by]:
            yield f"expected it executable by {self.executable_by}, got permissions {found}"
        for what, expected, owner in (("owner", self.uid, entry.uid), ("group", self.gid, entry.gid)):
            if expected not in (-1, owner):
                yield f"expected {what} {expected}, got {owner}"


@attrs.frozen(slots=False, kw_only=True)
class Content(Check):
    """What a file has in it. Links are followed."""

    name: str
    path: str
    content: Patterns = ()
    no_content: Patterns = ()

    @property
    def title(self) -> str:
        """The name and the path."""
        return f"{self.name}: file {self.path}"

    def examine(self, subject: Subject) -> CheckResult:
        """Read the file in the image's layers."""
        content = content_of(subject.files, self.path)
        return self.result(judged_text("content", content, self.content, self.no_content, GoPattern.search))


@attrs.frozen(slots=False, kw_only=True)
class Metadata(Check):
    """What the image says about how it is run. None asks for nothing."""

    user: str | None = None
    workdir: str | None = None
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    env: Expected = ()
    labels: Expected = ()
    ports: tuple[str, ...] = ()
    no_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    no_volumes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What is examined."""
        return f"metadata {', '.join(asked_by(self))}"

    def examine(self, subject: Subject) -> CheckResult:
        """Compare what the engine knows about the image."""
        return self.result(self._differences(subject))

    def _differences(self, subject: Subject) -> Iterator[str]:
        config = subject.config
        for name, expected, found in (
            ("user", self.user, config.get("User") or ""),
            ("workdir", self.workdir, config.get("WorkingDir") or ""),
            ("entrypoint", self.entrypoint, tuple(config.get("Entrypoint") or ())),
            ("cmd", self.cmd, tuple(config.get("Cmd") or ())),
        ):
            if expected is not None:
                yield from judged_setting(name, expected, found)
        for what, pairs, values in (
            ("variable", self.env, subject.variables),
            ("label", self.labels, config.get("Labels") or {}),
        ):
            for key, value in pairs:
                yield from judged_value(what, key, value, values.get(key), GoPattern.search)
        exposed = config.get("ExposedPorts") or ()
        # One without a protocol is there with any.
        bare = [each.partition("/")[0] for each in exposed]
        yield from judged_names("port", self.ports, self.no_ports, exposed, bare)
        yield from judged_names("volume", self.volumes, self.no_volumes, config.get("Volumes") or ())


@attrs.frozen(slots=False, kw_only=True)
class Licenses(Check):
    """What the notices of Debian's packages, and files, must not say: the name of a licence that Google avoids."""

    debian: bool = False
    files: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Whose licences are looked at."""
        return f"licenses of {', '.join([*(['Debian packages'] if self.debian else []), *self.files])}"

    def examine(self, subject: Subject) -> CheckResult:
        """Read the notices in the image's layers."""
        return self.result(self._differences(subject.files))

    def _differences(self, files: ImageFiles) -> Iterator[str]:
        packages = files.folders(_PACKAGES) if self.debian else ()
        if packages is None:
            yield f"expected a folder {_PACKAGES}, got none"
        notices = [f"{_PACKAGES}/{each}/copyright" for each in packages or () if each not in _UNREAD_PACKAGES]
        for path in (*notices, *self.files):
            try:
                text = content_of(files, path).decode("utf-8", "replace").upper()
            except RunFailed as error:
                yield f"{path}: {error}"
            else:
                yield from (f"{path}: expected no {each}, got it" for each in _BAD_LICENSES if each in text)


def content_of(files: ImageFiles, path: str) -> bytes:
    """Return the content of a file. Raises `RunFailed` if no such file can be searched."""
    entry = files.in_container(path)
    if entry is None or entry.kind != "file":
        raise RunFailed(f"expected a file, got {'none' if entry is None else f'a {entry.kind}'}")
    if entry.size > LONGEST_CONTENT:
        raise RunFailed(f"expected content of at most {LONGEST_CONTENT} B, got {entry.size} B")
    with files.open(entry) as stream:
        return stream.read()


def permissions(entry: Entry) -> str:
    """Return kind and mode of a file as Go writes them.

    >>> from dockdsl.checks.image_files import Entry
    >>> permissions(Entry("directory", 0o1775, 0, 0, 0, "", 0, 0))
    'dtrwxrwxr-x'
    """
    front = _KINDS.get(entry.kind, "") + "".join(letter for bit, letter in _SPECIAL.items() if entry.mode & bit)
    bits = ("rwxrwxrwx"[place] if entry.mode & (1 << (8 - place)) else "-" for place in range(9))
    return (front or "-") + "".join(bits)


def expanded(text: str, known: Mapping[str, str]) -> str:
    """Return text with its variables replaced as Go's os.Expand does it; one that is not known becomes nothing.

    >>> expanded("$A/${B}c $$ $1 a$ $(x) ${}", {"A": "/a", "B": "b"})
    '/a/bc   a$ $(x) '
    """
    return re.sub(_VARIABLE, lambda found: known.get(found[1] or found[2] or "", ""), text)


def _variables(subject: Subject, of_file: Pairs) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables that a file sets for all of its tests, and those with the image's own."""
    own = {name: expanded(value, subject.variables) for name, value in of_file}
    return own, {**subject.variables, **own}
