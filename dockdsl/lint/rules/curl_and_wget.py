"""One program downloads.

With both, wget and curl, an image has two programs for one purpose.

Bad::

    FROM debian:13
    RUN curl -O https://example.com/a && wget -q https://example.com/b

Good::

    FROM debian:13
    RUN curl -O https://example.com/a -O https://example.com/b

Fix: take the one that the image has anyway.

Source: https://github.com/hadolint/hadolint/wiki/DL4001
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find the program that a stage does not begin with."""
    for part in subject.parts:
        first = ""
        for script in subject.scripts_of(part):
            for command in script.commands("curl", "wget"):
                first = first or command.name
                if command.name != first:
                    at = script.place(command.at)
                    yield Fault(script.line, f"{command.name} downloads here, and {first} above", "use one", at=at)


RULE = Rule("CurlAndWget", examine, __doc__ or "", "hint", ("DL4001",))
