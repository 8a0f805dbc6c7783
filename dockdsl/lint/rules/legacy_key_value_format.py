"""ENV and LABEL are written ``key=value``.

The old form with a blank takes all the rest of the line for the value.

Bad::

    FROM scratch
    ENV DIR /srv

Good::

    FROM scratch
    ENV DIR=/srv

Fix: write an equals sign; ``dockdsl fmt`` does.

Source: https://docs.docker.com/reference/build-checks/legacy-key-value-format/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.editing import COMMENTED, fix_of, operands
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.text.formatting import paired


def examine(subject: Subject) -> Iterator[Fault]:
    """Find the old form."""
    for line in subject.steps("ENV", "LABEL"):
        words = line.quoted_words()
        if words and "=" not in words[0]:
            pair = paired(line, subject.spelled.get(line.origin.line, ""))
            fix = fix_of(operands(subject, line, pair)) if pair else None
            why = COMMENTED if pair else "its value needs other quotes; write it by hand"
            fact, remedy = f"{line.keyword} is in the old form", f"write {line.keyword} {words[0]}=…"
            yield Fault(line, fact, remedy, fix=fix, unfixed=why)


RULE = Rule("LegacyKeyValueFormat", examine, __doc__ or "")
