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

from dockdsl.errors import DockdslError
from dockdsl.instructions.label import Label
from dockdsl.lint.editing import COMMENTED, head_of, operands, replaced
from dockdsl.lint.fix import Fix
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.words import BACKSLASH, BACKTICK, literal

_AUTHORS = "org.opencontainers.image.authors"
_EFFECT = "the image has a label in place of its author field"


def examine(subject: Subject) -> Iterator[Fault]:
    """Find MAINTAINER."""
    for line in subject.steps("MAINTAINER"):
        why = COMMENTED if line.logical.comments() else "it cannot be quoted where it stands; write it by hand"
        remedy = f"write `LABEL {_AUTHORS}=…`"
        yield Fault(line, "MAINTAINER is deprecated", remedy, fix=_label(subject, line), unfixed=why)


def _label(subject: Subject, line: Line) -> Fix | None:
    text = line.text
    if len(text) > 2 and text[0] == text[-1] == '"' and text.count('"') == 2:
        # The quotes were meant as such.
        text = text[1:-1]
    try:
        written = Label({_AUTHORS: literal(text)}).spell(BACKSLASH if line.escape == "\\" else BACKTICK)
    except DockdslError:
        return None
    head = "label" if line.head == line.head.lower() else "LABEL"
    parts = replaced(subject, line, head_of(line), head), operands(subject, line, written.removeprefix("LABEL "))
    return Fix((*parts[0], *parts[1]), _EFFECT) if all(parts) else None


RULE = Rule("MaintainerDeprecated", examine, __doc__ or "", aliases=("DL4000",))
