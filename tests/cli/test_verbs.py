"""``dockdsl build`` and ``dockdsl test``: what they print where, how they end, and what they leave."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from dockdsl.cli.json_results import of_build
from dockdsl.engine.building import BuildResult, BuildWarning, StageTime
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.origins import Origin
from tests.engine.helpers import BUSYBOX, SERVER, containers_of, inspect, left_by, temporary_tags, wait_until

FILE = """\
from dockdsl import *

server = Stage({image!r}, name="server", steps=[
    Run.script({script!r}),
    {step},
])
image = Image(
    Dockerfile(server), {tags}port=8080,
    checks=[HttpCheck("GET", {path!r}, json={{"status": "ok"}})],
)
"""
SERVE = 'Cmd.exec("sh", "-c", "echo up; exec httpd -f -p 8080 -h /www")'


def source(folder: Path, *, step: str = SERVE, path: str = "/healthz", tag: str | None = None) -> Path:
    """Write a file with an Image, and return its path."""
    file = folder / "api.py"
    tags = "" if tag is None else f"tags={tag!r}, "
    file.write_text(FILE.format(image=BUSYBOX, script=SERVER, step=step, path=path, tags=tags))
    return file


class Done(NamedTuple):
    """A run of the command line that has ended."""

    pid: int
    returncode: int
    stdout: str
    stderr: str


def dockdsl(*arguments: str | Path, **environment: str) -> Done:
    """Run the command line to its end."""
    with subprocess.Popen(
        [sys.executable, "-m", "dockdsl", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as child:
        try:
            output, error = child.communicate(timeout=120)
        finally:
            child.kill()
    return Done(child.pid, child.returncode, output, error)


# --- build


@pytest.mark.engine
def test_build_prints_the_id(tmp_path: Path, tag: str) -> None:
    """The id goes to stdout, the steps to stderr."""
    done = dockdsl("build", source(tmp_path, tag=tag))

    assert 0 == done.returncode, done.stderr
    assert f"{inspect(tag)['Id']}\n" == done.stdout
    assert "[2/2] RUN" in done.stderr
    reported = rf"^built {tag} in \d+\.\d s \(\d of 1 steps cached\), [\d.]+ MB \(its layers .*\)\n(  stage .*\n)?  digest sha256:"
    assert re.search(reported, done.stderr, re.MULTILINE)


@pytest.mark.engine
def test_build_as_data(tmp_path: Path, tag: str) -> None:
    """What came of it is one JSON object on stdout; what is shown besides stays on stderr."""
    done = dockdsl("build", source(tmp_path, tag=tag), "--json")
    data = json.loads(done.stdout)
    facts = inspect(tag)

    assert (facts["Id"], facts["Size"], [tag]) == (data["image"], data["size"], data["tags"])
    assert data["digest"].startswith("sha256:")
    assert data["size_kind"] in ("unpacked", "content")
    assert (1, [], []) == (data["steps"], data["output"], data["warnings"])
    assert 1 == sum(stage["steps"] for stage in data["stages"])
    assert {
        "image",
        "digest",
        "tags",
        "size",
        "size_kind",
        "seconds",
        "steps",
        "cached",
        "stages",
        "output",
        "warnings",
    } == set(data)
    assert f"\nbuilt {tag} in " in done.stderr


def test_findings_as_data() -> None:
    """A place is a file and a line, and times are rounded."""
    warning = BuildWarning(text="old", lines=(1, 2), origin=Origin("api.py", 9))
    result = BuildResult(image="x", seconds=1.23456, stages=(StageTime("b", 0.5, 2, 1),), warnings=(warning,))
    data = json.loads(json.dumps(of_build(result)))

    place = {"file": "api.py", "line": 9}
    assert [{"text": "old", "url": None, "lines": [1, 2], "origin": place}] == data["warnings"]
    assert [{"name": "b", "seconds": 0.5, "steps": 2, "cached": 1}] == data["stages"]
    assert (1.235, None) == (data["seconds"], data["size"])


@pytest.mark.engine
def test_build_takes_options(tmp_path: Path, tag: str) -> None:
    """Tags replace those of the file, arguments add to them, and quiet is quiet."""
    file = source(tmp_path, tag="not-this-one", step='Arg("A", "x"), Env({"A": "$A"})')
    done = dockdsl("build", file, "-t", tag, "--tag", f"{tag}-2", "--build-arg", "A=b=c", "--progress", "quiet")

    assert (0, "") == (done.returncode, done.stderr)
    assert "A=b=c" in inspect(tag)["Config"]["Env"]
    assert inspect(tag)["Id"] == inspect(f"{tag}-2")["Id"]
    assert subprocess.run(["docker", "image", "inspect", "not-this-one"], capture_output=True, check=False).returncode


ERRORS = '[tool.dockdsl.check]\nlevels = { JSONArgsRecommended = "error" }\n'


@pytest.mark.engine
def test_errors_are_shown_before_the_build(tmp_path: Path, tag: str) -> None:
    """What `check` calls an error is on stderr, and the image is built all the same; warnings are not shown."""
    tmp_path.joinpath("pyproject.toml").write_text(ERRORS)
    file = source(tmp_path, step='Workdir("x"),\n    Cmd("httpd -f")', tag=tag)
    done = dockdsl("build", file)

    assert done.returncode == 0
    assert done.stdout.startswith("sha256:")
    assert done.stderr.startswith(f"{file}:6: error: CMD is in the shell form, so ")
    assert '\n  6 |     Cmd("httpd -f"),\n    |     ^~~~~~~~~~~~~~~\n' in done.stderr
    assert "[WorkdirRelativePath]" not in done.stderr


@pytest.mark.parametrize("verb", ["build", "test", "run", "size"])
def test_errors_need_no_engine(tmp_path: Path, verb: str) -> None:
    """Each verb that builds shows them first, unless it is told not to."""
    tmp_path.joinpath("pyproject.toml").write_text(ERRORS)
    file = source(tmp_path, step='Cmd("httpd -f")')

    for options, is_shown in (((), True), (("--no-lint",), False)):
        done = dockdsl(verb, file, *options, DOCKER_HOST="unix:///nonexistent/docker.sock")
        assert done.returncode == 2
        assert is_shown == ("[JSONArgsRecommended]" in done.stderr)


def test_errors_are_those_of_the_build_that_is_asked_for(tmp_path: Path) -> None:
    """What the options say instead of the file counts: another context, another target."""
    there = tmp_path / "there"
    there.mkdir()
    there.joinpath("x").touch()
    file = source(tmp_path, step='Copy("x", "/x")')

    for options, is_shown in (((), True), (("--context", there), False)):
        done = dockdsl("build", file, *options, DOCKER_HOST="unix:///nonexistent/docker.sock")
        assert done.returncode == 2
        assert is_shown == ("[CopySourceMissing]" in done.stderr), done.stderr


@pytest.mark.engine
def test_a_failing_step_is_reported_in_python(tmp_path: Path) -> None:
    """Exit 1; the message begins with the line in the Python file and ends with the step's output."""
    file = source(tmp_path, step='Run("echo compiling; exit 5")')
    done = dockdsl("build", file, "--progress", "quiet", "--no-cache")

    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(f"{file}:5: error: build step [3/3] RUN echo compiling; exit 5 (Dockerfile:")
    reported = "exit code: 5; fix the command\nlast output of the step:\n  compiling\n"
    assert done.stderr.endswith(f'{reported}{file}:5: Run("echo compiling; exit 5")\n')


