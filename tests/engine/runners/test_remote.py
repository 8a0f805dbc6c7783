"""Engines on another machine, over TCP and over SSH; and a program that is itself a container of the engine."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import NamedTuple

import pytest

from dockdsl.engine.endpoint import endpoint
from dockdsl.engine.runners import tunnel
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.engine.runners.tunnel import Tunnel
from dockdsl.engine.running import RunRequest
from dockdsl.errors import EngineUnavailable
from tests.engine.commands import running, source
from tests.engine.helpers import BUSYBOX, docker, inspect, left_by, run
from tests.engine.machine import SSH, TCP
from tests.provision.provision import PLACE

ROOT = Path(__file__).parents[3]
SERVING = """
    Run.script("mkdir /www; echo hello > /www/index.html"),
    Cmd.exec("httpd", "-f", "-p", "8080", "-h", "/www"),
"""


class Machine(NamedTuple):
    """Another machine with an engine, and what logs in there."""

    address: str
    settings: Path


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine that only its own cable leads to."""
    if os.geteuid() != 0 or not (PLACE.root / "usr").exists() or shutil.which("ip") is None:
        pytest.skip("the engine of `provision.py up` is not on this machine, and a second one needs its root folder")
    folder = tmp_path_factory.mktemp("machine")
    name = f"dsl{secrets.token_hex(4)}"
    number = 4 * secrets.randbelow(1 << 14)
    ours, theirs = (f"198.18.{number // 256}.{number % 256 + last}" for last in (1, 2))
    key = folder / "key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    folder.joinpath("config").write_text(
        f"Host *\n IdentityFile {key}\n IdentitiesOnly yes\n UserKnownHostsFile {folder}/known\n"
        " StrictHostKeyChecking accept-new\n"
    )
    # The user's own settings are in the home folder that the system names, and not in HOME.
    wrapper = folder / "bin" / "ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/config "$@"\n')
    wrapper.chmod(0o755)
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b", "netns", name)
        run("ip", "address", "add", f"{ours}/30", "dev", f"{name}a")
        run("ip", "link", "set", f"{name}a", "up")
        for command in (["address", "add", f"{theirs}/30", "dev", f"{name}b"], ["link", "set", f"{name}b", "up"]):
            run("ip", "-n", name, *command)
        run("ip", "-n", name, "link", "set", "lo", "up")
        # `ip netns exec` would mount another /sys, without the control groups.
        argv = ["nsenter", f"--net=/run/netns/{name}", "unshare", "--mount"]
        argv += [sys.executable, "-m", "tests.engine.machine"]
        with subprocess.Popen(
            [*argv, theirs, f"{key}.pub"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as child:
            try:
                assert child.stdout is not None
                assert "ready\n" == child.stdout.readline()
                yield Machine(theirs, wrapper.parent)
            finally:
                assert child.stdin is not None
                child.stdin.close()
                child.wait(60)
    finally:
        run("ip", "netns", "delete", name)


@pytest.fixture
def over_tcp(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Use that machine's engine over TCP."""
    monkeypatch.setenv("DOCKER_HOST", f"tcp://{machine.address}:{TCP}")
    return machine


@pytest.fixture
def over_ssh(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Use that machine's engine over SSH."""
    monkeypatch.setenv("DOCKER_HOST", f"ssh://root@{machine.address}:{SSH}")
    monkeypatch.setenv("PATH", f"{machine.settings}:{os.environ['PATH']}")
    return machine


def passes(folder: Path) -> None:
    """Build and test an image on the engine in use, with the command line."""
    with running("test", source(folder, SERVING)) as child:
        output, error = child.communicate(timeout=120)
    assert 0 == child.returncode, error
    assert output.startswith("ok   GET / 200 (")
    assert [] == left_by(child.pid)


@pytest.mark.engine
def test_an_engine_over_tcp(over_tcp: Machine, tmp_path: Path) -> None:
    """Built there, published on that machine's address alone, asked there, and removed there."""
    passes(tmp_path)
    with DockerSdk() as runner:
        request = RunRequest(image=BUSYBOX, ports=[80], command=["sleep", "300"])
        with runner.start(request) as container:
            bindings = inspect(container.id, "container")["NetworkSettings"]["Ports"]["80/tcp"]
            assert (over_tcp.address, int(bindings[0]["HostPort"])) == container.address(80)
            assert [over_tcp.address] == [binding["HostIp"] for binding in bindings]


@pytest.mark.engine
def test_an_engine_over_ssh(over_ssh: Machine, tmp_path: Path) -> None:
    """Published on that machine's loopback address alone, and reached through SSH; no process of it stays."""
    passes(tmp_path)
    with DockerSdk() as runner:
        request = RunRequest(image=BUSYBOX, ports=[80], command=["httpd", "-f", "-h", "/"])
        with runner.start(request) as container:
            bindings = inspect(container.id, "container")["NetworkSettings"]["Ports"]["80/tcp"]
            address = container.address(80)
            assert address == container.address(80)
            assert "127.0.0.1" == address[0]
            assert ["127.0.0.1"] == [binding["HostIp"] for binding in bindings]
            socket.create_connection(address, timeout=10).close()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(address, timeout=10)
    assert over_ssh.address in os.environ["DOCKER_HOST"]


@pytest.mark.engine
def test_ssh_that_lets_nobody_in(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own last words are shown, and nothing is asked."""
    host = f"ssh://root@{machine.address}:{SSH}"
    why = "(Host key verification failed|Permission denied)"
    with pytest.raises(EngineUnavailable, match=rf"no way to the container through {host} .*{why}"):
        Tunnel(host, 80)
    monkeypatch.setenv("DOCKER_HOST", host)
    with DockerSdk() as runner, pytest.raises(EngineUnavailable, match=rf"the container engine at {host} .*{why}"):
        runner.sweep()


def test_an_ssh_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it for ever."""
    monkeypatch.setattr(tunnel, "_OPENING", 0.5)
    with silent() as port, pytest.raises(EngineUnavailable, match=r"it is not there after 0.5 s"):
        Tunnel(f"ssh://127.0.0.1:{port}", 80)
    monkeypatch.setenv("DOCKER_HOST", f"ssh://127.0.0.1:{port}")
    with (
        DockerSdk(timeout=1) as runner,
        pytest.raises(EngineUnavailable, match=r"does not answer|did not answer in time"),
    ):
        runner.sweep()


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A port that accepts, and stays silent."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_no_ssh_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EngineUnavailable, match=r"the ssh command cannot be run .*; install OpenSSH's client"):
        Tunnel("ssh://example.test", 80)


INSIDE = """
import time, urllib.request
from dockdsl.engine.running import RunRequest
from dockdsl.engine.runners.docker_sdk import DockerSdk
request = RunRequest(image={image!r}, ports=[8080], command=["httpd", "-f", "-p", "8080", "-h", "/"])
with DockerSdk() as runner, runner.start(request) as container:
    print(*container.address(8080), container.state().running)
    for left in range(100, -1, -1):
        try:
            print(urllib.request.urlopen("http://%s:%s/etc/group" % container.address(8080), timeout=30).status)
            break
        except OSError:  # it does not listen yet
            if not left:
                raise
            time.sleep(0.1)
"""


@pytest.mark.engine
@pytest.mark.parametrize(
    ("network", "named"),
    [
        pytest.param("bridge", False, id="bridge"),
        pytest.param("own", False, id="own"),
        pytest.param("own", True, id="own hostname"),
    ],
)
def test_a_program_in_a_container_of_the_engine(network: str, named: bool) -> None:
    """It cannot reach the machine's loopback address; its own network leads to the other container.

    It knows itself by another name than its id where it was given one, which may be the name of another container.
    """
    path = (endpoint().host or "unix:///var/run/docker.sock").removeprefix("unix://")
    if path == str(PLACE.sockets / "docker.sock"):
        path = "/run/engine/docker.sock"  # as the engine itself sees it
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    name = f"dockdsl-{secrets.token_hex(4)}"
    options = [f"--volume={ROOT}:{ROOT}:ro", f"--volume={path}:/var/run/docker.sock"]
    with contextlib.ExitStack() as stack:
        if network == "own":
            network = docker("network", "create", name)
            stack.callback(docker, "network", "rm", name)
        if named:
            options.append(f"--hostname={name}")
            docker("run", "--detach", f"--name={name}", BUSYBOX, "sleep", "300")
            stack.callback(docker, "rm", "--force", name)
        output = docker(
            "run", "--rm", *options, f"--network={network}",
            f"--env=PYTHONPATH={ROOT}:{packages}", "--env=DOCKER_HOST=unix:///var/run/docker.sock",
            "python:3.13-slim", "python3", "-c", INSIDE.format(image=BUSYBOX),
        )  # fmt: skip
        subnets = [ip_network(each["Subnet"]) for each in inspect(network, "network")["IPAM"]["Config"]]
    first, second = output.splitlines()
    assert "200" == second
    assert first.endswith(" 8080 True")
    assert any(ip_address(first.split()[0]) in subnet for subnet in subnets)
