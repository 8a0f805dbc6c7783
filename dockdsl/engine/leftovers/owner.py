"""Whose container it is: labels that say which process made it, and whether that process still lives.

A container outlives the process that started it when that is killed. So each one is labelled with the host, the
boot, the process and the process's start; the next run on the same host removes what no living process owns. What
belongs to another host, to another boot, or to a process that cannot be seen from here, is never touched: a copy of a
machine has the same names, and differs in its boot alone. Images inherit the labels of a container, and containers
those of their image; so a container also has a label with its own name, which nothing inherits.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import attrs

from dockdsl.errors import FileError

PREFIX = "dockdsl."
SESSION = f"{PREFIX}session"
NAME = f"{PREFIX}name"
"""The label of a container that says its own name."""
TEMPORARY = "dockdsl-test"
"""The repository of the tags that live for one test only."""
FOLDER = "dockdsl-build-"
"""How the names of the temporary folders of builds begin."""
FILE = ".dockdsl-"
"""How the names of temporary files begin that become a file at once."""
SOCKET_FOLDER = "dockdsl-ssh-"
"""How the names of the temporary folders of sockets begin."""
_HIGHEST = 2**31 - 1
"""The highest number that a process can have for the functions of `os`."""
_ELSEWHERE = "elsewhere-"
"""How the links begin by which a temporary folder notes files that are not in it."""


@attrs.frozen
class Owner:
    """A process, distinguished from all others.

    `host`
        A digest of what identifies the machine.
    `boot`
        Which run of the machine; empty where the system does not say.
    `space`
        In which PID namespace `pid` counts: two containers that share an engine have one each.
    `pid`, `started`
        The process, and when it started in ticks since the boot, since numbers are given out again.
    """

    host: str
    boot: str
    space: str
    pid: int
    started: str

    def labels(self, session: str) -> dict[str, str]:
        """Return the labels of a container of this owner."""
        return {SESSION: session} | {f"{PREFIX}{name}": str(value) for name, value in attrs.asdict(self).items()}

    def is_dead(self) -> bool:
        """Whether it is certain that the process has ended."""
        here = this_process()
        is_visible = (self.host, self.boot, self.space) == (here.host, here.boot, here.space)
        return is_visible and self.boot != "" and not _lives(self.pid, self.started)

    def is_of_other_boot(self) -> bool:
        """Whether it is from an earlier start of this machine, or from a copy of it, which cannot be told apart."""
        here = this_process()
        return self.host == here.host and self.boot != here.boot


def owner_of(labels: Mapping[str, str]) -> Owner | None:
    """Return the owner that labels name, or None if they are not of this kind."""
    return _from_texts(labels.get(f"{PREFIX}{field.name}") for field in attrs.fields(Owner))


def _from_texts(fields: Iterable[str | None]) -> Owner | None:
    host, boot, space, pid, started = fields
    if host is None or boot is None or space is None or pid is None or started is None:
        return None
    return Owner(host, boot, space, int(pid), started) if _is_number(pid) else None


def _is_number(pid: str) -> bool:
    # Others may write what they like there: Python takes digits of all alphabets, but not any number of them.
    return pid.isascii() and pid.isdecimal() and len(pid) <= len(str(_HIGHEST)) and 0 < int(pid) <= _HIGHEST


def temporary_tag(owner: Owner) -> str:
    """Return a tag that names its owner, so that `tag_owner` can find out whether it is still needed."""
    return f"{TEMPORARY}:{_written(owner)}{secrets.token_hex(4)}"


def tag_owner(tag: str) -> Owner | None:
    """Return the owner that a temporary tag names, or None for any other tag."""
    return _read_back(tag, f"{TEMPORARY}:")


def folder_prefix(owner: Owner) -> str:
    """Return how the name of a temporary folder begins that names its owner, for `folder_owner`."""
    return f"{FOLDER}{_written(owner)}"


@contextmanager
def temporary_folder() -> Iterator[str]:
    """Yield a new folder that is gone at the end of the block, and names its owner. Raises `FileError`."""
    try:
        made = tempfile.TemporaryDirectory(prefix=folder_prefix(this_process()))
    except OSError as error:
        raise FileError(
            f"build: no temporary folder can be made ({error.strerror or error}); set TMPDIR to a folder with room",
            origin=None,
        ) from None
    with made as folder:
        yield folder


def folder_owner(name: str) -> Owner | None:
    """Return the owner that the name of a temporary folder says, or None for any other folder."""
    return _read_back(name, FOLDER) or _read_back(name, SOCKET_FOLDER, _host(), _boot())


def socket_prefix(owner: Owner) -> str:
    """Return how the name of a temporary folder for a socket begins: the path of a socket is 104 bytes at most.

    It leaves out the machine, since a socket works on its own machine alone, and the boot, since the start of a
    process says most of it.
    """
    return f"{SOCKET_FOLDER}{owner.space}_{owner.pid}_{owner.started}_"


def left_folders() -> list[Path]:
    """Return the temporary folders of this machine whose process has ended without removing them."""
    try:
        found = [(each, folder_owner(each.name)) for each in Path(tempfile.gettempdir()).iterdir()]
    except OSError:
        return []
    return sorted(each for each, whose in found if whose is not None and whose.is_dead())


def remember(folder: str, file: Path) -> None:
    """Note in a temporary folder that this file, which is elsewhere, is to go with it; for `discard_folder`."""
    Path(folder, f"{_ELSEWHERE}{file.name}").symlink_to(file)


def file_prefix(owner: Owner) -> str:
    """Return how the name of a temporary file begins that names its owner, for `discard_files`."""
    return f"{FILE}{_written(owner)}"


def discard_files(folder: Path) -> None:
    """Remove the temporary files in a folder whose process has ended; what cannot be removed stays."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        names = [each.name for each in entries if each.name.startswith(FILE)]
        for name in names:
            whose = _read_back(name, FILE)
            if whose is not None and whose.is_dead():
                Path(folder, name).unlink(missing_ok=True)


