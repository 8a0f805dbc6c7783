"""No RUN uses sudo.

It starts the program in another environment and without the signals that a build sends; a step runs as root anyway,
unless USER says otherwise.

Bad::

    FROM debian:13
    RUN sudo make install

Good::

    FROM debian:13
    RUN make install

Fix: remove it; write ``USER`` to become another user.

Source: https://github.com/hadolint/hadolint/wiki/DL3004
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find sudo."""
    for script, command in subject.commands("sudo"):
        yield Fault(script.line, "a build needs no sudo", "write `USER root` above", at=script.place(command.at))


RULE = Rule("SudoInRun", examine, __doc__ or "", "hint", ("DL3004",))
