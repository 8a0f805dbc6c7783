"""Scripts use apt-get, and not apt.

``apt`` is for people at a terminal: its options and what it prints may change, as it says itself.

Bad::

    FROM debian:13
    RUN apt list --installed

Good::

    FROM debian:13
    RUN dpkg --list

Fix: write ``apt-get``, ``apt-cache`` or ``dpkg``.

Source: https://github.com/hadolint/hadolint/wiki/DL3027
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find apt."""
    for script in subject.scripts:
        for command in script.commands("apt"):
            yield Fault(script.line, "apt is not meant for scripts", "write apt-get", at=script.place(command.at))


RULE = Rule("AptInRun", examine, __doc__ or "", "hint", ("DL3027",))
