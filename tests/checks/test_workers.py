"""Containers that are not asked over HTTP whether they are ready: by their health, or by a line that they print."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dockdsl import (
    CheckFailed,
    Cmd,
    Dockerfile,
    GracefulShutdown,
    Hardened,
    Healthcheck,
    Healthy,
    HttpCheck,
    Image,
    Instruction,
    InvalidType,
    InvalidValue,
    Printed,
    RunFailed,
    Stage,
    StartupBudget,
    User,
)
from dockdsl.checks.check import Check
from dockdsl.engine.fake import FakeBuilder, FakeCommand, FakeResponse, FakeRunner
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.engine.running import LONGEST_OUTPUT
from tests.engine.helpers import BUSYBOX, containers_of, free_port, inspect, left_by, temporary_tags, wait_until

WORK = "echo starting; sleep 0.5; echo connected to db:5672 >&2; touch /tmp/up; trap 'exit 0' TERM; sleep 300 & wait"
HEALTH = {"Config": {"Healthcheck": {"Test": ["CMD", "probe"]}}}


def worker(command: str = WORK, *steps: Instruction, **options: Any) -> Image:
    """Return an image that runs a script, and listens on nothing."""
    stage = Stage(BUSYBOX, steps=[Cmd.exec("sh", "-c", command), *steps])
    return Image(Dockerfile(stage), **{"ready": Printed("connected"), **options})


def judged(image: Image, runner: Any) -> list[str]:
    """Test an image; return the line of each check without its time, whether it passes or not."""
    lines: list[str] = []
    try:
        image.test(runner=runner, report=lambda result: lines.append(str(result)))
    except CheckFailed:
        assert any(line.startswith("FAIL") for line in lines)
    return [re.sub(r" \([\d.]+ m?s\)", "", line) for line in lines]


def failure(image: Image, runner: Any) -> RunFailed:
    """Test an image that does not get ready; return the error."""
    with pytest.raises(RunFailed) as caught:
        image.test(runner=runner)
    assert image.origin == caught.value.origin
    return caught.value


# --- ready


@pytest.mark.engine
@pytest.mark.parametrize(
    "pattern",
    [pytest.param("^starting$", id="stdout"), pytest.param(r"^connected to \w+:\d+$", id="stderr")],
)
def test_ready_by_a_line(runner: DockerSdk, pattern: str) -> None:
    """A worker without a port is started for its checks when it has printed the line, on either stream."""
    checks: list[Check] = [Printed("connected"), Printed("^starting"), StartupBudget(60)]
    report = worker(ready=Printed(pattern), checks=checks).test(runner=runner)

    assert report.ok
    assert ["printed connected", "printed ^starting", "start-up"] == [each.title for each in report.results]
    assert report.ready is not None


@pytest.mark.engine
@pytest.mark.parametrize("port", [None, 8080])
def test_ready_by_health(runner: DockerSdk, port: int | None) -> None:
    """The image's own health check is run until it passes, and not once more at the end; nothing speaks HTTP."""
    step = Healthcheck("echo asked >> /tmp/asked; test -e /tmp/up", interval="1h")
    with worker(WORK, step, ready=Healthy(), port=port).built(runner=runner) as built, built.start() as running:
        # It is printed before the file is made that the command looks for.
        assert "connected to db:5672" in running.logs()
        running.check(Healthy())
    assert [] == judged(worker(WORK, step, ready=Healthy(), port=port), runner)


@pytest.mark.engine
def test_never_healthy(runner: DockerSdk) -> None:
    """The error has code and output of the last run, and the log of the container."""
    step = Healthcheck("echo not yet; exit 3")
    found = failure(worker(WORK, step, ready=Healthy(), timeout=3), runner)

    assert re.fullmatch(
        r"test \S+: the container was not ready after 3 s: expected exit code 0 of \"/bin/sh -c 'echo not yet; "
        r"exit 3'\", got 3 after \d+ runs in [\d.]+ s; it printed 'not yet'; see why it fails, or allow it more time",
        found.message.partition("\n")[0],
    )
    assert "connected to db:5672" in found.log


@pytest.mark.engine
def test_a_health_check_that_hangs(runner: DockerSdk) -> None:
    """It does not outlast the time that the image has."""
    step = Healthcheck.exec("sh", "-c", "echo asking; sleep 600", timeout="10m")
    found = failure(worker(WORK, step, ready=Healthy(), timeout=2), runner)

    assert " to end within 2 s, but it was still running, after 1 run in " in found.message
    assert "; it printed 'asking'; let it end sooner, or allow it more time\n" in found.message


