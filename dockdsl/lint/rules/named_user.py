"""USER is a number.

Kubernetes can prove that a number is not root; with a name, ``runAsNonRoot`` refuses to start the container.

Bad::

    FROM debian:13
    USER app

Good::

    FROM debian:13
    USER 1000

Fix: write the user's number.

Source: https://github.com/hadolint/hadolint/wiki/DL3066
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find names of users."""
    for line in subject.steps("USER"):
        user = line.text.partition(":")[0].strip("\"'")
        if user and "$" not in user and not user.isdecimal():
            yield Fault(line, f"{user!r} is a name, which says nothing outside the image", "write the number")


RULE = Rule("NamedUser", examine, __doc__ or "", "hint", ("DL3066",))
