"""from_structure_test: the checks that a file of container-structure-test asks for.

That project is in maintenance, and many have files for it. `structure_yaml` reads a file, this module knows its schema,
`structure_checks` examines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from dockdsl.checks.check import Check, asked_by
from dockdsl.checks.structure_checks import Command, Content, Existence, Licenses, Metadata, RunOptions
from dockdsl.checks.structure_yaml import Mapping, Node, read, text_of
from dockdsl.display import shown
from dockdsl.operands import Pairs, checked, pairs

_TESTS = "globalEnvVars commandTests fileExistenceTests fileContentTests licenseTests"
_OPTIONS = "user privileged capabilities bindMounts envVars envFile"
_COMMAND = "name command envVars exitCode setup teardown expectedOutput excludedOutput expectedError excludedError"
_NONE: tuple[tuple[str, ...], ...] = ()
_EXECUTABLE_BY = ("", "owner", "group", "other", "any")
_PORT = r"[0-9]{1,5}(/(tcp|udp|sctp))?"
_ENV_LINE = (
    r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*="
    r"""\s*(?:'(?P<single>[^'\\]*)'|"(?P<double>[^"\\$]*)"|(?P<bare>[^'"\\$#\s][^'"\\$]*?)?)\s*(?:\s\#.*)?"""
)
"""A line of an environment file: a name and its value, which may be quoted; without what quotes and ``$`` do there."""


def from_structure_test(path: str | os.PathLike[str]) -> tuple[Check, ...]:
    """Return the checks that a YAML or JSON file of container-structure-test asks for, to put into an `Image`.

    Its schemas 2.0.0 and 1.0.0 are read. The title of a check begins with the ``name`` of its test, and one that fails
    names its line in that file. Each has the verdict of that tool, but for the few differences that the page
    :doc:`/guide/structure-test` names. What has no counterpart (``allocateTty``), a key that the schema does not have,
    and a file that tests nothing, is refused with its line, and the whole file with it.

    The variables and the environment file that ``containerRunOptions`` name are read when this function is called.
    Each command may take 5 minutes.

    PyYAML is needed, and RE2 for Go's regular expressions; both come with the extra ``structure-test``.

    Raises `InvalidValue` for what it does not understand, `FileError` for a file that cannot be read, `InvalidType`
    for what is not a path.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
    ...     _ = file.write("{schemaVersion: 2.0.0, metadataTest: {user: app}}")
    ...     file.flush()
    ...     [check.title for check in from_structure_test(file.name)]
    ['metadata user']

    Source: the documentation and the schemas of container-structure-test.
    """
    root = read(path)
    found = tuple(_checks(root))
    if not found:
        raise root.refused("the file tests nothing; add a test, or leave the file out")
    return found


@attrs.frozen
class _Schema:
    """What a version of the schema has, and what holds for all tests of a file."""

    top: str
    command: str
    existence: str
    is_first: bool
    env: Pairs = ()
    options: RunOptions = attrs.field(factory=RunOptions)


_SCHEMAS = {
    "1.0.0": _Schema(_TESTS, _COMMAND, "name path shouldExist permissions", is_first=True),
    "2.0.0": _Schema(
        f"{_TESTS} metadataTest containerRunOptions",
        f"{_COMMAND} args",
        "name path shouldExist permissions uid gid isExecutableBy",
        is_first=False,
    ),
}


def _checks(root: Node) -> Iterator[Check]:
    latest = _SCHEMAS["2.0.0"]
    version = root.mapping(f"schemaVersion {latest.top}").read("schemaVersion", Node.any_text, None)
    schema = _SCHEMAS.get(version or "")
    if schema is None:
        place = root.mapping(f"schemaVersion {latest.top}").get("schemaVersion", root)
        raise place.refused(f"schemaVersion is {version}; write 2.0.0, or 1.0.0, which are read")
    top = root.mapping(f"schemaVersion {schema.top}", others=f"which {version} does not have")
    options = top.read("containerRunOptions", _run_options, RunOptions())
    schema = attrs.evolve(schema, env=top.read("globalEnvVars", _variables_in, ()), options=options)
    readers = {
        "commandTests": (_command, schema.command, "name command"),
        "fileExistenceTests": (_existence, schema.existence, "name path"),
        "fileContentTests": (_content, "name path expectedContents excludedContents", "name path"),
        "licenseTests": (_licenses, "debian files", ""),
    }
    for kind, (make, known, needed) in readers.items():
        for node in top.items_of(kind):
            yield make(node.mapping(known, needed), schema, node)
    if "metadataTest" in top and not top["metadataTest"].is_null:
        check = _metadata(top["metadataTest"])
        if asked_by(check):
            yield check


def _run_options(node: Node) -> RunOptions:
    options = node.mapping(_OPTIONS, others="no counterpart")
    env: dict[str, str] = {}
    if "envFile" in options:
        env.update(_env_file(options["envFile"]))
    for each in options.items_of("envVars"):
        name = each.text()
        if not os.environ.get(name):
            raise each.refused(f"the variable {shown(name)} is not set, or empty; set it, or leave it out")
        env[name] = os.environ[name]
    with node.blamed():
        given = checked("structure test: containerRunOptions", pairs, env)
    return RunOptions(
        user=options.read("user", Node.text, None),
        privileged=options.read("privileged", Node.flag, default=False),
        cap_add=tuple(each.text() for each in options.items_of("capabilities")),
        volumes=tuple(each.text() for each in options.items_of("bindMounts")),
        env=given,
    )


