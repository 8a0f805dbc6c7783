"""from_structure_test: the checks that a file of container-structure-test asks for.

That project is in maintenance, and many have files for it.
"""
# ruff: noqa: PLC0415 - PyYAML comes with an extra, and few need it

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check
from dockdsl.checks.command import CommandCheck
from dockdsl.checks.file import FileCheck
from dockdsl.checks.metadata import MetadataCheck
from dockdsl.display import kind_of, shown, suggestion
from dockdsl.errors import DockdslError, FileError, InvalidType, InvalidValue, RunFailed
from dockdsl.operands import Pairs
from dockdsl.origins import Origin

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    YamlNode = MappingNode | ScalarNode | SequenceNode

    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject

_T = TypeVar("_T")
_VERSION = "2.0.0"
_GO_ONLY = r"\[:\^?[a-z]+:\]|\\[QEpP]"
"""What Go's regular expressions have and Python's do not, or with another meaning."""
_PIECE = (
    r"(?s)(?P<flags>\(\?(?P<on>[a-zA-Z]*)(?P<off>-[a-zA-Z]+)?(?P<end>[:)]))"
    r"|(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])|\\.|."
)
"""A piece of a regular expression: flags, a class of characters, an escape, or a character."""
_VARIABLE = r"\$(?:\{([^}]*)\}|\{|([*#$@!?0-9-]|[A-Za-z_][A-Za-z0-9_]*))"
_PERMISSIONS = r"[-dLugt]+((?:[r-][w-][x-]){3})"
_KINDS = {"d": "directory", "L": "link"}
_METADATA = {
    "entrypoint": "entrypoint",
    "cmd": "cmd",
    "exposedPorts": "ports",
    "unexposedPorts": "no_ports",
    "volumes": "volumes",
    "unmountedVolumes": "no_volumes",
    "workdir": "workdir",
    "user": "user",
}
_SPECIAL = {"u": 0o4000, "g": 0o2000, "t": 0o1000}


def from_structure_test(path: str | os.PathLike[str]) -> tuple[Check, ...]:
    """Return the checks that a YAML or JSON file of container-structure-test asks for, to put into an `Image`.

    Its schema 2.0.0 is read: ``commandTests``, ``fileExistenceTests``, ``fileContentTests`` and ``metadataTest``;
    ``globalEnvVars``, and the user in ``containerRunOptions``. The title of a check begins with the
    ``name`` of its test, and one that fails names its line in that file. What has no counterpart (``setup``,
    ``teardown``, ``licenseTests``, other options of the container), a key that the schema does not have, and syntax
    that only Go's regular expressions have, is refused with its line, and the whole file with it.

    In patterns, ``^`` and ``$`` are the ends of the text, its last newline included, and of lines with ``(?m)``. A
    ``$NAME`` or ``${NAME}`` in ``command``, ``args``, the ``path`` of ``fileExistenceTests`` and ``globalEnvVars`` is
    replaced by the image's variable, or by nothing.

    PyYAML is needed, which comes with the extra ``structure-test``.

    Raises `InvalidValue` for what it does not understand, `FileError` for a file that cannot be read, `InvalidType`
    for what is not a path.

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
        raise FileError("structure test: PyYAML is not installed; run: pip install pyyaml") from None
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidType(f"structure test: the file is {kind_of(path)}; pass its path")
    file = operand.checked("structure test: the path", operand.text, os.fspath(path))
    try:
        with open(file, encoding="utf-8") as stream:  # noqa: PTH123 - as in the rest of the package
            text = stream.read()
    except OSError as error:
        raise FileError(f"{file}: it cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError:
        raise FileError(f"{file}: it is not UTF-8 text; is it the right file?") from None
    try:
        root = yaml.compose(_without_tabs(text), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or "it is nested too deep"
        origin = Origin(os.path.abspath(file), 1 if mark is None else mark.line + 1)  # noqa: PTH100 - links stay
        raise InvalidValue(f"structure test: it is not YAML: {why}; fix the line", origin=origin) from None
    if root is None:
        raise InvalidValue(f"structure test: {file} is empty; is it the right file?", origin=None)
    return tuple(_checks(_Node(cast("YamlNode", root), "the file", os.path.abspath(file))))  # noqa: PTH100 - as above


def _without_tabs(text: str) -> str:
    """Return JSON without the tabs that may indent it, which YAML refuses; no string of JSON has any."""
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
    pieces = []
    # Whether the flag m is set, in the group that is read and in those around it.
    lines = [False]
    for found in re.finditer(_PIECE, pattern):
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
        pieces.append(piece)
    return "".join(pieces)


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
    """A file whose path has variables replaced, and which is examined itself where it is a link."""

    path: str = attrs.field(converter=_path)
    variables: Pairs = attrs.field(default=(), kw_only=True)

    @property
    def _follows(self) -> bool:
        return False

    def examine(self, subject: Subject) -> CheckResult:
        path = _expanded(self.path, _variables(subject, self.variables)[1])
        if not path.startswith("/"):
            raise RunFailed(f"the path {self.path} is {shown(path)}, which is not an absolute path; see its variables")
        return FileCheck.examine(attrs.evolve(self, path=path), subject)


def _variables(subject: Subject, of_file: Pairs) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables that a file sets for all of its tests, and those with the image's own."""
    own = {name: _expanded(value, subject.variables) for name, value in of_file}
    return own, {**subject.variables, **own}


