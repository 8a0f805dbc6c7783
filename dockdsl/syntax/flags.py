"""Flags: ``--name=value`` from the metadata of a field.

A field of an instruction declares that it is a flag: ``attrs.field(default=None, metadata=flag("chown", OPERAND))``.
Flags are written and read, and the frontend version that they need is found, by that declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from operator import is_not, itemgetter
from typing import Any, NamedTuple

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused, refuse_type
from dockdsl.origins import GENERATED
from dockdsl.syntax.instruction_line import FlagToken, Line
from dockdsl.syntax.misread import Misread
from dockdsl.syntax.words import Spelling

_KEY = "dockdsl.flag"
_CONVERTER = "dockdsl.converter"
_PLAIN = "dockdsl.plain"
_LISTS = (tuple, list)
_TEXT = {str}


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


class Plain(NamedTuple):
    """Which values of an operand are written in a Dockerfile as they are."""

    matches: Callable[[str], object]
    """Whether a text is."""
    kinds: tuple[type, ...]
    """The types of such texts."""
    several: bool
    """Whether the field holds a tuple of them."""


def plain_if(
    matches: Callable[[str], object], *, kinds: tuple[type, ...] = (str,), several: bool = False
) -> Mapping[str, Plain]:
    """Return the metadata of an operand that needs neither conversion nor quotes if it `matches`.

    Most instructions have only such operands and no options: their text is the keyword and the operands, with spaces
    in between.
    """
    return {_PLAIN: Plain(matches, kinds, several)}


def convert_later(_cls: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Take the converters off the fields: `convert` runs them, for values that are not plain.

    To be used as attrs' `field_transformer`.
    """
    return [field if field.converter is None else _without_converter(field) for field in fields]


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
    only_flags: bool
    """Whether all fields with a default are flags."""
    given: Callable[[dict[str, Any], object], Sequence[Option]]
    """Returns the options of a value that differ from their default, in order. If that can be only what is given by its
    name, and the second argument says that nothing is, they are not looked at."""
    plain: Callable[[dict[str, Any]], str | None]
    """Returns the text of the operands if all are plain; where a field has several, they become a tuple."""


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
    needed = [field for field in fields if field.default is attrs.NOTHING]
    optional = [field for field in fields if field not in needed]
    operands = tuple((field.name, field.metadata[_CONVERTER]) for field in needed if _CONVERTER in field.metadata)
    only_flags = len(optional) == len(flags)
    return Declared(fields, names, flags, by_name, unset, operands, only_flags, _given(kind, optional), _plain(needed))


# What is called for each value of a model leaves the loops to the interpreter's own functions, which take least.


def _given(kind: Any, optional: Sequence[attrs.Attribute[Any]]) -> Callable[[dict[str, Any], object], Sequence[Option]]:
    if not optional:
        return lambda _, __: ()
    options = [Option(field.name, field.metadata.get(_CONVERTER), field.metadata.get(_KEY)) for field in optional]
    # The first stands there twice, since of one name alone `itemgetter` makes no tuple.
    values_of = itemgetter(*[field.name for field in optional], optional[0].name)
    defaults = [field.default for field in optional]
    # Others may be given without their names, or be read from the operands; and a constructor of its own may give any.
    is_named = kind.__init__.__code__.co_filename.startswith(GENERATED) and all(
        field.kw_only and _KEY in field.metadata for field in optional
    )
    return lambda values, named: (
        [*compress(options, map(is_not, values_of(values), defaults))] if named or not is_named else ()
    )


def _plain(needed: Sequence[attrs.Attribute[Any]]) -> Callable[[dict[str, Any]], str | None]:
    known = [(field.name, *field.metadata[_PLAIN]) for field in needed if _PLAIN in field.metadata]
    if not known or len(known) < len(needed):
        return lambda _: None
    if len(known) == 1 and not known[0][-1]:
        ((name, matches, kinds, _),) = known

        def plain_one(values: dict[str, Any]) -> str | None:
            operand = values[name]
            return operand if type(operand) in kinds and matches(operand) else None

        return plain_one

    def plain(values: dict[str, Any]) -> str | None:
        operands: list[str] = []
        for name, matches, kinds, several in known:
            operand = values[name]
            if type(operand) in kinds and matches(operand):
                operands.append(operand)
                if several:
                    values[name] = (operand,)
            elif several and type(operand) in _LISTS and are_all(matches, operand):
                operands += operand
                values[name] = tuple(operand)
            else:
                return None
        return " ".join(operands)

    return plain


def are_all(matches: Callable[[str], object], values: Sequence[Any]) -> bool:
    """Whether there are any values, and all are texts that match."""
    return bool(values) and _TEXT.issuperset(map(type, values)) and all(map(matches, values))


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


OPERAND = Kind(Spelling.lexed, Line.word, expands=True)
"""An operand, in which BuildKit expands variables."""
TEXT = Kind(_write_text, lambda _line, value: value)
"""Text that BuildKit takes as it is."""
SWITCH = Kind(_write_switch, _read_switch, reads_empty=True)
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

    return Kind(write, read, reads_empty=True)
