"""How long a process goes on after its command is done: Python waits for threads and processes without a limit."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import Any

from dockdsl.cli.streams import say
from dockdsl.display import one_line

_SECONDS = 5.0
"""What the user's file started may take that long."""


def end_soon(status: int) -> None:
    """Have the process end with an exit code soon, whether or not what the user's file started ends."""
    # Without threads, Python waits for nothing.
    threading: Any = sys.modules.get("threading")
    if threading is not None:
        # Where no thread can be started, the process ends as Python does it.
        with contextlib.suppress(RuntimeError):
            threading.Thread(target=_end, args=(status, threading), daemon=True).start()


def _end(status: int, threading: Any) -> None:
    time.sleep(_SECONDS)
    main = threading.main_thread()
    names = [each.name for each in threading.enumerate() if not each.daemon and each is not main]
    multiprocessing: Any = sys.modules.get("multiprocessing")
    children = [] if multiprocessing is None else multiprocessing.active_children()
    names += [each.name for each in children]
    fact = f"{one_line(', '.join(names)) or 'what the file started'} did not end within {_SECONDS:g} s"
    say(f"{fact}, and the program ended without it; let it end, or make it a daemon")
    for each in children:
        # It would keep the pipes open.
        each.terminate()
    os._exit(status)
