"""wget does not draw its progress.

In a log, each step of the bar is a line of its own.

Bad::

    FROM alpine:3.22
    RUN wget https://example.com/app.tar.gz

Good::

    FROM alpine:3.22
    RUN wget -q https://example.com/app.tar.gz

Fix: add ``-q`` or ``--progress=dot:giga``.

Source: https://github.com/hadolint/hadolint/wiki/DL3047
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_QUIET = ("--append-output", "--no-verbose", "--output-file", "--progress", "--quiet", "-a", "-o", "-q")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find wget with a bar."""
    for script, command in subject.commands("wget"):
        if not command.has(*_QUIET) and not any(word.startswith("-nv") for word in command.words):
            yield Fault(script.line, "wget fills the log with its progress", "add -q", at=script.place(command.at))


RULE = Rule("WgetProgress", examine, __doc__ or "", "hint", ("DL3047",))
