"""The port that the image is expected to serve is one that it exposes.

``port=`` of the `Image` is where the runner and its checks ask. Where the Dockerfile exposes other ports only, one of
the two is most likely wrong.

Options::

    port=8080

Bad::

    FROM scratch
    EXPOSE 8000

Good::

    FROM scratch
    EXPOSE 8080/tcp

Fix: correct ``port=``, or ``EXPOSE``.

Source: https://docs.docker.com/reference/dockerfile/#expose
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.effects import Done, Effects, expanded
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find images that expose other ports alone."""
    port = subject.build.port
    for target in subject.targets if port is not None else ():
        lines = [each for stage in target.chain for each in stage.steps if each.instruction.keyword == "EXPOSE"]
        words = [word for each in lines for word in _words(each)]
        if not lines or any(_may_be(word, port) for word in words):
            continue
        listed = ", ".join([word for word in words if word is not None])
        fact = f"the image is to serve port {port}, and exposes {listed}"
        yield Fault(lines[-1].line, fact, "correct port= or `EXPOSE`", "warning" if _is_bare(target) else "hint")


def _words(done: Done) -> list[str | None]:
    return [expanded(word, done.values, done.line.escape) for word in done.line.words()]


def _may_be(word: str | None, port: int | None) -> bool:
    if word is None or port is None:
        return True
    number, _, protocol = word.partition("/")
    low, _, high = number.partition("-")
    if not low.isdecimal() or not (high or low).isdecimal():
        return True
    return int(low) <= port <= int(high or low) and protocol.lower() in ("", "tcp")


def _is_bare(target: Effects) -> bool:
    """Whether the base exposes nothing."""
    return target.root is not None and (target.root.is_scratch or target.root.is_plain or target.root.is_distroless)


RULE = Rule("PortNotExposed", examine, __doc__ or "", needs_build=True)
