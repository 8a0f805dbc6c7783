"""SHELL chooses the shell, and no link over ``/bin/sh``.

A package that brings ``/bin/sh`` replaces the link again, and scripts that rely on the system's shell may fail.

Bad::

    FROM debian:13
    RUN ln -sf /bin/bash /bin/sh

Good::

    FROM debian:13
    SHELL ["/bin/bash", "-c"]

Fix: write ``SHELL``.

Source: https://github.com/hadolint/hadolint/wiki/DL4005
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find links to ``/bin/sh``."""
    for script, command in subject.commands("ln"):
        if command.arguments[-1:] == ("/bin/sh",):
            yield Fault(script.line, "a link replaces /bin/sh", "write `SHELL`", at=script.place(command.at))


RULE = Rule("ReplacedShell", examine, __doc__ or "", "hint", ("DL4005",))
