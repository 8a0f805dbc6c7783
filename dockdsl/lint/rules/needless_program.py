"""Programs that are of no use while an image is built are not run.

There are no users, no services and no terminal then: ``top`` shows nothing, and what ``service`` starts is gone after
the step.

Bad::

    FROM debian:13
    RUN service nginx start

Good::

    FROM debian:13
    CMD ["nginx", "-g", "daemon off;"]

Fix: remove the command; start the program with ``CMD``.

Source: https://github.com/hadolint/hadolint/wiki/DL3001
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_NEEDLESS = ("free", "ifconfig", "kill", "mount", "ps", "service", "shutdown", "ssh", "top", "vim")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find such programs."""
    for script, command in subject.commands(*_NEEDLESS):
        fact = f"{command.name} has no use while an image is built"
        yield Fault(script.line, fact, "remove it", at=script.place(command.at))


RULE = Rule("NeedlessProgram", examine, __doc__ or "", "hint", ("DL3001",))
