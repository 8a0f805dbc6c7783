"""A builder and a runner without an engine, for the tests of code that builds and tests images.

`FakeBuilder` builds nothing and remembers what it was asked for. `FakeRunner` serves real HTTP on the loopback
address from a function::

    def serve(request: FakeRequest) -> FakeResponse:
        return FakeResponse(200, {"Content-Type": "application/json"}, b'{"status": "ok"}')

    report = image.test(builder=FakeBuilder(), runner=FakeRunner(serve))
    assert report.ok
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import socket
import tarfile
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs

from dockdsl.engine.building import LOG_LINES, BuildEvent, BuildRequest, BuildResult, Progress
from dockdsl.engine.failures.diagnosis import died
from dockdsl.engine.running import LONGEST_OUTPUT, ContainerState, Executed, RunRequest
from dockdsl.errors import EngineError, RunFailed


@attrs.define(kw_only=True, eq=False, repr=False, slots=False)
class FakeBuilder:
    """A builder that builds nothing.

    The id of its "image" is a digest of the Dockerfile, the target and the build arguments, so that equal requests give
    equal images.

    `error`
        Raised instead of building, if given: ``FakeBuilder(error=BuildFailed("RUN: no"))``.
    `size`
        The size that its images have, in bytes.

    >>> builder = FakeBuilder()
    >>> result = builder.build(BuildRequest(dockerfile="FROM scratch", context=".", tags=["api:dev"]))
    >>> result.tags, builder.requests[0].dockerfile
    (('api:dev',), 'FROM scratch')
    """

    requests: list[BuildRequest] = attrs.field(init=False, factory=list)
    """What it was asked for, in order."""
    _error: EngineError | None = None
    _size: int = 1_000_000

    def build(self, request: BuildRequest, progress: Progress | None = None) -> BuildResult:
        """Remember the request and return a result, or raise the error that was given."""
        self.requests.append(request)
        if self._error is not None:
            raise self._error
        if progress is not None:
            progress(BuildEvent("done", "[1/1]", "FROM fake", 0.0))
            progress(BuildEvent("ended", "", "", 0.0))
        seed = repr((request.dockerfile, request.target, request.build_args))
        digest = f"sha256:{hashlib.sha256(seed.encode()).hexdigest()}"
        return BuildResult(image=digest, digest=digest, tags=request.tags, size=self._size, steps=1)


@attrs.frozen
class FakeRequest:
    """An HTTP request that a `FakeRunner` serves. The names of `headers` are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@attrs.frozen
class FakeResponse:
    """What a `FakeRunner` answers."""

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = b""


Handler = Callable[[FakeRequest], FakeResponse]


@attrs.frozen
class FakeCommand:
    """What a container of a `FakeRunner`, or a command in it, ends with; `exit_code` is None if it does not end."""

    exit_code: int | None = 0
    stdout: bytes = b""
    stderr: bytes = b""


