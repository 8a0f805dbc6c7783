"""The calls of BuildKit's gateway that are made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from dockdsl.frontend.codec import Message
from dockdsl.frontend.messages import (
    Cache,
    Definition,
    Empty,
    FileRange,
    InputsResponse,
    PingResponse,
    ReadDirRequest,
    ReadDirResponse,
    ReadFileRequest,
    ReadFileResponse,
    Result,
    ReturnRequest,
    SolveRequest,
    SolveResponse,
    Stat,
    Status,
    WarnRequest,
)
from dockdsl.frontend.wire import CallFailed, Channel

_DOCKERFILE = "dockerfile.v0"
"""BuildKit's own frontend."""
_UNKNOWN = 2
A = TypeVar("A", bound=Message)


class Gateway:
    """BuildKit, as a frontend sees it. Each call raises `CallFailed` and `ConnectionLost`."""

    def __init__(self, channel: Channel) -> None:
        self._call = channel.call

    def capabilities(self) -> set[str]:
        """Return what this BuildKit can do."""
        return {each.id for each in self._call("Ping", Empty(), PingResponse).frontend_caps if each.enabled}

    def inputs(self) -> dict[str, bytes]:
        """Return the definitions that the command has passed."""
        return self._call("Inputs", Empty(), InputsResponse).definitions

    def solve(self, definition: Definition) -> str:
        """Return the reference of what a definition makes."""
        result = self._result(SolveRequest(definition=definition))
        return "" if result.ref is None else result.ref.id

    def solve_again(self, definition: Definition, caches: Sequence[Cache]) -> Result:
        """Return what a definition makes, whose steps may come from caches."""
        return self._result(SolveRequest(definition=definition, cache_imports=[*caches]))

    def build(self, options: Mapping[str, str], inputs: Mapping[str, bytes]) -> Result:
        """Return what the frontend for Dockerfiles makes of options and definitions."""
        return self._result(SolveRequest(frontend=_DOCKERFILE, options={**options}, inputs={**inputs}))

    def _result(self, request: SolveRequest) -> Result:
        request.allow_result_return = request.allow_result_array_ref = True
        result = self._call("Solve", request, SolveResponse).result
        if result is None:
            raise CallFailed(Status(code=_UNKNOWN, message="BuildKit answered Solve without a result"))
        return result

    def read(self, reference: str, path: str, *, length: int | None = None) -> bytes:
        """Return what is in a file, or `length` bytes of its beginning."""
        part = None if length is None else FileRange(length=length)
        return self._call("ReadFile", ReadFileRequest(ref=reference, path=path, range=part), ReadFileResponse).data

    def entries(self, reference: str, path: str) -> list[Stat]:
        """Return what is in a folder."""
        return self._call("ReadDir", ReadDirRequest(ref=reference, path=path), ReadDirResponse).entries

    def warn(self, warning: WarnRequest) -> None:
        """Tell the user of something."""
        self._call("Warn", warning, Empty)

    def end(self, answer: Result | Status) -> None:
        """Return what comes of the build, or why nothing comes of it."""
        request = ReturnRequest(error=answer) if isinstance(answer, Status) else ReturnRequest(result=answer)
        self._call("Return", request, Empty)
