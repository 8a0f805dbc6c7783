"""The table of builders: the command line and `dockdsl gc` know each by it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from dockdsl.engine import builders
from dockdsl.engine.builders import BUILDERS, make_builder
from dockdsl.engine.builders.process import Clock, OutOfTime, started


def test_each_builder_is_in_the_table() -> None:
    """A class of these modules that builds is known by the name of its module."""
    found = {
        path.stem: name
        for path in Path(builders.__file__).parent.glob("[a-z]*.py")
        for name, value in vars(import_module(f"dockdsl.engine.builders.{path.stem}")).items()
        if isinstance(value, type) and value.__module__.endswith(f".{path.stem}") and hasattr(value, "build")
    }

    assert found == BUILDERS
    assert list(BUILDERS.values()) == [type(make_builder(name)).__name__ for name in BUILDERS]


def test_time_that_is_over() -> None:
    """A clock without seconds left, a command that prints nothing and one that does not end are out of time."""
    with pytest.raises(OutOfTime):
        Clock(0).left()
    with started(["sleep", "60"]) as running:
        with pytest.raises(OutOfTime):
            running.line(0.05)
        with pytest.raises(OutOfTime):
            running.wait(0.05)
    assert running.process.poll() is not None


def test_lines_of_both_streams() -> None:
    """Lines come as they are printed, with stdout among them if asked for; a variable that is None is unset."""
    command = ["sh", "-c", 'echo out; echo "err ${HOME-unset}" >&2; exit 3']
    for with_stdout, expected in ((False, ["err unset\n"]), (True, ["out\n", "err unset\n"])):
        with started(command, None, {"HOME": None}, with_stdout=with_stdout) as running:
            assert expected == list(iter(lambda: running.line(30), None))
            assert 3 == running.wait(30)
