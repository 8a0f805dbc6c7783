"""Operands that `Image` and the checks share. `what` names the operand in messages: ``Image: a tag``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dockdsl.errors import InvalidType, InvalidValue
from dockdsl.origins import Origin, call_site, origin_of

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


def flag(what: str, value: Any) -> bool:
    """Return True or False."""
    if not isinstance(value, bool):
        raise InvalidType(f"{what} is of the type {kind_of(value)}; pass True or False")
    return value


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


def url_path(what: str, value: Any, *, begun: bool = False) -> str:
    """Return the path and query of a URL; refuse what no request can say. `begun` says that it needs no slash first."""
    path = text(what, value)
    if not begun and not path.startswith("/"):
        raise InvalidValue(f"{what} is {shown(path)}; start it with a slash")
    if not all("!" <= character <= "~" for character in path) or "#" in path:
        raise InvalidValue(f"{what} is {shown(path)}, which no request can say; write such characters as %20 and so on")
    return path


def patterns(what: str, value: Any) -> tuple[str, ...]:
    """Return one regular expression or several as a tuple; refuse what is none."""
    import re  # noqa: PLC0415 - most files have no pattern

    found = texts(what, value)
    for each in found:
        try:
            re.compile(each)
        except (re.error, RecursionError, OverflowError) as error:
            # The last two are what Python says of groups in groups without end, and of repetitions beyond its numbers.
            raise InvalidValue(
                f"{what} {shown(each)} is no regular expression ({error}); mend it, or re.escape it"
            ) from None
    return found


def argv(what: str, value: Any, *, empty: bool = False) -> tuple[str, ...]:
    """Return a program with its arguments, or arguments alone, as a tuple; refuse an empty one unless `empty`."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise InvalidType(f"{what} is of the type {kind_of(value)}; pass a list of arguments")
    found = tuple(text(f"{what}: an argument", each, empty=True) for each in value)
    if not found and not empty:
        raise InvalidValue(f"{what} is empty; name a program")
    return found


_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def size(what: str, value: Any) -> int:
    """Return a number of bytes from an int or from text with a unit.

    >>> size("SizeBudget", "10MB"), size("SizeBudget", "1.5 MiB"), size("SizeBudget", 7)
    (10000000, 1572864, 7)
    """
    if isinstance(value, str):
        import re  # noqa: PLC0415 - as above

        found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,9})?) ?([A-Za-z]{1,3})", value, re.ASCII)
        if found is None or found[2] not in _UNITS:
            raise InvalidValue(f'{what} is {shown(value)}; write it as "10MB", with one of {", ".join(_UNITS)}')
        return int(float(found[1]) * _UNITS[found[2]])
    return whole(what, value, 0, 2**63 - 1)
