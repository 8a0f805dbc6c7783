"""The user's files: Dockerfiles, which are read, and Python files, which are run."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from dockdsl.display import argument, one_line, said_by, shown, suggestion
from dockdsl.errors import DockdslError, Ended, FileError, SourceError
from dockdsl.origins import Origin
from dockdsl.text.utf8 import decoded

_LARGEST = 64 << 20
"""Bytes of a file that are read: a device may have no end."""
_PATIENCE, _PAUSE = 5.0, 0.02
"""Seconds that the writer of a FIFO has to come, and between two looks."""
_FROM_AS_OPTION = r"[(,\s]from\s*=[^=]"
_MAIN = "__mp_main__"
"""The name that `multiprocessing` gives the main program in a child."""
_FROM = rb"(?im)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*\S+(?:[ \t]+AS[ \t]+\S+)?[ \t]*\r?$"
"""A line of a Dockerfile, which no Python file has outside a string."""


def read_text(path: str, kind: str = "Dockerfile") -> str:
    """Return the text of a file; ``-`` is stdin, and `kind` says what the file should be.

    Raises `FileError` for a file that is missing or cannot be read, and for text that is not UTF-8.
    """
    if path != "-":
        data = _contents(path, kind, FileError)
    elif sys.stdin is not None:
        data = _checked(sys.stdin.buffer.read(_LARGEST + 1), "stdin", kind, FileError)
    else:
        raise FileError(f"stdin: it is closed; open it, or name a {kind}")
    return decoded(data, "stdin" if path == "-" else path)


def name_of(path: str) -> str:
    """Return what a file is called in messages and origins; ``-`` is stdin."""
    return "<stdin>" if path == "-" else path


def _contents(path: str, kind: str, refusal: type[FileError | SourceError]) -> bytes:
    data: bytes | None
    try:
        if stat.S_ISFIFO(os.stat(path).st_mode):
            data = _from_fifo(path)
        else:
            with open(path, "rb") as file:
                data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        is_name = path.endswith(":") and os.path.exists(path.rstrip(":"))
        remedy = "leave the colon out, or write a name after it" if is_name else "check the path"
        shown_path = one_line(path) if path[-1:] not in ("", ":") else repr(path)
        raise refusal(f"{shown_path}: there is no such file; {remedy}") from None
    except IsADirectoryError:
        raise refusal(f"{one_line(path)}: it is a folder; name the {kind} in it") from None
    except OSError as error:
        remedies = {errno.ELOOP: "correct the link", errno.EACCES: "check its permissions"}
        remedy = remedies.get(error.errno or 0, "check the path")
        raise refusal(f"{one_line(path)}: it cannot be read ({error.strerror}); {remedy}") from None
    if data is None:
        raise refusal(f"{one_line(path)}: it is a FIFO, and nobody writes to it; start what does, or name a file")
    return _checked(data, path, kind, refusal)


def _checked(data: bytes, path: str, kind: str, refusal: type[FileError | SourceError]) -> bytes:
    if len(data) > _LARGEST:
        raise refusal(f"{one_line(path)}: it is larger than {_LARGEST >> 20} MiB; is it the right {kind}?")
    return data


def _from_fifo(path: str) -> bytes | None:
    """Return what is written into a FIFO; None if no writer opens it in time."""
    found, is_open, deadline = bytearray(), False, time.monotonic() + _PATIENCE
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while len(found) <= _LARGEST:
            try:
                piece = os.read(descriptor, 1 << 16)
            except BlockingIOError:
                is_open = True
                time.sleep(_PAUSE)
                continue
            found += piece
            if not piece and (is_open or found):
                break
            if not piece and time.monotonic() > deadline:
                return None
            if not piece:
                time.sleep(_PAUSE)
    finally:
        os.close(descriptor)
    return bytes(found)


def run_file(path: str, text: str | None = None) -> dict[str, Any]:
    """Run a Python file as a module of its own and return its names; with `text`, as if it had that text.

    What it prints goes to stderr, since stdout is for the product. Its imports are searched for in its folder first.
    To `pickle` and `multiprocessing` it is the main program: its name is the one that they give that in a child.
    """
    source = _contents(path, "Python file", SourceError) if text is None else text.encode()
    full = os.path.abspath(path)
    try:
        code = compile(source, full, "exec", dont_inherit=True)
    except SyntaxError as error:
        if not path.endswith(".py") and re.search(_FROM, source):
            turned = f"dockdsl import {argument(path)} -o {argument(f'{path}.py')}"
            raise SourceError(
                f"{one_line(path)}: it is a Dockerfile, not a Python file; turn it into one: {turned}"
            ) from None
        place = Origin(error.filename or full, error.lineno or 1)
        remedy = "fix the line" if path.endswith(".py") else "name a Python file"
        if re.search(_FROM_AS_OPTION, error.text or ""):
            remedy = "write from_=…, since from is a keyword of Python"
        raise SourceError(f"Python cannot parse it: {error.msg}; {remedy}", origin=place) from None
    except ValueError as error:
        raise SourceError(f"{one_line(path)}: Python cannot parse it: {error}; is it a Python file?") from None
    except (RecursionError, MemoryError) as error:
        fact = f"Python cannot compile it, since an expression is nested too deeply ({type(error).__name__})"
        raise SourceError(f"{one_line(path)}: {fact}; split the expression") from None
    module = ModuleType(_MAIN)
    module.__file__ = full
    sys.modules[module.__name__] = module
    with running(full):
        exec(code, module.__dict__)  # noqa: S102 - running the user's file is what the command is for
    # A file may put anything there.
    return {name: value for name, value in module.__dict__.items() if isinstance(name, str)}


@contextlib.contextmanager
def running(full: str) -> Iterator[None]:
    """Let code of the file with this absolute path run: what it prints goes to stderr, what it raises is reported.

    The current folder and the path of imports are afterwards as they were before.
    """
    folder = os.path.dirname(full)
    path_list, path_entries = sys.path, list(sys.path)
    here = None
    with contextlib.suppress(OSError):
        here = os.getcwd()
    sys.path.insert(0, folder)
    main = sys.modules["__main__"]
    sys.modules["__main__"] = sys.modules.get(_MAIN, main)
    try:
        with _stdout_to_stderr():
            yield
    except DockdslError as error:
        if error.origin is None:
            error.origin = _line_of(error, full)
        raise
    except (KeyboardInterrupt, Ended):
        raise
    except SystemExit as error:
        raise SourceError(
            f"the file ended the program (exit {shown(error.code or 0)}) before it was loaded completely; "
            'guard that with if __name__ == "__main__"',
            origin=_line_of(error, full),
        ) from None
    except BaseException as error:  # noqa: BLE001 - whatever the user's file raises is reported in one line
        message = one_line(f"{said_by(error)}{_remedy(error)}")
        raise SourceError(f"the file raised {message}{_deeper(error, full)}", origin=_line_of(error, full)) from None
    finally:
        sys.modules["__main__"] = main
        # Whatever the file did to the path: later imports are searched for where they were before.
        sys.path = path_list
        sys.path[:] = path_entries
        if here is not None:
            with contextlib.suppress(OSError):
                os.chdir(here)


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Send what is printed to stderr, also by child processes."""
    try:
        kept = os.dup(1)
    except OSError:
        kept = -1
    try:
        if kept >= 0 and sys.stderr is not None:
            sys.stdout.flush()
            with contextlib.suppress(OSError):
                os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if kept >= 0:
            os.dup2(kept, 1)
            os.close(kept)


