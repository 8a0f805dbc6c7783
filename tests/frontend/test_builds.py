"""Builds by the frontend on a real engine: what is built is what the plain Dockerfile gives."""

from __future__ import annotations

import pytest

from tests.frontend.builds import Build

pytestmark = pytest.mark.engine


def test_a_python_file_is_built_as_its_dockerfile_is(build: Build) -> None:
    """The image is that of the Dockerfile which the command line renders, by its very id."""
    build.write()

    image = build.image()
    assert build.image(file=build.plain())["Id"] == image["Id"]
    assert ["cat", "/greeting"] == image["Config"]["Cmd"]
