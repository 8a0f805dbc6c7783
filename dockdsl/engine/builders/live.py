"""What happens right now, for a terminal: in a build, a line for each running step; in a check, the file."""
# ruff: noqa: PLC0415 - rich is an optional dependency, and is loaded when something is to be shown

from __future__ import annotations

import contextlib
import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, TextIO

import attrs

from dockdsl.display import cut, is_terminal, printable
from dockdsl.engine.building import BuildEvent, Progress, plain
from dockdsl.errors import EngineUnavailable

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

_COLORS = {"cached": "cyan", "failed": "bold red", "canceled": "yellow", "warning": "yellow"}
_INSTRUCTION = 50
"""How much of an instruction stands on the line of a running step, so that its output has a place beside it."""


def is_possible() -> bool:
    """Whether rich is installed."""
    return find_spec("rich") is not None


def watch(stream: TextIO | None = None, *, force: bool = False) -> Progress:
    """Return a callback that shows a build in a terminal: pass it as ``progress`` to `Image.build`.

    Below is a line for each step that runs, with its stage, its time and the last line that it printed, and one with
    the counts. Above them the steps that have ended stay, as `dockdsl.engine.building.plain` writes them.

    `stream`
        The terminal; None is stderr. Where it is not a terminal, or ``NO_COLOR`` is set, or ``TERM`` is ``dumb``, each
        event is a line of its own.
    `force`
        Whether it is taken for a terminal that shows everything, whatever it is.

    Raises `EngineUnavailable` where rich is not installed.
    """
    stream = stream or sys.stderr
    if not force and not is_terminal(stream):
        return plain(lambda line: print(line, file=stream, flush=True))
    if not is_possible():
        raise EngineUnavailable(
            "build: live progress needs rich, which is not installed; run: pip install "
            '"dockdsl[runner]", or ask for plain progress'
        )
    return _Watch(stream)


class _Watch:
    """The steps that run, and the display of them; it is there from the first event to the last one."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._live: Live | None = None
        self._running: dict[str, _Line] = {}
        self._done = self._cached = 0
        self._begin = 0.0
        self._is_gone = False

    def __call__(self, event: BuildEvent) -> None:
        if self._is_gone:
            return
        try:
            self._take(event)
        except OSError:
            # The terminal went away; the build does not.
            self._is_gone = True
            with contextlib.suppress(OSError):
                self._stop()

    def above(self, line: str) -> None:
        """Print a line that is not about the build above what is shown now."""
        if self._is_gone:
            return
        with contextlib.suppress(OSError):
            if self._live is None:
                print(line, file=self._stream or sys.stderr, flush=True)
            else:
                self._live.console.print(self._text(line, ""), soft_wrap=True)

    def _take(self, event: BuildEvent) -> None:
        if event.kind == "ended":
            self._stop()
            return
        if self._live is None:
            self._start()
        if event.kind == "started":
            self._running[event.step] = _Line(event.label)
        elif event.kind == "log":
            if event.step in self._running and event.text.strip():
                self._running[event.step].last = event.text
        elif event.kind == "status":
            self._status(event)
        else:
            self._running.pop(event.step, None)
            # A base image is not a step of the user's.
            if event.kind in ("done", "cached") and not event.text.startswith("FROM "):
                self._done += 1
                self._cached += event.kind == "cached"
            assert self._live is not None
            self._live.console.print(self._text(str(event), _COLORS.get(event.kind, "")), soft_wrap=True)

    def _status(self, event: BuildEvent) -> None:
        if event.seconds is not None:
            self._running.pop(event.step, None)
        elif event.step in self._running:
            self._running[event.step].last = event.text
        else:
            self._running[event.step] = _Line("", event.text)

    def _start(self) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream, stderr=self._stream is None, force_terminal=True, highlight=False)
        self._begin = time.monotonic()
        self._live = Live(
            console=console,
            get_renderable=self._shown,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def _stop(self) -> None:
        if self._live is not None:
            self._running.clear()
            self._live.stop()
            self._live = None

    def _shown(self) -> Text:
        """Return the lines below; it is called in a thread of its own."""
        now = time.monotonic()
        # Threads take turns between two lines of Python, not within list().
        lines = [line.shown(name, now) for name, line in list(self._running.items())]
        took = now - self._begin
        lines.append(f"{took:6.1f}s  {self._done} steps done, {self._cached} of them cached")
        return self._text("\n".join(lines), "")

    def _text(self, text: str, style: str) -> Text:
        from rich.text import Text

        encoding = (self._live.console.encoding if self._live is not None else None) or "utf-8"
        known = "\n".join(printable(line) for line in text.split("\n")).encode(encoding, "backslashreplace")
        return Text(known.decode(encoding), style=style, no_wrap=True, overflow="crop")


class FileWatch(_Watch):
    """Shows which of several files is being checked.

    It does so on one line: what a file itself prints into the terminal is not drawn over.
    """

    def turn(self, name: str, done: int, count: int) -> None:
        """Show a file, and how many of all are done."""
        self._running.clear()
        self(BuildEvent("status", f"{done} of {count} files  {name}", ""))

    def end(self) -> None:
        """Show nothing any more."""
        self(BuildEvent("ended", "", ""))

    def _shown(self) -> Text:
        took = time.monotonic() - self._begin
        return self._text(f"{took:6.1f}s  {''.join(list(self._running))}", "")


@attrs.define
class _Line:
    """A step that runs."""

    text: str
    last: str = ""
    begin: float = attrs.field(factory=time.monotonic)

    def shown(self, name: str, now: float) -> str:
        said = f" | {self.last}" if self.last else ""
        return f"{now - self.begin:6.1f}s  {name} {cut(self.text, _INSTRUCTION)}{said}".rstrip()
