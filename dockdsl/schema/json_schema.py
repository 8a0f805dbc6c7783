"""The JSON Schema of the model, generated from the fields of its classes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, get_args, get_origin, get_type_hints
from typing import Literal as OneOf

import attrs

from dockdsl.instructions.comment import Comment
from dockdsl.instructions.heredoc import Heredoc
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.mounts.mount import TYPES, Mount, mount_for
from dockdsl.instructions.registry import KEYWORDS, kind_for
from dockdsl.instructions.run import Run
from dockdsl.instructions.verbatim import Verbatim
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.graph import Edge
from dockdsl.model.stage import Stage
from dockdsl.schema.description import SCHEMA
from dockdsl.schema.fields import Field, fields_of, name_of, types_in
from dockdsl.syntax.flags import declared

Schema = dict[str, Any]

_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}
_TEXT: Schema = {"type": "string"}
_INDEX: Schema = {"type": "integer", "minimum": 0}


def json_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of what `describe` returns.

    It has every instruction that is registered at the time of the call. A required field that takes several values has
    at least one.

    >>> json_schema()["$defs"]["WORKDIR"]["properties"]["path"]
    {'$ref': '#/$defs/word'}

    Source: JSON Schema, draft 2020-12.
    """
    kinds = {name_of(kind): kind for kind in (*map(kind_for, KEYWORDS), Comment, Verbatim) if kind is not None}
    mounts = [kind for kind in map(mount_for, TYPES) if kind is not None]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "The model of a Dockerfile, as dockdsl describes it",
        **_dockerfile(),
        "$defs": {
            **_SHARED,
            "heredoc": _located(Heredoc, _fields(Heredoc)),
            "mount": _about(
                "A mount of RUN; options that are not given are null.", _one_of([kind.TYPE for kind in mounts])
            ),
            **{kind.TYPE: _located(kind, {"type": {"const": kind.TYPE}, **_fields(kind)}) for kind in mounts},
            "instruction": _about(
                "An instruction and its fields; those that are not given are null.", _one_of(sorted(kinds))
            ),
            **{name: _instruction(name, kinds[name]) for name in sorted(kinds)},
            "stage": _located(Stage, {"index": _INDEX, **_fields(Stage), "minimum_syntax": _ref("version")}),
        },
    }


def _dockerfile() -> Schema:
    directives = {each.key: _value(each) for each in fields_of(Dockerfile) if each.key in ("syntax", "escape", "check")}
    version = "A breaking change increases the first number, an additional key the second."
    args = _array(_one_of(["ARG", "COMMENT", "VERBATIM"]))
    return _object(
        {
            "schema": {"const": SCHEMA},
            "version": _about(version, {**_TEXT, "pattern": r"^1\.[0-9]+$"}),
            "directives": _object(directives, "The directives at the top: # syntax=, # escape= and # check=."),
            "minimum_syntax": _ref("version"),
            "args": _about("The variables that FROM lines may use, and comments.", args),
            "stages": _about("The stages in order; empty for a file that has only arguments.", _array(_ref("stage"))),
            "edges": _about("In the order of the stages and their steps.", _array(_ref("edge"))),
            "targets": _about("The stages to build; the last one is the default.", _array(_INDEX)),
            "origin": _ref("origin"),
        }
    )


def _instruction(name: str, kind: type[Instruction]) -> Schema:
    properties = {"instruction": {"const": name}, **_fields(kind)}
    for command in [each for each in fields_of(kind) if "command" in each.types]:
        properties["form"] = _about(
            "shell: text for the shell; exec: a program and its arguments; none: no command.",
            {"enum": ["shell", "exec", *(["none"] if command.optional else [])]},
        )
        properties["joined"] = _about(
            "The text that the shell gets: continued lines are joined, comments between them dropped, heredocs added; "
            "null in the exec form.",
            _nullable(_TEXT),
        )
        if issubclass(kind, Run):
            properties["heredocs"] = _about("The heredocs in the command, in order.", _array(_HEREDOC_OF_RUN))
    return _located(kind, properties)


def _fields(kind: type) -> Schema:
    flags = dict(declared(kind).flags)
    found = {}
    for field in fields_of(kind):
        value = _value(field)
        flag = flags.get(field.attribute.name)
        found[field.key] = (
            value if flag is None else _about(f"The flag --{flag.name}, since frontend {flag.since}.", value)
        )
    return found


