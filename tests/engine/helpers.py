"""What the engine's tests share: the docker command, asked from outside the code under test."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from dockdsl.engine.leftovers import owner
from tests.provision import daemon, images
from tests.provision.host import Process
from tests.provision.place import STEERING, Place
from tests.provision.provision import PLACE

BUSYBOX = "busybox:1.37"
GONE = 2**22 + secrets.randbelow(2**30)
"""A process number above the highest that Linux gives, and no other run's."""
SERVER = r"""
mkdir -p /www/cgi-bin
echo '{"status": "ok", "notes": [1, 2]}' > /www/healthz
printf '#!/bin/sh\nprintf "Status: 500 Oops\r\n\r\n"; echo broken\n' > /www/cgi-bin/broken
printf '#!/bin/sh\nprintf "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n"; cat\n' > /www/cgi-bin/echo
chmod +x /www/cgi-bin/*
"""
"""Shell text that makes the pages of a small server for busybox httpd."""


def docker(*arguments: str) -> str:
    """Run the docker command and return what it prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


def run(*argv: str | Path) -> None:
    """Run a command that must succeed."""
    subprocess.run(argv, check=True, timeout=60, stdout=subprocess.DEVNULL)


def containers_of(*pids: int) -> list[str]:
    """Return the ids of all containers, running or not, that the processes made."""
    return _marked_things("ps", "--all", "--no-trunc", pids=pids)


def _marked_things(*listing: str, pids: tuple[int, ...], name: str = "{{.ID}}") -> list[str]:
    form = f'{{{{.Label "dockdsl.pid"}}}} {name}'
    lines = docker(*listing, "--filter", "label=dockdsl.session", "--format", form).splitlines()
    return [line.partition(" ")[2] for line in lines if line.partition(" ")[0] in map(str, pids)]


def temporary_tags(*pids: int) -> set[str]:
    """Return the tags that live for one test only, and are of these processes."""
    tags = docker("images", "--format", "{{.Repository}}:{{.Tag}}", "dockdsl-test").split()
    owners = {tag: owner.tag_owner(tag) for tag in tags}
    return {tag for tag, whose in owners.items() if whose is not None and whose.pid in pids}


def left_by(*pids: int) -> list[str]:
    """Return all that the processes made and that is still there: on the engine, and among the temporary folders."""
    folders = list(Path(tempfile.gettempdir()).glob(f"{owner.FOLDER}*"))
    owners = [(folder, owner.folder_owner(folder.name)) for folder in folders]
    return [
        *containers_of(*pids),
        *_marked_things("network", "ls", "--no-trunc", pids=pids),
        *_marked_things("volume", "ls", pids=pids, name="{{.Name}}"),
        *temporary_tags(*pids),
        *(str(folder) for folder, whose in owners if whose is not None and whose.pid in pids),
    ]


def marked(whose: owner.Owner) -> list[str]:
    """Return the options of the docker command that make a network or a volume that owner's."""
    return [f"--label={name}={value}" for name, value in whose.labels("session").items()]


def named(whose: owner.Owner) -> list[str]:
    """Return the options of the docker command that make a container that owner's."""
    name = f"dockdsl-{secrets.token_hex(8)}"
    return [f"--name={name}", f"--label={owner.NAME}={name}", *marked(whose)]


def inspect(name: str, kind: str = "image") -> Any:
    """Return what the engine knows of an image or container."""
    return json.loads(docker(kind, "inspect", name))[0]


@contextmanager
def stuck(container: str) -> Iterator[None]:
    """Keep the engine from removing a container in this block: a file of it cannot be removed. Then remove it."""
    file = f"/engine/containers/{container}/stuck"
    disk = docker("info", "--format", "{{.DockerRootDir}}")

    def change(command: str) -> None:
        docker("run", "--rm", "--privileged", f"--volume={disk}:/engine", BUSYBOX, "sh", "-c", command)

    change(f"touch {file} && chattr +i {file}")
    try:
        yield
    finally:
        change(f"chattr -i {file}")
        docker("rm", "--force", container)