@pytest.mark.engine
def test_a_base_image_that_cannot_be_had(tmp_path: Path) -> None:
    """Exit 2: nothing was built, and no step was at fault."""
    file = tmp_path / "x.py"
    file.write_text(
        'from dockdsl import *\n\nimage = Image(Dockerfile(Stage("127.0.0.1:1/nosuch:1", steps=[Run("x")])))\n'
    )
    done = dockdsl("build", file)

    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(f"{file}:3: error: build (Dockerfile:1): the image 127.0.0.1:1/nosuch:1 is not on")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--build-arg", "=A"], "'=A' is not of the form NAME=VALUE", id="build argument"),
        pytest.param(["--timeout", "0"], "'0' is not a number of seconds above 0", id="timeout"),
        pytest.param(["--timeout", "1e12"], "'1e12' is not a number of seconds above 0; write at most", id="endless"),
        pytest.param(["-t", "Bad:Tag"], "error: --tag: 'Bad:Tag' is not a tag", id="tag"),
        pytest.param(["--target", "zzz"], "error: Image: the Dockerfile has no stage 'zzz'", id="target"),
        pytest.param(["--target", ""], "error: --target: '' is empty", id="empty target"),
        pytest.param(["--platform", "li nux"], "error: --platform: 'li nux' is not a platform", id="platform"),
        pytest.param(["--timeout", "1h"], "'1h' is not a number of seconds above 0", id="timeout with unit"),
        pytest.param(["--progress", "fancy"], "invalid choice: 'fancy'", id="progress"),
    ],
)
def test_usage(tmp_path: Path, arguments: list[str], words: str) -> None:
    """What is not an option ends with 2 before anything is done."""
    done = dockdsl("build", source(tmp_path), *arguments)

    assert 2 == done.returncode
    assert words in done.stderr


