"""A server that does not get ready, on a real engine: the message says what its port is about, and the remedy works."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from dockdsl import Cmd, Copy, Dockerfile, Expose, Image, Stage
from dockdsl.checks.http_client import NoAnswer
from dockdsl.checks.readiness import remedy
from dockdsl.errors import RunFailed
from tests.engine.helpers import BUSYBOX

PYTHON = "python:3.13-slim"
SERVER = """
import http.server, ssl, sys, threading
def serve(address, port, wrap):
    server = http.server.ThreadingHTTPServer((address, port), http.server.SimpleHTTPRequestHandler)
    if wrap:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if wrap == "mutual":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain("/server.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
threading.Thread(target=serve, args=("", 8080, "")).start()
serve("", 8443, sys.argv[1])
"""


def image(tag: str, command: str, port: int, *, exposes: list[int | str] | None = None, **options: Any) -> Image:
    """Return an image of a server that runs a command of busybox."""
    steps = [Expose(each) for each in exposes or ()]
    stage = Stage(BUSYBOX, steps=[*steps, Cmd.exec("sh", "-c", f"{command}; sleep 300")])
    return Image(Dockerfile(stage), port=port, tags=tag, timeout=options.pop("timeout", 2), **options)


def failure(broken: Image) -> str:
    """Return the first line of what is said of an image that does not get ready."""
    with pytest.raises(RunFailed) as caught:
        broken.test()
    return caught.value.message.partition("\n")[0]


@pytest.mark.engine
@pytest.mark.parametrize("kind", ["plain", "mutual"])
def test_a_port_that_speaks_tls(kind: str, tmp_path: Path, tag: str) -> None:
    """It is said, also where the server wants a certificate of who asks; a port without TLS is ready."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", tmp_path / "key", "-out", tmp_path / "crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    pem = tmp_path.joinpath("key").read_text() + tmp_path.joinpath("crt").read_text()
    steps = [Copy.text(pem, "/server.pem"), Copy.text(SERVER, "/server.py"), Cmd.exec("python", "/server.py", kind)]
    dockerfile = Dockerfile(Stage(PYTHON, steps=steps))

    said = failure(Image(dockerfile, port=8443, tags=tag, timeout=8))
    Image(dockerfile, port=8080, tags=tag).test()
    assert "; port 8443 speaks TLS and was asked in plain HTTP: pass the port= of one without TLS, or allow" in said


@pytest.mark.engine
@pytest.mark.parametrize(
    ("exposes", "said"),
    [
        ([9000], "the image exposes 9000: pass port=9000, or see that it listens on 0.0.0.0:8080 inside"),
        (["53/udp", 9000], "the image exposes 9000: pass port=9000, or see"),
        ([], "its log names the port 9000: pass port=9000, or see that it listens on 0.0.0.0:8080 inside"),
        (["53/udp"], "its log names the port 9000: pass port=9000, or see"),
    ],
    ids=str,
)
def test_another_port(exposes: list[int | str], said: str, tag: str) -> None:
    """What the image exposes is named, else what its log says; with that port it is ready."""
    command = "echo 2026/11/27 09:34:56 listening on :9000; httpd -p 9000 -h /bin"

    assert f"; {said}" in failure(image(tag, command, 8080, exposes=exposes))
    image(tag, command, 9000, exposes=exposes, timeout=30).test()


@pytest.mark.engine
def test_the_loopback_address(tag: str) -> None:
    """A log that names it is understood."""
    command = "echo Serving on http://127.0.0.1:8080/; httpd -p 127.0.0.1:8080 -h /bin"
    said = failure(image(tag, command, 8080))
    image(tag, "httpd -p 0.0.0.0:8080 -h /bin", 8080, timeout=30).test()

    assert "its log says that it listens on its loopback address, which only the container reaches: see that" in said


@pytest.mark.engine
@pytest.mark.parametrize("timeout", [4, 9])
def test_a_server_that_takes_a_request_and_says_nothing(timeout: float, tag: str) -> None:
    """It is not told to listen, also where the time is over before that of the request."""
    program = "import socket, time; time.sleep(1); server = socket.create_server(('', 8080)); time.sleep(300)"
    stage = Stage(PYTHON, steps=[Expose(9000), Cmd.exec("python", "-c", program)])
    said = failure(Image(Dockerfile(stage), port=8080, tags=tag, timeout=timeout))

    assert re.search(r"GET /: no answer within [\d.]+ s\); see what the server waits for: it took the request", said)


@pytest.mark.parametrize(
    "log",
    [
        [],
        ["2026/11/27 09:34:56 starting"],
        ["listening on [::]:8080", "metrics are served on :9090"],
        ["connected to db:5432"],
        ["serving 12345 files"],
    ],
)
def test_a_log_that_names_no_other_port(log: list[str]) -> None:
    """Times, the right port and what the server itself asks are not ports to try."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        found = remedy(server.getsockname(), 8080, {}, log, NoAnswer("closed"))
        thread.join()

    assert "see that it listens on 0.0.0.0:8080 inside" == found
