"""USER is a number where the image has no list of users.

A name is looked up in ``/etc/passwd`` of the image, and a group in ``/etc/group``. ``scratch`` has neither: the
container does not start: ``unable to find user app: no matching entries in passwd file``.

Bad::

    FROM scratch
    COPY api /api
    USER app

Good::

    FROM scratch
    COPY api /api
    USER 65532:65532

Fix: write numbers, or copy ``/etc/passwd`` and ``/etc/group`` from the stage that has them.

Source: https://docs.docker.com/reference/dockerfile/#user
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockdsl.display import shown
from dockdsl.instructions.user import User
from dockdsl.lint.effects import Effects, expanded
from dockdsl.lint.go_sources import read
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.words import BACKSLASH

_DISTROLESS = ("root", "nobody", "nonroot", "tty", "staff")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find names that the image cannot know."""
    for stage in subject.built:
        done = stage.user
        if done is None or done not in stage.steps or not isinstance(done.instruction, User):
            continue
        text = expanded(BACKSLASH.value(done.instruction.user), done.values)
        user, _, group = (text or "").partition(":")
        for name, path in ((user, "/etc/passwd"), (group, "/etc/group")):
            if name and not name.isdecimal() and not _may_have(stage, path, name, subject):
                yield Fault(done.line, f"{shown(name)} is not in {path} of the image", "write a number")
                break


def _may_have(stage: Effects, path: str, name: str, subject: Subject) -> bool:
    """Whether a list may have a name."""
    place = stage.look(path)
    context = subject.build.context
    text = place.content
    if place.kind == "file" and place.context is not None and context is not None:
        text = read(context, place.context)
    if place.kind == "file" and (text is not None or place.context is not None):
        return text is None or re.search(rf"^{re.escape(name)}:", text, re.MULTILINE) is not None
    if place.kind == "unknown" and stage.root is not None and stage.root.is_distroless and _is_untouched(stage):
        return name in _DISTROLESS
    return place.kind != "absent"


def _is_untouched(stage: Effects) -> bool:
    """Whether nothing ran on the base, or copied to its /etc."""
    transfers = [each for every in stage.chain for each in every.transfers()]
    return not any(every.runs() for every in stage.chain) and all(
        each.destination is not None and not "/etc/passwd/".startswith(f"{each.destination.rstrip('/')}/")
        for each in transfers
    )


RULE = Rule("NamedUserOnScratch", examine, __doc__ or "", "error", ("named-user-on-scratch",))
