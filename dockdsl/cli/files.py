"""Files that a command writes: completely or not at all, or compared with what they should be."""

from __future__ import annotations

import contextlib
import errno
import os

from dockdsl.cli.streams import put, say, show
from dockdsl.display import one_line
from dockdsl.errors import FileError
from dockdsl.loading import read_text

_NEW_FILE = 0o666


def deliver(text: str, target: str | None) -> int:
    """Write the product of a command to a file, or to stdout if no file is given; return the exit code."""
    if target is None:
        put(text)
    else:
        write(target, text)
    return 0


def write(path: str, text: str) -> None:
    """Write a file completely or not at all; leave it alone if it has that text already."""
    import tempfile
    from pathlib import Path

    data = text.encode()
    try:
        target = Path(os.path.realpath(path))
        if target.is_symlink():
            # It leads in a circle, which this raises.
            target.stat()
        if is_special(target):
            # A device or a pipe is written to, and not replaced by a file.
            target.write_bytes(data)
            return
        if target.is_file() and target.read_bytes() == data:
            return
        there = target.stat() if target.exists() else None
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
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
    except IsADirectoryError:
        raise FileError(f"{one_line(path)}: it is a folder; name a file in it") from None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "make room, or name another file" if full else "check that the folder exists and is writable"
        raise FileError(f"{one_line(path)}: it cannot be written ({error.strerror}); {remedy}") from None


def has_other_text(path: str, text: str) -> bool:
    """Whether a path leads to a file that has something in it, and not this text."""
    if not os.path.isfile(path):  # noqa: PTH113 - pathlib takes longer to import
        return False
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return file.read() not in (b"", text.encode())
    except OSError:
        return True


def compare(shown: str, path: str, text: str, remedy: str, *, made: str, diff: bool) -> int:
    """Compare a file with the text that it should have; with `diff`, print what would change. Return the exit code.

    `shown` is the path as the user gave it, and `made` says what was done to get the text, as ``rendered``.
    """
    there = read_text(path, "file") if os.path.exists(path) else None  # noqa: PTH110 - pathlib takes longer to import
    if there == text:
        return 0
    if diff:
        show(difference(there or "", text, shown, made))
    state = "does not exist" if there is None else "is not up to date"
    say(f"{one_line(shown)}: it {state}; {remedy}")
    return 1


def difference(there: str, text: str, shown: str, made: str) -> str:
    """Return what would change in a file, as ``diff -u`` writes it."""
    from difflib import unified_diff

    shown = one_line(shown)
    lines = unified_diff(there.splitlines(keepends=True), text.splitlines(keepends=True), shown, f"{shown} ({made})")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def is_same(one: str, other: str) -> bool:
    """Whether two paths lead to one file."""
    try:
        return os.path.samefile(one, other)  # noqa: PTH121 - pathlib takes longer to import
    except OSError:
        return False


def is_special(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads to a pipe, a device or the like."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)  # noqa: PTH110, PTH112, PTH113


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
