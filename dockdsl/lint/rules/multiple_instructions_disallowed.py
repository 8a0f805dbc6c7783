"""A stage has one CMD, one ENTRYPOINT and one HEALTHCHECK.

The last one counts, and the others have no effect.

Bad::

    FROM scratch
    CMD ["a"]
    CMD ["b"]

Good::

    FROM scratch
    CMD ["b"]

Fix: remove the earlier one.

Source: https://docs.docker.com/reference/build-checks/multiple-instructions-disallowed/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_ONCE = ("CMD", "ENTRYPOINT", "HEALTHCHECK")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find those that a later one replaces."""
    for part in subject.parts:
        last = {line.keyword: line for line in part.steps if line.keyword in _ONCE}
        for line in part.steps:
            if line.keyword in last and line is not last[line.keyword]:
                at = last[line.keyword].origin.line
                yield Fault(line, f"the {line.keyword} at line {at} replaces this one", "remove one of the two")


RULE = Rule("MultipleInstructionsDisallowed", examine, __doc__ or "", aliases=("DL3012", "DL4003", "DL4004"))
