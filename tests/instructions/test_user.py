"""USER: one name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import DockdslError, InvalidType, InvalidValue, User, literal
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(User("nobody"), "USER nobody", id="name"),
        pytest.param(User("65532:65532"), "USER 65532:65532", id="numbers"),
        pytest.param(User(65532), "USER 65532", id="number"),
        pytest.param(User("$UID:${GID:-0}"), "USER $UID:${GID:-0}", id="variables"),
        pytest.param(User("DOMAIN\\me"), r'USER "DOMAIN\\me"', id="backslash"),
        pytest.param(User("a b"), 'USER "a b"', id="blank"),
        pytest.param(User("--root"), 'USER "--root"', id="dashes are no flag"),
        pytest.param(User(literal("$me")), r'USER "\$me"', id="literal dollar"),
    ],
)
def test_text(value: User, text: str) -> None:
    """A name is bare where that is safe, and in quotes elsewhere."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: User(""), InvalidValue, "USER: the user '' is blank; name a user", id="empty"),
        pytest.param(lambda: User("\u3000"), InvalidValue, "is blank", id="blank beyond ASCII"),
        pytest.param(lambda: User("a\nRUN evil"), InvalidValue, "newline", id="newline"),
        pytest.param(lambda: User(anything(1.5)), InvalidType, "1.5 is a float; pass a str", id="fraction"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """A name that no USER can say is refused."""
    laws.check_refused(make, kind, message, __file__)


def test_minimum_syntax() -> None:
    """Every frontend knows it."""
    assert "1.0" == User("a").minimum_syntax
