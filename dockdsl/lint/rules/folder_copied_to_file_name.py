"""A folder is not copied to a name that looks like that of a file.

The source is a folder in the context, so the destination becomes one, whatever it is called: what was to read
``app.json`` finds a folder.

Files::

    schema.json/v1.json
    conf.d/a

Bad::

    FROM alpine:3.22
    COPY schema.json /app/schema.json

Good::

    FROM alpine:3.22
    COPY schema.json /app/schemas/
    COPY conf.d /etc/conf.d

Fix: name the file in the folder, or end the destination with a slash.

Source: https://docs.docker.com/reference/dockerfile/#destination
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from dockdsl.display import shown
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_is_file_name = lazy_regex(
    r"[\w-][\w.-]*\.(?:c|cc|cfg|conf|cpp|cs|css|csv|go|h|html|ini|java|js|json|jsx|kt|lock|md|mod|php|pl|properties|py|rb"
    r"|rs|sh|sql|sum|swift|toml|ts|tsx|txt|xml|yaml|yml)"
)


def examine(subject: Subject) -> Iterator[Fault]:
    """Find folders that get the name of a file."""
    for stage in subject.built:
        for transfer in stage.transfers():
            found = transfer.sources[0].found if len(transfer.sources) == 1 else None
            to = transfer.destination
            if found is None or found.way.kind != "folder" or not found.path or to is None or transfer.has_slash:
                continue
            if _is_file_name().fullmatch(basename(to)):
                fact = f"{shown(found.path)} is a folder, and {shown(to)} has the name of a file"
                yield Fault(transfer.line, fact, f"name the file in it, or write {to}/")


RULE = Rule("FolderCopiedToFileName", examine, __doc__ or "", aliases=("folder-copied-to-file-name",), needs_build=True)
