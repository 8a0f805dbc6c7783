"""A source that is copied or mounted is not left out by the ignore file.

The file is in the folder, and the build does not get it: the step fails. Where only the files of a folder are left out,
an empty folder is copied. ``NAME.dockerignore`` beside the Dockerfile counts before ``.dockerignore``; the last line
that matches decides; without ``**``, a pattern begins at the root.

Files::

    dist/app.js
    docs/a.md
    docs/keep.md
    .dockerignore: dist\\n**/*.md\\n!docs/keep.md

Bad::

    FROM alpine:3.22
    COPY dist/app.js /srv/

Good::

    FROM alpine:3.22
    COPY docs/keep.md /srv/

Fix: let it in again by a line at the end of the ignore file: ``!dist/app.js``.

Source: https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from dockdsl.context.sending import BuildContext, Found
from dockdsl.display import shown
from dockdsl.lint.finding import Level
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find sources that are not sent."""
    context = subject.build.context
    for line, found in subject.named_sources() if context is not None else ():
        if context is None or not found.way.is_there:
            continue
        fault = _said(context, found)
        # What is below an ignored folder may be let in again, unless it could not be read.
        if fault is not None and context.folder.is_whole:
            yield Fault(line, *fault)


def _said(context: BuildContext, found: Found) -> tuple[str, str, Level] | None:
    """Return the fact, the remedy and the level; None if the source is sent."""
    if found.left_out is not None:
        through = "" if found.left_out == found.path else f" leads to {shown(found.left_out)}, which"
        fact = f"{shown(found.path)}{through} is in the folder, and {context.ignoring} leaves it out"
        return fact, context.letting_in(found.left_out), "error"
    if _is_emptied(context, found):
        what = shown(found.path) if found.path else "the build context"
        everything = f"{found.way.end}/**" if found.way.end else "**"
        return f"{context.ignoring} leaves out all files of {what}", context.letting_in(everything), "warning"
    return None


def _is_emptied(context: BuildContext, found: Found) -> bool:
    """Whether a folder is sent without any of its files."""
    if found.way.kind != "folder" or not context.patterns.lines or context.has_files(found.way.end):
        return False
    # The ignore file of a context that has nothing else is none of its files.
    top = os.path.join(context.folder.root, found.way.end)
    return any(name != ".dockerignore" for _, _, names in os.walk(top) for name in names)


RULE = Rule("CopySourceIgnored", examine, __doc__ or "", "error", ("copy-source-ignored",), needs_build=True)
