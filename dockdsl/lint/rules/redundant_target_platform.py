"""``--platform=$TARGETPLATFORM`` is left out of FROM.

It is the platform that FROM has by itself.

Bad::

    FROM --platform=$TARGETPLATFORM alpine:3.22

Good::

    FROM alpine:3.22

Fix: remove the flag.

Source: https://docs.docker.com/reference/build-checks/redundant-target-platform/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.editing import fix_of, replaced
from dockdsl.lint.fix import Edit
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.instruction_line import FlagToken, Line
from dockdsl.syntax.lazy_regex import lazy_regex

_EFFECT = "the stage has that platform by default"
_blanks = lazy_regex(r"[ \t]+")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find the default as a flag."""
    for part in subject.parts:
        if part.platform in ("$TARGETPLATFORM", "${TARGETPLATFORM}"):
            edits = [
                edit
                for flag in part.line.flags
                if flag.name == "platform"
                for edit in _removed(subject, part.line, flag)
            ]
            fix = fix_of(tuple(edits), _EFFECT)
            flag = f"--platform={part.platform}"
            why = "it is broken across lines; remove it by hand"
            fact = f"the platform {part.platform} is the default"
            yield Fault(part.line, fact, "leave `--platform` out", fix=fix, part=flag, unfixed=why)


def _removed(subject: Subject, line: Line, flag: FlagToken) -> Iterator[Edit]:
    for edit in replaced(subject, line, (line.logical.text[flag.start : flag.end], flag.start), ""):
        blanks = _blanks().match(subject.text, edit.end)
        yield edit if blanks is None else edit._replace(end=blanks.end())


RULE = Rule("RedundantTargetPlatform", examine, __doc__ or "", aliases=("DL3065",))
