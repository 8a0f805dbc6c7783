"""Files that a command writes: completely or not at all, or compared with what they should be."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import time
from io import StringIO

from dockdsl.cli.streams import put, say
from dockdsl.display import argument, one_line
from dockdsl.errors import FileError
from dockdsl.loading import read_text

_NEW_FILE = 0o666
_WRITABLE = 0o222
_STDOUT = 1
_NAMED = {"stdout": _STDOUT, "stderr": 2}
_STREAM = r"/(?:dev/(stdout|stderr)|(?:dev|proc/([^/]+))/fd/(\d{1,9}))"
_LINKS = 40
"""How many links a path may go through, as for Linux."""
_PATIENCE, _PAUSE = 5.0, 0.02
"""Seconds that the reader of a FIFO has to come, and between two looks."""


def deliver(text: str, target: str | None) -> int:
    """Write the product of a command to a file, or to stdout if no file is given; return the exit code."""
    if target is None:
        put(text)
    else:
        write(target, text)
    return 0


def write(path: str, text: str) -> None:
    """Write a file completely or not at all; leave it alone if it has that text already.

    What leads to a stream that is open already is that stream, and a device or a pipe is written to. Where a run is
    killed while it writes, the next one that writes into the same folder removes what it left.
    """
    data = text.encode()
    try:
        number = descriptor(path)
        if number == _STDOUT:
            put(text)
        elif number is not None:
            with os.fdopen(os.dup(number), "wb") as stream:
                stream.write(data)
        elif is_special(path):
            with os.fdopen(_opened(path), "wb") as stream:
                stream.write(data)
        else:
            _replace(path, data)
    except IsADirectoryError:
        raise FileError(f"{one_line(path)}: it is a folder; name a file in it") from None
    except OSError as error:
        if isinstance(error, FileError):
            raise
        room = "make room, or name another file"
        remedies = {errno.ENOSPC: room, errno.EDQUOT: room, errno.ELOOP: "correct the link"}
        remedies[errno.ENAMETOOLONG] = "choose a shorter name"
        remedy = remedies.get(error.errno or 0, "check that the folder exists and is writable")
        raise FileError(f"{one_line(path)}: it cannot be written ({error.strerror}); {remedy}") from None


def _replace(path: str, data: bytes) -> None:
    """Put a file with these bytes in the place of the one at the end of the path, if that has others."""
    import tempfile
    from pathlib import Path

    from dockdsl.engine.leftovers import owner

    # Such a path is that of a folder, whether there is one or not.
    if os.path.basename(path) in ("", ".", ".."):
        raise IsADirectoryError
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        # It leads in a circle, which this raises.
        target.stat()
    if target.is_file() and target.read_bytes() == data:
        return
    there = target.stat() if target.exists() else None
    if there is not None and not (there.st_mode & _WRITABLE and os.access(target, os.W_OK)):
        raise FileError(f"{one_line(path)}: it is write-protected; name another file, or: chmod u+w {argument(path)}")
    owner.discard_files(target.parent)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=owner.file_prefix(owner.this_process()))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if there is not None:
            # Who may not give a file away keeps it.
            with contextlib.suppress(OSError):
                os.chown(name, there.st_uid, there.st_gid)
        Path(name).chmod(_NEW_FILE & ~_umask() if there is None else there.st_mode & 0o7777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if there is not None and there.st_nlink > 1:
        say(
            f"{one_line(path)}: it is a file of its own now; the other names of the file (hard links) keep the old text"
        )


def descriptor(path: str) -> int | None:
    """Return the number of the open stream that a path leads to, as /dev/stdout does."""
    # The system follows such a path into the stream itself, and has no name for a pipe.
    for _ in range(_LINKS):
        found = re.fullmatch(_STREAM, os.path.abspath(path))
        if found and found[2] in (None, "self", "thread-self", str(os.getpid())):
            return _NAMED.get(found[1]) or int(found[3])
        if not os.path.islink(path):
            break
        path = os.path.join(os.path.dirname(path), os.readlink(path))
    return None


def _opened(path: str) -> int:
    """Open a device or a pipe to be written to; nobody may come to read from the pipe."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            number = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as error:
            if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(path).st_mode):
                raise
            if time.monotonic() > end:
                raise FileError(
                    f"{one_line(path)}: it is a FIFO, and nobody reads it; start what does, or name a file"
                ) from None
            time.sleep(_PAUSE)
        else:
            os.set_blocking(number, True)
            return number


def has_other_text(path: str, text: str) -> bool:
    """Whether a path leads to a file that has something in it, and not this text."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return file.read() not in (b"", text.encode())
    except OSError:
        return True


def compare(shown: str, path: str, text: str, remedy: str, *, made: str, diff: bool) -> int:
    """Compare a file with the text that it should have; with `diff`, print what would change. Return the exit code.

    `shown` is the path as the user gave it, and `made` says what was done to get the text, as ``rendered``.
    """
    there = read_text(path, "file") if os.path.exists(path) else None
    if there == text:
        return 0
    if diff:
        put(difference(there or "", text, shown, made))
    state = "does not exist" if there is None else "is not up to date"
    say(f"{one_line(shown)}: it {state}; {remedy}")
    return 1


def difference(there: str, text: str, shown: str, made: str) -> str:
    """Return what would change in a file, as ``diff -u`` writes it."""
    from difflib import unified_diff

    shown = one_line(shown)
    # A patch knows no other ends of lines than newlines.
    old, new = [list(StringIO(each, newline="\n")) for each in (there, text)]
    lines = unified_diff(old, new, shown, f"{shown} ({made})")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def is_same(one: str, other: str) -> bool:
    """Whether two paths lead to one file."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def is_special(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads to a pipe, a device or the like."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