def wait_until(holds: Callable[[], bool], seconds: float = 30, *, pause: float = 0.05) -> None:
    """Wait until something holds; it is looked at again after each pause."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(pause)


def patiently(test: Callable[[int], None], *seconds: int) -> None:
    """Try what a busy machine may be too slow for in so many seconds, and with more of them if it fails; the last try counts."""
    for each in seconds[:-1]:
        with contextlib.suppress(AssertionError):
            test(each)
            return
    test(seconds[-1])


@contextmanager
def someone_else() -> Iterator[Path]:
    """Be another user than root in this block, since root may use any socket; yields a folder of that user."""
    nobody = 65534
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() != 0:
            yield Path(folder)
            return
        os.chown(folder, nobody, nobody)
        os.setegid(nobody)
        os.seteuid(nobody)
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)
            os.setegid(0)


def git(folder: Path, *words: str) -> None:
    """Run git in a folder, as somebody."""
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@x", *words],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )


@contextmanager
def git_served(folder: Path) -> Iterator[str]:
    """Serve the repositories below a folder; yields the beginning of their addresses."""
    port = free_port()
    daemon = ["git", "daemon", "--export-all", f"--base-path={folder}", "--listen=127.0.0.1", f"--port={port}"]
    with subprocess.Popen(daemon, stderr=subprocess.DEVNULL) as running:
        try:
            wait_until(lambda: is_open(port))
            yield f"git://127.0.0.1:{port}"
        finally:
            running.terminate()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def is_open(address: int | str) -> bool:
    """Whether somebody listens on a port of this machine, or on the socket of that path."""
    if isinstance(address, str):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(address) == 0
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", address)) == 0


def carry(source: socket.socket, target: socket.socket) -> None:
    """Send on what comes, to its end."""
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Own:
    """An engine for one test module, which may be killed, frozen and filled up: nobody else uses it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.start()

    def start(self) -> None:
        """Bring it up; what an earlier life left in its folder is there again."""
        with warnings.catch_warnings():
            # It is started to outlive the program that starts it.
            warnings.simplefilter("ignore", ResourceWarning)
            self._state = daemon.start(self.place)

    def kill(self) -> None:
        """End it as a loss of power does."""
        os.kill(self._state.inner.pid, signal.SIGKILL)
        assert self._state.inner.gone(30)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it accept connections and answer nothing in this block."""
        dockerd = Process.child_of(self._state.inner.pid)
        assert dockerd is not None
        os.kill(dockerd.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(dockerd.pid, signal.SIGCONT)


class _Sibling(Place):
    """A second engine of this checkout, from the same root folder."""

    @property
    def root(self) -> Path:
        return PLACE.root


def cannot_run(reason: str) -> NoReturn:
    """Skip a test for want of its engine; where one is demanded, that is a failure."""
    if os.environ.get("DOCKDSL_REQUIRE_ENGINE"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def own_engine(size: str) -> Iterator[Own]:
    """Bring an engine up whose disk has this size, with busybox on it; use it in this process, too."""
    if not (PLACE.root / "usr").exists() or os.geteuid() != 0:
        cannot_run("the engine of `provision.py up` is not on this machine, and a second one needs its root folder")
    place = _Sibling(PLACE.folder.with_name(f"engine-{os.getpid()}"))
    data = place.folder / "data"
    data.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", data], check=True, timeout=30)
    try:
        own = Own(place)
        with pytest.MonkeyPatch.context() as changed:
            for name in STEERING:
                changed.delenv(name, raising=False)
            for name, value in place.variables().items():
                changed.setenv(name, value)
            try:
                images.make(place, ["busybox"], place.environment())
                yield own
            finally:
                daemon.stop(place)
    finally:
        subprocess.run(["umount", "--lazy", data], check=True, timeout=30)
        shutil.rmtree(place.folder)


class Line:
    """A socket that leads to the real engine until it is cut, as when the engine ends."""

    def __init__(self, path: Path) -> None:
        self.host = f"unix://{path}"
        self._engine = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
        self._open: list[socket.socket] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        self._is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self._is_cut:
                    near.close()
                    continue
                far = socket.socket(socket.AF_UNIX)
                self._open += [near, far]
                self._connect(far)
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=carry, args=(one, other), daemon=True).start()

    def _connect(self, far: socket.socket) -> None:
        far.connect(self._engine)

    def cut(self) -> None:
        """End all connections, and each new one at once: a client that cannot connect at all leaks its socket."""
        self._is_cut = True
        self._end(self._open)

    def close(self) -> None:
        """End everything."""
        self.cut()
        self._end([self._listening])

    @staticmethod
    def _end(sockets: list[socket.socket]) -> None:
        while sockets:
            each = sockets.pop()
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


class BuildKitLine(Line):
    """A socket that speaks as that of BuildKit's own daemon does, for builders that are not the engine's."""

    def _connect(self, far: socket.socket) -> None:
        super()._connect(far)
        far.sendall(b"POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            # What comes after it is the client's.
            piece = far.recv(1)
            if not piece:
                raise ConnectionError("the engine does not let BuildKit speak")
            answer += piece


@contextmanager
def line_to_the_engine() -> Iterator[Line]:
    """Yield a way to the engine that can be cut."""
    with tempfile.TemporaryDirectory() as folder:
        line = Line(Path(folder) / "docker.sock")
        try:
            yield line
        finally:
            line.close()
