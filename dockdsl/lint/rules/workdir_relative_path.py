"""The first WORKDIR is absolute.

A relative path continues that of the base image, which may change without notice.

Bad::

    FROM scratch
    WORKDIR app

Good::

    FROM scratch
    WORKDIR /app

Fix: write the whole path.

Source: https://docs.docker.com/reference/build-checks/workdir-relative-path/
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from dockdsl.lint.editing import COMMENTED, fix_of, operands
from dockdsl.lint.finding import Level
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.rules import undefined_var
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_EFFECT = "on scratch it is the same folder"
_is_plain = lazy_regex(r"(?:\./)?\w[\w./-]*")
_is_windows = lazy_regex(r"[A-Za-z]:[\\\\/]")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find relative paths that no absolute one comes before."""
    unknown = cache(lambda: {id(fault.line) for fault in undefined_var.examine(subject) if fault.level == "hint"})
    for part in subject.parts:
        is_set = any(line.keyword == "WORKDIR" for each in part.chain() if each is not part for line in each.steps)
        for line in part.steps:
            if line.keyword != "WORKDIR":
                continue
            path = " ".join(subject.expanded(line))
            if not is_set and not path.startswith("/"):
                # On Windows it is absolute, and the base image may set its variables.
                is_unsure = id(line) in unknown() or any(map(_is_windows().match, (path, line.text)))
                fact = f"the path {line.text!r} is relative to that of the base image"
                fix, why = None, "the folder that it begins in is not known for sure; write it by hand"
                if subject.is_on_scratch(line) and _is_plain().fullmatch(line.text):
                    fix, why = fix_of(operands(subject, line, f"/{line.text.removeprefix('./')}"), _EFFECT), COMMENTED
                level: Level = "hint" if is_unsure else "warning"
                yield Fault(line, fact, "write the whole path", level, fix=fix, part=line.text, unfixed=why)
            is_set = True


RULE = Rule("WorkdirRelativePath", examine, __doc__ or "", aliases=("DL3000",))
