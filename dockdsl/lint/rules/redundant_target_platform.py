"""``--platform=$TARGETPLATFORM`` is left out of FROM.

It is the platform that FROM has by itself.

Bad::

    FROM --platform=$TARGETPLATFORM alpine:3.22

Good::

    FROM alpine:3.22

Fix: remove the flag.

Source: https://docs.docker.com/reference/build-checks/redundant-target-platform/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find the default as a flag."""
    for part in subject.parts:
        if part.platform in ("$TARGETPLATFORM", "${TARGETPLATFORM}"):
            yield Fault(part.line, f"--platform={part.platform} is the default", "remove the flag")


RULE = Rule("RedundantTargetPlatform", examine, __doc__ or "")
