"""The docker command: where it and its buildx plugin are, and what it is asked besides building."""
# ruff: noqa: PLC0415 - these modules are imported while the engine builds

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from typing import Any

from dockdsl.engine.building import SizeKind, size_kind
from dockdsl.errors import EngineError, EngineUnavailable

USUAL = "docker"
QUESTION = 30.0
"""Seconds that a question to the engine may take."""
_PLUGIN = "docker-buildx"
_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
"""Where the docker command looks for its plugins, after the folder of the user's settings."""

Found = tuple[str, int | None, SizeKind]
"""The id by which the engine knows an image, its size, and which size that is."""


class DockerCommand:
    """The docker command on this machine.

    Under its usual name the two detours are left out that it would take: what builds is its plugin, and an engine
    behind a local socket can be asked by anyone. They cost as much as the build of an image whose steps are all cached.

    Raises `EngineUnavailable` where it is missing.
    """

    def __init__(self, name: str) -> None:
        found = shutil.which(name)
        if found is None:
            raise EngineUnavailable(
                f"build: there is no {name} command on the PATH; install Docker with its buildx plugin, "
                "or put the folder of the command on the PATH"
            )
        self.path = found
        self._is_usual = name == USUAL

    def buildx(self) -> list[str]:
        """Return how buildx is started.

        Source: the reference of the docker command, "CLI plugins"; buildx, "Manual download", runs on its own as well.
        """
        plugin = _plugin() if self._is_usual else None
        return [self.path, "buildx"] if plugin is None else [plugin]

    def answers(self, seconds: float) -> bool:
        """Whether the engine answers at all within that time; an error is an answer, too."""
        try:
            self._run(seconds, "version", "--format", "{{.Server.Version}}")
        except subprocess.TimeoutExpired:
            return False
        return True

    def load(self, archive: str, timeout: float) -> None:
        """Load an image from an archive. Raises `EngineUnavailable`, and `EngineError` for what is not accepted."""
        try:
            done = self._run(timeout, "image", "load", "--quiet", "--input", archive)
        except subprocess.TimeoutExpired:
            raise EngineUnavailable(
                "build: the engine did not load the image in the time that is left; see what holds it up"
            ) from None
        if done.returncode != 0:
            from dockdsl.display import printable
            from dockdsl.engine.failures.diagnosis import unavailable

            said = done.stderr.decode("utf-8", "replace")
            raise unavailable(said) or EngineError(
                f"build: the engine did not load the image ({printable(' '.join(said.split()))}); see its log",
                origin=None,
            )

    def tag(self, image: str, tag: str) -> None:
        """Give an image a further tag."""
        self._run(QUESTION, "image", "tag", image, tag)

    def _run(self, timeout: float, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([self.path, *words], capture_output=True, timeout=timeout, check=False)  # noqa: S603 - a list

    def image(self, names: list[str]) -> Found | None:
        """Return what the engine knows of the image that has the first of these names that it knows.

        Image stores differ in which digest is the id and in what they count, and buildx versions in which digest they
        write down. Raises `EngineUnavailable`.
        """
        for name in names:
            found = self.inspect(name)
            if found is not None:
                return found["Id"], found.get("Size"), size_kind(found)
        return None

    def remove(self, image: str) -> bool:
        """Remove an image; return whether that was done. What a container or another image needs, the engine keeps."""
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            return self._run(QUESTION, "image", "rm", image).returncode == 0
        return False

    def inspect(self, name: str) -> dict[str, Any] | None:
        """Return what the engine knows of an image, or None. Raises `EngineUnavailable`."""
        import json

        from dockdsl.engine.endpoint import endpoint

        path = endpoint().socket if self._is_usual else None
        try:
            # What else may be wrong the docker command says best.
            with contextlib.suppress(NoQuestion):
                if path is not None:
                    return image_at(path, name)
            done = self._run(QUESTION, "image", "inspect", "--format", "{{json .}}", name)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineUnavailable(
                f"build: the engine could not be queried for the image ({error}); is it still running?"
            ) from None
        if done.returncode == 0:
            try:
                return dict(json.loads(done.stdout))
            except ValueError:
                raise EngineError(
                    f"build: {self.path} did not answer as the docker command does; is it Docker's own?", origin=None
                ) from None
        from dockdsl.engine.failures.diagnosis import unavailable

        missing = unavailable(done.stderr.decode("utf-8", "replace"))
        if missing is not None:
            raise missing
        return None


class NoQuestion(Exception):
    """What listens at the socket could not be asked."""


def image_at(path: str, name: str) -> dict[str, Any] | None:
    """Return what the engine at a socket knows of an image, None where it does not have it.

    It answers before a docker command has started. Raises `TimeoutError`, and `NoQuestion` where something else than an
    answer comes.

    Source: the Docker Engine API, "Inspect an image".
    """
    import http.client
    import json
    import socket
    from urllib.parse import quote

    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.settimeout(QUESTION)
        connection.sock.connect(path)
        connection.request("GET", f"/images/{quote(name, safe='/:@')}/json")
        answer = connection.getresponse()
        found = json.loads(answer.read())
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException, ValueError):
        raise NoQuestion from None
    finally:
        connection.close()
    if answer.status == http.client.NOT_FOUND:
        return None
    if answer.status != http.client.OK or not isinstance(found, dict) or "Id" not in found:
        raise NoQuestion
    return found


def _plugin() -> str | None:
    """Return the path of the buildx plugin that the docker command would start; None where only it can tell."""
    if sys.platform == "win32":
        return None
    settings = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    try:
        with open(f"{settings}/config.json", "rb") as file:
            # Releases differ in when they look into these further folders.
            if b"cliPluginsExtraDirs" in file.read():
                return None
    except OSError:
        pass
    for folder in (f"{settings}/cli-plugins", *_FOLDERS):
        path = f"{folder}/{_PLUGIN}"
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None
