"""The real runner: containers by way of the docker SDK for Python. No other module imports it."""
# ruff: noqa: PLC0415 - the SDK is an extra, and slow to import: each function imports it when it runs

from __future__ import annotations

import contextlib
import ipaddress
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import attrs

from dockdsl.display import argument, printable, short_image
from dockdsl.engine.building import LOG_LINES
from dockdsl.engine.endpoint import LOOPBACK, Endpoint, endpoint
from dockdsl.engine.failures.causes import explain
from dockdsl.engine.failures.diagnosis import BELOW, died, run_failed
from dockdsl.engine.leftovers import owner
from dockdsl.engine.leftovers.interrupts import deferred
from dockdsl.engine.runners.tunnel import Line, Tunnel
from dockdsl.engine.running import LONGEST_OUTPUT, ContainerState, Executed, RunRequest
from dockdsl.errors import EngineError, EngineUnavailable, RunFailed
from dockdsl.origins import short_path
from dockdsl.secrecy import hide

if TYPE_CHECKING:
    import docker

CALL_TIMEOUT = 60
"""Seconds that one call to the engine may take."""
PATIENCE = 10.0
"""Seconds to wait for an engine that is gone, while something of ours is still on it."""
_MOST = 1 << 20
"""Bytes of a container's log that are read at most."""
_GREETING = 20
"""Seconds that the first question to the engine may take: one that hangs is found out before anything is built."""
_LAST_WORDS = 2
"""Seconds that each further call about a container may take where the engine has left one unanswered."""
_SAVING = 600
"""Seconds until the first byte of a saved image: the classic store writes all layers to its own disk before it."""
_PAUSE = 0.2
_HEAD = 8
"""Bytes before each piece of what a command prints: one for the stream, and the last four for the length."""
_ATTEMPTS = 10
_DYNAMIC_PORTS = range(49152, 65536)
"""The ports that IANA leaves to programs."""
_IN_CONTAINER = Path("/.dockerenv")
"""A file that Docker puts into each of its containers."""
_MOUNTS = Path("/proc/self/mountinfo")
_own_id = re.compile(r"/containers/([0-9a-f]{64})/\S+ /etc/(?:hostname|hosts|resolv\.conf) ").search
"""Finds there the files that Docker keeps for a container, in a folder with its id as name."""
_port_taken = re.compile(r"address already in use|port is already allocated").search
_LONGEST_LINE = 8192
"""Bytes of a line of a container's log that are kept together."""
_PIECE = 1 << 18
"""Bytes of a saved image that are handed on at once."""


