"""A smoke test: start a container, wait until it answers over HTTP, ask it, and remove it whatever happens."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from dockdsl.engine.base import (
    READY_TIMEOUT,
    Builder,
    BuildRequest,
    BuildResult,
    Container,
    ContainerState,
    Progress,
    Runner,
    RunRequest,
)
from dockdsl.engine.interrupts import deferred, ended_by_exception
from dockdsl.engine.report import Check, CheckResult, SmokeReport, clean
from dockdsl.engine.texts import cut, printable, quoted_log, short_image
from dockdsl.errors import EngineError, Origin, RunFailed

LONGEST_BODY = 16 << 20
"""Bytes of a body that are read; a longer one is an error."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_PROBE_TIMEOUT = 5.0
_DYING = 1.0
"""Seconds in which a container whose server gave no answer is seen to end."""
_EXCERPT = 200
_HALF = "the connection is closed amid the answer"


@attrs.frozen
class Answer:
    """An HTTP answer. `headers` have lower-case names; those of one name are joined by a comma."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class NoAnswer(Exception):
    """A request that got no HTTP answer; the text says why."""


@attrs.frozen
class Probe:
    """The readiness of a path: any answer that is no server error."""

    path: str
    method: str = "GET"
    timeout: float = _PROBE_TIMEOUT
    origin: Origin | None = None

    def request(self) -> tuple[Mapping[str, str], bytes | None]:
        """Return headers and body to send: none."""
        return {}, None

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
        """Return what is wrong with an answer: its status, if that is a server error."""
        del headers, body
        return [f"answered with status {status}"] if status >= 500 else []


def build_and_smoke(
    builder: Builder,
    runner: Runner,
    build: BuildRequest,
    run: RunRequest,
    checks: Iterable[Check],
    *,
    ready: str | Check = "/",
    timeout: float = READY_TIMEOUT,
    progress: Progress | None = None,
    tell: Callable[[CheckResult], object] | None = None,
) -> SmokeReport:
    """Build an image and smoke-test it: `run` with that image, asked on the first of its ports.

    What dead processes left behind is removed first. An image that has no tag gets one for the time of the test, so
    that it can be removed without touching an equal one of somebody else.

    Raises what `Builder.build` and `smoke` raise.
    """
    temporary: str | None = None
    with ended_by_exception():
        # It comes before the build, so that a missing runner does not show only after it.
        runner.sweep()
        if not build.tags:
            temporary = runner.temporary_tag()
            build = attrs.evolve(build, tags=temporary)
        with _afterwards(lambda: None if temporary is None else runner.untag(temporary)):
            built = builder.build(build, progress)
            name = short_image(built.image) if temporary else build.tags[0]
            run = attrs.evolve(run, image=built.image)
            return smoke(runner, run, checks, ready=ready, timeout=timeout, tell=tell, build=built, name=name)


def smoke(
    runner: Runner,
    request: RunRequest,
    checks: Iterable[Check],
    *,
    ready: str | Check = "/",
    timeout: float = READY_TIMEOUT,
    tell: Callable[[CheckResult], object] | None = None,
    build: BuildResult | None = None,
    name: str | None = None,
) -> SmokeReport:
    """Start a container, wait until it is ready, run the checks in order, remove the container.

    `request`
        The first of its ports is the one that is asked.
    `ready`
        The container is ready when this path gives an answer that is no server error, or when this check passes.
    `timeout`
        Seconds until it must be ready.
    `tell`
        Is called with each result at once.
    `build`, `name`
        What the report is to say of the image.

    Raises `RunFailed` if the container does not start, ends, or does not get ready in time; its last output is in the
    message. A check that fails raises nothing: see `SmokeReport.raise_for_failures`.
    """
    name = name or request.image
    container: Container | None = None
    port = request.ports[0]
    with ended_by_exception(), _afterwards(lambda: None if container is None else container.remove()):
        # Ctrl-C between the engine's making it and our knowing it would lose it.
        with deferred():
            begin = time.monotonic()
            container = runner.start(request)
        address = container.address(port)
        probe = Probe(ready) if isinstance(ready, str) else ready
        _wait(container, address, probe, begin=begin, timeout=timeout, what=(name, port))
        seconds = time.monotonic() - begin
        results = tuple(_run(container, address, checks, tell))
        failed = any(not result.ok for result in results)
        log = container.logs() if failed else ()
    return SmokeReport(image=name, results=results, ready=seconds, log=log, build=build)


@contextlib.contextmanager
def _afterwards(undo: Callable[[], object]) -> Iterator[None]:
    """Call `undo` at the end of the block; that it fails is told only where nothing else failed before."""
    begun = False
    try:
        yield
        # A signal that arrives on the way there is caught below.
        with deferred():
            begun = True
            undo()
    except BaseException:
        if not begun:
            with contextlib.suppress(EngineError), deferred():
                undo()
        raise


def _wait(
    container: Container,
    address: tuple[str, int],
    ready: Check,
    *,
    begin: float,
    timeout: float,
    what: tuple[str, int],
) -> None:
    """Ask until the container is ready, it has ended, or the time is over."""
    name, port = what
    pause, why = _FIRST_PAUSE, "there was no time to ask"
    remedy = f"see that it listens on 0.0.0.0:{port} inside"
    while (left := begin + timeout - time.monotonic()) > 0:
        try:
            answer = ask(address, ready, timeout=min(ready.timeout, left))
            wrong = ready.judge(answer.status, answer.headers, answer.body)
            if not wrong:
                return
            body = excerpt(answer.body)
            why = f"{ready.method} {ready.path}: {'; '.join(clean(wrong))}" + (f"; body {body}" if body else "")
            remedy = "see why it answers so"
        except NoAnswer as error:
            why = f"{ready.method} {ready.path}: {error}"
            remedy = f"see that it listens on 0.0.0.0:{port} inside"
        state = container.state()
        if not state.running:
            log = container.logs()
            raise RunFailed(
                f"test {name}: the container {printable(str(state))} before it was ready; mend what it says"
                + quoted_log(log, "last output of the container"),
                log=log,
                exit_code=state.exit_code,
            )
        time.sleep(min(pause, max(begin + timeout - time.monotonic(), 0)))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    log = container.logs()
    raise RunFailed(
        f"test {name}: the container was not ready after {timeout:g} s ({why}); "
        f"{remedy}, or allow it more time" + quoted_log(log, "last output of the container"),
        log=log,
    )


def _run(
    container: Container,
    address: tuple[str, int],
    checks: Iterable[Check],
    tell: Callable[[CheckResult], object] | None,
) -> Iterator[CheckResult]:
    ended: ContainerState | None = None
    for check in checks:
        result = CheckResult(method=check.method, path=check.path, origin=check.origin)
        if ended is not None:
            result = attrs.evolve(result, mismatches=(f"not asked, since the container {ended}",))
        else:
            try:
                result = _judged(result, check, ask(address, check, timeout=check.timeout))
            except NoAnswer as error:
                ended = _end(container)
                wrong = f"{error}; the container {ended}" if ended else str(error)
                result = attrs.evolve(result, mismatches=(wrong,))
        if tell is not None:
            tell(result)
        yield result


def _end(container: Container) -> ContainerState | None:
    """Return how the container ended, or None if it runs on: a server that dies is gone before its container is."""
    deadline = time.monotonic() + _DYING
    while (state := container.state()).running:
        if time.monotonic() > deadline:
            return None
        time.sleep(_FIRST_PAUSE)
    return state


def _judged(result: CheckResult, check: Check, answer: Answer) -> CheckResult:
    wrong = check.judge(answer.status, answer.headers, answer.body)
    return attrs.evolve(
        result,
        status=answer.status,
        seconds=answer.seconds,
        mismatches=tuple(wrong),
        excerpt=excerpt(answer.body) if wrong else "",
    )


def ask(address: tuple[str, int], check: Check, *, timeout: float) -> Answer:
    """Send one request and return the whole answer. No proxy is used, and no redirect followed.

    Raises `NoAnswer`, `timeout` seconds after the call at the latest.
    """
    headers, body = check.request()
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    begin = time.monotonic()
    late = threading.Event()
    try:
        connection.connect()
        # A socket's timeout is for each piece that arrives; the whole answer has one as well.
        with _closed_after(connection.sock, timeout, late):
            connection.request(check.method, check.path, body=body, headers=dict(headers))
            response = connection.getresponse()
            content = response.read(LONGEST_BODY + 1)
            missing = response.length
    except (OSError, http.client.HTTPException) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            raise NoAnswer(f"no answer within {timeout:.3g} s") from None
        raise NoAnswer(_reason(error)) from None
    finally:
        connection.close()
    if late.is_set():
        raise NoAnswer(f"no whole answer within {timeout:.3g} s")
    if len(content) > LONGEST_BODY:
        raise NoAnswer(f"the body is longer than {LONGEST_BODY >> 20} MiB")
    if missing:
        raise NoAnswer(_HALF)
    joined: dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return Answer(response.status, joined, content, time.monotonic() - begin)


@contextlib.contextmanager
def _closed_after(connected: socket.socket, seconds: float, late: threading.Event) -> Iterator[None]:
    def close() -> None:
        late.set()
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection is refused"
    if isinstance(error, (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)):
        return "the connection is closed without an answer"
    if isinstance(error, http.client.IncompleteRead):
        return _HALF
    if isinstance(error, OSError) and error.strerror:
        return printable(error.strerror)
    return f"no HTTP answer ({type(error).__name__}: {printable(str(error))})"


def excerpt(body: bytes) -> str:
    """Return the beginning of a body as one line that a terminal can show.

    >>> excerpt(b'{"error":\\n "no"}')
    '{"error": "no"}'
    """
    text = printable(" ".join(body[: 4 * _EXCERPT].decode("utf-8", "replace").split()))
    return cut(text, _EXCERPT)
