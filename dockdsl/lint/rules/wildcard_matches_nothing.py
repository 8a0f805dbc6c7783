"""A wildcard matches a file that is sent.

At the root of the context, one that matches nothing is passed over in silence: nothing is copied, and the destination
is not even made. In a folder of which nothing is sent, the build fails. A wildcard beside a source that matches is
fine: ``COPY go.mod go.sum* ./``.

Files::

    go.mod
    conf/app.toml

Bad::

    FROM alpine:3.22
    COPY conf/*.yaml /etc/app/

Good::

    FROM alpine:3.22
    WORKDIR /src
    COPY go.mod go.sum* conf/*.toml ./

Fix: correct the pattern, or the ignore file.

Source: https://docs.docker.com/reference/dockerfile/#copy
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.context.sending import BuildContext, Matches, cleaned
from dockdsl.display import shown
from dockdsl.lint.effects import From
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find COPY and ADD whose wildcards match nothing."""
    context = subject.build.context
    if context is None:
        return
    asked = _Asked(context, subject)
    for stage in subject.built:
        for transfer in stage.transfers():
            wildcards = [source for source in transfer.sources if source.matches is not None]
            if getattr(transfer.instruction, "parents", None) or any(not _matches(each).is_known for each in wildcards):
                continue
            empty = [source for source in wildcards if not _matches(source).sent]
            failing = [source for source in empty if _fails(_matches(source), asked)]
            is_wrong = failing or (empty and len(empty) == len(transfer.sources))
            if is_wrong and context.folder.is_whole:
                wrong = failing or empty
                present = [source for source in wrong if _matches(source).present]
                listed = " and ".join([shown(source.text) for source in wrong])
                fact = f"{listed} {'matches' if len(wrong) == 1 else 'match'} nothing"
                fact += f" that {context.ignoring} does not leave out" if present else ""
                remedy = context.letting_in(cleaned(present[0].text or "")) if present else "correct the pattern"
                yield Fault(transfer.line, fact + _outcome(failing), remedy, "error" if failing else "warning")


def _matches(source: From) -> Matches:
    assert source.matches is not None  # for the type checker: only these are passed
    return source.matches


def _outcome(failing: list[From]) -> str:
    if failing:
        return f", and nothing of {shown(_matches(failing[0]).folder)} is sent, so the build fails"
    return ", and the build copies nothing in silence"


class _Asked:
    """What all steps ask of the context."""

    def __init__(self, context: BuildContext, subject: Subject) -> None:
        self.context = context
        named = [found for _, found in subject.named_sources() if found.way.is_there and found.left_out is None]
        self.named = {found.way.end for found in named}
        transfers = [each for stage in subject.built for each in stage.transfers()]
        matched = [
            path for each in transfers for source in each.sources if source.matches for path in source.matches.sent
        ]
        self.inside = {above for path in (*self.named, *matched) for above in _above(path)}
        """All that is sent for a step, and the folders above it."""


def _above(path: str) -> Iterator[str]:
    """Yield a path, and the folders above it."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def _fails(found: Matches, asked: _Asked) -> bool:
    """Whether nothing of the folder is sent, so that the build cannot look into it."""
    folder = found.way.end
    if not found.folder or (found.way.kind is not None and (folder in asked.inside or found.is_deep)):
        return False
    is_asked = found.way.kind is not None and any(above in asked.named for above in _above(folder))
    return not (is_asked and asked.context.is_sent(folder, found.way.kind))


RULE = Rule("WildcardMatchesNothing", examine, __doc__ or "", aliases=("wildcard-matches-nothing",), needs_build=True)
