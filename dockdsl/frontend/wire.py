"""Calls of BuildKit's gateway: gRPC over HTTP/2, on two descriptors, one call after the other.

BuildKit serves on the standard streams of the container that it runs a frontend in. A step of a build may take hours,
so a call has no time limit; but a BuildKit that is silent for long is asked whether it is still there.
"""

from __future__ import annotations

import binascii
import os
import select
from contextlib import suppress
from typing import TypeVar

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import hpack

from dockdsl.frontend.codec import Malformed, Message
from dockdsl.frontend.messages import Status

_SERVICE = "/moby.buildkit.v1.frontend.LLBBridge/"
_PIECE = 1 << 20
"""Bytes that are read at once."""
_WINDOW = 2**31 - 1
"""The largest window of HTTP/2: how much BuildKit may send before it is told that it was read."""
_FRAME, _HEADERS = 2**24 - 1, 2**26
"""The largest frame of HTTP/2, and how large headers may be, which hold a whole source in the details of an error."""
_LARGEST = 64 << 20
"""Bytes of an answer: BuildKit's own limit is 16 MB."""
_CLOSED = "BuildKit closed the connection"
_PATIENCE = 300
"""Seconds of silence after which BuildKit is asked, and then after which the connection is lost."""
_PREFIX = 5
"""Bytes before a message of gRPC: whether it is compressed, and its size."""
_UNKNOWN = 2
"""The code of gRPC for an error without one."""
A = TypeVar("A", bound=Message)


class ConnectionLost(Exception):
    """Nothing can be said to BuildKit any more."""


class CallFailed(Exception):
    """BuildKit answered a call with an error."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status


class _Answer:
    """What has come for one call."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.headers: dict[str, str] = {}
        self.is_complete = False


class Channel:
    """The connection to the gateway."""

    def __init__(self, reading: int, writing: int, *, patience: float = _PATIENCE) -> None:
        self._reading, self._writing, self._patience = reading, writing, patience
        self._waiting = select.poll()
        self._waiting.register(reading, select.POLLIN)
        self._http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        code = h2.settings.SettingCodes
        self._http.local_settings = h2.settings.Settings(
            client=True,
            initial_values={
                code.ENABLE_PUSH: 0,
                code.INITIAL_WINDOW_SIZE: _WINDOW,
                code.MAX_FRAME_SIZE: _FRAME,
                code.MAX_HEADER_LIST_SIZE: _HEADERS,
            },
        )
        # What h2 does once the peer has agreed, too late for Go, which sends long frames at once.
        self._http.max_inbound_frame_size = _FRAME
        self._http.decoder.max_header_list_size = _HEADERS
        self._http.initiate_connection()
        self._http.increment_flow_control_window(_WINDOW - self._http.inbound_flow_control_window)

    def call(self, method: str, request: Message, kind: type[A]) -> A:
        """Send a message and return the answer, which is of that class.

        Raises `CallFailed` for an error that BuildKit answers, and `ConnectionLost`.
        """
        try:
            answer = self._exchange(method, request.written())
        except (h2.exceptions.H2Error, hpack.HPACKError, UnicodeDecodeError) as error:
            raise ConnectionLost(f"BuildKit sent what is not HTTP/2 ({type(error).__name__}: {error})") from None
        except OSError:
            raise ConnectionLost(_CLOSED) from None
        status = _status(answer.headers)
        if status.code:
            raise CallFailed(status)
        data = bytes(answer.data)
        if data[:1] != b"\0" or len(data) - _PREFIX != int.from_bytes(data[1:_PREFIX], "big"):
            raise CallFailed(Status(code=_UNKNOWN, message=f"BuildKit answered {method} with no message of gRPC"))
        try:
            return kind.read(data[_PREFIX:])
        except Malformed as error:
            message = f"BuildKit answered {method} with a message that cannot be read: {error}"
            raise CallFailed(Status(code=_UNKNOWN, message=message)) from None

    def _exchange(self, method: str, message: bytes) -> _Answer:
        stream = self._http.get_next_available_stream_id()
        self._http.send_headers(
            stream,
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":path", _SERVICE + method),
                (":authority", "localhost"),
                ("te", "trailers"),
                ("content-type", "application/grpc"),
            ],
        )
        rest = memoryview(b"\0" + len(message).to_bytes(_PREFIX - 1, "big") + message)
        answer = _Answer()
        while not answer.is_complete:
            rest = self._send(stream, rest)
            for event in self._http.receive_data(self._receive()):
                self._take(event, stream, answer)
            if len(answer.data) > _LARGEST:
                raise ConnectionLost(f"BuildKit answered {method} with more than {_LARGEST >> 20} MiB")
        self._flush()
        return answer

    def _send(self, stream: int, rest: memoryview) -> memoryview:
        """Send as much as BuildKit lets through, and return what is left."""
        while rest:
            room = min(self._http.local_flow_control_window(stream), self._http.max_outbound_frame_size)
            if room <= 0:
                break
            self._http.send_data(stream, bytes(rest[:room]), end_stream=room >= len(rest))
            rest = rest[room:]
        self._flush()
        return rest

    def _receive(self) -> bytes:
        """Return what comes next."""
        if not self._waiting.poll(self._patience * 1000):
            self._http.ping(b"dockdsl?")
            self._flush()
            if not self._waiting.poll(self._patience * 1000):
                raise ConnectionLost(f"BuildKit has said nothing for {2 * self._patience:g} s")
        data = os.read(self._reading, _PIECE)
        if not data:
            raise ConnectionLost(_CLOSED)
        return data

    def _flush(self) -> None:
        data = memoryview(self._http.data_to_send())
        while data:
            data = data[os.write(self._writing, data) :]

    def _take(self, event: h2.events.Event, stream: int, answer: _Answer) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            raise ConnectionLost("BuildKit ended the connection")
        if getattr(event, "stream_id", None) != stream:
            return
        if isinstance(event, h2.events.DataReceived):
            answer.data += event.data
            self._http.acknowledge_received_data(event.flow_controlled_length, stream)
        elif isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
            answer.headers.update((str(name), str(value)) for name, value in event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            answer.is_complete = True
        elif isinstance(event, h2.events.StreamReset):
            message = f"BuildKit broke the call off (HTTP/2 error {int(event.error_code or 0)})"
            answer.headers.update({"grpc-status": str(_UNKNOWN), "grpc-message": message})
            answer.is_complete = True


def _status(headers: dict[str, str]) -> Status:
    """Return what the headers of an answer say: the code is 0 where all is well."""
    text = headers.get("grpc-status", "")
    code = int(text) if text.isdecimal() and text.isascii() else _UNKNOWN
    details = headers.get("grpc-status-details-bin", "")
    status = Status()
    # Where they cannot be read, the message is there without them.
    with suppress(Malformed, binascii.Error):
        status = Status.read(binascii.a2b_base64(details + "=" * (-len(details) % 4)))
    status.code = code
    status.message = _unquoted(headers.get("grpc-message", "")) if code else ""
    if code and not status.message:
        status.message = f"BuildKit answered with an error that has no text (code {text or 'missing'})"
    return status


def _unquoted(text: str) -> str:
    """Return a text of gRPC's: percent signs stand before the digits of other bytes than printable ASCII."""
    first, *pieces = text.split("%")
    out = bytearray(first.encode())
    for piece in pieces:
        try:
            out += bytes.fromhex(piece[:2]) + piece[2:].encode()
        except ValueError:
            out += b"%" + piece.encode()
    return out.decode(errors="replace")
