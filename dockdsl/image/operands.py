"""Operands that `Image` and `HttpCheck` share. `what` names the operand in messages: ``Image: a tag``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dockdsl.errors import InvalidType, InvalidValue, Origin, call_site, origin_of

Pairs = tuple[tuple[str, str], ...]
"""A mapping of strings that cannot change: its pairs, in its order."""
PairsLike = Mapping[str, str] | Pairs | None
"""What is taken for pairs."""
TextsLike = str | Iterable[str] | None
"""What is taken for several strings."""


LONGEST_TIME = 7 * 24 * 3600
"""Seconds that anything may be allowed at most: a week; the system's own clocks do not take any number."""
_LONGEST_SHOWN = 100


def shown(value: object) -> str:
    """Return a value as a message shows it: cut where it is long, and an int of thousands of digits not at all.

    >>> shown("x"), shown(10**5000)
    ("'x'", 'an int of 16610 bits')
    """
    try:
        text = str(value) if isinstance(value, (int, float)) else repr(value)
    except ValueError:
        # Python writes no int of more than some thousand digits.
        return (
            f"an int of {value.bit_length()} bits"
            if isinstance(value, int)
            else f"a value of the type {kind_of(value)}"
        )
    except RecursionError:
        return f"a value of the type {kind_of(value)}"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def here() -> Origin:
    """Return the place of the nearest caller outside dockdsl."""
    return origin_of(call_site())


def kind_of(value: object) -> str:
    """Return the name of a value's type."""
    return type(value).__name__


def text(what: str, value: Any, *, empty: bool = False) -> str:
    """Return a string; refuse other types, NUL, and the empty string unless `empty`."""
    if not isinstance(value, str):
        raise InvalidType(f"{what} is of the type {kind_of(value)}; pass a str")
    if not value and not empty:
        raise InvalidValue(f"{what} is empty; leave it out, or say what is meant")
    if "\0" in value:
        raise InvalidValue(f"{what} has a NUL character, which no program can be given; take it out")
    return value


def texts(what: str, value: Any) -> tuple[str, ...]:
    """Return one string or several as a tuple."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (text(what, value),)
    if not isinstance(value, Iterable) or isinstance(value, (bytes, Mapping)):
        raise InvalidType(f"{what} is of the type {kind_of(value)}; pass a str or several")
    return tuple(text(what, each) for each in value)


def pairs(what: str, value: Any) -> Pairs:
    """Return a mapping of strings as pairs; refuse names that are empty or have an equals sign."""
    found = entries(what, value)
    for name, each in found:
        text(f"{what}: a name", name)
        if "=" in name:
            raise InvalidValue(f"{what}: the name {shown(name)} has an equals sign; put what follows it into the value")
        text(f"{what}: the value of {name}", each, empty=True)
    return found


def entries(what: str, value: Any) -> tuple[tuple[Any, Any], ...]:
    """Return the pairs of a mapping, or pairs as they are."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return tuple(value.items())
    if isinstance(value, tuple) and all(isinstance(each, tuple) and len(each) == 2 for each in value):
        return value
    raise InvalidType(f"{what} is of the type {kind_of(value)}; pass a dict of str")


def seconds(what: str, value: Any) -> float:
    """Return a number of seconds above 0, a week at most."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidType(f"{what} is of the type {kind_of(value)}; pass a number of seconds")
    if not 0 < value <= LONGEST_TIME:
        raise InvalidValue(f"{what} is {shown(value)}; pass a number of seconds above 0, {LONGEST_TIME} at most")
    return value


def whole(what: str, value: Any, lowest: int, highest: int) -> int:
    """Return an integer from `lowest` to `highest`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidType(f"{what} is of the type {kind_of(value)}; pass an int")
    if not lowest <= value <= highest:
        raise InvalidValue(f"{what} is {shown(value)}; pass a number from {lowest} to {highest}")
    return int(value)


def url_path(what: str, value: Any) -> str:
    """Return the path and query of a URL; refuse what no request can say."""
    path = text(what, value)
    if not path.startswith("/"):
        raise InvalidValue(f"{what} is {shown(path)}; start it with a slash")
    if not all("!" <= character <= "~" for character in path) or "#" in path:
        raise InvalidValue(f"{what} is {shown(path)}, which no request can say; write such characters as %20 and so on")
    return path
