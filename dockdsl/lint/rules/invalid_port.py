"""A port is between 0 and 65535.

BuildKit refuses any other when it builds.

Bad::

    FROM scratch
    EXPOSE 80000

Good::

    FROM scratch
    EXPOSE 8000

Fix: write the port that the program listens on.

Source: https://github.com/hadolint/hadolint/wiki/DL3011
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_numbers = re.compile(r"[0-9]+").findall


def examine(subject: Subject) -> Iterator[Fault]:
    """Find ports that are too large."""
    for line in subject.steps("EXPOSE"):
        for word in subject.expanded(line):
            if "$" not in word and any(int(each) > 65535 for each in _numbers(word.rpartition(":")[2])):
                yield Fault(line, f"{word!r} is not a port", "write a number up to 65535")


RULE = Rule("InvalidPort", examine, __doc__ or "", "error", ("DL3011",))
