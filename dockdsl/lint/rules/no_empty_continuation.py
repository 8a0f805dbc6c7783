"""No blank line stands inside an instruction.

BuildKit still goes on behind the blank line, which will be an error one day: a blank line looks like the end.

Bad::

    FROM scratch
    COPY a \\

     /b

Good::

    FROM scratch
    COPY a \\
     /b

Fix: remove the blank line, or write a comment there.

Source: https://docs.docker.com/reference/build-checks/no-empty-continuation/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.editing import removed
from dockdsl.lint.fix import Fix
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find blank lines between the lines of an instruction."""
    for line in subject.lines:
        where = line.logical
        inside = range(where.first + 1, where.last)
        blank = [number for number in inside if not where.lines[number].strip()]
        if blank:
            fix = Fix(tuple([removed(subject, number, number) for number in blank]))
            # BuildKit names the line where the instruction ends.
            fact = f"line {blank[0] + 1} is blank, inside the instruction"
            yield Fault(line, fact, "remove it", at=where.last, fix=fix)


RULE = Rule("NoEmptyContinuation", examine, __doc__ or "")
