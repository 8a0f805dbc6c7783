"""Operands that `Image` and the checks share: a converter for each kind, and what names class and field in messages.

A converter takes the value alone, and refuses what it does not accept with `Refused`. A class that is made with `named`
adds its own name and that of the field: ``Image: port: 70000 is out of range; pass a number from 1 to 65535``.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import attrs

from dockdsl.display import kind_of, shown
from dockdsl.errors import Refused, refuse_type
from dockdsl.origins import Origin, call_sites, origin_of

Pairs = tuple[tuple[str, str], ...]
"""A mapping of strings that cannot change: its pairs, in its order."""
PairsLike = Mapping[str, str] | Pairs | None
"""What is accepted as pairs."""
TextsLike = str | Iterable[str] | None
"""What is accepted as several strings."""
LONGEST_TIME = 7 * 24 * 3600
"""Seconds that anything may take at most: a week, since the system's own clocks do not accept any number."""
PATTERN_ERRORS = (re.error, RecursionError, OverflowError)
"""What `re.compile` raises; the last two for groups nested too deep, and for repetitions beyond its numbers."""
_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_NUL = "which no program can be given"
_T = TypeVar("_T")


def here() -> Origin:
    """Return the place of the nearest caller outside dockdsl."""
    return origin_of(call_sites())


