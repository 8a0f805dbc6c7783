"""Engines that die, freeze and run full in the midst of a run: what is reported, how it ends, and that nothing is left."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import from_env

from dockdsl.engine.runners import docker_sdk
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.engine.running import RunRequest
from dockdsl.errors import EngineUnavailable
from tests.engine.commands import running, source, steps_of
from tests.engine.helpers import BUSYBOX, Own, containers_of, docker, left_by, own_engine, wait_until

pytestmark = pytest.mark.engine

NEVER_READY = 'Cmd.exec("sleep", "300"),'


@pytest.fixture(scope="module")
def own() -> Iterator[Own]:
    """An engine with a small disk that nobody else uses."""
    with own_engine("96m") as engine:
        yield engine


def test_an_engine_that_is_restarted_during_a_test(own: Own, tmp_path: Path) -> None:
    """The test fails, since its container is gone; when the engine is back, the command tidies it before it ends."""
    with running("test", source(tmp_path, NEVER_READY), "--ready-timeout", "300") as child:
        wait_until(lambda: bool(containers_of(child.pid)))
        own.kill()
        own.start()
        output, error = child.communicate(timeout=60)

    assert (2, "") == (child.returncode, output), error
    assert "the container engine does not answer (" in error
    assert "see whether it still runs\n" in error
    assert [] == left_by(child.pid)


def test_an_engine_that_is_restarted_while_it_makes_a_container(own: Own, tmp_path: Path) -> None:
    """It may have made one whose id nobody was told: that one goes, too."""
    with (
        running("test", source(tmp_path, NEVER_READY), "--ready-timeout", "300") as child,
        contextlib.closing(from_env()) as engine,
    ):
        # The docker command is too slow for what lasts milliseconds.
        wait_until(lambda: bool(engine.api.containers(all=True)), pause=0.0)
        own.kill()
        own.start()
        output, error = child.communicate(timeout=60)

    assert (2, "") == (child.returncode, output), error
    assert [] == left_by(child.pid)


def test_an_engine_that_is_restarted_during_a_build(own: Own, tmp_path: Path) -> None:
    """The build fails with the engine's end as its cause, and nothing is left."""
    with running("test", source(tmp_path, steps_of("echo begun; sleep 300"))) as child:
        assert child.stderr is not None
        for line in child.stderr:
            if line.endswith("| begun\n"):
                break
        own.kill()
        own.start()
        output, error = child.communicate(timeout=60)

    assert (2, "") == (child.returncode, output), error
    assert "the container engine disconnected during the build" in error
    assert [] == left_by(child.pid)


def test_an_engine_that_freezes_during_a_test(own: Own, tmp_path: Path) -> None:
    """The command ends all the same; what it could not remove is removed by the next one."""
    with running("test", source(tmp_path, NEVER_READY), "--ready-timeout", "300", patience=4) as child:
        wait_until(lambda: bool(containers_of(child.pid)))
        with own.frozen():
            output, error = child.communicate(timeout=60)

    assert (2, "") == (child.returncode, output), error
    assert "the container engine did not answer in time; see what holds it up\n" in error
    with DockerSdk() as runner:
        # The engine may still be at what it was asked to remove before.
        wait_until(lambda: not (runner.sweep() or left_by(child.pid)))


