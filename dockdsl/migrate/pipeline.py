"""The steps of a CI file, of GitHub Actions or GitLab, as the shell texts that it runs, in order."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dockdsl.errors import FileError, SourceError
from dockdsl.migrate.commands import Noter, Place

_expression = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_substitution = re.compile(r"\$\(expression (.*)\)", re.DOTALL).fullmatch
_MERGE = "tag:yaml.org,2002:merge"
_DEPTH = 10
WORKSPACES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""Variables that have the folder of the project."""
_ALWAYS = "it was read as if it always runs: check that this is what you want"
# They prepare the machine, and change no file of the project.
_HARMLESS = (
    *("actions/checkout", "actions/setup-", "actions/cache", "docker/setup-", "docker/login-action"),
    "docker/metadata-action",
)
_SHELLS = ("", "sh", "bash")
# Inputs of the action that builds: the option, and what its values are split at.
_INPUTS = {
    **{name: (f"--{name}", "") for name in ("target", "network", "shm-size", "builder", "provenance", "sbom")},
    "file": ("--file", ""),
    "platforms": ("--platform", ""),
    "tags": ("--tag", "\n,"),
    "labels": ("--label", "\n"),
    "build-args": ("--build-arg", "\n"),
    "outputs": ("--output", "\n"),
    "secrets": ("--secret", "\n"),
    "cache-from": ("--cache-from", "\n"),
    "cache-to": ("--cache-to", "\n"),
    "ssh": ("--ssh", "\n,"),
    "build-contexts": ("--build-context", "\n"),
    "add-hosts": ("--add-host", "\n,"),
    "ulimit": ("--ulimit", "\n,"),
    "annotations": ("--annotation", "\n"),
    "no-cache-filters": ("--no-cache-filter", "\n,"),
}
# What they were called in its first version.
_OLD_INPUTS = {"path": "context", "dockerfile": "file", "build_args": "build-args", "cache_froms": "cache-from"}
_OLD_INPUTS |= {"always_pull": "pull"}
_SWITCHES = ("push", "no-cache", "pull", "load")


class Script(NamedTuple):
    """A shell text of a CI file."""

    line: int
    text: str
    folder: str
    variables: dict[str, str]


class _Job(NamedTuple):
    """A job of either kind."""

    name: str
    needs: Collection[str]
    fields: dict[str, Any]