class DockerSdk(contextlib.AbstractContextManager["DockerSdk"]):
    """Runs containers on the engine that the docker command would use.

    Each container has labels that say which process made it, publishes its ports where only the machine that
    runs the test reaches them, and is removed by its id. The engine picks the ports.

    `host`
        The address on which ports are published and reached. By default the loopback address; for an engine that is
        reached over TCP the address of its machine, since its loopback address cannot be reached from here. One that is
        reached over SSH publishes on its own loopback address, to which SSH leads. For a program that runs in a
        container of the very engine nothing is published: both containers are in the same network.
    `timeout`
        Seconds that one call to the engine may take; `save` has a bound of its own.
    `patience`
        Seconds to wait, in all, for an engine that went away while something of ours is still to be removed from it:
        one that is being restarted comes back.

    The SDK comes with the extra ``runner`` of the package.

    Source: the Docker Engine API.
    """

    def __init__(self, *, host: str | None = None, timeout: int = CALL_TIMEOUT, patience: float = PATIENCE) -> None:
        self._host = host
        self._engine = _Engine(timeout, patience)
        self._session = secrets.token_hex(6)

    def start(self, request: RunRequest) -> DockerContainer:
        """Start a container. The image is not pulled.

        Raises `EngineUnavailable` where there is no SDK, no engine or no permission, `RunFailed` where the image is
        not there or its command cannot be run.
        """
        self._engine.is_late = False
        client, place = self._engine.client()
        way = _way(client, place, self._host)
        # The engine takes the first port that it has not given away itself, and fails if a program has it.
        outside, left = None, _ATTEMPTS if request.ports else 0
        while True:
            try:
                return self._start(client, request, way, outside)
            except RunFailed as error:
                if not _port_taken(error.message):
                    raise
                given = next((port for port, _ in request.publish if f":{port}" in error.message), None)
                if given is not None:
                    raise RunFailed(
                        f"run {request.name}: the port {given} of {way.publish} is taken; end what listens there, or "
                        "publish another one"
                    ) from None
                if not left:
                    raise
            outside, left = secrets.choice(_DYNAMIC_PORTS), left - 1

    def _start(
        self, client: docker.DockerClient, request: RunRequest, way: _Way, outside: int | None
    ) -> DockerContainer:
        # The SDK writes "any port" as None; its type stubs do not know that.
        ports: dict[str, Any] = {
            f"{port}/tcp": (way.publish, None if outside is None else (outside + index) % 65536 or 1024)
            for index, port in enumerate(request.ports)
            if way.network is None
        }
        if way.network is None:
            ports |= {
                f"{port}/tcp": [(way.publish, given) for given, inside in request.publish if inside == port]
                for _, port in request.publish
            }
        name = f"dockdsl-{secrets.token_hex(8)}"
        try:
            with deferred(), _translated(f"run {request.name}"), self._engine.hurrying():
                container = client.containers.create(
                    request.image,
                    name=name,
                    command=None if request.command is None else list(request.command),
                    entrypoint=list(request.entrypoint or ()) or None,
                    user=request.user or None,
                    environment=dict(request.env),
                    labels=self.labels() | {owner.NAME: name},
                    ports=ports,
                    network=way.network,
                    read_only=request.read_only,
                    tmpfs=dict(each.partition(":")[::2] for each in request.tmpfs),
                    cap_add=list(request.cap_add),
                    cap_drop=list(request.cap_drop),
                    security_opt=list(request.security_opt),
                    privileged=request.privileged,
                    volumes=list(request.volumes),
                    detach=True,
                )
                container.start()
                return DockerContainer(container, request, way, self._engine)
        except BaseException:
            # An engine that ended before it answered may have made it all the same: only its name is known. What went
            # wrong says more than that it cannot be removed.
            with contextlib.suppress(EngineError):
                self._engine.remove("container", name, f"remove {request.name}")
            raise

    def labels(self) -> dict[str, str]:
        """Return the labels that name the owner of a thing; `sweep` knows networks and volumes by them.

        A container has one more, with its name: its other labels are inherited by images that are made of it.
        """
        return owner.this_process().labels(self._session)

    def owned(self) -> tuple[Owned, ...]:
        """Return what runs of dockdsl, here or elsewhere, have made and left on the engine, in the order of removal.

        Containers, networks and volumes are known by their labels, images by their temporary tags. What has such labels
        or tags and was made otherwise has no owner.

        Raises `EngineUnavailable`.
        """
        client, place = self._engine.client()
        api: Any = client.api
        marked = {"label": owner.SESSION}
        with _translated("sweep", place):
            found = [
                Owned("container", each["Id"], str(each.get("Image")), _whose_container(each))
                for each in api.containers(all=True, filters=marked)
            ]
            found += [Owned("network", each["Id"], each["Name"], _whose(each)) for each in api.networks(filters=marked)]
            volumes = api.volumes(filters=marked).get("Volumes") or ()
            found += [Owned("volume", each["Name"], "", _whose(each)) for each in volumes]
            found += [
                Owned("image", tag, each["Id"], owner.tag_owner(tag))
                for each in api.images(name=owner.TEMPORARY)
                for tag in each.get("RepoTags") or ()
            ]
        return tuple(found)

    def discard(self, thing: Owned) -> bool:
        """Remove what `owned` returned; return whether it was there and is gone. What is in use stays.

        Raises `EngineUnavailable`, and `RunFailed` where the engine cannot remove it.
        """
        client, _ = self._engine.client()
        with deferred(), _translated(f"sweep {thing}"):
            return _remove(thing.kind, client, thing.name)

    def inspect(self, image: str) -> Mapping[str, Any]:
        """Return what the engine knows of an image, as ``docker image inspect`` shows it.

        Raises `EngineUnavailable`, and `RunFailed` where the image is not there.
        """
        client, _ = self._engine.client()
        with _translated(f"inspect {short_image(image)}"):
            return cast(Mapping[str, Any], client.images.get(image).attrs)

    def save(self, image: str) -> Iterator[bytes]:
        """Yield an image as a tar archive, piece by piece, as ``docker image save`` writes it.

        Its first byte may take 10 minutes, whatever the `timeout`: an engine may write all of it to its disk before.

        Raises `EngineUnavailable`, and `RunFailed` where the image is not there.
        """
        late = f"sent nothing of the image for {_SAVING} s"
        with (
            contextlib.closing(self._engine.another(_SAVING)) as client,
            _translated(f"save {short_image(image)}", late=late),
        ):
            yield from client.api.get_image(image, chunk_size=_PIECE)

    def history(self, image: str) -> tuple[tuple[str, int], ...]:
        """Return the steps that made an image, oldest first: what the engine says of each, and its layer's bytes.

        Raises `EngineUnavailable`, and `RunFailed` where the image is not there.
        """
        client, place = self._engine.client()
        api: Any = client.api
        with _translated(f"history of {short_image(image)}", place):
            entries = api.history(image)
        return tuple((str(each.get("CreatedBy") or ""), int(each.get("Size") or 0)) for each in reversed(entries))

    def sweep(self) -> tuple[str, ...]:
        """Remove the containers, networks, volumes and temporary tags of processes on this machine that have ended.

        What another machine made, or a process that cannot be seen from here, stays; so does what the engine cannot
        remove, which `dockdsl gc` reports. Return what was removed.

        Raises `EngineUnavailable`.
        """
        removed = []
        for each in self.owned():
            # What a dead run left must not keep the next one from its work.
            with contextlib.suppress(RunFailed):
                if each.is_left and self.discard(each):
                    removed.append(each.name)
        return tuple(removed)

    def temporary_tag(self) -> str:
        """Return a tag for an image that is needed for this test alone."""
        return owner.temporary_tag(owner.this_process())

    def untag(self, tag: str) -> None:
        """Take a tag away, and with its last tag the image."""
        self._engine.remove("image", tag, f"untag {tag}")

    def close(self) -> None:
        """Close the connections to the engine."""
        self._engine.close()

    def __exit__(self, *_: object) -> None:
        self.close()


