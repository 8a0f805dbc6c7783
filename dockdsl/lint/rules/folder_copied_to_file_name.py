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
from dockdsl.lint.effects import Transfer
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_EXTENSIONS = """bash bat c cc cfg cjs clj cmake conf cpp cs csproj css csv cts cu cxx dart ex exs fs go gradle graphql
    groovy h hcl hpp hs htm html ini ipynb j2 java jl js json jsonc jsx kt kts less lock lua md mjs ml mod mts php pl pm
    properties proto ps1 py pyi rb rs rst sass scala scss sh sln sql sum svelte swift tf tfvars toml ts tsx txt vue xml
    yaml yml zig""".split()
_is_file_name = lazy_regex(rf"[\w-][\w.-]*\.(?:{'|'.join(_EXTENSIONS)})")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find folders that get the name of a file."""
    context = subject.build.context
    if context is None:
        return
    for stage in subject.built:
        for transfer in stage.transfers():
            path = _only(transfer)
            to = transfer.destination
            if not path or to is None or transfer.has_slash or context.folder.follow(path).kind != "folder":
                continue
            if _is_file_name().fullmatch(basename(to)):
                fact = f"{shown(path)} is a folder, and {shown(to)} has the name of a file"
                yield Fault(transfer.line, fact, f"name the file in it, or write {to}/")


def _only(transfer: Transfer) -> str | None:
    """Return the only path in the context that is copied, if there is just one."""
    source = transfer.sources[0]
    if len(transfer.sources) != 1:
        return None
    if source.found is not None:
        return source.found.path
    return source.matches.sent[0] if source.matches is not None and len(source.matches.sent) == 1 else None


RULE = Rule("FolderCopiedToFileName", examine, __doc__ or "", aliases=("folder-copied-to-file-name",), needs_build=True)
