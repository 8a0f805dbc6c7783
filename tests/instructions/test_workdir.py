"""WORKDIR: one path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import DockdslError, InvalidType, InvalidValue, Workdir, literal
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Workdir("/src"), "WORKDIR /src", id="absolute"),
        pytest.param(Workdir("sub"), "WORKDIR sub", id="relative"),
        pytest.param(Workdir("/my app"), 'WORKDIR "/my app"', id="blank"),
        pytest.param(Workdir("/a "), 'WORKDIR "/a "', id="blank at the end"),
        pytest.param(Workdir("/a\tb"), 'WORKDIR "/a\tb"', id="tab"),
        pytest.param(Workdir('/a"b'), r'WORKDIR "/a\"b"', id="quote"),
        pytest.param(Workdir("C:\\app\\"), r'WORKDIR "C:\\app\\"', id="backslash at the end"),
        pytest.param(Workdir("--x"), 'WORKDIR "--x"', id="dashes are no flag"),
        pytest.param(Workdir('["a"]'), r'WORKDIR "[\"a\"]"', id="brackets"),
        pytest.param(Workdir("#a"), 'WORKDIR "#a"', id="number sign"),
        pytest.param(Workdir("/${A}/$B"), "WORKDIR /${A}/$B", id="variables"),
        pytest.param(Workdir(literal("/$A")), r'WORKDIR "/\$A"', id="literal dollar"),
        pytest.param(Workdir("/é"), 'WORKDIR "/é"', id="beyond ASCII"),
    ],
)
def test_text(value: Workdir, text: str) -> None:
    """A path is bare where that is safe, and in quotes elsewhere."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Workdir(""), InvalidValue, "WORKDIR: the path '' is blank; name a path", id="empty"),
        pytest.param(lambda: Workdir(" \t"), InvalidValue, "is blank", id="blank"),
        pytest.param(lambda: Workdir("/a\nUSER root"), InvalidValue, "newline", id="newline"),
        pytest.param(lambda: Workdir("/a\0"), InvalidValue, "control character", id="NUL"),
        pytest.param(lambda: Workdir("/$"), InvalidValue, "does not start a variable reference", id="lone dollar"),
        pytest.param(lambda: Workdir(anything(None)), InvalidType, "is a NoneType", id="None"),
        pytest.param(lambda: Workdir(anything(b"/a")), InvalidType, "is a bytes", id="bytes"),
        pytest.param(lambda: Workdir(anything(["/a"])), InvalidType, "is a list", id="list"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """A path that no WORKDIR can name is refused."""
    laws.check_refused(make, kind, message, __file__)


def test_minimum_syntax() -> None:
    """Every frontend knows it; a modifier needs the one that brought it."""
    assert "1.0" == Workdir("/a").minimum_syntax
    assert "1.7" == Workdir("/${A#b}").minimum_syntax
