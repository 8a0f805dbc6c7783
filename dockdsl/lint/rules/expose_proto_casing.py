"""The protocol in EXPOSE is in lower case.

Bad::

    FROM scratch
    EXPOSE 80/TCP

Good::

    FROM scratch
    EXPOSE 80/tcp

Fix: write it in lower case.

Source: https://docs.docker.com/reference/build-checks/expose-proto-casing/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find capitals behind the slash."""
    for line in subject.steps("EXPOSE"):
        for word in subject.expanded(line):
            protocol = word.partition("/")[2]
            if protocol != protocol.lower():
                yield Fault(line, f"the protocol {protocol!r} has capitals", f"write {protocol.lower()}")


RULE = Rule("ExposeProtoCasing", examine, __doc__ or "")
