"""What a command prints: its product to stdout, messages to stderr."""

from __future__ import annotations

import contextlib
import os
import sys

from dockdsl.errors import DockdslError, DockerfileSyntaxError, FileError


def say(message: str) -> None:
    """Write a message to stderr, if there is one and somebody reads it."""
    if sys.stderr is not None:
        # What is left in the stream is tried again at the end of the program, whose exit code is not to change by it.
        with contextlib.suppress(OSError):
            print(message, file=sys.stderr, flush=True)


def report(error: DockdslError) -> None:
    """Write an error to stderr, with the place that it is about."""
    if isinstance(error, DockerfileSyntaxError):
        # It names the place of each of its errors.
        say(error.message)
    else:
        say(f"{'' if error.origin is None else f'{error.origin}: '}error: {error.message}")


def put(text: str) -> None:
    """Write the product to stdout as UTF-8 with the line ends it has.

    A reader that stops reading, as ``head`` does, has what it wanted: that does not change the result.
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
        message = f"stdout: it cannot be written to ({error.strerror}); redirect it elsewhere"
        raise FileError(message, origin=None) from None


def drop_stdout() -> None:
    """Discard what is still to be written to stdout, so that not even the end of the program fails."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
