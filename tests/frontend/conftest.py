"""The frontend's image, built once, as `make frontend` builds it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.helpers import docker
from tests.frontend.builds import EXAMPLE, Build

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels that the image is made of."""
    folder = tmp_path_factory.mktemp("wheels")
    # By this Python, which is there: nothing is to be installed.
    own = [f"VENV={sys.prefix}", f"--old-file={sys.prefix}/.ready"]
    command = ["make", "wheels", f"WHEELS={folder}", *own]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=300)
    return folder


@pytest.fixture(scope="session")
def frontend(wheels: Path) -> Iterator[str]:
    """The image of the frontend, by its tag."""
    tag = f"dockdsl-pytest-frontend:{os.getpid()}-{secrets.token_hex(4)}"
    docker("buildx", "build", "--load", "-t", tag, "-f", str(ROOT / "builds/frontend.Dockerfile"), str(wheels))
    yield tag
    docker("rmi", "--force", tag)


@pytest.fixture
def build(frontend: str, tmp_path: Path) -> Build:
    """A folder with a build file and a context, and what builds it."""
    for name, text in EXAMPLE.items():
        tmp_path.joinpath(name).parent.mkdir(exist_ok=True)
        tmp_path.joinpath(name).write_text(text)
    return Build(tmp_path, frontend)
