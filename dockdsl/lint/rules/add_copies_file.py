"""COPY copies files and folders; ADD is for archives, addresses and repositories.

ADD does more than to copy: it unpacks and downloads, by the name that it is given.

Bad::

    FROM scratch
    ADD app /

Good::

    FROM scratch
    COPY app /

Fix: write ``COPY``.

Source: https://github.com/hadolint/hadolint/wiki/DL3020
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_is_special = re.compile(
    r"://|^git@|^<<|\$|\.git(?:#|$)|\.(?:tar|t?gz|t?bz2?|tbz2|t?xz|t?lz|lzma|tlz|tZ|Z|t?zst)[\"']?$"
).search


def examine(subject: Subject) -> Iterator[Fault]:
    """Find ADD with files alone."""
    for line, sources, _ in subject.copies("ADD"):
        plain = [source for source in sources if not _is_special(source)]
        if plain:
            yield Fault(line, f"ADD only copies {plain[0]!r}", "write COPY")


RULE = Rule("AddCopiesFile", examine, __doc__ or "", "hint", ("DL3020",))
