"""A source that is copied or mounted is in the build context.

Otherwise the build fails at that step, often minutes after it began. ``..`` above the context, and a slash at the
beginning, mean its root; links are followed inside it; a mount takes no wildcards.

Files::

    conf/app.yaml

Bad::

    FROM alpine:3.22
    COPY conf/app.toml /etc/

Good::

    FROM alpine:3.22
    COPY conf/app.yaml ../conf/app.yaml /etc/

Fix: correct the path, or put the file into the context.

Source: https://docs.docker.com/build/concepts/context/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockdsl.context.sending import BuildContext, Found
from dockdsl.display import shown, suggestion
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find sources that the context does not have."""
    context, missing, refused = subject.build.context, subject.build.missing, subject.build.refused
    if missing is not None or refused is not None:
        transfers = [each for stage in subject.built for each in stage.transfers()]
        first = next((each for each in transfers if any(source.kind == "context" for source in each.sources)), None)
        if first is not None and missing is not None:
            yield Fault(first.line, f"the build context {shown(missing)} is not a folder", "correct its path")
        elif first is not None and refused is not None:
            yield Fault(first.line, refused.fact, refused.remedy)
        return
    for line, found in subject.named_sources() if context is not None else ():
        if not found.way.is_there and found.way.is_known and context is not None:
            yield Fault(line, *_said(context, found))


def _said(context: BuildContext, found: Found) -> tuple[str, str]:
    """Return the fact and the remedy."""
    if found.way.is_circle:
        return f"{shown(found.path)} leads in a circle of links", "correct the link"
    out = context.folder.leads_out(found.way)
    if out is not None:
        return (
            f"{shown(found.path)} leads by the link {shown(out)} out of the build context",
            "put the file itself there",
        )
    if found.way.links:
        fact = f"{shown(found.path)} leads by a link to {shown(found.way.end)}, which is not in the build context"
        return fact, "correct the link"
    folder = posixpath.dirname(found.path)
    names = [posixpath.join(folder, each) for each in context.folder.entries(folder) or ()]
    return f"{shown(found.path)} is not in the build context", suggestion(found.path, names, "check the path")


RULE = Rule("CopySourceMissing", examine, __doc__ or "", "error", ("copy-source-missing",), needs_build=True)
