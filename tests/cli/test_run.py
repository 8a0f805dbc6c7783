"""``dockdsl run``: a server that can be asked while it runs, its log, and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dockdsl.engine.runners.docker_sdk import DockerSdk
from tests.cli.test_verbs import dockdsl
from tests.engine.helpers import BUSYBOX, containers_of, left_by, temporary_tags

SCRIPT = """\
mkdir -p /www/cgi-bin
echo hello > /www/index.html
printf '#!/bin/sh\\nprintf "Status: 200 OK\\r\\n\\r\\n"; touch /stop\\n' > /www/cgi-bin/stop
chmod +x /www/cgi-bin/stop
"""
SERVE = "trap 'echo bye; exit 7' TERM; echo up; httpd -f -v -p 8080 -h /www & until [ -e /stop ]; do sleep 0.1; done; exit {code}"
FILE = """\
from dockdsl import *
stage = Stage({image!r}, steps=[Run.script({script!r}), Cmd.exec("sh", "-c", {serve!r})])
image = Image(Dockerfile(stage), port=8080)
"""


def source(folder: Path, code: int = 0) -> Path:
    """Write a file with a server, which ends with this code where it is asked to, and return its path."""
    file = folder / "app.py"
    file.write_text(FILE.format(image=BUSYBOX, script=SCRIPT, serve=SERVE.format(code=code)))
    return file


@contextmanager
def run(file: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the server up to the moment when its URL is printed."""
    command = [sys.executable, "-m", "dockdsl", "run", str(file), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield child, child.stdout.readline().rstrip("\n")
        finally:
            child.kill()


def get(url: str) -> bytes:
    """Ask the server."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
    return body


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


@pytest.mark.engine
@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=lambda each: str(each),
)
def test_it_runs_until_it_is_ended(tmp_path: Path, number: signal.Signals, status: int) -> None:
    """The URL is on stdout, the log on stderr; it is asked to end, so that its last words are shown; nothing is left."""
    with run(source(tmp_path)) as (child, url):
        assert url.startswith("http://127.0.0.1:")
        assert b"hello\n" == get(url)
        child.send_signal(number)
        output, error = child.communicate(timeout=60)

    assert (status, "") == (child.returncode, output), error
    assert "\nbuilt the image in " in error
    assert "\nup\n" in error
    assert "response:200\n" in error
    assert "\nbye\n" in error
    assert "Traceback" not in error
    assert [] == left_by(child.pid)


@pytest.mark.engine
@pytest.mark.parametrize(("code", "status"), [(0, 0), (5, 1)])
def test_a_server_that_ends_by_itself(tmp_path: Path, code: int, status: int) -> None:
    """It is said with its code, and is a success only if that is 0."""
    with run(source(tmp_path, code), "--progress", "quiet") as (child, url):
        get(f"{url}/cgi-bin/stop")
        output, error = child.communicate(timeout=60)

    assert (status, "") == (child.returncode, output)
    assert error.startswith("up\n")
    assert error.endswith(f"\nthe container exited with code {code}\n")
    assert [] == left_by(child.pid)


@pytest.mark.engine
def test_a_port_that_is_given(tmp_path: Path) -> None:
    """The server is published there, and at another one beside it; where somebody is already, this is said."""
    port, other = free_port(), free_port()
    file = source(tmp_path)
    with run(file, "--publish", str(port), "--publish", f"{other}:8080") as (child, url):
        assert url in (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}")
        assert b"hello\n" == get(f"http://127.0.0.1:{port}") == get(f"http://127.0.0.1:{other}")
        done = dockdsl("run", file, "--publish", str(port), "--progress", "quiet")
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)

    assert (1, "") == (done.returncode, done.stdout)
    assert f"the port {port} of 127.0.0.1 is taken; end what listens there, or publish another one\n" in done.stderr
    assert [] == left_by(done.pid, child.pid)


@pytest.mark.engine
def test_what_a_killed_run_leaves_is_swept(tmp_path: Path) -> None:
    """The next run on the machine removes it."""
    with run(source(tmp_path)) as (child, _):
        child.kill()
        child.communicate(timeout=60)
    assert 1 == len(containers_of(child.pid))
    assert temporary_tags(child.pid)

    with DockerSdk() as runner:
        runner.sweep()
    assert [] == left_by(child.pid)


@pytest.mark.engine
def test_a_server_that_is_not_ready(tmp_path: Path) -> None:
    """It fails as a test does, with what the container printed."""
    file = source(tmp_path)
    file.write_text(file.read_text().replace("-p 8080", "-p 8081"))
    done = dockdsl("run", file, "--ready-timeout", "6", "--progress", "quiet")

    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(f"{file}:3: error: run ")
    assert "was not ready after 6 s" in done.stderr
    assert [] == left_by(done.pid)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ["{file}:image"], "Image: it has no port, so there is no server to start; pass port=…", id="no port"
        ),
        pytest.param(["{file}:images"], ":images: it means 2 objects; pick one: '", id="several"),
        pytest.param(["{file}", "{file}"], "unrecognized arguments", id="several files"),
        pytest.param(
            ["{file}", "--publish", "80:x"], "'80:x' is not of the form HOST:CONTAINER; write two ports", id="form"
        ),
        pytest.param(
            ["{file}", "--publish", "70000"], "70000 is out of range; pass a number from 1 to 65535", id="range"
        ),
    ],
)
def test_usage(tmp_path: Path, arguments: list[str], message: str) -> None:
    """What cannot be run ends with 2 before anything is built."""
    file = tmp_path / "app.py"
    file.write_text(
        "from dockdsl import *\nimage = Image(Dockerfile(Stage('scratch')))\n"
        "images = [Image(Dockerfile(Stage('scratch')), port=1) for _ in range(2)]\n"
    )
    done = dockdsl("run", *(each.format(file=file) for each in arguments))

    assert 2 == done.returncode
    assert message in done.stderr
