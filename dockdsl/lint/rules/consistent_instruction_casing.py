"""All instructions are in capitals, or all in lower case.

Bad::

    FROM scratch
    copy a /b
    COPY a /c

Good::

    FROM scratch
    COPY a /b
    COPY a /c

Fix: write them in capitals; ``dockdsl fmt`` does.

Source: https://docs.docker.com/reference/build-checks/consistent-instruction-casing/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.editing import head_of, replaced
from dockdsl.lint.fix import Fix
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find keywords in another case than most."""
    lines = [line for part in subject.parts for line in (part.line, *part.steps)]
    lower = sum(line.head == line.head.lower() for line in lines)
    upper = sum(line.head == line.head.upper() for line in lines)
    for line in lines:
        wanted = line.head.lower() if lower > upper else line.head.upper()
        if line.head != wanted:
            fact = f"{line.head!r} is in another case than most instructions"
            # What is in capitals only in another alphabet has no such keyword.
            fix = Fix(replaced(subject, line, head_of(line), wanted)) if line.head.isascii() else None
            yield Fault(line, fact, f"write {wanted}", fix=fix, part=line.head)


RULE = Rule("ConsistentInstructionCasing", examine, __doc__ or "")