def discard_folder(folder: Path) -> None:
    """Remove a folder of `left_folders`, and the files that it notes; what cannot be removed stays."""
    try:
        # Anybody may make a folder of such a name.
        is_own = sys.platform == "win32" or folder.lstat().st_uid == os.geteuid()
        for each in folder.glob(f"{_ELSEWHERE}*") if is_own else ():
            each.readlink().unlink(missing_ok=True)
    except OSError:
        pass
    shutil.rmtree(folder, ignore_errors=True)


def _written(owner: Owner) -> str:
    return "".join(f"{part}_" for part in attrs.astuple(owner))


def _read_back(name: str, prefix: str, *known: str) -> Owner | None:
    """Return the owner that a name says after a prefix; `known` are its first fields, which the name leaves out."""
    # What distinguishes two names of one owner comes last, and may have underscores of its own.
    count = len(attrs.fields(Owner))
    parts = [*known, *name.removeprefix(prefix).split("_", count - len(known))]
    return _from_texts(parts[:count]) if name.startswith(prefix) and len(parts) > count else None


def this_process() -> Owner:
    """Return the owner that the running process is."""
    pid = os.getpid()
    return Owner(host=_host(), boot=_boot(), space=_space(), pid=pid, started=_started(pid) or "")


@cache
def _host() -> str:
    parts = [socket.gethostname(), _read("/etc/machine-id")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


@cache
def _boot() -> str:
    text = _read("/proc/sys/kernel/random/boot_id")
    if sys.platform == "darwin":
        import subprocess  # noqa: PLC0415 - no other system needs it

        with contextlib.suppress(OSError, subprocess.SubprocessError):
            command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
            text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603 - a list
    return text.replace("-", "")


@cache
def _space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """Return when a process started; None if there is no such process, empty where the system does not say."""
    try:
        # The name of the program, in parentheses, may hold anything: what follows the last one is regular.
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else ""
    except (OSError, IndexError):
        return ""


def _lives(pid: int, started: str) -> bool:
    now = _started(pid)
    if now is None:
        return False
    if now and started:
        return now == started
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
