"""MAINTAINER: one name, deprecated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import DockdslError, InvalidType, InvalidValue, Maintainer
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Maintainer("Jane Doe <jane@example.com>"), "MAINTAINER Jane Doe <jane@example.com>", id="name"),
        pytest.param(Maintainer('"J" $x \\y #z'), 'MAINTAINER "J" $x \\y #z', id="nothing is read in it"),
    ],
)
def test_text(value: Maintainer, text: str) -> None:
    """The name stands as it is."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Maintainer(""), InvalidValue, "MAINTAINER: the name '' is empty", id="empty"),
        pytest.param(lambda: Maintainer(" a"), InvalidValue, "starts with whitespace", id="blank at the start"),
        pytest.param(lambda: Maintainer("--a"), InvalidValue, "dashes; remove them", id="look of a flag"),
        pytest.param(lambda: Maintainer("a\nUSER root"), InvalidValue, "newline", id="newline"),
        pytest.param(lambda: Maintainer("a\\"), InvalidValue, "escape character", id="backslash at the end"),
        pytest.param(lambda: Maintainer(anything(5)), InvalidType, "5 is an int", id="number"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """What the line cannot carry is refused."""
    laws.check_refused(make, kind, message, __file__)


def test_minimum_syntax() -> None:
    """Every frontend knows it, and nothing in it is expanded."""
    assert "1.0" == Maintainer("${A#b}").minimum_syntax
