"""Runs that are killed at any moment, that run at once, and whose containers print without end: nothing is left."""

from __future__ import annotations

import contextlib
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from dockdsl.engine.leftovers import orphans, owner
from dockdsl.engine.runners.docker_sdk import DockerSdk
from tests.engine.commands import FACTOR, running, source, steps_of
from tests.engine.helpers import BUSYBOX, containers_of, docker, inspect, left_by, temporary_tags, wait_until

SERVING = """
    Run.script("mkdir /www; echo hello > /www/index.html"),
    Arg("ROUND", "0"),
    Run("sleep 0.3; echo $ROUND"),
    Cmd.exec("httpd", "-f", "-p", "8080", "-h", "/www"),
"""


@pytest.mark.engine
@pytest.mark.parametrize(
    "print_it",
    [
        pytest.param("yes $(head -c 500 /dev/zero | tr -c x x) | head -c 100000000", id="lines"),
        pytest.param("head -c 100000000 /dev/zero | tr -c x x", id="one line"),
    ],
)
def test_a_container_that_prints_without_end(tmp_path: Path, print_it: str) -> None:
    """Of 100 MB the last lines are shown, and they are never all in memory."""
    file = source(tmp_path, f'Cmd.exec("sh", "-c", "{print_it}; echo; echo the end; exit 3"),')
    with running("test", file, "--ready-timeout", "120") as child:
        output, error = child.communicate(timeout=120)

    assert (1, "") == (child.returncode, output)
    assert "error: test " in error
    assert "the container exited with code 3 before it was ready; fix what it says\n" in error
    assert "\n  the end\n" in error
    assert 50_000 > len(error)
    assert 150 > int(error.split()[-2]), "MiB of memory"
    assert [] == left_by(child.pid)


@pytest.mark.engine
def test_a_step_that_prints_without_end(tmp_path: Path) -> None:
    """The engine cuts the output of a step; what comes of it is neither kept whole nor lost at its end."""
    file = source(tmp_path, steps_of("yes 0123456789abcdef0123456789abcdef | head -c 100000000; exit 3"))
    with running("build", file, "--progress", "quiet") as child:
        output, error = child.communicate(timeout=120)

    assert (1, "") == (child.returncode, output)
    assert f"{file}:4: error: build step [2/2] " in error
    assert 100_000 > len(error)
    assert 150 > int(error.split()[-2]), "MiB of memory"


@pytest.mark.engine
def test_a_full_disk_of_the_client(tmp_path: Path) -> None:
    """A folder for temporary files that has no room is passed over."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    file = source(tmp_path, SERVING)
    small = tmp_path / "small"
    small.mkdir()
    mounted = 'mount -t tmpfs -o size=8k tmpfs "$0" && { cat /dev/zero > "$0/full"; exec env TMPDIR="$0" "$@"; }'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted, small, sys.executable, "-m", "dockdsl", "build", file],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    assert done.stdout.startswith("sha256:")


@pytest.mark.parametrize("engine", ["buildx", "buildah"])
def test_no_room_for_temporary_files(tmp_path: Path, engine: str) -> None:
    """Where no file can be written at all, what is missing is named; nothing is built."""
    command = [sys.executable, "-m", "dockdsl", "build", str(source(tmp_path, SERVING)), "--builder-engine", engine]
    # The command is looked for before.
    tmp_path.joinpath(engine).symlink_to("/bin/true")
    tmp_path.joinpath("docker").symlink_to("/bin/true")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
        env={**environment, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(Path(__file__).parents[3])},
    )

    assert (2, "") == (done.returncode, done.stdout)
    assert re.fullmatch(r"\S+:\d+: error: build: no temporary folder can be made \(.+\); set TMPDIR .+\n", done.stderr)


class Ended(NamedTuple):
    """How a run of the command line ended."""

    pid: int
    status: int
    output: str
    error: str
    number: signal.Signals | None


def killed(verb: str, file: Path, number: signal.Signals | None, delay: float, group: bool) -> Ended:
    """Run a verb, send it a signal after a while, and wait for its end."""
    command = [sys.executable, "-m", "dockdsl", verb, str(file), "--build-arg", f"ROUND={secrets.token_hex(8)}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        try:
            if number is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(delay)
                if child.poll() is None:
                    (os.killpg if group else os.kill)(child.pid, number)
            output, error = child.communicate(timeout=300)
        finally:
            child.kill()
    return Ended(child.pid, child.returncode, output, error, number)


def builds_of(pids: set[int]) -> list[str]:
    """Return the docker commands that still build a temporary image of these processes."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = entry.read_bytes().decode(errors="replace").split("\0")
            tags = [owner.tag_owner(word.removeprefix("--tag=")) for word in words if word.startswith("--tag=")]
            found += [entry.parent.name for tag in tags if tag is not None and tag.pid in pids]
    return found


