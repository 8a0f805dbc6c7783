"""``dockdsl size``: whose bytes are whose."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dockdsl import Copy, Dockerfile, Env, Image, Onbuild, Run, Stage, User
from dockdsl.cli import main
from dockdsl.errors import RunFailed
from dockdsl.image.size import Share, SizeReport, divide
from tests.engine.helpers import BUSYBOX, docker, inspect, left_by

FILE = """\
from dockdsl import *

base = Stage({image!r}, name="base", steps=[
    Run("head -c 1000000 /dev/urandom > /made"),
    Env({{"A": "1"}}),
])
server = Stage(base, name="server", steps=[
    # a remark is not a step
    Comment("no step either"),
    Copy("copied", "/"),
    Run("rm /made"),
    User("65532"),
])
image = Image(Dockerfile(server), context={context!r}{tags})
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with an image of several lines, and with a context."""
    tmp_path.joinpath("context").mkdir()
    tmp_path.joinpath("context", "copied").write_bytes(os.urandom(500_000))
    source = tmp_path / "api.py"
    source.write_text(FILE.format(image=BUSYBOX, context="context", tags=""))
    return source


@pytest.mark.engine
def test_each_line_has_its_bytes(file: Path, capsys: pytest.CaptureFixture[str], tag: str) -> None:
    """To the byte, as the engine counts them; what the base image brings is separate, and what is removed counts."""
    assert 0 == main(["size", str(file), "--tag", tag, "--json", "--compressed", "--progress", "quiet"])
    report = json.loads(capsys.readouterr().out)
    base = inspect(BUSYBOX)["Size"]

    found = [(share["kind"], share["size"], share["line"]) for share in report["shares"]]
    assert [
        ("base", base, 3),
        ("made", 1_000_000, 4),
        ("made", 0, 5),
        ("copied", 500_000, 10),
        ("made", 0, 11),
        ("made", 0, 12),
    ] == found
    assert [BUSYBOX, "COPY copied /"] == [report["shares"][index]["text"] for index in (0, 3)]
    assert {str(file)} == {share["file"] for share in report["shares"]}
    assert (tag, inspect(tag)["Size"], 500_000) == (report["image"], report["unpacked"], report["floor"])
    assert round(report["unpacked"] / 500_000, 4) == report["ratio"]
    # Random bytes cannot be compressed, and busybox can.
    assert 1_500_000 < report["compressed"] < 1_500_000 + base * 0.7


@pytest.mark.engine
def test_the_report_for_people(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of the sizes it speaks of, the floor, and the lines without bytes; an image without a tag goes away."""
    monkeypatch.chdir(file.parent)
    assert 0 == main(["size", file.name, "--progress", "quiet"])
    lines = capsys.readouterr().out.splitlines()

    assert [f"FROM {BUSYBOX}", "RUN /bin/sh -c head -c 1000000 /dev/urandom > /made", "COPY copied /"] == [
        line.split("  ")[-1].strip() for line in lines[:3]
    ]
    assert ["api.py:3", "api.py:4", "api.py:10"] == [line.split("%")[1].split()[0] for line in lines[:3]]
    assert lines[3].endswith(" MB unpacked (the files of its layers)")
    assert lines[4].startswith("floor: 500 kB, the files that COPY and ADD bring in; the image is 7.")
    assert "no bytes: 3 other lines" == lines[5]
    assert [] == left_by(os.getpid())


@pytest.mark.engine
def test_the_picture(file: Path, tmp_path: Path, tag: str) -> None:
    """It is XML with a bar for each line that has bytes, written whole."""
    picture = tmp_path / "size.svg"
    assert 0 == main(["size", str(file), "--tag", tag, "--svg", "-o", str(picture), "--progress", "quiet"])
    root = ET.fromstring(picture.read_text())
    texts = [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]

    assert texts[0].startswith(f"{tag}: ")
    assert 3 == sum(text.startswith(f"{file}:") or "api.py:" in text for text in texts)
    assert [] == left_by(os.getpid())


def test_the_picture_escapes_what_it_shows() -> None:
    """Text of the history is text, and nothing else."""
    hostile = Share("made", 'RUN echo "</text><script>" & \x1b[2J', 1)
    root = ET.fromstring(SizeReport(image="<b>", shares=(Share("base", "x", 0), hostile)).svg())

    assert any('RUN echo "</text><script>" & ' in (each.text or "") for each in root.iter())


def test_steps_of_onbuild_are_nobodys_line() -> None:
    """The engine adds them between the base image's steps and ours."""
    mother = Stage("busybox:1.37", name="mother", steps=[Onbuild(Copy("a", "/"))])
    api = Stage(mother, name="api", steps=[Run("true"), User("1")])
    history = [
        ("busybox", 4),
        ("ONBUILD COPY a /", 0),
        ("COPY a / # buildkit", 2),
        ("RUN /bin/sh -c true", 1),
        ("USER 1", 0),
    ]
    shares = divide(history, Dockerfile(api))

    assert [4, 0, 2, 1, 0] == [share.size for share in shares]
    assert [False, False, True, False, False] == [share.origin is None for share in shares]


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([("busybox", 4), ("/bin/sh -c #(nop) USER 1", 2)], id="joined layers"),
        pytest.param([("USER 1", 0)], id="squashed"),
        pytest.param([], id="nothing"),
    ],
)
def test_a_history_of_other_steps(history: list[tuple[str, int]]) -> None:
    """It is an error: to give all bytes to the last line would be wrong."""
    stage = Stage("busybox:1.37", steps=[Copy("a", "/"), User("1")])
    with pytest.raises(RunFailed, match=r"size: the history of the image does not have the step .*; build it with d"):
        divide(history, Dockerfile(stage))


