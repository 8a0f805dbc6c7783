"""The docker command: which program builds, and what the engine is asked without it."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdsl.engine.builders import docker_command
from dockdsl.engine.builders.buildx import Buildx
from dockdsl.engine.builders.docker_command import DockerCommand, NoQuestion, image_at
from dockdsl.engine.building import BuildRequest
from dockdsl.engine.endpoint import endpoint
from dockdsl.errors import EngineError, EngineUnavailable
from tests.engine.helpers import BUSYBOX, docker, inspect

PLUGIN = """\
#!/bin/sh
[ "$1" = docker-cli-plugin-metadata ] && echo '{"SchemaVersion": "0.1.0", "Vendor": "tests"}' && exit
echo "ERROR: started as $0" >&2
exit 1
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of docker's settings, with a plugin of buildx that says that it is the one."""
    plugin = tmp_path / "settings" / "cli-plugins" / "docker-buildx"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(PLUGIN)
    plugin.chmod(0o755)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "settings"))
    return tmp_path / "settings"


# --- the plugin


@pytest.mark.engine
def test_the_plugin_is_the_one_of_the_docker_command() -> None:
    """What builds is what `docker buildx` would start."""
    plugins = json.loads(docker("info", "--format", "{{json .ClientInfo.Plugins}}"))

    assert [each["Path"] for each in plugins if each["Name"] == "buildx"] == DockerCommand("docker").buildx()


@pytest.mark.engine
def test_the_plugin_of_the_users_settings_comes_first(settings: Path, tmp_path: Path) -> None:
    """It is started by itself, and is the one that the docker command starts."""
    plugin = str(settings / "cli-plugins" / "docker-buildx")
    assert [plugin] == DockerCommand("docker").buildx()
    # The same command by its path is started as it is, and looks for the plugin itself.
    for command in ("docker", shutil.which("docker")):
        with pytest.raises(EngineError, match=f"started as {plugin}"):
            Buildx(str(command)).build(BuildRequest(dockerfile="FROM scratch\n", context=tmp_path))


@pytest.mark.engine
def test_further_folders_for_plugins(settings: Path) -> None:
    """Where the settings name some, the docker command looks for the plugin itself."""
    settings.joinpath("config.json").write_text(json.dumps({"cliPluginsExtraDirs": ["/opt/plugins"]}))

    assert [shutil.which("docker"), "buildx"] == DockerCommand("docker").buildx()


@pytest.mark.engine
@pytest.mark.parametrize("change", ["gone", "a folder", "no program"])
def test_a_plugin_that_cannot_be_started(settings: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is passed over."""
    monkeypatch.setattr("dockdsl.engine.builders.docker_command._FOLDERS", ())
    plugin = settings / "cli-plugins" / "docker-buildx"
    plugin.unlink()
    if change == "a folder":
        plugin.mkdir()
    elif change == "no program":
        plugin.write_text("")

    assert [shutil.which("docker"), "buildx"] == DockerCommand("docker").buildx()


@pytest.mark.engine
def test_a_docker_command_of_another_name(settings: Path, tmp_path: Path) -> None:
    """What the user names is what is started."""
    other = tmp_path / "podman-docker"
    other.symlink_to(shutil.which("docker") or "")

    assert [str(other), "buildx"] == DockerCommand(str(other)).buildx()


# --- the socket


@pytest.mark.engine
def test_the_socket_tells_what_the_docker_command_tells(tag: str) -> None:
    """An image by its tag and by its id; nothing of one that is not there."""
    path = endpoint().socket
    assert path is not None
    docker("tag", BUSYBOX, tag)
    found = inspect(tag)

    for name in (tag, found["Id"], f"docker.io/library/{tag}"):
        answer = image_at(path, name)
        assert answer is not None
        assert (found["Id"], found["Size"]) == (answer["Id"], answer["Size"])
    assert image_at(path, f"{tag}-not") is None
    assert image_at(path, "sha256:" + "0" * 64) is None


@contextlib.contextmanager
def answering(path: Path, answer: bytes | None) -> Iterator[str]:
    """Listen at a socket and answer everything with this, or with nothing."""
    kept: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                kept.append(listening.accept()[0])
                if answer is not None:
                    kept[-1].recv(1 << 16)
                    kept[-1].sendall(answer)
                    kept[-1].shutdown(socket.SHUT_RDWR)

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield str(path)
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for each in kept:
                each.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b'HTTP/1.1 200 OK\r\n\r\n["Id"]',
        b'HTTP/1.1 500 Oops\r\n\r\n{"message": "no"}',
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    ],
)
def test_what_is_no_engine(tmp_path: Path, answer: bytes) -> None:
    """Something else at the socket is no answer, and no failure of another kind."""
    with answering(tmp_path / "s", answer) as path, pytest.raises(NoQuestion):
        image_at(path, "api:dev")


def test_nothing_at_the_socket(tmp_path: Path) -> None:
    """A socket that is not there cannot be asked."""
    with pytest.raises(NoQuestion):
        image_at(str(tmp_path / "s"), "api:dev")


@pytest.mark.engine
def test_an_engine_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question has an end."""
    monkeypatch.setattr(docker_command, "QUESTION", 0.3)
    with answering(tmp_path / "s", None) as path:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        with pytest.raises(EngineUnavailable, match="could not be queried for the image"):
            DockerCommand("docker").image(["api:dev"])


@pytest.mark.engine
def test_the_docker_command_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody listens, its words decide."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/s")
    with pytest.raises(EngineUnavailable, match="the container engine does not answer"):
        DockerCommand("docker").image(["api:dev"])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("unix:///run/user/1000/docker.sock", "/run/user/1000/docker.sock"),
        ("tcp://127.0.0.1:2375", None),
        ("ssh://me@build.test", None),
        ("", "/var/run/docker.sock"),
    ],
)
def test_where_a_socket_is(host: str, expected: str | None, tmp_path: Path) -> None:
    """Only an engine behind a socket of this machine has one."""
    assert expected == endpoint({"DOCKER_HOST": host, "DOCKER_CONFIG": str(tmp_path)}).socket
