"""Sets of the builder pattern: each becomes one Python file, whose image is the one that the script builds."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from dockdsl import Dockerfile, HttpCheck, Image
from dockdsl.selection import load
from tests.engine.helpers import docker
from tests.migrate.sets import GO, SETS

GOLANG = "golang:1.27-alpine"


def written(name: str, folder: Path, golang: str = GOLANG) -> Path:
    """Write a set into a folder."""
    for file, text in SETS[name].items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(GOLANG, golang))
        path.chmod(0o755 if path.suffix == ".sh" else 0o644)
    return folder


def migrate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``dockdsl migrate`` in a folder."""
    command = [sys.executable, "-m", "dockdsl", "migrate", *(arguments or (".",))]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def made_in(folder: Path) -> Path:
    """Return the file that a migration has written."""
    (path,) = folder.joinpath("builds").glob("*.py")
    return path


@pytest.mark.parametrize("name", SETS)
def test_each_set_is_proven(name: str, tmp_path: Path) -> None:
    """BuildKit's parser reads each original Dockerfile in the result, but for what went over the host."""
    done = migrate(written(name, tmp_path))

    assert done.returncode == 0, done.stderr
    proven = {line.partition(": ")[0] for line in done.stderr.splitlines() if ": proven: " in line}
    assert {file for file in SETS[name] if "ockerfile" in file} <= proven
    assert len(proven) > 0
    ran = name in ("add", "mounted", "output", "flags", "executed", "started", "streams", "continued")
    ran = ran or name in ("volumes", "artifacts")
    assert ran == ("nothing proves that the stage " in done.stderr)
    assert "not proven" not in done.stderr
    path = made_in(tmp_path)
    load(str(path), Dockerfile)
    assert migrate(tmp_path, ".", "-o", str(path), "--check").returncode == 0


@pytest.fixture(scope="session")
def golang() -> Iterator[str]:
    """A Go image that has compiled the packages of the program before, so that each set takes a second or two."""
    name = "dockdsl-pytest:warm"
    dockerfile = f"FROM {GOLANG}\nWORKDIR /warm\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /dev/null . && rm -r /warm\n"
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for file, text in {**GO, "Dockerfile": dockerfile}.items():
            entry = tarfile.TarInfo(file)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    command = ["docker", "build", "--quiet", "--tag", name, "-"]
    subprocess.run(command, input=stream.getvalue(), timeout=600, check=True, capture_output=True)
    yield name
    docker("rmi", "--force", name)


def files_of(image: str) -> dict[str, tuple[str, int, int]]:
    """Return the content, mode and owner of all files in an image."""
    container = docker("create", image, "none").strip()
    try:
        exported = subprocess.run(["docker", "export", container], capture_output=True, timeout=60, check=True).stdout
    finally:
        docker("rm", container)
    found = {}
    with tarfile.open(fileobj=io.BytesIO(exported)) as archive:
        for entry in archive:
            file = archive.extractfile(entry) if entry.isfile() else None
            digest = hashlib.sha256(b"" if file is None else file.read()).hexdigest()
            found[entry.name] = (digest, entry.mode, entry.uid)
    return found


@pytest.mark.engine
@pytest.mark.parametrize("name", SETS)
def test_each_set_builds_the_same_image(name: str, tmp_path: Path, tag: str, golang: str) -> None:
    """The image has the files of the one that the script builds, and its program answers."""
    folder = written(name, tmp_path / "after", golang)
    done = migrate(folder)
    assert done.returncode == 0, done.stderr

    image = load(str(made_in(folder)), Image)
    page = SETS[name].get("page.txt", SETS[name].get("image/page.txt", "no page\n"))
    image.build(tags=[tag])
    files = files_of(tag)
    report = attrs.evolve(image, checks=[HttpCheck("GET", "/", body=page)]).test()
    assert report.ok, report

    scripts = {"build.sh": ["bash", "build.sh"], "Makefile": ["make"]}
    command = next((scripts[file] for file in SETS[name] if file in scripts), None)
    if command is not None:
        before = written(name, tmp_path / "before", golang)
        # It may push at its end, which fails here.
        subprocess.run(command, cwd=before, capture_output=True, timeout=300, check=False)
        original = image.tags[0]
        assert files == files_of(original)
        docker("rmi", "--force", original)
