"""Ctrl-C and SIGTERM while something exists that must be removed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_ALL = (signal.SIGINT, *_ENDING)


def _exit(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


@contextmanager
def ended_by_exception() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `SystemExit` in this block, so that ``finally`` blocks run, as on Ctrl-C.

    A signal for which the program has a handler of its own, or which it ignores, is left alone; so are all of them
    outside the main thread, where Python allows no handler.
    """
    taken = []
    if threading.current_thread() is threading.main_thread():
        taken = [number for number in _ENDING if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _exit)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def deferred() -> Iterator[Collection[int]]:
    """Hold Ctrl-C, SIGTERM and SIGHUP back until the block has ended; yield those that were held back so far.

    For the few calls between which a container would be lost: those that make it and those that remove it. What is
    in the block must be bounded in time by itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield ()
        return
    caught: list[int] = []
    before = {number: signal.getsignal(number) for number in _ALL}
    mine = {number: handler for number, handler in before.items() if handler not in (None, signal.SIG_IGN)}
    for number in mine:
        signal.signal(number, lambda number, _: caught.append(number))
    try:
        yield caught
    finally:
        for number, handler in mine.items():
            signal.signal(number, handler)
        if caught:
            signal.raise_signal(caught[0])
