"""``build``, ``test`` and ``size`` of several objects: at once, each with its name, and one exit code for all."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.test_verbs import dockdsl
from tests.engine.helpers import BUSYBOX, docker, inspect, wait_until

FILE = """\
from dockdsl import *

def of(kind, step):
    stage = Stage({image!r}, steps=[Run("echo {tag} > /shared; sleep 1"), step])
    return Image(Dockerfile(stage), tags="{tag}-" + kind, checks=[FileCheck("/shared"), FileCheck("/own")])

matrix = {{kind: of(kind, Run(f"echo own {{kind}} > /own")) for kind in ("one", "two")}}
bad = of("bad", Run("echo oh no; exit 3"))
poor = of("poor", Run("true"))
"""


@pytest.fixture
def file(tmp_path: Path, tag: str) -> Path:
    """A file with four images: two that are well, one that cannot be built, one of which a check fails."""
    path = tmp_path / "app.py"
    path.write_text(FILE.format(image=BUSYBOX, tag=tag))
    return path


@pytest.mark.engine
def test_all_are_built(file: Path, tag: str) -> None:
    """One that fails hides no other; each line has the object's name; the summary has all; the worst code counts."""
    done = dockdsl("build", f"{file}:matrix", f"{file}:bad")
    lines = done.stderr.splitlines()

    assert 1 == done.returncode, done.stderr
    assert [f"matrix[{kind}]: {inspect(f'{tag}-{kind}')['Id']}" for kind in ("one", "two")] == sorted(
        done.stdout.splitlines()
    )
    assert not [line for line in lines if not re.match(r"(matrix\[(one|two)\]|bad): |ok   |FAIL |\d of ", line)]
    assert "bad: [3/3] | oh no" in lines
    failure = f"bad: {file}:8: error: build step [3/3] RUN echo oh no; exit 3"
    assert [line for line in lines if line.startswith(failure)]
    assert ["ok   matrix[one]", "ok   matrix[two]"] == lines[-4:-2]
    assert lines[-2].startswith(f"FAIL {failure}")
    assert "2 of 3 objects are ok" == lines[-1]


@pytest.mark.engine
def test_they_share_the_cache(file: Path) -> None:
    """A step that several have runs once, though they are built at once."""
    done = dockdsl("build", f"{file}:matrix", "--json")
    results = [each["result"] for each in json.loads(done.stdout)["objects"]]
    layers = [inspect(each["image"])["RootFS"]["Layers"] for each in results]

    assert 0 == done.returncode, done.stderr
    # Run twice, it would have two times in it.
    assert layers[0][:2] == layers[1][:2]
    assert layers[0][2] != layers[1][2]


@pytest.mark.engine
def test_all_are_tested(file: Path, tag: str, tmp_path: Path) -> None:
    """Lines, JSON and JUnit have each of them, those that failed as well."""
    junit = tmp_path / "results.xml"
    done = dockdsl("test", f"{file}:*", "--junit", junit)

    assert 1 == done.returncode, done.stderr
    assert "matrix[one]: ok   file /own 8 B" in done.stdout
    assert f"matrix[two]: 2 of 2 checks passed; {tag}-two, " in done.stdout
    assert "poor: FAIL file /own: " in done.stdout
    assert re.search(r"^FAIL poor: 1 of 2 checks passed; ", done.stderr, re.MULTILINE)
    assert done.stderr.endswith("\n2 of 4 objects are ok\n")
    suites = ET.parse(junit).getroot().findall("testsuite")
    assert [
        (f"{tag}-{kind}", *counts)
        for kind, *counts in (
            ("one", "2", "0", "0"),
            ("two", "2", "0", "0"),
            ("bad", "1", "0", "1"),
            ("poor", "2", "1", "0"),
        )
    ] == [tuple(suite.get(key) for key in ("name", "tests", "failures", "errors")) for suite in suites]

    done = dockdsl("test", f"{file}:*", "--json", "--progress", "quiet")
    data = json.loads(done.stdout)
    assert not data["ok"]
    assert [("matrix[one]", 0), ("matrix[two]", 0), ("bad", 1), ("poor", 1)] == [
        (each["object"].removeprefix(f"{file}:"), each["exit_code"]) for each in data["objects"]
    ]
    assert data["objects"][2]["result"]["error"].startswith("build step [3/3] RUN echo oh no")
    assert [True, False] == [check["ok"] for check in data["objects"][3]["result"]["checks"]]


@pytest.mark.engine
def test_all_are_measured(file: Path, tag: str, tmp_path: Path) -> None:
    """One after the other under their names, or each in a file of its own."""
    done = dockdsl("size", f"{file}:matrix")
    assert 0 == done.returncode, done.stderr
    assert [f"==> {file}:matrix[{kind}] <==" for kind in ("one", "two")] == [
        line for line in done.stdout.splitlines() if line.startswith("==>")
    ]
    assert f"\n{tag}-two: " in done.stdout
    done = dockdsl("size", f"{file}:matrix", "--svg", "-o", tmp_path / "{key}.svg")
    assert (0, "") == (done.returncode, done.stdout)
    assert ["one.svg", "two.svg"] == sorted(path.name for path in tmp_path.glob("*.svg"))


@pytest.mark.engine
def test_tags_by_a_pattern(file: Path, tag: str) -> None:
    """Names stand in for an object in a tag, of one as of several."""
    done = dockdsl("build", f"{file}:matrix", "-t", f"{tag}-{{key}}-x", "--jobs", "1", "--progress", "quiet")
    assert (0, "") == (done.returncode, done.stderr)
    assert inspect(f"{tag}-two-x")["Id"] in done.stdout
    done = dockdsl("build", f"{file}:matrix[one]", "-t", f"{tag}-{{name}}")
    assert f"{inspect(f'{tag}-matrix-one')['Id']}\n" == done.stdout