def _value(field: Field) -> Schema:
    value = _any_of(field.types)
    if value.get("type") == "array" and field.attribute.default is attrs.NOTHING:
        value = {**value, "minItems": 1}
    return _nullable(value) if field.optional else value


def _any_of(types: Iterable[Any]) -> Schema:
    found = [_type(each) for each in types]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _type(hint: Any) -> Schema:
    if isinstance(hint, str):
        return _ref(hint)
    if get_origin(hint) is OneOf:
        return {"enum": [*get_args(hint)]}
    if get_origin(hint) is tuple:
        item, *rest = get_args(hint)
        if rest != [...]:
            return _ref("pair")
        return _array(_any_of(types_in(item)))
    if hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    if hint in (Instruction, Mount, Heredoc):
        return _ref(hint.__name__.lower())
    return _ref(name_of(hint)) if isinstance(hint, type) and issubclass(hint, Instruction) else {}


def _nullable(value: Schema) -> Schema:
    if "enum" in value:
        return {"enum": [*value["enum"], None]}
    if "type" in value:
        return {**value, "type": [value["type"], "null"]}
    return {"anyOf": [value, {"type": "null"}]}


def _located(kind: type, properties: Schema) -> Schema:
    return _object({**properties, "origin": _ref("origin")}, _summary(kind))


def _object(properties: Schema, description: str = "") -> Schema:
    value = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
    return _about(description, value) if description else value


def _about(description: str, value: Schema) -> Schema:
    return {"description": description, **value}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _one_of(names: Iterable[str]) -> Schema:
    return {"oneOf": [_ref(name) for name in names]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _summary(kind: type) -> str:
    """Return the first sentence of a class's docstring, without the syntax after it."""
    first = (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")
    return first.partition(": ``")[0].removesuffix(".").replace("``", "").replace("`", "") + "."


_HEREDOC_OF_RUN = _object(
    {
        "name": _TEXT,
        "content": _about("The content as it is written, with leading tabs, not expanded.", _TEXT),
        "expand": _about("Whether the shell expands variables in it.", {"type": "boolean"}),
        "strip_tabs": {"type": "boolean"},
    }
)
_WORD = (
    "An operand: text, in which $NAME and ${NAME} are variables; or its parts in order, where every dollar in a "
    "literal part is a plain dollar."
)
_SOURCE = (
    "Where files come from, or the base of a stage: a stage by its index, with its name in `as` if it is given as a "
    "string; or an image or a named context."
)
_COMMAND = (
    "Shell text in its layout, where each line except the last ends with a backslash or is a comment; or the "
    "arguments of the exec form."
)
_FILE = "The path, relative to the current folder if it is below it; a name in <> is not a file."
_SHARED: Schema = {
    "word": {
        "description": _WORD,
        "anyOf": [_TEXT, {**_array({"anyOf": [_TEXT, _object({"literal": _TEXT})]}), "minItems": 1}],
    },
    "origin": _object(
        {"file": _about(_FILE, _TEXT), "line": {"type": "integer", "minimum": 1}},
        "The place where the value was written.",
    ),
    "version": _object(
        {
            "version": {**_TEXT, "pattern": r"^[0-9]+\.[0-9]+$"},
            "labs": _about("Whether its labs channel is needed.", {"type": "boolean"}),
        },
        "A version of the Dockerfile frontend.",
    ),
    "source": {
        "description": _SOURCE,
        "anyOf": [
            _object({"stage": _INDEX}),
            _object({"stage": _INDEX, "as": _TEXT}),
            _object({"image": _ref("word")}),
        ],
    },
    "command": {"description": _COMMAND, "anyOf": [_TEXT, _array(_TEXT)]},
    "pair": _object({"key": _ref("word"), "value": _ref("word")}, "A key and a value."),
    "edge": _object(
        {
            "stage": _INDEX,
            "needs": _INDEX,
            "by": _type(get_type_hints(Edge)["by"]),
            "step": _about("The index of the step; null for the base.", _nullable(_INDEX)),
        },
        "A dependency of a stage on another one: its base, or the source of a copy or a mount.",
    ),
}
