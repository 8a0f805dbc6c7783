"""A context that the command does not have in a folder: a Git repository, an archive, or a single file at an address.

BuildKit's own frontend would fetch it by its address, and take the build file from it. So it is fetched here, and is
passed on as what has been fetched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from dockdsl.frontend import llb
from dockdsl.frontend.gateway import Gateway
from dockdsl.frontend.messages import Definition, Platform

_PROBE = "dockdsl-context"
_CAPABILITIES = "frontend.caps"
_KEEP, _TRUE = "build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR", ("1", "t", "T", "TRUE", "true", "True")
"""The option that keeps the folder ``.git``, and what Go takes for true."""
_BEGINNING = 512
"""Bytes by which an archive is known."""
_COMPRESSED = (b"BZh", b"\x1f\x8b\x08", b"\xfd7zXZ\0")
_TAR, _TAR_AT = b"ustar", 257


class Fetched(NamedTuple):
    """A context; `filename` is the build file where there is no other file in it."""

    definition: Definition
    filename: str | None


def fetch(gateway: Gateway, address: str, options: Mapping[str, str], workers: str) -> Fetched:
    """Return the context at an address; `workers` says in JSON what builds. Raises `CallFailed`."""
    is_web = address.startswith(("http://", "https://"))
    if not is_web or address.partition("#")[0].partition("?")[0].endswith(".git"):
        return Fetched(_repository(gateway, address, options), None)
    file = llb.download(address)
    beginning = gateway.read(gateway.solve(file), llb.DOWNLOADED, length=_BEGINNING)
    if beginning.startswith(_COMPRESSED) or beginning[_TAR_AT:].startswith(_TAR):
        return Fetched(llb.unpacked(file, _platform(workers)), None)
    return Fetched(file, llb.DOWNLOADED)


def _repository(gateway: Gateway, address: str, options: Mapping[str, str]) -> Definition:
    """Return the definition that BuildKit's own frontend makes of an address, which has many forms."""
    text = f"FROM scratch\nCOPY --from={_PROBE} / /\n"
    probe = llb.files({"Dockerfile": text.encode()}, "[internal] resolve remote build context").written()
    kept = {name: value for name, value in options.items() if name == _CAPABILITIES}
    asked = {**kept, "filename": "Dockerfile", "cmdline": "none", f"context:{_PROBE}": address}
    result = gateway.build(asked, {"dockerfile": probe, "context": probe})
    found = llb.copied_from(Definition.read(b"" if result.ref is None else result.ref.definition))
    # BuildKit keeps it in the context of a build alone, and not in one that has a name.
    return llb.keeping_git(found, address) if options.get(_KEEP) in _TRUE else found


def _platform(workers: str) -> Platform:
    """Return the platform that an operation has to which none is given: that of what builds."""
    found = {name.lower(): value for name, value in json.loads(workers or "[{}]")[0].items()}
    first = (found.get("platforms") or [{}])[0]
    return Platform(
        architecture=first.get("architecture", ""), os=first.get("os", ""), variant=first.get("variant", "")
    )
