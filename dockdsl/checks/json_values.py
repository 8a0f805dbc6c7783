"""JSON as an `HttpCheck` expects and sends it: values that nobody else can change, and how a body differs from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from types import EllipsisType
from typing import Any, TypeAlias

import attrs

from dockdsl import operands as operand
from dockdsl.display import cut, kind_of, shown
from dockdsl.errors import Refused

JsonLike: TypeAlias = (
    "bool | int | float | str | Saved | EllipsisType | Sequence[JsonLike] | Mapping[str, JsonLike] | None"
)
"""What is accepted as JSON: ``...`` stands for any value."""
Json = Any
"""JSON as it is kept: of lists and dicts, which are copies."""
_DEEPEST = 100
"""How many lists and objects may be inside one another."""
_MOST_DIFFERENCES = 5
_LONGEST_SHOWN = 80


def name_of_saved(value: str) -> str:
    """Return a name for a saved value."""
    if not operand.text(value).isidentifier():
        raise Refused(f"{shown(value)} is not a name", "write letters, digits and _")
    return value


@attrs.frozen(field_transformer=operand.named)
class Saved:
    """In the JSON of an `HttpCheck`: the value that a check before it saved under this name, with its type.

    >>> from dockdsl import HttpCheck
    >>> HttpCheck("PUT", "/notes/{id}", send_json={"copy_of": Saved("id")}).uses
    ('id',)
    """

    name: str = attrs.field(converter=name_of_saved)


def expected_json(value: JsonLike) -> Json:
    """Return a copy of a JSON value, which may have ``...`` and `Saved` in it; refuse what is not JSON."""
    return _copied(value, "$", 0)


def sent_json(value: JsonLike) -> Json:
    """Return a copy of a JSON value, which may have `Saved` in it, or ``...`` for none; refuse what is not JSON."""
    if value is ...:
        return value
    copied = _copied(value, "$", 0)
    if any(each is ... for each in _leaves(copied)):
        raise Refused("it has a ..., which can be expected and not be sent", "write a value", wrong_type=True)
    return copied


def _copied(value: Any, place: str, depth: int) -> Json:
    if value is None or value is ... or isinstance(value, (str, bool, Saved)):
        return value
    if depth > _DEEPEST:
        raise Refused(f"it is nested more than {_DEEPEST} deep, or contains itself", "make it flatter")
    if isinstance(value, int):
        try:
            str(value)
        except ValueError:
            fact = f"{place} is {shown(value)}, which Python does not write as JSON"
            raise Refused(fact, "pass a smaller number") from None
        return value
    if isinstance(value, float):
        if not isfinite(value):
            raise Refused(f"{place} is {value}, which JSON does not have", "pass a finite number")
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise Refused(f"the key {shown(key)} of {place} is {kind_of(key)}", "pass a str", wrong_type=True)
        return {key: _copied(each, f"{place}.{key}", depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(each, f"{place}[{index}]", depth + 1) for index, each in enumerate(value)]
    raise Refused(f"{place} is {kind_of(value)}, which JSON does not have", "convert it", wrong_type=True)


def _leaves(value: Json) -> Iterator[Json]:
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _leaves(each)
    else:
        yield value


def names_in_json(value: Json) -> list[str]:
    """Return the names of the saved values in a JSON value."""
    return [each.name for each in _leaves(value) if isinstance(each, Saved)]


def with_saved(value: Json, saved: Mapping[str, Json]) -> Json:
    """Return a JSON value with what was saved in the place of each `Saved`."""
    if isinstance(value, Saved):
        return saved[value.name]
    if isinstance(value, dict):
        return {key: with_saved(each, saved) for key, each in value.items()}
    return [with_saved(each, saved) for each in value] if isinstance(value, list) else value


def parsed(body: bytes) -> Json:
    """Read JSON. Raises `ValueError` or `RecursionError` for what is not JSON."""
    from json import loads  # noqa: PLC0415 - a check is light until it is run

    return loads(body, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Json:
    """Refuse what Python reads and JSON does not have: NaN and Infinity."""
    raise ValueError(name)


def at_pointer(value: Json, pointer: str) -> Json:
    """Return what a JSON pointer leads to. Raises `LookupError` and `ValueError` where there is nothing."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            if not (key.isascii() and key.isdecimal()):
                raise KeyError(key)
            value = value[int(key)]
        elif isinstance(value, dict):
            value = value[key]
        else:
            raise KeyError(key)
    return value


def differences(expected: Json, found: Json) -> list[str]:
    """Return where `found` lacks what `expected` has, a line each; the first few stand for many.

    >>> differences({"status": "ok", "uptime": ...}, {"status": "down", "uptime": 3, "more": True})
    ['$.status: expected "ok", got "down"']
    """
    wrong = list(_differences(expected, found, "$"))
    more = len(wrong) - _MOST_DIFFERENCES
    return wrong if more <= 0 else [*wrong[:_MOST_DIFFERENCES], f"and {more} more differences"]


def _differences(expected: Json, found: Json, place: str) -> Iterator[str]:
    if expected is ...:
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            if key in found:
                yield from _differences(value, found[key], f"{place}.{key}")
            else:
                yield f"{place}.{key}: expected {json_shown(value)}, got nothing"
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{place}: expected {len(expected)} elements, got {len(found)}"
        for index, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from _differences(one, other, f"{place}[{index}]")
    # In JSON, true is not 1.
    elif isinstance(expected, bool) is not isinstance(found, bool) or expected != found:
        yield f"{place}: expected {json_shown(expected)}, got {json_shown(found)}"


def json_shown(value: Json) -> str:
    """Return a JSON value as a message shows it."""
    from json import dumps  # noqa: PLC0415 - as above

    if value is ...:
        return "something"
    try:
        return cut(dumps(value, ensure_ascii=False, default=lambda _: "…"), _LONGEST_SHOWN)
    except RecursionError:
        return "what is nested too deep to be shown"
