"""A script of RUN has no fault that ShellCheck finds.

ShellCheck reads shell scripts: quotes that are missing, what a shell does not have, failures that are not seen. Its
codes begin with ``SC``; each has a page that explains it. It is given the shell of the stage, as ``SHELL`` or the base
image says, and the variables that ``ARG`` and ``ENV`` set. It is a program of its own, which the extra ``check``
installs; scripts are not read without it, nor those for PowerShell and ``cmd``.

Bad::

    FROM debian:13
    RUN mkdir -p -m 700 /srv/app

Good::

    FROM debian:13
    RUN mkdir -p /srv/app && chmod 700 /srv /srv/app

Fix: do what the page of the code says. What it calls info or style is a hint, as is what may well be meant: words that
are split (SC2046), ``export A=$(…)`` of what cannot fail (SC2155), variables that the base image sets (SC2154).

Source: https://www.shellcheck.net/wiki/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.shellcheck import CHARACTERS, NAME, SCRIPTS, prepare, program, readable, remarks
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find what ShellCheck finds."""
    if program() is None:
        return
    scripts = readable(subject.scripts)
    prepare(scripts)
    for script in scripts:
        for each in remarks(script):
            fact = f"{each.code}: {each.message.rstrip('.')}" if each.code else each.message
            remedy = f"see https://www.shellcheck.net/wiki/{each.code}" if each.code else "make it shorter"
            yield Fault(script.line, fact, remedy, each.level, at=each.line, alias=each.code)
    if len(scripts) < len(subject.scripts):
        fact = f"ShellCheck reads {SCRIPTS:,} scripts and {CHARACTERS:,} characters of a file, and none from here on"
        yield Fault(subject.scripts[len(scripts)].line, fact, "copy scripts from files, or split the file", "hint")


RULE = Rule(NAME, examine, __doc__ or "")
