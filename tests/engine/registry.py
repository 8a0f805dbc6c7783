"""A container registry of one process: it keeps what is pushed in memory, and gives it again. It trusts everybody."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Kept = dict[str, tuple[str, bytes]]
"""For each name, and each digest, the media type and what it is."""


class Handler(BaseHTTPRequestHandler):
    """The part of the distribution API that engines use."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"
    kept: Kept
    pending: dict[str, bytes]

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        """Give a manifest or a blob."""
        if self.path == "/v2/":
            self._answer(200)
            return
        name, _, reference = self.path.removeprefix("/v2/").rpartition("/")
        found = self.kept.get(reference if reference.startswith("sha256:") else f"{name}/{reference}")
        if found is None:
            self._answer(404)
            return
        kind, body = found
        self._answer(200, body, Content_Type=kind, Docker_Content_Digest=f"sha256:{hashlib.sha256(body).hexdigest()}")

    do_HEAD = do_GET  # noqa: N815 - http.server looks for this name

    def do_POST(self) -> None:
        """Begin to take a blob."""
        place = f"{urlsplit(self.path).path.rstrip('/')}/{len(self.pending)}"
        self.pending[place] = self._body()
        self._answer(202, Location=place, Range="0-0")

    def do_PATCH(self) -> None:
        """Take a piece of a blob."""
        place = urlsplit(self.path).path
        self.pending[place] += self._body()
        self._answer(202, Location=place, Range=f"0-{len(self.pending[place]) - 1}")

    def do_PUT(self) -> None:
        """Keep a blob that is there, or a manifest."""
        url, body = urlsplit(self.path), self._body()
        if re.search("/blobs/uploads/", url.path):
            body = self.pending.pop(url.path) + body
            digest = parse_qs(url.query)["digest"][0]
            self.kept[digest] = ("application/octet-stream", body)
        else:
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            self.kept[digest] = self.kept[url.path.removeprefix("/v2/")] = (self.headers["Content-Type"], body)
        self._answer(201, Location=self.path, Docker_Content_Digest=digest)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@contextmanager
def registry() -> Iterator[tuple[str, Kept]]:
    """Serve on the loopback address; yields host and port, and what is kept."""
    kept: Kept = {}
    handler = type("Serving", (Handler,), {"kept": kept, "pending": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", kept
    finally:
        server.shutdown()
        server.server_close()
