"""The model of a Dockerfile as data for other programs: dicts, lists and scalars that match `json_schema`."""

from __future__ import annotations

from typing import Any
from typing import Literal as OneOf

from dockdsl.instructions.heredoc import Heredoc
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.located import Located
from dockdsl.instructions.mounts.mount import Mount
from dockdsl.instructions.run import Run
from dockdsl.instructions.sources import Reference, Source, StageBase
from dockdsl.model.dockerfile import Dockerfile, checked
from dockdsl.model.graph import StageGraph
from dockdsl.model.stage import Stage
from dockdsl.origins import short_path
from dockdsl.schema.fields import fields_of, name_of
from dockdsl.syntax.lines import Document, joined
from dockdsl.syntax.versions import SyntaxVersion
from dockdsl.syntax.words import Literal

SCHEMA = "urn:dockdsl:model:1"
"""The ``$id`` of the schema, with the first number of the version."""
VERSION = "1.0"
"""A breaking change increases the first number, an additional key the second."""


def describe(dockerfile: Dockerfile) -> dict[str, Any]:
    """Return the model of a `Dockerfile` as data that can be written as JSON.

    It has everything that is in the model, under the names of the fields: directives, global arguments, stages with
    their steps, targets, dependencies between stages, and the file and line where each value was written. Equal values
    give equal data, in the same order.

    Raises `InvalidType` if `dockerfile` is not a `Dockerfile`.

    >>> from dockdsl import Copy, Stage
    >>> build = Stage("golang:1.27", name="build")
    >>> data = describe(Dockerfile(Stage("scratch", steps=[Copy("/api", "/api", from_=build)])))
    >>> [(stage["index"], stage["name"], stage["base"]) for stage in data["stages"]]
    [(0, 'build', {'image': 'golang:1.27'}), (1, None, {'image': 'scratch'})]
    >>> data["edges"]
    [{'stage': 1, 'needs': 0, 'by': 'copy', 'step': 0}]

    Source: the Dockerfile reference, "FROM"; JSON Schema, draft 2020-12, for the form of the schema.
    """
    graph = checked(dockerfile, "describe").graph
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "directives": {"syntax": dockerfile.frontend, "escape": dockerfile.escape, "check": dockerfile.check},
        "minimum_syntax": _version(dockerfile.minimum_syntax),
        "args": [_Describer().instruction(each) for each in dockerfile.args],
        "stages": [
            {
                "index": index,
                **_Describer(graph, stage).fields(stage),
                "minimum_syntax": _version(stage.minimum_syntax),
                "origin": _origin(stage),
            }
            for index, stage in enumerate(dockerfile.stages)
        ],
        "edges": [
            {"stage": graph.index(edge.stage), "needs": graph.index(edge.needs), "by": edge.by, "step": edge.step}
            for edge in graph.edges
        ],
        "targets": [graph.index(target) for target in dockerfile.targets],
        "origin": _origin(dockerfile),
    }


class _Describer:
    """Describes what is in a stage; without one, no name is taken for that of a stage."""

    def __init__(self, graph: StageGraph | None = None, stage: Stage | None = None) -> None:
        self.graph = graph
        self.stage = stage

    def source(self, source: Source, by: OneOf["base", "copy"]) -> dict[str, Any]:
        known = None
        if self.graph is not None and self.stage is not None:
            known = self.graph.resolve(Reference(source, by), self.stage)
        if self.graph is None or known is None:
            return {"image": self.value(source)}
        index = {"stage": self.graph.index(known)}
        return index if isinstance(source, StageBase) else {**index, "as": str(source)}

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
        # The names in an ONBUILD belong to another build.
        inside = _Describer() if isinstance(value, Instruction) and value.nested() else self
        data: dict[str, Any] = {}
        for field in fields_of(type(value)):
            given = getattr(value, field.attribute.name)
            is_source = given is not None and "source" in field.types
            by: OneOf["base", "copy"] = "base" if isinstance(value, Stage) else "copy"
            data[field.key] = inside.source(given, by) if is_source else inside.value(given)
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


def _heredoc(document: Document) -> dict[str, Any]:
    word = document.word
    content = document.content
    return {"name": word.name, "content": content, "expand": not word.quoted, "strip_tabs": word.strip_tabs}


def _version(version: SyntaxVersion) -> dict[str, Any]:
    return {"version": version.removesuffix("-labs"), "labs": version.labs}


def _origin(value: Located) -> dict[str, Any]:
    origin = value.origin
    return {"file": short_path(origin.path), "line": origin.line}
