"""`check`: what the rules find in texts, files, folders and values."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from dockdsl.context.sending import BuildContext
from dockdsl.display import kind_of, shown
from dockdsl.errors import DockdslError, InvalidType, InvalidValue, SourceError
from dockdsl.lint import shellcheck
from dockdsl.lint.build import Build
from dockdsl.lint.checking import UNREADABLE, Checking, problem
from dockdsl.lint.finding import Finding
from dockdsl.lint.rule import Rule
from dockdsl.lint.scripts import Script
from dockdsl.lint.settings import NOTHING_SET, Settings, settings_for
from dockdsl.lint.subject import Subject
from dockdsl.loading import environment, name_of, read_text
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.selection import Selected, dockerfile_path, select, split
from dockdsl.syntax.filenames import is_dockerfile
from dockdsl.syntax.lazy_regex import lazy_regex

if TYPE_CHECKING:
    from dockdsl.image import Image

NOTHING = "NoDockerfile"
"""The rule of a finding about a Python file that defines nothing to check."""
_OTHERS = ("node_modules", "vendor", "venv", "__pycache__")
"""Folders with files of others."""
_are_tests = lazy_regex(r"test_.*\.py|.*_test\.py|conftest\.py")
LONGEST = 60.0
"""Seconds that a Python file of a folder may take."""
GUARD = 'guard that with if __name__ == "__main__"'
_IMPORT = rb"(?m)^[ \t]*(?:from|import)[ \t]+dockdsl\b"


def check(
    source: str | os.PathLike[str] | Dockerfile | Image,
    path: str | None = None,
    *,
    context: str | os.PathLike[str] | None = None,
    targets: Iterable[str] = (),
    build_args: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Return what the rules find, without what is ignored, hints as well.

    `source` is the text of a Dockerfile as a ``str``; the path of a file or a folder as a ``Path``: a Dockerfile, a
    Python file that defines some, which is run, or a folder with such files; a `Dockerfile`; or an `Image`.
    `path` is the name of a text in its findings; it defaults to ``Dockerfile``.
    `context` is the folder that a Dockerfile is built with, `targets` are all the stages of it that are built, by name
    or index, and `build_args` its build arguments; an `Image` has its own.

    Text that BuildKit would refuse, and a file that cannot be read, are findings, too.

    What ``[tool.dockdsl.check]`` says in the pyproject.toml of a file, or above it, counts for files, and for what was
    made in one.

    Raises `InvalidType` for anything else, `InvalidValue` for a ``str`` that is the path of a file, `SourceError` for
    a pyproject.toml that is not valid, for a context that is not a folder, and for a path that ends in ``:NAME`` where
    the file has no such object.

    >>> [(each.rule, each.line) for each in check("FROM alpine:3.22\\nCMD httpd -f\\n")]
    [('JSONArgsRecommended', 2)]
    >>> from dockdsl import Cmd, Dockerfile, Stage
    >>> check(Dockerfile(Stage("alpine:3.22", steps=[Cmd.exec("httpd", "-f")])))
    []

    Source: https://docs.docker.com/reference/build-checks/
    """
    given = Given(None if context is None else os.fspath(context), tuple(targets), dict(build_args or {}))
    given.check("check: context")
    if isinstance(source, os.PathLike):
        found = [each for one in check_sources([os.fspath(source)], given) for each in one.found]
        return [each for each in found if each.reason is None]
    if isinstance(source, str):
        if "\n" not in source and os.path.exists(source):
            raise InvalidValue(f"check: {shown(source)} is the path of a file; pass Path({shown(source)})")
        checking = Checking(path or "Dockerfile", NOTHING_SET if path is None else settings_for(path, {}))
        return _kept(checking, checking.text(source, build=given.build(path)))
    dockerfile = getattr(source, "dockerfile", source)
    if not isinstance(dockerfile, Dockerfile):
        remedy = "pass a Dockerfile, an Image, a text, or a Path"
        raise InvalidType(f"check: {shown(source)} is {kind_of(source)}; {remedy}")
    file = dockerfile.origin.path
    checking = Checking(file, settings_for(file, {}))
    build = given.build() if dockerfile is source else build_of(source)
    return _kept(checking, checking.dockerfile(dockerfile, build))


def _kept(checking: Checking, found: list[Finding]) -> list[Finding]:
    every = checking.settings.applied([*found, *checking.unused()])
    return [each for each in every if each.reason is None]


