"""EXPOSE names a port of the container alone.

An address or a port of the host has no effect there: whoever runs the container says where it is published.

Bad::

    FROM scratch
    EXPOSE 8080:80

Good::

    FROM scratch
    EXPOSE 80

Fix: write the port of the container.

Source: https://docs.docker.com/reference/build-checks/expose-invalid-format/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find what stands before a colon."""
    for line in subject.steps("EXPOSE"):
        for word in subject.expanded(line):
            host, colon, port = word.rpartition(":")
            if colon:
                yield Fault(line, f"{word!r} has an address or a port of the host, {host!r}", f"write {port}")


RULE = Rule("ExposeInvalidFormat", examine, __doc__ or "")
