"""Flags: ``--name=value`` from the metadata of a field.

A field of an instruction that is a flag says so: ``attrs.field(default=None, metadata=flag("chown"))``.
The writer, the version table and the reader are driven by that declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import attrs

from dockdsl.syntax.refusal import Refused, refuse_type, shown
from dockdsl.syntax.words import Spelling

_KEY = "dockdsl.flag"


class Flag(NamedTuple):
    """A flag of an instruction."""

    name: str
    """Without the dashes."""
    since: str
    """The frontend version that brought it."""
    spell: Callable[[Spelling, Any], str | None]
    """From the field's value to the flag's value; None for a bare flag."""
    repeatable: bool
    expands: bool
    """Whether BuildKit expands variables in it."""


def flag(
    name: str,
    *,
    since: str = "1.0",
    spell: Callable[[Spelling, Any], str | None],
    repeatable: bool = False,
    expands: bool = False,
) -> Mapping[str, Flag]:
    """Return the metadata that makes a field the flag ``--name``."""
    return {_KEY: Flag(name, since, spell, repeatable, expands)}


_FLAGS: dict[type, tuple[tuple[str, Flag], ...]] = {}


def fields_of(value: Any) -> tuple[attrs.Attribute[Any], ...]:
    """Return the fields of an attrs value."""
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(type(value))
    return fields


def flags_of(value: Any) -> tuple[tuple[str, Flag], ...]:
    """Return the flags of an instruction in the order of its fields: (attribute, flag)."""
    kind = type(value)
    known = _FLAGS.get(kind)
    if known is None:
        declared = [(field.name, field.metadata[_KEY]) for field in fields_of(value) if _KEY in field.metadata]
        known = _FLAGS[kind] = tuple(declared)
    return known


def write_flags(instruction: Any, spelling: Spelling) -> list[str]:
    """Spell the flags of an instruction that are set, in the reference's order."""
    pieces: list[str] = []
    values = instruction.__dict__
    for attribute, declared in flags_of(instruction):
        value = values[attribute]
        if value is None:
            continue
        for each in value if declared.repeatable else (value,):
            try:
                text = declared.spell(spelling, each)
                pieces.append(f"--{declared.name}" if text is None else f"--{declared.name}={spelling.flag(text)}")
            except Refused as refused:
                raise refused.within(f"--{declared.name}") from None
    return pieces


def expanded(spelling: Spelling, value: Any) -> str:
    """Spell a flag value that BuildKit expands."""
    return spelling.lexed(value)


def verbatim(_spelling: Spelling, value: Any) -> str:
    """Spell a flag value that BuildKit takes as it is."""
    if not isinstance(value, str):
        raise refuse_type("value", value, "pass a str")
    return value


def boolean(_spelling: Spelling, value: Any) -> str | None:
    """Spell a switch: bare if it is on."""
    if value is True:
        return None
    if value is False:
        return "false"
    raise refuse_type("value", value, "pass True or False")


def one_of(*choices: str) -> Callable[[Spelling, Any], str]:
    """Return a speller for a closed set of words."""

    def spell(_spelling: Spelling, value: Any) -> str:
        if not isinstance(value, str):
            raise refuse_type("value", value, f"use one of {', '.join(choices)}")
        if value in choices:
            return str.__str__(value)
        raise Refused(f"the value {shown(value)} is unknown", f"use one of {', '.join(choices)}")

    return spell
