"""What an instruction says can be built.

BuildKit reads a Dockerfile, and refuses some values only when it builds: flags and options with a value that they
cannot have, a stage that is not there, a signal that no system knows, a quote that is never closed. No step of the
stage is run. A value that depends on a variable is not looked at.

Bad::

    FROM alpine:3.22
    COPY --chmod=999 run.sh /usr/local/bin/
    STOPSIGNAL FOO

Good::

    FROM alpine:3.22
    COPY --chmod=755 run.sh /usr/local/bin/
    STOPSIGNAL SIGQUIT

Fix: write a value that the reference of the instruction has.

Source: https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_OTHERS = ("EXPOSE", "ONBUILD")
"""The rule InvalidPort has the ports, with the values of variables; what ONBUILD stores, another build reads."""


def examine(subject: Subject) -> Iterator[Fault]:
    """Find what was refused with the fact that a build refuses it, too."""
    for line in subject.lines:
        if line.refusal and line.keyword not in _OTHERS:
            fact, _, remedy = line.refusal.rpartition("; ")
            yield Fault(line, f"BuildKit refuses this when it builds: {fact}", remedy)


RULE = Rule("RefusedByBuild", examine, __doc__ or "", "error")
