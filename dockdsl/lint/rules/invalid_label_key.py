"""The key of a label has the form that Docker documents.

It begins and ends with a small letter or a digit, and has small letters, digits, single dots and hyphens between;
the prefixes ``com.docker.``, ``io.docker.`` and ``org.dockerproject.`` are Docker's own.

Bad::

    FROM scratch
    LABEL Foo..bar="x"

Good::

    FROM scratch
    LABEL foo.bar="x"

Fix: write the key in small letters, with single dots.

Source: https://github.com/hadolint/hadolint/wiki/DL3048
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_is_key = lazy_regex(r"[a-z0-9](?:[a-z0-9]|[.-](?=[a-z0-9]))*")
_RESERVED = ("com.docker.", "io.docker.", "org.dockerproject.")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find other keys."""
    for line in subject.steps("LABEL"):
        for name in subject.names(line):
            key = name.strip("\"'")
            if "$" not in key and (not _is_key().fullmatch(key) or key.startswith(_RESERVED)):
                yield Fault(line, f"the label key {key!r} has another form than Docker asks for", "rename it")


RULE = Rule("InvalidLabelKey", examine, __doc__ or "", "hint", ("DL3048",))
