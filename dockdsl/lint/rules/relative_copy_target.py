"""The target of COPY is absolute where no WORKDIR is set.

It is relative to the folder of the base image, which may change without notice.

Bad::

    FROM debian:13
    COPY app app

Good::

    FROM debian:13
    WORKDIR /srv
    COPY app app

Fix: write the whole path, or a WORKDIR.

Source: https://github.com/hadolint/hadolint/wiki/DL3045
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_is_absolute = lazy_regex(r"[\"']?(?:[/\\$]|[A-Za-z]:)")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find relative targets that no WORKDIR comes before."""
    targets = {id(line): target for line, _, target in subject.copies("COPY")}
    is_set: dict[int, bool] = {}
    for part in subject.parts:
        has_folder = is_set.get(id(part.parent), part.base.lower() == "scratch")
        for line in part.steps:
            if line.keyword == "WORKDIR":
                has_folder = True
            target = targets.get(id(line))
            if target is not None and not has_folder and not _is_absolute().match(target):
                fact = f"the target {target!r} is relative to the folder of the base image"
                yield Fault(line, fact, "write the whole path, or `WORKDIR` above")
        is_set[id(part)] = has_folder


RULE = Rule("RelativeCopyTarget", examine, __doc__ or "", "hint", ("DL3045",))
