"""Where a value was written: the file and line in the user's own code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from dockdsl.display import one_line

if TYPE_CHECKING:
    from types import CodeType, FrameType

GENERATED = "<attrs generated"
"""How the file of a method begins that attrs generates."""
MADE = "<dockdsl made"
"""How the file of a constructor begins that dockdsl puts together."""
# The frames between a user's line and here: our own, and these methods.
_OURS = (os.path.dirname(__file__) + os.sep, GENERATED, MADE)
_INNER: set[str] = set()
OUTER: set[str] = set()
"""Files that are known not to stand between a user's line and here."""
# Where the callers are not the user's any more.
_LIBRARY = (os.path.dirname(os.__file__) + os.sep, "<frozen ")
_PACKAGES = f"{os.sep}site-packages{os.sep}"


MODULE = "<module>"
_INLINE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_LONGEST_SITE = 8
"""The length of a site with three callers."""

_Positions = list[tuple[int | None, int | None, int | None, int | None]]
_known: dict[int, tuple[CodeType, _Positions]] = {}
"""The positions of code objects by their ids, which are theirs as long as they are kept here."""
_MOST_KNOWN = 64
Site = tuple[Any, ...]
"""A code object and the offset of an instruction in it; then the same of its caller, and so on. Of what is read from a
file, the path and the line: most of them are never asked for."""


class _Place(NamedTuple):
    path: str
    line: int


class Origin(_Place):
    """The place where a value was written: a file and a line in it (counted from 1).

    >>> str(Origin("builds/go_api.py", 31))
    'builds/go_api.py:31'
    """

    callers: tuple[Origin, ...] = ()
    """Where the function that has the line was called, and who called that: at most three. Not part of the value."""
    function: str = ""
    """The function that has the line; empty where it is not a line of Python. Not part of the value."""
    extent: tuple[int, int, int] | None = None
    """Where the call begins in the line, and the line and the place where it ends, in bytes of UTF-8 from 0; None where
    Python does not know. Not part of the value."""

    def __str__(self) -> str:
        return f"{one_line(short_path(self.path))}:{self.line}"

    def within(self, outer: Origin) -> Origin:
        """Return the place of a step in the stage at another one, by which it is known who called the function here."""
        if not self.function or not outer.function:
            return self
        is_same = (self.path, self.function) == (outer.path, outer.function)
        callers = outer.callers if is_same else (outer, *outer.callers)
        return _origin(self, self.function, callers, self.extent)

    def trail(self) -> str:
        """Return a line for each of the callers, to go below a message."""
        return "".join([f"\n  by way of {each}" for each in self.callers])


def short_path(path: str) -> str:
    """Return `path` relative to the current folder if it is below it; otherwise as it is."""
    try:
        here = os.path.join(os.getcwd(), "")
    except OSError:
        return path
    return path.removeprefix(here)


def call_site() -> Site:
    """Return the code and instruction of the nearest caller outside dockdsl.

    `origin_of` turns it into a file and a line when they are needed: most origins never are, and keeping the frame
    itself would keep its local variables alive.
    """
    frame: FrameType = sys._getframe(2)  # noqa: SLF001 - the public ways build a list of all frames
    code = frame.f_code
    while (file := code.co_filename) in _INNER or (file not in OUTER and _is_inner(file)):
        if frame.f_back is None:
            break
        frame = frame.f_back
        code = frame.f_code
    return code, frame.f_lasti


def call_sites() -> Site:
    """Return the same, and who called that in turn.

    It takes longer, so it is asked for stages, but not for their steps.
    """
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - as above
    site: tuple[Any, ...] = ()
    while frame is not None and len(site) < _LONGEST_SITE:
        code = frame.f_code
        if code.co_filename in OUTER or not _is_inner(code.co_filename) or (frame.f_back is None and not site):
            site += code, frame.f_lasti
            if code.co_name == MODULE:
                break
        frame = frame.f_back
    return site


def _is_inner(file: str) -> bool:
    """Whether the code of a file stands between a user's line and here."""
    if file not in _INNER and file not in OUTER:
        (_INNER if file.startswith(_OURS) or _is_between(file) else OUTER).add(file)
    return file in _INNER


def _is_between(file: str) -> bool:
    """Whether a frame is one of attrs, which calls constructors in ``attrs.evolve``, or of contextlib."""
    if file == getattr(sys.modules.get("contextlib"), "__file__", None):
        return True
    attr = sys.modules.get("attr")
    return attr is not None and os.path.dirname(str(attr.__file__)) == os.path.dirname(file)


def origin_of(site: Site) -> Origin:
    """Turn a call site into file and line."""
    if isinstance(site[0], str):
        return Origin(*site)
    origin = _place(*site[:2])
    callers: list[Origin] = []
    for inner, code, offset in zip(site[::2], site[2::2], site[3::2], strict=False):
        if code.co_filename.startswith(_LIBRARY) or _PACKAGES in code.co_filename:
            break
        place = _place(code, offset)
        # A comprehension is a function to Python, and not to people.
        if inner.co_name not in _INLINE and place not in (origin, *callers):
            callers.append(place)
    return _origin(origin, origin.function, tuple(callers), origin.extent)


def _place(code: CodeType, offset: int) -> Origin:
    inline = code.co_name in _INLINE
    function = code.co_qualname.rpartition(".<locals>.")[0] or MODULE if inline else code.co_qualname
    first, last, begin, end = _positions(code)[offset // 2]
    extent = None if last is None or begin is None or end is None else (begin, last, end)
    return _origin((code.co_filename, first or code.co_firstlineno), function, (), extent)


def _positions(code: CodeType) -> _Positions:
    """Return where each instruction of a code object was written: a file asks for many of one."""
    if id(code) not in _known:
        if len(_known) == _MOST_KNOWN:
            _known.clear()
        _known[id(code)] = (code, list(code.co_positions()))
    return _known[id(code)][1]


def _origin(
    place: tuple[str, int], function: str, callers: tuple[Origin, ...], extent: tuple[int, int, int] | None
) -> Origin:
    origin = Origin(*place)
    origin.function = function
    origin.callers = callers
    origin.extent = extent
    return origin
