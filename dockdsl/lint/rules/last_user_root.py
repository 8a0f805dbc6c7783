"""The last USER is not root.

A program that is broken into then has all rights in the container, and more ways out of it.

Bad::

    FROM debian:13
    USER root
    CMD ["app"]

Good::

    FROM debian:13
    USER 1000
    CMD ["app"]

Fix: end with a user that has only the rights that the program needs.

Source: https://github.com/hadolint/hadolint/wiki/DL3002
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find root as the last user of the last stage."""
    users = [line for part in subject.parts[-1:] for line in part.steps if line.keyword == "USER"]
    for line in users[-1:]:
        if line.text.partition(":")[0] in ("root", "0"):
            yield Fault(line, "the image runs as root", "end with another user")


RULE = Rule("LastUserRoot", examine, __doc__ or "", "hint", ("DL3002",))
