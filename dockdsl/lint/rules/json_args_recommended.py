"""CMD and ENTRYPOINT are in the exec form.

In the shell form the program is a child of a shell, which passes no signals on: ``docker stop`` waits ten seconds and
kills it. An image that
sets ``SHELL`` has chosen a shell, and is not reported.

Bad::

    FROM scratch
    CMD run me

Good::

    FROM scratch
    CMD ["run", "me"]

Fix: write a JSON array; in Python, ``Cmd.exec`` and ``Entrypoint.exec``.

Source: https://docs.docker.com/reference/build-checks/json-args-recommended/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find the shell form."""
    for part in subject.parts:
        shells = {id(line) for each in part.chain() for line in each.steps if line.keyword == "SHELL"}
        inherited = any(line.keyword == "SHELL" for each in part.chain() if each is not part for line in each.steps)
        for line in part.steps:
            inherited = inherited or id(line) in shells
            if line.keyword in ("CMD", "ENTRYPOINT") and line.array() is None and not inherited:
                fact = f"{line.keyword} is in the shell form, so the program gets no signals"
                yield Fault(line, fact, f'write {line.keyword} ["program", "argument"]')


RULE = Rule("JSONArgsRecommended", examine, __doc__ or "", aliases=("DL3025",))
