"""Waiting: something is asked again and again, with pauses in between, until the time is over."""

from __future__ import annotations

import time
from collections.abc import Iterator

_FIRST_PAUSE = 0.25


def attempts(seconds: float, longest_pause: float) -> Iterator[float]:
    """Yield the seconds that are left each time that it is to be asked: once at least, the last time at the very end.

    >>> [*attempts(0, 1)]
    [0.0]
    """
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while True:
        yield max(deadline - time.monotonic(), 0.0)
        left = deadline - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(pause, left))
        pause = min(pause * 2, longest_pause)
