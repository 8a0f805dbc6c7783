"""HTTP as checks speak it: one request, the whole answer, and a time that it may take."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator, Mapping

import attrs

from dockdsl.engine.report import HttpProbe
from dockdsl.engine.texts import cut, printable

LONGEST_BODY = 16 << 20
"""Bytes of a body that are read; a longer one is an error."""
_PROBE_TIMEOUT = 5.0
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

    def request(self) -> tuple[Mapping[str, str], bytes | None]:
        """Return headers and body to send: none."""
        return {}, None

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
        """Return what is wrong with an answer: its status, if that is a server error."""
        del headers, body
        return [f"answered with status {status}"] if status >= 500 else []


def ask(address: tuple[str, int], check: HttpProbe, *, timeout: float) -> Answer:
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
