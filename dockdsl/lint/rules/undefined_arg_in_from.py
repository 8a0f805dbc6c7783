"""FROM uses arguments that are declared above it.

Bad::

    FROM alpine:${VERSION:-3.22}

Good::

    ARG VERSION=3.22
    FROM alpine:${VERSION}

Fix: declare it before the first FROM.

Source: https://docs.docker.com/reference/build-checks/undefined-arg-in-from/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import PREDEFINED, Subject, used


def examine(subject: Subject) -> Iterator[Fault]:
    """Find names without an ARG."""
    declared = {name for line in subject.args for name in subject.names(line)} | PREDEFINED
    for part in subject.parts:
        for name in sorted(used(part.base) | used(part.platform or "")):
            if name not in declared:
                fact = f"FROM uses ${name}, which no ARG above it declares"
                yield Fault(part.line, fact, subject.named_in_from(name))


RULE = Rule("UndefinedArgInFrom", examine, __doc__ or "")
