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

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find an ``AS`` in another case."""
    for part in subject.parts:
        words = part.line.words()
        if len(words) == 3:
            wanted = words[1].lower() if part.line.head == part.line.head.lower() else words[1].upper()
            if words[1] != wanted:
                yield Fault(part.line, f"{words[1]!r} and {part.line.head!r} differ in case", f"write {wanted}")


RULE = Rule("FromAsCasing", examine, __doc__ or "")