@attrs.frozen
class Owned:
    """Something on the engine that is labelled with its owner.

    `kind`
        ``"container"``, ``"network"``, ``"volume"`` or ``"image"``.
    `name`
        Its id; of a volume its name, of an image its tag.
    `what`
        What people know it by: a container's image, a network's name, an image's id.

    >>> print(Owned("container", "0123456789abcdef", "api:dev", owner.Owner("h", "b", "s", 4711, "9")))
    container 0123456789ab (api:dev) of process 4711
    """

    kind: Literal["container", "network", "volume", "image"]
    name: str
    what: str
    owner: owner.Owner | None

    @property
    def is_left(self) -> bool:
        """Whether it is certain that nobody needs it any more."""
        return self.owner is not None and self.owner.is_dead()

    @property
    def doubt(self) -> str:
        """Why it stays although no living process here has it; empty where that is not the reason."""
        if self.owner is None:
            return f"it has a {'tag' if self.kind == 'image' else 'label'} of dockdsl's, which did not make it"
        if self.owner.is_of_other_boot():
            known = "it is from another start of this machine, or of a copy of it"
            return f"{known}; if its run has ended: docker {_REMOVING[self.kind]} {argument(self._short)}"
        return ""

    @property
    def _short(self) -> str:
        return self.name if self.kind in ("volume", "image") else self.name[:12]

    def __str__(self) -> str:
        what = f" ({printable(short_image(self.what))})" if self.what else ""
        return f"{self.kind} {printable(self._short)}{what}" + (f" of process {self.owner.pid}" if self.owner else "")


_REMOVING = {"container": "rm --force", "network": "network rm", "volume": "volume rm", "image": "rmi"}


def _whose(thing: Mapping[str, Any]) -> owner.Owner | None:
    return owner.owner_of(thing.get("Labels") or {})


def _whose_container(thing: Mapping[str, Any]) -> owner.Owner | None:
    name = (thing.get("Labels") or {}).get(owner.NAME)
    return _whose(thing) if f"/{name}" in (thing.get("Names") or ()) else None


