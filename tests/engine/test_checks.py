"""The kinds of checks on real images: the Go program on scratch, and busybox."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from dockdsl import (
    CommandCheck,
    Dockerfile,
    HttpCheck,
    Image,
    InvalidType,
    InvalidValue,
    SizeBudget,
    Stage,
    StartupBudget,
)
from dockdsl.cli._load import load
from dockdsl.engine.base import BuildResult, RunRequest
from dockdsl.engine.docker_sdk import DockerSdk
from dockdsl.engine.fake import FakeBuilder, FakeCommand, FakeResponse, FakeRunner
from dockdsl.engine.report import Check, CheckResult
from dockdsl.engine.smoke import smoke
from tests.engine.helpers import BUSYBOX, docker

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def go_api() -> Iterator[str]:
    """The image of builds/go_api.py, under a tag of its own."""
    tag = f"dockdsl-pytest:checks-{os.getpid()}"
    image = load(str(ROOT / "builds/go_api.py"), Image)
    image.build(request=image.request(tags=tag))
    yield tag
    docker("rmi", "--force", tag)


@pytest.fixture
def runner(nothing_left: None) -> Iterator[DockerSdk]:
    """A runner; after the test nothing of it is left."""
    del nothing_left
    with DockerSdk() as made:
        yield made


def results(runner: Any, image: str, *checks: Check, port: int | None = None, **options: Any) -> list[str]:
    """Run the checks on an image; return the line of each."""
    request = RunRequest(image=image, ports=() if port is None else (port,), **options)
    return [str(result) for result in smoke(runner, request, checks).results]


def only(lines: list[str]) -> str:
    """Return the one line."""
    (line,) = lines
    return line


# --- CommandCheck


@pytest.mark.engine
def test_a_command_of_a_scratch_image(go_api: str, runner: DockerSdk) -> None:
    """A program, and the entrypoint with arguments; exit code and both streams are looked at."""
    found = results(
        runner,
        go_api,
        CommandCheck(["/api", "version"], stdout=[r'^\{"', r'"go":"go1\.27'], no_stdout="panic", stderr_text=""),
        CommandCheck(["nosuch"], entrypoint=True, exit_code=2, stderr="unknown command", stdout_text=""),
        CommandCheck(["help"], entrypoint=True, stdout_text="usage"),
        CommandCheck(["/api", "version"], env={"A": "b"}, user="1:1"),
        CommandCheck(["/bin/sh"]),
    )

    assert found[0].startswith("ok   run /api version exit code 0 (")
    assert found[1].startswith("ok   run entrypoint nosuch exit code 2 (")
    assert found[2].startswith("FAIL run entrypoint help: stdout: expected 'usage', got 'usage: api [command]")
    assert found[3].startswith("ok ")
    assert found[4].startswith(f"FAIL run /bin/sh: run {go_api}: the engine refused: ")


@pytest.mark.engine
def test_what_a_command_prints(runner: DockerSdk) -> None:
    """The streams are told apart; what is expected and what came stand in the line."""
    both = ["sh", "-c", "echo out; echo $A err >&2; exit 3"]
    check = CommandCheck(both, exit_code=3, stdout_text="out\n", stderr_text="set err\n", env={"A": "set"})
    wrong = CommandCheck(both, stdout="^err", stderr="x", no_stdout="o.t", exit_code=None)
    found = results(runner, BUSYBOX, check, wrong)

    assert found[0].startswith("ok   run sh -c 'echo out; ")
    assert (
        "stdout: expected a match of '^err', got 'out\\n'; stdout: expected no match of 'o.t', got 'out'; "
        f"stderr: expected a match of 'x', got 'err\\n' ({wrong.origin})"
    ) in found[1]


@pytest.mark.engine
def test_a_command_has_a_time_and_a_longest_output(runner: DockerSdk) -> None:
    """What does not end is ended; of endless output the beginning is read."""
    sleeping = CommandCheck(["sleep", "600"], timeout=0.5)
    printing = CommandCheck(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo end"], stdout="^x{1048576}$")
    found = results(runner, BUSYBOX, sleeping, printing)

    assert f"FAIL run sleep 600: it did not end within 0.5 s ({sleeping.origin})" == found[0]
    assert found[1].startswith("ok ")


@pytest.mark.engine
def test_the_log_of_a_command_is_shown(runner: DockerSdk) -> None:
    """It stands under the name of its check; an image that is no server has no other."""
    report = smoke(runner, RunRequest(image=BUSYBOX), [CommandCheck(["sh", "-c", "echo why; exit 1"])])

    assert "\nlast output of the container of run sh -c 'echo why; exit 1':\n  why" == report.output()
    assert report.ready is None
    with pytest.raises(AssertionError, match="expected exit code 0, got 1"):
        report.raise_for_failures()


# --- budgets


@pytest.mark.engine
def test_budgets(go_api: str, runner: DockerSdk) -> None:
    """A size is a verdict, and a time is a note."""
    found = results(
        runner, go_api, SizeBudget("10MB"), SizeBudget(1000), StartupBudget(60), StartupBudget(0.000001), port=8080
    )

    assert found[0].startswith("ok   size ")
    assert found[0].endswith(" MB, at most 10 MB")
    assert found[1].startswith("FAIL size: expected at most 1 kB, got ")
    assert found[2].startswith("note start-up ")
    assert " s, within 60 s" in found[2]
    assert " s, over the budget of 1e-06 s" in found[3]


def test_a_note_is_no_verdict() -> None:
    """It does not count, and a report of notes alone is good."""
    report = smoke(FakeRunner(lambda _: FakeResponse()), RunRequest(image="x", ports=[1]), [StartupBudget(1e-9)])

    assert report.ok
    assert report.summary().startswith("0 of 0 checks passed; x, ready in ")


# --- the order of things


def test_all_checks_run_where_the_server_does_not() -> None:
    """Those that need no server are run and told of before the error is raised."""
    told: list[CheckResult] = []
    checks = [HttpCheck("GET", "/"), SizeBudget("1MB"), CommandCheck(["x"], exit_code=1)]
    with pytest.raises(RuntimeError, match="exited with code 3"):
        smoke(
            FakeRunner(exit_code=3),
            RunRequest(image="x", ports=[1]),
            checks,
            tell=told.append,
            build=BuildResult(image="x", size=5),
        )

    assert ["size", "run x"] == [result.title for result in told]
    assert [True, False] == [result.ok for result in told]


def test_an_image_that_is_no_server() -> None:
    """It has checks and no port; a check that asks for one is refused where the image is written."""
    image = Image(Dockerfile(Stage("scratch")), checks=[CommandCheck(["x"], stdout="^1$"), SizeBudget("2MB")])
    report = image.test(FakeBuilder(), FakeRunner(command=lambda _: FakeCommand(0, b"1\n")))

    assert report.ok
    assert "2 of 2 checks passed; " in report.summary()
    with pytest.raises(InvalidValue, match=r"its check start-up needs a server, and it has no port; pass port="):
        Image(Dockerfile(Stage("scratch")), checks=[StartupBudget(1)])


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        pytest.param(lambda: CommandCheck("ls -l"), InvalidType, "CommandCheck: argv is of the type str", id="argv"),
        pytest.param(lambda: CommandCheck([]), InvalidValue, "CommandCheck: argv is empty; name a program", id="none"),
        pytest.param(lambda: CommandCheck(["a\0"]), InvalidValue, "has a NUL character", id="NUL"),
        pytest.param(lambda: CommandCheck(["a"], exit_code=256), InvalidValue, "from 0 to 255", id="exit code"),
        pytest.param(lambda: CommandCheck(["a"], stdout="("), InvalidValue, "is no regular expression", id="pattern"),
        pytest.param(lambda: CommandCheck(["a"], timeout=0), InvalidValue, "timeout is 0; pass a number", id="time"),
        pytest.param(lambda: SizeBudget("10 mb"), InvalidValue, "the size is '10 mb'; write it as", id="unit"),
        pytest.param(lambda: SizeBudget(-1), InvalidValue, "the size is -1; pass a number from 0", id="negative"),
        pytest.param(lambda: SizeBudget(cast(Any, 1.5)), InvalidType, "the size is of the type float", id="float"),
        pytest.param(lambda: StartupBudget(cast(Any, "1s")), InvalidType, "the time is of the type str", id="seconds"),
    ],
)
def test_what_checks_refuse(make: Any, kind: type[Exception], words: str) -> None:
    """Construct, fact and remedy are in the message."""
    with pytest.raises(kind) as caught:
        make()
    assert words in str(caught.value)


def test_entrypoint_alone_may_have_no_arguments() -> None:
    """It is the image as it stands."""
    assert "run entrypoint" == CommandCheck([], entrypoint=True).title


def test_titles_do_not_steer_the_terminal() -> None:
    """A command with control characters is shown without them."""
    result = CheckResult(title=CommandCheck(["\x1b[2J"]).title)
    assert "\x1b" not in str(result)


def test_the_command_line_takes_an_image_without_a_server(tmp_path: Path) -> None:
    """`dockdsl test` refuses one that has nothing to test, with the place."""
    file = tmp_path / "x.py"
    file.write_text('from dockdsl import *\nimage = Image(Dockerfile(Stage("scratch")))\n')
    done = subprocess.run(
        [sys.executable, "-m", "dockdsl", "test", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 2 == done.returncode
    assert f"{file}:2: error: Image: there is nothing to test; pass port=" in done.stderr
