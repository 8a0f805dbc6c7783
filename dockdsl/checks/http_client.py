"""The HTTP client of the checks: one request, the whole answer, and a limit on the time that it may take."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import io
import json
import select
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import attrs

from dockdsl.display import cut, printable, shown
from dockdsl.errors import EngineError
from dockdsl.secrecy import hide

LONGEST_BODY = 16 << 20
"""Bytes of a body that are read, as it comes and decoded; a longer one is an error."""
ENCODINGS = ("gzip", "x-gzip", "deflate")
"""The content encodings that are decoded."""
_PROBE_TIMEOUT = 5.0
_EXCERPT = 200
_SEARCHED = 1 << 20
"""Bytes of a body in which secrets are looked for, for an excerpt: none is longer."""
_INTERIM = b"HTTP/1.1 1"
_STARTED_WITH_BODY, _STARTED = 1.0, 0.3
"""Seconds that a server has to start on a request, with a body and without one."""
_HELD = 0.3
"""Seconds between a signal and the end of the request that is in flight."""
_CLOSED = (BrokenPipeError, ConnectionResetError)
_HALF = "the connection is closed in the middle of the answer"


@attrs.frozen
class Answer:
    """An HTTP answer. `headers` have lower-case names; those of one name are joined by a comma.

    A body in the encoding gzip or deflate is decoded, although the headers still name it; one in another encoding is
    left as it came.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=shown)
    body: bytes = attrs.field(repr=shown)
    seconds: float

    @property
    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON. Raises `ValueError` for a body that is not JSON."""
        return json.loads(self.body)


class _Final(http.client.HTTPResponse):
    """The final answer: those before it, such as 103, only announce it."""

    def begin(self) -> None:
        super().begin()
        while 100 < self.status < 200 and self.status != http.client.SWITCHING_PROTOCOLS:
            self.headers = None  # type: ignore[assignment]  # an answer that has headers is not read again
            super().begin()


class NoAnswer(Exception):
    """A request that got no HTTP answer; the text says why.

    `has_begun` says that something did answer, but not in HTTP, or too much, or only in part; `is_silent` that it took
    the request, and said nothing until the time was over.
    """

    def __init__(self, why: str, *, has_begun: bool = False, is_silent: bool = False) -> None:
        super().__init__(why)
        self.has_begun = has_begun
        self.is_silent = is_silent


class HttpProbe(Protocol):
    """An HTTP request, and a judgement of the answer."""

    @property
    def method(self) -> str:
        """``GET`` and so on."""

    @property
    def path(self) -> str:
        """Path and query, from the leading slash on."""

    @property
    def timeout(self) -> float:
        """Seconds that the whole answer may take."""

    def request(self) -> tuple[Mapping[str, str], bytes | None]:
        """Return headers and body to send."""

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
        """Return what is wrong with an answer, a line each; nothing where all is as expected."""


@attrs.frozen
class Probe:
    """The readiness of a path: any answer that is not a server error."""

    path: str
    method: str = "GET"
    timeout: float = _PROBE_TIMEOUT

    def request(self) -> tuple[Mapping[str, str], bytes | None]:
        """Return headers and body to send: none."""
        return {}, None

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
        """Return what is wrong with an answer: its status, where that is a server error."""
        return [f"answered with status {status}"] if status >= 500 else []


def ask(
    address: tuple[str, int], check: HttpProbe, *, timeout: float, midway: Callable[[bool], object] | None = None
) -> Answer:
    """Send one request and return the whole answer. No proxy is used, and no redirect followed.

    `midway`
        Is called while the request is in flight, with whether it is answered already. The last byte of a body is sent
        after that; a request without a body must be slow by itself.

    Raises `NoAnswer`, at the latest `timeout` seconds after the call; looking up a name is not counted.
    """
    headers, body = check.request()
    connection = http.client.HTTPConnection(*address)
    connection.response_class = _Final
    late = threading.Event()
    try:
        places = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
        begin = time.monotonic()
        connection.sock = _connected(places, begin + timeout)
        # A socket's timeout holds for each piece that arrives; this one holds for the whole answer.
        with _closed_after(connection.sock, max(begin + timeout - time.monotonic(), 0), late):
            # A server may answer and close before it has read the body: its answer counts.
            with contextlib.suppress(*_CLOSED):
                if midway is None:
                    connection.request(check.method, check.path, body=body, headers=dict(headers))
                else:
                    _send_in_two(connection, check, midway)
            with connection.getresponse() as response:
                content = _content(response, may_be_reset=bool(body))
                missing = response.length
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, EngineError):
            raise
        if late.is_set() or isinstance(error, TimeoutError):
            # The timeout of the socket may come first.
            is_silent = late.is_set() or connection.sock is not None
            raise NoAnswer(f"no answer within {timeout:.3g} s", is_silent=is_silent) from None
        begun = isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.RemoteDisconnected)
        raise NoAnswer(_reason(error), has_begun=begun) from None
    finally:
        connection.close()
    if late.is_set():
        raise NoAnswer(f"no whole answer within {timeout:.3g} s", has_begun=True)
    _check_length(content)
    if missing:
        raise NoAnswer(_HALF, has_begun=True)
    found = {name.lower(): response.getheader(name, "") for name in response.headers}
    try:
        content = _decoded(content, found.get("content-encoding", "").strip().lower(), begin + timeout)
    except TimeoutError:
        why = f"no whole answer within {timeout:.3g} s: its body takes long to decode"
        raise NoAnswer(why, has_begun=True) from None
    return Answer(response.status, found, content, time.monotonic() - begin)


def _connected(places: Sequence[tuple[Any, ...]], deadline: float) -> socket.socket:
    """Connect to the first of a name's addresses that accepts; they share the time."""
    failure = OSError()
    for index, (family, kind, protocol, _, place) in enumerate(places):
        connecting = socket.socket(family, kind, protocol)
        try:
            left = deadline - time.monotonic()
            # A timeout of 0 would mean none.
            connecting.settimeout(max(left / (len(places) - index), 0.001))
            connecting.connect(place)
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connecting.settimeout(max(deadline - time.monotonic(), 0.001))
        except OSError as error:
            connecting.close()
            failure = error
        else:
            return connecting
    raise failure


