"""What the fields of a value are called in the data, and which form they have there: read from their types."""

from __future__ import annotations

from types import CodeType, NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import attrs

from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.sources import StageBase
from dockdsl.syntax.flags import declared
from dockdsl.syntax.words import Literal

_ARGUMENTS = tuple[str, ...]
# What is one operand, though its type is a union.
_OPERANDS = (
    ("source", {StageBase, str}, {StageBase, str, Literal}),
    ("word", {Literal, str}, {Literal, str}),
    ("command", {_ARGUMENTS, str}, {_ARGUMENTS, str}),
)


class Field(NamedTuple):
    """A field of an instruction, a mount, a heredoc or a stage."""

    attribute: attrs.Attribute[Any]
    key: str
    """What it is called in the data."""
    types: tuple[Any, ...]
    """The types that it may have: a class, a tuple or a choice, or the name of an operand."""
    optional: bool
    """Whether it may be null."""


_known: dict[type, tuple[Field, ...]] = {}


def fields_of(kind: type) -> tuple[Field, ...]:
    """Return the fields of a class in their order."""
    if kind not in _known:
        # Of what is kept beside the fields, the types are not all imported where they are named.
        hints = get_type_hints(kind, localns={"CodeType": CodeType})
        _known[kind] = tuple([_field(each, types_in(hints[each.name])) for each in declared(kind).fields])
    return _known[kind]


def _field(attribute: attrs.Attribute[Any], types: tuple[Any, ...]) -> Field:
    # An instruction is called by its keyword under that name, so the one in ONBUILD needs another.
    key = "trigger" if attribute.name == "instruction" else attribute.name.rstrip("_")
    return Field(attribute, key, tuple([each for each in types if each is not NoneType]), NoneType in types)


def types_in(hint: Any) -> tuple[Any, ...]:
    """Return the types that a hint allows, the types of one operand as its name."""
    if get_origin(hint) not in (Union, UnionType):
        return (hint,)
    types = list(get_args(hint))
    for name, required, members in _OPERANDS:
        if required <= set(types):
            types = [name, *[each for each in types if each not in members]]
    return tuple(types)


def name_of(kind: type[Instruction]) -> str:
    """Return what an instruction is called: its keyword, or the name of a class that has none."""
    return kind.KEYWORD or kind.__name__.upper()
