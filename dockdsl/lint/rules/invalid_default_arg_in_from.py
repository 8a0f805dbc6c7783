"""The defaults of the arguments of FROM give the name of an image.

Bad::

    ARG VERSION
    FROM alpine:${VERSION}

Good::

    ARG VERSION=3.22
    FROM alpine:${VERSION}

Fix: give the argument a default, so that the file can be built without options.

Source: https://docs.docker.com/reference/build-checks/invalid-default-arg-in-from/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject, expanded, used
from dockdsl.syntax.references import is_image


def examine(subject: Subject) -> Iterator[Fault]:
    """Find bases that are not names with the defaults alone."""
    values = subject.defaults
    for part in subject.parts:
        name = expanded(part.base, values)
        if name is not None and not (is_image(name) or name.lower() == "scratch"):
            if "$" in part.base:
                fact = f"with the defaults of its arguments the base {part.base} is {name!r}, which is not an image"
                empty = next((each for each in sorted(used(part.base)) if not values.get(each)), None)
                remedy = "correct the defaults" if empty is None else subject.named_in_from(empty)
                yield Fault(part.line, fact, remedy, part=part.base)
            else:
                # BuildKit says it beside the refusal, which the rule RefusedByBuild has.
                fact = f"the base {name!r} is neither an image nor a stage above it"
                yield Fault(part.line, fact, "correct the name", part=part.base)


RULE = Rule("InvalidDefaultArgInFrom", examine, __doc__ or "")
