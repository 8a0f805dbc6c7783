"""Builds that continue although the run that started them was killed, and their folders.

What builds writes to a pipe that nobody reads any more, and finds that out when it has something to say; a silent step
runs on. Its command line names a temporary folder, whose name says whose it is.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from pathlib import Path

import attrs

from dockdsl.engine.leftovers import owner

_GRACE = 10.0
"""Seconds that a build has to end after SIGTERM."""
_AFTERMATH, _PAUSE = 2.0, 0.01
"""Seconds that the steps of a build have to end after it, and between two looks at them."""
_RESULTS = ("--metadata-file=", "--iidfile=")
"""The options that lead into the temporary folder of a build."""


@attrs.frozen
class Orphan:
    """A process that still builds, and the run that it built for, which has ended."""

    pid: int
    command: str
    folder: Path
    """The temporary folder that its command line names."""
    whose: owner.Owner

    def __str__(self) -> str:
        return f"build {self.pid} ({self.command}) of process {self.whose.pid}"

    def end(self) -> bool:
        """End it as Ctrl-C would, so that the engine learns of it; by force where it ignores the signal.

        False says that it continues, or had ended by itself.
        """
        if sys.platform != "linux":
            return False
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:
            # From here on the number cannot become another process's.
            if _orphan(self.pid) != self:
                return False
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            if not _has_ended(handle):
                os.killpg(self.pid, signal.SIGKILL)
            ended = _has_ended(handle)
        except (ProcessLookupError, PermissionError):
            return False
        finally:
            os.close(handle)
        if ended:
            _await_the_last(self.pid)
        return ended


def orphans() -> list[Orphan]:
    """Return the builds of this user on this machine whose run has ended; where there is no ``/proc``, none."""
    try:
        pids = [int(each.name) for each in os.scandir("/proc") if each.name.isdecimal()]
    except OSError:
        return []
    return [found for found in map(_orphan, sorted(pids)) if found is not None]


def sweep() -> None:
    """End the builds of runs that were killed, and remove their folders; what cannot be removed stays."""
    folders = owner.left_folders()
    names = {each.name for each in folders}
    # Looking at all processes takes its time.
    for orphan in orphans() if folders else ():
        if orphan.folder.name in names:
            orphan.end()
    for folder in folders:
        owner.discard_folder(folder)


def _orphan(pid: int) -> Orphan | None:
    try:
        # What builds leads a group of its own; others may have its words on their command line.
        if sys.platform == "win32" or os.stat(f"/proc/{pid}").st_uid != os.geteuid() or os.getpgid(pid) != pid:
            return None
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode(errors="replace").split("\0")
    except OSError:
        return None
    if "build" not in words:
        return None
    for word in words:
        if word.startswith(_RESULTS):
            folder = Path(word.partition("=")[2]).parent
            whose = owner.folder_owner(folder.name)
            if whose is not None and whose.is_dead():
                return Orphan(pid, Path(words[0]).name, folder, whose)
    return None


def _has_ended(handle: int) -> bool:
    with contextlib.suppress(InterruptedError):
        return bool(select.select([handle], [], [], _GRACE)[0])
    return False


def _await_the_last(group: int) -> None:
    """Wait for the steps of a build that has ended: they end a moment after it."""
    # Not for long: a process that nobody reaps counts although it has ended.
    end = time.monotonic() + _AFTERMATH
    # It is raised when the last one is gone.
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(group, 0)
            time.sleep(_PAUSE)
