"""Files of the command line: read, compared, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys

from dockdsl.errors import FileError
from dockdsl.origins import short_path

_NEW_FILE = 0o666


def read(path: str) -> str | None:
    """Return the text of a file, or None if there is none."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib takes longer to import
            return file.read().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise FileError(f"{path}: it is not UTF-8 text; is it the right file?", origin=None) from None
    except OSError as error:
        raise FileError(f"{path}: it cannot be read ({error.strerror}); check it", origin=None) from None


def read_dockerfile(path: str) -> str:
    """Return the text of a Dockerfile, which must be there; ``-`` is stdin."""
    if path == "-":
        if sys.stdin is None:
            raise FileError("stdin: it is closed; open it, or name a Dockerfile", origin=None)
        try:
            return sys.stdin.buffer.read().decode()
        except UnicodeDecodeError:
            raise FileError("stdin: it is not UTF-8 text; is it the right file?", origin=None) from None
    if os.path.isdir(path):  # noqa: PTH112 - pathlib takes longer to import
        raise FileError(f"{path}: it is a folder; name the Dockerfile in it", origin=None)
    text = read(path)
    if text is None:
        raise FileError(f"{path}: there is no such file; check the path", origin=None)
    return text


def write(path: str, text: str) -> None:
    """Write a file whole or not at all; leave it alone if it says that already."""
    import tempfile
    from pathlib import Path

    data = text.encode()
    try:
        target = Path(path).resolve()
        if target.exists() and not target.is_file() and not target.is_dir():
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
    except OSError as error:
        raise FileError(
            f"{path}: it cannot be written ({error.strerror}); check that the folder is there and yours", origin=None
        ) from None


def compare(shown: str, path: str, text: str, remedy: str, *, made: str, diff: bool) -> int:
    """Compare a file with what it should say; with `diff`, print what would change. Return the exit code.

    `shown` is the path as the user gave it, and `made` the word for how the text came about.
    """
    from dockdsl.cli import say

    there = read(path)
    if there == text:
        return 0
    if diff:
        put(difference(there or "", text, shown, made))
    state = "does not exist" if there is None else "is not up to date"
    say(f"{shown}: it {state}; {remedy}")
    return 1


def difference(there: str, text: str, shown: str, made: str) -> str:
    """Return what would change in a file, as ``diff -u`` writes it."""
    from difflib import unified_diff

    lines = unified_diff(there.splitlines(keepends=True), text.splitlines(keepends=True), shown, f"{shown} ({made})")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def argument(path: str) -> str:
    """Return a path as a word of a command line."""
    from shlex import quote

    return quote(short_path(path))


def is_same(one: str, other: str) -> bool:
    """Whether two paths lead to one file."""
    try:
        return os.path.samefile(one, other)  # noqa: PTH121 - pathlib takes longer to import
    except OSError:
        return False


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def put(text: str) -> None:
    """Write the product to stdout as UTF-8 with the line ends it has.

    A reader that goes away, as ``head`` does, has what it wanted, and changes nothing of the result.
    """
    if sys.stdout is None:
        raise FileError("stdout: it is closed; open it, or write a file with -o", origin=None)
    try:
        sys.stdout.flush()
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is None:
            sys.stdout.write(text)
        else:
            buffer.write(text.encode())
        sys.stdout.flush()
    except BrokenPipeError:
        drop_stdout()
    except OSError as error:
        drop_stdout()
        raise FileError(f"stdout: it cannot be written ({error.strerror}); send it elsewhere", origin=None) from None


def drop_stdout() -> None:
    """Send what is still to be written to stdout nowhere, so that not even the end of the program fails."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
