"""How long a process may outlive its command: Python itself waits for threads and child processes without limit."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import Any

from dockdsl.cli.streams import say
from dockdsl.display import one_line

_SECONDS = 5.0
"""How long whatever the user's file started may take to end."""


def end_soon(status: int) -> None:
    """End the process soon with an exit code, even if something that the user's file started is still running."""
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