def _env_file(node: Node) -> Iterator[tuple[str, str]]:
    """Yield the variables of an environment file whose values are not empty."""
    file = node.text()
    with node.blamed():
        lines = text_of(file).splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = re.fullmatch(_ENV_LINE, line)
        if found is None:
            raise node.refused(f"line {number} of {file} is not NAME=value; write it so, without $ and backslashes")
        value = found["single"] or found["double"] or found["bare"]
        if value:
            yield found["name"], value


def _command(test: Mapping, schema: _Schema, node: Node) -> Check:
    if schema.is_first:
        program, *args = test["command"].once(Node.command)
        rest = tuple(args)
    else:
        program, rest = test["command"].text(), test.read("args", Node.texts, ())
    # What `teardown` would tidy goes with the container.
    setup = test.read("setup", Node.commands, _NONE)
    test.read("teardown", Node.commands, _NONE)
    return Command(
        name=test["name"].text(),
        program=program,
        args=rest,
        setup=setup,
        exit_code=test.read("exitCode", Node.whole, 0),
        stdout=test.read("expectedOutput", Node.patterns, ()),
        no_stdout=test.read("excludedOutput", Node.patterns, ()),
        stderr=test.read("expectedError", Node.patterns, ()),
        no_stderr=test.read("excludedError", Node.patterns, ()),
        env=test.read("envVars", _filled_variables_in, ()),
        variables=schema.env if setup or not schema.is_first else (),
        options=schema.options,
        origin=node.origin,
    )


def _existence(test: Mapping, schema: _Schema, node: Node) -> Check:
    path = _in_image(test["path"], schema)
    return Existence(
        name=test["name"].text(),
        path=path,
        # What is there and null is Go's zero.
        exists=test.read("shouldExist", Node.flag, default="shouldExist" not in test),
        permissions=test.read("permissions", Node.any_text, ""),
        uid=test.read("uid", Node.whole, 0 if "uid" in test else -1),
        gid=test.read("gid", Node.whole, 0 if "gid" in test else -1),
        executable_by=test.read("isExecutableBy", _executable_by, ""),
        variables=None if schema.is_first else schema.env,
        origin=node.origin,
    )


def _content(test: Mapping, schema: _Schema, node: Node) -> Check:
    return Content(
        name=test["name"].text(),
        path=_in_image(test["path"], schema),
        content=test.read("expectedContents", Node.patterns, ()),
        no_content=test.read("excludedContents", Node.patterns, ()),
        origin=node.origin,
    )


def _in_image(node: Node, schema: _Schema) -> str:
    """Return a path; refuse one in a mounted folder, since the image is read and not run."""
    path = node.text()
    for volume in schema.options.volumes:
        mounted = volume.split(":")[1:2]
        if mounted and f"{path}/".startswith(f"{mounted[0].rstrip('/')}/"):
            raise node.refused(f"{shown(path)} is in {mounted[0]} of bindMounts, not in the image; write a commandTest")
    return path


def _licenses(test: Mapping, _: _Schema, node: Node) -> Check:
    debian = test.read("debian", Node.flag, default=False)
    return Licenses(debian=debian, files=test.read("files", Node.texts, ()), origin=node.origin)


def _metadata(node: Node) -> Metadata:
    lists = "entrypoint cmd exposedPorts unexposedPorts volumes unmountedVolumes"
    test = node.mapping(f"env envVars unboundEnv unboundEnvVars labels workdir user {lists}")
    env: dict[str, Any] = {}
    for key in ("env", "envVars"):
        env.update(_pair(each) for each in test.items_of(key))
    for key in ("unboundEnv", "unboundEnvVars"):
        env.update((each.mapping("key value isRegex", "key")["key"].text(), None) for each in test.items_of(key))
    return Metadata(
        # An empty text asks for nothing: the schema cannot say that there must be none.
        user=test.read("user", Node.any_text, None) or None,
        workdir=test.read("workdir", Node.any_text, None) or None,
        entrypoint=test.read("entrypoint", Node.texts, None),
        cmd=test.read("cmd", Node.texts, None),
        env=tuple(env.items()),
        labels=tuple(dict(_pair(each) for each in test.items_of("labels")).items()),
        ports=tuple(_port(each) for each in test.items_of("exposedPorts")),
        no_ports=tuple(_port(each) for each in test.items_of("unexposedPorts")),
        volumes=test.read("volumes", Node.texts, ()),
        no_volumes=test.read("unmountedVolumes", Node.texts, ()),
        origin=node.origin,
    )


def _port(node: Node) -> str:
    text = node.text()
    if re.fullmatch(_PORT, text) is None:
        raise node.refused(f'{shown(text)} is not a port; write 8080 or "53/udp"')
    return text


def _pair(node: Node) -> tuple[str, Any]:
    entry = node.mapping("key value isRegex", "key")
    if not entry.read("isRegex", Node.flag, default=False):
        return entry["key"].text(), entry.read("value", Node.any_text, "")
    return entry["key"].text(), node.mapping("key value isRegex", "value")["value"].once(Node.pattern)


def _variables_in(node: Node, value: Callable[[Node], str] = Node.any_text) -> Pairs:
    entries = [each.mapping("key value", "key value") for each in node.items()]
    with node.blamed():
        found = {entry["key"].text(): value(entry["value"]) for entry in entries}
        return checked("structure test: a variable", pairs, found)


def _filled_variables_in(node: Node) -> Pairs:
    return _variables_in(node, Node.text)


def _executable_by(node: Node) -> Any:
    value = node.any_text()
    if value not in _EXECUTABLE_BY:
        raise node.refused(f"{shown(value)} is not one of {', '.join(_EXECUTABLE_BY[1:])}; write one of them")
    return value
