"""WORKDIR changes the folder, and not ``cd``.

A ``cd`` ends with its RUN, so readers have to look for it in each; WORKDIR holds for all instructions below.

Bad::

    FROM debian:13
    RUN cd /src && make

Good::

    FROM debian:13
    WORKDIR /src
    RUN make

Fix: write ``WORKDIR``, or a subshell where the folder matters for one command: ``(cd /src && make)``.

Source: https://github.com/hadolint/hadolint/wiki/DL3003
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find ``cd``."""
    for script, command in subject.commands("cd"):
        yield Fault(script.line, "cd ends with this RUN", "write `WORKDIR`", at=script.place(command.at))


RULE = Rule("CdInRun", examine, __doc__ or "", "hint", ("DL3003",))
