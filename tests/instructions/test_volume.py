"""VOLUME: paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import DockdslError, InvalidType, InvalidValue, Volume, literal
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Volume("/data"), "VOLUME /data", id="one"),
        pytest.param(Volume("/a", "/b"), "VOLUME /a /b", id="two"),
        pytest.param(Volume("/my app", "/b"), 'VOLUME ["/my app", "/b"]', id="blank makes JSON of all"),
        pytest.param(Volume(" /a"), r'VOLUME ["\" /a\""]', id="blank at the start, which BuildKit would take off"),
        pytest.param(Volume("/a "), r'VOLUME ["\"/a \""]', id="blank at the end, which BuildKit would take off"),
        pytest.param(Volume('/a"b'), r'VOLUME ["/a\\\"b"]', id="quote is escaped for the lexer, then for JSON"),
        pytest.param(Volume("/a'b"), r"""VOLUME ["/a\\'b"]""", id="single quote"),
        pytest.param(Volume("C:\\data"), r'VOLUME ["C:\\\\data"]', id="backslash"),
        pytest.param(Volume("--x"), 'VOLUME ["--x"]', id="dashes are no flag"),
        pytest.param(Volume("[a]"), 'VOLUME ["[a]"]', id="bracket is no array"),
        pytest.param(Volume("/$A/${B}"), "VOLUME /$A/${B}", id="variables"),
        pytest.param(Volume(literal("/$A")), r'VOLUME ["/\\$A"]', id="literal dollar"),
        pytest.param(Volume("\ufeff/a"), 'VOLUME ["\\\\\ufeff/a"]', id="byte order mark, which BuildKit would drop"),
        pytest.param(Volume("/a\tb"), r'VOLUME ["/a\tb"]', id="tab"),
        pytest.param(Volume("/a", paths=["/b", "/c"]), "VOLUME /a /b /c", id="a list after single ones"),
        pytest.param(Volume(paths="/a"), "VOLUME /a", id="one by keyword"),
        pytest.param(Volume("#a"), 'VOLUME ["#a"]', id="number sign"),
    ],
)
def test_text(value: Volume, text: str) -> None:
    """Paths are bare where all are safe, and elements of an array elsewhere."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Volume(), InvalidValue, "VOLUME: no path is given; name at least one", id="nothing"),
        pytest.param(lambda: Volume("/a", ""), InvalidValue, "a path is empty; name a folder", id="empty"),
        pytest.param(lambda: Volume("/a\nUSER root"), InvalidValue, "newline", id="newline"),
        pytest.param(lambda: Volume("/a\x01"), InvalidValue, "control character", id="control character"),
        pytest.param(lambda: Volume("/$"), InvalidValue, "does not start a variable reference", id="lone dollar"),
        pytest.param(lambda: Volume(anything(["/a"])), InvalidType, "is a list", id="list"),
        pytest.param(lambda: Volume(anything(None)), InvalidType, "is a NoneType", id="None"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """A path that no VOLUME can name is refused."""
    laws.check_refused(make, kind, message, __file__)


def test_minimum_syntax() -> None:
    """Every frontend knows it."""
    assert "1.0" == Volume("/a b").minimum_syntax
