"""Where an engine of the project's own lives, and what is known of the one that runs there."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.provision.host import Process, ask, pids, read, write

SOCKET_LIMIT = 107  # bytes of a path in sockaddr_un, without its NUL
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
STEERING = (  # what would lead a client elsewhere
    "DOCKER_CONTEXT",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
    "DOCKER_API_VERSION",
    "BUILDX_BUILDER",
    "BUILDX_CONFIG",
)


@dataclass(frozen=True)
class Place:
    """The folder that holds an engine, and the names that follow from it."""

    folder: Path

    @property
    def key(self) -> str:
        """Eight characters that tell this engine's bridge and control group from those of other checkouts."""
        return hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:8]

    @property
    def checkout(self) -> Path:
        """The project's checkout; `folder` is its .cache/engine."""
        return self.folder.parent.parent

    @property
    def root(self) -> Path:
        """The engine's root folder."""
        return self.folder / "root"

    @property
    def sockets(self) -> Path:
        """The folder of the socket: under `folder`, or under /run if that makes a path no client could open."""
        inside = self.folder / "run"
        short = len(os.fsencode(inside / "docker.sock")) <= SOCKET_LIMIT
        return inside if short else Path("/run") / f"dockdsl-engine-{self.key}"

    @property
    def host(self) -> str:
        """The DOCKER_HOST of this engine."""
        return f"unix://{self.sockets / 'docker.sock'}"

    @property
    def bridge(self) -> str:
        """The network interface of the engine's default network."""
        return f"dsl-{self.key}"

    def variables(self) -> dict[str, str]:
        """What clients of this engine have in their environment."""
        return {
            "DOCKER_HOST": self.host,
            "DOCKER_CONFIG": str(self.folder / "config"),
            "PATH": f"{self.folder / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        }

    def environment(self) -> dict[str, str]:
        """The environment of this program with `variables`, and without what would lead a client elsewhere."""
        return {**{name: value for name, value in os.environ.items() if name not in STEERING}, **self.variables()}


@dataclass(frozen=True)
class State:
    """What state.json holds: the engine's processes, its addresses, and whether `up` asked for it."""

    outer: Process  # unshare, which waits for the inner one
    inner: Process  # the first process of the PID namespace
    subnet: str
    kept: bool = False

    @classmethod
    def load(cls, place: Place) -> State | None:
        """Return what the file says; None if it says nothing that could be true."""
        held = read(place.folder / "state.json")
        try:
            outer, inner = Process.read(held.get("outer")), Process.read(held.get("inner"))
            return cls(outer, inner, str(ipaddress.IPv4Network(held.get("subnet"))), held.get("kept") is True)
        except ValueError:
            return None

    @classmethod
    def recover(cls, place: Place) -> State | None:
        """Return an engine of this place that runs though its state file is gone (somebody removed `.cache`)."""
        for pid in pids():
            words = []
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
            if words[:1] == ["docker-init"] and f"--bridge={place.bridge}" in words:
                inner = Process.find(pid)
                outer = inner and inner.parent()
                pool = next(word for word in words if word.startswith("--default-address-pool=base="))
                if inner and outer:
                    return cls(outer, inner, pool.partition("=base=")[2].partition(",")[0])
        return None

    def save(self, place: Place) -> None:
        """Write state.json."""
        write(place.folder / "state.json", asdict(self))


def answers(environment: dict[str, str], timeout: float = 15) -> str:
    """Return the version of the engine that `docker` reaches with this environment; "" if none answers."""
    status, out, _ = ask(["docker", "version", "--format", "{{.Server.Version}}"], env=environment, timeout=timeout)
    return out.strip() if status == 0 else ""


def running(place: Place) -> State | None:
    """Return the engine of this place if it runs and answers."""
    state = State.load(place)
    if state and state.inner.alive() and answers(place.environment()):
        return state
    return None
