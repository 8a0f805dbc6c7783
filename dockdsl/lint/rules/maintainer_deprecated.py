"""A label names the authors, and not MAINTAINER.

MAINTAINER is deprecated; tools read the label ``org.opencontainers.image.authors``.

Bad::

    FROM scratch
    MAINTAINER me@example.com

Good::

    FROM scratch
    LABEL org.opencontainers.image.authors="me@example.com"

Fix: write the label.

Source: https://docs.docker.com/reference/build-checks/maintainer-deprecated/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find MAINTAINER."""
    for line in subject.steps("MAINTAINER"):
        yield Fault(line, "MAINTAINER is deprecated", "write LABEL org.opencontainers.image.authors=…")


RULE = Rule("MaintainerDeprecated", examine, __doc__ or "", aliases=("DL4000",))
