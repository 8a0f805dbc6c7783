"""STOPSIGNAL: names and numbers."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import DockdslError, InvalidType, InvalidValue, Stopsignal, literal
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Stopsignal("SIGQUIT"), "STOPSIGNAL SIGQUIT", id="name"),
        pytest.param(Stopsignal("quit"), "STOPSIGNAL quit", id="short name, any case"),
        pytest.param(Stopsignal("SIGRTMIN+3"), "STOPSIGNAL SIGRTMIN+3", id="real-time signal"),
        pytest.param(Stopsignal("RTMAX-14"), "STOPSIGNAL RTMAX-14", id="real-time signal from above"),
        pytest.param(Stopsignal(9), "STOPSIGNAL 9", id="number"),
        pytest.param(Stopsignal("-1"), "STOPSIGNAL -1", id="negative number, which BuildKit takes"),
        pytest.param(Stopsignal(signal.SIGTERM), "STOPSIGNAL 15", id="member of Python's enumeration"),
        pytest.param(Stopsignal("$SIGNAL"), "STOPSIGNAL $SIGNAL", id="variable"),
        pytest.param(Stopsignal("${UNSET:-SIGINT}"), "STOPSIGNAL ${UNSET:-SIGINT}", id="variable with a default"),
    ],
)
def test_text(value: Stopsignal, text: str) -> None:
    """A signal stands as it is given."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Stopsignal("SIGWHAT"), InvalidValue, "'SIGWHAT' is unknown; write a name", id="unknown"),
        pytest.param(lambda: Stopsignal(0), InvalidValue, "'0' is unknown", id="zero"),
        pytest.param(lambda: Stopsignal("RTMIN+16"), InvalidValue, "is unknown", id="beyond the real-time signals"),
        pytest.param(lambda: Stopsignal("1" * 5000), InvalidValue, "is unknown", id="number without end"),
        pytest.param(lambda: Stopsignal("--x"), InvalidValue, "is unknown", id="look of a flag"),
        pytest.param(lambda: Stopsignal("9\nUSER root"), InvalidValue, "is unknown", id="newline"),
        pytest.param(lambda: Stopsignal(literal("$A")), InvalidValue, "is unknown", id="literal dollar"),
        pytest.param(lambda: Stopsignal(""), InvalidValue, "is blank", id="empty"),
        pytest.param(
            lambda: Stopsignal(10**5000), InvalidValue, "more than 20 digits; pass a sm", id="too great to print"
        ),
        pytest.param(lambda: Stopsignal(True), InvalidType, "True is a bool", id="switch"),
        pytest.param(lambda: Stopsignal(anything(None)), InvalidType, "is a NoneType", id="None"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """A value that is not a Linux signal is refused."""
    laws.check_refused(make, kind, message, __file__)


def test_minimum_syntax() -> None:
    """Every frontend knows it."""
    assert "1.0" == Stopsignal(9).minimum_syntax