class _Engine:
    """The connections to the engine, which are made when they are needed."""

    def __init__(self, timeout: int, patience: float) -> None:
        self._timeout = timeout
        self._patience = patience
        """Seconds that are left to wait, in all, for an engine that went away."""
        self._made: tuple[docker.DockerClient, Endpoint] | None = None
        self._place: Endpoint | None = None
        """Where it is, or was."""
        self._url: str | None = None
        self._hurried: docker.DockerClient | None = None
        self.is_late = False
        """Whether it has left a call unanswered."""
        self._open = contextlib.ExitStack()
        self._lock = threading.Lock()

    def client(self) -> tuple[docker.DockerClient, Endpoint]:
        """Return the client, and where the engine is."""
        with self._lock:
            if self._made is None:
                place = endpoint()
                _check_sdk()
                with contextlib.ExitStack() as opened:
                    self._url, line = place.host, None
                    if place.host is not None and place.host.startswith("ssh:"):
                        line = Line(place.host)
                        opened.callback(line.close)
                        self._url = line.host
                    try:
                        client = _connect(place, self._url, self._timeout)
                    except EngineUnavailable:
                        said = "" if line is None else line.said()
                        if not said:
                            raise
                        raise EngineUnavailable(
                            f"run: the container engine at {place.host} does not answer ({said}); see that `ssh` logs "
                            "in there without a question, and that the docker command is there"
                        ) from None
                    opened.callback(client.close)
                    self._open = opened.pop_all()
                self._made = client, place
                self._place = place
            return self._made

    def another(self, timeout: int) -> docker.DockerClient:
        """Return a second client of the same engine, whose calls may take another time."""
        client, place = self.client()
        return _opened(place, self._url, timeout, client.api.api_version)

    def hurry(self) -> docker.DockerClient:
        """Return the client for what is still asked of an engine that has left a call unanswered.

        The container of that call has it to its end, and so has what is tidied before another one is started.
        """
        self.is_late = True
        if self._hurried is None:
            self._hurried = self.another(_LAST_WORDS)
            self._open.callback(self._hurried.close)
        return self._hurried

    @contextlib.contextmanager
    def hurrying(self) -> Iterator[None]:
        """Wait less for the engine once it has left a call of the block unanswered."""
        import requests

        try:
            yield
        except requests.exceptions.Timeout:
            self.hurry()
            raise

    def remove(self, kind: str, name: str, what: str, client: docker.DockerClient | None = None) -> None:
        """Remove a thing, with a client of its own or the usual one; where the engine went away, when it is back."""
        import requests

        if client is None:
            client = self.hurry() if self.is_late else self.client()[0]
        with deferred() as held, _translated(what):
            while True:
                try:
                    _remove(kind, client, name)
                except requests.exceptions.Timeout:
                    raise
                except requests.exceptions.ConnectionError:
                    # Until it is there again, the patience runs out, or a signal arrives.
                    if not self._is_back(held):
                        raise
                else:
                    return

    def _is_back(self, held: Collection[int]) -> bool:
        """Wait until something listens there again; return whether it does, or whether that cannot be known."""
        assert self._place is not None  # something was made there
        while self._patience > 0 and not held:
            begin = time.monotonic()
            try:
                time.sleep(_PAUSE)
                _knock(self._place)
            except OSError:
                continue
            finally:
                self._patience -= time.monotonic() - begin
            return True
        self._patience = 0.0
        return False

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            self._open.close()
            self._made = self._hurried = None