@pytest.mark.engine
@pytest.mark.parametrize(
    ("steps", "words"),
    [
        pytest.param([], r"expected a HEALTHCHECK, got none; add Healthcheck\.exec\(…\) to the stage", id="none"),
        pytest.param(
            [Healthcheck.exec("curl")],
            "got 127 after 1 run in .* s; .*cause: the stage has no program curl; fix: install it in",
            id="nothing to run",
        ),
    ],
)
def test_a_health_that_cannot_be_asked(runner: DockerSdk, steps: list[Instruction], words: str) -> None:
    """It is not waited for."""
    found = failure(worker(WORK, *steps, ready=Healthy(required=False), timeout=300), runner)

    assert re.search(rf"the container cannot get ready: .*{words}", found.message)


@pytest.mark.engine
def test_the_line_never_comes(runner: DockerSdk) -> None:
    """The error says what came instead."""
    found = failure(worker(ready=Printed("joined"), timeout=2), runner)

    assert re.search(
        r"the container was not ready after 2 s: expected a line with a match of 'joined', got none within 2 s; "
        r"it printed '.*connected to db:5672.*'; see what it waits for, or allow it more time\n",
        found.message,
    )


@pytest.mark.engine
@pytest.mark.parametrize("ready", [Printed("joined"), Healthy()], ids=["line", "health"])
@pytest.mark.parametrize("code", [0, 7])
def test_a_worker_that_ends_too_early(runner: DockerSdk, ready: Printed | Healthy, code: int) -> None:
    """It is said at once, whatever the code."""
    found = failure(worker(f"echo bye; exit {code}", Healthcheck("exit 1"), ready=ready, timeout=300), runner)

    assert f": the container exited with code {code} before it was ready; " in found.message
    assert ("bye",) == found.log


@pytest.mark.engine
def test_a_worker_that_ends_with_its_line(runner: DockerSdk) -> None:
    """To have said the line is not enough: it must run."""
    found = failure(worker("echo connected; exit 0"), runner)

    assert "the container exited with code 0 before it was ready" in found.message


class Stop(Check):
    """Ends the worker."""

    title = "stop"
    needs_server = True

    def examine(self, subject: Any) -> Any:
        """Ask it to end."""
        subject.server.stop()
        return self.result()


class Filled(Check):
    """Waits until the worker has printed more than is read of it."""

    title = "filled"
    needs_server = True

    def examine(self, subject: Any) -> Any:
        """Ask what it printed."""
        wait_until(lambda: len(subject.server.output()[0]) >= LONGEST_OUTPUT, 120)
        return self.result()


@pytest.mark.engine
def test_a_worker_that_ends_meanwhile(runner: DockerSdk) -> None:
    """It must run to the end of the checks, of which each is reported."""
    lines: list[str] = []
    with pytest.raises(RunFailed, match="the container exited with code 0; see cause and fix below"):
        worker(checks=Stop()).test(runner=runner, report=lambda result: lines.append(str(result)))

    assert ["ok   stop"] == lines


# --- as a check


@pytest.mark.engine
def test_a_line_as_a_check(runner: DockerSdk) -> None:
    """It is waited for; where it does not come, what was printed is told. The health check comes last."""
    later = "echo connected; while true; do sleep 1; echo working; done"
    checks = [Printed("^working$", timeout=60), Printed("^idle$", timeout=1)]
    found = judged(worker(later, Healthcheck("true"), checks=checks), runner)

    assert "ok   printed ^working$" == found[0]
    assert found[1].startswith(
        "FAIL printed ^idle$: expected a line with a match of '^idle$', got none within 1 s; it "
    )
    assert "; it printed 'connected\\nworking" in found[1]
    assert f"; see what it waits for, or allow it a longer timeout ({checks[1].origin})" in found[1]
    assert "ok   healthy /bin/sh -c true" == found[2]


@pytest.mark.engine
def test_a_line_of_a_container_that_ended(runner: DockerSdk) -> None:
    """What it printed to its end counts; for what did not come nobody waits."""
    found = judged(worker(checks=[Stop(), Printed("starting"), Printed("never", timeout=3000)]), runner)

    assert ["ok   stop", "ok   printed starting"] == found[:2]
    assert "expected a line with a match of 'never', and the container exited with code 0; it printed '" in found[2]