def _lines(value: Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _steps(value: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple((words, size) for words, size in value)


@attrs.define(eq=False, repr=False, slots=False)
class FakeRunner:
    """A runner whose containers are HTTP servers in threads of this process, on the loopback address.

    `handler`
        Answers the requests; without one every answer is 404. An exception in it closes the connection, and stands
        in the log.
    `exit_code`
        Where given, each container has ended with that code as soon as it is started.
    `log`
        The lines that each container "printed".
    `command`
        Answers the containers that are started without a port: a `FakeCommand` for each request. They have ended at
        once, unless its exit code is None, as that of a worker is.
    `execute`
        Answers the commands that are run in a running container: a `FakeCommand` for each list of arguments.
    `facts`
        What `inspect` returns of every image, in the form of ``docker image inspect``.
    `files`
        The files that every image has: path and content. They belong to root, and anyone may read and run them.
    `history`
        What `history` returns of every image, oldest first: the words of each step and its bytes, as `Image.size`
        divides them: ``[("COPY api /", 6_000_000), ("USER 65532", 0)]``.

    >>> runner = FakeRunner(lambda request: FakeResponse(200, body=b"hello"), log=("listening",))
    >>> with runner.start(RunRequest(image="api:dev", ports=[8080])) as container:
    ...     container.state().running, container.logs(), container.address(8080)[0]
    (True, ('listening',), '127.0.0.1')
    >>> runner.running
    ()
    """

    _handler: Handler | None = None
    _exit_code: int | None = attrs.field(default=None, kw_only=True)
    _log: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_lines)
    _command: Callable[[RunRequest], FakeCommand] | None = attrs.field(default=None, kw_only=True)
    _execute: Callable[[tuple[str, ...]], FakeCommand] = attrs.field(default=lambda _: FakeCommand(), kw_only=True)
    _facts: Mapping[str, Any] | None = attrs.field(default=None, kw_only=True)
    _files: Mapping[str, bytes] | None = attrs.field(default=None, kw_only=True)
    _history: tuple[tuple[str, int], ...] = attrs.field(default=(), kw_only=True, converter=_steps)
    requests: list[RunRequest] = attrs.field(init=False, factory=list)
    """What it was asked to start, in order."""
    untagged: list[str] = attrs.field(init=False, factory=list)
    """The tags that were taken away."""
    sweeps: int = attrs.field(init=False, default=0)
    """How often it was swept."""
    _numbers: Iterator[int] = attrs.field(init=False, factory=lambda: itertools.count(1))
    _running: dict[str, FakeContainer] = attrs.field(init=False, factory=dict)

    @property
    def running(self) -> tuple[FakeContainer, ...]:
        """The containers that were started and not removed."""
        return tuple(self._running.values())

    def start(self, request: RunRequest) -> FakeContainer:
        """Start a server."""
        self.requests.append(request)
        name = f"fake-{next(self._numbers)}"
        if request.ports:
            printed = list(self._log)
            handler = self._handler or (lambda _: FakeResponse(404))
            server = None if self._exit_code is not None else _serve(handler, printed)
            container = FakeContainer(name, request, server, self._exit_code, printed)
        else:
            done = FakeCommand() if self._command is None else self._command(request)
            log = tuple((done.stdout + done.stderr).decode("utf-8", "replace").splitlines())
            container = FakeContainer(name, request, None, done.exit_code, log, (done.stdout, done.stderr))
        container.answers = self._execute
        container.removed = lambda: self._running.pop(name, None)
        self._running[name] = container
        return container

    def inspect(self, image: str) -> Mapping[str, Any]:
        """Return the facts that were given."""
        return self._facts or {}

    def save(self, image: str) -> Iterator[bytes]:
        """Yield an image of one layer with the files that were given."""
        layer = _tar({path.lstrip("/"): content for path, content in (self._files or {}).items()})
        yield _tar({"layer.tar": layer, "manifest.json": json.dumps([{"Layers": ["layer.tar"]}]).encode()})

    def history(self, image: str) -> tuple[tuple[str, int], ...]:
        """Return the steps that were given."""
        return self._history

    def sweep(self) -> tuple[str, ...]:
        """Remove nothing: a container in this process dies with it."""
        self.sweeps += 1
        return ()

    def temporary_tag(self) -> str:
        """Return a tag for an image that is needed for this test alone."""
        return f"dockdsl-test:fake-{next(self._numbers)}"

    def untag(self, tag: str) -> None:
        """Remember the tag."""
        self.untagged.append(tag)


@attrs.define(eq=False, repr=False, slots=False)
class FakeContainer(contextlib.AbstractContextManager["FakeContainer"]):
    """A container of `FakeRunner`."""

    id: str
    request: RunRequest
    _server: _Server | None
    _exit_code: int | None
    _log: Sequence[str]
    _output: tuple[bytes, bytes] | None = None
    signals: list[str] = attrs.field(init=False, factory=list)
    """The signals that it was sent."""
    executed: list[tuple[str, ...]] = attrs.field(init=False, factory=list)
    """The commands that were run in it."""
    answers: Callable[[tuple[str, ...]], FakeCommand] = attrs.field(init=False)
    """Answers these commands."""
    committed: list[str] = attrs.field(init=False, factory=list)
    """The tags that it was made images with."""
    removed: Callable[[], object] = attrs.field(init=False, default=lambda: None)
    """Called when it is removed."""

    def address(self, port: int) -> tuple[str, int]:
        """Return host and port of the server. Raises `RunFailed` for a port that was not asked for, or if it ended."""
        if not self.state().running:
            raise died(f"run {self.request.name}", self.state(), self.logs())
        if self._server is None or port not in self.request.ports:
            raise RunFailed(f"run {self.request.image}: port {port} is not published; pass the Image port={port}")
        host, outside = self._server.server_address[:2]
        return str(host), int(outside)

    def state(self) -> ContainerState:
        """Ask how it is."""
        return ContainerState(running=self._exit_code is None, exit_code=self._exit_code)

    def logs(self, lines: int = LOG_LINES) -> tuple[str, ...]:
        """Return the last lines that it "printed"."""
        return tuple(self._log[-lines:])

    def follow(self) -> Iterator[str]:
        """Yield the lines that it "printed" so far."""
        yield from tuple(self._log)

    def output(self, most: int = LONGEST_OUTPUT) -> tuple[bytes, bytes]:
        """Return what it "printed" on stdout and on stderr."""
        stdout, stderr = self._output or ("".join(f"{line}\n" for line in self._log).encode(), b"")
        return stdout[:most], stderr[:most]

    def execute(self, command: Iterable[str], timeout: float) -> Executed:
        """Return what the function answers. Raises `RunFailed` if the container ended."""
        if not self.state().running:
            raise died(f"exec in {self.request.name}", self.state(), self.logs())
        self.executed.append(tuple(command))
        done = self.answers(self.executed[-1])
        return Executed(done.exit_code, done.stdout + done.stderr)

    def signal(self, name: str) -> None:
        """End the server, whatever the signal."""
        self.signals.append(name)
        self.stop()

    def stop(self, timeout: float = 10.0) -> ContainerState:
        """End the server."""
        if self._exit_code is None:
            self._exit_code = 0
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        return self.state()

    def commit(self, tag: str) -> None:
        """Remember the tag."""
        self.committed.append(tag)

    def remove(self) -> None:
        """End the server and forget the container."""
        self.stop()
        self.removed()

    def __exit__(self, *_: object) -> None:
        self.remove()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Say nothing: the client sees that the connection was closed."""


def _tar(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def _checked(response: Any) -> FakeResponse:
    if not isinstance(response, FakeResponse) or not isinstance(response.body, bytes):
        raise TypeError("the handler of a FakeRunner returns a FakeResponse, whose body is bytes")
    return response


def _serve(handler: Handler, log: list[str]) -> _Server:
    class Serving(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                response = _checked(handler(FakeRequest(self.command, self.path, headers, body)))
            except Exception:
                log.extend(traceback.format_exc().splitlines())
                raise
            self.send_response(response.status)
            for name, value in {"Content-Length": str(len(response.body)), **response.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)

        def __getattr__(self, name: str) -> Any:
            # The base class looks for do_GET, do_POST and so on: here every method is answered alike.
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = _Server(("127.0.0.1", 0), Serving)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