@pytest.mark.parametrize("verb", ["build", "test"])
def test_no_engine(tmp_path: Path, verb: str) -> None:
    """One clear line, exit 2, no traceback."""
    done = dockdsl(verb, source(tmp_path), DOCKER_HOST="unix:///nonexistent/docker.sock", PATH="/nonexistent")

    assert (2, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())
    assert re.match(
        r"error: (build: there is no docker command|run: the container engine at unix:///none)", done.stderr
    )


# --- test


@pytest.mark.engine
def test_checks_that_pass(tmp_path: Path, tag: str) -> None:
    """A line for each check and the summary go to stdout; exit 0."""
    done = dockdsl("test", source(tmp_path, tag=tag))
    lines = done.stdout.splitlines()

    assert 0 == done.returncode, done.stderr
    assert 2 == len(lines)
    assert re.fullmatch(r"ok   GET /healthz 200 \(\d+ ms\)", lines[0])
    assert re.fullmatch(
        rf"1 of 1 checks passed; {tag}, [\d.]+ MB \(its layers .*\), built in [\d.]+ s \(\d of 1 .*, ready in .* s",
        lines[1],
    )
    reported = (
        rf"^\[2/2\] RUN .*\nbuilt {tag} in .*, [\d.]+ MB \(its layers .*\)\n(  stage .*\n)?  digest sha256:\w+\n\Z"
    )
    assert re.search(reported, done.stderr, re.DOTALL | re.MULTILINE)


@pytest.mark.engine
def test_an_image_that_is_unhealthy(tmp_path: Path) -> None:
    """Its HEALTHCHECK fails the test, at its line of the file and with the server's log; --check may leave it out."""
    file = source(tmp_path, step=f'{SERVE}, Healthcheck("echo no; exit 1", interval="1ms", retries=1)')
    done = dockdsl("test", file, "--progress", "quiet")
    lines = done.stdout.splitlines()

    assert 1 == done.returncode
    assert lines[0].startswith("ok   GET /healthz 200 (")
    assert re.fullmatch(
        r"FAIL healthy: expected exit code 0 of \"/bin/sh -c 'echo no; exit 1'\", got 1 .*; it printed 'no'; see why "
        rf".* \({re.escape(str(file))}:5\)",
        lines[1],
    )
    assert "last output of the container" in done.stderr
    assert "\n  up\n" in done.stderr
    assert 0 == dockdsl("test", file, "--progress", "quiet", "--check", "GET").returncode
    assert 1 == dockdsl("test", file, "--progress", "quiet", "--check", "healthy").returncode


