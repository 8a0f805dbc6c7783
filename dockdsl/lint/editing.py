"""Edits of a Dockerfile's text, given places in its instructions as rules know them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from dockdsl.lint.fix import Edit, Fix
from dockdsl.lint.scripts import Script
from dockdsl.lint.shell import Command
from dockdsl.lint.subject import Subject
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lazy_regex import lazy_regex

COMMENTED = "comments stand between its lines; change it by hand"
"""Why `operands` may have no edits."""
IN_SCRIPT = "the command is not written in plain words; change it by hand"
"""Why `added` may have no edits."""
_words = lazy_regex(r"[^\t\v\f\r ]+")


def words_of(line: Line) -> Iterator[tuple[str, int]]:
    """Yield the operands split at whitespace, each with its place in the logical line."""
    for found in _words().finditer(line.text):
        yield found[0], line.start + found.start()


def head_of(line: Line) -> tuple[str, int]:
    """Return the keyword as it is written, with its place."""
    return line.head, line.logical.text.index(line.head)


def replaced(subject: Subject, line: Line, old: tuple[str, int], new: str) -> tuple[Edit, ...]:
    """Return edits that put `new` in the place of `old`, a part of the logical line.

    A word that is broken across lines stays so; one of another length cannot, and there are no edits.
    """
    text, start = old
    end = start + len(text)
    where = line.logical
    edges = [(0, where.first), *(where.parts or ()), (len(where.text), where.last)]
    edits: list[Edit] = []
    for (begin, number), (stop, _) in pairwise(edges):
        one, other = max(begin, start), min(stop, end)
        if one < other:
            at = subject.offset(number, 0) if edits else subject.offset(*where.place(start))
            edits.append(Edit(at, at + other - one, new[one - start : other - start]))
    if len(new) == len(text):
        return tuple(edits)
    return (edits[0]._replace(text=new),) if len(edits) == 1 else ()


def operands(subject: Subject, line: Line, new: str) -> tuple[Edit, ...]:
    """Return the edit that puts `new` in the place of all operands; none where comments stand between their lines."""
    where = line.logical
    if where.comments():
        return ()
    end = subject.offset(*where.place(len(where.text) - 1)) + 1
    return (Edit(subject.offset(*where.place(line.start)), end, new),)


def added(subject: Subject, script: Script, command: Command, word: str, text: str) -> tuple[Edit, ...]:
    """Return the edit that adds `text` behind a word of a command; none where the word is not written as it is."""
    before = rf"[^;&|\n()<>\"'`\\]*?(?<!\S){re.escape(word)}(?!\S)"
    found = re.compile(before).match(script.text, command.at)
    if script.array is not None or found is None:
        return ()
    at = subject.offset(*script.position(found.end() - 1)) + 1
    return (Edit(at, at, text),)


def fix_of(edits: tuple[Edit, ...], effect: str = "") -> Fix | None:
    """Return the fix of these edits; None without any."""
    return Fix(edits, effect) if edits else None


def removed(subject: Subject, first: int, last: int) -> Edit:
    """Return the edit that removes physical lines, from the first to the last, counted from 0."""
    return Edit(subject.offset(first, 0), subject.offset(last + 1, 0), "")
