"""Flags: ``--name=value`` from the metadata of a field.

A field of an instruction declares that it is a flag: ``attrs.field(default=None, metadata=flag("chown", OPERAND))``.
Flags are written and read, and the frontend version that they need is found, by that declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused, refuse_type
from dockdsl.syntax.instruction_line import FlagToken, Line
from dockdsl.syntax.misread import Misread
from dockdsl.syntax.words import Spelling, is_plain

_KEY = "dockdsl.flag"
_CONVERTER = "dockdsl.converter"
_BESIDE = "dockdsl.beside"
BESIDE = {_BESIDE: True}
"""The metadata of a field that is not part of the text."""


class Kind(NamedTuple):
    """How the values of a flag are written and read."""

    write: Callable[[Spelling, Any], str | None]
    """From the field's value to the flag's value; None for a flag without one."""
    read: Callable[[Line, Any], Any]
    """From the flag's value in a file to the field's value."""
    expands: bool = False
    """Whether BuildKit expands variables in it."""
    reads_empty: bool = False
    """Whether the flag has a meaning without a value."""
    plain: Callable[[Any], str | None] | None = None
    """From a field's value that needs neither conversion nor quotes nor a further check to what stands behind the
    flag's name, ``=value`` or nothing; None for any other value."""


class Flag(NamedTuple):
    """A flag of an instruction."""

    name: str
    """Without the dashes."""
    kind: Kind
    since: str
    """The frontend version that introduced it."""
    repeatable: bool


def flag(name: str, kind: Kind, *, since: str = "1.0", repeatable: bool = False) -> Mapping[str, Flag]:
    """Return the metadata that makes a field the flag ``--name``."""
    return {_KEY: Flag(name, kind, since, repeatable)}


def flag_of(field: attrs.Attribute[Any]) -> Flag | None:
    """Return the flag that a field declares."""
    return field.metadata.get(_KEY)


