"""``dockdsl gc``: what it removes, what it leaves alone, what it says."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from dockdsl import Cmd, Dockerfile, Image, Stage
from dockdsl.cli import main
from dockdsl.engine.leftovers import owner
from dockdsl.engine.leftovers.orphans import orphans
from dockdsl.engine.runners.docker_sdk import DockerSdk
from tests.engine.commands import source
from tests.engine.helpers import (
    BUSYBOX,
    GONE,
    containers_of,
    docker,
    left_by,
    marked,
    named,
    stuck,
    temporary_tags,
    wait_until,
)

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")


@pytest.mark.engine
def test_what_the_dead_left_is_removed(
    machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run says it and removes nothing; things of the living and of other machines stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    me = owner.this_process()
    dead = attrs.evolve(me, pid=GONE)
    folder = tmp_path / f"{owner.folder_prefix(dead)}x"
    folder.mkdir()
    way = tmp_path / f"{owner.socket_prefix(dead)}x"
    way.mkdir()
    tmp_path.joinpath(f"{owner.socket_prefix(attrs.evolve(dead, space='1'))}x").touch()
    tmp_path.joinpath(f"{owner.SOCKET_FOLDER}mine").touch()
    living = tmp_path / f"{owner.folder_prefix(me)}x"
    living.mkdir()
    tag = owner.temporary_tag(dead)
    docker("tag", BUSYBOX, tag)
    container = docker("create", *named(dead), BUSYBOX)
    kept = [docker("create", *named(each), BUSYBOX) for each in (me, attrs.evolve(dead, host="elsewhere"))]
    # Other runs on this engine count, too.
    rest = re.compile(r"(?s).*left alone: ([2-9]|\d\d+) of active runs, or of runs on another machine\n")
    things = [
        f"folder {folder}",
        f"folder {way}",
        f"container {container[:12]} ({BUSYBOX}) of process {GONE}",
        f"image {tag} (",
    ]
    try:
        assert 0 == main(["gc", "--dry-run"])
        output, error = capsys.readouterr()
        assert [True] * 4 == [
            line.startswith(f"would remove {thing}") for line, thing in zip(output.splitlines(), things, strict=True)
        ]
        assert rest.fullmatch(error)
        assert {container, kept[1]} == set(containers_of(GONE))
        assert folder.exists()

        assert 0 == main(["gc"])
        output, error = capsys.readouterr()
        assert [True] * 4 == [
            line.startswith(f"removed {thing}") for line, thing in zip(output.splitlines(), things, strict=True)
        ]
        assert [kept[1]] == containers_of(GONE)
        assert set() == temporary_tags(GONE)
        assert 3 == len(list(tmp_path.iterdir()))
        assert living.exists()

        assert 0 == main(["gc"])
        output, error = capsys.readouterr()
        assert "" == output
        assert rest.fullmatch(error)
        assert "nothing is left behind\n" in error
        assert [kept[0]] == containers_of(os.getpid())
    finally:
        docker("rm", "--force", *kept)
    assert [] == left_by(GONE)


@pytest.mark.engine
def test_what_is_not_proven_dead_stays(machine: str, tag: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither what inherits labels, nor what has made-up ones, nor what a copy of this machine may have made is touched."""
    dead = attrs.evolve(owner.this_process(), pid=GONE)
    other_boot = attrs.evolve(dead, boot="0" * 32)
    tested = docker("create", *named(dead), BUSYBOX)
    docker("commit", tested, tag)
    docker("rm", tested)
    network = docker("network", "create", *marked(other_boot), f"dockdsl-{secrets.token_hex(6)}")
    volume = docker("volume", "create", *marked(other_boot), f"dockdsl-{secrets.token_hex(6)}")
    digits = f"--label={owner.PREFIX}pid={'9' * 5000}"
    foreign = {
        docker("create", tag): "of an image that was made of a container under test",
        docker("create", *named(dead), "--name=mine-" + secrets.token_hex(6), BUSYBOX): "renamed",
        docker("create", *named(dead), digits, BUSYBOX): "a number of five thousand digits",
        docker("create", *named(dead), f"--label={owner.PREFIX}pid=٣", BUSYBOX): "a digit of another alphabet",
        docker("create", *named(dead), f"--label={owner.PREFIX}pid=-1", BUSYBOX): "a number below 0",
    }
    elsewhere = docker("create", *named(other_boot), BUSYBOX)
    try:
        with DockerSdk() as runner:
            swept = runner.sweep()
        assert not {*foreign, elsewhere, network, volume} & set(swept)
        assert 0 == main(["gc"])
        output, error = capsys.readouterr()
        assert not [each for each in (*foreign, elsewhere, network, volume) if each[:12] in output]
        assert {*foreign, elsewhere} <= set(docker("ps", "--all", "--quiet", "--no-trunc").split())
        for each in foreign:
            assert f"kept container {each[:12]} (" in error
        remedies = re.findall(r"copy of it; if its run has ended: (docker .*)", error)
        assert 3 == sum(each in line for line in remedies for each in (elsewhere[:12], network[:12], volume))
        # The remedy works.
        for line in remedies:
            if elsewhere[:12] in line or network[:12] in line or volume in line:
                subprocess.run(line, shell=True, check=True, capture_output=True, timeout=60)
        assert elsewhere not in docker("ps", "--all", "--quiet", "--no-trunc")
    finally:
        subprocess.run(["docker", "rm", "--force", *foreign, elsewhere], capture_output=True, timeout=60, check=False)


