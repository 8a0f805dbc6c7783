"""SHELL: a list of words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import DockdslError, InvalidType, InvalidValue, Shell
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Shell(["/bin/sh", "-c"]), 'SHELL ["/bin/sh", "-c"]', id="two"),
        pytest.param(Shell(("/bin/bash",)), 'SHELL ["/bin/bash"]', id="one, from a tuple"),
        pytest.param(Shell(anything("/bin/bash")), 'SHELL ["/bin/bash"]', id="one, as text"),
        pytest.param(Shell(["C:\\sh.exe", '"$x"\n']), r'SHELL ["C:\\sh.exe", "\"$x\"\n"]', id="nasty ones"),
    ],
)
def test_text(value: Shell, text: str) -> None:
    """The words reach the engine character for character."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Shell([]), InvalidValue, "SHELL: the list is empty; name the program", id="nothing"),
        pytest.param(
            lambda: Shell(["/bin/sh -c"]),
            InvalidValue,
            "single word with whitespace in it; pass a list",
            id="line as a word",
        ),
        pytest.param(lambda: Shell(["a\0"]), InvalidValue, "NUL", id="NUL"),
        pytest.param(lambda: Shell(anything([1])), InvalidType, "1 is an int", id="number"),
        pytest.param(lambda: Shell(anything({"sh", "-c"})), InvalidType, "is a set", id="a set has no order"),
        pytest.param(lambda: Shell(anything(None)), InvalidType, "is a NoneType", id="None"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """A value that is not a list of words is refused."""
    laws.check_refused(make, kind, message, __file__)


def test_minimum_syntax() -> None:
    """Every frontend knows it."""
    assert "1.0" == Shell(["sh"]).minimum_syntax
