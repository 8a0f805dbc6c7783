"""An ENV does not use what it defines itself.

All values of one instruction see the variables as they were before it: the new value is not there yet.

Bad::

    FROM scratch
    ENV HOME=/app
    ENV HOME=/srv BIN=$HOME/bin

Good::

    FROM scratch
    ENV HOME=/srv
    ENV BIN=$HOME/bin

Fix: write two instructions.

Source: https://github.com/hadolint/hadolint/wiki/DL3044
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject, used


def examine(subject: Subject) -> Iterator[Fault]:
    """Find variables that the same ENV defines."""
    for line in subject.steps("ENV"):
        before: set[str] = set()
        for name, value in subject.pairs(line) if "$" in line.text else ():
            for other in sorted(used(value or "") & before - {name}):
                yield Fault(line, f"{name} uses {other} as it was before this ENV", "write two instructions")
            before.add(name)


RULE = Rule("EnvUsedWhereDefined", examine, __doc__ or "", "warning", ("DL3044",))
