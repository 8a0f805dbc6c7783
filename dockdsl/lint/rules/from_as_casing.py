"""``AS`` is in the same case as ``FROM``.

Bad::

    FROM scratch as build

Good::

    FROM scratch AS build

Fix: write both in capitals.

Source: https://docs.docker.com/reference/build-checks/from-as-casing/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.editing import replaced, words_of
from dockdsl.lint.fix import Fix
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find an ``AS`` in another case."""
    for part in subject.parts:
        words = list(words_of(part.line))
        if len(words) == 3:
            word = words[1][0]
            wanted = word.lower() if part.line.head == part.line.head.lower() else word.upper()
            if word != wanted:
                fix = Fix(replaced(subject, part.line, words[1], wanted))
                fact = f"{word!r} and {part.line.head!r} differ in case"
                yield Fault(part.line, fact, f"write {wanted}", fix=fix, part=word)


RULE = Rule("FromAsCasing", examine, __doc__ or "")
