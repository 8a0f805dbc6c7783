"""Flags: ``--name=value`` from the metadata of a field.

A field of an instruction that is a flag says so: ``attrs.field(default=None, metadata=flag("chown"))``.
The writer, the version table and the reader are driven by that declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import attrs

from dockdsl.syntax.instruction_line import FlagToken, Line
from dockdsl.syntax.refusal import Misread, Refused, refuse_type, shown
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
    read: Callable[[Line, Any], Any]
    """From the flag's value in a file to the field's value."""
    repeatable: bool
    expands: bool
    """Whether BuildKit expands variables in it."""


def flag(
    name: str,
    *,
    since: str = "1.0",
    spell: Callable[[Spelling, Any], str | None],
    read: Callable[[Line, Any], Any] | None = None,
    repeatable: bool = False,
    expands: bool = False,
) -> Mapping[str, Flag]:
    """Return the metadata that makes a field the flag ``--name``.

    Without `read`, the value is an operand where it is expanded, and text where it is not.
    """
    if read is None:
        read = _read_expanded if expands else _read_verbatim
    return {_KEY: Flag(name, since, spell, read, repeatable, expands)}


_UNSET: dict[type, dict[str, Any]] = {}
_FLAGS: dict[type, tuple[tuple[str, Flag], ...]] = {}


def fields_of(value: Any) -> tuple[attrs.Attribute[Any], ...]:
    """Return the fields of an attrs value."""
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(type(value))
    return fields


def flags_of(value: Any) -> tuple[tuple[str, Flag], ...]:
    """Return the flags of an instruction in the order of its fields: (attribute, flag)."""
    return _declared(type(value))


def _declared(kind: type) -> tuple[tuple[str, Flag], ...]:
    known = _FLAGS.get(kind)
    if known is None:
        declared = [(field.name, field.metadata[_KEY]) for field in attrs.fields(kind) if _KEY in field.metadata]
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


def read_flags(kind: type, line: Line) -> dict[str, Any]:
    """Read the flags of a line into the values of the fields that declare them."""
    unset = _UNSET.get(kind)
    if unset is None:
        unset = _UNSET[kind] = {attribute: () if each.repeatable else None for attribute, each in _declared(kind)}
    values = unset.copy()
    if not line.flags:
        return values
    declared = _declared(kind)
    by_name = {each.name: (attribute, each) for attribute, each in declared}
    seen = set()
    refused: Refused | None = None
    for token in line.flags:
        name, value = token.name, token.value
        if name not in by_name:
            raise _unknown(kind, token, list(by_name))
        attribute, each = by_name[name]
        if name in seen and not each.repeatable:
            raise Misread(f"the flag --{name} is given twice", "keep one of them", token.start, token.end)
        seen.add(name)
        if value is None and each.read is not read_boolean:
            raise Misread(f"the flag --{name} has no value", f"write --{name}=value", token.start, token.end)
        try:
            # Left empty, a flag says nothing, but for a switch and for a choice.
            must = each.repeatable or each.read is read_boolean or isinstance(each.read, read_one_of)
            said = each.read(line, value) if value or must else None
        except Misread as misread:
            raise Misread(misread.fact, misread.remedy, token.start, token.end) from None
        except Refused as found:
            # What BuildKit refuses in the other flags counts for more.
            refused = found
            continue
        values[attribute] = (*values[attribute], said) if each.repeatable else said
    if refused is not None:
        raise refused
    return values


def _unknown(kind: type, token: FlagToken, known: list[str]) -> Misread:
    from difflib import get_close_matches  # noqa: PLC0415 - only needed for the message

    keyword = kind.KEYWORD  # type: ignore[attr-defined]  # an Instruction, or a Stage
    near = get_close_matches(token.name, known, 1)
    flags = ", ".join(f"--{each}" for each in known) or "no flags"
    remedy = f"did you mean --{near[0]}?" if near else f"{keyword} has {flags}"
    return Misread(f"the flag --{token.name} is unknown", remedy, token.start, token.end)


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


def _read_expanded(line: Line, value: str) -> Any:
    return line.word(value)


def _read_verbatim(_line: Line, value: str) -> str:
    return value


def read_boolean(_line: Line, value: str | None) -> bool:
    """Read a switch."""
    if value is None or value.lower() == "true":
        return True
    if value.lower() == "false":
        return False
    raise Misread(f"the value {value!r} is neither true nor false", "write the flag alone, or =false")


class read_one_of:  # noqa: N801 - used as the functions beside it are
    """A reader for a closed set of words."""

    def __init__(self, *choices: str) -> None:
        self._choices = choices

    def __call__(self, _line: Line, value: str) -> str:
        """Read one of the words."""
        if value in self._choices:
            return value
        raise Misread(f"the value {value!r} is unknown", f"use one of {', '.join(self._choices)}")


def one_of(*choices: str) -> Callable[[Spelling, Any], str]:
    """Return a speller for a closed set of words."""

    def spell(_spelling: Spelling, value: Any) -> str:
        if not isinstance(value, str):
            raise refuse_type("value", value, f"use one of {', '.join(choices)}")
        if value in choices:
            return str.__str__(value)
        raise Refused(f"the value {shown(value)} is unknown", f"use one of {', '.join(choices)}")

    return spell
