"""The Go REST API: its own tests, its formatting, and what vet thinks of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

APP = Path(__file__).parents[1] / "go_app"


def run(*command: str) -> str:
    """Run a Go tool with the toolchain of the environment, and return what it prints."""
    tools = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOFLAGS": "-mod=mod",
        "CGO_ENABLED": "0",
    }
    done = subprocess.run(command, cwd=APP, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("command", [["go", "vet", "./..."], ["go", "test", "-timeout=180s", "./..."]], ids=" ".join)
def test_the_toolchain_is_content(command: list[str]) -> None:
    """Vet finds nothing, and the service's own tests pass."""
    run(*command)


def test_the_sources_are_formatted() -> None:
    """Gofmt would change nothing."""
    root = Path(run("go", "env", "GOROOT").strip())
    assert "" == run(str(root / "bin" / "gofmt"), "-l", ".")