def named(cls: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Let a class raise what its converters refuse, under the names of class and field: attrs' ``field_transformer``.

    >>> @attrs.frozen(field_transformer=named)
    ... class Wait:
    ...     limit: float = attrs.field(converter=seconds)
    >>> Wait(-1)
    Traceback (most recent call last):
    dockdsl.errors.InvalidValue: Wait: limit: -1 is out of range; pass seconds above 0, at most 604800 (a week)
    """
    return named_as(cls.__name__)(cls, fields)


def named_as(construct: str) -> Callable[[type, list[attrs.Attribute[Any]]], list[attrs.Attribute[Any]]]:
    """Return the same as `named` under a name of its own, for a class whose users know a subclass."""
    return lambda _, fields: [
        each if each.converter is None else each.evolve(converter=_naming(construct, each)) for each in fields
    ]


def _naming(construct: str, field: attrs.Attribute[Any]) -> Callable[[Any], Any]:
    # One of a base class may have the name of that already.
    converter: Any = getattr(field.converter, "__wrapped__", field.converter)
    convert: Any = partial(checked, f"{construct}: {field.name}", converter)
    convert.__wrapped__ = converter
    return convert  # type: ignore[no-any-return]  # a partial object takes any attribute


def repr_of(value: Any) -> str:
    """Return the repr that attrs would give a class: one function for all, since to make one for each takes time."""
    shown_by = [
        (each.name, repr if each.repr is True else each.repr) for each in attrs.fields(type(value)) if each.repr
    ]
    given = [f"{name}={show(getattr(value, name))}" for name, show in shown_by]
    return f"{type(value).__qualname__.rpartition('>.')[2]}({', '.join(given)})"


def checked(construct: str, converter: Callable[[Any], _T], value: Any) -> _T:
    """Return what a converter makes of a value; raise what it refuses as an error of `construct`."""
    try:
        return converter(value)
    except Refused as refused:
        raise refused.error(construct) from None


@contextlib.contextmanager
def part(name: str) -> Iterator[None]:
    """Add the part of a value to what is refused in the block."""
    try:
        yield
    except Refused as refused:
        raise refused.within(name) from None


def any_text(value: str) -> str:
    """Return a string, which may be empty; refuse NUL."""
    if not isinstance(value, str):
        raise refuse_type("", value, "pass a str")
    if "\0" in value:
        raise Refused(f"{shown(value)} has a NUL character, {_NUL}", "take it out")
    refuse_surrogates(value)
    return value


def refuse_surrogates(value: str) -> None:
    """Refuse text that no program can be given as it is: half of a surrogate pair has no encoding."""
    try:
        if not value.isascii():
            value.encode()
    except UnicodeEncodeError:
        # It is not shown: it may be the value of a variable, and secret.
        raise Refused("a lone surrogate is not a Unicode character", "decode the text first") from None


def text(value: str) -> str:
    """Return a string that is not empty."""
    if not any_text(value):
        raise Refused("'' is empty", "leave it out, or give it a value")
    return value


# Pyright cannot see through `attrs.converters.optional`, and mypy's plugin takes no other converter that is computed.
def optional_text(value: str | None) -> str | None:
    """Return a string that is not empty, or None."""
    return None if value is None else text(value)


def optional_any_text(value: str | None) -> str | None:
    """Return a string, which may be empty, or None."""
    return None if value is None else any_text(value)


def texts(value: TextsLike) -> tuple[str, ...]:
    """Return one string or several as a tuple."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (text(value),)
    if not isinstance(value, Iterable) or isinstance(value, (bytes, Mapping)):
        raise refuse_type("", value, "pass a str or several")
    return tuple(text(each) for each in value)


def one_or_several(value: Any) -> tuple[Any, ...]:
    """Return the elements of an iterable, or anything else as the only element."""
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else (value,)


def pairs(value: PairsLike) -> Pairs:
    """Return a mapping of strings as pairs; refuse names that have an equals sign."""
    found = texts_by_name(value)
    for name, _ in found:
        if "=" in name:
            raise Refused(f"the name {shown(name)} has an equals sign", "put what follows it into the value")
    return found


def names_alone(value: Pairs) -> str:
    """Return the repr of pairs whose values may be secrets: tracebacks show it.

    >>> names_alone((("TOKEN", "hunter22"),))
    "(('TOKEN', …),)"
    """
    return f"({' '.join(f'({name!r}, …),' for name, _ in value)})"


def texts_by_name(value: PairsLike) -> Pairs:
    """Return a mapping of strings as pairs; refuse names that are empty."""
    found = entries(value)
    for name, each in found:
        with part("a name"):
            text(name)
        text_of(name, each)
    return found


def text_of(name: str, value: str) -> str:
    """Return the text that goes by a name. It may be a secret, so that no message shows it."""
    if not isinstance(value, str):
        raise Refused(f"the value of {name} is {kind_of(value)}", "pass a str", wrong_type=True)
    if "\0" in value:
        raise Refused(f"the value of {name} has a NUL character, {_NUL}", "take it out")
    with part(f"the value of {name}"):
        refuse_surrogates(value)
    return value


def entries(value: Mapping[str, Any] | tuple[tuple[str, Any], ...] | None) -> tuple[tuple[str, Any], ...]:
    """Return the pairs of a mapping, or pairs as they are."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return tuple(value.items())
    if isinstance(value, tuple) and all(isinstance(each, tuple) and len(each) == 2 for each in value):
        return value
    raise Refused(f"{kind_of(value)} is not a mapping", "pass a dict of str", wrong_type=True)


def flag(value: bool) -> bool:
    """Return True or False."""
    if not isinstance(value, bool):
        raise refuse_type("", value, "pass True or False")
    return value


def seconds(value: float) -> float:
    """Return a number of seconds above 0, a week at most."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refuse_type("", value, "pass a number of seconds")
    if not 0 < value <= LONGEST_TIME:
        raise Refused(f"{shown(value)} is out of range", f"pass seconds above 0, at most {LONGEST_TIME} (a week)")
    return value


def whole(value: int, lowest: int, highest: int) -> int:
    """Return an integer from `lowest` to `highest`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise refuse_type("", value, "pass an int")
    if not lowest <= value <= highest:
        raise Refused(f"{shown(value)} is out of range", f"pass a number from {lowest} to {highest}")
    return int(value)


def one_of(value: _T, choices: Iterable[str]) -> _T:
    """Return one of several words."""
    if not isinstance(value, str) or value not in choices:
        raise Refused(f"{shown(value)} is not one of {', '.join(choices)}", "write one of them")
    return value


def url_path(value: str) -> str:
    """Return the path and query of a URL."""
    if not text(value).startswith("/"):
        raise Refused(f"{shown(value)} does not start with a slash", "start it with one")
    return url_text(value)


def url_text(value: str) -> str:
    """Return a part of a URL; refuse what a request cannot carry."""
    if not all("!" <= character <= "~" for character in text(value)) or "#" in value:
        raise Refused(f"{shown(value)} cannot be sent in a request", "write such characters as %20 and so on")
    return value


def pattern(value: str) -> str:
    """Return a regular expression."""
    try:
        re.compile(text(value))
    except PATTERN_ERRORS as error:
        raise Refused(f"{shown(value)} is not a regular expression ({error})", "fix it, or re.escape it") from None
    return value


def optional_pattern(value: str | None) -> str | None:
    """Return a regular expression, or None."""
    return None if value is None else pattern(value)


def patterns(value: TextsLike) -> tuple[str, ...]:
    """Return one regular expression or several as a tuple."""
    return tuple(pattern(each) for each in texts(value))


def argv(value: Iterable[str]) -> tuple[str, ...]:
    """Return a program with its arguments, or arguments alone, as a tuple, which may be empty."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise refuse_type("", value, "pass a list of arguments")
    return tuple(any_text(each) for each in value)


def command(value: Iterable[str]) -> tuple[str, ...]:
    """Return a program with its arguments as a tuple."""
    found = argv(value)
    if not found:
        raise Refused("no program is given", "name one")
    return found


def size(value: int | str) -> int:
    """Return a number of bytes from an int or from text with a unit.

    >>> size("10MB"), size("1.5 MiB"), size(7)
    (10000000, 1572864, 7)
    """
    if isinstance(value, str):
        found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,9})?) ?([A-Za-z]{1,3})", value, re.ASCII)
        if found is None or found[2] not in _UNITS:
            raise Refused(f"{shown(value)} is not a size", f'write it as "10MB", with one of {", ".join(_UNITS)}')
        return int(float(found[1]) * _UNITS[found[2]])
    return whole(value, 0, 2**63 - 1)


def optional_size(value: int | str | None) -> int | None:
    """Return a number of bytes, or None."""
    return None if value is None else size(value)