@pytest.mark.engine
@pytest.mark.parametrize(("path", "status"), [("/healthz", 0), ("/cgi-bin/broken", 1)])
def test_a_test_as_data(tmp_path: Path, path: str, status: int) -> None:
    """The build and each check are one JSON object on stdout, whether they pass or not; lines go to stderr."""
    file = source(tmp_path, path=path)
    done = dockdsl("test", file, "--json")
    data = json.loads(done.stdout)

    assert status == done.returncode
    assert (status == 0, None) == (data["ok"], data["error"])
    assert (1, []) == (data["build"]["steps"], data["build"]["tags"])
    (check,) = data["checks"]
    assert (f"GET {path}", status == 0, {"file": str(file), "line": 9}) == (
        check["title"],
        check["ok"],
        check["origin"],
    )
    assert 0 < check["seconds"] < 5
    assert ["expected status 200, got 500", "expected a JSON body"][: status * 2] == check["mismatches"]
    assert ("200", "500")[status] == check["detail"]
    assert f"of 1 checks passed; {data['build']['image'].removeprefix('sha256:')[:12]}" in done.stderr
    assert "\nbuilt the image in " in done.stderr
    assert [] == left_by(done.pid)


@pytest.mark.engine
def test_what_kept_a_test_from_its_end_as_data(tmp_path: Path) -> None:
    """A server that does not start and a step that fails are the error; the exit codes stay."""
    dies = dockdsl("test", source(tmp_path, step='Cmd.exec("sh", "-c", "exit 3")'), "--json", "--progress", "quiet")
    data = json.loads(dies.stdout)
    assert (1, False, 1, []) == (dies.returncode, data["ok"], data["build"]["steps"], data["checks"])
    assert "the container exited with code 3" in data["error"]
    assert dies.stderr.endswith(f"error: {data['error']}\n")

    fails = dockdsl("test", source(tmp_path, step='Run("exit 4")'), "--json", "--progress", "quiet")
    data = json.loads(fails.stdout)
    assert (1, None) == (fails.returncode, data["build"])
    assert data["error"].startswith("build step [3/3] RUN exit 4 ")


def test_no_engine_as_data(tmp_path: Path) -> None:
    """The missing engine is the error; the exit code is that of what cannot be tried."""
    done = dockdsl("test", source(tmp_path), "--json", DOCKER_HOST="unix:///nonexistent/docker.sock")
    data = json.loads(done.stdout)

    assert (2, False, None, []) == (done.returncode, data["ok"], data["build"], data["checks"])
    assert "the container engine at unix:///nonexistent/docker.sock does not answer" in data["error"]


CHOOSING = """\
from dockdsl import *
image = Image(
    Dockerfile(Stage({image!r}, steps=[Run("echo x > /x")])),
    checks=[FileCheck("/x", exists=False), FileCheck("/bin/sh"), SizeBudget("9MB")],
)
"""


@pytest.mark.engine
@pytest.mark.parametrize(
    ("texts", "titles"),
    [
        (["/bin"], ["file /bin/sh"]),
        (["size", "bin/sh"], ["file /bin/sh", "size"]),
        (["file", "/"], ["no file /x", "file /bin/sh"]),
    ],
)
def test_checks_that_are_chosen(tmp_path: Path, texts: list[str], titles: list[str]) -> None:
    """Those with one of the texts in their title are run, once and in their order."""
    file = tmp_path / "api.py"
    file.write_text(CHOOSING.format(image=BUSYBOX))
    done = dockdsl("test", file, "--json", *(f"--check={text}" for text in texts))

    assert int("no file /x" in titles) == done.returncode
    assert titles == [check["title"] for check in json.loads(done.stdout)["checks"]]


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        pytest.param(
            "FileCheck('/x', exists=False), SizeBudget('9MB')",
            "take a part of one of these\n  no file /x\n  size\n",
            id="others",
        ),
        pytest.param("", "the image has none, give it checks=…\n", id="none"),
    ],
)
def test_no_check_of_that_title(tmp_path: Path, checks: str, words: str) -> None:
    """It is wrong usage, also where another text has checks; nothing is built."""
    file = tmp_path / "api.py"
    file.write_text(f"from dockdsl import *\nimage = Image(Dockerfile(Stage('scratch')), checks=[{checks}])\n")
    chosen = ["--check", "size"] if checks else []
    done = dockdsl("test", file, *chosen, "--check", "Size")

    reported = f"error: --check 'Size': no check has that in its title; {words}"
    assert (2, "", reported) == (done.returncode, done.stdout, done.stderr)