@pytest.mark.engine
@pytest.mark.parametrize(("verb", "words"), [("test", "1 of 1 checks passed"), ("size", " MB unpacked ")])
def test_runs_at_once_that_are_killed(tmp_path: Path, verb: str, words: str) -> None:
    """Eight at a time, killed at any moment: what ends itself leaves nothing, the rest goes with the next sweep.

    Nothing of anybody else is touched. ``make test-long`` kills 200 of them.
    """
    file = source(tmp_path, SERVING)
    seed = secrets.randbelow(2**32)
    dice = random.Random(seed)
    name = f"dockdsl-bystander-{secrets.token_hex(4)}"
    bystander = docker("run", "--detach", "--name", name, "--volume", f"{name}:/data", BUSYBOX, "sleep", "3000")
    begin = time.monotonic()
    first = [killed(verb, file, None, 0, False)]
    usual = time.monotonic() - begin
    total = 8 if FACTOR == 1 else 200
    signals = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
    runs = [
        # Eight at once take their time.
        (verb, file, signals[index % 3], dice.uniform(0, usual * (4 if index % 8 else 1)), dice.random() < 0.5)
        for index in range(total)
    ]
    try:
        with ThreadPoolExecutor(8) as threads:
            ended = list(threads.map(lambda run: killed(*run), runs))
        reported = "\n".join(f"{each.number}: {each.status} {each.error[-300:]!r}" for each in ended)
        print(f"seed {seed}, a run takes {usual:.1f} s\n{reported}")
        for each in first:
            assert (0, "") == (each.status, each.error[:0]), each.error
        for each in ended:
            if each.number is None or each.status == 0:
                assert 0 == each.status
                assert words in each.output
            else:
                # A signal that comes before the command line has begun ends Python itself, in a way of its own.
                begun = "dockdsl" in each.error or "interrupted" in each.error
                assert each.status in (128 + each.number, -each.number) or not begun, each
                assert "failed inside itself" not in each.error
        assert [] == left_by(*(each.pid for each in ended if each.number is not signal.SIGKILL))
        orphans.sweep()
        assert [] == builds_of({each.pid for each in ended})
        with DockerSdk() as runner:
            runner.sweep()
        assert [] == left_by(*(each.pid for each in ended))
        assert bystander in docker("ps", "--quiet", "--no-trunc").split()
        assert name in docker("volume", "ls", "--quiet").split()
    finally:
        docker("rm", "--force", bystander)
        docker("volume", "rm", name)


@pytest.mark.engine
@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_temporary_file_outlives_the_build_and_gc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """Nor does one that buildx has made for itself."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    file = source(tmp_path, steps_of("sleep 300"))
    for delay in range(5):
        with running("build", file, "--progress", "quiet") as child:
            # Python itself tries the folder with a file of no name that is ours, and a kill may come in between.
            wait_until(lambda: any(place.glob(f"{owner.FOLDER}*")))
            time.sleep(delay / 20)
            child.send_signal(number)
            child.communicate(timeout=60)
    with running("gc") as cleaning:
        cleaning.communicate(timeout=60)

    assert [] == list(place.iterdir())


@pytest.mark.engine
def test_the_volumes_of_a_container_whose_run_was_killed(tmp_path: Path) -> None:
    """Those without a name go with it."""
    file = source(tmp_path, 'Volume("/data"), Cmd.exec("sleep", "300"),')
    with running("test", file, "--ready-timeout", "120") as child:
        wait_until(lambda: any(inspect(each, "container")["State"]["Running"] for each in containers_of(child.pid)), 60)
        (container,) = containers_of(child.pid)
        (mount,) = inspect(container, "container")["Mounts"]
        child.kill()
    assert mount["Name"] in docker("volume", "ls", "--quiet").split()
    with DockerSdk() as runner:
        runner.sweep()

    assert mount["Name"] not in docker("volume", "ls", "--quiet").split()
    assert ([], set()) == (containers_of(child.pid), temporary_tags(child.pid))


@pytest.mark.engine
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)]
)
def test_a_measurement_that_is_killed(tmp_path: Path, number: signal.Signals, status: int) -> None:
    """The temporary image goes when the command ends, or with the next measurement after one that could do nothing."""
    file = source(tmp_path, steps_of("head -c 100000000 /dev/urandom > /random"))
    with running("size", file, "--compressed", "--progress", "quiet") as child:
        # The build has ended when its folder is gone.
        wait_until(lambda: bool(tags := temporary_tags(child.pid)) and sorted(tags) == left_by(child.pid))
        child.send_signal(number)
        output, error = child.communicate(timeout=60)

    assert (status, "") == (child.returncode, output)
    assert "Traceback" not in error
    if number is signal.SIGKILL:
        assert temporary_tags(child.pid)
        with running("size", source(tmp_path, steps_of("true")), "--progress", "quiet") as following:
            following.communicate(timeout=60)
        assert 0 == following.returncode
    assert [] == left_by(child.pid)


@pytest.mark.engine
def test_eight_at_once(tmp_path: Path) -> None:
    """They pass, each with a port and an image of its own, and nothing is left of them."""
    file = source(tmp_path, SERVING)
    with ThreadPoolExecutor(8) as threads:
        ended = list(threads.map(lambda _: killed("test", file, None, 0, False), range(8)))

    assert "" == "".join(f"{each.status}: {each.output}{each.error}" for each in ended if each.status)
    assert [] == left_by(*(each.pid for each in ended))
