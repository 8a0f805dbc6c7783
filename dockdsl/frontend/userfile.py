"""What is done in the child process: the user's file is run, and its Dockerfile is rendered."""
# ruff: noqa: PLC0415 - what a file needs is imported when it is run

from __future__ import annotations

import io
import os
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

from dockdsl import __version__
from dockdsl.display import argument, one_line
from dockdsl.ending import Ending
from dockdsl.errors import DockdslError, SourceError
from dockdsl.frontend.report import line
from dockdsl.origins import Origin

if TYPE_CHECKING:
    from dockdsl.model.dockerfile import Dockerfile

NAME_ARGUMENT = "DOCKDSL_NAME"
"""The build argument that picks an object in a file that defines several."""
_LONGEST_SAID = 1 << 16
"""Characters of what a file prints."""
_LISTED = 20
"""How many names a message lists."""
_MODULES = (
    f"; the frontend has dockdsl {__version__}, Python's own modules and those beside the file; where a newer "
    "dockdsl has the name, use a newer frontend"
)
_REMEDIES: tuple[tuple[type[BaseException], str], ...] = (
    (MemoryError, "; a file has {memory} MiB in a build"),
    (ImportError, _MODULES),
    (FileNotFoundError, "; of the files beside it, the frontend loads Python modules alone: write the text into one"),
)
"""What is to be said of an exception that a file raises in a frontend, and nowhere else."""


def report(descriptor: int, path: str, name: str | None, memory: int) -> None:
    """Run a file and write into a descriptor what it prints and what it defines, or why it defines nothing."""
    sys.stdout = sys.stderr = stream = _Stream(descriptor, path)
    ending = Ending(lambda error: stream.send("failed", _failed(error, memory)))
    try:
        stream.send(*_outcome(path, name, memory))
        ending.status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it is not the file's
        import traceback

        stream.send("crashed", traceback.format_exc())


class _Stream(io.TextIOBase):
    """What Python code prints goes into the report, with its place."""

    encoding = "utf-8"

    def __init__(self, descriptor: int, path: str) -> None:
        self._descriptor = descriptor
        self._folder = os.path.join(os.path.dirname(path), "")
        self._left = _LONGEST_SAID
        # Bytes have no line: they go where the output of a program goes that the file starts.
        self.buffer = open(self.fileno(), "wb", buffering=0, closefd=False)  # noqa: SIM115 - lives as long

    def fileno(self) -> int:
        return 2

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the public ways build a list of all frames
        while frame is not None and not frame.f_code.co_filename.startswith(self._folder):
            frame = frame.f_back
        place = None if frame is None else (frame.f_code.co_filename, frame.f_lineno, frame.f_lineno)
        kept = text[: self._left]
        self._left -= len(kept)
        if kept:
            self.send("said", (kept, place))
        return len(text)

    def send(self, kind: str, value: Any) -> None:
        """Write a line of the report, below what the file may have written there itself."""
        data = memoryview(b"\n" + line(kind, value))
        while data:
            data = data[os.write(self._descriptor, data) :]


def _outcome(path: str, name: str | None, memory: int) -> tuple[str, Any]:
    """Return kind and value of the line of the report that says what a file defines."""
    folder, file = os.path.split(path)
    os.chdir(folder)
    try:
        return "made", _made(file, name)
    except DockdslError as error:
        return "failed", _failed(error, memory)
    except MemoryError:
        return "failed", (
            f"{one_line(file)}: it takes more memory than a file has in a build ({memory >> 20} MiB)",
            None,
        )


def _failed(error: DockdslError, memory: int) -> tuple[str, tuple[str, int, int] | None]:
    """Return the message of an error, and its lines, where it is about any."""
    remedy = next((text for kind, text in _REMEDIES if isinstance(error.__context__, kind)), "")
    message = f"{error.message}{remedy.format(memory=memory >> 20)}"
    if error.origin is None:
        return message, None
    return f"{message}{error.origin.trail()}", _lines(error.origin)


def _lines(origin: Origin) -> tuple[str, int, int]:
    """Return the lines of a call."""
    return origin.path, origin.line, origin.extent[1] if origin.extent else origin.line


def _made(file: str, name: str | None) -> tuple[Any, ...]:
    from dockdsl.model.dockerfile import Dockerfile
    from dockdsl.selection import select
    from dockdsl.text.rendering import render_with_map

    files: dict[str, dict[str, Any]] = {}
    found, _ = select(f"{file}:{name or '*'}", Dockerfile, files=files)
    if len(found) > 1:
        names = ", ".join(sorted(argument(each.name) for each in found)[:_LISTED])
        fact = f"{one_line(file)}: it defines more than one Dockerfile"
        raise SourceError(f"{fact}; pick one with --build-arg {NAME_ARGUMENT}=…: {names}")
    dockerfile = found[0].value
    text, origins = render_with_map(dockerfile)
    lines = [each and _lines(each) for each in origins]
    ignore, options = _of_image(file, files, dockerfile)
    return text, lines, dockerfile.frontend is not None, dockerfile.check or "", ignore, options


def _of_image(file: str, files: dict[str, dict[str, Any]], dockerfile: Dockerfile) -> tuple[str | None, dict[str, str]]:
    """Return what replaces the ``.dockerignore``, and the options of the image that has this Dockerfile."""
    if "dockdsl.image" not in sys.modules:
        return None, {}
    from dockdsl.image import Image
    from dockdsl.selection import select

    try:
        images, _ = select(f"{file}:*", Image, files=files)
    except SourceError:
        return None, {}
    image = next((each.value for each in images if each.value.dockerfile is dockerfile), None)
    if image is None:
        return None, {}
    # One without a value is that of the environment, which is the command's.
    options = {f"build-arg:{name}": value for name, value in image.build_args if value is not None}
    options |= {f"label:{name}": value for name, value in image.labels}
    if image.target is not None:
        options["target"] = image.target
    return None if image.ignore is None else "".join(f"{each}\n" for each in image.ignore), options
