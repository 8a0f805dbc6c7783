"""A stage has one CMD, one ENTRYPOINT and one HEALTHCHECK.

The last one counts, and the others have no effect.

Bad::

    FROM scratch
    CMD ["a"]
    CMD ["b"]

Good::

    FROM scratch
    CMD ["b"]

Fix: remove the earlier one.

Source: https://docs.docker.com/reference/build-checks/multiple-instructions-disallowed/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from dockdsl.lint.editing import removed
from dockdsl.lint.fix import Fix
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_ignores = lazy_regex(r"\s*#\s*(?:check\s*=|hadolint\b|dockdsl:)", re.IGNORECASE)
_ONCE = {"HEALTHCHECK": "DL3012", "CMD": "DL4003", "ENTRYPOINT": "DL4004"}


def examine(subject: Subject) -> Iterator[Fault]:
    """Find those that a later one replaces."""
    for part in subject.parts:
        last = {line.keyword: line for line in part.steps if line.keyword in _ONCE}
        for before, line in pairwise([part.line, *part.steps]):
            if line.keyword in last and line is not last[line.keyword]:
                fact = f"the {line.keyword} at {subject.place(last[line.keyword])} replaces this one"
                fix = Fix(
                    (removed(subject, line.logical.first, line.last),),
                    f"a later {line.keyword} replaces it, so the image is the same",
                )
                # A comment that ignores a rule for it would do so for the next one.
                above = line.logical.lines[before.last + 1 : line.logical.first]
                is_safe = not any(map(_ignores().match, above))
                why = "a comment above it ignores a rule; remove both by hand"
                mended = fix if is_safe else None
                alias = _ONCE[line.keyword]
                yield Fault(line, fact, "remove one of the two", fix=mended, alias=alias, unfixed=why)


RULE = Rule("MultipleInstructionsDisallowed", examine, __doc__ or "", aliases=tuple(_ONCE.values()))