@pytest.mark.engine
def test_what_is_in_use_is_named(machine: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It stays, and the command says so."""
    tag = owner.temporary_tag(attrs.evolve(owner.this_process(), pid=GONE))
    docker("import", "--change", 'CMD ["x"]', "/dev/null", tag)
    user = docker("create", tag)
    try:
        assert 0 == main(["gc"])
        output, error = capsys.readouterr()
    finally:
        docker("rm", user)
        docker("rmi", tag)
    assert "" == output
    assert f"kept image {tag} (" in error
    assert ": it is in use, or somebody else is removing it\n" in error
    assert "nothing is left behind" not in error


@pytest.mark.engine
def test_what_cannot_be_removed_is_named(machine: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The rest goes all the same, and the exit code says so."""
    whose = attrs.evolve(owner.this_process(), pid=GONE)
    made = [docker("create", *named(whose), BUSYBOX) for _ in range(3)]
    with stuck(made[1]):
        assert 2 == main(["gc"])
        output, error = capsys.readouterr()
        assert [made[1]] == containers_of(GONE)
    assert {f"removed container {each[:12]} ({BUSYBOX}) of process {GONE}" for each in (made[0], made[2])} == set(
        output.splitlines()
    )
    refused = f"error: sweep container {made[1][:12]} ({BUSYBOX}) of process {GONE}: the engine refused: cannot remove "
    assert refused in error
    assert [] == left_by(GONE)


@pytest.mark.engine
@pytest.mark.usefixtures("apart")
def test_a_build_that_goes_on_is_ended(tmp_path: Path) -> None:
    """A silent step runs on when its run is killed; a dry run reports it, and then it ends on the engine."""
    file, name = silent(tmp_path, "one")
    other, living_name = silent(tmp_path, "two")
    with dockdsl("build", other) as living:
        wait_until(lambda: bool(processes(living_name)), 60)
        with dockdsl("build", file) as child:
            wait_until(lambda: bool(processes(name)), 60)
            child.kill()
        (building,) = [each for each in orphans() if each.whose.pid == child.pid]
        line = f"build {building.pid} (docker-buildx) of process {child.pid}\n"
        with dockdsl("gc", "--dry-run") as dry:
            assert f"would end {line}" in dry.communicate(timeout=60)[0]
        assert processes(name)

        with dockdsl("gc") as collecting:
            output, error = collecting.communicate(timeout=60)
        # Other runs on this engine count, too.
        rest = [line for line in error.splitlines() if not line.startswith(("kept ", "left alone"))]
        assert (0, []) == (collecting.returncode, rest)
        assert f"ended {line}" in output
        wait_until(lambda: not processes(name))
        assert processes(living_name)
        living.terminate()
        assert 143 == living.wait(60)
    wait_until(lambda: not processes(living_name))
    assert [] == left_by(child.pid, living.pid)


@pytest.mark.engine
@pytest.mark.usefixtures("apart")
def test_the_next_build_ends_it_too(tmp_path: Path, tag: str) -> None:
    """There the folder that was left is the sign of it."""
    file, name = silent(tmp_path, "one")
    with dockdsl("build", file) as child:
        wait_until(lambda: bool(processes(name)), 60)
        child.kill()
    Image(Dockerfile(Stage(BUSYBOX, steps=[Cmd.exec("x")])), context=tmp_path / "one", tags=tag).build()

    wait_until(lambda: not processes(name))
    assert [] == [each for each in orphans() if each.whose.pid == child.pid]
    assert [] == left_by(child.pid)


@pytest.mark.engine
@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("by", ["gc", "build"])
def test_the_half_of_an_archive_goes_too(tmp_path: Path, by: str) -> None:
    """It is beside the place of the archive, where nobody else would look; what was at that place stays."""
    file, name = silent(tmp_path, "one")
    place = tmp_path / "place"
    place.mkdir()
    place.joinpath("api.tar").write_text("precious")
    with dockdsl("build", file, "--output", f"type=tar,dest={place}/api.tar") as child:
        wait_until(lambda: bool(processes(name)), 60)
        child.kill()
    assert 2 == len(list(place.iterdir()))
    tmp_path.joinpath("two").mkdir()
    other = source(tmp_path / "two", "Run('true'),")
    with dockdsl("gc") if by == "gc" else dockdsl("build", other) as following:
        following.communicate(timeout=60)

    assert 0 == following.returncode
    assert [place / "api.tar"] == list(place.iterdir())
    assert "precious" == place.joinpath("api.tar").read_text()
    assert [] == left_by(child.pid)


@pytest.mark.usefixtures("apart")
def test_a_folder_of_somebody_else_names_no_file_to_remove(tmp_path: Path) -> None:
    """Anybody may make a folder of such a name, with a link to what is not theirs."""
    if os.geteuid() != 0:
        pytest.skip("only root may give a folder away")
    file = tmp_path / "precious"
    file.touch()
    for is_own in (False, True):
        folder = tmp_path / f"folder-{is_own}"
        folder.mkdir()
        owner.remember(str(folder), file)
        if not is_own:
            os.chown(folder, 65534, 65534)
        owner.discard_folder(folder)

        assert not folder.exists()
        assert file.exists() != is_own


@ON_LINUX
@pytest.mark.usefixtures("machine")
def test_only_builds_of_the_dead_are_ended(tmp_path: Path) -> None:
    """A build of a living run, a program that was not started as a build is, and one that does not build, do not count."""
    me = owner.this_process()
    dead = attrs.evolve(me, pid=GONE)
    rows = [
        (dead, ["build"], {"process_group": 0}, True),
        (me, ["build"], {"process_group": 0}, False),
        (attrs.evolve(dead, host="elsewhere"), ["build"], {"process_group": 0}, False),
        (attrs.evolve(dead, space="1"), ["build"], {"process_group": 0}, False),
        (dead, ["build"], {}, False),
        (dead, ["grep"], {"process_group": 0}, False),
    ]
    children: list[subprocess.Popen[bytes]] = []
    try:
        for whose, words, options, _ in rows:
            option = f"--iidfile={tmp_path}/{owner.folder_prefix(whose)}x/image"
            command = ["sh", "-c", "trap '' TERM; sleep 60; :", *words, option]
            children.append(subprocess.Popen(command, **options))  # type: ignore[call-overload]  # one option or none
        time.sleep(0.2)
        found = {each.pid for each in orphans()}
        assert [ends for *_, ends in rows] == [child.pid in found for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()


@ON_LINUX
@pytest.mark.usefixtures("machine")
def test_an_orphan_that_minds_no_signal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is ended by force, with what it has started; one that has ended by itself is not ended again."""
    monkeypatch.setattr("dockdsl.engine.leftovers.orphans._GRACE", 0.5)
    option = f"--iidfile={tmp_path}/{owner.folder_prefix(attrs.evolve(owner.this_process(), pid=GONE))}x/image"
    name = f"300{secrets.randbelow(10**6)}"
    command = ["sh", "-c", f"trap '' TERM; sleep {name}; :", "build", option]
    with subprocess.Popen(command, process_group=0) as child:
        wait_until(lambda: bool(processes(f"sleep\0{name}")))
        (orphan,) = [each for each in orphans() if each.pid == child.pid]
        assert orphan.end()
        assert -signal.SIGKILL == child.wait()
    assert [] == processes(f"sleep\0{name}")
    assert not orphan.end()


def silent(place: Path, folder: str) -> tuple[Path, str]:
    """Write a file whose build has a silent step; return it, and how the step's command line begins."""
    place.joinpath(folder).mkdir()
    name = f"300{secrets.randbelow(10**6)}"
    return source(place / folder, f'Run("sleep {name}"),'), f"sleep\0{name}"


@contextlib.contextmanager
def dockdsl(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Run the command line as people do."""
    command = [sys.executable, "-m", "dockdsl", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def processes(begin: str) -> list[str]:
    """Return the processes whose command line begins so."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if entry.read_bytes().startswith(begin.encode()):
                found.append(entry.parent.name)
    return found


@pytest.mark.usefixtures("machine")
def test_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Folders are removed all the same; exit 2 with the engine's address."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    folder = tmp_path / f"{owner.folder_prefix(attrs.evolve(owner.this_process(), pid=GONE))}x"
    folder.mkdir()

    assert 2 == main(["gc"])
    output, error = capsys.readouterr()
    assert f"removed folder {folder}\n" == output
    assert error.startswith("error: run: the container engine at unix:///nonexistent/docker.sock does not answer")
