"""What a runner is: the container that it is asked for, the one that it gives, and its protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, Self

import attrs

from dockdsl.display import short_image, shown
from dockdsl.engine.building import LOG_LINES
from dockdsl.operands import Pairs, named, names_alone, pairs, texts

READY_TIMEOUT = 30.0
"""Seconds that a container may take by default to give its first HTTP answer."""
LONGEST_OUTPUT = 1 << 20
"""How many bytes of a command's output are read by default."""


def _ports(value: Iterable[int]) -> tuple[int, ...]:
    return tuple(value)


def _published(value: Mapping[int, int] | Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple(value.items() if isinstance(value, Mapping) else value)


def _command(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)


@attrs.frozen(kw_only=True, field_transformer=named)
class RunRequest:
    """One container to start.

    `image`
        Its id or tag. It is never pulled.
    `ports`
        The TCP ports of the container to publish; the engine picks the ports outside, for this machine alone.
    `publish`
        Ports outside that are given, and the TCP ports of the container that they lead to: ``{8080: 80}``.
    `env`, `command`, `entrypoint`, `user`
        As ``docker run`` takes them; None for the last three is the image's own.
    `read_only`, `tmpfs`, `cap_add`, `cap_drop`, `security_opt`, `privileged`, `volumes`
        As ``docker run`` takes them.
    `name`
        What errors call the image; where it is left out, its tag or what its id begins with.
    """

    image: str
    ports: tuple[int, ...] = attrs.field(default=(), converter=_ports)
    publish: tuple[tuple[int, int], ...] = attrs.field(default=(), converter=_published)
    env: Pairs = attrs.field(default=(), converter=pairs, repr=names_alone)
    command: tuple[str, ...] | None = attrs.field(default=None, converter=_command)
    entrypoint: tuple[str, ...] | None = attrs.field(default=None, converter=_command)
    user: str | None = None
    read_only: bool = False
    tmpfs: tuple[str, ...] = attrs.field(default=(), converter=texts)
    cap_add: tuple[str, ...] = attrs.field(default=(), converter=texts)
    cap_drop: tuple[str, ...] = attrs.field(default=(), converter=texts)
    security_opt: tuple[str, ...] = attrs.field(default=(), converter=texts)
    privileged: bool = False
    volumes: tuple[str, ...] = attrs.field(default=(), converter=texts)
    name: str = attrs.field(default=attrs.Factory(lambda self: short_image(self.image), takes_self=True))


@attrs.frozen
class ContainerState:
    """Whether a container runs; and if not, with which code it exited, and what the engine says of it."""

    running: bool
    exit_code: int | None = None
    detail: str = ""

    def __str__(self) -> str:
        if self.running:
            return "running"
        detail = f" ({self.detail})" if self.detail else ""
        return f"exited with code {self.exit_code}{detail}"


@attrs.frozen
class Executed:
    """A command that was run in a running container: its exit code, None if it was not over in time, and its output."""

    exit_code: int | None
    output: bytes = attrs.field(default=b"", repr=shown)


class Container(Protocol):
    """A container that was started. Leaving its ``with`` block removes it."""

    @property
    def id(self) -> str:
        """The engine's id of it."""
        ...

    def address(self, port: int) -> tuple[str, int]:
        """Return host and port where the container's `port` is reached. Raises `RunFailed` if it is not published."""
        ...

    def state(self) -> ContainerState:
        """Ask how it is."""
        ...

    def logs(self, lines: int = LOG_LINES) -> tuple[str, ...]:
        """Return the last lines that it printed."""
        ...

    def follow(self) -> Iterator[str]:
        """Yield the lines that it prints, from its start until it ends."""
        ...

    def output(self, most: int = LONGEST_OUTPUT) -> tuple[bytes, bytes]:
        """Return what it printed on stdout and on stderr: the first `most` bytes of each."""
        ...

    def execute(self, command: Iterable[str], timeout: float) -> Executed:
        """Run a command in it, as its user, for `timeout` seconds at most; one that still runs then is left to itself.

        Raises `RunFailed` where the container has ended.
        """
        ...

    def signal(self, name: str) -> None:
        """Send its first process a signal: ``"SIGTERM"``. Nothing happens where it has ended."""
        ...

    def stop(self, timeout: float = 10.0) -> ContainerState:
        """Ask it to end, and end it by force after `timeout` seconds."""
        ...

    def commit(self, tag: str) -> None:
        """Make an image with this tag of its files and settings as they are now."""
        ...

    def remove(self) -> None:
        """Remove it, running or not. Removing it again is not an error."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Runner(Protocol):
    """Runs images."""

    def start(self, request: RunRequest) -> Container:
        """Start a container.

        Raises `EngineUnavailable` where there is nothing to run it on, `RunFailed` where it does not start.
        """
        ...

    def inspect(self, image: str) -> Mapping[str, Any]:
        """Return what the engine knows of an image, as ``docker image inspect`` shows it. Raises `RunFailed`."""
        ...

    def save(self, image: str) -> Iterator[bytes]:
        """Yield an image as a tar archive, piece by piece, as ``docker image save`` writes it. Raises `RunFailed`."""
        ...

    def history(self, image: str) -> tuple[tuple[str, int], ...]:
        """Return the steps that made an image, oldest first: what the engine says of each, and its layer's bytes.

        Raises `RunFailed`.
        """
        ...

    def sweep(self) -> tuple[str, ...]:
        """Remove what processes that are dead left behind, and nothing else; return what was removed."""
        ...

    def temporary_tag(self) -> str:
        """Return a tag for an image that is needed for this test alone; `sweep` knows it again."""
        ...

    def untag(self, tag: str) -> None:
        """Take a tag away, and with its last tag the image."""
        ...
