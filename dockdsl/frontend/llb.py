"""BuildKit's low-level operations that a frontend makes of its own: files of the client, and files made here.

Each function returns a `Definition`, whose result is that of the operation, as it is to be solved. One that looks into
a definition of BuildKit's raises `Malformed` where that is of another form.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from dockdsl.frontend.codec import Malformed
from dockdsl.frontend.messages import (
    Constraints,
    CopyAction,
    Definition,
    FileAction,
    FileOp,
    Input,
    MakeFile,
    Op,
    OpMetadata,
    Platform,
    SourceOp,
)

_MODE = 0o644
DOWNLOADED = "context"


def head(definition: Definition) -> str:
    """Return the digest of the operation whose result a definition has."""
    try:
        return Op.read(definition.operations[-1]).inputs[0].digest
    except IndexError:
        raise Malformed("a definition has no result") from None


def local(name: str, session: str, title: str, *, hint: str, patterns: Mapping[str, Iterable[str]]) -> Definition:
    """Files of a folder of the client; `patterns` say which, as ``followpaths`` and ``includepattern`` do."""
    lists = {f"local.{key}": json.dumps([*each], separators=(",", ":")) for key, each in patterns.items()}
    attrs = {"local.session": session, "local.sharedkeyhint": hint, "local.differ": "none", **lists}
    return _alone(Op(constraints=Constraints(), source=SourceOp(identifier=f"local://{name}", attrs=attrs)), title)


def files(contents: Mapping[str, bytes], title: str) -> Definition:
    """A folder with these files and no others; their date is the beginning of time, so that equal files are equal."""
    last = len(contents) - 1
    actions = [
        FileAction(
            # One after the other, on what the one before left.
            input=number - 1,
            secondary_input=-1,
            output=0 if number == last else -1,
            make_file=MakeFile(path=f"/{name}", mode=_MODE, data=data),
        )
        for number, (name, data) in enumerate(contents.items())
    ]
    return _alone(Op(constraints=Constraints(), file=FileOp(actions=actions)), title)


def download(address: str) -> Definition:
    """The file at an address, with the name `DOWNLOADED`."""
    source = SourceOp(identifier=address, attrs={"http.filename": DOWNLOADED})
    return _alone(Op(constraints=Constraints(), source=source), "[internal] load remote build context")


def unpacked(archive: Definition, platform: Platform) -> Definition:
    """The files of an archive, which is the file `DOWNLOADED` of another definition.

    BuildKit gives an operation without a platform its default one, which would change its digest.
    """
    copied = CopyAction(source=f"/{DOWNLOADED}", target="/", mode=-1, unpack=True, timestamp=-1)
    op = Op(
        inputs=[Input(digest=head(archive))],
        platform=platform,
        constraints=Constraints(),
        file=FileOp(actions=[FileAction(input=-1, copy=copied)]),
    )
    made = _alone(op, "")
    return Definition(
        operations=[*archive.operations[:-1], *made.operations], metadata={**archive.metadata, **made.metadata}
    )


def copied_from(definition: Definition) -> Definition:
    """The definition of what the last operation of another one, a copy, copies from."""
    try:
        last = Op.read(definition.operations[-2])
        source = last.inputs[(last.file or FileOp()).actions[0].secondary_input]
    except IndexError:
        raise Malformed("a definition copies nothing") from None
    return Definition(
        operations=[*definition.operations[:-2], Op(inputs=[source]).written()], metadata=definition.metadata
    )


def keeping_git(repository: Definition, address: str) -> Definition:
    """The files of a repository with its folder ``.git``."""
    op = Op.read(repository.operations[0])
    if op.source is None:
        raise Malformed("a definition has no source")
    op.source.attrs["git.keepgitdir"] = "true"
    return _alone(op, f"[internal] load git source {address}")


def _alone(op: Op, title: str) -> Definition:
    data = op.written()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    # BuildKit passes an operation on only if there is metadata of it, were it none.
    metadata = {digest: OpMetadata(description={"llb.customname": title} if title else {}).written()}
    return Definition(operations=[data, Op(inputs=[Input(digest=digest)]).written()], metadata=metadata)
