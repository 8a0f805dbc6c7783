"""Where the engine is, by the rules of the docker command.

The docker SDK knows these rules only since version 7.2, and not all of them; the docker command and the runner must
not end up on two engines.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from dockdsl.display import printable
from dockdsl.errors import EngineUnavailable

DEFAULT = "default"
DEFAULT_SOCKET = "unix:///var/run/docker.sock"
LOOPBACK = "127.0.0.1"


@attrs.frozen
class Endpoint:
    """The address of an engine.

    `host`
        ``unix:///var/run/docker.sock``, ``tcp://host:2376``, ``ssh://user@host``; None is the system's default.
    `certificates`
        The folder with ``ca.pem``, ``cert.pem`` and ``key.pem``; None for a connection without TLS.
    `verify`
        Whether the engine's certificate is verified.
    `source`
        What says so, for messages.
    """

    host: str | None
    certificates: Path | None
    verify: bool
    source: str

    @property
    def machine(self) -> str:
        """The name or address of the machine that the engine runs on, this one's loopback address where it is local.

        >>> Endpoint("ssh://me@build.test:22", None, True, "").machine
        'build.test'
        >>> Endpoint("unix:///var/run/docker.sock", None, True, "").machine
        '127.0.0.1'
        """
        if self.host is None or not self.host.startswith(("tcp:", "http:", "https:", "ssh:")):
            return LOOPBACK
        return urlsplit(self.host).hostname or LOOPBACK

    @property
    def socket(self) -> str | None:
        """The path of the socket on this machine where the engine listens; None where it listens elsewhere.

        >>> Endpoint("unix:///var/run/docker.sock", None, True, "").socket
        '/var/run/docker.sock'
        """
        host = self.host if self.host is not None or os.name != "posix" else DEFAULT_SOCKET
        return host.removeprefix("unix://") if host is not None and host.startswith("unix://") else None


def endpoint(environ: Mapping[str, str] | None = None) -> Endpoint:
    """Return where the docker command would go: ``DOCKER_HOST``, else ``DOCKER_CONTEXT``, else the context in use.

    Raises `EngineUnavailable` for a context that does not exist or cannot be read, and for what is not an address.

    Source: the reference of the docker command, "Environment variables", and of ``docker context``.
    """
    found = _endpoint(os.environ if environ is None else environ)
    try:
        # Both are read when they are asked for.
        parts = urlsplit(found.host or "")
        _ = parts.hostname, parts.port
    except ValueError as error:
        raise EngineUnavailable(
            f"run: {found.source} has the invalid address {printable(str(found.host))} "
            f"({printable(str(error))}); write unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST"
        ) from None
    return found


def _endpoint(environ: Mapping[str, str]) -> Endpoint:
    folder = Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    if environ.get("DOCKER_HOST"):
        return _from_environment(environ, folder, environ["DOCKER_HOST"], "DOCKER_HOST")
    name, source = environ.get("DOCKER_CONTEXT"), "DOCKER_CONTEXT"
    if not name:
        name, source = _object(folder / "config.json").get("currentContext"), "the context in use"
    if not isinstance(name, str) or name in ("", DEFAULT):
        return _from_environment(environ, folder, None, "the default socket")
    return _from_context(folder / "contexts", name, f"{source}, {name!r}")


def _from_environment(environ: Mapping[str, str], folder: Path, host: str | None, source: str) -> Endpoint:
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    is_tls = verify or environ.get("DOCKER_TLS")
    return Endpoint(host, Path(environ.get("DOCKER_CERT_PATH") or folder) if is_tls else None, verify, source)


def _from_context(folder: Path, name: str, source: str) -> Endpoint:
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = _object(folder / "meta" / digest / "meta.json")
    endpoints = meta.get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    if not isinstance(docker, dict):
        raise EngineUnavailable(
            f"run: {source} is not a docker context; check DOCKER_CONTEXT against `docker context ls`"
        )
    certificates = folder / "tls" / digest / "docker"
    host = docker.get("Host")
    return Endpoint(
        host if isinstance(host, str) and host else None,
        certificates if certificates.is_dir() else None,
        not docker.get("SkipTLSVerify"),
        source,
    )


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise EngineUnavailable(
            f"run: docker's own file {path} cannot be read ({error}); fix it, or set DOCKER_HOST"
        ) from None
    return found if isinstance(found, dict) else {}
