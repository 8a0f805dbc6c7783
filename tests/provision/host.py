"""What provisioning needs of the machine: commands with time limits, processes told apart, locks, apt."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
OS_RELEASE = Path("/etc/os-release")


class Refusal(Exception):
    """Something cannot be had on this machine: one line that gives what, the fact, and the remedy."""


class Interrupted(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived before the command was started; no `Exception`, so nothing swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


def say(line: str) -> None:
    """Write one line for people; the product of a verb alone goes to stdout."""
    sys.stderr.write(f"provision: {line}\n")
    sys.stderr.flush()


def tail(text: str, lines: int = 1) -> str:
    """Return the last `lines` lines of `text` that hold anything."""
    return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-lines:])


def ask(
    argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, stdin: str = "", timeout: float = 60
) -> tuple[int, str, str]:
    """Run a short command and return its exit status, stdout and stderr.

    The status is 124 for a command that did not end in `timeout` seconds, and 127 for one that is not there.
    """
    try:
        done = subprocess.run(
            [str(word) for word in argv],
            env=env,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return 124, "", f"no answer in {timeout:.0f} s"
    except OSError as error:
        return 127, "", f"{argv[0]}: {error.strerror}"
    return done.returncode, done.stdout, done.stderr


def do(
    argv: Sequence[str | Path], *, what: str, remedy: str, timeout: float, env: Mapping[str, str] | None = None
) -> str:
    """Run a long command to its end and return what it wrote; whatever stops this program stops the command too.

    Raises:
        Refusal: it failed, or did not end in `timeout` seconds; `what` says what it was for, `remedy` what to do.
    """
    with tempfile.TemporaryFile() as output:
        try:
            child = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=env,
                start_new_session=True,
                umask=0o022,
            )
        except OSError as error:
            raise Refusal(f"{what}: {argv[0]}: {error.strerror}; {remedy}") from error
        try:
            status = child.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise Refusal(f"{what}: not done after {timeout:.0f} s; {remedy}") from error
        finally:
            if child.returncode is None:
                end_group(child)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if status:
        errors = "\n".join(line for line in text.splitlines() if line.startswith("E: "))  # of apt and debootstrap
        raise Refusal(f"{what}: {tail(errors) or tail(text) or f'exit status {status}'}; {remedy}")
    return text


def end_group(child: subprocess.Popen[bytes]) -> None:
    """End `child` and what it started: politely first, for ten seconds."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
            return


def pids() -> list[int]:
    """Return the numbers of all processes."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third one (state, parent, ...) on; none for no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


class Process(NamedTuple):
    """One process for good: the number alone is used again, after a reboot or much sooner."""

    pid: int
    started: int  # clock ticks after the boot, field 22 of /proc/PID/stat
    boot: str

    @classmethod
    def find(cls, pid: int) -> Process | None:
        """Return the process that has this number now; one that has ended and waits to be collected is none."""
        fields = stat(pid)
        return cls(pid, int(fields[19]), BOOT_ID.read_text().strip()) if fields and fields[0] not in "ZX" else None

    @classmethod
    def read(cls, value: object) -> Process:
        """Return the process that was written as JSON.

        Raises:
            ValueError: this is none.
        """
        match value:
            case [int(pid), int(started), str(boot)]:
                return cls(pid, started, boot)
        raise ValueError(value)

    @classmethod
    def child_of(cls, parent: int) -> Process | None:
        """Return the oldest process whose parent is `parent`, if there is one: it may have inherited others since."""
        found = [cls.find(pid) for pid in pids() if stat(pid)[1:2] == [str(parent)]]
        return min((each for each in found if each is not None), key=lambda each: each.started, default=None)

    def parent(self) -> Process | None:
        """Return the parent process."""
        fields = stat(self.pid)
        return Process.find(int(fields[1])) if fields else None

    def alive(self) -> bool:
        """Whether this very process, and no later one of the same number, still runs."""
        return Process.find(self.pid) == self

    def gone(self, timeout: float) -> bool:
        """Wait for its end, `timeout` seconds at most; return whether it came."""
        limit = time.monotonic() + timeout
        while self.alive():
            if time.monotonic() > limit:
                return False
            time.sleep(0.05)
        return True


@contextlib.contextmanager
def locked(path: Path, timeout: float = 1800) -> Iterator[None]:
    """Hold the lock `path`; the kernel gives it back however this program ends.

    Raises:
        Refusal: another run still has it after `timeout` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        limit = time.monotonic() + timeout
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                file.seek(0)
                owner = file.read().strip() or "unknown"
                if time.monotonic() > limit:
                    raise Refusal(
                        f"lock {path}: process {owner} has held it for {timeout:.0f} s; wait for that run or end it"
                    ) from None
                if not told:
                    say(f"waiting for process {owner}, which is bringing an engine up or down")
                    told = True
                time.sleep(0.2)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def write(path: Path, value: object) -> None:
    """Write `value` as JSON in one step: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(json.dumps(value))
    new.replace(path)


def read(path: Path) -> dict[str, object]:
    """Return the JSON object in `path`; an empty one if there is none, or only half of it."""
    try:
        value: object = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def os_release(path: Path = OS_RELEASE) -> dict[str, str]:
    """Return what the system says of itself; nothing where it has no such file."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {name: value.strip("\"'") for name, _, value in (line.partition("=") for line in lines)}