def _remedy(error: BaseException) -> str:
    """Return how a value is changed that is frozen, or the name that was probably meant where one is not known."""
    if not isinstance(error, (NameError, AttributeError)):
        return ""
    from attrs.exceptions import FrozenInstanceError

    if isinstance(error, FrozenInstanceError):
        return "; the value is frozen, so make a changed copy: attrs.evolve(value, …)"
    if not isinstance(error.name, str):
        return ""
    import traceback

    known: set[str] = set()
    with contextlib.suppress(Exception):
        if isinstance(error, AttributeError):
            known.update(dir(error.obj))
        else:
            for frame, _ in traceback.walk_tb(error.__traceback__):
                known = {*frame.f_locals, *frame.f_globals, *frame.f_builtins}
    hint = suggestion(error.name, known - {error.name}, "")
    return f"; {hint}" if hint else ""


def _line_of(error: BaseException, path: str) -> Origin:
    import traceback

    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return Origin(path, lines[-1] if lines and lines[-1] else 1)


def _deeper(error: BaseException, path: str) -> str:
    """Return where an error was raised, if that is in another file."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    if not frames or frames[-1].filename == path or frames[-1].filename.startswith("<"):
        return ""
    return f" (at {Origin(frames[-1].filename, frames[-1].lineno or 1)})"


def environment() -> dict[str, str]:
    """Return the variables with which a process runs dockdsl as this one does."""
    # The package is found there whatever the folder and the way by which it was found here.
    package = os.path.dirname(os.path.abspath(__file__))
    path = [os.path.dirname(package), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path)), "PYTHONIOENCODING": "utf-8"}
