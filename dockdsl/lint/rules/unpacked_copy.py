"""ADD unpacks a local archive, so that the archive itself is not in the image.

With ``COPY``, the archive stays in the layer of its own, even if a later step removes it.

Bad::

    FROM debian:13
    COPY app.tar.gz /opt/
    RUN tar -xf /opt/app.tar.gz

Good::

    FROM debian:13
    ADD app.tar.gz /opt/

Fix: write ``ADD``, and remove the step that unpacks.

Source: https://github.com/hadolint/hadolint/wiki/DL3010
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename, join

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst")
_UNPACKERS = ("tar", "gunzip", "bunzip2", "unxz", "unzstd", "gzip", "bzip2", "xz", "zstd")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find archives that are copied and then unpacked in the same stage."""
    copies = {id(line): (sources, target) for line, sources, target in subject.copies("COPY") if not line.flags}
    for part in subject.parts:
        unpacked = {
            basename(word)
            for script in subject.scripts_of(part)
            for command in script.commands(*_UNPACKERS)
            for word in command.arguments
        }
        for line in part.steps:
            sources, target = copies.get(id(line), ([], ""))
            for source in sources:
                place = join(target, basename(source)) if target.endswith(("/", ".")) else target
                if source.endswith(_ARCHIVES) and {basename(place), basename(source)} & unpacked:
                    yield Fault(line, f"{source!r} is unpacked by a later step", "write `ADD`, which unpacks it")


RULE = Rule("UnpackedCopy", examine, __doc__ or "", "hint", ("DL3010",))
