"""LABEL: keys and values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import DockdslError, InvalidType, InvalidValue, Label, literal
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(
            Label({"org.opencontainers.image.title": "api"}), "LABEL org.opencontainers.image.title=api", id="dots"
        ),
        pytest.param(Label({"a": "two words", "b": ""}), 'LABEL a="two words" b=""', id="several"),
        pytest.param(Label({"a": 'say "hi" \\'}), r'LABEL a="say \"hi\" \\"', id="quotes and a backslash at the end"),
        pytest.param(Label({"com.example/key": "x"}), 'LABEL "com.example/key"=x', id="slash in a key"),
        pytest.param(Label({"a": "$VERSION"}), "LABEL a=$VERSION", id="variable"),
        pytest.param(Label({"a": literal("$VERSION")}), r'LABEL a="\$VERSION"', id="literal dollar"),
        pytest.param(Label({literal("a$"): "x"}), r'LABEL "a\$"=x', id="literal key"),
    ],
)
def test_text(value: Label, text: str) -> None:
    """Labels are spelled as variables are."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Label({"a": "x\nUSER root"}), InvalidValue, "LABEL: 'a': .* newline", id="newline"),
        pytest.param(
            lambda: Label({"": "x"}), InvalidValue, "LABEL: '': a key is empty; give it a name", id="empty key"
        ),
        pytest.param(lambda: Label({}), InvalidValue, "no key-value pair is given", id="nothing"),
        pytest.param(lambda: Label(anything({"a": True})), InvalidType, "is a bool", id="switch"),
        pytest.param(lambda: Label(anything(None)), InvalidType, "is a NoneType", id="None"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """What no LABEL can say is refused."""
    laws.check_refused(make, kind, message, __file__)


def test_minimum_syntax() -> None:
    """A label needs no newer frontend than the variables in it do."""
    assert "1.0" == Label({"a": "b"}).minimum_syntax
    assert "1.7" == Label({"a": "${B%c}"}).minimum_syntax
