"""Of another stage, only what is needed is copied.

A copy of everything takes all its programs and libraries along, and overwrites what the base image has.

Bad::

    FROM debian:13 AS build
    RUN make
    FROM debian:13
    COPY --from=build / /

Good::

    FROM debian:13 AS build
    RUN make
    FROM debian:13
    COPY --from=build /app /app

Fix: name the files that the image needs. On ``scratch``, such a copy is right: it makes one layer of many.

Source: https://github.com/hadolint/hadolint/wiki/DL3067
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find copies of everything."""
    for line, sources, target in subject.copies("COPY"):
        if any(flag.name == "from" for flag in line.flags) and "/" in sources and target == "/":
            yield Fault(line, "the whole file system of another stage is copied", "name the files")


RULE = Rule("WholeFilesystemCopied", examine, __doc__ or "", "hint", ("DL3067",))
