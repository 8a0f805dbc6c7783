"""Running containers with the docker SDK: what they are like, and that they go away."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import attrs
import pytest

from dockdsl.engine.endpoint import endpoint
from dockdsl.engine.fake import FakeResponse, FakeRunner
from dockdsl.engine.leftovers import owner
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.engine.running import Executed, RunRequest
from dockdsl.errors import EngineUnavailable, RunFailed
from tests.engine.helpers import (
    BUSYBOX,
    GONE,
    SERVER,
    containers_of,
    docker,
    inspect,
    left_by,
    marked,
    named,
    someone_else,
    stuck,
    temporary_tags,
    wait_until,
)

HTTPD = ("sh", "-c", f"{SERVER}\necho up; exec httpd -f -p 8080 -h /www")
SLEEP = ("sleep", "300")


# --- one container


@pytest.mark.engine
def test_a_server_is_reached(runner: DockerSdk) -> None:
    """The published port answers, and is open to this machine alone; the log is there."""
    with runner.start(RunRequest(image=BUSYBOX, ports=[8080], command=HTTPD)) as container:
        host, port = container.address(8080)
        wait_until(lambda: "up" in container.logs())
        time.sleep(0.2)
        answer = build_opener(ProxyHandler({})).open(f"http://{host}:{port}/healthz", timeout=10).read()
        bindings = inspect(container.id, "container")["NetworkSettings"]["Ports"]["8080/tcp"]

        assert b'"ok"' in answer
        assert container.state().running
        assert "running" == str(container.state())
        assert bindings
        if endpoint().machine == "127.0.0.1":
            assert {"127.0.0.1"} == {binding["HostIp"] for binding in bindings}


@pytest.mark.engine
def test_environment_and_command_arrive_untouched(runner: DockerSdk) -> None:
    """No shell reads the variables or the arguments."""
    command = ["sh", "-c", 'printf "%s\\n" "$A" "$1"', "sh", "$A `id`"]
    request = RunRequest(image=BUSYBOX, env={"A": '$b "c" \\ é\nx'}, command=command)
    with runner.start(request) as container:
        wait_until(lambda: not container.state().running)

        assert ('$b "c" \\ é', "x", "$A `id`") == container.logs()
        assert 0 == container.state().exit_code
        assert "exited with code 0" == str(container.state())


@pytest.mark.engine
def test_stop_sends_the_signal_and_then_kills(runner: DockerSdk) -> None:
    """A program that minds its stop signal ends with its own code; any other one is killed in time."""
    minding = ("sh", "-c", "trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done")
    with runner.start(RunRequest(image=BUSYBOX, command=minding)) as container:
        wait_until(lambda: "up" in container.logs())
        assert 7 == container.stop().exit_code
    with runner.start(RunRequest(image=BUSYBOX, command=SLEEP)) as container:
        begin = time.monotonic()
        assert 137 == container.stop(1).exit_code
        assert time.monotonic() - begin < 8


@pytest.mark.engine
@pytest.mark.parametrize(
    ("command", "exit_code", "output"),
    [
        pytest.param(["sh", "-c", 'echo "$(id -u) $A"; exit 3'], 3, b"7 $b c\n", id="stdout"),
        pytest.param(["sh", "-c", "echo $0 >&2", "a  b"], 0, b"a b\n", id="stderr"),
        pytest.param(["nosuch"], 127, b'exec: "nosuch": executable file not found in $PATH', id="not there"),
        pytest.param(["sh", "-c", "exec >&- 2>&-; sleep 0.5; exit 4"], 4, b"", id="closed streams"),
        pytest.param(["sh", "-c", "yes 1234567 | head -c 3000000"], 0, b"1234567\n" * (1 << 17), id="much"),
    ],
)
def test_a_command_in_a_running_container(runner: DockerSdk, command: list[str], exit_code: int, output: bytes) -> None:
    """It has the container's user and variables; its code and the first MiB of its output are told."""
    with runner.start(RunRequest(image=BUSYBOX, command=SLEEP, user="7", env={"A": "$b c"})) as container:
        done = container.execute(command, 60)

    assert exit_code == done.exit_code
    assert output in done.output
    assert len(done.output) <= 1 << 20


