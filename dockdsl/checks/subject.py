"""Subject: the image under test, with all that a check can ask of it: its server, its files, its metadata, commands."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Protocol, TypedDict, Unpack, runtime_checkable

import attrs

from dockdsl import operands as operand
from dockdsl.checks.http_client import Answer, HttpProbe, NoAnswer, Probe, ask, excerpt
from dockdsl.checks.image_files import ImageFiles
from dockdsl.checks.readiness import remedy
from dockdsl.checks.report import shown_line
from dockdsl.display import short_image, shown
from dockdsl.engine.building import LOG_LINES, BuildResult, size_kind
from dockdsl.engine.failures.causes import explain
from dockdsl.engine.failures.diagnosis import died, run_failed
from dockdsl.engine.leftovers.interrupts import deferred
from dockdsl.engine.running import READY_TIMEOUT, Container, ContainerState, Executed, Runner, RunRequest
from dockdsl.errors import EngineError, RunFailed
from dockdsl.operands import PairsLike, TextsLike

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_TOO_EARLY = " before it was ready"
_SILENCE = 1.0
"""Seconds after which it says something that a request has no answer."""
_NO_SERVER = "not asked, since no server runs; give the image a port"
_NO_PORT = "not asked, since the image has no port; pass the Image port=…, where its server listens"
_DYING = 1.0
"""Seconds that a container whose server gave no answer has to end."""


@attrs.frozen
class Finished:
    """A command that ran in a container of its own."""

    exit_code: int | None
    stdout: bytes = attrs.field(repr=shown)
    stderr: bytes = attrs.field(repr=shown)
    seconds: float

    def lines(self) -> tuple[str, ...]:
        """Return the last lines of both streams."""
        both = [line for each in (self.stdout, self.stderr) for line in each.decode("utf-8", "replace").splitlines()]
        return tuple(both[-LOG_LINES:])


class RunChanges(TypedDict, total=False):
    """The fields of `RunRequest` that one container has in the place of those of its image."""

    image: str
    ports: Iterable[int]
    publish: Mapping[int, int] | Iterable[tuple[int, int]]
    env: PairsLike
    command: Iterable[str] | None
    entrypoint: Iterable[str] | None
    user: str | None
    read_only: bool
    tmpfs: TextsLike
    cap_add: TextsLike
    cap_drop: TextsLike
    security_opt: TextsLike
    privileged: bool
    volumes: TextsLike


@runtime_checkable
class Readiness(Protocol):
    """What says without HTTP that a container is ready: a check that can be waited for."""

    def wait(self, subject: Subject, container: Container, seconds: float, longer: str) -> list[str]:
        """Return what is wrong when the time is over, as `dockdsl.checks.check.Awaited` does."""


Ready = str | HttpProbe | Readiness
"""What says that a container is ready: a path, a request, or a check that can be waited for."""


class Subject(contextlib.AbstractContextManager["Subject"]):
    """An image under test. Leaving its ``with`` block removes the containers that were started from it.

    `runner`
        Where its containers run.
    `request`
        How its server is run; requests go to the first of its ports.
    `ready`
        The server is ready when this path gives an answer that is not a server error, or when this check passes. Where
        it is asked over HTTP and `request` has no ports, there is no server.
    `timeout`
        Seconds until it must be ready.
    `name`, `build`
        What reports say of the image.
    `verb`
        What is done with it, as errors say it: ``"test"`` or ``"run"``.
    """

    def __init__(
        self,
        runner: Runner,
        request: RunRequest,
        *,
        ready: Ready = "/",
        timeout: float = READY_TIMEOUT,
        name: str | None = None,
        build: BuildResult | None = None,
        verb: str = "test",
    ) -> None:
        self.runner = runner
        self.name = name or request.image
        self.request = attrs.evolve(request, name=short_image(self.name))
        self.build = build
        self.verb = verb
        self.readiness: HttpProbe | Readiness = Probe(ready) if isinstance(ready, str) else ready
        self.timeout = timeout
        self.saved: dict[str, Any] = {}
        """What checks saved of their answers, for those that come after them."""
        self.server: Container | None = None
        """The running server, to which `ask` sends its requests; or the worker, which has no port."""
        self.ready: float | None = None
        """Seconds from the server's start until it was ready."""
        self._unable = False
        self._ended: ContainerState | None = None
        self._stack = contextlib.ExitStack()

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What the engine knows about the image, as ``docker image inspect`` shows it."""
        return self.runner.inspect(self.request.image)

    @property
    def config(self) -> Mapping[str, Any]:
        """The part of `facts` that says how the image is run."""
        return self.facts.get("Config") or {}

    @property
    def variables(self) -> dict[str, str]:
        """The variables that the image sets."""
        return dict(each.partition("=")[::2] for each in self.config.get("Env") or ())

    @property
    def starts(self) -> bool:
        """Whether a container is started for the checks: a server, which has a port, or a worker."""
        return bool(self.request.ports) or isinstance(self.readiness, Readiness)

    @property
    def port(self) -> int:
        """The port that requests are sent to. Raises `NoAnswer` if the image has no port."""
        if not self.request.ports:
            raise NoAnswer(_NO_PORT if self.starts else _NO_SERVER)
        return self.request.ports[0]

    @cached_property
    def size(self) -> int:
        """Bytes of the files in its layers. They are read where the engine reports another size.

        Raises `RunFailed` where they cannot be read.
        """
        if self.build is not None and self.build.size is not None:
            size, kind = self.build.size, self.build.size_kind
        else:
            size, kind = int(self.facts.get("Size") or 0), size_kind(self.facts)
        return size if kind == "unpacked" else sum(self.files.sizes)

    @cached_property
    def files(self) -> ImageFiles:
        """The files of the image. They are read when they are first needed, and the image is not run."""
        return self._stack.enter_context(ImageFiles(self.runner.save(self.request.image)))

    def serve(self) -> None:
        """Start the server, and wait until it is ready. Raises `RunFailed`."""
        try:
            self.server, self.ready = self._stack.enter_context(self.serving())
            if self.request.ports:
                self._address = self.server.address(self.port)
        except RunFailed:
            self._unable = True
            raise

    def ask(self, probe: HttpProbe) -> Answer:
        """Send the server a request. Raises `NoAnswer`, which says so where the container has ended."""
        server, _ = self.running(), self.port
        if self._ended is not None:
            raise NoAnswer(f"not asked, since the container {self._ended}")
        try:
            return ask(self._address, probe, timeout=probe.timeout)
        except NoAnswer as error:
            # A server that dies is gone before its container is.
            state = ended(server, _DYING)
            if state.running:
                raise
            self._ended = state
            raise NoAnswer(f"{error}; the container {state}") from None

    def running(self) -> Container:
        """Return the running container. Raises `NoAnswer` if none was started."""
        if self.server is None:
            raise NoAnswer(_NO_SERVER)
        return self.server

    def execute(self, command: Iterable[str], *, timeout: float, container: Container | None = None) -> Executed:
        """Run a command in the server's container, or in another one of the image, for `timeout` seconds at most.

        Raises `NoAnswer` where no server runs, and `RunFailed` where the container has ended; `InvalidValue` and
        `InvalidType` for what is no command or no time.
        """
        command = operand.checked("execute: command", operand.command, command)
        timeout = operand.checked("execute: timeout", operand.seconds, timeout)
        container = self.running() if container is None else container
        try:
            return container.execute(command, timeout)
        except RunFailed:
            self.check_runs(container)
            raise

    def check_runs(self, container: Container, when: str = "") -> None:
        """Raise `RunFailed` where a container has ended; `when` is a part of the message."""
        state = container.state()
        if not state.running:
            raise died(f"{self.verb} {self.request.name}", state, container.logs(), when) from None

    @contextlib.contextmanager
    def serving(self, **changes: Unpack[RunChanges]) -> Iterator[tuple[Container, float]]:
        """Yield a server of its own that is ready, and the seconds it took.

        Raises `RunFailed` if it does not start, ends, or does not get ready in time; its last output is in the message.
        """
        if self._unable:
            raise RunFailed("not started, since the server did not get ready before")
        begin = time.monotonic()
        with self.started(**changes) as container:
            if isinstance(self.readiness, Readiness):
                self._wait_for(self.readiness, container, begin)
            else:
                self._wait_for_answer(self.readiness, container, begin)
            yield container, time.monotonic() - begin

    def _wait_for(self, check: Readiness, container: Container, begin: float) -> None:
        """Wait until a check passes, the container has ended, or the time is over."""
        try:
            wrong = check.wait(self, container, self.timeout, "allow it more time")
        except RunFailed:
            self.check_runs(container, _TOO_EARLY)
            raise
        self.check_runs(container, _TOO_EARLY)
        if wrong:
            log = container.logs()
            is_over = time.monotonic() >= begin + self.timeout
            fact = f"was not ready after {self.timeout:g} s" if is_over else "cannot get ready"
            why = "; ".join(map(shown_line, wrong))
            raise run_failed(f"{self.verb} {self.request.name}: the container {fact}: {why}", explain("", log), log)

    def _wait_for_answer(self, probe: HttpProbe, container: Container, begin: float) -> None:
        """Send requests until the server is ready, the container has ended, or the time is over."""
        port = self.port
        address = container.address(port)
        asked = f"{probe.method} {probe.path}"
        pause, why, last = _FIRST_PAUSE, "there was no time for a request", None
        while (left := begin + self.timeout - time.monotonic()) > 0:
            sent = time.monotonic()
            try:
                answer = ask(address, probe, timeout=min(probe.timeout, left))
                wrong = probe.judge(answer.status, answer.headers, answer.body)
                if not wrong:
                    return
                body = excerpt(answer.body)
                why = f"{asked}: {'; '.join(map(shown_line, wrong))}" + (f"; body {body}" if body else "")
                last = NoAnswer(why, has_begun=True)
            except NoAnswer as error:
                # What is soon cut short by the end of the time says less than what came before.
                now = time.monotonic()
                if last is None or begin + self.timeout > now or now - sent > _SILENCE:
                    why, last = f"{asked}: {error}", error
            self.check_runs(container, _TOO_EARLY)
            time.sleep(min(pause, max(begin + self.timeout - time.monotonic(), 0)))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        log = container.logs()
        fact = f"{self.verb} {self.request.name}: the container was not ready after {self.timeout:g} s ({why})"
        hint = remedy(address, port, self.config, log, last)
        raise run_failed(f"{fact}; {hint}, or allow it more time", explain("", log), log)

    @contextlib.contextmanager
    def started(self, **changes: Unpack[RunChanges]) -> Iterator[Container]:
        """Yield a container of the image that is removed at the end."""
        container: Container | None = None
        with afterwards(lambda: None if container is None else container.remove()):
            # Ctrl-C between its start and this assignment would lose it.
            with deferred():
                container = self.runner.start(attrs.evolve(self.request, **changes))
            yield container

    def run(self, *, timeout: float, **changes: Unpack[RunChanges]) -> Finished:
        """Run the image to its end in a container of its own, without its ports.

        Raises `RunFailed` if it does not start, or does not end in time.
        """
        begin = time.monotonic()
        changes["ports"] = ()
        with self.started(**changes) as container:
            state = ended(container, timeout)
            seconds = time.monotonic() - begin
            if state.running:
                raise RunFailed(f"it did not end within {timeout:g} s", log=container.logs())
            stdout, stderr = container.output()
        return Finished(state.exit_code, stdout, stderr, seconds)

    def __exit__(self, *raised: Any) -> None:  # noqa: PYI036 - they are passed on
        self._stack.__exit__(*raised)


def ended(container: Container, timeout: float) -> ContainerState:
    """Wait until a container has ended, `timeout` seconds at most; return how it is then."""
    deadline, pause = time.monotonic() + timeout, _FIRST_PAUSE
    while (state := container.state()).running and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return state


@contextlib.contextmanager
def afterwards(undo: Callable[[], object]) -> Iterator[None]:
    """Call `undo` at the end of the block; its failure is raised only where nothing failed before."""
    started = False
    try:
        yield
        # A signal that arrives on the way there is caught below.
        with deferred():
            started = True
            undo()
    except BaseException:
        if not started:
            with contextlib.suppress(EngineError), deferred():
                undo()
        raise