class DockerContainer(contextlib.AbstractContextManager["DockerContainer"]):
    """A container of `DockerSdk`."""

    def __init__(self, container: Any, request: RunRequest, way: _Way, engine: _Engine) -> None:
        self._container = container
        self._image = request.name
        self._ports = request.ports
        self._way = way
        self._engine = engine
        self._tunnels: dict[int, Tunnel] = {}

    @property
    def id(self) -> str:
        """The engine's id of it."""
        return str(self._container.id)

    def address(self, port: int) -> tuple[str, int]:
        """Return host and port where the container's TCP port is reached.

        Raises `RunFailed` if it was not published, or if the container has ended.
        """
        with self._asking("run"):
            self._container.reload()
        settings = self._container.attrs["NetworkSettings"]
        if self._way.network is not None and port in self._ports:
            own = (settings.get("Networks") or {}).get(self._way.network, {}).get("IPAddress")
            if own:
                return str(own), port
        for binding in (settings.get("Ports") or {}).get(f"{port}/tcp") or ():
            outside = int(binding["HostPort"])
            if self._way.tunnel is None:
                return self._way.host or _reached_at(binding["HostIp"], self._way.place), outside
            with deferred():
                if outside not in self._tunnels:
                    self._tunnels[outside] = Tunnel(self._way.tunnel, outside)
            return self._tunnels[outside].address
        state = _state(self._container.attrs)
        if not state.running:
            raise died(f"run {self._image}", state, self.logs())
        raise RunFailed(f"run {self._image}: port {port} is not published; pass the Image port={port}")

    def state(self) -> ContainerState:
        """Ask how it is."""
        with self._asking("run"):
            self._container.reload()
        return _state(self._container.attrs)

    def logs(self, lines: int = LOG_LINES) -> tuple[str, ...]:
        """Return the last lines that it printed, on stdout and stderr."""
        with self._asking("logs of"):
            text: bytes = self._container.logs(stdout=True, stderr=True, tail=lines)
        return tuple(map(hide, text[-_MOST:].decode("utf-8", "replace").splitlines()[-lines:]))

    def follow(self) -> Iterator[str]:
        """Yield the lines that it prints, on stdout and stderr, from its start until it ends."""
        with _translated(f"logs of {self._image}"):
            rest = b""
            for piece in self._container.logs(stdout=True, stderr=True, stream=True, follow=True):
                *lines, rest = (rest + piece).split(b"\n")
                if len(rest) > _LONGEST_LINE:
                    lines, rest = [*lines, rest], b""
                yield from (hide(line.decode("utf-8", "replace").rstrip("\r")) for line in lines)
            if rest:
                yield hide(rest.decode("utf-8", "replace"))

    def output(self, most: int = LONGEST_OUTPUT) -> tuple[bytes, bytes]:
        """Return what it printed on stdout and on stderr: the first `most` bytes of each."""
        with _translated(f"output of {self._image}"):
            return self._printed(most, stdout=True), self._printed(most, stdout=False)

    def _printed(self, most: int, *, stdout: bool) -> bytes:
        found = bytearray()
        api = self._container.client.api
        wanted = {"stdout": int(stdout), "stderr": int(not stdout)}
        with self._streamed(api.get, f"containers/{self.id}/logs", params=wanted, timeout=api.timeout) as stream:
            for piece in _pieces(stream):
                found += piece[: most - len(found)]
                # It may print faster than anybody reads.
                if len(found) >= most:
                    break
        return bytes(found)

    @contextlib.contextmanager
    def _streamed(self, call: Callable[..., Any], path: str, **options: Any) -> Iterator[Any]:
        """Yield what the engine sends; a stream that the SDK opens could not be given up before its end."""
        import docker
        import requests

        api = self._container.client.api
        with call(f"{api.base_url}/v{api.api_version}/{path}", stream=True, **options) as answer:
            try:
                answer.raise_for_status()
            except requests.exceptions.HTTPError as error:
                docker.errors.create_api_error_from_http_exception(error)
            yield answer.raw

    def execute(self, command: Iterable[str], timeout: float) -> Executed:
        """Run a command in it, as its user, for `timeout` seconds at most; one that still runs then is left to itself.

        The first MiB of its output is read. Raises `RunFailed` where the container has ended.
        """
        import requests
        import urllib3

        printed = bytearray()
        with self._asking("exec in"):
            api: Any = self._container.client.api
            made = api.exec_create(self.id, list(command))["Id"]
            deadline = time.monotonic() + timeout
            start = self._streamed(api.post, f"exec/{made}/start", json={}, timeout=timeout)
            # The SDK itself would read it for as long as it takes. What became of it the engine is asked below.
            late = requests.exceptions.Timeout, requests.exceptions.ConnectionError, urllib3.exceptions.HTTPError
            with contextlib.suppress(*late), start as stream:
                for piece in _pieces(stream):
                    printed += piece[: LONGEST_OUTPUT - len(printed)]
                    if time.monotonic() > deadline:
                        break
            is_late = time.monotonic() > deadline
            state = api.exec_inspect(made)
        return Executed(None if is_late or state["Running"] else state["ExitCode"], bytes(printed))

    def signal(self, name: str) -> None:
        """Send its first process a signal: ``"SIGTERM"``. Nothing happens where it has ended."""
        import docker

        with _translated(f"signal {self._image}"):
            try:
                self._container.kill(signal=name)
            except docker.errors.APIError as error:
                # It does not run any more.
                if error.status_code != 409:
                    raise

    def stop(self, timeout: float = 10.0) -> ContainerState:
        """Send it its stop signal, and kill it if it has not ended after `timeout` seconds."""
        with self._asking("stop"):
            self._container.stop(timeout=round(timeout))
        return self.state()

    def commit(self, tag: str) -> None:
        """Make an image with this tag of its files and settings as they are now."""
        repository, _, name = tag.rpartition(":")
        with _translated(f"commit {self._image}"):
            self._container.commit(repository, name)

    @contextlib.contextmanager
    def _asking(self, verb: str) -> Iterator[None]:
        """Translate errors; and once the engine has left a call unanswered, wait less for it from then on."""
        import requests

        with _translated(f"{verb} {self._image}"):
            try:
                yield
            except requests.exceptions.Timeout:
                self._container = self._engine.hurry().containers.prepare_model(self._container)
                raise

    def remove(self) -> None:
        """Remove it with its anonymous volumes, running or not."""
        with deferred():
            while self._tunnels:
                self._tunnels.popitem()[1].close()
            self._engine.remove("container", self.id, f"remove {self._image}", self._container.client)

    def __exit__(self, *raised: object) -> None:
        # What went wrong in the block says more than that the container cannot be removed any more.
        with contextlib.suppress(*([EngineError] if any(raised) else [])):
            self.remove()


