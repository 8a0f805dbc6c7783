"""The end of the process: where the user's file ends it itself, that is reported at its line, as a failure."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from dockdsl.errors import SourceError
from dockdsl.origins import Origin

_BROKEN = 2
_ENDS = ("_exit", "execv", "execve")
"""The functions of `os` that end a process without any word, or put another program in its place."""


class Ending:
    """Takes the place of `os._exit` and the like, in this process alone and not in its children.

    `tell` is given the error. `status` is the exit code of the command once that is known.
    """

    def __init__(self, tell: Callable[[SourceError], None]) -> None:
        self.status: int | None = None
        self._tell = tell
        self._process = os.getpid()
        self._exit = os._exit
        for name in _ENDS:
            setattr(os, name, self._in_place_of(name, getattr(os, name)))

    def _in_place_of(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def ended(*arguments: Any) -> Any:
            if os.getpid() != self._process:
                return original(*arguments)
            asked = arguments[0] if name == "_exit" and arguments and isinstance(arguments[0], int) else 0
            if self.status is None:
                self._tell_of(name, sys._getframe(1))  # noqa: SLF001 - the public ways build a list of all frames
            self._exit(asked or (_BROKEN if self.status is None else self.status))
            return None

        return ended

    def _tell_of(self, name: str, frame: Any) -> None:
        while frame.f_back is not None and frame.f_globals.get("__name__") == "os":
            frame = frame.f_back
        place = Origin(frame.f_code.co_filename, frame.f_lineno)
        fact = f"os.{name} ended the program before the command was done"
        self._tell(SourceError(f'{fact}; guard it with if __name__ == "__main__"', origin=place))
