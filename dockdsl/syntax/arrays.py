"""JSON arrays as Go reads them: without its constants NaN and Infinity, and with no number that a float cannot hold."""

from __future__ import annotations

import math
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from dockdsl.syntax.lazy_regex import lazy_regex

if TYPE_CHECKING:
    from json import JSONDecoder

_string = lazy_regex(r'"(?:[^"\\]|\\.)*"')
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}
_DEEPEST = 10_000


def array_in(text: str) -> list[Any] | None:
    """Return the elements of a JSON array; None for a text that is not one from its first to its last character."""
    if not text.startswith("["):
        return None
    try:
        found: list[Any] = _decoder().decode(text)
    except ValueError:
        return None
    except RecursionError:
        # Nested deeper than any Dockerfile: an array of arrays if its brackets close, else no JSON.
        depths = list(accumulate(_STEPS.get(char, 0) for char in _string().sub("", text)))
        return [None] if depths[-1] == 0 and max(depths) <= _DEEPEST else None
    return found


def begins_array(text: str) -> bool:
    """Whether a text has a JSON array at its start, with or without more behind it."""
    if not text.startswith("["):
        return False
    try:
        _decoder().raw_decode(text)
    except ValueError:
        return False
    except RecursionError:
        return array_in(text) is not None
    return True


@cache
def _decoder() -> JSONDecoder:
    import json  # noqa: PLC0415 - few texts begin with a bracket

    return json.JSONDecoder(parse_float=_number, parse_int=_number, parse_constant=_refuse)


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _refuse(name: str) -> float:
    raise ValueError(name)
