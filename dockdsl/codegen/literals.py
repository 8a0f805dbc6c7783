"""Changing the text of a Python literal where it is written: its prefix, its quotes and its line breaks stay."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from dockdsl.codegen.printer import escaped
from dockdsl.syntax.alike import alike

_form = re.compile(r"(?P<prefix>\w*)(?P<quotes>'''|\"\"\"|'|\")").match
_escapes = re.compile(
    r"\\(?:\r\n?|\n|[\\'\"abfnrtv]|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]+\})|\r\n?|.",
    re.DOTALL,
).finditer
_plain = re.compile(r"\r\n?|.", re.DOTALL).finditer
_words = re.compile(r"\w+|\s+|.").findall


class Hunk(NamedTuple):
    """A range of a text, and what stands there instead."""

    start: int
    end: int
    text: str


def differing(old: str, new: str) -> list[Hunk]:
    """Return what makes one text of another, in whole words.

    >>> differing("apt install a && apt install b", "apt-get install a && apt-get install b")
    [Hunk(start=3, end=3, text='-get'), Hunk(start=20, end=20, text='-get')]
    """
    from difflib import SequenceMatcher  # noqa: PLC0415 - only needed where something is changed

    one, other = _words(old), _words(new)
    first = alike(one, other)
    last = alike(reversed(one[first:]), reversed(other[first:]))
    one, before, other = one[first : len(one) - last], "".join(one[:first]), other[first : len(other) - last]
    starts = [len(before)]
    for each in one:
        starts.append(starts[-1] + len(each))
    return [
        Hunk(starts[begin], starts[end], "".join(other[at:to]))
        for kind, begin, end, at, to in SequenceMatcher(None, one, other).get_opcodes()
        if kind != "equal"
    ]


def value_of(code: str) -> tuple[Any, ...]:
    """Return the value of a literal; nothing for another expression."""
    with warnings.catch_warnings():
        # Python warned of unknown escapes when it read the file.
        warnings.simplefilter("ignore")
        try:
            return (ast.literal_eval(f"({code}\n)"),)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return ()


def within(code: str, hunks: Sequence[Hunk]) -> list[Hunk] | None:
    """Return the changes of the code of a literal that change its text so; None where none do.

    >>> within(r"r'a\\d'", [Hunk(3, 3, "+")])
    [Hunk(start=5, end=5, text='+')]
    """
    if not hunks:
        return []
    if hunks[0].start < 0:
        # It begins before the literal.
        return None
    form = _form(code)
    assert form is not None  # it is a literal of text
    is_raw, quotes = "r" in form["prefix"].lower(), form["quotes"]
    places: list[tuple[int, int]] = []
    value = ""
    for each in (_plain if is_raw else _escapes)(code, form.end(), len(code) - len(quotes)):
        char = _value(each[0])
        places += [each.span()] * len(char)
        value += char
    made: list[Hunk] = []
    for start, end, text in hunks:
        begin = places[start][0] if start < end else places[start - 1][1] if start else form.end()
        lines = text.split("\n") if len(quotes) > 1 else [text]
        spelled = text if is_raw else "\n".join([escaped(each, quotes[0]) for each in lines])
        made.append(Hunk(begin, places[end - 1][1] if start < end else begin, spelled))
    return made if value_of(changed(code, made)) == (changed(value, hunks),) else None


def changed(text: str, hunks: Sequence[Hunk]) -> str:
    """Return a text with changes made.

    >>> changed("abc", [Hunk(1, 2, "x"), Hunk(3, 3, "y")])
    'axcy'
    """
    pieces: list[str] = []
    at = 0
    for each in hunks:
        pieces += [text[at : each.start], each.text]
        at = each.end
    return "".join([*pieces, text[at:]])


def _value(piece: str) -> str:
    """Return the text that a character, or an escape, stands for."""
    if piece[0] == "\r":
        return "\n"
    return ast.literal_eval(f"'{piece}'") if len(piece) > 1 else piece
