"""Fixtures of the engine's tests: names of their own, and proof that nothing is left behind."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdsl.engine.leftovers import owner
from dockdsl.engine.runners.docker_sdk import DockerSdk
from tests.engine.helpers import cannot_run, docker, free_port, is_open, left_by, wait_until
from tests.provision.host import Refusal
from tests.provision.provision import PLACE
from tests.provision.store import store
from tests.provision.tools import make_tools

REGISTRY = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@pytest.fixture
def tag() -> Iterator[str]:
    """A tag that no other test uses; its image and those of tags that begin so are removed afterwards."""
    name = f"dockdsl-pytest:{secrets.token_hex(6)}"
    yield name
    made = docker("images", "--format", "{{.Repository}}:{{.Tag}}", f"{name}*").split()
    if made:
        docker("rmi", "--force", *made)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A folder with one file, and one that is ignored."""
    folder = tmp_path / "context"
    folder.mkdir()
    folder.joinpath("page").write_text("hello\n")
    folder.joinpath("hidden").write_text("secret\n")
    folder.joinpath(".dockerignore").write_text("hidden\n")
    return folder


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Fails the test if anything that this process made is left; what others do on the engine does not matter."""
    yield
    assert [] == left_by(os.getpid())


@pytest.fixture
def runner(nothing_left: None) -> Iterator[DockerSdk]:
    """A runner; after the test nothing of it is left."""
    with DockerSdk() as made:
        yield made


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> str:
    """Be on a machine of one's own: other runs on this engine neither sweep what this test makes, nor are swept."""
    name = f"pytest{secrets.token_hex(3)}"
    monkeypatch.setattr(owner, "_host", lambda: name)
    return name


@pytest.fixture
def apart(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep what killed runs leave from other tests: use temporary folders of its own, and run apart from those like it.

    `dockdsl gc` ends the builds of all killed runs of the machine.
    """
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with tmp_path_factory.getbasetemp().parent.joinpath("apart.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def barred() -> Iterator[str]:
    """The address of a listening socket that nobody but root may use."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        path = Path(folder) / "docker.sock"
        Path(folder).chmod(0o755)
        listening.bind(str(path))
        listening.listen()
        path.chmod(0)
        yield f"unix://{path}"


@pytest.fixture(scope="session")
def way_to_store() -> Iterator[dict[str, str]]:
    """Variables that lead to an engine with containerd's image store; none if the one that is there has it."""
    if "io.containerd" in docker("info", "--format", "{{json .DriverStatus}}"):
        yield {}
        return
    try:
        with store(PLACE) as place:
            yield place.variables()
    except Refusal as refusal:
        cannot_run(str(refusal))


@pytest.fixture
def in_store(way_to_store: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead the docker command to that engine."""
    for name, value in way_to_store.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry that this machine alone reaches."""
    folder, port = tmp_path_factory.mktemp("registry"), free_port()
    try:
        root = make_tools(PLACE)
    except Refusal as refusal:
        cannot_run(str(refusal))
    folder.joinpath("config.yml").write_text(REGISTRY.format(folder=folder, port=port))
    script = 'mount --rbind /tmp "$0/tmp"; exec chroot "$0" /usr/bin/docker-registry serve "$1"'
    argv = ["unshare", "--mount", "sh", "-ec", script, str(root), str(folder / "config.yml")]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
        try:
            wait_until(lambda: is_open(port))
            assert child.poll() is None
            yield f"127.0.0.1:{port}"
        finally:
            child.terminate()