def _content(response: http.client.HTTPResponse, *, may_be_reset: bool) -> bytes:
    """Return the body as it comes, at most a byte more than `LONGEST_BODY`."""
    lasts_until_close = response.length is None and not response.chunked
    found = bytearray()
    try:
        if not lasts_until_close:
            return response.read(LONGEST_BODY + 1)
        while len(found) <= LONGEST_BODY and (piece := response.read1(LONGEST_BODY)):
            found += piece
    except ConnectionResetError:
        # A connection that is closed with a part of the request unread is reset: the body has ended.
        if not (lasts_until_close and may_be_reset):
            raise http.client.IncompleteRead(bytes(found)) from None
    return bytes(found)


def _check_length(body: bytes) -> None:
    if len(body) > LONGEST_BODY:
        raise NoAnswer(f"the body is longer than {LONGEST_BODY >> 20} MiB", has_begun=True)


class _Until(io.BytesIO):
    """Bytes that can be read until a time: a body of nothing but empty parts takes long to decode."""

    deadline = 0.0

    def read(self, size: int | None = -1, /) -> bytes:
        if time.monotonic() > self.deadline:
            raise TimeoutError
        return super().read(size)


def _decoded(body: bytes, encoding: str, deadline: float) -> bytes:
    """Return a body without its content encoding. Raises `NoAnswer` if it is too long, or not in that encoding.

    Raises `TimeoutError` at the deadline.
    """
    # The answer to HEAD has no body, whatever its headers say.
    if not body or encoding not in ENCODINGS:
        return body
    try:
        if encoding == "deflate":
            found = _inflated(body)
        else:
            source = _Until(body)
            source.deadline = deadline
            with gzip.open(source) as packed:
                found = packed.read(LONGEST_BODY + 1)
    except TimeoutError:
        raise
    except (OSError, EOFError, zlib.error):
        raise NoAnswer(f"the body is not in the encoding {encoding} that its header names", has_begun=True) from None
    _check_length(found)
    return found


def _inflated(body: bytes) -> bytes:
    # The standard says zlib's format; some servers send the bare stream.
    for form in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        stream = zlib.decompressobj(form)
        with contextlib.suppress(zlib.error):
            found = stream.decompress(body, LONGEST_BODY + 1)
            if stream.eof or len(found) > LONGEST_BODY:
                return found
    raise zlib.error


def _send_in_two(connection: http.client.HTTPConnection, check: HttpProbe, midway: Callable[[bool], object]) -> None:
    """Send a request without its last byte, call `midway`, and send that byte a little later.

    A server that asks for the body (``100 Continue``) has started on the request; another one has a second to start.
    """
    headers, body = check.request()
    names = {name.lower() for name in headers}
    connection.putrequest(
        check.method, check.path, skip_host="host" in names, skip_accept_encoding="accept-encoding" in names
    )
    for name, value in headers.items():
        connection.putheader(name, value)
    if body:
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Expect", "100-continue")
    connection.endheaders()
    wire = connection.sock
    readable = bool(select.select([wire], [], [], _STARTED_WITH_BODY if body else _STARTED)[0])
    answered = readable and not wire.recv(len(_INTERIM), socket.MSG_PEEK).startswith(_INTERIM)
    if body and not answered:
        try:
            connection.send(body[:-1])
        except _CLOSED:
            answered = bool(wire.recv(1, socket.MSG_PEEK))
    midway(answered)
    if body and not answered:
        time.sleep(_HELD)
        connection.send(body[-1:])


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
    text = hide(body[:_SEARCHED].decode("utf-8", "replace"), 4 * _EXCERPT)
    return cut(printable(" ".join(text.split())), _EXCERPT)
