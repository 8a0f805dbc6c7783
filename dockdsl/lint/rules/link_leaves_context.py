"""A link that is copied does not lead out of the build context.

The link itself is copied, and not what it leads to: in the image, it leads nowhere, or to something else.

Files::

    ../shared/names.py
    app/main.py
    app/shared -> ../../shared
    app/settings.py -> main.py

Bad::

    FROM python:3.13-slim
    COPY app /srv/app/

Good::

    FROM python:3.13-slim
    COPY app/main.py /srv/app/

Fix: put the file itself into the folder, or pass the other folder as a context of its own:
``Image(…, contexts={"shared": "../shared"})``.

Source: https://docs.docker.com/build/concepts/context/
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator

from dockdsl.context.sending import BuildContext
from dockdsl.display import shown
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find links in folders that are copied."""
    context = subject.build.context
    if context is None:
        return
    known: dict[str, str | None] = {}
    for stage in subject.built:
        for transfer in stage.transfers():
            folders = [
                each.found.way.end for each in transfer.sources if each.found and each.found.way.kind == "folder"
            ]
            for folder in folders:
                if folder not in known:
                    known[folder] = next(_leaving(context, folder), None)
                link = known[folder]
                if link is not None:
                    yield Fault(
                        transfer.line, f"the link {shown(link)} leads out of the build context", "copy the file itself"
                    )


def _leaving(context: BuildContext, folder: str) -> Iterator[str]:
    """Yield the links in a folder that climb above the context, to something that is there."""
    root = context.folder.root
    for path, kind in context.walk(folder):
        if kind != "link":
            continue
        place = os.path.join(root, path)
        try:
            target = os.readlink(place)
        except OSError:
            continue
        climbs = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        # An absolute link most often means a file of the image.
        if not target.startswith("/") and climbs.startswith("..") and os.path.exists(place):
            yield path


RULE = Rule("LinkLeavesContext", examine, __doc__ or "", "hint", needs_build=True)
