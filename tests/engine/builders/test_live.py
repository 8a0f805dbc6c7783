"""Watching a build: in a real terminal, and without one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import secrets
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockdsl.engine.builders import live
from dockdsl.engine.builders.progress import Account
from dockdsl.engine.building import BuildEvent
from dockdsl.errors import EngineUnavailable
from dockdsl.secrecy import without_sequences
from tests.engine.helpers import BUSYBOX, wait_until

FILE = """\
from dockdsl import *

steps = "echo {mark}; sleep {seconds}; echo halfway; sleep {seconds}; exit {status}"
# The flags are longer than what is shown of a step.
cache = Cache("/var/cache/a/folder/with/a/long/name", id="{mark}")
slow = Stage({image!r}, name="slow", steps=[Run(steps, mounts=[cache])])
image = Image(Dockerfile(Stage("scratch", name="api", steps=[Copy("/bin/true", "/true", from_=slow)])))
"""


class Gone(Exception):
    """The terminal is to be closed now."""


HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
UP = "\x1b[1A"


def source(folder: Path, status: int = 0, seconds: int = 1) -> tuple[Path, str]:
    """Write a file with an Image whose step sleeps twice; return it, and what the step prints first."""
    mark = secrets.token_hex(6)
    file = folder / "slow.py"
    file.write_text(FILE.format(image=BUSYBOX, mark=mark, status=status, seconds=seconds))
    return file, mark


def end_sleep(mark: str) -> None:
    """End what the step with this mark waits for: it is a process of this machine."""

    def is_ended() -> bool:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if path.read_bytes().startswith(b"/bin/sh\0-c\0echo " + mark.encode()):
                    for child in (path.parent / "task" / path.parent.name / "children").read_text().split():
                        # Of other signals the shell writes a line of its own, which may come after the next echo.
                        os.kill(int(child), signal.SIGPIPE)
                        return True
        return False

    wait_until(is_ended)


def in_terminal(
    arguments: list[str], *, columns: int = 100, watch: Callable[[str, int], None] | None = None, **environment: str
) -> tuple[int, str, str]:
    """Run the command line with stderr in a terminal of its own; return its status, stdout, and what the terminal got.

    `watch` is called with all that the terminal has got so far and the process, each time when more comes; the terminal
    is closed when it raises `Gone`.
    """
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    with subprocess.Popen(
        [sys.executable, "-m", "dockdsl", *arguments],
        stdout=subprocess.PIPE,
        stderr=far,
        text=True,
        env={**env, "TERM": "xterm-256color", **environment},
    ) as child:
        os.close(far)
        shown = b""
        while True:
            try:
                piece = os.read(near, 1 << 16)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
            if watch is not None:
                try:
                    watch(shown.decode(errors="replace"), child.pid)
                except Gone:
                    break
        os.close(near)
        assert child.stdout is not None
        return child.wait(60), child.stdout.read(), shown.decode()


@pytest.mark.engine
def test_a_running_step_is_shown_with_its_last_line(tmp_path: Path) -> None:
    """Its line changes in place; when it is done it stays above, and the summary follows with the cursor back."""
    file, mark = source(tmp_path, seconds=120)
    lines = [f"| {mark}", "| halfway"]

    def go_on(shown: str, _: int) -> None:
        if lines and lines[0] in shown:
            lines.pop(0)
            end_sleep(mark)

    status, out, shown = in_terminal(["build", str(file)], watch=go_on)

    assert 0 == status, shown
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", out)
    assert shown.startswith(HIDE)
    assert re.search(rf"\d\.\ds  \[slow 2/2\] RUN echo {mark}; .{{0,60}} \| {mark}", shown)
    assert re.search(r"\[slow 2/2\] RUN echo .* \| halfway", shown)
    assert UP in shown
    last = shown[shown.rindex(SHOW) :]
    assert re.search(r"built the image in \d+\.\d s \(\d of 2 steps cached\), .* \(its layers ", last)
    assert re.search(r"  stage slow  \d+\.\d s \(0 of 1 steps cached\)\r\n", last)
    assert HIDE not in last


@pytest.mark.engine
def test_a_failing_step_in_a_terminal(tmp_path: Path) -> None:
    """The display is gone before the error is shown."""
    file, mark = source(tmp_path, status=3)
    status, out, shown = in_terminal(["build", str(file)], columns=60)
    # The word for what came of it has a colour.
    last = without_sequences(shown[shown.rindex(SHOW) :])

    assert (1, "") == (status, out)
    assert f"{file}:6: error: build step [slow 2/2] RUN echo {mark}" in last
    assert "halfway" in last
    assert "steps done" not in last


@pytest.mark.engine
def test_an_interrupted_build_gives_the_terminal_back(tmp_path: Path) -> None:
    """Ctrl-C shows the cursor again."""
    file, mark = source(tmp_path)
    sent: list[int] = []

    def interrupt(shown: str, pid: int) -> None:
        if f"| {mark}" in shown and not sent:
            sent.append(pid)
            os.kill(pid, signal.SIGINT)

    status, _, shown = in_terminal(["build", str(file)], watch=interrupt)

    assert 130 == status
    assert sent
    assert shown.rindex(SHOW) > shown.rindex(HIDE)
    assert shown.endswith("interrupted\r\n")


@pytest.mark.engine
@pytest.mark.parametrize(
    ("options", "environment"),
    [
        pytest.param([], {"NO_COLOR": "1"}, id="NO_COLOR"),
        pytest.param([], {"TERM": "dumb"}, id="dumb terminal"),
        pytest.param(["--progress", "plain"], {}, id="plain"),
    ],
)
def test_a_terminal_that_wants_no_display(tmp_path: Path, options: list[str], environment: dict[str, Any]) -> None:
    """Each event is a line, and nothing steers the terminal."""
    file, mark = source(tmp_path)
    status, _, shown = in_terminal(["build", str(file), *options], **environment)

    assert 0 == status
    assert "\x1b" not in shown
    assert f"[slow 2/2] | {mark}\r\n" in shown
    assert "[slow 2/2] | halfway\r\n" in shown


@pytest.mark.engine
def test_a_terminal_without_many_characters(tmp_path: Path) -> None:
    """What its encoding lacks is written as an escape, and the build continues."""
    file, _ = source(tmp_path)
    file.write_text(file.read_text().replace("halfway", "demi-tour à gauche…"))
    status, _, shown = in_terminal(["build", str(file), "--progress", "live"], PYTHONIOENCODING="ascii")

    assert 0 == status, shown
    assert r"demi-tour \xe0 gauche\u2026" in shown


@pytest.mark.engine
def test_without_a_terminal(tmp_path: Path) -> None:
    """A pipe gets lines; a display is had there only on demand."""
    file, mark = source(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "dockdsl", "build", str(file)], capture_output=True, text=True, timeout=120, check=False
    )

    assert 0 == done.returncode
    assert f"[slow 2/2] | {mark}\n" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.engine
def test_a_display_in_python_without_a_terminal(tmp_path: Path) -> None:
    """A file gets lines without the codes of a terminal."""
    _, mark = source(tmp_path)
    program = "from slow import image; from dockdsl.engine.builders.live import watch; image.build(progress=watch())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )

    assert 0 == done.returncode, done.stderr
    assert f"[slow 2/2] | {mark}\n" in done.stderr
    assert "\x1b" not in done.stderr


def test_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """A display that is asked for is refused with what to install."""
    monkeypatch.setattr("dockdsl.engine.builders.live.find_spec", lambda _: None)
    with pytest.raises(
        EngineUnavailable, match=r'not installed; run: pip install "dockdsl\[runner\]", or ask for plain'
    ):
        live.watch(force=True)
    assert not live.is_possible()


@pytest.mark.engine
def test_a_terminal_that_goes_away(tmp_path: Path) -> None:
    """What is shown to nobody fails nothing: the build continues to its end, and prints the id."""
    file, mark = source(tmp_path)
    gone: list[int] = []

    def close(shown: str, _: int) -> None:
        if f"| {mark}" in shown:
            gone.append(1)
            raise Gone

    status, out, _ = in_terminal(["build", str(file)], watch=close)

    assert gone
    assert (0, True) == (status, out.startswith("sha256:"))


WAITING = """\
import os, sys, time
from dockdsl import Dockerfile, Stage

