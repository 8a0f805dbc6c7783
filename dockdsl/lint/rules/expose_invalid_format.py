"""EXPOSE names a port of the container alone.

An address or a port of the host has no effect there: whoever runs the container says where it is published.

Bad::

    FROM scratch
    EXPOSE 8080:80

Good::

    FROM scratch
    EXPOSE 80

Fix: write the port of the container.

Source: https://docs.docker.com/reference/build-checks/expose-invalid-format/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.editing import fix_of, replaced, words_of
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_EFFECT = "BuildKit ignores what stood before the port, so the image is the same"
_is_port = lazy_regex(r"[0-9]+(?:-[0-9]+)?(?:/[A-Za-z]+)?")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find what stands before a colon."""
    for line in subject.steps("EXPOSE"):
        written = dict(words_of(line))
        for word in subject.expanded(line):
            host, colon, port = word.rpartition(":")
            if colon:
                fix = None
                if word in written and _is_port().fullmatch(port) is not None:
                    fix = fix_of(replaced(subject, line, (host + colon, written[word]), ""), _EFFECT)
                what = f"an address or a port of the host, {host!r}" if host else "a colon before the port"
                remedy = f"write {port}" if _is_port().fullmatch(port) else "write the port of the container alone"
                why = "it comes from a variable, is no port, or is broken across lines; write it by hand"
                yield Fault(line, f"{word!r} has {what}", remedy, fix=fix, part=word, unfixed=why)


RULE = Rule("ExposeInvalidFormat", examine, __doc__ or "")