def _pieces(stream: Any) -> Iterator[bytes]:
    """Yield what a command prints, of both streams, without the head that the engine puts before each piece."""
    while head := stream.read(_HEAD):
        yield stream.read(int.from_bytes(head[-4:]))


def _connect(place: Endpoint, url: str | None, timeout: int) -> docker.DockerClient:
    with _translated("run", place):
        from docker.constants import MINIMUM_DOCKER_API_VERSION

        _knock(place)
        # Left to itself, the SDK asks for the version before it can be given whom to trust.
        with contextlib.closing(_opened(place, url, min(timeout, _GREETING), MINIMUM_DOCKER_API_VERSION)) as asking:
            answer: Any = asking.api.version(api_version=False)
        version = answer.get("ApiVersion") if isinstance(answer, dict) else None
        if version is None:
            raise EngineUnavailable(
                f"run: what answers at {place.host} is not a container engine; check {place.source}"
            )
        return _opened(place, url, timeout, version)


def _opened(place: Endpoint, url: str | None, timeout: int, version: str) -> docker.DockerClient:
    import docker
    from requests.utils import get_environ_proxies

    options: dict[str, Any] = {} if url is None else {"base_url": url}
    if place.certificates is not None:
        ca, cert, key = (place.certificates / f"{name}.pem" for name in ("ca", "cert", "key"))
        options["tls"] = docker.tls.TLSConfig(
            client_cert=(str(cert), str(key)) if cert.exists() else None,
            ca_cert=str(ca) if ca.exists() else None,
            verify=place.verify,
        )
    client = docker.DockerClient(version=version, timeout=timeout, **options)
    # Of the environment only the proxies count: REQUESTS_CA_BUNDLE would replace the certificates of the engine's own
    # settings.
    client.api.trust_env = False
    if client.api.base_url.startswith(("http:", "https:")):
        client.api.proxies.update(get_environ_proxies(client.api.base_url))
    return client


def _check_sdk() -> None:
    """Raise `EngineUnavailable` unless what `docker` names for Python is the SDK."""
    file = None
    with contextlib.suppress(ImportError):
        import docker

        if hasattr(docker, "DockerClient"):
            return
        # A folder of this name that is not a package has no file.
        file = getattr(docker, "__file__", None)
    if file is None:
        raise EngineUnavailable('run: the docker SDK for Python is not installed; run: pip install "dockdsl[runner]"')
    raise EngineUnavailable(
        f"run: {short_path(file)} is imported as docker instead of the docker SDK for Python; rename that file"
    )


def _knock(place: Endpoint) -> None:
    """Connect to a socket of this machine once: the SDK's own failure says less, and leaves a socket open."""
    if place.socket is not None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
            knocking.settimeout(10)
            knocking.connect(place.socket)


@attrs.frozen
class _Way:
    """How the ports of a container are reached: by publishing them, or in another way."""

    place: Endpoint
    publish: str
    host: str | None = None
    """Where the user says that they are published and reached."""
    network: str | None = None
    """A network in which this program is itself, as a container of the same engine: nothing is published."""
    tunnel: str | None = None
    """The engine's address, where SSH leads to its machine."""


def _way(client: docker.DockerClient, place: Endpoint, host: str | None) -> _Way:
    if host is not None:
        return _Way(place, host, host=host)
    if place.host is not None and place.host.startswith("ssh:"):
        return _Way(place, LOOPBACK, tunnel=place.host)
    if place.machine == LOOPBACK and _IN_CONTAINER.exists():
        return _Way(place, LOOPBACK, network=_own_network(client))
    return _Way(place, _address(place))


