"""A script of RUN has no fault that ShellCheck finds.

ShellCheck reads shell scripts: quotes that are missing, what a shell does not have, failures that are not seen. Its
codes begin with ``SC``; each has a page that explains it. It is given the shell of the stage, as ``SHELL`` or the base
image says, and the variables that ``ARG`` and ``ENV`` set. It is a program of its own, which the extra ``check``
installs; scripts are not read without it, nor those for PowerShell and ``cmd``.

Bad::

    FROM debian:13
    RUN export NAME=$(cat /name) && make

Good::

    FROM debian:13
    RUN NAME=$(cat /name) && export NAME && make

Fix: do what the page of the code says. What it calls info or style is a hint, as are words that may be meant to be
split (SC2046), and variables that the base image may set (SC2154).

Source: https://www.shellcheck.net/wiki/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.shellcheck import NAME, remarks
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find what ShellCheck finds."""
    for script in subject.scripts:
        for each in remarks(script):
            fact = f"{each.code}: {each.message.rstrip('.')}" if each.code else each.message
            remedy = f"see https://www.shellcheck.net/wiki/{each.code}" if each.code else "make it shorter"
            yield Fault(script.line, fact, remedy, each.level, at=each.line, alias=each.code)


RULE = Rule(NAME, examine, __doc__ or "")