@pytest.mark.engine
def test_a_worker_that_prints_without_end(runner: DockerSdk) -> None:
    """The first MiB is searched, and no more is read."""
    work = "echo ready; yes 0123456789 | head -c 2000000; echo connected; yes 0123456789"
    checks = [Filled(), Printed("connected", timeout=1)]
    found = judged(worker(work, ready=Printed("^ready$"), checks=checks), runner)

    assert "ok   filled" == found[0]
    assert " a match of 'connected' in the first MiB, got none within 1 s; it printed '…" in found[1]
    assert f"'; let it print less before ({checks[1].origin})" in found[1]


@pytest.mark.engine
def test_a_hardened_worker(runner: DockerSdk) -> None:
    """It gets ready with few rights."""
    work = "echo connected; exec sleep 300"

    assert ["ok   hardened user 7:8, read-only, no capabilities"] == judged(
        worker(work, User("7:8"), checks=Hardened()), runner
    )


# --- without a port


@pytest.mark.engine
def test_a_worker_that_is_started(runner: DockerSdk) -> None:
    """It has no URL, and answers no requests; the errors point to who asked."""
    with worker().built(runner=runner) as built, built.start() as running:
        assert running.state().running
        assert "connected to db:5672" in running.logs()
        for ask in (lambda: running.url, lambda: running.get("/")):
            with pytest.raises(
                InvalidValue, match="no port, so its container has no URL and answers no requests; pass"
            ):
                ask()
        with pytest.raises(
            CheckFailed, match="FAIL GET /: not asked, since the image has no port; pass the Image port="
        ):
            running.check(HttpCheck("GET", "/"))
        assert 0 == running.stop().exit_code
        built.check(Printed("connected"))


def said_at(host: str, port: int) -> bytes:
    """Return what a server says to who connects, nothing if it cannot be reached."""
    try:
        with socket.create_connection((host, port), 10) as connection:
            return connection.recv(100)
    except OSError:
        return b""


@pytest.mark.engine
def test_a_server_that_speaks_no_http(runner: DockerSdk) -> None:
    """With a port it is published, for whoever speaks its protocol."""
    serve = "echo up; exec nc -ll -p 7000 -e echo hello"
    image = worker(serve, port=7000, ready=Printed("^up$"))
    with image.built(runner=runner) as built, built.start() as running:
        host, _, port = running.url.removeprefix("http://").rpartition(":")
        wait_until(lambda: said_at(host, int(port)) == b"hello\n", 60)


def fake(image: Image, **options: Any) -> list[str]:
    """Test an image whose container prints, and runs on; return the titles of its checks."""
    command = lambda _: FakeCommand(None, b"connected\n")  # noqa: E731 - short
    report = image.test(FakeBuilder(), FakeRunner(**{"command": command, **options}))
    return [result.title for result in report.results]


def test_a_worker_without_an_engine() -> None:
    """The fake runner has workers, too; health is the last check unless it was what made it ready."""
    assert [] == fake(worker())
    assert ["healthy"] == fake(worker(), facts=HEALTH)
    assert [] == fake(worker(healthcheck=False), facts=HEALTH)
    assert [] == fake(worker(ready=Healthy()), facts=HEALTH)
    assert ["healthy"] == fake(worker(ready=Healthy(), checks=Healthy()), facts=HEALTH)
    log = FakeRunner(lambda _: FakeResponse(), log=("one", "two"))
    assert worker(port=1, ready=Printed("^two$"), checks=HttpCheck("GET", "/")).test(FakeBuilder(), log).ok


def test_what_needs_a_port() -> None:
    """A check that needs one is refused where the image is written, or says so when it is run."""
    stop = GracefulShutdown(HttpCheck("GET", "/"))
    for check in (HttpCheck("GET", "/"), stop):
        with pytest.raises(
            InvalidValue, match="needs a server, but no port is given; pass port=…, where its server lis"
        ):
            worker(checks=check)
    with pytest.raises(
        InvalidValue, match=r"needs a server, but no port is given; .*, or ready=Printed\(…\) if it listens"
    ):
        Image(Dockerfile(Stage("scratch")), checks=Printed("x"))
    for image, words in ((worker(), "the image has no port"), (worker(ready="/"), "no server runs")):
        for check in (HttpCheck("GET", "/"), stop):
            with pytest.raises(CheckFailed, match=f"not asked, since {words}"):
                image.test(FakeBuilder(), FakeRunner(command=lambda _: FakeCommand(None, b"connected")), checks=[check])


