"""What a command prints: its product to stdout, messages to stderr."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from typing import TextIO

from dockdsl.display import is_terminal
from dockdsl.errors import DockdslError, DockerfileSyntaxError, FileError

_COLOURS = {"ok": "32", "FAIL": "1;31", "error": "1;31", "warning": "33"}
_OUTCOME = r"(?:^|(?<=: ))(?:ok(?=   )|FAIL(?= )|error(?=: )|warning(?=: ))"


def say(message: str) -> None:
    """Write a message to stderr, if there is one and somebody reads it."""
    write_line(message, sys.stderr)


def write_line(line: str, stream: TextIO | None) -> None:
    """Write a line to stdout or stderr at once; to None, nothing.

    What the stream's encoding has no character for becomes an escape. When the reader went away, as `head` does, or
    the terminal, the line is dropped: what is being built or tested continues, and its exit code says how it ended. The
    same happens on stderr where there is no room for the line.

    Raises `FileError` where stdout cannot be written to for another reason.
    """
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    line = line.encode(encoding, "backslashreplace").decode(encoding)
    try:
        stream.write(f"{_coloured(line) if is_terminal(stream) else line}\n")
        stream.flush()
    except OSError as error:
        drop(stream)
        if stream is sys.stdout and error.errno not in (errno.EPIPE, errno.EIO):
            raise _unwritable(error) from None


def _coloured(line: str) -> str:
    """Return a line with colours for the word that says what came of something, if it has one.

    >>> _coloured("api: FAIL GET / 500")
    'api: \\x1b[1;31mFAIL\\x1b[0m GET / 500'
    """
    # Compiled here, since few lines need it.
    return re.sub(_OUTCOME, lambda found: f"\x1b[{_COLOURS[found[0]]}m{found[0]}\x1b[0m", line, count=1)


def report(error: DockdslError) -> None:
    """Write an error to stderr, with the place that it is about."""
    if isinstance(error, DockerfileSyntaxError):
        # It names the place of each of its errors.
        say(error.message)
    else:
        trail = "" if error.origin is None else error.origin.trail()
        say(f"{'' if error.origin is None else f'{error.origin}: '}error: {error.message}{trail}")


def put(text: str) -> None:
    """Write the product to stdout as UTF-8 with the line ends it has.

    A reader that stops reading, as ``head`` does, has what it wanted: that does not change the result.
    """
    if sys.stdout is None:
        raise FileError("stdout: it is closed; open it, or write a file with -o")
    try:
        sys.stdout.flush()
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is None:
            sys.stdout.write(text)
        else:
            buffer.write(text.encode())
        sys.stdout.flush()
    except OSError as error:
        drop(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            raise _unwritable(error) from None


def _unwritable(error: OSError) -> FileError:
    return FileError(f"stdout: it cannot be written to ({error.strerror}); redirect it elsewhere")


def drop(stream: TextIO) -> None:
    """Discard what is still to be written to a stream, so that not even the end of the program fails."""
    with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as null:  # noqa: PTH123 - pathlib is slow
        os.dup2(null.fileno(), stream.fileno())
