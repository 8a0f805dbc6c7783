"""Names of stages are in lower case.

BuildKit compares them without case, so ``Build`` and ``build`` are one stage; one spelling is easier to read.

Bad::

    FROM scratch AS Build

Good::

    FROM scratch AS build

Fix: write the name in lower case, where it is given and where it is used.

Source: https://docs.docker.com/reference/build-checks/stage-name-casing/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.editing import replaced, words_of
from dockdsl.lint.fix import Edit, Fix
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lazy_regex import lazy_regex

_sources = lazy_regex(r"(?:^--|[=,])(?:from|FROM)=([^,]+)")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find names with capitals."""
    if all(part.name is None or part.name == part.name.lower() for part in subject.parts):
        return
    named: dict[str, list[Edit]] = {}
    for part in subject.parts:
        # A base in capitals is not a stage: BuildKit looks it up as it is written.
        if part.name is not None:
            words = list(words_of(part.line))
            named.setdefault(part.name.lower(), []).extend(_lowered(subject, part.line, words[2]))
    for line in subject.steps("COPY", "RUN"):
        for flag in line.flags:
            for found in _sources().finditer(line.logical.text[flag.start : flag.end]):
                name = found[1].lower()
                if name in named:
                    named[name].extend(_lowered(subject, line, (found[1], flag.start + found.start(1))))
    for part in subject.parts:
        if part.name is not None and part.name != part.name.lower():
            name = part.name.lower()
            fact = f"the stage name {part.name!r} has capitals"
            fix = Fix(tuple(sorted(named[name])))
            yield Fault(part.line, fact, f"write {name!r}", fix=fix, part=part.named)


def _lowered(subject: Subject, line: Line, word: tuple[str, int]) -> tuple[Edit, ...]:
    return replaced(subject, line, word, word[0].lower()) if word[0] != word[0].lower() else ()


RULE = Rule("StageNameCasing", examine, __doc__ or "")
