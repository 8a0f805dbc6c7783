"""Names of stages are in lower case.

BuildKit compares them without case, so ``Build`` and ``build`` are one stage; one spelling is easier to read.

Bad::

    FROM scratch AS Build

Good::

    FROM scratch AS build

Fix: write the name in lower case, where it is given and where it is used.

Source: https://docs.docker.com/reference/build-checks/stage-name-casing/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find names with capitals."""
    for part in subject.parts:
        if part.name is not None and part.name != part.name.lower():
            yield Fault(part.line, f"the stage name {part.name!r} has capitals", f"write {part.name.lower()!r}")


RULE = Rule("StageNameCasing", examine, __doc__ or "")
