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

from dockdsl.lint.editing import IN_SCRIPT, added, fix_of
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_SAME = ("autoremove", "clean", "install", "purge", "remove", "update")
"""What both do alike."""


def examine(subject: Subject) -> Iterator[Fault]:
    """Find apt."""
    for script, command in subject.commands("apt"):
        verb = next((word for word in command.arguments if word[:1] != "-"), "")
        edits = added(subject, script, command, "apt", "-get") if verb in _SAME else ()
        place = script.place(command.at)
        fix = fix_of(edits, f"apt-get {verb} does the same")
        why = IN_SCRIPT if verb in _SAME else "apt-get may do something else; change it by hand"
        yield Fault(script.line, "apt is not meant for scripts", "write apt-get", at=place, fix=fix, unfixed=why)


RULE = Rule("AptInRun", examine, __doc__ or "", "hint", ("DL3027",))