@pytest.mark.engine
@pytest.mark.parametrize(
    "script",
    ["echo begun; exec sleep 300", "while echo begun; do sleep 0.01; done", "sleep 2; echo begun; sleep 2"],
    ids=["silent", "not silent", "late"],
)
def test_a_command_that_does_not_end_in_time(runner: DockerSdk, script: str) -> None:
    """It is left alone when its time is over, and one that ends after it has no exit code; what it printed is told."""
    with runner.start(RunRequest(image=BUSYBOX, command=SLEEP)) as container:
        done = container.execute(["sh", "-c", script], 3)

    assert done.exit_code is None
    assert done.output.startswith(b"begun\n")


@pytest.mark.engine
def test_a_command_in_a_container_that_ends(runner: DockerSdk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the engine says is told: before the command is made, and between that and its start."""
    with runner.start(RunRequest(image=BUSYBOX, command=SLEEP)) as container:
        create = container._container.client.api.exec_create

        def create_and_end(*arguments: Any) -> Any:
            made = create(*arguments)
            container.signal("SIGKILL")
            wait_until(lambda: not container.state().running)
            return made

        monkeypatch.setattr(container._container.client.api, "exec_create", create_and_end)
        for words in ("No such exec instance", "container .* is not running"):
            with pytest.raises(RunFailed, match=f"exec in {BUSYBOX}: the engine refused: {words}"):
                container.execute(["true"], 60)


@pytest.mark.engine
def test_labels_name_the_owner(runner: DockerSdk) -> None:
    """Each container says which process of which machine made it."""
    with runner.start(RunRequest(image=BUSYBOX, command=SLEEP)) as container:
        labels = inspect(container.id, "container")["Config"]["Labels"]

        assert owner.this_process() == owner.owner_of(labels)
        assert labels["dockdsl.session"]
        assert [container.id] == containers_of(os.getpid())
        container.remove()
        container.remove()


@pytest.mark.engine
def test_an_image_that_is_not_there(runner: DockerSdk) -> None:
    """It is not pulled; the message names it."""
    with pytest.raises(RunFailed, match="No such image: dockdsl-nosuch:1; build it, or load it"):
        runner.start(RunRequest(image="dockdsl-nosuch:1"))


@pytest.mark.engine
def test_a_command_that_is_not_there(runner: DockerSdk) -> None:
    """The engine's reason is passed on, and the container that never ran is gone."""
    with pytest.raises(RunFailed, match=r"run busybox:1.37: the engine refused: .*/nosuch.*no such file"):
        runner.start(RunRequest(image=BUSYBOX, command=["/nosuch"]))


@pytest.mark.engine
def test_a_container_that_ends_at_once(runner: DockerSdk) -> None:
    """Asking for its address says that it ended, with its code and its last lines."""
    command = ("sh", "-c", "echo cannot start >&2; exit 3")
    with runner.start(RunRequest(image=BUSYBOX, ports=[8080], command=command)) as container:
        wait_until(lambda: not container.state().running)
        with pytest.raises(RunFailed) as caught:
            container.address(8080)

        assert 3 == caught.value.exit_code
        assert ("cannot start",) == caught.value.log
        assert "exited with code 3" in caught.value.message
        assert "\n  cannot start" in caught.value.message


@pytest.mark.engine
@pytest.mark.skipif(sys.platform != "linux", reason="the engine's machine has ports of its own elsewhere")
def test_the_ports_that_the_engine_would_pick_are_taken(runner: DockerSdk) -> None:
    """Other programs may have them: the engine itself picks the next number that it has not given away, and fails."""
    request = RunRequest(image=BUSYBOX, ports=[8080, 8081], command=SLEEP)
    with runner.start(request) as container, contextlib.ExitStack() as taken:
        host, last = max(container.address(8080), container.address(8081))
        for port in range(last + 1, last + 200):
            with contextlib.suppress(OSError):
                taken.enter_context(socket.create_server((host, port)))
        with runner.start(request) as other:
            found = {other.address(8080)[1], other.address(8081)[1]}
    assert 2 == len(found)
    assert not found & set(range(last + 1, last + 200))


@pytest.mark.engine
def test_a_port_that_is_not_published(runner: DockerSdk) -> None:
    """It has no address."""
    with (
        runner.start(RunRequest(image=BUSYBOX, ports=[8080], command=SLEEP)) as container,
        pytest.raises(RunFailed, match="port 9090 is not published"),
    ):
        container.address(9090)


@pytest.mark.engine
def test_a_container_is_removed_by_an_error(runner: DockerSdk) -> None:
    """An exception in the block removes it."""
    with pytest.raises(ZeroDivisionError), runner.start(RunRequest(image=BUSYBOX, command=SLEEP)):
        _ = 1 / 0
    assert [] == containers_of(os.getpid())


@contextmanager
def on_another_machine(tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The engine's socket, reachable as if on the machine 127.0.0.2; behind TLS where that is given."""
    place = endpoint()
    path = (place.host or "unix:///var/run/docker.sock").removeprefix("unix://")
    with socket.create_server(("127.0.0.2", 0)) as listening:

        def pump(source: socket.socket, target: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    target.sendall(data)
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_WR)

        def connect(client: socket.socket) -> None:
            with contextlib.ExitStack() as stack:
                stack.enter_context(client)
                try:
                    client = client if tls is None else stack.enter_context(tls.wrap_socket(client, server_side=True))
                except OSError:
                    return
                engine = stack.enter_context(socket.socket(socket.AF_UNIX))
                engine.connect(path)
                back = threading.Thread(target=pump, args=(engine, client), daemon=True)
                back.start()
                pump(client, engine)
                back.join()

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=connect, args=(listening.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"tcp://127.0.0.2:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.engine
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 as its own addresses")
def test_an_engine_on_another_machine(nothing_left: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports are published on that machine's address and reached there, and never on all addresses."""
    if not (endpoint().host or "unix:").startswith("unix:"):
        pytest.skip("the engine is on another machine already")
    with on_another_machine() as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        with DockerSdk() as runner, runner.start(RunRequest(image=BUSYBOX, ports=[8080], command=HTTPD)) as container:
            address = container.address(8080)
            bindings = inspect(container.id, "container")["NetworkSettings"]["Ports"]["8080/tcp"]
            wait_until(lambda: "up" in container.logs())
            time.sleep(0.2)
            answer = build_opener(ProxyHandler({})).open(f"http://{address[0]}:{address[1]}/healthz", timeout=10).read()
            done = container.execute(["sh", "-c", "echo said; exit 3"], 60)

    assert Executed(3, b"said\n") == done
    assert "127.0.0.2" == address[0]
    assert ["127.0.0.2"] == [binding["HostIp"] for binding in bindings]
    assert b'"ok"' in answer


# --- no engine


@pytest.mark.parametrize(
    ("host", "words"),
    [
        pytest.param("unix:///nonexistent/docker.sock", "No such file or directory", id="no socket"),
        pytest.param("tcp://127.0.0.1:1", "Connection refused", id="closed port"),
        pytest.param("nonsense", "the container engine at nonsense does not answer", id="no address"),
    ],
)
def test_no_engine(monkeypatch: pytest.MonkeyPatch, host: str, words: str) -> None:
    """An engine that does not answer is named, with what names it."""
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(EngineUnavailable) as caught:
        DockerSdk().sweep()

    assert words in caught.value.message
    assert host in caught.value.message
    assert caught.value.message.endswith("start it, or check DOCKER_HOST")


def test_no_permission(barred: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that may not be used is distinguished from an engine that is not there."""
    pytest.importorskip("docker")
    monkeypatch.setenv("DOCKER_HOST", barred)
    with someone_else(), pytest.raises(EngineUnavailable, match="the permission to use the container engine at unix"):
        DockerSdk().sweep()


def test_an_engine_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it for ever."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "docker.sock"))
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
        begin = time.monotonic()
        with pytest.raises(EngineUnavailable, match=r"the container engine at unix:.* did not answer in time"):
            DockerSdk(timeout=1).sweep()
    assert time.monotonic() - begin < 10


def test_something_else_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A web server is reported as something other than an engine."""
    runner = FakeRunner(lambda _: FakeResponse(headers={"Content-Type": "application/json"}, body=b'{"a": 1}'))
    with runner.start(RunRequest(image="x", ports=[80])) as container:
        host, port = container.address(80)
        monkeypatch.setenv("DOCKER_HOST", f"tcp://{host}:{port}")
        with pytest.raises(
            EngineUnavailable, match=r"what answers at tcp://.* is not a container engine; check DOCKER_HOST"
        ):
            DockerSdk().sweep()


def test_no_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the docker SDK the message says what to install."""
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(EngineUnavailable, match=r'not installed; run: pip install "dockdsl\[runner\]"$'):
        DockerSdk().sweep()


# --- where the engine is


def use_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use `folder` as docker's settings, and none from the environment."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))


@pytest.mark.engine
def test_contexts_are_honoured_as_the_docker_command_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever way an engine is chosen, the runner and the docker command reach the same one, or none."""
    host = endpoint().host or "unix:///var/run/docker.sock"
    use_settings(tmp_path, monkeypatch)
    docker("context", "create", "mine", "--docker", f"host={host}")
    docker("context", "create", "dead", "--docker", "host=unix:///nonexistent/docker.sock")

    docker("context", "use", "mine")
    assert reached() == command_reached() == "yes"
    monkeypatch.setenv("DOCKER_CONTEXT", "dead")
    assert reached() == command_reached() == "no"
    monkeypatch.setenv("DOCKER_HOST", host)
    assert reached() == command_reached() == "yes"
    monkeypatch.setenv("DOCKER_HOST", "")
    assert reached() == command_reached() == "no"
    monkeypatch.setenv("DOCKER_CONTEXT", "nosuch")
    assert reached() == command_reached() == "no"


def reached() -> str:
    """Return whether the runner reaches an engine."""
    try:
        with DockerSdk() as runner:
            runner.sweep()
    except EngineUnavailable:
        return "no"
    return "yes"


def command_reached() -> str:
    """Return whether the docker command reaches an engine."""
    done = subprocess.run(["docker", "version"], capture_output=True, timeout=60, check=False)
    return "no" if done.returncode else "yes"


@pytest.mark.engine
def test_tls_is_used_as_the_docker_command_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine behind TLS is reached with the right certificates, and not with others."""
    if not (endpoint().host or "unix:").startswith("unix:"):
        pytest.skip("the engine is on another machine already")
    good, other = tmp_path / "good", tmp_path / "other"
    for folder in (good, other):
        make_certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(good / "cert.pem", good / "key.pem")
    context.load_verify_locations(good / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with on_another_machine(context) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("DOCKER_CERT_PATH", str(good))
        # What other programs trust does not matter to the engine.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other / "ca.pem"))
        assert reached() == command_reached() == "yes"
        monkeypatch.setenv("DOCKER_CERT_PATH", str(other))
        assert reached() == command_reached() == "no"
        monkeypatch.delenv("DOCKER_TLS_VERIFY")
        assert reached() == command_reached() == "no"


def make_certificates(folder: Path) -> None:
    """Make one certificate that is its own authority, for server and client."""
    folder.mkdir()
    extensions = [
        "basicConstraints=critical,CA:TRUE",
        "keyUsage=critical,digitalSignature,keyCertSign",
        "subjectAltName=IP:127.0.0.2",
    ]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=engine"]
        + [part for extension in extensions for part in ("-addext", extension)]
        + ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True,
        capture_output=True,
        timeout=60,
    )
    shutil.copy(folder / "cert.pem", folder / "ca.pem")


def test_the_environment_decides_the_endpoint(tmp_path: Path) -> None:
    """DOCKER_HOST comes before the context; TLS is used where it is asked for."""
    config = {"DOCKER_CONFIG": str(tmp_path)}
    tls = {**config, "DOCKER_HOST": "tcp://build.test:2376", "DOCKER_TLS_VERIFY": "1"}

    assert endpoint(config).host is None
    assert endpoint({**config, "DOCKER_CONTEXT": "default"}).host is None
    assert "build.test" == endpoint(tls).machine
    assert (tmp_path, True) == (endpoint(tls).certificates, endpoint(tls).verify)
    assert Path("/certs") == endpoint({**tls, "DOCKER_CERT_PATH": "/certs"}).certificates
    assert endpoint({**config, "DOCKER_HOST": "tcp://h:1", "DOCKER_CERT_PATH": "/certs"}).certificates is None
    with pytest.raises(EngineUnavailable, match="DOCKER_CONTEXT, 'nosuch' is not a docker context"):
        endpoint({**config, "DOCKER_CONTEXT": "nosuch"})


def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    """A broken file of docker's is named."""
    tmp_path.joinpath("config.json").write_text("{")
    with pytest.raises(EngineUnavailable, match=r"config.json cannot be read .*; fix it, or set DOCKER_HOST"):
        endpoint({"DOCKER_CONFIG": str(tmp_path)})


# --- what others left behind

STARTED = """
import os, signal, sys
from dockdsl.engine.running import RunRequest
from dockdsl.engine.leftovers import owner
from dockdsl.engine.runners.docker_sdk import DockerSdk
owner._host = lambda: {machine!r}
runner = DockerSdk()
container = runner.start(RunRequest(image={image!r}, command=["sleep", "300"]))
print(container.id, runner.temporary_tag(), flush=True)
{then}
"""


def child(machine: str, then: str) -> subprocess.Popen[str]:
    """Start a Python process that starts a container and prints its id and a temporary tag, and then does something."""
    code = STARTED.format(image=BUSYBOX, machine=machine, then=then)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


@pytest.mark.engine
def test_the_container_of_a_killed_process_is_swept(runner: DockerSdk, machine: str) -> None:
    """What a process left that was killed outright is removed by the next one: its container and its tag."""
    with child(machine, "os.kill(os.getpid(), signal.SIGKILL)") as killed:
        assert killed.stdout is not None
        container, tag = killed.stdout.read().split()
    docker("tag", BUSYBOX, tag)
    assert -signal.SIGKILL == killed.returncode
    assert [container] == containers_of(killed.pid)

    assert {container, tag} <= set(runner.sweep())
    assert [] == containers_of(killed.pid)
    assert set() == temporary_tags(killed.pid)
    assert inspect(BUSYBOX)["Id"], "the image has another tag, and stays"


@pytest.mark.engine
def test_the_container_of_a_living_process_stays(runner: DockerSdk, machine: str) -> None:
    """A test that runs at the same time is left alone."""
    with child(machine, "signal.pause()") as living:
        assert living.stdout is not None
        container, tag = living.stdout.readline().split()
        docker("tag", BUSYBOX, tag)
        try:
            assert not {container, tag} & set(runner.sweep())
            assert inspect(container, "container")["State"]["Running"]
            assert {tag} == temporary_tags(living.pid)
        finally:
            docker("rmi", tag)
            docker("rm", "--force", container)
            living.kill()


OWNERS = [
    pytest.param({}, False, id="itself"),
    pytest.param({"pid": GONE}, True, id="a process that has ended"),
    pytest.param({"started": "1"}, True, id="a process whose number another one has now"),
    pytest.param({"boot": "0" * 32}, False, id="another boot, perhaps of a copy of this machine"),
    pytest.param({"boot": "", "pid": GONE}, False, id="a boot that nobody knows"),
    pytest.param({"host": "elsewhere", "pid": GONE}, False, id="another machine"),
    pytest.param({"host": "elsewhere", "boot": "0" * 32}, False, id="another boot of another machine"),
    pytest.param({"space": "1", "pid": GONE}, False, id="a process that cannot be seen from here"),
]
"""In what an owner differs from this process, and whether it is dead for certain."""


def other(changes: dict[str, Any]) -> owner.Owner:
    """Return an owner that differs from this process."""
    return attrs.evolve(owner.this_process(), **changes)


@pytest.mark.parametrize(("changes", "dead"), OWNERS)
def test_who_is_dead(changes: dict[str, Any], dead: bool) -> None:
    """Only what is certain counts, and labels and tags keep it."""
    whose = other(changes)
    assert dead == whose.is_dead()
    assert whose == owner.owner_of(whose.labels("session"))
    assert whose == owner.tag_owner(owner.temporary_tag(whose))


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"dockdsl.session": "x"},
        *[
            {**owner.this_process().labels("x"), "dockdsl.pid": pid}
            for pid in ("many", "", "-1", "0", "٣", "²", "1_0", "9" * 10, "9" * 5000, str(2**31))
        ],
    ],
    ids=lambda labels: labels.get("dockdsl.pid", "none")[:20],
)
def test_labels_that_name_no_owner(labels: dict[str, str]) -> None:
    """They are nobody's, and nobody is never dead."""
    assert owner.owner_of(labels) is None


@pytest.mark.parametrize("tag", ["dockdsl-test:mine", "other:a_b_c_1_d_e", "dockdsl-test:a_b_c_x_d_e", "dockdsl-test"])
def test_tags_that_name_no_owner(tag: str) -> None:
    """A tag that somebody else made up is left alone."""
    assert owner.tag_owner(tag) is None


@pytest.mark.engine
@pytest.mark.parametrize(("changes", "dead"), OWNERS)
def test_sweeping_takes_the_dead_ones_alone(
    runner: DockerSdk, machine: str, changes: dict[str, Any], dead: bool
) -> None:
    """On the engine, too, containers, networks and volumes go by their labels."""
    labels = marked(other(changes))
    volume, name = f"dockdsl-{secrets.token_hex(6)}", f"dockdsl-{secrets.token_hex(6)}"
    network = docker("network", "create", *labels, name)
    docker("volume", "create", *labels, volume)
    container = docker(
        "run", "--detach", *named(other(changes)), "--network", name, "--volume", f"{volume}:/data", BUSYBOX, *SLEEP
    )
    made = {"container": container, "network": network, "volume": volume}
    try:
        assert (set(made.values()) if dead else set()) == set(runner.sweep())
        for kind, each in made.items():
            assert dead == (each not in docker(kind, "ls", "--quiet", *(["--no-trunc"] * (kind != "volume"))).split())
    finally:
        for kind, each in made.items():
            subprocess.run(["docker", kind, "rm", "--force", each], capture_output=True, timeout=60, check=False)


@pytest.mark.engine
def test_what_is_in_use_stays(runner: DockerSdk, machine: str) -> None:
    """A dead process's image, network or volume that somebody's container uses is left to a later sweep."""
    whose = other({"pid": GONE})
    tag, volume = owner.temporary_tag(whose), f"dockdsl-{secrets.token_hex(6)}"
    # The tag is the only name of its image.
    docker("import", "--change", 'CMD ["sleep", "300"]', "/dev/null", tag)
    docker("volume", "create", *marked(whose), volume)
    network = docker("network", "create", *marked(whose), volume)
    users = [
        docker("create", "--volume", f"{volume}:/data", tag),
        docker("run", "--detach", "--network", volume, BUSYBOX, *SLEEP),
    ]
    try:
        assert () == runner.sweep()
        runner.untag(tag)
        assert tag in temporary_tags(GONE)
    finally:
        docker("rm", "--force", *users)
    assert {network, volume, tag} == set(runner.sweep())
    assert [] == left_by(GONE)


@pytest.mark.engine
def test_what_cannot_be_removed_hinders_nobody(runner: DockerSdk, machine: str) -> None:
    """The sweep continues with the others, and a later one removes it."""
    made = [docker("create", *named(other({"pid": GONE})), BUSYBOX) for _ in range(3)]
    with stuck(made[1]):
        assert {made[0], made[2]} == set(runner.sweep())
        assert () == runner.sweep()
        assert [made[1]] == containers_of(GONE)


@pytest.mark.engine
def test_two_may_sweep_at_once(runner: DockerSdk, machine: str) -> None:
    """What both find is removed once, and neither fails."""
    containers = {docker("create", *named(other({"pid": GONE})), BUSYBOX) for _ in range(4)}
    with ThreadPoolExecutor() as threads, DockerSdk() as one, DockerSdk() as two:
        swept = [set(each.result()) for each in [threads.submit(one.sweep), threads.submit(two.sweep)]]

    assert containers == swept[0] | swept[1]
    assert not containers & set(docker("ps", "--all", "--quiet", "--no-trunc").split())


@pytest.mark.engine
def test_sweeping_leaves_other_containers_alone(runner: DockerSdk) -> None:
    """A container without such labels is not looked at."""
    container = docker("run", "--detach", BUSYBOX, *SLEEP)
    try:
        assert container not in runner.sweep()
        assert inspect(container, "container")["State"]["Running"]
    finally:
        docker("rm", "--force", container)


# --- interrupted

INTERRUPTED = """
import os, signal, time
from dockdsl.engine.running import RunRequest
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.engine.runners import docker_sdk

class Interrupting(docker_sdk.DockerContainer):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        os.kill(os.getpid(), signal.SIGINT)  # the container is made, and nobody knows of it yet
        time.sleep(0.1)

docker_sdk.DockerContainer = Interrupting
DockerSdk().start(RunRequest(image={image!r}, command=["sleep", "300"]))
"""


@pytest.mark.engine
def test_ctrl_c_while_a_container_is_made(runner: DockerSdk) -> None:
    """A container that is made in the very moment of a Ctrl-C is removed all the same."""
    code = INTERRUPTED.format(image=BUSYBOX)
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as interrupted:
        _, error = interrupted.communicate(timeout=60)

    assert "KeyboardInterrupt" in error
    assert [] == containers_of(interrupted.pid)
