"""The steps of a CI file, of GitHub Actions or GitLab, as the shell texts that it runs, in order."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dockdsl.errors import FileError, SourceError
from dockdsl.migrate.shell import Place

_expression = re.compile(r"\$\{\{\s*([^}]*?)\s*\}\}")
_GITLAB = {
    "stages",
    "variables",
    "default",
    "include",
    "image",
    "services",
    "before_script",
    "after_script",
    "cache",
    "workflow",
    "pages",
}


class Script(NamedTuple):
    """A shell text of a CI file."""

    line: int
    text: str
    folder: str
    variables: dict[str, str]


def scripts(path: Path, shown: str, note: Callable[[Place, str, str], None]) -> Iterator[Script]:
    """Yield the scripts of a CI file.

    Raises `SourceError` if it is not YAML, `FileError` if PyYAML is not installed.
    """
    try:
        import yaml  # noqa: PLC0415 - of an extra
    except ImportError:
        raise FileError('migrate: CI files are read by PyYAML; run pip install "dockdsl[migrate]"') from None
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        raise SourceError(f"{shown}:{line}: it is not YAML: {getattr(error, 'problem', error)}; correct it") from None
    root = _fields(node)
    yield from _actions(root, shown, note) if "jobs" in root else _gitlab(root)


def _fields(node: Any) -> dict[str, Any]:
    return {key.value: value for key, value in node.value} if getattr(node, "id", "") == "mapping" else {}


def _text(node: Any) -> str:
    return node.value if getattr(node, "id", "") == "scalar" else ""


def _items(node: Any) -> list[Any]:
    if getattr(node, "id", "") == "sequence":
        return [inner for each in node.value for inner in (_items(each) if each.id == "sequence" else [each])]
    return [node] if getattr(node, "id", "") == "scalar" else []


def _variables(node: Any) -> dict[str, str]:
    return {name: _settled(_text(value)) for name, value in _fields(node).items()}


def _settled(text: str) -> str:
    """Return a text whose expressions are substitutions of the shell, which nobody knows."""

    def spelled(match: re.Match[str]) -> str:
        variable = re.fullmatch(r"env\.(\w+)", match[1])
        return f"${{{variable[1]}}}" if variable else f"$({re.sub(r'[^A-Za-z0-9_.-]', '-', match[1])})"

    return _expression.sub(spelled, text)


def _first_line(node: Any) -> int:
    return int(node.start_mark.line) + (2 if node.style in ("|", ">") else 1)


def _actions(root: dict[str, Any], shown: str, note: Callable[[Place, str, str], None]) -> Iterator[Script]:
    shared = _variables(root.get("env"))
    for job in _fields(root["jobs"]).values():
        fields = _fields(job)
        of_job = shared | _variables(fields.get("env"))
        folder = _text(_fields(_fields(fields.get("defaults")).get("run")).get("working-directory")) or "."
        for step in getattr(fields.get("steps"), "value", ()):
            given = _fields(step)
            variables = of_job | _variables(given.get("env"))
            uses = _text(given.get("uses"))
            if "run" in given:
                where = _text(given.get("working-directory")) or folder
                yield Script(_first_line(given["run"]), _settled(_text(given["run"])), where, variables)
            elif uses.startswith("docker/build-push-action"):
                line = int(given["uses"].start_mark.line) + 1
                yield Script(line, _settled(_build(_fields(given.get("with")))), ".", variables)
            elif uses.startswith(("actions/upload-artifact", "actions/download-artifact")):
                place = Place(shown, int(given["uses"].start_mark.line) + 1)
                fact = f"{uses.partition('@')[0]} carries files from job to job"
                note(place, fact, "they were read as files of one folder: check their paths")


def _build(fields: dict[str, Any]) -> str:
    """Return the command that the action for builds gives."""
    words = ["docker", "build"]
    for name, option in (("file", "--file"), ("target", "--target"), ("platforms", "--platform")):
        if name in fields:
            words += [option, f'"{_text(fields[name])}"']
    for name, option in (
        ("tags", "--tag"),
        ("build-args", "--build-arg"),
        ("labels", "--label"),
        ("outputs", "--output"),
    ):
        values = _text(fields.get(name))
        listed = re.split(r"[\n,]" if name == "tags" else "\n", values)
        words += [word for each in listed if each.strip() for word in (option, f'"{each.strip()}"')]
    if _text(fields.get("push")) == "true":
        words.append("--push")
    return " ".join([*words, f'"{_text(fields.get("context")) or "."}"'])


def _gitlab(root: dict[str, Any]) -> Iterator[Script]:
    shared = _variables(root.get("variables"))
    stages = [_text(each) for each in _items(root.get("stages"))] or ["build", "test", "deploy"]
    jobs = [
        (name, _fields(value))
        for name, value in root.items()
        if name not in _GITLAB and not name.startswith(".") and "script" in _fields(value)
    ]

    def order(job: tuple[str, dict[str, Any]]) -> int:
        stage = _text(job[1].get("stage")) or "test"
        return stages.index(stage) if stage in stages else len(stages)

    for _, fields in sorted(jobs, key=order):
        before = fields.get("before_script", root.get("before_script"))
        variables = shared | _variables(fields.get("variables"))
        yield from _joined([*_items(before), *_items(fields["script"])], variables)


def _joined(nodes: Iterable[Any], variables: dict[str, str]) -> Iterator[Script]:
    """The lines of a job run in one shell, so ``cd`` goes on: an item is a line of its own here, too."""
    folder = "."
    for node in nodes:
        yield Script(_first_line(node), _settled(_text(node)), folder, variables)
        moved = re.fullmatch(r"cd\s+(\S+)", _text(node).strip())
        if moved is not None:
            folder = f"{folder}/{shlex.split(moved[1])[0]}"