@contextlib.contextmanager
def thawing(own: Own, seconds: float) -> Iterator[None]:
    """An engine that is frozen for some seconds, whatever the block does."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(own.frozen())
        timer = threading.Timer(seconds, stack.close)
        timer.start()
        try:
            yield
        finally:
            timer.join()


def test_an_engine_that_freezes_once(own: Own) -> None:
    """For the container that was asked then it is waited less; for the others, and the next ones, as ever."""
    request = RunRequest(image=BUSYBOX, command=["sleep", "300"])
    with DockerSdk(timeout=6) as runner, runner.start(request) as other:
        asked = runner.start(request)
        with own.frozen():
            for call, least, most in ((asked.state, 6, 30), (asked.remove, 2, 6)):
                begin = time.monotonic()
                with pytest.raises(EngineUnavailable, match="did not answer in time"):
                    call()
                assert least <= time.monotonic() - begin < most
        with thawing(own, 3.5):
            assert other.state().running
        with thawing(own, 3.5), runner.start(request) as another:
            assert another.state().running
        asked.remove()
        assert [other.id] == containers_of(os.getpid())


def test_an_engine_that_is_slow_to_save(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first byte may take longer than the answer to any other call, and not for ever."""
    with DockerSdk(timeout=2) as runner:
        image = runner.inspect(BUSYBOX)["Id"]
        with thawing(own, 4):
            assert sum(map(len, runner.save(image))) > 1 << 20
        monkeypatch.setattr(docker_sdk, "_SAVING", 1)
        words = f"save {image[7:19]}: the container engine sent nothing of the image for 1 s; see what holds it up"
        with own.frozen(), pytest.raises(EngineUnavailable, match=words):
            list(runner.save(image))


def test_ctrl_c_when_an_engine_is_frozen(own: Own, tmp_path: Path) -> None:
    """It is reported what is waited for; a second one ends the command, and what is left is removed by the next one."""
    with running("test", source(tmp_path, NEVER_READY), "--ready-timeout", "300", "--progress", "quiet") as child:
        wait_until(lambda: bool(containers_of(child.pid)))
        with own.frozen():
            child.send_signal(signal.SIGINT)
            assert child.stderr is not None
            assert child.stderr.readline().startswith("interrupted: waiting for the engine, to leave nothing behind; ")
            child.send_signal(signal.SIGINT)
            output, error = child.communicate(timeout=30)

    assert (130, "") == (child.returncode, output), error
    assert error.startswith("interrupted\n")
    with DockerSdk() as runner:
        wait_until(lambda: not (runner.sweep() or left_by(child.pid)))


@pytest.mark.parametrize("during", [False, pytest.param(True, marks=pytest.mark.long)])
def test_an_engine_that_freezes_during_a_build(own: Own, tmp_path: Path, during: bool) -> None:
    """A build is not waited for that nobody is working on."""
    with contextlib.ExitStack() as stack:
        if not during:
            stack.enter_context(own.frozen())
        child = stack.enter_context(running("build", source(tmp_path, steps_of("echo begun; sleep 300")), patience=4))
        if during:
            assert child.stderr is not None
            for line in child.stderr:
                if line.endswith("| begun\n"):
                    break
            stack.enter_context(own.frozen())
        output, error = child.communicate(timeout=60)

    assert (2, "") == (child.returncode, output), error
    assert "error: build: the container engine does not answer any more; see what holds it up" in error
    assert [] == left_by(child.pid)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        pytest.param(
            steps_of("dd if=/dev/zero of=/file bs=1M count=200"),
            r"/api.py:4: error: build step \[2/2\] (.*\n)*.*No space left on device",
            id="in a step",
        ),
        pytest.param('Copy("large", "/large"),', "error: build step .*: no space left on device", id="between steps"),
    ],
)
def test_a_full_disk_of_the_engine(own: Own, tmp_path: Path, steps: str, words: str) -> None:
    """It is reported; nothing is left, and the engine continues."""
    file = source(tmp_path, steps)
    with (tmp_path / "context" / "large").open("wb") as large:
        large.truncate(200 << 20)
    with running("test", file) as child:
        output, error = child.communicate(timeout=120)

    assert (1, "") == (child.returncode, output), error
    assert re.search(words, error)
    assert [] == left_by(child.pid)
    docker("buildx", "prune", "--all", "--force")
    # The engine gives the room back in its own time.
    command = ["docker", "run", "--rm", BUSYBOX, "true"]
    wait_until(lambda: subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0)
