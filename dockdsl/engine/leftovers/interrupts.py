"""Ctrl-C and SIGTERM while something exists that must be removed."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from dockdsl.errors import Ended

_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_ALL = (signal.SIGINT, *_ENDING)
_PATIENCE = 1.0
"""Seconds after which a second signal is not an echo of the first, which a terminal and a parent may both have sent."""
_GIVEN_UP = "what was not removed is left to `dockdsl gc`"
on_wait: Callable[[], None] | None = None
"""Called if what follows a signal takes longer than that, so that people know what is happening."""


class _Ending:
    """The handler of signals that end a block: SIGINT by `KeyboardInterrupt`, the others by `Ended`."""

    def __init__(self) -> None:
        self._since: float | None = None

    def __call__(self, number: int, _: FrameType | None) -> None:
        now = time.monotonic()
        # It would end the cleaning up that the first one began.
        if self.is_echo(now):
            return
        self._since = now
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise Ended(128 + number)

    def is_echo(self, when: float) -> bool:
        """Whether a signal that came then is one that was raised already, sent a second time."""
        return self._since is not None and when - self._since <= _PATIENCE


@contextmanager
def ended_by_exception() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `Ended` (a `SystemExit`) here, so that ``finally`` blocks run, as on Ctrl-C.

    What comes within a second of a signal, Ctrl-C included, is taken for the same: a terminal and a parent may both
    send it.

    A signal for which the program has a handler of its own, or which it ignores, is left alone; so are all of them
    outside the main thread, where Python allows no handler.
    """
    mine: dict[int, Any] = {}
    ending = _Ending()
    for number in _ALL if threading.current_thread() is threading.main_thread() else ():
        if signal.getsignal(number) is (signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL):
            mine[number] = signal.signal(number, ending)
    try:
        yield
    finally:
        for number, handler in mine.items():
            signal.signal(number, handler)


class _Hold:
    """The handler of signals that are held back."""

    def __init__(self) -> None:
        self.caught: list[int] = []
        self.is_given_up = False
        self._since: float | None = None
        self._first = 0.0
        self._before: dict[int, Any] = {}
        self._word: threading.Timer | None = None

    def begin(self) -> None:
        """Take the place of the handlers of signals that are not ignored."""
        raised = sys.exc_info()[1]
        if isinstance(raised, (KeyboardInterrupt, SystemExit)):
            if _is_given_up(raised):
                raise raised
            # What is cleaned up after a signal is waited for as what is held back.
            self._heard()
        for number in _ALL:
            handler = signal.getsignal(number)
            if handler not in (None, signal.SIG_IGN):
                self._before[number] = signal.signal(number, self)

    def end(self) -> None:
        """Put the handlers back."""
        if self._word is not None:
            self._word.cancel()
        while self._before:
            signal.signal(*self._before.popitem())

    def raise_again(self) -> None:
        """Raise what was held back, but no echo of the signal after which it is cleaned up."""
        if self.caught:
            handler = signal.getsignal(self.caught[0])
            if not (isinstance(handler, _Ending) and handler.is_echo(self._first)):
                signal.raise_signal(self.caught[0])

    def _heard(self) -> None:
        self._since = time.monotonic()
        if on_wait is not None:
            self._word = threading.Timer(_PATIENCE, on_wait)
            self._word.daemon = True
            self._word.start()

    def __call__(self, number: int, _: FrameType | None) -> None:
        if self._since is None:
            self._heard()
        elif time.monotonic() - self._since > _PATIENCE:
            self.caught.clear()
            self.is_given_up = True
            self.end()
            signal.raise_signal(number)
            return
        if not self.caught:
            self._first = time.monotonic()
        self.caught.append(number)


def _is_given_up(raised: BaseException) -> bool:
    return _GIVEN_UP in getattr(raised, "__notes__", ())


@contextmanager
def deferred() -> Iterator[Collection[int]]:
    """Hold Ctrl-C, SIGTERM and SIGHUP back until the block has ended; yield those that were held back so far.

    For the few calls between which a container would be lost: those that make it and those that remove it. What is
    in the block must be bounded in time by itself. A second signal, a second later or more, is not held back, and
    nothing is begun any more.
    """
    if threading.current_thread() is not threading.main_thread():
        yield ()
        return
    outer = next((found for found in map(signal.getsignal, _ALL) if isinstance(found, _Hold)), None)
    hold = outer or _Hold()
    if outer is None:
        hold.begin()
    try:
        yield hold.caught
    except (KeyboardInterrupt, SystemExit) as raised:
        if hold.is_given_up and not _is_given_up(raised):
            raised.add_note(_GIVEN_UP)
        raise
    finally:
        if outer is None:
            hold.end()
            hold.raise_again()