@pytest.mark.parametrize(("target", "size"), [(None, 1), ("small", 2), ("SMALL", 2), ("0", 2), ("1", 1)])
def test_the_stage_that_was_built_counts(target: str | None, size: int) -> None:
    """Its name or number says which it was."""
    small = Stage("scratch", name="small", steps=[Copy("a", "/"), Env({"A": "1"})])
    large = Stage("scratch", name="large", steps=[Copy("b", "/")])
    dockerfile = Dockerfile([small, large])
    history = [("COPY a / # buildkit", 2), ("ENV A=1", 0)][:size]
    shares = divide(history, dockerfile, target)

    assert 1 + size == len(shares)
    assert all(share.origin is not None for share in shares)


def test_an_image_without_copied_files() -> None:
    """It has no floor, and that is said."""
    report = SizeReport(image="x", shares=(Share("base", "busybox", 9),))

    assert (None, None) == (report.floor, report.ratio)
    assert "floor: none, since COPY and ADD bring no files in" in report.text()


@pytest.mark.engine
def test_from_python(tmp_path: Path, tag: str) -> None:
    """`Image.size` gives the same as values."""
    tmp_path.joinpath("a").write_bytes(b"x" * 1000)
    image = Image(Dockerfile(Stage("scratch", name="s", steps=[Copy("a", "/a")])), context=str(tmp_path), tags=tag)
    report = image.size()

    assert (1000, 1000, 1.0, None) == (report.unpacked, report.floor, report.ratio, report.compressed)
    assert [("base", 0), ("copied", 1000)] == [(share.kind, share.size) for share in report.shares]
    assert docker("images", "--quiet", tag)


# --- an engine with containerd's image store, which counts blocks of its disk


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_the_store_of_containerd(tmp_path: Path, tag: str) -> None:
    """Each line has the bytes of its files, however many blocks of a disk they take; hard links count once."""
    tmp_path.joinpath("zeros").write_bytes(bytes(3_000_000))
    steps = [
        Copy("zeros", "/"),
        Run("echo hello world > /twelve && ln /twelve /again && ln -s twelve /link"),
        User("1"),
    ]
    image = Image(Dockerfile(Stage(BUSYBOX, name="s", steps=steps)), context=str(tmp_path), tags=tag)
    report = image.size(compressed=True)
    base = Image(Dockerfile(Stage(BUSYBOX, steps=[User("1")])), tags=f"{tag}-base").size().unpacked

    assert [base, 3_000_000, 12 + len("twelve"), 0] == [share.size for share in report.shares]
    assert 2_000_000 < base < 6_000_000
    assert 3_000_000 == report.floor
    # Its base image is kept compressed, and zeros are next to nothing.
    assert base / 3 < (report.compressed or 0) < base * 0.7


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
@pytest.mark.parametrize("platforms", [["linux/arm64"], ["linux/arm64", "linux/amd64"]])
def test_an_image_for_other_platforms(tmp_path: Path, tag: str, platforms: list[str]) -> None:
    """What was built for another machine is measured, too."""
    tmp_path.joinpath("zeros").write_bytes(bytes(3_000_000))
    stage = Stage("scratch", name="s", steps=[Copy("zeros", "/"), User("1")])
    report = Image(Dockerfile(stage), context=str(tmp_path), tags=tag, platforms=platforms).size()

    assert [0, 3_000_000, 0] == [share.size for share in report.shares]


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_layers_that_cannot_be_read(tmp_path: Path, tag: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Python before 3.14 knows no zstd: size and checks say so, and give no figure that is something else."""
    base = f"{tag}-zstd"
    tmp_path.joinpath("Dockerfile").write_text(f"FROM {BUSYBOX}\nRUN echo x > /x\n")
    docker("buildx", "build", f"--output=type=image,name={base},compression=zstd,force-compression=true", str(tmp_path))
    source = tmp_path / "api.py"
    source.write_text(
        f"from dockdsl import *\nstage = Stage({base!r}, steps=[Run('echo y > /y')])\n"
        "image = Image(Dockerfile(stage), checks=[SizeBudget('3MB'), FileCheck('/y')])\n"
    )
    said = (
        "files: a layer of the image is compressed with zstd, which cannot be read; "
        "build the image, and its base image, with gzip layers"
    )

    assert 1 == main(["size", str(source), "--progress", "quiet"])
    assert ("", f"{source}:3: error: {said}\n") == capsys.readouterr()
    assert 1 == main(["test", str(source), "--progress", "quiet"])
    assert [
        f"FAIL {what}: {said} ({source}:3)" for what in ("size", "file /y")
    ] == capsys.readouterr().out.splitlines()[:2]
    assert [] == left_by(os.getpid())
