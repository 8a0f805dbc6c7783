"""``dockdsl gc``: what it removes, what it leaves alone, what it says."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import attrs
import pytest

from dockdsl.cli import main
from dockdsl.engine import owner
from tests.engine.helpers import BUSYBOX, GONE, containers_of, docker, left_by, marked, temporary_tags


@pytest.mark.engine
def test_what_the_dead_left_is_removed(
    machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run says it and removes nothing; things of the living and of other machines stay."""
    del machine
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
    container = docker("create", *marked(dead), BUSYBOX)
    kept = [docker("create", *marked(each), BUSYBOX) for each in (me, attrs.evolve(dead, host="elsewhere"))]
    # Other runs on this engine count, too.
    rest = re.compile(r"(?s).*left alone: ([2-9]|\d\d+) of runs that go on, or that are of another machine\n")
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
        assert error.startswith("nothing is left behind\n")
        assert [kept[0]] == containers_of(os.getpid())
    finally:
        docker("rm", "--force", *kept)
    assert [] == left_by(GONE)


@pytest.mark.engine
def test_what_is_in_use_is_named(machine: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It stays, and the command says so."""
    del machine
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
    assert error.startswith(f"kept image {tag} (")
    assert ": it is in use, or somebody else is removing it\n" in error


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