class Given(NamedTuple):
    """How Dockerfiles are built, where they do not say it themselves."""

    context: str | None = None
    targets: tuple[str, ...] = ()
    args: Mapping[str, str] = {}

    def check(self, what: str) -> None:
        """Raise `SourceError` for a context that is not a folder."""
        if self.context is not None and not os.path.isdir(self.context):
            raise SourceError(f"{what}: {shown(self.context)} is not a folder; pass that of the build context")

    def build(self, dockerfile: str | None = None) -> Build:
        """Return what is known of the build of a Dockerfile; its path is that of a file."""
        context = None if self.context is None else BuildContext.of(self.context, dockerfile=dockerfile)
        refused = None
        if self.context is not None and context is None:
            refused = BuildContext.refusal(self.context, dockerfile=dockerfile)
        return Build(context, refused=refused, targets=self.targets or ("",), is_all=bool(self.targets), args=self.args)

    def options(self) -> list[str]:
        """Return the options of the command line that say the same."""
        context = [] if self.context is None else [f"--context={os.path.abspath(self.context)}"]
        args = [f"--build-arg={name}={value}" for name, value in self.args.items()]
        return [*context, *[f"--target={target}" for target in self.targets], *args]


def build_of(image: Any) -> Build:
    """Return what an `Image` says of its build."""
    # An address is not a path.
    folder = image.place if os.path.isabs(image.place) else None
    context = None if folder is None else BuildContext.of(folder, ignore=image.ignore)
    missing = None if folder is None or os.path.isdir(folder) else folder
    args = {name: value for name, value in image.build_args if value is not None}
    refused = None if folder is None or context else BuildContext.refusal(folder, ignore=image.ignore)
    return Build(context, missing, refused, targets=(image.target or "",), args=args, port=image.port)


class Checked(NamedTuple):
    """A file, and what was found in it; what is ignored has a reason."""

    path: str
    found: list[Finding]
    source: str = ""
    """The file, and the object where one is named; empty for a file that is not checked for itself."""
    is_apart: bool = False
    """Whether it is a Python file of a folder, which a process of its own runs."""


def check_sources(
    sources: Iterable[str],
    given: Given,
    *,
    is_part: bool = False,
    turn: Callable[[str, int, int], object] = lambda *_: None,
) -> Iterator[Checked]:
    """Yield what is found in files and folders, file by file; ``FILE:NAME`` takes one object, ``-`` is stdin.

    With `is_part`, the process that asked for it applies what the project says. `turn` is called with what is
    checked next, and how many of how many files are done.
    Raises `SourceError` for a pyproject.toml that is not valid, and for a name that the file does not have; `FileError`
    for an empty path.
    """
    known: dict[str, Settings] = {}
    examined: dict[str, bool] = {}
    folders = []
    for source in sources:
        if source != "-" and os.path.isdir(source):
            folders.append(source)
            examined = dict.fromkeys(_files(source), True) | examined
        else:
            examined[source] = False
    dockerfiles = [source for source in examined if source != "-" and not split(source)[0].endswith(".py")]
    if len(dockerfiles) > 1:
        turn("ShellCheck", 0, len(examined))
        shellcheck.prepare(script for path in dockerfiles for script in _scripts(path))
    for done, (source, in_folder) in enumerate(examined.items()):
        turn(source, done, len(examined))
        is_apart = in_folder and split(source)[0].endswith(".py")
        found = check_file(source, known, given, is_apart=is_apart, is_part=is_part)
        if found is not None:
            yield Checked(split(source)[0], found, source, is_apart)
    for settings in {id(each): each for each in known.values()}.values():
        if settings.path is not None and any(settings.covers(folder) for folder in folders):
            unused = [*settings.unused()]
            if unused:
                yield Checked(settings.path, unused)


def check_file(
    source: str, known: dict[str, Settings], given: Given, *, is_apart: bool = False, is_part: bool = False
) -> list[Finding] | None:
    """Return what is found in a file; None for one of a folder that defines nothing to check."""
    settings = settings_for(split(source)[0], known)
    found = _found_apart(source, given) if is_apart else _found(source, settings, given)
    return found if is_part or found is None else settings.applied(found)


def _scripts(path: str) -> list[Script]:
    """Return what ShellCheck reads of a Dockerfile; nothing of one that cannot be read, which is found later."""
    try:
        return shellcheck.readable(Subject(read_text(path), path).scripts)
    except DockdslError:
        return []


def rules_here() -> tuple[Rule, ...]:
    """Return all rules, with those of the project in the current folder."""
    return settings_for(os.curdir, {}).rules


def _found(spec: str, settings: Settings, given: Given) -> list[Finding]:
    """Return what is found in a file; what cannot be read is a finding, too.

    A name that the file does not have is no finding, but an error, and so is an empty path: no file is at fault.
    """
    file, name = split(spec)
    if not file.endswith(".py"):
        file = dockerfile_path(spec)
    loaded: dict[str, dict[str, Any]] = {}
    chosen: list[Selected[Dockerfile]] = []
    checking = Checking(name_of(file), settings)
    try:
        if not file.endswith(".py"):
            return checking.text(read_text(file), build=given.build(None if file == "-" else file))
        checking.path = os.path.abspath(file)
        chosen, _ = select(spec if name is not None else f"{file}:*", Dockerfile, files=loaded)
        models = {id(each.value): each for each in chosen}.values()
        builds = [(each.value, build) for each in models for build in _builds(each.holders, given)]
        found = _merged([checking.dockerfile(value, build) for value, build in builds])
        return sorted([*found, *checking.first_lines(), *checking.unused()], key=_order)
    except DockdslError as error:
        # The file was run, and what is asked for is not in it.
        is_missing = bool(loaded) and not chosen and error.origin is None
        if not file or (is_missing and name not in (None, "*")):
            raise
        return [problem(error, file, NOTHING if is_missing else UNREADABLE)]


