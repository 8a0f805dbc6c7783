"""Builds by the frontend, beside those of the plain Dockerfile."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs

from tests.engine.helpers import inspect

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_EXCERPT = re.compile(r"^(\S+):(\d+)\n-{20}\n(.*?)^-{20}$", re.MULTILINE | re.DOTALL)

BASE = "python:3.13-slim"
"""What the frontend's image is based on."""
EXAMPLE = {
    "app.py": """\
from bases import BASE
from parts.common import setup

from dockdsl import Arg, Cmd, Copy, Dockerfile, Env, Run, Stage

base = Stage(
    BASE,
    name="base",
    steps=[
        Arg("GREETING", "hello"),
        setup,
        Run(
            "echo $GREETING > /greeting",
            network="none",
        ),
    ],
)
test = Stage(base, name="test", steps=[Run("grep -q hello /greeting", network="none")])
app = Stage(base, name="app", steps=[Copy(".", "/context/"), Env({"A": "1"}), Cmd.exec("cat", "/greeting")])
dockerfile = Dockerfile([test, app])
""",
    "bases.py": """\
BASE = "busybox:1.37"
""",
    "parts/__init__.py": "",
    "parts/common.py": """\
from dockdsl import Run

setup = Run("mkdir -p /made", network="none")
""",
    "context/data.txt": "data\n",
    "context/ignored.txt": "ignored\n",
}
"""A build file with two targets on one base, the modules beside it that describe them, and a context."""


def _as_the_daemon(errors: str) -> str:
    # The client says "run Build function" where its answer comes before that of the daemon.
    return errors.replace("failed to run Build function: ", "failed to solve: ")


@attrs.frozen
class Done:
    """A build that has ended."""

    code: int
    output: str
    errors: str = attrs.field(converter=_as_the_daemon)

    @property
    def error(self) -> str:
        """The error at the end, if there is one, without what differs from build to build."""
        last = self.errors.rstrip().rpartition("\n")[2]
        return re.sub(r"ref \S+:", "ref:", last) if self.code else ""

    @property
    def warnings(self) -> list[str]:
        """The warnings that are listed at the end."""
        return [line[3:] for line in self.errors.splitlines() if line.startswith(" - ")]

    @property
    def excerpts(self) -> list[tuple[str, list[str]]]:
        """The excerpts of files that are shown: the name of each, and the lines that are marked."""
        return [
            (name, [line.partition(">>> ")[2] for line in body.splitlines() if ">>> " in line])
            for name, _, body in _EXCERPT.findall(self.errors)
        ]


@attrs.frozen
class Build:
    """A folder with the build file ``app.py``, and the frontend that builds it."""

    folder: Path
    frontend: str

    def write(self, text: str | None = None, *, file: str = "app.py", line: str | None = None) -> None:
        """Write a build file below the line that names the frontend; by default the one that is there."""
        path = self.folder / file
        first = f"# syntax={self.frontend}" if line is None else line
        path.write_text(f"{first}\n{path.read_text() if text is None else text}")

    def replace(self, old: str, new: str) -> None:
        """Change the build file."""
        path = self.folder / "app.py"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def docker(self, *arguments: str, stdin: bytes | None = None, **environment: str) -> Done:
        """Run the docker command in the folder."""
        done = subprocess.run(
            ["docker", *arguments],
            cwd=self.folder,
            input=b"" if stdin is None else stdin,
            capture_output=True,
            check=False,
            timeout=120,
            env={**os.environ, **environment},
        )
        return Done(done.returncode, done.stdout.decode(), COLOURS.sub("", done.stderr.decode()))

    def run(
        self,
        *options: str,
        file: str = "app.py",
        context: str = "context",
        stdin: bytes | None = None,
        **environment: str,
    ) -> Done:
        """Build a file by ``docker buildx build``."""
        command = ["buildx", "build", "--progress=plain", *options, "-f", file, context]
        return self.docker(*command, stdin=stdin, **environment)

    def image(self, *options: str, file: str = "app.py", context: str = "context", stdin: bytes | None = None) -> Any:
        """Return what the engine knows of the image that is built."""
        iid = self.folder / "iid"
        done = self.run(f"--iidfile={iid}", *options, file=file, context=context, stdin=stdin)
        assert 0 == done.code, done.errors
        return inspect(iid.read_text())

    def plain(self, file: str = "app.py") -> str:
        """Write what a build file is on the command line, and return the name of the Dockerfile."""
        name = f"plain-{Path(file).stem}.Dockerfile"
        subprocess.run([sys.executable, "-m", "dockdsl", file, "-o", name], cwd=self.folder, check=True, timeout=60)
        return name


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on the loopback address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
