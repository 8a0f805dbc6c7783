"""EXPOSE: ports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import DockdslError, Expose, InvalidType, InvalidValue, literal
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Expose(8080), "EXPOSE 8080", id="number"),
        pytest.param(Expose("8080"), "EXPOSE 8080", id="number as text"),
        pytest.param(Expose(80, "53/udp", "9/sctp", "1/TCP"), "EXPOSE 80 53/udp 9/sctp 1/TCP", id="protocols"),
        pytest.param(Expose("8000-8010"), "EXPOSE 8000-8010", id="range"),
        pytest.param(Expose("80-80/tcp"), "EXPOSE 80-80/tcp", id="range of one"),
        pytest.param(Expose(80, ports=["53/udp", 9]), "EXPOSE 80 53/udp 9", id="a list after single ones"),
        pytest.param(Expose(ports=80), "EXPOSE 80", id="one by keyword"),
        pytest.param(Expose(0, 65535), "EXPOSE 0 65535", id="bounds"),
        pytest.param(Expose("127.0.0.1:80:8080"), "EXPOSE 127.0.0.1:80:8080", id="mapping, which BuildKit takes"),
        pytest.param(Expose("[::1]:80:8080/tcp"), "EXPOSE [::1]:80:8080/tcp", id="mapping with an IPv6 address"),
        pytest.param(Expose("$A"), "EXPOSE $A", id="variable"),
        pytest.param(Expose("${A}/udp"), "EXPOSE ${A}/udp", id="variable and protocol"),
        pytest.param(Expose("$A-$B"), "EXPOSE $A-$B", id="range of variables"),
        pytest.param(Expose("${UNSET:-8080}"), "EXPOSE ${UNSET:-8080}", id="variable with a default"),
        pytest.param(Expose("${UNSET:-8080}/tcp"), "EXPOSE ${UNSET:-8080}/tcp", id="default and protocol"),
    ],
)
def test_text(value: Expose, text: str) -> None:
    """Ports stand as they are given; nothing can be quoted here."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Expose(), InvalidValue, "EXPOSE: no port is given; name at least one", id="nothing"),
        pytest.param(lambda: Expose(65536), InvalidValue, "out of range; use 0 to 65535", id="too great"),
        pytest.param(lambda: Expose(-1), InvalidValue, "'-1' is not a", id="negative"),
        pytest.param(lambda: Expose("80-70"), InvalidValue, "runs backwards; write 70-80", id="range backwards"),
        pytest.param(lambda: Expose("http"), InvalidValue, "is not a port; write 8080", id="name"),
        pytest.param(lambda: Expose("80 81"), InvalidValue, "is not a port", id="blank"),
        pytest.param(lambda: Expose("80\nUSER root"), InvalidValue, "is not a port", id="newline"),
        pytest.param(lambda: Expose("80/icmp"), InvalidValue, "is not a port", id="protocol"),
        pytest.param(lambda: Expose(""), InvalidValue, "is not a port", id="empty"),
        pytest.param(lambda: Expose("$A b"), InvalidValue, "neither a number nor a variable", id="variable and a word"),
        pytest.param(lambda: Expose("${A:-1 2}"), InvalidValue, "neither a number", id="blank in a default"),
        pytest.param(
            lambda: Expose("8${A:-1}"),
            InvalidValue,
            "which BuildKit drops; give the variable",
            id="text before a default",
        ),
        pytest.param(lambda: Expose("--$A"), InvalidValue, "would be a flag; remove them", id="look of a flag"),
        pytest.param(lambda: Expose("$"), InvalidValue, "does not start a variable reference", id="lone dollar"),
        pytest.param(lambda: Expose(literal("$A")), InvalidType, "is a Literal", id="literal dollar"),
        pytest.param(
            lambda: Expose(10**5000), InvalidValue, "of 16610 bits> is out of range", id="number too great to print"
        ),
        pytest.param(lambda: Expose(True), InvalidType, "True is a bool", id="switch"),
        pytest.param(lambda: Expose(anything(80.0)), InvalidType, "is a float", id="fraction"),
        pytest.param(lambda: Expose(anything([80, 81])), InvalidType, "is a list", id="list"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """A value that is not a port is refused."""
    laws.check_refused(make, kind, message, __file__)


def test_minimum_syntax() -> None:
    """Every frontend knows it; a modifier needs the one that brought it."""
    assert "1.0" == Expose(80).minimum_syntax
    assert "1.7" == Expose("${A#b}").minimum_syntax
