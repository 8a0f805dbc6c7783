"""Code of the user's that ends in time: the system's alarm ends it, also in the middle of a search."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Late(BaseException):
    """The time is over; it is no `Exception`, since code of the user's may catch these."""


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Raise `Late` where the code is once its time is over.

    An alarm that is set already is kept, and goes off when it is due. Only the main thread has alarms, and Windows has
    none: there, the time has no end.
    """
    is_main = threading.current_thread() is threading.main_thread()
    # A handler that is not of Python could not be put back.
    if not is_main or not hasattr(signal, "setitimer") or (handler := signal.getsignal(signal.SIGALRM)) is None:
        yield
        return
    begun = time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, _end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - begun), 0.001), interval)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise Late