def _merged(found: Iterable[Sequence[Finding]]) -> list[Finding]:
    """Return what was found in several Dockerfiles once for each place, with how often one of them has it."""
    merged: dict[tuple[object, ...], Finding] = {}
    for every in found:
        keys = [(each.rule, str(each.origin), each.columns, each.message) for each in every]
        counts = Counter(keys)
        for key, each in zip(keys, every, strict=True):
            if key not in merged or merged[key].count < counts[key]:
                merged[key] = attrs.evolve(each, count=counts[key]) if counts[key] > 1 else each
    return [*merged.values()]


def _builds(images: Iterable[Any], given: Given) -> list[Build]:
    """Return how a `Dockerfile` is built: as its images say, each in its own way."""
    return [build_of(image) for image in images] or [given.build()]


def _order(finding: Finding) -> tuple[str, int, str]:
    return finding.origin.path, finding.origin.line, finding.rule


def _files(folder: str) -> Iterator[str]:
    """Yield a folder's Dockerfiles, and its Python files that import dockdsl, without tests and what others wrote."""
    found: list[str] = []
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_of_others(name)]
        found += [os.path.normpath(os.path.join(at, name)) for name in names if name[0] != "."]
    for path in sorted(found, key=lambda each: each.split(os.sep)):
        name = os.path.basename(path)
        if os.path.isfile(path) and (is_dockerfile(name) or is_build_file(path)):
            yield path


def _is_of_others(folder: str) -> bool:
    return folder[0] == "." or folder in _OTHERS


def is_in(folder: str, path: str) -> bool:
    """Whether a file is one of those that a folder stands for, as far as its place is concerned."""
    full, root = os.path.abspath(path), os.path.abspath(folder)
    if os.path.commonpath([full, root]) != root:
        return False
    return not any(_is_of_others(each) for each in os.path.relpath(full, root).split(os.sep))


def is_build_file(path: str) -> bool:
    """Whether a file is a Python file that imports dockdsl, and no test."""
    return path.endswith(".py") and not _are_tests().fullmatch(os.path.basename(path)) and _imports_dockdsl(path)


def _imports_dockdsl(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError:
        # That it cannot be read is found when it is run.
        return True
    if b"dockdsl" not in source:
        return False
    import ast

    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return re.search(_IMPORT, source) is not None
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return any(name.split(".")[0] == "dockdsl" for name in names)


def _found_apart(path: str, given: Given) -> list[Finding] | None:
    """Return what is found in a Python file of a folder; None if it defines nothing to check.

    It is run in a process of its own: one that ends it, or does not end, leaves the others alone.
    """
    try:
        found = found_apart(path, given)
    except SourceError as error:
        return [problem(error, path)]
    return None if [each.rule for each in found] == [NOTHING] else found


def found_apart(path: str, given: Given, *options: str) -> list[Finding]:
    """Return what ``check`` with these options finds in a Python file that a process of its own runs.

    Raises `SourceError` if the file ends that process, or takes too long.
    """
    import json

    from dockdsl.lint.data import from_row

    code, output = run_apart(path, given, "--part", *options)
    try:
        return [from_row(row) for row in json.loads(output)]
    except ValueError:
        how = f"exit {code}" if code >= 0 else f"signal {-code}"
        raise SourceError(f"the file ended the program ({how}) before it was checked; {GUARD}") from None


def run_apart(path: str, given: Given, *options: str) -> tuple[int, bytes]:
    """Run ``check`` with these options on a Python file in a process of its own; return exit code and output.

    Raises `SourceError` if it takes too long.
    """
    import signal
    import subprocess

    # Imports are searched for in the current folder if they are here, as after `python -m dockdsl`.
    safe = [] if sys.path[:1] == [os.getcwd()] else ["-P"]
    spec = f"{os.path.abspath(path)}:*"
    command = [sys.executable, *safe, "-m", "dockdsl", "check", *options, *given.options(), spec]
    how: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "env": environment(), "process_group": 0}
    with subprocess.Popen(command, **how) as process:  # noqa: S603 - it runs dockdsl itself
        try:
            output, _ = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            raise SourceError(f"the file did not end within {LONGEST:g} s; {GUARD}") from None
        finally:
            if process.poll() is None:
                process.kill()
                # What it has started, such as ShellCheck, is in its group.
                if sys.platform != "win32":
                    os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, output
