"""apt-get installs what is named, and not what is recommended besides.

Recommended packages make an image larger, often by more than the packages themselves.

Bad::

    FROM debian:13
    RUN apt-get install -y curl=8.14.1-2

Good::

    FROM debian:13
    RUN apt-get install -y --no-install-recommends curl=8.14.1-2

Fix: add ``--no-install-recommends``, and name what is really needed.

Source: https://github.com/hadolint/hadolint/wiki/DL3015
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.packages import APT
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find ``apt-get install`` with recommended packages."""
    for script, command in subject.commands(*APT.programs):
        is_off = "--no-install-recommends" in command.words
        is_off = is_off or any("APT::Install-Recommends=" in word for word in command.words)
        if APT.packages(command) is not None and not is_off:
            fact = "recommended packages are installed, too"
            yield Fault(script.line, fact, "add --no-install-recommends", at=script.place(command.at))


RULE = Rule("RecommendedPackages", examine, __doc__ or "", "hint", ("DL3015",))
