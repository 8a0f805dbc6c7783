"""Each stage has a name of its own.

Of two stages with one name, the later one hides the other.

Bad::

    FROM scratch AS b
    FROM scratch AS b

Good::

    FROM scratch AS a
    FROM scratch AS b

Fix: rename one of them.

Source: https://docs.docker.com/reference/build-checks/duplicate-stage-name/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find names that occurred before."""
    seen: dict[str, str] = {}
    for part in subject.parts:
        if part.name is None:
            continue
        name = part.name.lower()
        if name in seen:
            fact = f"the name {name!r} is that of the stage at {seen[name]}"
            yield Fault(part.line, fact, "rename one of the two", part=part.named)
        seen.setdefault(name, subject.place(part.line))


RULE = Rule("DuplicateStageName", examine, __doc__ or "", aliases=("DL3024",))
