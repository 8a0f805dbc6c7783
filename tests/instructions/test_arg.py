"""ARG: names, defaults, several in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import Arg, DockdslError, InvalidType, InvalidValue, literal
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Arg("TARGETOS"), "ARG TARGETOS", id="no default"),
        pytest.param(Arg("A", "1.27"), "ARG A=1.27", id="default"),
        pytest.param(Arg("A", ""), 'ARG A=""', id="empty default"),
        pytest.param(Arg("A", "two words"), 'ARG A="two words"', id="blank"),
        pytest.param(Arg("A", 'a"b\\'), r'ARG A="a\"b\\"', id="quote and backslash"),
        pytest.param(Arg("A", "${B:-c}"), "ARG A=${B:-c}", id="variable"),
        pytest.param(Arg("A", literal("$B")), r'ARG A="\$B"', id="literal dollar"),
        pytest.param(Arg("a.b-c", "1"), "ARG a.b-c=1", id="dots and dashes"),
        pytest.param(Arg.many({"A": None, "B": "1", "C": "x y"}), 'ARG A B=1 C="x y"', id="several"),
        pytest.param(Arg("A", more=(Arg("B", "2"),)), "ARG A B=2", id="several as values"),
    ],
)
def test_text(value: Arg, text: str) -> None:
    """Names are bare, and defaults spelled as the values of ENV."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Arg(""), InvalidValue, "ARG: '' is not the name of a variable; use letters", id="empty"),
        pytest.param(lambda: Arg("1A"), InvalidValue, "not the name", id="digit first"),
        pytest.param(lambda: Arg("A=b"), InvalidValue, "not the name", id="equals sign"),
        pytest.param(lambda: Arg("A B"), InvalidValue, "not the name", id="blank"),
        pytest.param(lambda: Arg("A\n"), InvalidValue, "not the name", id="newline at the end"),
        pytest.param(lambda: Arg("É"), InvalidValue, "not the name", id="beyond ASCII"),
        pytest.param(lambda: Arg("$A"), InvalidValue, "not the name", id="variable as a name"),
        pytest.param(lambda: Arg("A", "b\nUSER root"), InvalidValue, "newline", id="newline in the default"),
        pytest.param(lambda: Arg("A", "$"), InvalidValue, "does not start a variable reference", id="lone dollar"),
        pytest.param(lambda: Arg.many({}), InvalidValue, "no variable is given", id="none of several"),
        pytest.param(
            lambda: Arg("A", more=(Arg("B", more=(Arg("C"),)),)), InvalidType, "one Arg for each variable", id="nested"
        ),
        pytest.param(lambda: Arg(anything(5)), InvalidType, "the name 5 is an int", id="number as a name"),
        pytest.param(lambda: Arg("A", anything(5)), InvalidType, "5 is an int", id="number as a default"),
        pytest.param(lambda: Arg("A", more=anything("B")), InvalidType, "is a str", id="text as more"),
        pytest.param(lambda: Arg.many(anything(["A"])), InvalidType, "pass a mapping", id="list of names"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """What no ARG can say is refused."""
    laws.check_refused(make, kind, message, __file__)


def test_minimum_syntax() -> None:
    """Several variables in one instruction came with 1.2."""
    assert "1.0" == Arg("A", "1").minimum_syntax
    assert "1.2" == Arg.many({"A": None, "B": None}).minimum_syntax
    assert "1.7" == Arg.many({"A": None, "B": "${A#x}"}).minimum_syntax
