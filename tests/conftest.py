"""What all tests share: which of them run where."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from dockdsl.instructions import constructor
from tests.corpora import SHARED

# The ordinary run tries the same values every time, so that it says the same of the same code; the long one looks further.
settings.register_profile("steady", derandomize=True, deadline=None)
if "DOCKDSL_EXAMPLES_FACTOR" not in os.environ:
    settings.load_profile("steady")

# The tests see the generated functions from the first value on.
constructor.often = 0

ROOT = Path(__file__).parents[1]
pytest_plugins = ["tests.engine.fixtures"]


@cache
def engine_trouble() -> str | None:
    """Return why no engine with buildx can be used, or None if one can."""
    reason = os.environ.get("DOCKDSL_ENGINE_REASON")
    if reason:
        return reason
    for command in (["docker", "buildx", "version"], ["docker", "version", "--format", "{{.Server.Version}}"]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{' '.join(command)}: {error}; run `make test`, which brings an engine up"
        if done.returncode:
            return f"{' '.join(command)}: {done.stderr.strip() or 'failed'}; run `make test`, which brings an engine up"
    return None


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not to run here; without an engine, skip its tests, or refuse to run if one is required."""
    without = set()
    if os.environ.get("DOCKDSL_EXAMPLES_FACTOR", "1") == "1":
        without.add("long")
    if not SHARED.is_dir():
        without.add("corpora")
    left = [item for item in items if without & {mark.name for mark in item.iter_markers()}]
    config.hook.pytest_deselected(items=left)
    gone = set(left)
    items[:] = [item for item in items if item not in gone]
    marked = [item for item in items if item.get_closest_marker("engine")]
    for item in marked:
        # A file's tests share what they build, and some of them an engine of their own.
        item.add_marker(pytest.mark.xdist_group(str(item.path)))
    if not marked:
        return
    trouble = engine_trouble()
    if trouble is None:
        return
    if os.environ.get("DOCKDSL_REQUIRE_ENGINE"):
        raise pytest.UsageError(f"an engine is required, and there is none: {trouble}")
    for item in marked:
        item.add_marker(pytest.mark.skip(reason=trouble))
