"""The verb inspect."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dockdsl.cli import main

APP = """\
from dockdsl import *

build = Stage("golang:1.27", "build", platform="$BUILDPLATFORM", steps=[Comment("x"), Run("y"), Label({"é": "ü"})])
tools = Stage(build, steps=[Run("z")])
files = [Copy(["/a", "/b c"], "/", from_=build), Copy("/a", "/x", from_=build), Copy(Heredoc("", "h"), "/", from_=tools)]
mounts = [Bind("/m", from_=tools), Bind("/n", from_="busybox:1.37", source="/bin"), Cache("/c")]
last = Stage("scratch", "last", steps=[*files, Copy(literal("/$a"), "/", from_="busybox:1.37"), Run("z", mounts=mounts)])
dockerfile = Dockerfile([tools, last])
"""
SUMMARY = """\
build: from golang:1.27 for $BUILDPLATFORM, 2 steps
stage 1: from build, 1 step
last: from scratch, 5 steps, takes /a, /b c from build and h, / from stage 1 and /$a, /bin from busybox:1.37
builds last; needs frontend 1.4
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app.py").write_text(APP)


def test_summary(capfd: pytest.CaptureFixture[str]) -> None:
    """A line for each stage shows its name, base, steps, and what it takes from where."""
    assert 0 == main(["inspect", "app.py"])
    assert (SUMMARY, "") == capfd.readouterr()


def test_json_is_ascii_ends_in_a_newline_and_is_the_same_each_time(capfd: pytest.CaptureFixture[str]) -> None:
    """Any program can read it, and its text can be compared."""
    assert 0 == main(["inspect", "app.py:dockerfile", "--json"])
    first = capfd.readouterr()
    main(["inspect", "app.py", "--json"])

    assert "" == first.err
    assert first.out.isascii()
    assert first.out.endswith("}\n")
    assert first.out == capfd.readouterr().out
    data = json.loads(first.out)
    assert {"key": "é", "value": "ü"} == data["stages"][0]["steps"][2]["pairs"][0]
    assert {"file": "app.py", "line": 3} == data["stages"][0]["origin"]


FILE = """\
FROM busybox:1.37 AS base
FROM base
COPY --from=0 /a /b
FROM scratch AS last
COPY --from=1 /b /c
"""
OF_FILE = """\
base: from busybox:1.37, 0 steps
stage 1: from base, 1 step, takes /a from base
last: from scratch, 1 step, takes /b from stage 1
builds last; needs frontend 1.0
"""


def test_a_dockerfile(capfd: pytest.CaptureFixture[str]) -> None:
    """A file that is not a Python file is read as a Dockerfile, with its own lines."""
    Path("Dockerfile").write_text(FILE)

    assert 0 == main(["inspect", "Dockerfile"])
    assert (OF_FILE, "") == capfd.readouterr()
    assert 0 == main(["inspect", "Dockerfile", "--json"])
    data = json.loads(capfd.readouterr().out)
    assert {"file": "Dockerfile", "line": 5} == data["stages"][2]["steps"][0]["origin"]
    assert {"stage": 1} == data["stages"][2]["steps"][0]["from"]


def test_a_file_of_arguments_alone(capfd: pytest.CaptureFixture[str]) -> None:
    """BuildKit reads a file without a stage, so it has a model."""
    Path("Dockerfile").write_text("ARG A\n")

    assert 0 == main(["inspect", "Dockerfile"])
    assert "builds nothing; needs frontend 1.0\n" == capfd.readouterr().out


def test_a_dockerfile_on_stdin() -> None:
    """``-`` is a Dockerfile on stdin."""
    done = subprocess.run(
        [sys.executable, "-m", "dockdsl", "inspect", "-"],
        input=FILE.encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert (OF_FILE.encode(), b"") == (done.stdout, done.stderr)


def test_a_dockerfile_with_errors(capfd: pytest.CaptureFixture[str]) -> None:
    """All errors are reported, each with its place."""
    Path("Dockerfile").write_text("FROM a\nRUNN x\nCOPY a\n")

    assert 2 == main(["inspect", "Dockerfile"])
    said = capfd.readouterr()
    assert not said.out
    assert ["Dockerfile:2:1: RUNN", "Dockerfile:3:6: COPY"] == [
        line.rpartition(": ")[0] for line in said.err.splitlines() if line.startswith("Dockerfile")
    ]


def test_schema(capfd: pytest.CaptureFixture[str]) -> None:
    """The schema of the JSON is printed as JSON."""
    assert 0 == main(["inspect", "--schema"])
    assert "urn:dockdsl:model:1" == json.loads(capfd.readouterr().out)["$id"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "name a file, or use --schema", id="no file"),
        pytest.param(["app.py", "--schema"], "--schema takes no file", id="file and schema"),
        pytest.param(["nowhere.py"], "nowhere.py: there is no such file", id="missing"),
        pytest.param(["nowhere"], "nowhere: there is no such file", id="missing Dockerfile"),
        pytest.param(["."], ".: it is a folder; name the Dockerfile in it", id="folder"),
        pytest.param([""], "'': there is no such file", id="nothing"),
        pytest.param(["Dockerfile:x"], "leave :x out", id="name in a Dockerfile"),
        pytest.param(["latin"], "latin:2: error: it is not UTF-8 text", id="not UTF-8"),
        pytest.param(["app.py:nothing"], "it defines no Dockerfile named 'nothing'", id="name"),
    ],
)
def test_usage(arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, one clear line, and nothing on stdout."""
    Path("latin").write_bytes(b"FROM a\n# \xff\n")
    assert 2 == main(["inspect", *arguments])
    said = capfd.readouterr()
    assert message in said.err
    assert 1 == said.err.count("\n")
    assert not said.out
