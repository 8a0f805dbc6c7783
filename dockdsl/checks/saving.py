"""Values that a check saves from an answer, and their places in the text of later checks: ``{name}``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import attrs

from dockdsl import operands as operand
from dockdsl.checks.json_values import Json, json_shown, name_of_saved
from dockdsl.checks.searching import Searches
from dockdsl.display import shown
from dockdsl.errors import InvalidValue, Refused

_PLACE = r"\{(\w+)\}"
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def header_name(value: str) -> str:
    """Return the name of an HTTP header."""
    if not _TOKEN.issuperset(operand.text(value)):
        raise Refused(f"{shown(value)} is not the name of a header", "fix it")
    return value


@attrs.frozen(field_transformer=operand.named)
class Header:
    """In ``save=`` of an `HttpCheck`: a header of the answer, whose value is saved.

    `name`
        The header, in upper or lower case.
    `pattern`
        A regular expression that must be found in the value: what it matches is saved, or its first group if it has
        one. None is the whole value.

    Raises `InvalidValue` and `InvalidType`.

    >>> from dockdsl import HttpCheck
    >>> session = Header("Set-Cookie", pattern="session=[^;,]+")
    >>> HttpCheck("POST", "/login", save={"home": Header("Location"), "session": session}).title
    'POST /login'
    >>> HttpCheck("GET", "{home}", send_headers={"Cookie": "{session}"}).uses
    ('home', 'session')
    """

    name: str = attrs.field(converter=header_name)
    pattern: str | None = attrs.field(default=None, kw_only=True, converter=operand.optional_pattern)

    def value_in(self, headers: Mapping[str, str]) -> str | None:
        """Return what is to be saved from these headers, whose names are in lower case; None where it is missing.

        Raises `RunFailed` as `Searches` does.
        """
        value = headers.get(self.name.lower())
        if value is None or self.pattern is None:
            return value
        found = Searches().first(self.pattern, value)
        return None if found is None else found[:2][-1]


Saving = tuple[tuple[str, str | Header], ...]


def saving(value: Mapping[str, str | Header] | Saving | None) -> Saving:
    """Return what is to be saved: names, each with a JSON pointer or a header."""
    found = operand.entries(value)
    for name, source in found:
        name_of_saved(name)
        if isinstance(source, Header):
            continue
        with operand.part(f"the pointer of {name}"):
            if operand.any_text(source) and not source.startswith("/"):
                raise Refused(
                    f"{shown(source)} is not a JSON pointer", 'write "/id", or "/items/0/id", or Header(…) for a header'
                )
    return found


def names_in(text: str) -> list[str]:
    """Return the names of the saved values that a text has places for.

    >>> names_in("/notes/{id}/{1}")
    ['id']
    """
    return [name for name in re.findall(_PLACE, text) if name.isidentifier()]


def leading_name(path: str) -> str | None:
    """Return the name of the saved value that stands first in a path, or None."""
    found = re.match(_PLACE, path)
    return found[1] if found is not None and found[1].isidentifier() else None


def filled_in(text: str, value_of: Callable[[str], str]) -> str:
    """Return text with saved values in their places."""
    return re.sub(_PLACE, lambda found: value_of(found[1]) if found[1].isidentifier() else found[0], text)


def as_text(name: str, value: Json) -> str:
    """Return a saved value as text for a path or a header. Raises `InvalidValue` for a list, an object and null."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        from json import dumps  # noqa: PLC0415 - a check is light until it is run

        return dumps(value)
    raise InvalidValue(f"the saved value {name} is {json_shown(value)}, which is not text; save a part of it")


def as_path(name: str, value: Json) -> str:
    """Return a saved value that is a path, or a URL, of which path and query are taken. Raises `InvalidValue`."""
    text = as_text(name, value)
    host = re.match(r"(?:https?:)?//[^/?#]*", text, re.IGNORECASE)
    path = text[host.end() if host else 0 :].partition("#")[0]
    if host and not path.startswith("/"):
        path = f"/{path}"
    if not path.startswith("/"):
        raise InvalidValue(
            f"the saved value {name} is {json_shown(value)}, which is neither a path nor a URL; write a path before "
            f"{{{name}}}, or save another one"
        )
    return path
