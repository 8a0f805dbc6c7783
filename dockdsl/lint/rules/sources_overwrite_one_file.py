"""Several sources are not copied to one file.

Without a slash at its end, and where no folder is there, the destination is a file: each source overwrites the one
before it, without a word, and the last one is left.

Files::

    a.conf
    b.conf

Bad::

    FROM alpine:3.22
    COPY *.conf /etc/app

Good::

    FROM alpine:3.22
    COPY *.conf /etc/app/

Fix: end the destination with a slash.

Source: https://docs.docker.com/reference/dockerfile/#destination
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.display import shown
from dockdsl.instructions.add import Add
from dockdsl.lint.effects import Effects, Transfer, is_archive
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find several files for one name."""
    for stage in subject.built:
        for transfer in stage.transfers():
            to = transfer.destination
            step = transfer.instruction
            if to is None or transfer.has_slash or getattr(step, "parents", None) or getattr(step, "exclude", None):
                continue
            names = _files(transfer, subject)
            if len(names) < 2 or _is_folder(stage, transfer, to):
                continue
            fact = f"{len(names)} files are written to the one file {shown(to)}, and only {shown(names[-1])} is left"
            yield Fault(transfer.line, fact, f"write {to}/")


def _files(transfer: Transfer, subject: Subject) -> list[str]:
    """Return the files that are copied; none if something else is, or if that is not known."""
    names: list[str] = []
    context = subject.build.context
    for source in transfer.sources:
        if source.kind == "text" and source.text is not None:
            names.append(source.text)
            continue
        if source.stage is not None and not source.is_pattern and source.stage.look(source.path).kind == "file":
            names.append(source.path)
            continue
        if context is None or (source.found is None and source.matches is None):
            return []
        paths = source.matches.sent if source.matches else [source.found.path] if source.found else []
        for path in paths:
            if context.folder.follow(path).kind == "folder":
                return []
            if isinstance(transfer.instruction, Add) and is_archive(path):
                return []
        names += paths
    return names


def _is_folder(stage: Effects, transfer: Transfer, to: str) -> bool:
    """Whether the destination is, or may be, a folder already."""
    return to == transfer.workdir or stage.look(to, transfer).kind in ("folder", "unknown")


RULE = Rule(
    "SourcesOverwriteOneFile", examine, __doc__ or "", "error", ("sources-overwrite-one-file",), needs_build=True
)
