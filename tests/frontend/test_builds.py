"""Builds by the frontend on a real engine: what is built is what the plain Dockerfile gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.helpers import inspect
from tests.frontend.builds import BASE, Build

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.engine


def test_a_python_file_is_built_as_its_dockerfile_is(build: Build) -> None:
    """The image is that of the Dockerfile which the command line renders, by its very id."""
    build.write()

    image = build.image()
    assert build.image(file=build.plain())["Id"] == image["Id"]
    assert ["cat", "/greeting"] == image["Config"]["Cmd"]


def test_the_image_is_small(frontend: str) -> None:
    """It adds little to its Python, and nothing of it is for one machine alone."""
    own, base = inspect(frontend), inspect(BASE)

    assert base["RootFS"]["Layers"] == own["RootFS"]["Layers"][: len(base["RootFS"]["Layers"])]
    assert own["Size"] - base["Size"] <= 8_000_000


def test_the_image_passes_its_checks(wheels: Path) -> None:
    """``dockdsl test`` builds it of a folder of wheels, and examines it."""
    command = [sys.executable, "-m", "dockdsl", "test", "builds/frontend.py", f"--context={wheels}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert 0 == done.returncode, done.stderr
    assert "4 of 4 checks passed" in done.stdout + done.stderr