dockerfile = Dockerfile(Stage("alpine:3.22"))
print("said by the file")
end = time.monotonic() + 50
while not os.path.exists("go") and time.monotonic() < end:
    time.sleep(0.02)
"""


def test_a_check_shows_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which file it is the turn of stands on one line, which is gone in the end; what a file prints stays."""
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("Dockerfile").write_text("FROM alpine:3.22\nCMD x\n")
    tmp_path.joinpath("waiting.py").write_text(WAITING)
    seen: list[str] = []

    def go_on(shown: str, _: int) -> None:
        found = re.search(r" {3}\d\.\ds  1 of 2 files  waiting\.py", shown)
        if found and "said by the file" in shown and not seen:
            seen.append(found[0])
            tmp_path.joinpath("go").touch()

    status, out, shown = in_terminal(["check", "."], watch=go_on)

    assert seen, shown
    assert (1, True) == (status, out.startswith("Dockerfile:2: warning: "))
    assert shown.startswith(HIDE)
    assert UP not in shown[: shown.rindex(SHOW)]
    assert shown[shown.rindex(SHOW) :].endswith("\x1b[2K1 finding in 2 files\r\n")


@pytest.mark.parametrize(
    ("source", "environment"),
    [("Dockerfile", {}), (".", {"NO_COLOR": "1"}), (".", {"TERM": "dumb"})],
    ids=["one file", "NO_COLOR", "dumb terminal"],
)
def test_a_check_without_a_display(
    source: str, environment: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file has none, and a terminal that wants none has the last line alone."""
    monkeypatch.chdir(tmp_path)
    for name in ("Dockerfile", "Dockerfile.other"):
        tmp_path.joinpath(name).write_text("FROM alpine:3.22\n")
    status, _, shown = in_terminal(["check", source], **environment)

    assert (0, f"0 findings in {'1 file' if source == 'Dockerfile' else '2 files'}\r\n") == (status, shown)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("RUN --mount=type=cache,target=/x --network=none make", "RUN make"),
        ("COPY --link --from=build /api /", "COPY /api /"),
        ("RUN make --jobs=2", "RUN make --jobs=2"),
        ('RUN --mount=type=secret,id=t ["/tool", "--x"]', 'RUN ["/tool", "--x"]'),
        ("RUN --help", "RUN --help"),
        ("[internal] load build context", "[internal] load build context"),
    ],
)
def test_a_label_has_no_flags(text: str, label: str) -> None:
    """Flags of an instruction are left out, those of a command are not."""
    assert label == BuildEvent("done", "[build 2/3]", text).label


def test_what_is_fetched_is_reported_in_bytes() -> None:
    """Statuses become events of the step or of what the engine does besides; junk in them is passed over."""
    events: list[BuildEvent] = []
    account = Account(events.append)
    for line in (
        '{"vertexes": [{"digest": "c", "name": "[internal] load build context", "started": "2026-01-01T00:00:00Z"}]}',
        '{"statuses": [{"vertex": "c", "id": "transferring context:", "current": 12300000}]}',
        '{"statuses": [{"vertex": "c", "current": 1000, "total": 2000}, {"vertex": "c", "current": "many"}, {}, 7]}',
        '{"statuses": [{"vertex": "c", "current": -1}, {"vertex": [], "current": 5}, {"vertex": "zz", "current": 5}]}',
        '{"vertexes": [{"digest": "c", "started": "2026-01-01T00:00:00Z", "completed": "2026-01-01T00:00:02Z"}]}',
        '{"statuses": [{"vertex": "c", "current": 5000}]}',
    ):
        account.feed(line)

    name = "[internal] load build context"
    assert [
        BuildEvent("status", name, ""),
        BuildEvent("status", name, "12.3 MB"),
        BuildEvent("status", name, "1 kB of 2 kB"),
        BuildEvent("status", name, "", 2.0),
    ] == events