@pytest.mark.engine
def test_the_live_display_has_the_names(file: Path) -> None:
    """Each line of it has the object's name, and what is printed besides stands above it."""
    done = dockdsl("test", f"{file}:matrix", f"{file}:bad", "--progress", "live", TERM="xterm", COLUMNS="200")
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", done.stderr)

    assert 1 == done.returncode
    assert re.search(r"^ +\d+\.\ds  matrix\[one\]: \[\d/3\] ", text, re.MULTILINE)
    assert re.search(r"^bad: \[3/3\] RUN echo oh no; exit 3 FAILED", text, re.MULTILINE)
    assert re.search(r"^bad: .*: error: build step", text, re.MULTILINE)
    assert "matrix[two]: ok   file /own 8 B" in done.stdout
    assert text.endswith("2 of 3 objects are ok\n")


def running(tag: str) -> list[str]:
    """Return the containers of the images whose tag begins so."""
    images = docker("images", "--format", "{{.Repository}}:{{.Tag}}", f"{tag}*").split()
    return (
        docker("ps", "--all", "--quiet", *(f"--filter=ancestor={image}" for image in images)).split() if images else []
    )


SERVERS = """\
from dockdsl import *
images = [
    Image(Dockerfile(Stage({image!r}, steps=[Env({{"N": str(n)}}), Cmd.exec("sleep", "300")])), tags=f"{tag}-{{n}}", port=80)
    for n in range(3)
]
"""


def under_test(tmp_path: Path, tag: str) -> subprocess.Popen[str]:
    """Test three images that are never ready, two at once, up to the moment when two containers run."""
    path = tmp_path / "app.py"
    path.write_text(SERVERS.format(image=BUSYBOX, tag=tag))
    command = [sys.executable, "-m", "dockdsl", "test", f"{path}:*", "--ready-timeout", "300", "--jobs", "2"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: len(running(tag)) == 2, 60)
    return child


@pytest.mark.engine
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_all_are_ended(tmp_path: Path, tag: str, number: signal.Signals, status: int) -> None:
    """Ctrl-C and SIGTERM end them all; no container is left, and what waits is not begun."""
    with under_test(tmp_path, tag) as child:
        child.send_signal(number)
        _, error = child.communicate(timeout=60)

    assert status == child.returncode, error
    assert "Traceback" not in error
    assert f"FAIL images[1]: ended by {number.name}\n" in error
    assert "images[2]: not started\n0 of 3 objects are ok\n" in error
    assert [] == running(tag)


@pytest.mark.engine
def test_none_outlives_its_parent(tmp_path: Path, tag: str) -> None:
    """Where the process that shows them is killed, they end by themselves, and remove their containers."""
    with under_test(tmp_path, tag) as child:
        child.kill()
        child.communicate(timeout=60)
    wait_until(lambda: not running(tag), 60)


SAME = """\
from dockdsl import *
images = [Image(Dockerfile(Stage("scratch")), tags="same:1") for _ in range(2)]
latest = [Image(Dockerfile(Stage("scratch")), tags=tag) for tag in ("same", "same:latest")]
"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ["build"], "tags: {file}:images[0] and {file}:images[1] would both be same:1; give each tags of", id="tags"
        ),
        pytest.param(["test", "-t", "x:1"], "would both be x:1; put {{name}}, {{key}} or {{file}} into it", id="-t"),
        pytest.param(
            ["build", "-t", "x:{{key}}", "-o", "out"], "-o: {file}:images[0] and {file}:images[1] would", id="-o"
        ),
        pytest.param(
            ["size", "-t", "x:{{key}}", "-o", "out"], "-o: {file}:images[0] and {file}:images[1] would", id="size"
        ),
        pytest.param(
            ["size", "-t", "x:{{key}}", "--svg"], "--svg makes a picture of each object; write each to", id="svg"
        ),
        pytest.param(["build", "-t", "x:{{key}}", "--jobs", "0"], "'0' is not a number above 0", id="jobs"),
        pytest.param(
            ["build", "nowhere.py"], "nowhere.py: there is no such file; check the path\nnothing was built\n", id="file"
        ),
    ],
)
def test_what_cannot_be_together(tmp_path: Path, arguments: list[str], message: str) -> None:
    """It is refused before anything is begun."""
    file = tmp_path / "app.py"
    file.write_text(SAME)
    done = dockdsl(arguments[0], f"{file}:images", *(each.format(file=file) for each in arguments[1:]))

    assert 2 == done.returncode
    assert message.format(file=file) in done.stderr


def test_the_latest_tag_is_one_tag(tmp_path: Path) -> None:
    """A tag without a version is that of the latest."""
    file = tmp_path / "app.py"
    file.write_text(SAME)
    done = dockdsl("build", f"{file}:latest")

    assert 2 == done.returncode
    assert "latest[0] and" in done.stderr
    assert "would both be same; give each tags of its own\n" in done.stderr


def test_no_engine_for_several(tmp_path: Path) -> None:
    """Each says so, and the exit code is that of what cannot be tried."""
    file = tmp_path / "app.py"
    file.write_text(SAME.replace('"same:1"', 'f"same:{_}"'))
    done = dockdsl("build", f"{file}:images", DOCKER_HOST="unix:///nonexistent/docker.sock", PATH="/nonexistent")

    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.endswith("\n0 of 2 objects are ok\n")
    assert 2 == done.stderr.count("FAIL images[")
