"""Commands that build: what they print as it comes, how long they may take, and that nothing of them stays running."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import IO

from dockdsl.errors import EngineUnavailable

GRACE = 10.0
"""Seconds that a command has to end after SIGTERM."""


class OutOfTime(Exception):
    """The command did not finish in time."""


class Clock:
    """The seconds that a build has taken, and those that are left of its limit."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._begin = time.monotonic()

    def spent(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._begin

    def left(self) -> float:
        """Return the seconds that are left. Raises `OutOfTime` where the time is up."""
        left = self._seconds - self.spent()
        if left <= 0:
            raise OutOfTime
        return min(left, threading.TIMEOUT_MAX)


class Running:
    """A command that runs."""

    def __init__(self, process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
        self.process = process
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.reader = threading.Thread(target=self._read, args=(output,), name="dockdsl-build", daemon=True)
        self.reader.start()

    def _read(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                self._lines.put(line.decode("utf-8", "replace"))
        self._lines.put(None)

    def line(self, seconds: float) -> str | None:
        """Return the next line, None at the end. Raises `OutOfTime`."""
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            raise OutOfTime from None

    def wait(self, seconds: float) -> int:
        """Return the exit code. Raises `OutOfTime`."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise OutOfTime from None


def end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """End a process, by force where it has not ended after this time."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def environment(variables: Mapping[str, str | None]) -> dict[str, str]:
    """Return this process's variables with others set, or, where they are None, unset."""
    # It has secrets in it: it stays in no variable of a function that lives on, which a traceback would show.
    return {name: value for name, value in {**os.environ, **variables}.items() if value is not None}


@contextlib.contextmanager
def started(
    argv: list[str],
    stdin: IO[bytes] | None = None,
    variables: Mapping[str, str | None] = {},
    *,
    with_stdout: bool = False,
    stdout: IO[bytes] | None = None,
    folder: str | None = None,
) -> Iterator[Running]:
    """Start a command in a folder, and leave nothing of it running, whatever ends the block.

    Its lines are those of its stderr, and of its stdout too if `with_stdout`; else that goes to the file `stdout`, or
    nowhere. A variable that is None is unset.

    Raises `EngineUnavailable` where it cannot be run.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - a list of arguments, no shell
            argv,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE if with_stdout else stdout or subprocess.DEVNULL,
            stderr=subprocess.STDOUT if with_stdout else subprocess.PIPE,
            env=environment(variables),
            cwd=folder,
            # A plugin is a process of its own: with a group they can be ended together.
            process_group=0,
        )
    except OSError as error:
        raise EngineUnavailable(f"build: {argv[0]} cannot be run ({error.strerror}); check its installation") from None
    output = process.stdout if with_stdout else process.stderr
    assert output is not None
    running = Running(process, output)
    try:
        yield running
    finally:
        if process.poll() is None:
            end(process, GRACE)
            # A plugin that waits for a silent engine does not see that the command is gone.
            running.reader.join(GRACE / 10)
            if sys.platform != "win32":
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
        running.reader.join(GRACE)
