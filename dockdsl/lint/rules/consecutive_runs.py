"""Commands that belong together are one RUN.

Each RUN is a layer, and a file that the next one removes stays in it.

Bad::

    FROM debian:13
    RUN ./configure
    RUN make

Good::

    FROM debian:13
    RUN ./configure && make

Fix: join them with ``&&``, in Python with ``Run.chain``; several are right where the first one takes long and seldom
changes.

Source: https://github.com/hadolint/hadolint/wiki/DL3059
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.instruction_line import Line


def examine(subject: Subject) -> Iterator[Fault]:
    """Find a RUN of one command behind another one."""
    for part in subject.parts:
        scripts = {id(script.line): script for script in subject.scripts_of(part)}
        for before, line in pairwise(part.steps):
            if before.keyword == line.keyword == "RUN" and _flags(before) == _flags(line):
                counts = [len(scripts[id(each)].read.commands) for each in (before, line)]
                if counts == [1, 1]:
                    yield Fault(line, "this RUN could be one with that above", "join them with &&")


def _flags(line: Line) -> list[tuple[str, str | None]]:
    return [(flag.name, flag.value) for flag in line.flags]


RULE = Rule("ConsecutiveRuns", examine, __doc__ or "", "hint", ("DL3059",))