def require_debian(what: str, remedy: str, *, release: Path = OS_RELEASE, uid: int | None = None) -> None:
    """Make sure that `what` can be made here from Debian packages by the user `uid` (None: the one who runs this).

    Raises:
        Refusal: this is not Debian, or the user is not root; `what` and `remedy` are part of the message.
    """
    system = os_release(release).get("ID", sys.platform)
    if system != "debian":
        raise Refusal(f"{what} is made on Debian only, and this is {system}; {remedy}, or run this on Debian as root")
    if (os.geteuid() if uid is None else uid) != 0:
        raise Refusal(f"{what} is made by root only; {remedy}, or run this as root")


TARGETS = "$(CREATED_BY)\t$(ORIGIN)\t$(LABEL)\t$(RELEASE)\t$(COMPONENT)\t$(REPO_URI)"


def choose_mirror(targets: str, codename: str) -> str:
    """Pick the Debian archive from what `apt-get indextargets --format TARGETS` printed; "" if it names none.

    The package lists say whose archive they are (origin and label); before the first `apt-get update` only the
    release's name is known.
    """
    rows = [
        row for row in (line.split("\t") for line in targets.splitlines()) if len(row) == 6 and row[0] == "Packages"
    ]
    usable = [row for row in rows if row[4] == "main" and row[5].partition(":")[0] in {"http", "https", "file"}]
    known = [row for row in usable if row[1:3] == ["Debian", "Debian"]]
    named = [row for row in usable if not row[1] and row[3] == codename]
    return next((row[5].rstrip("/") for row in known + named), "")


def mirror() -> str:
    """Return the address of the Debian archive that this machine's apt uses.

    Raises:
        Refusal: apt names none that debootstrap could read.
    """
    found = choose_mirror(
        ask(["apt-get", "indextargets", "--format", TARGETS])[1], os_release().get("VERSION_CODENAME", "")
    )
    if not found:
        raise Refusal(
            "apt: its sources name no Debian archive over http, https or file; add one to /etc/apt/sources.list.d"
        )
    return found


def apt_environment() -> dict[str, str]:
    """Return an environment for apt and debootstrap: no questions, English messages, and apt's own proxy for wget."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    env["PATH"] = f"{env.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
    for scheme in ("http", "https"):
        proxy = (
            ask(["apt-config", "shell", "PROXY", f"Acquire::{scheme}::Proxy"])[1].partition("=")[2].strip().strip("'")
        )
        if proxy and proxy != "DIRECT":
            env.setdefault(f"{scheme}_proxy", proxy)
    return env


def apt_install(*packages: str) -> None:
    """Install Debian packages on this machine; the package lists are fetched only if the ones at hand do not do.

    Raises:
        Refusal: apt cannot install them.
    """
    env = apt_environment()
    argv = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", *packages]
    remedy = "run it by hand and see"
    try:
        do(argv, what=" ".join(argv), remedy=remedy, timeout=600, env=env)
    except Refusal:
        do(
            ["apt-get", "-o", "DPkg::Lock::Timeout=300", "update"],
            what="apt-get update",
            remedy="check the network and apt's sources",
            timeout=600,
            env=env,
        )
        do(argv, what=" ".join(argv), remedy=remedy, timeout=600, env=env)
