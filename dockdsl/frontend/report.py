"""What a child says of the user's file: lines of JSON, each a kind and a value."""

from __future__ import annotations

import json
import sys
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Lines of a Python file, by the path that Python knows it by."""

    path: str
    first: int
    last: int


class Said(NamedTuple):
    """What the file printed, and where, if that is known."""

    text: str
    place: Place | None


class Made(NamedTuple):
    """The Dockerfile that a file defines, and what its `Image` says of the build."""

    text: str
    lines: tuple[Place | None, ...]
    """Where each line comes from."""
    has_syntax: bool
    """Whether it names a frontend of its own."""
    check: str
    """Its directive ``check``."""
    ignore: str | None
    """What replaces the ``.dockerignore``, if anything does."""
    options: dict[str, str]
    """Options of a frontend that hold where the command does not give them."""


class Failed(Exception):
    """The file defines no Dockerfile; `place` is where it is at fault, if that is known."""

    def __init__(self, message: str, place: Place | None) -> None:
        super().__init__(message)
        self.place = place


class Crashed(Exception):
    """The program itself is at fault, and not the file."""


def line(kind: str, value: Any) -> bytes:
    """Return a line of the report."""
    return json.dumps([kind, value]).encode() + b"\n"


def read(data: bytes) -> tuple[Made | Failed | Crashed | None, list[Said]]:
    """Return what a child has reported; None for the first where it did not come to that.

    The user's file may have written into the report itself: any other line is left out.
    """
    found: Made | Failed | Crashed | None = None
    notes: list[Said] = []
    for each in data.splitlines():
        try:
            kind, value = json.loads(each)
            if kind == "said":
                _add(notes, Said(_text(value[0]), _place(value[1])))
            elif kind == "made":
                found = _made(*value)
            elif kind == "failed":
                found = Failed(_text(value[0]), _place(value[1]))
            elif kind == "crashed":
                found = Crashed(_text(value))
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError):
            continue
    return found, notes


def _add(notes: list[Said], new: Said) -> None:
    """Add what was printed; what comes from one place is one text."""
    if notes and notes[-1].place == new.place:
        new = Said(notes.pop().text + new.text, new.place)
    notes.append(new)


def _made(text: str, lines: list[Any], has_syntax: object, check: str, ignore: str | None, options: Any) -> Made:
    return Made(
        _text(text),
        tuple(map(_place, lines)),
        bool(has_syntax),
        _text(check),
        None if ignore is None else _text(ignore),
        {_text(name): _text(value) for name, value in options.items()},
    )


def _text(value: Any) -> str:
    """Return a text that has UTF-8; halves of surrogate pairs have none."""
    return str(value).encode(errors="replace").decode()


def _place(value: Any) -> Place | None:
    if value is None:
        return None
    path, first, last = value
    return Place(sys.intern(str(path)), int(first), int(last))
