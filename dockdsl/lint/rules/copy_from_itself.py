"""COPY takes files from another stage.

A stage that needs itself cannot be built: ``circular dependency detected``.

Bad::

    FROM debian:13 AS app
    COPY --from=app /a /b

Good::

    FROM debian:13 AS app
    RUN cp /a /b

Fix: name the other stage, or copy with ``cp``.

Source: https://github.com/hadolint/hadolint/wiki/DL3023
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find the stage's own name or index."""
    for index, part in enumerate(subject.parts):
        own = (str(index), (part.name or str(index)).lower())
        for line in part.steps:
            source = next(((flag.value or "").lower() for flag in line.flags if flag.name == "from"), "")
            if line.keyword == "COPY" and source in own:
                yield Fault(line, f"the stage {source!r} copies from itself", "name another stage")


RULE = Rule("CopyFromItself", examine, __doc__ or "", "error", ("DL3023",))
