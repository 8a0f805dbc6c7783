"""Where a value was written: the file and line in the user's own code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import CodeType, FrameType

# The frames between a user's line and here: our own, and methods that attrs generates.
_OURS = (os.path.dirname(__file__) + os.sep, "<attrs generated")  # noqa: PTH120 - pathlib takes longer to import
_is_ours: dict[str, bool] = {}


class Origin(NamedTuple):
    """The place where a value was written: a file and a line in it (counted from 1).

    >>> str(Origin("builds/go_api.py", 31))
    'builds/go_api.py:31'
    """

    path: str
    line: int

    def __str__(self) -> str:
        return f"{short_path(self.path)}:{self.line}"


def short_path(path: str) -> str:
    """Return `path` relative to the current folder if it is below it; otherwise as it is."""
    try:
        here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118 - as above
    except OSError:
        return path
    return path.removeprefix(here)


def call_site() -> tuple[CodeType, int]:
    """Return the code and instruction of the nearest caller outside dockdsl.

    `origin_of` turns it into a file and a line when they are needed: most origins never are, and keeping the frame
    itself would keep its local variables alive.
    """
    frame: FrameType = sys._getframe(2)  # noqa: SLF001 - the public ways build a list of all frames
    while True:
        file = frame.f_code.co_filename
        ours = _is_ours.get(file)
        if ours is None:
            ours = _is_ours[file] = file.startswith(_OURS) or _is_between(file)
        if not ours or frame.f_back is None:
            return frame.f_code, frame.f_lasti
        frame = frame.f_back


def _is_between(file: str) -> bool:
    """Whether a frame is one of attrs, which calls constructors in ``attrs.evolve``, or of contextlib."""
    if file == getattr(sys.modules.get("contextlib"), "__file__", None):
        return True
    attr = sys.modules.get("attr")
    return attr is not None and os.path.dirname(str(attr.__file__)) == os.path.dirname(file)  # noqa: PTH120 - as above


def origin_of(site: tuple[CodeType, int]) -> Origin:
    """Turn a call site into file and line."""
    code, offset = site
    for index, position in enumerate(code.co_positions()):
        if index == offset // 2 and position[0] is not None:
            return Origin(code.co_filename, position[0])
    return Origin(code.co_filename, code.co_firstlineno)