def _expanded(text: str, known: Mapping[str, str]) -> str:
    """Return text with its variables replaced as Go's os.Expand does it; one that is not known becomes nothing.

    >>> _expanded("$A/${B}c $$ $1 a$ $(x) ${}", {"A": "/a", "B": "b"})
    '/a/bc   a$ $(x) '
    """
    return re.sub(_VARIABLE, lambda found: known.get(found[1] or found[2] or "", ""), text)


@attrs.frozen
class _Node:
    """A piece of the file: what it is made of, what it is called in messages, and the file."""

    _yaml: YamlNode
    _what: str
    _path: str

    @property
    def origin(self) -> Origin:
        return Origin(self._path, self._yaml.start_mark.line + 1)

    def refused(self, message: str) -> InvalidValue:
        return InvalidValue(f"structure test: {message}", origin=self.origin)

    @contextlib.contextmanager
    def blamed(self) -> Iterator[None]:
        """Give the errors of the block this place, but for those that have one in the file."""
        try:
            yield
        except DockdslError as error:
            if error.origin is None or error.origin.path != self._path:
                error.origin = self.origin
            raise

    @property
    def is_null(self) -> bool:
        return self._yaml.id == "scalar" and self._yaml.tag.endswith(":null")

    def mapping(self, known: str, needed: str = "", *, others: str = "a key that is not known") -> _Mapping:
        """Return what stands behind its keys."""
        if self._yaml.id != "mapping":
            raise self.refused(f"{self._what} is a {self._yaml.id}; write keys with values")
        found = _Mapping()
        for key, value in self._yaml.value:
            name = str(key.value)
            place = _Node(key, name, self._path)
            if key.id != "scalar" or name not in known.split():
                hint = suggestion(name, known.split(), f"known are {', '.join(known.split())}")
                raise place.refused(f"{self._what} has {shown(name)}, {others}; {hint}")
            if name in found:
                raise place.refused(f"{self._what} has {name} twice; leave one")
            found[name] = _Node(value, name, self._path)
        for name in needed.split():
            if name not in found:
                raise self.refused(f"{self._what} has a test without {name}; add it")
        return found

    def items(self) -> list[_Node]:
        """Return the elements of a list; null has none."""
        if self.is_null:
            return []
        if self._yaml.id != "sequence":
            raise self.refused(f"{self._what} is a {self._yaml.id}; write a list")
        return [_Node(each, self._what, self._path) for each in self._yaml.value]

    def text(self) -> str:
        """Return text, of numbers and so on as it is written."""
        if self._yaml.id != "scalar" or self.is_null:
            kind = "nothing" if self._yaml.id == "scalar" else f"a {self._yaml.id}"
            raise self.refused(f"{self._what} is {kind}; write text")
        return str(self._yaml.value)

    def texts(self) -> tuple[str, ...]:
        return tuple(each.text() for each in self.items())

    def flag(self) -> bool:
        if self._yaml.id != "scalar" or not self._yaml.tag.endswith(":bool"):
            raise self.refused(f"{shown(str(self._yaml.value))} is neither true nor false; write one of them")
        return str(self._yaml.value).lower() in ("true", "yes", "on")

    def whole(self) -> int:
        value = str(self._yaml.value)
        if self._yaml.id != "scalar" or not (value.isascii() and value.isdecimal()):
            raise self.refused(f"{self._what} is {shown(value)}; write a number")
        return int(value[:20])

    def pattern(self) -> str:
        """Return a regular expression of Go as Python's."""
        text = self.text()
        if re.search(_GO_ONLY, text):
            raise self.refused(f"the pattern {shown(text)} has syntax that only Go knows; write it for Python's re")
        try:
            return re.compile(_as_in_go(text)).pattern
        except operand.PATTERN_ERRORS as error:
            raise self.refused(f"{shown(text)} is not a regular expression ({error}); fix it") from None

    def patterns(self) -> tuple[str, ...]:
        return tuple(each.pattern() for each in self.items())


class _Mapping(dict[str, _Node]):
    """What stands behind the keys of a piece of the file."""

    def read(self, key: str, how: Callable[[_Node], _T]) -> _T | None:
        """Return what stands behind a key, or None where it is left out."""
        return how(self[key]) if key in self else None

    def items_of(self, key: str) -> list[_Node]:
        """Return the elements of a list, which may be left out."""
        return self.read(key, _Node.items) or []


