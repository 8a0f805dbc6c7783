"""The messages of BuildKit's gateway API that are used here, with the fields that are looked at or written.

A definition inside another message is mostly passed on as it is, so its field has the kind `bytes`.

Source: ``frontend/gateway/pb/gateway.proto`` and ``solver/pb/ops.proto`` of moby/buildkit, ``google/rpc/status.proto``.
"""

from __future__ import annotations

from dockdsl.frontend.codec import Message, entries, many, one, plain

# ruff: noqa: D101 - the names are BuildKit's, and documented there


# Sources, and places in them -----------------------------------------------------------------------------------------


class Position(Message):
    line: int = plain(1, default=0)


class Range(Message):
    start: Position | None = one(1, Position, default=None)
    end: Position | None = one(2, Position, default=None)


class Location(Message):
    source_index: int = plain(1, default=0)
    ranges: list[Range] = many(2, Range, default_factory=list)


class Locations(Message):
    locations: list[Location] = many(1, Location, default_factory=list)


class SourceInfo(Message):
    filename: str = plain(1, default="")
    data: bytes = plain(2, default=b"")
    definition: bytes = plain(3, default=b"")
    language: str = plain(4, default="")


class Source(Message):
    locations: dict[str, Locations] = entries(1, Locations, default_factory=dict)
    infos: list[SourceInfo] = many(2, SourceInfo, default_factory=list)


# Operations ----------------------------------------------------------------------------------------------------------


class Definition(Message):
    operations: list[bytes] = many(1, bytes, default_factory=list)
    metadata: dict[str, bytes] = entries(2, bytes, default_factory=dict)
    source: Source | None = one(3, Source, default=None)


class OpMetadata(Message):
    description: dict[str, str] = entries(2, str, default_factory=dict)
    caps: dict[str, bool] = entries(5, bool, default_factory=dict)


class Input(Message):
    digest: str = plain(1, default="")
    index: int = plain(2, default=0)


class Platform(Message):
    architecture: str = plain(1, default="")
    os: str = plain(2, default="")
    variant: str = plain(3, default="")


class Constraints(Message):
    pass


class SourceOp(Message):
    identifier: str = plain(1, default="")
    attrs: dict[str, str] = entries(2, str, default_factory=dict)


class CopyAction(Message):
    source: str = plain(1, default="")
    target: str = plain(2, default="")
    mode: int = plain(4, default=0)
    unpack: bool = plain(7, default=False)
    timestamp: int = plain(11, default=0)


class MakeFile(Message):
    path: str = plain(1, default="")
    mode: int = plain(2, default=0)
    data: bytes = plain(3, default=b"")


class FileAction(Message):
    input: int = plain(1, default=0)
    secondary_input: int = plain(2, default=0)
    output: int = plain(3, default=0)
    copy: CopyAction | None = one(4, CopyAction, default=None)
    make_file: MakeFile | None = one(5, MakeFile, default=None)


class FileOp(Message):
    actions: list[FileAction] = many(2, FileAction, default_factory=list)


class Op(Message):
    inputs: list[Input] = many(1, Input, default_factory=list)
    platform: Platform | None = one(10, Platform, default=None)
    constraints: Constraints | None = one(11, Constraints, default=None)
    source: SourceOp | None = one(3, SourceOp, default=None)
    file: FileOp | None = one(4, FileOp, default=None)


# Calls ---------------------------------------------------------------------------------------------------------------


class Empty(Message):
    pass


class Capability(Message):
    id: str = plain(1, default="")
    enabled: bool = plain(2, default=False)


class PingResponse(Message):
    frontend_caps: list[Capability] = many(1, Capability, default_factory=list)


class Cache(Message):
    type: str = plain(1, default="")
    attrs: dict[str, str] = entries(2, str, default_factory=dict)


class Ref(Message):
    id: str = plain(1, default="")
    definition: bytes = plain(2, default=b"")


class Refs(Message):
    refs: dict[str, Ref] = entries(1, Ref, default_factory=dict)


class Result(Message):
    metadata: dict[str, bytes] = entries(10, bytes, default_factory=dict)
    ref: Ref | None = one(3, Ref, default=None)
    refs: Refs | None = one(4, Refs, default=None)


class SolveRequest(Message):
    definition: Definition | None = one(1, Definition, default=None)
    frontend: str = plain(2, default="")
    options: dict[str, str] = entries(3, str, default_factory=dict)
    allow_result_return: bool = plain(5, default=False)
    allow_result_array_ref: bool = plain(6, default=False)
    cache_imports: list[Cache] = many(12, Cache, default_factory=list)
    inputs: dict[str, bytes] = entries(13, bytes, default_factory=dict)


class SolveResponse(Message):
    result: Result | None = one(3, Result, default=None)


class FileRange(Message):
    offset: int = plain(1, default=0)
    length: int = plain(2, default=0)


class ReadFileRequest(Message):
    ref: str = plain(1, default="")
    path: str = plain(2, default="")
    range: FileRange | None = one(3, FileRange, default=None)


class ReadFileResponse(Message):
    data: bytes = plain(1, default=b"")


class ReadDirRequest(Message):
    ref: str = plain(1, default="")
    path: str = plain(2, default="")


class Stat(Message):
    path: str = plain(1, default="")
    mode: int = plain(2, default=0)


class ReadDirResponse(Message):
    entries: list[Stat] = many(1, Stat, default_factory=list)


class InputsResponse(Message):
    definitions: dict[str, bytes] = entries(1, bytes, default_factory=dict)


class WarnRequest(Message):
    digest: str = plain(1, default="")
    level: int = plain(2, default=0)
    short: bytes = plain(3, default=b"")
    detail: list[bytes] = many(4, bytes, default_factory=list)
    url: str = plain(5, default="")
    info: SourceInfo | None = one(6, SourceInfo, default=None)
    ranges: list[Range] = many(7, Range, default_factory=list)


class AnyMessage(Message):
    type_url: str = plain(1, default="")
    value: bytes = plain(2, default=b"")


class Status(Message):
    code: int = plain(1, default=0)
    message: str = plain(2, default="")
    details: list[AnyMessage] = many(3, AnyMessage, default_factory=list)


class ReturnRequest(Message):
    result: Result | None = one(1, Result, default=None)
    error: Status | None = one(2, Status, default=None)