@pytest.mark.engine
def test_a_health_check_that_is_asked_for(tmp_path: Path) -> None:
    """An image that has none does not pass because nothing was examined."""
    done = dockdsl("test", source(tmp_path), "--progress", "quiet", "--check", "healthy")

    fact = "error: --check 'healthy': nothing was examined, since the image has no HEALTHCHECK"
    assert (2, f"{fact}; add Healthcheck.exec(…) to the stage\n") == (done.returncode, done.stderr)


@pytest.mark.engine
def test_a_check_that_fails(tmp_path: Path) -> None:
    """Exit 1; the check and its line on stdout, the container's output on stderr; the image without a tag is gone."""
    file = source(tmp_path, path="/cgi-bin/broken")
    done = dockdsl("test", file, "--progress", "quiet")

    assert 1 == done.returncode
    assert (
        f"FAIL GET /cgi-bin/broken: expected status 200, got 500; expected a JSON body; body broken ({file}:9)"
        in done.stdout
    )
    assert "0 of 1 checks passed; " in done.stdout
    assert "last output of the container:\n  up\n" == done.stderr
    assert [] == left_by(done.pid)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("step", "limit", "words"),
    [
        pytest.param(
            'Cmd.exec("sh", "-c", "echo no config; exit 3")', "120", "the container exited with code 3", id="dies"
        ),
        # A busy machine needs some seconds for the first question.
        pytest.param('Cmd.exec("sleep", "300")', "8", "was not ready after 8 s (GET /: the conn", id="never ready"),
        pytest.param('Cmd.exec("/nosuch")', "120", "the engine refused: ", id="cannot start"),
    ],
)
def test_a_container_that_does_not_serve(tmp_path: Path, step: str, limit: str, words: str) -> None:
    """Exit 1, with the reason, and the Image's place or that of what cannot be started; nothing is left."""
    file = source(tmp_path, step=step)
    done = dockdsl("test", file, "--progress", "quiet", "--ready-timeout", limit)

    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(f"{file}:{5 if 'nosuch' in step else 7}: error: ")
    assert words in done.stderr
    assert [] == left_by(done.pid)