def _own_network(client: docker.DockerClient) -> str | None:
    """Return the network of the container that this program runs in, if that is one of this engine."""
    import docker

    mounts = ""
    # Only Linux has the file, and a sandbox may hide it.
    with contextlib.suppress(OSError):
        mounts = _MOUNTS.read_text(errors="replace")
    # The name that it has for itself is its id only where nobody gave it another one.
    found = _own_id(mounts)
    with _translated("run"):
        try:
            me = client.api.inspect_container(found[1] if found else socket.gethostname())
        except docker.errors.NotFound:
            return None
    networks = me["NetworkSettings"].get("Networks") or {}
    return next((str(name) for name in networks if name not in ("host", "none")), None)


def _address(place: Endpoint) -> str:
    """Return the address of the engine's machine on which ports are published: never all of them."""
    try:
        found = socket.getaddrinfo(place.machine, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise EngineUnavailable(
            f"run: the engine's machine {place.machine} has no address ({error.strerror}); check {place.source}"
        ) from None
    return str(found[0][4][0])


def _reached_at(published: str, place: Endpoint) -> str:
    """Return the address at which a published port is reached."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(published).is_unspecified:
            return place.machine
    return published or LOOPBACK


def _state(attributes: Mapping[str, Any]) -> ContainerState:
    state = attributes.get("State") or {}
    if state.get("Running") or state.get("Status") == "created":
        return ContainerState(running=True)
    detail = "out of memory" if state.get("OOMKilled") else str(state.get("Error") or "")
    return ContainerState(running=False, exit_code=state.get("ExitCode"), detail=detail)


_REMOVERS: dict[str, Callable[[docker.DockerClient, str], object]] = {
    "container": lambda client, name: client.api.remove_container(name, v=True, force=True),
    "network": lambda client, name: client.api.remove_network(name),
    "volume": lambda client, name: client.api.remove_volume(name),
    "image": lambda client, tag: client.api.remove_image(tag, noprune=False),
}


def _remove(kind: str, client: docker.DockerClient, name: str) -> bool:
    """Remove a thing; return False for what is not there, what somebody else is removing, and what is in use."""
    import docker

    try:
        _REMOVERS[kind](client, name)
    except docker.errors.APIError as error:
        # A network in use is answered by 403 in older engines.
        if error.status_code not in (403, 404, 409):
            raise
        return False
    return True


@contextlib.contextmanager
def _translated(what: str, place: Endpoint | None = None, *, late: str = "did not answer in time") -> Iterator[None]:
    """Turn the SDK's errors, and those of what it stands on, into ours; `late` is what an engine did that timed out."""
    import docker
    import requests

    where = "" if place is None else f" at {place.host or 'its default socket'}"
    try:
        yield
    except docker.errors.ImageNotFound as error:
        raise RunFailed(f"{what}: {_explained(error)}; build it, or load it into this engine") from None
    except docker.errors.APIError as error:
        text = _explained(error)
        known = explain(text)
        remedy = "fix what it says" if known is None else BELOW
        if "cannot assign requested address" in text:
            remedy = "give DockerSdk(host=…) an address that the engine's machine has itself"
        raise run_failed(f"{what}: the engine refused: {text}; {remedy}", known) from None
    except requests.exceptions.Timeout:
        raise EngineUnavailable(f"{what}: the container engine{where} {late}; see what holds it up") from None
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        if isinstance(error, EngineError):
            raise
        text = _cause(error)
        fact = f"the container engine{where} does not answer ({text})"
        remedy = "see whether it still runs" if place is None else f"start it, or check {place.source}"
        if isinstance(error, PermissionError) or "Permission denied" in text:
            fact = f"the permission to use the container engine{where} is missing"
            remedy = "join the group that owns its socket (most often docker) and log in again, or run as that user"
        raise EngineUnavailable(f"{what}: {fact}; {remedy}") from None


def _explained(error: Any) -> str:
    return printable(" ".join(str(error.explanation or error).split()))


def _cause(error: BaseException) -> str:
    """Return what the operating system said, out of an error that wraps it several times."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error)
    if "BadStatusLine" in text:
        return "what answers there does not speak HTTP"
    found = re.search(r"\[Errno -?\d+\] ([^'\")]+)|Error\(-?\d+, '([^']+)'\)", text)
    return found[1] or found[2] if found else printable(text)