def scripts(path: Path, shown: str, note: Noter) -> Iterator[Script]:
    """Yield the scripts of a CI file.

    Raises `SourceError` if it is not a CI file, `FileError` if PyYAML is not installed.
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
    jobs = [_fields(job) for job in _fields(root.get("jobs")).values()]
    if any("runs-on" in job or "uses" in job for job in jobs):
        yield from _actions(root, shown, note)
    elif any("script" in _fields(value) or "extends" in _fields(value) for value in root.values()):
        yield from _gitlab(root, shown, note)
    else:
        fact = "no job of GitHub Actions or GitLab CI is in it"
        raise SourceError(f"{shown}: {fact}; write its docker commands into a shell script, and name that")


def restored(written: str) -> str:
    """Return a substitution that stands for an expression of a CI file as that expression."""
    found = _substitution(written)
    try:
        return written if found is None else f"${{{{ {' '.join(shlex.split(found[1]))} }}}}"
    except ValueError:
        return written


# YAML.


def _fields(node: Any) -> dict[str, Any]:
    """Return the fields of a mapping; those that ``<<`` merges into it come after its own."""
    if getattr(node, "id", "") != "mapping":
        return {}
    merged: dict[str, Any] = {}
    for key, value in node.value:
        if key.tag == _MERGE:
            for each in value.value if value.id == "sequence" else [value]:
                merged = _fields(each) | merged
    return merged | {key.value: value for key, value in node.value if key.tag != _MERGE}


def _text(node: Any) -> str:
    return node.value if getattr(node, "id", "") == "scalar" else ""


def _items(node: Any) -> list[Any]:
    if getattr(node, "id", "") == "sequence":
        return [inner for each in node.value for inner in (_items(each) if each.id == "sequence" else [each])]
    return [node] if getattr(node, "id", "") == "scalar" else []


def _variables(node: Any) -> dict[str, str]:
    return {name: _settled(_text(_fields(value).get("value", value))) for name, value in _fields(node).items()}


def _settled(text: str) -> str:
    """Return a text whose expressions are substitutions of the shell, which nobody knows."""

    def spelled(match: re.Match[str]) -> str:
        if match[1] == "github.workspace":
            return "${GITHUB_WORKSPACE}"
        variable = re.fullmatch(r"env\.(\w+)", match[1])
        return f"${{{variable[1]}}}" if variable else f"$(expression {shlex.quote(match[1])})"

    return _expression.sub(spelled, text)


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _first_line(node: Any) -> int:
    return _line(node) + (node.style in ("|", ">"))


def _ordered(jobs: Iterable[_Job]) -> list[_Job]:
    """Return the jobs as they run: each behind those that it needs."""
    waiting = list(jobs)
    done: list[_Job] = []
    while waiting:
        names = {job.name for job in waiting}
        ready = [job for job in waiting if not names & set(job.needs)] or waiting
        done += ready
        waiting = [job for job in waiting if job not in ready]
    return done


# GitHub Actions.


def _actions(root: dict[str, Any], shown: str, note: Noter) -> Iterator[Script]:
    shared = _variables(root.get("env"))
    found = {name: _fields(job) for name, job in _fields(root["jobs"]).items()}
    jobs = [_Job(name, [_text(each) for each in _items(job.get("needs"))], job) for name, job in found.items()]
    for job in _ordered(jobs):
        _note_conditions(job.fields, ("if",), f"the job {job.name}", shown, note)
        if "uses" in job.fields:
            fact = f"the job {job.name} is another workflow, which is not followed"
            note(Place(shown, _line(job.fields["uses"])), fact, "name that file, if it builds the images")
        of_job = shared | _variables(job.fields.get("env"))
        defaults = _fields(_fields(job.fields.get("defaults", root.get("defaults"))).get("run"))
        for step in getattr(job.fields.get("steps"), "value", ()):
            yield from _step(_fields(step), of_job, defaults, shown, note)


def _step(
    given: dict[str, Any], shared: Mapping[str, str], defaults: dict[str, Any], shown: str, note: Noter
) -> Iterator[Script]:
    variables = {**shared, **_variables(given.get("env"))}
    uses = _text(given.get("uses"))
    if "run" in given:
        _note_conditions(given, ("if",), "this step", shown, note)
        shell = _text(given.get("shell", defaults.get("shell"))).split(" ")[0]
        if shell not in _SHELLS:
            fact = f"it is for {shell}, which is not followed"
            note(Place(shown, _line(given["run"])), fact, "write its docker commands into a shell script")
            return
        where = _text(given.get("working-directory", defaults.get("working-directory"))) or "."
        yield Script(_first_line(given["run"]), _settled(_text(given["run"])), where, variables)
    elif uses.startswith("docker/build-push-action"):
        _note_conditions(given, ("if",), "this step", shown, note)
        line = _line(given["uses"])
        yield Script(line, _settled(_build(_fields(given.get("with")), shown, note)), ".", variables)
    elif uses.startswith(("actions/upload-artifact", "actions/download-artifact")):
        fact = f"{uses.partition('@')[0]} carries files from job to job"
        note(Place(shown, _line(given["uses"])), fact, "they were read as files of one folder: check their paths")
    elif uses and not uses.startswith(_HARMLESS):
        fact = f"{uses.partition('@')[0]} is not followed"
        remedy = "if it builds an image or changes what a Dockerfile copies, write that as commands of docker"
        note(Place(shown, _line(given["uses"])), fact, remedy)


def _note_conditions(fields: dict[str, Any], names: Iterable[str], what: str, shown: str, note: Noter) -> None:
    for name in names:
        if name in fields and "docker" in _dumped(fields):
            note(Place(shown, _line(fields[name])), f"whether {what} runs is decided by {name}:", _ALWAYS)


def _dumped(fields: dict[str, Any]) -> str:
    """Return all texts in some fields."""
    return " ".join(_dump(node) for node in fields.values())


def _dump(node: Any) -> str:
    if node.id == "mapping":
        return " ".join(_dump(value) for _, value in node.value)
    return node.value if node.id == "scalar" else " ".join(map(_dump, node.value))


def _build(fields: dict[str, Any], shown: str, note: Noter) -> str:
    """Return the command that the action for builds gives."""
    words = ["docker", "build"]
    repository = "/".join(filter(None, (_text(fields.get("registry")), _text(fields.get("repository")))))
    fields = {_OLD_INPUTS.get(name, name): node for name, node in fields.items()}
    for name, node in fields.items():
        given = _text(node)
        if name == "tags" and repository:
            given = ",".join(f"{repository}:{each.strip()}" for each in given.split(","))
        if name in _INPUTS:
            option, separators = _INPUTS[name]
            listed = re.split(f"[{separators}]", given) if separators else [given]
            words += [word for each in listed if each.strip() for word in (option, f'"{each.strip()}"')]
        elif name in _SWITCHES:
            words += [f"--{name}"] if given != "false" else []
        elif name not in ("context", "github-token", "registry", "repository", "username", "password"):
            fact = f"{name} of docker/build-push-action is left out"
            note(Place(shown, _line(node)), fact, "pass what it means when you build, if it counts")
    return " ".join([*words, f'"{_text(fields.get("context")) or "."}"'])


# GitLab CI.


def _gitlab(root: dict[str, Any], shown: str, note: Noter) -> Iterator[Script]:
    if "include" in root:
        fact = "what it includes is not followed"
        note(Place(shown, _line(root["include"])), fact, "name that file, if it builds the images")
    shared = _variables(root.get("variables"))
    stages = [_text(each) for each in _items(root.get("stages"))] or ["build", "test", "deploy"]
    found = {name: _extended(root, name, 0) for name in root if not name.startswith(".")}
    jobs = [
        _Job(name, [_text(_fields(each).get("job", each)) for each in _needs(job)], job)
        for name, job in found.items()
        if "script" in job
    ]

    def order(job: _Job) -> int:
        stage = _text(job.fields.get("stage")) or "test"
        return stages.index(stage) if stage in stages else len(stages)

    defaults = _fields(root.get("default"))
    for job in _ordered(sorted(jobs, key=order)):
        fields = job.fields
        _note_conditions(fields, ("rules", "only", "except", "when"), f"the job {job.name}", shown, note)
        if "parallel" in fields and "docker" in _dumped(fields):
            fact = f"the job {job.name} runs several times"
            note(Place(shown, _line(fields["parallel"])), fact, "its variables are taken from the environment")
        before = fields.get("before_script", defaults.get("before_script", root.get("before_script")))
        lines = [*_referred(root, before), *_referred(root, fields["script"])]
        variables = shared | _variables(fields.get("variables"))
        image = fields.get("image", defaults.get("image", root.get("image")))
        if "artifacts" in fields and image is not None and not any("docker" in _text(line) for line in lines):
            yield _in_container(_text(_fields(image).get("name", image)), lines, variables)
            continue
        yield from _joined(lines, variables)
        yield from _joined(_referred(root, fields.get("after_script")), variables)


def _in_container(image: str, lines: Sequence[Any], variables: dict[str, str]) -> Script:
    """A job that leaves files for others: its image is run with them in the folder of the project."""
    script = "\n".join(["set -e", *(_text(line) for line in lines)])
    names = dict.fromkeys([*variables, *re.findall(r"\$\{?(CI_\w+)", script)])
    options = " ".join(f"-e {name}" for name in names if re.search(rf"\b{name}\b", script))
    text = f'docker run {options} -v "$CI_PROJECT_DIR":/builds -w /builds "{image}" sh -c {shlex.quote(script)}'
    return Script(_first_line(lines[0]), text, ".", variables)


def _needs(job: dict[str, Any]) -> list[Any]:
    return [each for name in ("needs", "dependencies") for each in getattr(job.get(name), "value", ())]


def _extended(root: dict[str, Any], name: str, depth: int) -> dict[str, Any]:
    """Return the fields of a job with those that it extends."""
    own = _fields(root.get(name))
    found: dict[str, Any] = {}
    for each in _items(own.get("extends")) if depth < _DEPTH else ():
        found |= _extended(root, _text(each), depth + 1)
    return found | own


def _referred(root: dict[str, Any], node: Any, depth: int = 0) -> list[Any]:
    """Return the lines of a script, with those of others that ``!reference`` names."""
    if getattr(node, "id", "") != "sequence":
        return _items(node)
    if node.tag != "!reference":
        return [line for each in node.value for line in _referred(root, each, depth)]
    names = [_text(each) for each in node.value]
    found: Any = None
    fields = root
    for name in names:
        found = fields.get(name)
        fields = _fields(found)
    return _referred(root, found, depth + 1) if depth < _DEPTH else []


def _joined(nodes: Iterable[Any], variables: dict[str, str]) -> Iterator[Script]:
    """The lines of a job run in one shell, so ``cd`` goes on: an item is a line of its own here, too."""
    folder = "."
    for node in nodes:
        yield Script(_first_line(node), _settled(_text(node)), folder, variables)
        moved = re.fullmatch(r"cd\s+(\S+)", _text(node).strip())
        if moved is not None:
            folder = f"{folder}/{shlex.split(moved[1])[0]}"