@pytest.mark.parametrize(
    ("ready", "kind", "words"),
    [
        pytest.param(Printed, InvalidType, "pass a path, HttpCheck(…), Healthy() or Printed(…)", id="class"),
        pytest.param(StartupBudget(1), InvalidType, "pass a path, HttpCheck(…), Healthy() or", id="another check"),
        pytest.param(None, InvalidType, "pass a path, HttpCheck(…), Healthy() or Printed(…)", id="None"),
        pytest.param("connected", InvalidValue, "'connected' does not start with a slash", id="no path"),
    ],
)
def test_what_makes_nothing_ready(ready: Any, kind: type[Exception], words: str) -> None:
    """It is refused, with what is possible."""
    with pytest.raises(kind, match=re.escape(words)):
        worker(ready=ready)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        pytest.param(lambda: Printed("("), InvalidValue, "Printed: pattern: '(' is not a regular expre", id="pattern"),
        pytest.param(lambda: Printed(["a"]), InvalidType, "Printed: pattern: ['a'] is a list; pass a str", id="type"),  # type: ignore[arg-type]  # on purpose
        pytest.param(lambda: Printed("a", timeout=0), InvalidValue, "Printed: timeout: 0", id="timeout"),
    ],
)
def test_lines_that_are_refused(make: Any, kind: type[Exception], words: str) -> None:
    """The message names class and field."""
    with pytest.raises(kind, match=re.escape(words)):
        make()


def test_a_search_that_takes_too_long() -> None:
    """It is ended, and told, and does not outlast the time by much."""
    printed = b"a" * 60 + b"!"
    with pytest.raises(RunFailed, match=r"the search for '\(a\+\)\+\$' took more than 1 s and was ended"):
        worker(ready=Printed("(a+)+$"), timeout=1).test(
            FakeBuilder(), FakeRunner(command=lambda _: FakeCommand(None, printed))
        )


# --- from the command line


def source(folder: Path, command: str = WORK) -> Path:
    """Write a file with a worker, and return its path."""
    file = folder / "worker.py"
    file.write_text(
        "from dockdsl import *\n"
        f"stage = Stage({BUSYBOX!r}, steps=[Cmd.exec('sh', '-c', {command!r})])\n"
        "image = Image(Dockerfile(stage), ready=Printed('connected'), checks=Printed('starting'))\n"
    )
    return file


def started(verb: str, file: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the command line."""
    command = [sys.executable, "-m", "dockdsl", verb, str(file), "--progress", "quiet", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.engine
def test_the_command_line_tests_a_worker(tmp_path: Path) -> None:
    """A line for each check, and the summary; nothing is left."""
    with started("test", source(tmp_path)) as child:
        output, error = child.communicate(timeout=120)

    assert (0, "") == (child.returncode, error)
    assert output.startswith("ok   printed starting (")
    assert re.search(r"\n1 of 1 checks passed; .*, ready in [\d.]+ s\n$", output)
    assert [] == left_by(child.pid)


@pytest.mark.engine
def test_a_worker_is_run(tmp_path: Path) -> None:
    """There is no URL on stdout; that it is ready, and its log, are on stderr, until it is asked to end."""
    with started("run", source(tmp_path)) as child:
        assert child.stderr is not None
        seen: list[str] = []
        while not {"the container is ready\n", "connected to db:5672\n"} <= set(seen):
            seen.append(child.stderr.readline())
            assert seen[-1], seen
        child.send_signal(signal.SIGTERM)
        output, error = child.communicate(timeout=60)

    assert (143, "") == (child.returncode, output), error
    assert [] == left_by(child.pid)


@pytest.mark.engine
def test_a_port_of_an_image_without_one(tmp_path: Path) -> None:
    """Both ends are to be given, and then it is published; the error comes before anything is built."""
    file, port = source(tmp_path, "echo connected; exec nc -ll -p 7000 -e echo hello"), free_port()
    with started("run", file, "--publish", str(port)) as child:
        output, error = child.communicate(timeout=60)
    assert (2, "") == (child.returncode, output)
    assert error.endswith(
        f"error: --publish {port}: the image has no port for it to lead to; write --publish {port}:CONTAINER\n"
    )

    with started("run", file, "--publish", f"{port}:7000") as child:
        wait_until(lambda: said_at("127.0.0.1", port) == b"hello\n", 60)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
    assert [] == left_by(child.pid)


@pytest.mark.engine
def test_what_is_left_of_a_worker_whose_run_was_killed(tmp_path: Path) -> None:
    """The next sweep removes it."""
    with started("test", source(tmp_path, "echo starting; sleep 300")) as child:
        wait_until(lambda: any(inspect(each, "container")["State"]["Running"] for each in containers_of(child.pid)), 60)
        child.kill()
        child.communicate(timeout=60)
    assert 1 == len(containers_of(child.pid))
    with DockerSdk() as runner:
        runner.sweep()

    assert ([], set()) == (containers_of(child.pid), temporary_tags(child.pid))
