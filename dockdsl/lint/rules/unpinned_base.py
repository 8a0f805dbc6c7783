"""The base image has a tag of its own.

Without a tag, and with ``latest``, another build gets another image: what was tested is not what is built next.

Bad::

    FROM alpine
    COPY app /

Good::

    FROM alpine:3.22
    COPY app /

Fix: name the version, or a digest.

Source: https://github.com/hadolint/hadolint/wiki/DL3006
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find bases whose tag is left out or ``latest``."""
    for part in subject.parts:
        base = part.base
        if part.parent is not None or base.lower() == "scratch" or "$" in base or "@" in base:
            continue
        tag = base.rpartition("/")[2].partition(":")[2]
        if not tag:
            yield Fault(part.line, f"the image {base!r} has no tag", "name a version", alias="DL3006")
        elif tag == "latest":
            yield Fault(part.line, f"{base!r} is another image with each release", "name a version", alias="DL3007")


RULE = Rule("UnpinnedBase", examine, __doc__ or "", "hint", ("DL3006", "DL3007"))