@contextmanager
def under_test(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Run ``dockdsl test`` on an image that is never ready, up to the moment when its container runs."""
    command = [sys.executable, "-m", "dockdsl", "test", str(file), "--ready-timeout", "300"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            wait_until(lambda: bool(containers_of(child.pid)))
            yield child
        finally:
            child.kill()


@pytest.mark.engine
@pytest.mark.parametrize(
    ("number", "status"),
    [
        pytest.param(signal.SIGINT, 130, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, 143, id="SIGTERM"),
        pytest.param(signal.SIGHUP, 129, id="closed terminal"),
    ],
)
def test_an_interrupted_test_leaves_nothing(tmp_path: Path, number: signal.Signals, status: int) -> None:
    """The container and the temporary tag are gone when the command ends, and it shows no traceback."""
    with under_test(source(tmp_path, step='Cmd.exec("sleep", "300")')) as child:
        assert temporary_tags(child.pid)
        child.send_signal(number)
        output, error = child.communicate(timeout=60)

    assert (status, "") == (child.returncode, output)
    assert "Traceback" not in error
    assert [] == left_by(child.pid)


@pytest.mark.engine
def test_what_a_killed_test_leaves_is_swept_by_the_next(tmp_path: Path) -> None:
    """Nothing can be done against SIGKILL; the next run on the machine cleans up."""
    with under_test(source(tmp_path, step='Cmd.exec("sleep", "300")')) as child:
        child.kill()
        child.communicate(timeout=60)
    assert 1 == len(containers_of(child.pid))
    assert temporary_tags(child.pid)

    with DockerSdk() as runner:
        runner.sweep()
    assert [] == left_by(child.pid)


# --- streams and folders that are not as usual


@pytest.mark.engine
@pytest.mark.parametrize(("path", "status"), [("/healthz", 0), ("/nothere", 1)])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_the_stream_has_no_character_for(tmp_path: Path, encoding: str, path: str, status: int) -> None:
    """It is written as an escape; the exit code is that of the checks."""
    file = source(tmp_path, path=path, step='Run("echo \'{\\"é…\\": 1}\' > /www/other"),\n    ' + SERVE)
    text = file.read_text().replace("    checks=[", '    checks=[HttpCheck("GET", "/other", json={"é…": ...}), ')
    file.write_text(text if status == 0 else text.replace('"é…": ...', '"é…": "\\ud800"'))
    done = subprocess.run(
        [sys.executable, "-m", "dockdsl", "test", str(file), "--progress", "quiet"],
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    said = done.stdout.decode(encoding)

    assert status == done.returncode, done.stderr
    assert b"Traceback" not in done.stderr
    assert f"{'2' if status == 0 else '0'} of 2 checks passed" in said
    if status:
        assert "\\ud800" in said
        assert ("é" if encoding != "ascii" else "\\xe9") in said


def without_reader(arguments: list[str], *streams: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with the named streams, ``stdout`` and ``stderr``, leading to a reader that went away."""
    ends = [os.pipe() for _ in streams]
    for reading, _ in ends:
        os.close(reading)
    given = {name: end[1] for name, end in zip(streams, ends, strict=True)}
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "dockdsl", *arguments],
            stdout=given.get("stdout", subprocess.PIPE),
            stderr=given.get("stderr", subprocess.PIPE),
            text=True,
        ) as child:
            output, error = child.communicate(timeout=120)
            return subprocess.CompletedProcess([], child.returncode, output, error)
    finally:
        for _, writing in ends:
            os.close(writing)


@pytest.mark.engine
def test_a_build_whose_progress_nobody_reads(tmp_path: Path, tag: str) -> None:
    """It runs to its end, and prints the id."""
    done = without_reader(["build", str(source(tmp_path, tag=tag)), "--no-cache"], "stderr")

    assert (0, f"{inspect(tag)['Id']}\n") == (done.returncode, done.stdout)


@pytest.mark.engine
@pytest.mark.parametrize("streams", [("stdout",), ("stderr",), ("stdout", "stderr")])
@pytest.mark.parametrize(("path", "status"), [("/healthz", 0), ("/nothere", 1)])
def test_a_test_that_nobody_reads(tmp_path: Path, streams: tuple[str, ...], path: str, status: int) -> None:
    """The exit code says how it ended."""
    assert status == without_reader(["test", str(source(tmp_path, path=path))], *streams).returncode


def test_a_failing_build_that_nobody_reads(tmp_path: Path) -> None:
    """The exit code is that of a context that is missing."""
    file = tmp_path / "x.py"
    file.write_text('from dockdsl import *\nimage = Image(Dockerfile(Stage("scratch")), context="nosuch")\n')
    assert 2 == without_reader(["build", str(file)], "stdout").returncode


@pytest.mark.engine
def test_a_context_that_is_missing(tmp_path: Path) -> None:
    """The message points to the Image."""
    file = tmp_path / "x.py"
    file.write_text('from dockdsl import *\n\nimage = Image(Dockerfile(Stage("scratch")), context="nosuch", port=1)\n')
    for verb in ("build", "test"):
        done = dockdsl(verb, file)
        assert (2, "") == (done.returncode, done.stdout)
        assert done.stderr.startswith(f"{file}:3: error: build: the context {tmp_path}/nosuch is not a folder")


