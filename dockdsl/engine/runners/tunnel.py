"""Ways through SSH: to an engine, and to a port that is open on the engine's machine alone.

Both are the ``ssh`` command itself, with the user's own settings and keys, as the docker command uses it. Nothing is
asked: what needs a password fails.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from dockdsl.display import printable
from dockdsl.engine.builders.process import end
from dockdsl.engine.endpoint import LOOPBACK
from dockdsl.engine.leftovers import owner
from dockdsl.errors import EngineUnavailable

_OPENING = 30.0
"""Seconds that SSH may take to log in."""
_CLOSING = 5.0
_PAUSE = 0.05


class Line:
    """A socket of this machine that leads to an engine: each connection is an ``ssh`` command of its own.

    The docker SDK has such a way, too, which needs paramiko and leaves processes behind.

    `host`
        ``ssh://user@host:port``, as DOCKER_HOST has it.
    """

    def __init__(self, host: str) -> None:
        self._argv = [*_login(host), "docker", "system", "dial-stdio"]
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this object
        self._folder = tempfile.mkdtemp(prefix=owner.socket_prefix(owner.this_process()))
        self._processes: list[subprocess.Popen[bytes]] = []
        self._listening = socket.socket(socket.AF_UNIX)
        path = f"{self._folder}/s"
        self._listening.bind(path)
        self._listening.listen()
        self.host = f"unix://{path}"
        """Where it begins, as DOCKER_HOST has it."""
        self._thread = threading.Thread(target=self._serve, name="dockdsl-ssh", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                # The command's input ends with the connection, and so does the command.
                with connection, contextlib.suppress(EngineUnavailable):
                    self._processes = [each for each in self._processes if each.poll() is None]
                    self._processes.append(_start(self._argv, connection, connection, self._stderr))

    def said(self) -> str:
        """Return the last line that an ``ssh`` command said, if any."""
        self._stderr.seek(0)
        return _last_line(self._stderr.read())

    def close(self) -> None:
        """End all of it."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(_CLOSING)
        for process in self._processes:
            end(process, _CLOSING)
        self._stderr.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class Tunnel:
    """A port of this machine that leads to a port of the engine's own loopback address.

    `host`
        ``ssh://user@host:port``, as DOCKER_HOST has it.
    `port`
        The port on the engine's machine.

    Raises `EngineUnavailable` where SSH cannot log in, or may not forward a port.
    """

    def __init__(self, host: str, port: int) -> None:
        self.address = (LOOPBACK, _free_port())
        """Where it begins."""
        forward = f"{LOOPBACK}:{self.address[1]}:{LOOPBACK}:{port}"
        # The far command ends with its input, and that with this process, however it ends.
        argv = [*_login(host, "-o", "ExitOnForwardFailure=yes", "-L", forward), "cat"]
        self._process = _start(argv, subprocess.PIPE, subprocess.DEVNULL, subprocess.PIPE)
        try:
            self._wait(host)
        except BaseException:
            self.close()
            raise

    def _wait(self, host: str) -> None:
        deadline = time.monotonic() + _OPENING
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(self.address, timeout=_CLOSING):
                return
            time.sleep(_PAUSE)
        why = f"it is not there after {_OPENING:g} s"
        if self._process.poll() is not None and self._process.stderr is not None:
            said = _last_line(self._process.stderr.read())
            why = said or f"ssh ended with status {self._process.returncode}"
        raise EngineUnavailable(
            f"run: no way to the container through {host} ({why}); see that `ssh` logs in there without a question "
            "and may forward ports"
        )

    def close(self) -> None:
        """End it."""
        for stream in (self._process.stdin, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        end(self._process, _CLOSING)


def _login(host: str, *options: str) -> list[str]:
    place = urlsplit(host)
    argv = ["ssh", "-T", "-o", "BatchMode=yes", *options]
    argv += ["-l", place.username] if place.username else []
    argv += ["-p", str(place.port)] if place.port else []
    return [*argv, "--", place.hostname or ""]


def _start(argv: list[str], stdin: Any, stdout: Any, stderr: Any) -> subprocess.Popen[bytes]:
    try:
        # Ctrl-C is not for it: the clean-up still needs it.
        return subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True)  # noqa: S603 - a list
    except OSError as error:
        raise EngineUnavailable(
            f"run: the ssh command cannot be run ({error.strerror}); install OpenSSH's client"
        ) from None


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return printable(lines[-1]) if lines else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
