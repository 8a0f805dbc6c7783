"""The program that BuildKit starts in the frontend's image."""

from __future__ import annotations

import os
import sys
from gc import set_threshold

# What is imported stays, as on the command line; here it costs each build.
set_threshold(50_000, 20, 20)

from dockdsl.frontend.gateway import Gateway  # noqa: E402 - what it imports is what would be collected
from dockdsl.frontend.session import Session  # noqa: E402
from dockdsl.frontend.wire import Channel, ConnectionLost  # noqa: E402

_PLACE = "/src"


def main() -> int:
    """Serve one build, on what were standard input and output; return the exit code."""
    if "BUILDKIT_SESSION_ID" not in os.environ:
        sys.stderr.write("dockdsl.frontend: BuildKit starts this, by the line `# syntax=` of a Python file\n")
        return 2
    # The user's file gets neither of them, and nothing that is printed may get into the connection.
    reading, writing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    try:
        Session(Gateway(Channel(reading, writing)), os.environ, _PLACE).run()
    except ConnectionLost as lost:
        sys.stderr.write(f"dockdsl.frontend: {lost}\n")
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Taking all modules apart would cost each build, too.
    os._exit(code)