def _checks(root: _Node) -> Iterator[Check]:
    top = root.mapping(
        "schemaVersion globalEnvVars commandTests fileExistenceTests fileContentTests metadataTest licenseTests "
        "containerRunOptions"
    )
    version = top.read("schemaVersion", _Node.text)
    if version != _VERSION:
        raise top.get("schemaVersion", root).refused(f"schemaVersion is {version}; write 2.0.0, which is read")
    if "licenseTests" in top:
        raise top["licenseTests"].refused(
            "licenseTests have no counterpart, so nothing of the file is taken; "
            "move them into a file of their own for a scanner of licences"
        )
    env = tuple((top.read("globalEnvVars", _variables_in) or {}).items())
    user = None
    if "containerRunOptions" in top:
        options = top["containerRunOptions"].mapping("user", others="no counterpart")
        user = options.read("user", _Node.text)
    for kind, (make, known, needed) in _TESTS.items():
        for node in top.items_of(kind):
            test = node.mapping(known, needed)
            with node.blamed():
                check = make(test, env, user)
            yield _Named(test["name"].text(), check, origin=node.origin)
    if "metadataTest" in top:
        yield _metadata(top["metadataTest"])


def _command(test: _Mapping, env: Pairs, user: str | None) -> Check:
    for key in ("setup", "teardown"):
        if test.items_of(key):
            raise test[key].refused(
                f"{key} has no counterpart, so nothing of the file is taken; "
                'write one command instead: command: sh, args: ["-c", "…"]'
            )
    return _Command(
        [test["command"].text(), *(test.read("args", _Node.texts) or ())],
        exit_code=test.read("exitCode", _Node.whole) or 0,
        stdout=test.read("expectedOutput", _Node.patterns),
        no_stdout=test.read("excludedOutput", _Node.patterns),
        stderr=test.read("expectedError", _Node.patterns),
        no_stderr=test.read("excludedError", _Node.patterns),
        env=test.read("envVars", _variables_in),
        variables=env,
        user=user,
    )


def _existence(test: _Mapping, env: Pairs, _: str | None) -> Check:
    options: dict[str, Any] = test.read("permissions", _permissions) or {}
    owner, group = (str(test[key].whole()) if key in test else "" for key in ("uid", "gid"))
    return _Existence(
        test["path"].text(),
        variables=env,
        exists=test.read("shouldExist", _Node.flag) is not False,
        executable_by=cast(Any, test.read("isExecutableBy", _Node.text)),
        owner=(f"{owner}:{group}" if group else owner) or None,
        **options,
    )


def _content(test: _Mapping, _env: Pairs, _user: str | None) -> Check:
    path = test["path"].text()
    if "$" in path:
        raise test["path"].refused(f"the path {shown(path)} has a $, which is not replaced; write it out")
    return FileCheck(
        path,
        kind="file",
        content=test.read("expectedContents", _Node.patterns),
        no_content=test.read("excludedContents", _Node.patterns),
    )


_TESTS = {
    "commandTests": (
        _command,
        "name command args envVars exitCode setup teardown expectedOutput excludedOutput expectedError excludedError",
        "name command",
    ),
    "fileExistenceTests": (_existence, "name path shouldExist permissions uid gid isExecutableBy", "name path"),
    "fileContentTests": (_content, "name path expectedContents excludedContents", "name path"),
}
"""How the tests of each kind are read, the keys that they may have, and those that they must have."""


def _metadata(node: _Node) -> Check:
    test = node.mapping(f"env envVars unboundEnv unboundEnvVars labels {' '.join(_METADATA)}")
    options: dict[str, Any] = {}
    for key, field in (("env", "env"), ("envVars", "env"), ("labels", "labels")):
        for each in test.items_of(key):
            options.setdefault(field, {}).update(_pair(each))
    for key in ("unboundEnv", "unboundEnvVars"):
        for each in test.items_of(key):
            options.setdefault("env", {})[each.mapping("key value isRegex", "key")["key"].text()] = None
    for key, field in _METADATA.items():
        if key in test and not test[key].is_null:
            value = test[key].text() if key in ("workdir", "user") else test[key].texts()
            # An empty text asks for nothing: the schema cannot say that there must be none.
            if value != "":
                options[field] = value
    with node.blamed():
        return MetadataCheck(**options, origin=node.origin)


def _pair(node: _Node) -> dict[str, Any]:
    entry = node.mapping("key value isRegex", "key value")
    value: Any = entry["value"].text()
    if entry.read("isRegex", _Node.flag):
        value = re.compile(entry["value"].pattern(), re.MULTILINE)
    return {entry["key"].text(): value}


def _variables_in(node: _Node) -> dict[str, str]:
    entries = [each.mapping("key value", "key value") for each in node.items()]
    return {entry["key"].text(): entry["value"].text() for entry in entries}


def _permissions(node: _Node) -> dict[str, Any]:
    text = node.text()
    found = re.fullmatch(_PERMISSIONS, text)
    if found is None:
        raise node.refused(f"permissions are {shown(text)}; write them as -rw-r--r-- or drwxr-xr-x")
    front = text[:-9]
    bits = sum(1 << (8 - place) for place, letter in enumerate(found[1]) if letter != "-")
    kind = next((_KINDS[letter] for letter in front if letter in _KINDS), "file")
    return {"mode": bits | sum(_SPECIAL.get(letter, 0) for letter in front), "kind": kind}
