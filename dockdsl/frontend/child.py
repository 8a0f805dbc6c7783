"""The user's file is run in a child process, which cannot reach BuildKit.

The child has no descriptor of the gateway, is another user than its parent, so that it cannot ask the system for those
of the parent, and has so much memory and time. What it reports is looked at as foreign text is.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import time
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from dockdsl.display import one_line
from dockdsl.errors import SourceError
from dockdsl.frontend.report import Crashed, Failed, Made, Said, read
from dockdsl.frontend.userfile import report

MEMORY, SECONDS = 1 << 30, 60
"""Bytes that a file may use, and how long it may run."""
_GRACE = 3
"""Seconds after which a file is ended that does not heed the end of its time."""
_PAUSE = 0.01
"""Seconds between two looks whether a child has ended."""
_LARGEST = 64 << 20
"""Bytes that are taken from a child, and that it may write into a file."""
_LONGEST_SAID = 1 << 16
"""Bytes of what the programs print that it starts."""
_PIECE = 1 << 16
_REPORT, _ABOVE = 3, 10
"""The descriptor of the child for its report, and where there is room for others meanwhile."""


def run(
    path: str, name: str | None, *, memory: int = MEMORY, seconds: float = SECONDS, user: int | None = None
) -> tuple[Made | Failed | Crashed, list[Said]]:
    """Run a Python file; return what it defines, or why it defines nothing, and what it printed.

    The path is an absolute one.
    `name` picks a Dockerfile where the file defines several. `user` is the number of the user that the file is run as,
    None the one that runs this.
    """
    reporting, saying = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _be_child(path, name, (reporting[1], saying[1]), memory, seconds, user)
    os.close(reporting[1])
    os.close(saying[1])
    try:
        reported, printed = _gathered(child, reporting[0], saying[0], time.monotonic() + seconds + _GRACE)
    finally:
        os.close(reporting[0])
        os.close(saying[0])
        status = _ended(child)
    found, notes = read(reported)
    if printed:
        notes.append(Said(printed.decode(errors="replace"), None))
    why = f"{_name(path)}: {_why(status, len(reported), seconds)}"
    return found or Failed(why, None), notes


def _gathered(child: int, report: int, said: int, deadline: float) -> tuple[bytes, bytes]:
    """Return what a child reports and prints, until it has ended or the time is over.

    What it has started may keep the pipes open, and is not waited for.
    """
    found = {report: bytearray(), said: bytearray()}
    waiting = select.poll()
    for each in found:
        waiting.register(each, select.POLLIN)
    while time.monotonic() < deadline and len(found[report]) <= _LARGEST:
        has_ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        is_full = len(found[said]) >= _LONGEST_SAID
        # What the child wrote is there by now.
        ready = {each for each, _ in waiting.poll(0 if has_ended else _PAUSE * 1000)}
        if has_ended and not ready - ({said} if is_full else set()):
            break
        for descriptor in ready:
            piece = os.read(descriptor, _PIECE)
            if descriptor == report or not is_full:
                found[descriptor] += piece
            if not piece:
                waiting.unregister(descriptor)
    return bytes(found[report]), bytes(found[said][:_LONGEST_SAID])


def _ended(child: int) -> int:
    """Return how a child ended; if it has not yet, it is killed, and so is what it has started."""
    # It may not have come to leading a group.
    for kill in (os.killpg, os.kill):
        with suppress(OSError):
            kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _why(status: int, reported: int, seconds: float) -> str:
    """Return why a child has reported nothing."""
    if reported > _LARGEST:
        return f"its Dockerfile is larger than {_LARGEST >> 20} MiB; write less into it"
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        fact = f"the program that ran it ended (exit {code}) without saying what the file defines"
        return f"{fact}; let it neither end that program nor close files that it has not opened"
    name = signal.Signals(-code).name
    if name in ("SIGKILL", "SIGXCPU"):
        return _late(seconds)
    return f"{name} ended the program that ran it; see what it does: python -m dockdsl FILE"


def _name(path: str) -> str:
    return one_line(os.path.basename(path))


def _late(seconds: float) -> str:
    return f"it has run for {seconds:g} s, which is all the time that it has in a build; take out what takes so long"


def _be_child(
    path: str, name: str | None, pipes: tuple[int, int], memory: int, seconds: float, user: int | None
) -> NoReturn:
    # The file may have another function in its place.
    end = os._exit
    try:
        _confine(pipes, memory, seconds, user)
        _set_alarm(path, seconds)
        report(_REPORT, path, name, memory)
    finally:
        end(0)


def _confine(pipes: tuple[int, int], memory: int, seconds: float, user: int | None) -> None:
    """Leave the child no descriptor but those of its report and its output, no rights, and so much memory and time."""
    os.setsid()
    reporting, saying = (fcntl.fcntl(each, fcntl.F_DUPFD, _ABOVE) for each in pipes)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (saying, 1), (saying, 2), (reporting, _REPORT)):
        os.dup2(source, target, inheritable=target != _REPORT)
    # Those that are open: a container may have a thousand million numbers, and an older kernel closes one at a time.
    for each in map(int, os.listdir("/proc/self/fd")):
        if each > _REPORT:
            with suppress(OSError):
                os.close(each)
    most = int(seconds) + _GRACE
    with open("/proc/self/statm", encoding="ascii") as file:
        own = int(file.read().split()[0]) * resource.getpagesize()
    for what, limit in (
        # What the frontend has itself is not the file's.
        (resource.RLIMIT_AS, own + memory),
        (resource.RLIMIT_CPU, most),
        (resource.RLIMIT_FSIZE, _LARGEST),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    for variable in [each for each in os.environ if each.startswith("BUILDKIT_")]:
        del os.environ[variable]
    if user is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)


def _set_alarm(path: str, seconds: float) -> None:
    """Let the file have an error at the line where it is when its time is over."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SourceError(f"{_name(path)}: {_late(seconds)}")

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
