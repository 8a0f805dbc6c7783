"""No step upgrades the distribution.

What comes out depends on the day of the build; a newer base image does not.

Bad::

    FROM opensuse/leap:16.0
    RUN zypper dist-upgrade -y

Good::

    FROM opensuse/leap:16.0
    RUN zypper patch -y && zypper clean

Fix: begin with a newer base image.

Source: https://github.com/hadolint/hadolint/wiki/DL3035
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.packages import ZYPPER
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find what upgrades a distribution."""
    for script, command in subject.commands("zypper"):
        if ZYPPER.operands(command)[:1] in (["dist-upgrade"], ["dup"]):
            fact, remedy = "the result depends on the day of the build", "begin with a newer image"
            yield Fault(script.line, fact, remedy, at=script.place(command.at))


RULE = Rule("DistributionUpgrade", examine, __doc__ or "", "hint", ("DL3035",))
