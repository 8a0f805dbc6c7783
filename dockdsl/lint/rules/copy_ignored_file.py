"""A source of COPY or ADD is not named by the ignore file.

This is BuildKit's check, which looks at the patterns alone, and not at the files: it says nothing where the ignore file
has an exception. CopySourceIgnored looks at the files; where that finds the same, this is a hint.

Files::

    docs/guide.txt
    main.c
    .dockerignore: **/guide.txt

Bad::

    FROM scratch
    COPY docs/guide.txt /

Good::

    FROM scratch
    COPY main.c /

Fix: correct the ignore file, or leave the source out.

Source: https://docs.docker.com/reference/build-checks/copy-ignored-file/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.context.ignoring import Patterns
from dockdsl.context.sending import cleaned
from dockdsl.display import shown
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_EVERYTHING = {"*", "**", "**/*"}


def examine(subject: Subject) -> Iterator[Fault]:
    """Find sources that a pattern fits."""
    context = subject.build.context
    if context is None or context.patterns.has_exceptions:
        return
    for stage in subject.stages:
        for transfer in stage.transfers():
            for source in transfer.sources:
                if source.kind == "context" and source.text is not None:
                    path = cleaned(source.text)
                    if _names(context.patterns, path):
                        fact = f"{context.ignoring} leaves out {shown(path or '.')}"
                        # The same is found there as an error.
                        is_found = source.found is not None and source.found.way.is_there and source.found.path
                        remedy = "correct the ignore file, or leave the source out"
                        yield Fault(transfer.line, fact, remedy, "hint" if is_found else None)


def _names(patterns: Patterns, path: str) -> bool:
    return patterns.last_names(path) if path else bool(_EVERYTHING & {*patterns.lines})


RULE = Rule("CopyIgnoredFile", examine, __doc__ or "", needs_build=True)
