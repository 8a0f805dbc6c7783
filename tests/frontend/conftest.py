"""The frontend's image, built once of what is installed here, as `make frontend` builds it of wheels."""

from __future__ import annotations

import os
import secrets
import zipfile
from collections.abc import Iterator
from pathlib import Path

import attr
import attrs
import h2
import hpack
import hyperframe
import pytest

import dockdsl
from tests.engine.helpers import docker
from tests.frontend.builds import EXAMPLE, Build

ROOT = Path(__file__).parents[2]


def make_wheels(folder: Path) -> None:
    """Write what the image needs into wheels."""
    for module in (attr, attrs, dockdsl, h2, hpack, hyperframe):
        home = Path(str(module.__file__)).parent
        with zipfile.ZipFile(folder / f"{home.name}-1-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
            for file in sorted(home.rglob("*")):
                if file.is_file() and file.suffix != ".pyc":
                    wheel.write(file, file.relative_to(home.parent))


@pytest.fixture(scope="session")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image of the frontend, by its tag."""
    folder = tmp_path_factory.mktemp("wheels")
    make_wheels(folder)
    tag = f"dockdsl-pytest-frontend:{os.getpid()}-{secrets.token_hex(4)}"
    docker("buildx", "build", "--load", "-t", tag, "-f", str(ROOT / "builds/frontend.Dockerfile"), str(folder))
    yield tag
    docker("rmi", "--force", tag)


@pytest.fixture
def build(frontend: str, tmp_path: Path) -> Build:
    """A folder with a build file and a context, and what builds it."""
    for name, text in EXAMPLE.items():
        tmp_path.joinpath(name).parent.mkdir(exist_ok=True)
        tmp_path.joinpath(name).write_text(text)
    return Build(tmp_path, frontend)
