"""A package manager does not ask.

Nobody answers while an image is built: the step fails, if the package manager has anything to ask.

Bad::

    FROM debian:13
    RUN apt-get install --no-install-recommends curl=8.14.1-2

Good::

    FROM debian:13
    RUN apt-get install -y --no-install-recommends curl=8.14.1-2

Fix: add ``-y``.

Source: https://github.com/hadolint/hadolint/wiki/DL3014
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.editing import IN_SCRIPT, added, fix_of
from dockdsl.lint.packages import APT, DNF, YUM, ZYPPER, Manager
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.shell import Command
from dockdsl.lint.subject import Subject

_SURE = ("-y", "--yes", "--assume-yes", "--assumeyes", "-n", "--non-interactive", "--no-confirm")
_MANAGERS = ((APT, "DL3014"), (YUM, "DL3030"), (ZYPPER, "DL3034"), (DNF, "DL3038"))


def examine(subject: Subject) -> Iterator[Fault]:
    """Find installations that ask."""
    for manager, alias in _MANAGERS:
        for script, command in subject.commands(*manager.programs):
            if manager.packages(command) is not None and not _is_sure(command, manager):
                fact = f"{command.name} asks, and nobody answers"
                verb = manager.operands(command)[0]
                fix = fix_of(added(subject, script, command, verb, " -y"), f"{command.name} does not ask any more")
                at = script.place(command.at)
                yield Fault(script.line, fact, "add -y", at=at, fix=fix, alias=alias, unfixed=IN_SCRIPT)


def _is_sure(command: Command, manager: Manager) -> bool:
    if manager is not APT:
        return command.has(*_SURE)
    is_quiet = "-qq" in command.words or sum(word in ("-q", "--quiet") for word in command.words) > 1
    return is_quiet or command.has("-y", "--yes", "--assume-yes") or any("APT::Get::" in word for word in command.words)


RULE = Rule("InstallAsks", examine, __doc__ or "", "warning", tuple([alias for _, alias in _MANAGERS]))
