"""No stage is named ``scratch`` or ``context``.

These names mean something else in ``FROM`` and ``--from``.

Bad::

    FROM scratch AS context

Good::

    FROM scratch AS files

Fix: rename the stage.

Source: https://docs.docker.com/reference/build-checks/reserved-stage-name/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find reserved names."""
    for part in subject.parts:
        if part.name is not None and part.name.lower() in ("scratch", "context"):
            yield Fault(part.line, f"the stage name {part.name!r} is reserved", "rename the stage", part=part.named)


RULE = Rule("ReservedStageName", examine, __doc__ or "", aliases=("DL3063",))
