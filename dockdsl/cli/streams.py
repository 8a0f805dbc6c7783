"""What a command prints: its product to stdout, messages to stderr.

Text for people passes `for_terminal`, so that no file name, no Dockerfile and no log can control their terminal. The
product is written byte for byte, but into a terminal as text for people.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from typing import Any, TextIO

from dockdsl.display import for_terminal, is_terminal
from dockdsl.errors import DockdslError, DockerfileSyntaxError
from dockdsl.secrecy import hide

_reserved: TextIO | None = None
"""Where the product goes once stdout is reserved for it."""


def reserve_stdout() -> None:
    """Keep stdout for the product, to the end of the process: what else writes there, now or later, writes to stderr.

    That is the user's file with its threads and child processes, and what it has registered for the end.
    """
    global _reserved  # noqa: PLW0603 - a process has one stdout
    if sys.stdout is None:
        return
    kept = os.dup(1)
    _reserved = open(kept, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors)  # noqa: SIM115 - kept to the end
    with contextlib.suppress(OSError):
        os.dup2(2, 1)
    sys.stdout = sys.stderr


def product() -> TextIO | None:
    """Return the stream for the product: stdout, or None where it is closed."""
    return _reserved or sys.stdout


def open_product() -> TextIO:
    """Return the stream for the product. Raises `DockdslError` where it is closed: what is lost is not done."""
    stream = product()
    if stream is None:
        raise DockdslError("stdout: it is closed; redirect it to a file, or to /dev/null", origin=None)
    return stream


BY_SIGNAL = 128
"""An exit code above this is this plus the number of the signal that ended the program."""
_COLOURS = {"ok": "32", "FAIL": "1;31", "error": "1;31", "warning": "33"}
_OUTCOME = r"(?:^|(?<=: ))(?:ok(?=   )|FAIL(?= )|error(?=: )|warning(?=: ))"


def say(message: str) -> None:
    """Write a message to stderr, if there is one and somebody reads it."""
    write_line(message, sys.stderr)


def write_line(line: str, stream: TextIO | None) -> None:
    """Write a line for people to stdout or stderr at once; to None, nothing. It may be several lines.

    What the stream's encoding has no character for becomes an escape. When the reader went away, as `head` does, or
    the terminal, the line is dropped: what is being built or tested continues, and its exit code says how it ended. The
    same happens on stderr where there is no room for the line.

    Raises `DockdslError` where stdout cannot be written to for another reason.
    """
    write_data(for_terminal(line), stream)


def write_data(line: str, stream: TextIO | None) -> None:
    """Write a line that a program reads, as `write_line` does, but as it is."""
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    line = line.encode(encoding, "backslashreplace").decode(encoding)
    try:
        stream.write(f"{_coloured(line) if is_terminal(stream) else line}\n")
        stream.flush()
    except OSError as error:
        drop(stream)
        if stream is product() and error.errno not in (errno.EPIPE, errno.EIO):
            raise _unwritable(error) from None


def _coloured(line: str) -> str:
    """Return a line with colours for the word that says what came of something, if it has one.

    >>> _coloured("api: FAIL GET / 500")
    'api: \\x1b[1;31mFAIL\\x1b[0m GET / 500'
    """
    # Compiled here, since few lines need it.
    return re.sub(_OUTCOME, lambda found: f"\x1b[{_COLOURS[found[0]]}m{found[0]}\x1b[0m", line, count=1)


def show(text: str) -> None:
    """Write text for people to stdout: a list, a table, a diff."""
    write_line(text.removesuffix("\n"), open_product())


def json_text(data: Any) -> str:
    """Return data as JSON, in characters that each encoding and each terminal has, and with no secret in its texts."""
    import json

    return json.dumps(hidden(data), indent=2) + "\n"


def hidden(data: Any) -> Any:
    """Return data with asterisks for the secrets in its texts."""
    if isinstance(data, dict):
        return {name: hidden(value) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return list(map(hidden, data))
    return hide(data) if isinstance(data, str) else data


def report(error: DockdslError) -> None:
    """Write an error to stderr, with the place that it is about."""
    if isinstance(error, DockerfileSyntaxError):
        # It names the place of each of its errors.
        say(error.message)
    else:
        trail = "" if error.origin is None else error.origin.trail()
        say(f"{'' if error.origin is None else f'{error.origin}: '}error: {error.message}{trail}")


def signal_of(code: object) -> str:
    """Return the name of the signal that an exit code stands for, or an empty text.

    >>> signal_of(143), signal_of(1), signal_of(None)
    ('SIGTERM', '', '')
    """
    if not isinstance(code, int) or code <= BY_SIGNAL:
        return ""
    from signal import Signals

    with contextlib.suppress(ValueError):
        return Signals(code - BY_SIGNAL).name
    return ""


def put(text: str) -> None:
    """Write the product to stdout as UTF-8 with the line ends it has.

    A reader that stops reading, as ``head`` does, has what it wanted: that does not change the result.
    """
    stream = open_product()
    try:
        stream.flush()
        buffer = getattr(stream, "buffer", None)
        if buffer is None:
            stream.write(text)
        else:
            buffer.write((for_terminal(text) if stream.isatty() else text).encode())
        stream.flush()
    except OSError as error:
        drop(stream)
        if not isinstance(error, BrokenPipeError):
            raise _unwritable(error) from None


def _unwritable(error: OSError) -> DockdslError:
    message = f"stdout: it cannot be written to ({error.strerror}); redirect it elsewhere"
    return DockdslError(message, origin=None)


def drop(stream: TextIO) -> None:
    """Discard what is still to be written to a stream, so that not even the end of the program fails."""
    # A stream that is closed, or has no descriptor, has nothing to discard.
    with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as null:
        os.dup2(null.fileno(), stream.fileno())
