"""from_structure_test: the checks that a file of container-structure-test asks for.

That project is in maintenance, and many have files for it.
"""
# ruff: noqa: PLC0415 - PyYAML comes with an extra, and few need it

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check
from dockdsl.checks.command import CommandCheck
from dockdsl.checks.file import FileCheck
from dockdsl.checks.metadata import MetadataCheck
from dockdsl.display import kind_of, shown
from dockdsl.errors import DockdslError, FileError, InvalidType, InvalidValue, RunFailed
from dockdsl.operands import Pairs
from dockdsl.origins import Origin

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject

    Node = MappingNode | ScalarNode | SequenceNode

_VERSION = "2.0.0"
_GO_ONLY = re.compile(r"\[:\^?[a-z]+:\]|\\[QEpP]")
"""What Go's regular expressions have and Python's have not, or mean otherwise."""
_PIECE = re.compile(
    r"(?P<flags>\(\?(?P<on>[a-zA-Z]*)(?P<off>-[a-zA-Z]+)?(?P<end>[:)]))"
    r"|(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])|\\.|.",
    re.DOTALL,
)
"""A piece of a regular expression: flags, a class of characters, an escape, or a character."""
_VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|\{|([*#$@!?0-9-]|[A-Za-z_][A-Za-z0-9_]*))")
_PERMISSIONS = re.compile(r"[-dLugt]+((?:[r-][w-][x-]){3})")
_KINDS = {"d": "directory", "L": "link"}
_SPECIAL = {"u": 0o4000, "g": 0o2000, "t": 0o1000}


def from_structure_test(path: str | os.PathLike[str]) -> tuple[Check, ...]:
    """Return the checks that a YAML or JSON file of container-structure-test asks for, to put into an `Image`.

    Its schema 2.0.0 is read: ``commandTests``, ``fileExistenceTests``, ``fileContentTests`` and ``metadataTest``;
    ``globalEnvVars``, and the user in ``containerRunOptions``. The title of a check begins with the
    ``name`` of its test, and one that fails names its line in that file. What has no counterpart (``setup``,
    ``teardown``, ``licenseTests``, other options of the container), a key that the schema does not have, and syntax
    that Go's regular expressions have alone, is refused with its line, and the whole file with it.

    In patterns, ``^`` and ``$`` are the ends of the text, its last newline included, and of lines with ``(?m)``. A
    ``$NAME`` or ``${NAME}`` in ``command``, ``args``, the ``path`` of ``fileExistenceTests`` and ``globalEnvVars`` is
    replaced by the image's variable, or by nothing.

    PyYAML is needed, which comes with the extra ``structure-test``.

    Raises `InvalidValue` for what it does not understand, `FileError` for a file that cannot be read, `InvalidType`
    for what is no path.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
    ...     _ = file.write("{schemaVersion: 2.0.0, metadataTest: {user: app}}")
    ...     file.flush()
    ...     [check.title for check in from_structure_test(file.name)]
    ['metadata user']
    """
    try:
        import yaml
    except ImportError:
        raise FileError("structure test: PyYAML is not installed; run: pip install pyyaml", origin=None) from None
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidType(f"structure test: the file is {kind_of(path)}; pass its path")
    file = operand.checked("structure test: the path", operand.text, os.fspath(path))
    try:
        with open(file, encoding="utf-8") as stream:  # noqa: PTH123 - as in the rest of the package
            text = stream.read()
    except OSError as error:
        raise FileError(f"{file}: it cannot be read ({error.strerror}); check the path", origin=None) from None
    except UnicodeDecodeError:
        raise FileError(f"{file}: it is not UTF-8 text; is it the right file?", origin=None) from None
    try:
        root = yaml.compose(_without_tabs(text), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or "it is nested too deep"
        origin = Origin(os.path.abspath(file), 1 if mark is None else mark.line + 1)  # noqa: PTH100 - links stay
        raise InvalidValue(f"structure test: it is no YAML: {why}; mend the line", origin=origin) from None
    if root is None:
        raise InvalidValue(f"structure test: {file} is empty; is it the right file?", origin=None)
    return tuple(_Reader(os.path.abspath(file)).checks(cast("Node", root)))  # noqa: PTH100 - as above


def _without_tabs(text: str) -> str:
    """Return JSON without the tabs that may indent it, which YAML refuses; they can stand in no string of JSON."""
    import json

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text.replace("\t", " ")


def _path(value: str) -> str:
    path = operand.checked("structure test: path", operand.text, value)
    if not path.startswith(("/", "$")):
        raise InvalidValue(
            f"structure test: the path is {shown(path)}; write it from the root on, with a slash or a variable"
        )
    return path


def _as_in_go(pattern: str) -> str:
    """Return a pattern that means with MULTILINE what it means to Go: ``^`` and ``$`` are ends of the text.

    >>> print(_as_in_go("^a[$^]$"), _as_in_go("(?im)^a$"), _as_in_go("(?:(?m:^a)$|b)"))
    \\Aa[$^]\\Z (?i)^a$ (?:(?:^a)\\Z|b)
    """
    made = []
    # Whether the flag m is set, in the group that is read and in those around it.
    lines = [False]
    for found in _PIECE.finditer(pattern):
        piece = found[0]
        if found["flags"]:
            is_set = "m" in found["on"] or (lines[-1] and "m" not in (found["off"] or ""))
            on, off = found["on"].replace("m", ""), (found["off"] or "").replace("m", "")
            flags = on + (off if off != "-" else "")
            if found["end"] == ":":
                lines.append(is_set)
            else:
                lines[-1] = is_set
            piece = f"(?{flags}{found['end']}" if flags or found["end"] == ":" else ""
        elif piece == "(":
            lines.append(lines[-1])
        elif piece == ")" and len(lines) > 1:
            lines.pop()
        elif piece == r"\z" or (piece == "$" and not lines[-1]):
            piece = r"\Z"
        elif piece == "^" and not lines[-1]:
            piece = r"\A"
        made.append(piece)
    return "".join(made)


@attrs.frozen(slots=False)
class _Named(Check):
    """A check under the name that a file gives it."""

    name: str
    check: Check

    @property
    def title(self) -> str:
        return f"{self.name}: {self.check.title}"

    def examine(self, subject: Subject) -> CheckResult:
        return attrs.evolve(self.check.examine(subject), title=self.title, origin=self.origin)


@attrs.frozen(slots=False)
class _Command(CommandCheck):
    """A command in which variables are replaced; `variables` are those that the file sets for all of its tests."""

    variables: Pairs = attrs.field(default=(), kw_only=True)

    def examine(self, subject: Subject) -> CheckResult:
        own, known = _variables(subject, self.variables)
        argv = [_expanded(each, known) for each in self.argv]
        if not argv[0]:
            raise RunFailed(f"the command {self.argv[0]} is empty, since no variable of the image has that name")
        return CommandCheck.examine(attrs.evolve(self, argv=argv, env={**own, **dict(self.env)}), subject)


@attrs.frozen(slots=False)
class _Existence(FileCheck):
    """A file that is looked at itself where it is a link, and in whose path variables are replaced."""

    path: str = attrs.field(converter=_path)
    variables: Pairs = attrs.field(default=(), kw_only=True)

    @property
    def _follows(self) -> bool:
        return False

    def examine(self, subject: Subject) -> CheckResult:
        path = _expanded(self.path, _variables(subject, self.variables)[1])
        if not path.startswith("/"):
            raise RunFailed(
                f"the path {self.path} is {shown(path)}, which does not begin at the root; see its variables"
            )
        return FileCheck.examine(attrs.evolve(self, path=path), subject)


def _variables(subject: Subject, of_file: Pairs) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables that a file sets for all of its tests, and those with the image's own."""
    image = dict(each.partition("=")[::2] for each in subject.config.get("Env") or ())
    own = {name: _expanded(value, image) for name, value in of_file}
    return own, {**image, **own}


def _expanded(text: str, known: Mapping[str, str]) -> str:
    """Return text with its variables replaced as Go's os.Expand does it; one that is not known becomes nothing.

    >>> _expanded("$A/${B}c $$ $1 a$ $(x) ${}", {"A": "/a", "B": "b"})
    '/a/bc   a$ $(x) '
    """
    return _VARIABLE.sub(lambda found: known.get(found[1] or found[2] or "", ""), text)


class _Reader:
    """Reads the nodes of a file; each knows its line."""

    def __init__(self, path: str) -> None:
        self._path = path

    def checks(self, root: Node) -> Iterator[Check]:
        top = self.mapping(
            root,
            "the file",
            "schemaVersion globalEnvVars commandTests fileExistenceTests fileContentTests metadataTest licenseTests "
            "containerRunOptions",
        )
        version = self.text(top["schemaVersion"], "schemaVersion") if "schemaVersion" in top else None
        if version != _VERSION:
            raise self.refused(
                top.get("schemaVersion", root), f"schemaVersion is {version}; write 2.0.0, which is read"
            )
        if "licenseTests" in top:
            raise self.refused(
                top["licenseTests"],
                "licenseTests have no counterpart, so nothing of the file is taken; "
                "move them into a file of their own for a scanner of licences",
            )
        env = tuple(self.variables(top["globalEnvVars"], "globalEnvVars").items()) if "globalEnvVars" in top else ()
        user = None
        if "containerRunOptions" in top:
            options = self.mapping(top["containerRunOptions"], "containerRunOptions", "user", others="no counterpart")
            user = self.text(options["user"], "user") if "user" in options else None
        for node in self.each(top, "commandTests"):
            yield self.command(node, env, user)
        for node in self.each(top, "fileExistenceTests"):
            yield self.existence(node, env)
        for node in self.each(top, "fileContentTests"):
            yield self.content(node)
        if "metadataTest" in top:
            yield self.metadata(top["metadataTest"])

    def command(self, node: Node, env: Pairs, user: str | None) -> Check:
        keys = "name command args envVars exitCode setup teardown"
        keys += " expectedOutput excludedOutput expectedError excludedError"
        test = self.mapping(node, "commandTests", keys, needed=("name", "command"))
        for key in ("setup", "teardown"):
            if key in test and test[key].value:
                raise self.refused(
                    test[key],
                    f"{key} has no counterpart, so nothing of the file is taken; "
                    'write one command instead: command: sh, args: ["-c", "…"]',
                )
        own = self.variables(test["envVars"], "envVars") if "envVars" in test else {}
        return self.named(
            test,
            node,
            lambda: _Command(
                [self.text(test["command"], "command"), *self.texts(test, "args")],
                exit_code=self.whole(test["exitCode"], "exitCode") if "exitCode" in test else 0,
                stdout=self.patterns(test, "expectedOutput"),
                no_stdout=self.patterns(test, "excludedOutput"),
                stderr=self.patterns(test, "expectedError"),
                no_stderr=self.patterns(test, "excludedError"),
                env=own,
                variables=env,
                user=user,
            ),
        )

    def existence(self, node: Node, env: Pairs) -> Check:
        keys = "name path shouldExist permissions uid gid isExecutableBy"
        test = self.mapping(node, "fileExistenceTests", keys, needed=("name", "path"))
        options: dict[str, Any] = {"exists": self.flag(test["shouldExist"]) if "shouldExist" in test else True}
        if "permissions" in test:
            options |= self.permissions(test["permissions"])
        if "isExecutableBy" in test:
            options["executable_by"] = self.text(test["isExecutableBy"], "isExecutableBy")
        owner, group = (str(self.whole(test[key], key)) if key in test else "" for key in ("uid", "gid"))
        if owner or group:
            options["owner"] = f"{owner}:{group}" if group else owner
        return self.named(test, node, lambda: _Existence(self.text(test["path"], "path"), variables=env, **options))

    def content(self, node: Node) -> Check:
        keys = "name path expectedContents excludedContents"
        test = self.mapping(node, "fileContentTests", keys, needed=("name", "path"))
        return self.named(
            test,
            node,
            lambda: FileCheck(
                self.path(test["path"]),
                kind="file",
                content=self.patterns(test, "expectedContents"),
                no_content=self.patterns(test, "excludedContents"),
            ),
        )

    def metadata(self, node: Node) -> Check:
        keys = (
            "env envVars unboundEnv unboundEnvVars labels entrypoint cmd exposedPorts unexposedPorts volumes "
            "unmountedVolumes workdir user"
        )
        test = self.mapping(node, "metadataTest", keys)
        options: dict[str, Any] = {}
        for key in ("env", "envVars"):
            for each in self.each(test, key):
                options.setdefault("env", {}).update(self.pair(each, key))
        for key in ("unboundEnv", "unboundEnvVars"):
            for each in self.each(test, key):
                name = self.mapping(each, key, "key value isRegex", needed=("key",))["key"]
                options.setdefault("env", {})[self.text(name, "key")] = None
        for each in self.each(test, "labels"):
            options.setdefault("labels", {}).update(self.pair(each, "labels"))
        for key, field in (
            ("entrypoint", "entrypoint"),
            ("cmd", "cmd"),
            ("exposedPorts", "ports"),
            ("unexposedPorts", "no_ports"),
            ("volumes", "volumes"),
            ("unmountedVolumes", "no_volumes"),
        ):
            if key in test and not _is_null(test[key]):
                options[field] = self.texts(test, key)
        for key in ("workdir", "user"):
            # Nothing asks for nothing: there is no way to ask for none.
            if key in test and not _is_null(test[key]) and (text := self.text(test[key], key)):
                options[key] = text
        return self.made(node, lambda: MetadataCheck(**options))

    def pair(self, node: Node, what: str) -> dict[str, Any]:
        entry = self.mapping(node, what, "key value isRegex", needed=("key", "value"))
        value: Any = self.text(entry["value"], "value")
        if "isRegex" in entry and self.flag(entry["isRegex"]):
            value = re.compile(self.pattern(entry["value"]), re.MULTILINE)
        return {self.text(entry["key"], "key"): value}

    def variables(self, node: Node, what: str) -> dict[str, str]:
        found = {}
        for each in self.sequence(node, what):
            entry = self.mapping(each, what, "key value", needed=("key", "value"))
            found[self.text(entry["key"], "key")] = self.text(entry["value"], "value")
        return found

    def permissions(self, node: Node) -> dict[str, Any]:
        text = self.text(node, "permissions")
        found = _PERMISSIONS.fullmatch(text)
        if found is None:
            raise self.refused(node, f"permissions are {shown(text)}; write them as -rw-r--r-- or drwxr-xr-x")
        front = text[:-9]
        bits = sum(1 << (8 - place) for place, letter in enumerate(found[1]) if letter != "-")
        kind = next((_KINDS[letter] for letter in front if letter in _KINDS), "file")
        return {"mode": bits | sum(_SPECIAL.get(letter, 0) for letter in front), "kind": kind}

    def path(self, node: Node) -> str:
        path = self.text(node, "path")
        if "$" in path:
            raise self.refused(node, f"the path {shown(path)} has a $, which is not replaced; write it out")
        return path

    def patterns(self, test: dict[str, Node], key: str) -> tuple[str, ...]:
        return tuple(self.pattern(each) for each in self.each(test, key))

    def pattern(self, node: Node) -> str:
        text = self.text(node, "a pattern")
        if _GO_ONLY.search(text):
            raise self.refused(
                node, f"the pattern {shown(text)} has what Go's syntax has alone; write it for Python's re"
            )
        try:
            made = _as_in_go(text)
            re.compile(made)
        except (re.error, RecursionError, OverflowError) as error:
            raise self.refused(node, f"{shown(text)} is no regular expression ({error}); mend it") from None
        return made

    # What YAML is made of.

    def mapping(
        self,
        node: Node,
        what: str,
        known: str,
        *,
        needed: tuple[str, ...] = (),
        others: str = "a key that is not known",
    ) -> dict[str, Node]:
        if node.id != "mapping":
            raise self.refused(node, f"{what} is a {node.id}; write keys with values")
        found: dict[str, Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if key.id != "scalar" or name not in known.split():
                raise self.refused(key, f"{what} has {shown(name)}, {others}; {_near(name, known.split())}")
            if name in found:
                raise self.refused(key, f"{what} has {name} twice; leave one")
            found[name] = value
        for name in needed:
            if name not in found:
                raise self.refused(node, f"{what} has a test without {name}; add it")
        return found

    def sequence(self, node: Node, what: str) -> list[Node]:
        if _is_null(node):
            return []
        if node.id != "sequence":
            raise self.refused(node, f"{what} is a {node.id}; write a list")
        return list(node.value)

    def each(self, test: dict[str, Node], key: str) -> list[Node]:
        return self.sequence(test[key], key) if key in test else []

    def texts(self, test: dict[str, Node], key: str) -> tuple[str, ...]:
        return tuple(self.text(each, key) for each in self.each(test, key))

    def text(self, node: Node, what: str) -> str:
        if node.id != "scalar" or _is_null(node):
            raise self.refused(node, f"{what} is {'nothing' if node.id == 'scalar' else f'a {node.id}'}; write text")
        return str(node.value)

    def flag(self, node: Node) -> bool:
        if node.id != "scalar" or not node.tag.endswith(":bool"):
            raise self.refused(node, f"{shown(str(node.value))} is neither true nor false; write one of them")
        return str(node.value).lower() in ("true", "yes", "on")

    def whole(self, node: Node, what: str) -> int:
        if node.id != "scalar" or not str(node.value).isascii() or not str(node.value).isdecimal():
            raise self.refused(node, f"{what} is {shown(str(node.value))}; write a number")
        return int(str(node.value)[:20])

    def named(self, test: dict[str, Node], node: Node, make: Callable[[], Check]) -> Check:
        """Make a check that bears the name that its test has."""
        name = self.text(test["name"], "name")
        return self.made(node, lambda: _Named(name, self.made(node, make)))

    def made(self, node: Node, make: Callable[[], Check]) -> Check:
        """Make a check whose place is that in the file."""
        origin = self.origin(node)
        try:
            check = make()
        except DockdslError as error:
            if error.origin is None or error.origin.path != self._path:
                error.origin = origin
            raise
        object.__setattr__(check, "origin", origin)
        return check

    def refused(self, node: Node, message: str) -> InvalidValue:
        return InvalidValue(f"structure test: {message}", origin=self.origin(node))

    def origin(self, node: Node) -> Origin:
        return Origin(self._path, node.start_mark.line + 1)


def _is_null(node: Node) -> bool:
    return node.id == "scalar" and node.tag.endswith(":null")


def _near(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
