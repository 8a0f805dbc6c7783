"""The model as data for other programs: dicts, lists and scalars, of the form that `json_schema` says."""

from __future__ import annotations

from typing import Any

from dockdsl.display import kind_of, shown
from dockdsl.errors import InvalidType
from dockdsl.instructions.heredoc import Heredoc
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.located import Located
from dockdsl.instructions.mounts import Mount
from dockdsl.instructions.run import Run
from dockdsl.instructions.sources import Source, StageBase
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.stage import Stage
from dockdsl.origins import short_path
from dockdsl.schema.fields import fields_of, name_of
from dockdsl.syntax.lines import Document, joined
from dockdsl.syntax.versions import SyntaxVersion
from dockdsl.syntax.words import Literal

SCHEMA = "urn:dockdsl:model:1"
"""The ``$id`` of the schema; its number is the first one of the version."""
VERSION = "1.0"
"""The first number goes up where a reader of the model would trip, the second where it knows less than it could."""


def describe(dockerfile: Dockerfile) -> dict[str, Any]:
    """Return the model of a `Dockerfile` as data that JSON can say.

    All that the values say is in it, under the names that their fields have here: directives, global arguments, stages
    with their steps, targets, which stage needs which, and the file and line where each value was written. The same
    values give the same data, in the same order.

    Raises `InvalidType` for anything but a `Dockerfile`.

    >>> from dockdsl import Copy, Stage
    >>> build = Stage("golang:1.27", name="build")
    >>> data = describe(Dockerfile(Stage("scratch", steps=[Copy("/api", "/api", from_=build)])))
    >>> [(stage["index"], stage["name"], stage["base"]) for stage in data["stages"]]
    [(0, 'build', {'image': 'golang:1.27'}), (1, None, {'image': 'scratch'})]
    >>> data["edges"]
    [{'stage': 1, 'needs': 0, 'by': 'copy', 'step': 0}]

    Source: the Dockerfile reference, "FROM"; JSON Schema, draft 2020-12, for the form of the schema.
    """
    if not isinstance(dockerfile, Dockerfile):
        hint = "pass Dockerfile(stage)" if isinstance(dockerfile, Stage) else "pass a Dockerfile"
        raise InvalidType(f"describe: {shown(dockerfile)} is {kind_of(dockerfile)}; {hint}")
    return _Describer(dockerfile).run()


class _Describer:
    def __init__(self, dockerfile: Dockerfile) -> None:
        self.dockerfile = dockerfile
        self.by_object = {id(stage): index for index, stage in enumerate(dockerfile.stages)}
        self.by_name = {stage.name: index for index, stage in enumerate(dockerfile.stages) if stage.name is not None}

    def run(self) -> dict[str, Any]:
        file = self.dockerfile
        stages = list(enumerate(file.stages))
        graph = file.graph
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "directives": {"syntax": file.frontend, "escape": file.escape, "check": file.check},
            "minimum_syntax": _version(file.minimum_syntax),
            "args": [self.instruction(each) for each in file.args],
            "stages": [self.stage(index, stage) for index, stage in stages],
            "edges": [
                {"stage": graph.index(edge.stage), "needs": graph.index(edge.needs), "by": edge.by, "step": edge.step}
                for edge in graph.edges
            ],
            "targets": [self.index(target) for target in file.targets],
            "origin": _origin(file),
        }

    def index(self, stage: StageBase) -> int:
        """Return the place of a stage; of equal stages under one name, one is kept."""
        found = self.by_object.get(id(stage))
        return self.by_name[stage.name or ""] if found is None else found

    def stage(self, index: int, stage: Stage) -> dict[str, Any]:
        return {
            "index": index,
            "name": stage.name,
            "base": self.base(index, stage),
            "platform": self.value(stage.platform),
            "comment": None if stage.comment is None else self.instruction(stage.comment),
            "minimum_syntax": _version(stage.minimum_syntax),
            "steps": [self.instruction(step) for step in stage.steps],
            "origin": _origin(stage),
        }

    def base(self, index: int, stage: Stage) -> dict[str, Any]:
        base = stage.base
        if isinstance(base, StageBase):
            return {"stage": self.index(base)}
        # What a stage below is called is an image here, and so is the stage's own name.
        named = self.by_name.get(base, index) if isinstance(base, str) else index
        return {"stage": named, "as": str(base)} if named < index else {"image": self.value(base)}

    def source(self, source: Source) -> dict[str, Any]:
        if isinstance(source, StageBase):
            return {"stage": self.index(source)}
        named = self.by_name.get(source.lower())
        return {"image": str(source)} if named is None else {"stage": named, "as": str(source)}

    def instruction(self, value: Instruction) -> dict[str, Any]:
        data: dict[str, Any] = {"instruction": name_of(type(value)), **self.fields(value)}
        for field in fields_of(type(value)):
            if "command" in field.types:
                command = data[field.key]
                data["form"] = "none" if command is None else "shell" if isinstance(command, str) else "exec"
                data["joined"], heredocs = joined(command) if isinstance(command, str) else (None, [])
                if isinstance(value, Run):
                    data["heredocs"] = [_heredoc(each) for each in heredocs]
        data["origin"] = _origin(value)
        return data

    def fields(self, value: Located) -> dict[str, Any]:
        # The sources of an instruction that is kept are names in another build.
        inside = _Elsewhere(self.dockerfile) if isinstance(value, Instruction) and value.nested() else self
        data: dict[str, Any] = {}
        for field in fields_of(type(value)):
            given = getattr(value, field.attribute.name)
            is_source = given is not None and "source" in field.types
            data[field.key] = inside.source(given) if is_source else inside.value(given)
        return data

    def value(self, value: Any) -> Any:
        if isinstance(value, Literal):
            return [{"literal": text} if exact else text for exact, text in value.parts]
        if isinstance(value, Instruction):
            return self.instruction(value)
        if isinstance(value, Mount):
            return {"type": value.TYPE, **self.fields(value), "origin": _origin(value)}
        if isinstance(value, Heredoc):
            return {**self.fields(value), "origin": _origin(value)}
        if isinstance(value, tuple):
            return [self.pair(*each) if isinstance(each, tuple) else self.value(each) for each in value]
        return str(value) if isinstance(value, str) else value

    def pair(self, key: Any, value: Any) -> dict[str, Any]:
        return {"key": self.value(key), "value": self.value(value)}


class _Elsewhere(_Describer):
    """What is said of another build: no name in it is that of a stage here."""

    def source(self, source: Source) -> dict[str, Any]:
        return {"image": str(source)}


def _heredoc(document: Document) -> dict[str, Any]:
    word = document.word
    content = document.content
    return {"name": word.name, "content": content, "expand": not word.quoted, "strip_tabs": word.strip_tabs}


def _version(version: SyntaxVersion) -> dict[str, Any]:
    return {"version": version.removesuffix("-labs"), "labs": version.labs}


def _origin(value: Located) -> dict[str, Any]:
    origin = value.origin
    return {"file": short_path(origin.path), "line": origin.line}
