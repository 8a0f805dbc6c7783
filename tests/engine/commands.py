"""The command line as the tests of faults run it: on an image of busybox, with less patience than usual."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.engine.helpers import BUSYBOX

FACTOR = int(os.environ.get("DOCKDSL_EXAMPLES_FACTOR", "1"))
FILE = """\
from dockdsl import *

server = Stage({image!r}, name="server", steps=[
    {steps}
])
image = Image(Dockerfile(server), {tags}port=8080, context={context!r}, checks=[HttpCheck("GET", "/")])
"""
HURRIED = """
import sys
from dockdsl.cli import main
from dockdsl.engine.builders import buildx
from dockdsl.engine.runners import docker_sdk
patience = int(sys.argv.pop(1))
docker_sdk.DockerSdk.__init__.__kwdefaults__["timeout"] = patience
buildx.Buildx.__init__.__kwdefaults__["silence"] = patience
status = main(sys.argv[1:])
# What getrusage says counts the process that this one was forked from, too.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print("peak", int(peak) // 1024, "MiB", file=sys.stderr)
raise SystemExit(status)
"""
"""The command line with another patience, and with its need of memory at the end."""
TOKEN = secrets.token_hex(8)


def source(folder: Path, steps: str, tag: str | None = None) -> Path:
    """Write a file with an Image, and return its path."""
    file = folder / "api.py"
    context = folder / "context"
    context.mkdir(exist_ok=True)
    tags = "" if tag is None else f"tags={tag!r}, "
    file.write_text(FILE.format(image=BUSYBOX, steps=steps, tags=tags, context=str(context)))
    return file


@contextlib.contextmanager
def running(*arguments: str | Path, patience: int = 60) -> Iterator[subprocess.Popen[str]]:
    """Run the command line with so many seconds of patience, and leave nothing of it running."""
    command = [sys.executable, "-c", HURRIED, str(patience), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def steps_of(text: str) -> str:
    """Return a step that is not in the cache."""
    return f'Run("echo {TOKEN}; {text}"),'