def test_a_file_that_bears_the_name_of_the_sdk(tmp_path: Path) -> None:
    """What would be imported instead of the SDK is named."""
    file = source(tmp_path).rename(tmp_path / "docker.py")
    done = subprocess.run(
        [sys.executable, "-m", "dockdsl", "test", file.name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )

    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr == (
        "error: run: docker.py is imported as docker instead of the docker SDK for Python; rename that file\n"
    )


# --- streams that cannot be written, and engines that are none


def shell(line: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which "$@" is the command line with its arguments."""
    argv = ["sh", "-c", line, "sh", sys.executable, "-m", "dockdsl", *map(str, arguments)]
    env = {**os.environ, **environment}
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120, env=env)


@pytest.mark.engine
def test_no_room_for_what_is_shown(tmp_path: Path, tag: str) -> None:
    """A build whose events cannot be written continues, and its id is printed."""
    done = shell('"$@" 2> /dev/full', "build", source(tmp_path, tag=tag))

    assert (0, "") == (done.returncode, done.stderr)
    assert f"{inspect(tag)['Id']}\n" == done.stdout


@pytest.mark.engine
@pytest.mark.parametrize("verb", ["build", "test"])
def test_no_room_for_the_result(tmp_path: Path, tag: str, verb: str) -> None:
    """It is reported, and is not a success."""
    file = source(tmp_path, tag=tag)
    done = shell('"$@" > /dev/full', verb, file, "--progress", "quiet")

    assert 2 == done.returncode
    assert "error: stdout: it cannot be written to (No space left on device); redirect it elsewhere\n" == done.stderr


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("verb", ["gc", "test"])
@pytest.mark.parametrize("address", ["tcp://[::1", "tcp://a:b:c", "tcp://127.0.0.1:99999"])
def test_an_address_that_is_none(tmp_path: Path, verb: str, address: str) -> None:
    """It is reported with what says so, and is a matter of the set-up."""
    arguments = [source(tmp_path)] if verb == "test" else []
    done = shell('"$@"', verb, *arguments, DOCKER_HOST=address)

    assert (2, "") == (done.returncode, done.stdout)
    assert re.fullmatch(
        r"error: run: DOCKER_HOST has the invalid address \S+ \(.+\); write unix:///PATH, .+\n", done.stderr
    )


@pytest.mark.engine
def test_an_address_that_is_none_for_a_build(tmp_path: Path) -> None:
    """The words are those of buildx, the meaning is the same."""
    done = shell('"$@"', "build", source(tmp_path), DOCKER_HOST="tcp://[::1")

    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("error: build: the address of the container engine cannot be read (")


@pytest.mark.usefixtures("apart")
def test_something_else_at_the_engines_address(tmp_path: Path) -> None:
    """What does not speak HTTP is reported as such."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()

        def greet() -> None:
            with contextlib.suppress(OSError):
                while True:
                    with listening.accept()[0] as each:
                        # Who only looks whether anybody listens says nothing.
                        if each.recv(1 << 16):
                            each.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        greeting = threading.Thread(target=greet)
        greeting.start()
        done = shell('"$@"', "gc", DOCKER_HOST=f"unix://{tmp_path}/s")
        listening.shutdown(socket.SHUT_RDWR)
        greeting.join(10)

    assert (2, "") == (done.returncode, done.stdout)
    assert "does not answer (what answers there does not speak HTTP); start it, or check DOCKER_HOST\n" in done.stderr


@pytest.mark.engine
def test_a_sweep_with_nothing_to_do() -> None:
    """The verb that has the name of a module of Python ends well, too."""
    done = shell('"$@"', "gc", "--dry-run")

    assert 0 == done.returncode, done.stderr
