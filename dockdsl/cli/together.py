"""Several objects at once: each is built by a process of its own, so that all of them can be ended as one is.

The processes share the engine and its cache. What they print is shown with the object's name before it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import IO, TYPE_CHECKING, Any

import attrs

from dockdsl.cli.streams import BY_SIGNAL, hidden, json_text, product, put, say, show, signal_of, write_data
from dockdsl.display import one_line
from dockdsl.engine.building import BuildEvent, Progress
from dockdsl.engine.leftovers.interrupts import ended_by_exception
from dockdsl.loading import environment
from dockdsl.selection import Selected

if TYPE_CHECKING:
    import argparse

    from dockdsl.image import Image

JOBS = 4
"""How many objects are worked on at the same time by default."""
_RECORD = "\x1e"
"""Begins a line of a part's stderr that is data, as in RFC 7464."""
_PATIENCE = 120.0
"""Seconds that a part has to tidy up after a signal; what it asks of the engine has bounds of its own."""


def record(kind: str, data: Any) -> None:
    """Tell the process that shows this part what it cannot read from text: an event of the build, results as XML."""
    write_data(f"{_RECORD}{json.dumps(hidden([kind, data]))}", sys.stderr)


def record_event(event: BuildEvent) -> None:
    """Tell an event of the build."""
    record("event", attrs.astuple(event))


def end_with_parent() -> None:
    """End this process as by SIGTERM when the one that started it is gone: their pipe is then closed."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            os.read(0, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def run_together(
    objects: list[Selected[Image]],
    options: argparse.Namespace,
    progress: Progress | None,
    finish: Callable[[list[Part], argparse.Namespace], object],
    *,
    relays: bool,
) -> int:
    """Run the verb for each object, call `finish`, print a summary, and return the highest exit code."""
    is_one_file = len({one.file for one in objects}) == 1
    parts = [Part(one, one_line(one.name if is_one_file else one.spec)) for one in objects]
    together = Together(parts, options.arguments, progress, relays=relays and not options.json)
    try:
        return together.run(options.jobs or JOBS)
    finally:
        finish(parts, options)
        if options.json:
            results = [{"object": each.one.spec, "exit_code": each.code, "result": each.data()} for each in parts]
            put(json_text({"ok": all(each.code == 0 for each in parts), "objects": results}))
        if options.progress != "quiet":
            for each in parts:
                say(each.line())
            say(f"{sum(each.code == 0 for each in parts)} of {len(parts)} objects are ok")


@attrs.define(eq=False)
class Part:
    """An object, and what came of it."""

    one: Selected[Image]
    label: str
    process: subprocess.Popen[str] | None = None
    code: int | None = None
    output: list[str] = attrs.field(factory=list)
    error: str = ""
    """The first line of the error that it reported."""
    junit: str | None = None

    def data(self) -> Any:
        """Return the JSON that it printed, None where it printed none."""
        with contextlib.suppress(ValueError):
            return json.loads("\n".join(self.output))
        return None

    def line(self) -> str:
        """Return what came of it, for people."""
        if name := signal_of(self.code):
            return f"FAIL {self.label}: ended by {name}"
        detail = self.error or (self.output[-1] if self.output and self.code else "")
        if self.code:
            return f"FAIL {self.label}: {detail or f'exit code {self.code}'}"
        return f"ok   {self.label}" if self.code == 0 else f"     {self.label}: not started"


class Together:
    """Runs a verb for each of some objects.

    `arguments`
        The user's own, with the verb.
    `progress`
        What shows the builds, None for nothing.
    `relays`
        Whether what they print on stdout is shown at once.
    """

    def __init__(self, parts: list[Part], arguments: list[str], progress: Progress | None, *, relays: bool) -> None:
        self.parts = parts
        self._arguments = arguments
        self._progress = progress
        # A display that changes has a place above it for lines.
        self._above: Callable[[str], object] = getattr(progress, "above", say)
        self._is_live = self._above is not say
        self._relays = relays
        self._writing = threading.Lock()
        self._starting = threading.Lock()
        self._is_ending = False

    def run(self, jobs: int) -> int:
        """Run all, as many at once, and return the highest of their exit codes."""
        with ended_by_exception(), ThreadPoolExecutor(jobs) as pool:
            futures = [pool.submit(self._run, part) for part in self.parts]
            try:
                wait(futures)
            except (KeyboardInterrupt, SystemExit) as ending:
                self._end(signal.SIGINT if isinstance(ending, KeyboardInterrupt) else int(str(ending.code)) - BY_SIGNAL)
                raise
            finally:
                if self._progress is not None:
                    self._progress(BuildEvent("ended", "", ""))
            for future in futures:
                future.result()
        return max(part.code or 0 for part in self.parts)

    def _end(self, number: int) -> None:
        """End all that runs, begin nothing more, and wait until they have tidied up; a second signal is theirs, too."""
        with self._starting:
            self._is_ending = True
        clock = threading.Timer(_PATIENCE, self._signal, [signal.SIGKILL])
        clock.daemon = True
        clock.start()
        while True:
            try:
                self._signal(number)
                for part in self.parts:
                    if part.process is not None:
                        part.process.wait()
                break
            except (KeyboardInterrupt, SystemExit):
                continue
        clock.cancel()

    def _signal(self, number: int) -> None:
        for part in self.parts:
            if part.process is not None:
                part.process.send_signal(number)

    def _run(self, part: Part) -> None:
        with self._starting:
            if self._is_ending:
                return
            part.process = process = subprocess.Popen(  # noqa: S603 - dockdsl itself
                [sys.executable, "-m", "dockdsl", self._arguments[0], f"--only={part.one.spec}", *self._arguments[1:]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                env=environment(),
            )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        # The pipe to its stdin stays open for as long as this process is there.
        with process.stdin:
            reader = threading.Thread(target=self._read_output, args=(part, process.stdout))
            reader.start()
            self._read_errors(part, process.stderr)
            reader.join()
            part.code = _exit_code(process.wait())

    def _read_output(self, part: Part, stream: IO[str]) -> None:
        for line in _lines(stream):
            part.output.append(line)
            if self._relays:
                with self._writing:
                    if self._is_live and (stdout := product()) is not None and stdout.isatty():
                        self._above(f"{part.label}: {line}")
                    else:
                        show(f"{part.label}: {line}")

    def _read_errors(self, part: Part, stream: IO[str]) -> None:
        for line in _lines(stream):
            if line.startswith(_RECORD):
                self._take(part, *json.loads(line[1:]))
                continue
            if not part.error and "error: " in line:
                part.error = line
            with self._writing:
                self._above(f"{part.label}: {line}")

    def _take(self, part: Part, kind: str, data: Any) -> None:
        if kind == "junit":
            part.junit = data
        elif self._progress is not None:
            event = BuildEvent(*data)
            with self._writing:
                # A finding and what is done besides the steps have no step.
                if event.kind == "warning":
                    self._above(f"{part.label}: {event}")
                else:
                    self._progress(attrs.evolve(event, step=f"{part.label}: {event.step}"))


def _lines(stream: IO[str]) -> Iterator[str]:
    with stream:
        for line in stream:
            yield line.rstrip("\n")


def _exit_code(code: int) -> int:
    return BY_SIGNAL - code if code < 0 else code