def convert_later(_cls: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Take the converters off the fields of a text: `convert` runs them, for values that are not plain.

    To be used as attrs' `field_transformer`.
    """
    return [field if field.converter is None or is_beside(field) else _without_converter(field) for field in fields]


def is_beside(field: attrs.Attribute[Any]) -> bool:
    """Whether a field is not part of the text."""
    return _BESIDE in field.metadata


def _without_converter(field: attrs.Attribute[Any]) -> attrs.Attribute[Any]:
    return field.evolve(converter=None, metadata={**field.metadata, _CONVERTER: field.converter})


class Option(NamedTuple):
    """A field with a default."""

    name: str
    converter: Callable[[Any], Any] | None
    flag: Flag | None


class Declared(NamedTuple):
    """What the fields of a class declare."""

    fields: tuple[attrs.Attribute[Any], ...]
    """The fields that the constructor takes, in order."""
    names: tuple[str, ...]
    """Their names."""
    flags: tuple[tuple[str, Flag], ...]
    """Those that are flags: (attribute, flag)."""
    by_name: dict[str, tuple[str, Flag]]
    """The same by the flag's name."""
    unset: dict[str, Any]
    """The values of flags that are not given."""
    operands: tuple[tuple[str, Callable[[Any], Any]], ...]
    """The fields without a default that have a converter: (attribute, converter)."""
    options: tuple[tuple[Option, Any], ...]
    """The fields with a default, and that."""

    def given(self, values: dict[str, Any]) -> list[Option]:
        """Return the options of a value that differ from their default, in order."""
        return [option for option, default in self.options if values[option.name] is not default]


class _Known(dict[type, Declared]):
    def __missing__(self, kind: type) -> Declared:
        self[kind] = found = _declared(kind)
        return found


declared = _Known().__getitem__
"""Returns what the fields of an attrs class declare."""


def _declared(kind: type) -> Declared:
    fields = tuple(field for field in attrs.fields(kind) if field.init)
    names = tuple(field.name for field in fields)
    flags = tuple((field.name, field.metadata[_KEY]) for field in fields if _KEY in field.metadata)
    unset = {attribute: () if each.repeatable else None for attribute, each in flags}
    by_name = {each.name: (attribute, each) for attribute, each in flags}
    operands = tuple(
        (field.name, field.metadata[_CONVERTER])
        for field in fields
        if field.default is attrs.NOTHING and _CONVERTER in field.metadata
    )
    options = tuple(
        (Option(field.name, field.metadata.get(_CONVERTER), flag_of(field)), field.default)
        for field in fields
        if field.default is not attrs.NOTHING
    )
    return Declared(fields, names, flags, by_name, unset, operands, options)


def convert(values: dict[str, Any], operands: Iterable[tuple[str, Any]], options: Iterable[Option]) -> None:
    """Convert the operands and the given options of a new value."""
    for name, converter in operands:
        values[name] = converter(values[name])
    for name, converter, _ in options:
        if converter is not None:
            values[name] = converter(values[name])


def operand_values(instruction: Any) -> Iterator[Any]:
    """Yield the values of the fields that BuildKit expands: all except flags that are text."""
    kind = declared(type(instruction))
    verbatim_flags = {name for name, each in kind.flags if not each.kind.expands}
    for field in kind.fields:
        if field.name not in verbatim_flags:
            yield getattr(instruction, field.name)


def write_flags(instruction: Any, spelling: Spelling, given: Iterable[Option]) -> list[str]:
    """Write those of the given options that are flags, in the order of the fields."""
    pieces: list[str] = []
    for attribute, _, each in given:
        value = getattr(instruction, attribute)
        if each is None or value is None:
            continue
        for one in value if each.repeatable else (value,):
            try:
                text = each.kind.write(spelling, one)
                pieces.append(f"--{each.name}" if text is None else f"--{each.name}={spelling.flag(text)}")
            except Refused as refused:
                raise refused.within(f"--{each.name}") from None
    return pieces


def read_flags(kind: type, line: Line) -> dict[str, Any]:
    """Read the flags of a line into the values of the fields that declare them."""
    known = declared(kind)
    values = known.unset.copy()
    seen = set()
    refused: Refused | None = None
    for token in line.flags:
        name, value = token.name, token.value
        if name not in known.by_name:
            raise _unknown(kind, token, list(known.by_name))
        attribute, each = known.by_name[name]
        if name in seen and not each.repeatable:
            raise Misread(f"the flag --{name} is given twice", "keep one of them", token.start, token.end)
        seen.add(name)
        if value is None and each.kind is not SWITCH:
            raise Misread(f"the flag --{name} has no value", f"write --{name}=value", token.start, token.end)
        try:
            # Most flags have no meaning without a value.
            said = each.kind.read(line, value) if value or each.repeatable or each.kind.reads_empty else None
        except Misread as misread:
            raise Misread(misread.fact, misread.remedy, token.start, token.end) from None
        except Refused as found:
            # What BuildKit refuses in other flags takes precedence.
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


def _write_text(_spelling: Spelling, value: Any) -> str:
    if not isinstance(value, str):
        raise refuse_type("value", value, "pass a str")
    return value


def _write_switch(_spelling: Spelling, value: Any) -> str | None:
    if not isinstance(value, bool):
        raise refuse_type("value", value, "pass True or False")
    return None if value else "false"


def _read_switch(_line: Line, value: str | None) -> bool:
    if value is None or value.lower() == "true":
        return True
    if value.lower() == "false":
        return False
    raise Misread(f"the value {value!r} is neither true nor false", "write the flag alone, or =false")


def _plain_operand(value: Any) -> str | None:
    return f"={value}" if type(value) is str and is_plain(value) else None


OPERAND = Kind(Spelling.lexed, Line.word, expands=True, plain=_plain_operand)
"""An operand, in which BuildKit expands variables."""
TEXT = Kind(_write_text, lambda _line, value: value, plain=_plain_operand)
"""Text that BuildKit takes as it is."""
SWITCH = Kind(_write_switch, _read_switch, reads_empty=True, plain=lambda value: "" if value is True else None)
"""True or False."""


def one_of(*choices: str) -> Kind:
    """Return the kind of a flag that has one of several words."""
    remedy = f"use one of {', '.join(choices)}"

    def write(_spelling: Spelling, value: Any) -> str:
        if not isinstance(value, str):
            raise refuse_type("value", value, remedy)
        if value in choices:
            return str.__str__(value)
        raise Refused(f"the value {shown(value)} is unknown", remedy)

    def read(_line: Line, value: str) -> str:
        if value in choices:
            return value
        raise Misread(f"the value {value!r} is unknown", remedy)

    plain = {each: f"={each}" for each in choices}.get
    return Kind(write, read, reads_empty=True, plain=lambda value: plain(value) if type(value) is str else None)
