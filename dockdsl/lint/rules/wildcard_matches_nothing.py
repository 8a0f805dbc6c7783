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
    named = {found.way.end: found for _, found in subject.named_sources() if found.left_out is None}
    for stage in subject.built:
        for transfer in stage.transfers():
            given = [source.matches for source in transfer.sources if source.matches is not None]
            if len(given) < len(transfer.sources) or getattr(transfer.instruction, "parents", None):
                continue
            if any(each.sent or not each.is_known for each in given):
                continue
            failing = [each for each in given if each.folder and not _is_sent(context, each, [*named], subject)]
            present = [source for source in transfer.sources if source.matches is not None and source.matches.present]
            fact = f"{_listed(transfer.sources)} matches nothing"
            if present:
                fact += f" that {context.ignoring} does not leave out"
            remedy = context.letting_in(cleaned(present[0].text or "")) if present else "correct the pattern"
            yield Fault(transfer.line, fact + _outcome(failing), remedy, "error" if failing else "warning")


def _listed(sources: tuple[From, ...]) -> str:
    return " and ".join([shown(source.text) for source in sources])


def _outcome(failing: list[Matches]) -> str:
    if failing:
        return f", and nothing of {shown(failing[0].folder)} is sent, so the build fails"
    return ", and the build copies nothing in silence"


def _is_sent(context: BuildContext, found: Matches, named: list[str], subject: Subject) -> bool:
    """Whether another step sends something of the folder."""
    if found.way.kind != "folder":
        return False
    folder = found.way.end
    for path in named:
        if f"{path}/".startswith(f"{folder}/"):
            return True
        if (not path or f"{folder}/".startswith(f"{path}/")) and context.is_sent(folder, "folder"):
            return True
    others = [source.matches for stage in subject.built for each in stage.transfers() for source in each.sources]
    sent = [path for each in others if each is not None for path in each.sent]
    return any(f"{path}/".startswith(f"{folder}/") for path in sent)


RULE = Rule("WildcardMatchesNothing", examine, __doc__ or "", aliases=("wildcard-matches-nothing",), needs_build=True)
