"""A step with a pipe fails where the first command fails.

Otherwise the last command alone decides: ``curl … | sh`` passes when the download fails.

Bad::

    FROM debian:13
    RUN curl -f https://example.com/setup | sh

Good::

    FROM debian:13
    SHELL ["/bin/bash", "-o", "pipefail", "-c"]
    RUN curl -f https://example.com/setup | sh

Fix: write ``SHELL`` with ``-o pipefail``, or ``set -o pipefail`` where the shell has it, or two commands with a file
between.

Source: https://github.com/hadolint/hadolint/wiki/DL4006
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.scripts import Script
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find pipes in a shell without that option."""
    for script in subject.scripts:
        if script.read.pipes and not _is_safe(script):
            at = script.place(script.read.pipes[0])
            yield Fault(script.line, "of a pipe, only the last command can fail", "set -o pipefail before it", at=at)


def _is_safe(script: Script) -> bool:
    return "pipefail" in script.given or any("pipefail" in each.words for each in script.commands("set"))


RULE = Rule("PipeWithoutPipefail", examine, __doc__ or "", "hint", ("DL4006",))
