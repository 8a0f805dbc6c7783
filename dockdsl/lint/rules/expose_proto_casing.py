"""The protocol in EXPOSE is in lower case.

Bad::

    FROM scratch
    EXPOSE 80/TCP

Good::

    FROM scratch
    EXPOSE 80/tcp

Fix: write it in lower case.

Source: https://docs.docker.com/reference/build-checks/expose-proto-casing/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.editing import replaced, words_of
from dockdsl.lint.fix import Fix
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find capitals behind the slash."""
    for line in subject.steps("EXPOSE"):
        written = dict(words_of(line))
        for word in subject.expanded(line):
            port, _, protocol = word.partition("/")
            if protocol != protocol.lower():
                fix = None
                if protocol.isalpha() and word in written:
                    place = protocol, written[word] + len(port) + 1
                    fix = Fix(replaced(subject, line, place, protocol.lower()))
                fact = f"the protocol {protocol!r} has capitals"
                why = "it comes from a variable, or has other characters; change it by hand"
                yield Fault(line, fact, f"write {protocol.lower()}", fix=fix, part=word, unfixed=why)


RULE = Rule("ExposeProtoCasing", examine, __doc__ or "")
