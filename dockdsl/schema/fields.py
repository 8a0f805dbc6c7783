"""The names and types of fields in the data, which are derived from their declarations."""

from __future__ import annotations

from types import CodeType, NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import attrs

from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.sources import StageBase
from dockdsl.syntax.flags import declared
from dockdsl.syntax.words import Literal

_ARGUMENTS = tuple[str, ...]
# Unions that are the type of a single operand.
_OPERANDS = (
    ("source", {StageBase, str}, {StageBase, str, Literal}),
    ("word", {Literal, str}, {Literal, str}),
    ("command", {_ARGUMENTS, str}, {_ARGUMENTS, str}),
)


class Field(NamedTuple):
    """A field of an instruction, a mount, a heredoc or a stage."""

    attribute: attrs.Attribute[Any]
    key: str
    """Its name in the data."""
    types: tuple[Any, ...]
    """The types that it may have: a class, a tuple, a choice, or the name of a kind of operand."""
    optional: bool
    """Whether it may be null."""


_known: dict[type, tuple[Field, ...]] = {}


def fields_of(kind: type) -> tuple[Field, ...]:
    """Return the fields of a class in their order."""
    if kind not in _known:
        # `CodeType` is imported for type checkers only.
        hints = get_type_hints(kind, localns={"CodeType": CodeType})
        _known[kind] = tuple([_field(each, types_in(hints[each.name])) for each in declared(kind).fields])
    return _known[kind]


def _field(attribute: attrs.Attribute[Any], types: tuple[Any, ...]) -> Field:
    # The key "instruction" has the keyword, so the instruction in an ONBUILD needs another one.
    key = "trigger" if attribute.name == "instruction" else attribute.name.rstrip("_")
    return Field(attribute, key, tuple([each for each in types if each is not NoneType]), NoneType in types)


def types_in(hint: Any) -> tuple[Any, ...]:
    """Return the types that a hint allows; a kind of operand is one type."""
    if get_origin(hint) not in (Union, UnionType):
        return (hint,)
    types = list(get_args(hint))
    for name, required, members in _OPERANDS:
        if required <= set(types):
            types = [name, *[each for each in types if each not in members]]
    return tuple(types)


def name_of(kind: type[Instruction]) -> str:
    """Return the name of an instruction: its keyword, or the name of its class if it has none."""
    return kind.KEYWORD or kind.__name__.upper()
