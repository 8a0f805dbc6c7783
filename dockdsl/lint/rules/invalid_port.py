"""A port is a number between 0 and 65535, or a range that runs upwards.

BuildKit refuses any other when it builds.

Bad::

    FROM scratch
    EXPOSE 80000

Good::

    FROM scratch
    EXPOSE 8000

Fix: write the port that the program listens on.

Source: https://github.com/hadolint/hadolint/wiki/DL3011
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.instructions.expose import refusal
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find ports that a build refuses."""
    for line in subject.steps("EXPOSE"):
        # A variable may have several ports.
        for port in " ".join(subject.expanded(line)).split():
            refused = refusal(port)
            if refused is not None:
                yield Fault(line, f"BuildKit refuses this when it builds: {refused.fact}", refused.remedy, part=port)


RULE = Rule("InvalidPort", examine, __doc__ or "", "error", ("DL3011",))
