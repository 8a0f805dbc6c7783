"""What a build takes a tag from: it is removed if dockdsl made it, and nobody uses it."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdsl.engine.builders.buildx import Buildx
from dockdsl.engine.builders.docker_command import DockerCommand
from dockdsl.engine.building import BuildRequest
from dockdsl.engine.leftovers import owner, replaced
from tests.engine.helpers import BUSYBOX, docker


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache is a folder of the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def build(folder: Path, *tags: str, base: str = BUSYBOX) -> str:
    """Build an image that no other build makes, and return its id."""
    text = f"FROM {base}\nENV A={secrets.token_hex(6)}\n"
    return Buildx().build(BuildRequest(dockerfile=text, context=folder, tags=tags)).image


def is_there(image: str) -> bool:
    """Return whether the engine has the image without a name. Containerd's image store never keeps one that lost it."""
    if "io.containerd" in docker("info", "--format", "{{json .DriverStatus}}"):
        return True
    return image in docker("images", "--all", "--quiet", "--no-trunc", "--filter", "dangling=true").split()


def is_gone(image: str) -> bool:
    """Return whether the engine does not have the image."""
    return image not in docker("images", "--all", "--quiet", "--no-trunc").split()


@pytest.fixture
def removed() -> Iterator[list[str]]:
    """Images to be removed at the end, if they are still there."""
    images: list[str] = []
    yield images
    subprocess.run(["docker", "rmi", "--force", *images], capture_output=True, timeout=60, check=False)


@pytest.mark.engine
def test_an_image_that_loses_its_tag_goes(tmp_path: Path, tag: str) -> None:
    """Several builds under one tag leave one image; building the same again changes nothing."""
    images = [build(tmp_path, tag) for _ in range(3)]
    same = BuildRequest(dockerfile=f"FROM {BUSYBOX}\n", context=tmp_path, tags=[tag], provenance=False)
    again = {Buildx().build(same).image for _ in range(2)}

    assert 3 == len(set(images))
    assert all(map(is_gone, images))
    assert {docker("image", "inspect", "--format", "{{.Id}}", tag)} == again


@pytest.mark.engine
def test_what_is_still_used_stays(tmp_path: Path, tag: str, removed: list[str]) -> None:
    """An image with another tag, one of a container, and one that another is built on."""
    tagged = build(tmp_path, tag, f"{tag}-other")
    used = build(tmp_path, tag)
    container = docker("create", used, "true")
    base = build(tmp_path, tag)
    derived = build(tmp_path, f"{tag}-derived", base=tag)
    last = build(tmp_path, tag)
    removed += [used, base]

    assert docker("image", "inspect", "--format", "{{.Id}}", f"{tag}-other") == tagged
    assert is_there(used)
    assert docker("image", "inspect", "--format", "{{.Id}}", f"{tag}-derived") == derived
    docker("rm", container)
    build(tmp_path, tag)
    assert is_gone(used)
    assert is_gone(last)


@pytest.mark.engine
def test_what_others_made_stays(tmp_path: Path, tag: str, removed: list[str]) -> None:
    """Docker's own build under the tag, also on an image of ours, and what no note is left of."""
    build(tmp_path, tag)
    tmp_path.joinpath("Dockerfile").write_text(f"FROM {tag}\nENV B={secrets.token_hex(6)}\n")
    docker("build", "--quiet", "--tag", tag, str(tmp_path))
    foreign = docker("image", "inspect", "--format", "{{.Id}}", tag)
    ours = build(tmp_path, tag)
    replaced._file().unlink()
    build(tmp_path, tag)
    removed += [foreign, ours]

    assert is_there(foreign)
    assert is_there(ours)


@pytest.mark.engine
def test_an_image_of_a_run_that_continues_stays(tmp_path: Path, tag: str, removed: list[str]) -> None:
    """It may be about to start a container of it. Once that run has ended, the next build removes it."""
    program = (
        "import sys; from pathlib import Path; from tests.engine.leftovers.test_replaced import build\n"
        "print(build(Path(sys.argv[1]), sys.argv[2]), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), tag],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        theirs = other.stdout.readline().strip()
        removed.append(theirs)
        build(tmp_path, tag)
        assert is_there(theirs)
        other.stdin.close()
        other.wait(30)
    build(tmp_path, tag)

    assert is_gone(theirs)


@pytest.mark.engine
def test_without_a_place_for_notes(tmp_path: Path, tag: str, cache: Path, removed: list[str]) -> None:
    """The build is as good; a damaged file counts as none."""
    cache.write_text("a file where the folder should be")
    first = build(tmp_path, tag)
    second = build(tmp_path, tag)
    removed += [first, second]
    cache.unlink()
    cache.joinpath("dockdsl").mkdir(parents=True)
    cache.joinpath("dockdsl", "built").write_bytes(b"\xff one two\n\n")
    build(tmp_path, tag)

    assert is_there(first)
    assert is_there(second)


def test_notes_are_bounded(cache: Path) -> None:
    """The oldest go first, and each is one line; a temporary tag is not noted."""
    command = DockerCommand(sys.executable)
    mine = owner.temporary_tag(owner.this_process())
    replaced.tidy(command, (mine,), "sha256:0")
    assert not cache.exists()
    replaced._write([replaced.Note(f"t{number}", "sha256:1", mine) for number in range(replaced._MOST)])
    replaced.tidy(command, ("new",), "sha256:2")
    lines = cache.joinpath("dockdsl", "built").read_text().splitlines()

    assert replaced._MOST == len(lines)
    assert ["t1 sha256:1", "new sha256:2"] == [lines[index].rpartition(" ")[0] for index in (0, -1)]
    assert ["built"] == [each.name for each in cache.joinpath("dockdsl").iterdir()]
