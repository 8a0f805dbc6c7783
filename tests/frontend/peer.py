"""BuildKit's side of the gateway, as far as a frontend can see it: it answers calls, well or badly, on two pipes."""

from __future__ import annotations

import binascii
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from dockdsl.frontend.messages import Status

Reply = tuple[str, bytes]
"""What is answered: ``"ok"`` and a message; ``"body"`` and what stands in its place; ``"status"`` and headers, a line each;
``"busy"`` and a message, once it is asked whether it is still there; ``"silent"``; ``"reset"``, ``"goodbye"``, ``"closed"``;
``"garbage"`` and bytes that are written before it is closed."""
Answer = Callable[[str, bytes], Reply]
"""Returns what is answered to a call, given its name and its message."""


def failing(status: Status) -> Reply:
    """Return a reply that is an error."""
    details = binascii.b2a_base64(status.written(), newline=False).decode().rstrip("=")
    lines = (f"grpc-status: {status.code}", f"grpc-message: {status.message}", f"grpc-status-details-bin: {details}")
    return "status", "\n".join(lines).encode()


class Shape(NamedTuple):
    """How an answer is cut: bytes of a frame, and bytes that are written at once."""

    frame: int = 16384
    piece: int = 1 << 16


class Peer:
    """Serves calls until its other side is gone; `calls` are those that came."""

    def __init__(self, reading: int, writing: int, answer: Answer, shape: Shape) -> None:
        self._reading, self._writing, self._answer, self._shape = reading, writing, answer, shape
        self._http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self._http.max_inbound_frame_size = 2**24 - 1
        self._paths: dict[int, str] = {}
        self._bodies: dict[int, bytes] = {}
        self._late: tuple[int, bytes] | None = None
        self._is_silent = False
        self.calls: list[tuple[str, bytes]] = []

    def serve(self) -> None:
        """Serve, and close both pipes."""
        with contextlib.suppress(OSError, h2.exceptions.H2Error):
            self._http.initiate_connection()
            self._flush()
            while data := os.read(self._reading, 1 << 16):
                for event in self._http.receive_data(data):
                    if not self._take(event):
                        return
                self._flush()

    def close(self) -> None:
        """Close both pipes."""
        os.close(self._reading)
        os.close(self._writing)

    def _flush(self) -> None:
        data = b"" if self._is_silent else self._http.data_to_send()
        for start in range(0, len(data), self._shape.piece):
            os.write(self._writing, data[start : start + self._shape.piece])

    def _take(self, event: h2.events.Event) -> bool:
        if isinstance(event, h2.events.RequestReceived):
            headers = {str(name): str(value) for name, value in event.headers}
            self._paths[event.stream_id], self._bodies[event.stream_id] = headers[":path"], b""
        elif isinstance(event, h2.events.DataReceived):
            self._bodies[event.stream_id] += event.data
            self._http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.PingReceived) and self._late is not None:
            stream, data = self._late
            self._late = None
            return self._reply(stream, "ok", data)
        elif isinstance(event, h2.events.StreamEnded):
            method, message = self._paths[event.stream_id].rpartition("/")[2], self._bodies[event.stream_id][5:]
            self.calls.append((method, message))
            return self._reply(event.stream_id, *self._answer(method, message))
        return True

    def _reply(self, stream: int, kind: str, data: bytes) -> bool:
        """Answer; return whether the connection is still there."""
        if kind == "closed":
            return False
        if kind == "garbage":
            self._flush()
            os.write(self._writing, data)
            return False
        if kind in ("silent", "busy"):
            self._late = (stream, data)
            self._is_silent = kind == "silent"
            return True
        if kind == "reset":
            self._http.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
            return True
        if kind == "goodbye":
            self._http.close_connection()
            self._flush()
            return True
        self._http.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        trailers = [("grpc-status", "0")]
        if kind == "status":
            pairs = (line.partition(": ") for line in data.decode().splitlines())
            trailers = [(name, value) for name, _, value in pairs]
        else:
            body = data if kind == "body" else b"\0" + len(data).to_bytes(4, "big") + data
            for start in range(0, len(body), self._shape.frame):
                self._http.send_data(stream, body[start : start + self._shape.frame])
        self._http.send_headers(stream, trailers, end_stream=True)
        return True


@contextmanager
def serving(answer: Answer, shape: Shape = Shape()) -> Iterator[tuple[int, int, Peer]]:  # noqa: B008 - it is frozen
    """Yield the descriptors that a frontend reads from and writes to, and the peer that serves them in a thread."""
    theirs, ours = os.pipe(), os.pipe()
    peer = Peer(ours[0], theirs[1], answer, shape)

    def serve() -> None:
        try:
            peer.serve()
        finally:
            peer.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield theirs[0], ours[1], peer
    finally:
        os.close(theirs[0])
        os.close(ours[1])
        thread.join(10)
        assert not thread.is_alive()
