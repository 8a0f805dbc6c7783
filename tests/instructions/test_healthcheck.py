"""HEALTHCHECK: two forms, none, and options."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from dockdsl import DockdslError, Healthcheck, InvalidType, InvalidValue
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Healthcheck.none(), "HEALTHCHECK NONE", id="none"),
        pytest.param(
            Healthcheck("curl -f localhost || exit 1"), "HEALTHCHECK CMD curl -f localhost || exit 1", id="shell"
        ),
        pytest.param(Healthcheck("--x"), "HEALTHCHECK CMD --x", id="shell text like a flag"),
        pytest.param(Healthcheck("NONE"), "HEALTHCHECK CMD NONE", id="shell text like none"),
        pytest.param(Healthcheck("a && \\\n b"), "HEALTHCHECK CMD a && \\\n b", id="shell text on two lines"),
        pytest.param(Healthcheck.exec("/api", 'x "y"\n'), r'HEALTHCHECK CMD ["/api", "x \"y\"\n"]', id="exec"),
        pytest.param(
            Healthcheck.exec(
                "/a", interval="10s", timeout="1m30s", start_period="500ms", start_interval="1.5s", retries=3
            ),
            "HEALTHCHECK --interval=10s --timeout=1m30s --start-period=500ms --start-interval=1.5s --retries=3 \\\n"
            '    CMD ["/a"]',
            id="all options",
        ),
        pytest.param(
            Healthcheck.exec("/a", interval="0", retries=0),
            'HEALTHCHECK --interval=0 --retries=0 CMD ["/a"]',
            id="zeros",
        ),
        pytest.param(
            Healthcheck.exec("/a", interval=timedelta(seconds=90)),
            'HEALTHCHECK --interval=90s CMD ["/a"]',
            id="timedelta",
        ),
        pytest.param(
            Healthcheck.exec("/a", interval=timedelta(milliseconds=1500)),
            'HEALTHCHECK --interval=1500000us CMD ["/a"]',
            id="timedelta with a fraction",
        ),
        pytest.param(
            Healthcheck.exec("/a", interval=timedelta(days=1, seconds=5)),
            'HEALTHCHECK --interval=86405s CMD ["/a"]',
            id="timedelta of days",
        ),
        pytest.param(Healthcheck("a", interval="5000µs"), "HEALTHCHECK --interval=5000us CMD a", id="micro sign"),
        pytest.param(Healthcheck("a", interval="5000\u03bcs"), "HEALTHCHECK --interval=5000us CMD a", id="Greek mu"),
    ],
)
def test_text(value: Healthcheck, text: str) -> None:
    """Options stand first, then the command in its form."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Healthcheck(""), InvalidValue, "HEALTHCHECK: the command is empty", id="empty"),
        pytest.param(
            lambda: Healthcheck("a\nb"), InvalidValue, r"several lines.*Healthcheck.exec\(", id="several lines"
        ),
        pytest.param(lambda: Healthcheck('["a"]'), InvalidValue, "may read as the exec form", id="array as text"),
        pytest.param(lambda: Healthcheck("a\\"), InvalidValue, "backslash at its end", id="backslash at the end"),
        pytest.param(
            lambda: Healthcheck.exec(), InvalidValue, "the command is empty; name the program", id="nothing to run"
        ),
        pytest.param(
            lambda: Healthcheck(None, interval="1s"), InvalidValue, "options have no effect", id="options of none"
        ),
        pytest.param(lambda: Healthcheck("a", interval="10"), InvalidValue, "--interval: .*write it as", id="no unit"),
        pytest.param(lambda: Healthcheck("a", timeout="1d"), InvalidValue, "--timeout: .*is not a duration", id="days"),
        pytest.param(lambda: Healthcheck("a", timeout="-1s"), InvalidValue, "is not a duration", id="negative"),
        pytest.param(lambda: Healthcheck("a", timeout="1s\n"), InvalidValue, "is not a duration", id="newline"),
        pytest.param(
            lambda: Healthcheck("a", timeout=timedelta(-1)), InvalidValue, "is not a duration", id="negative timedelta"
        ),
        pytest.param(
            lambda: Healthcheck("a", start_period="999us"), InvalidValue, "shorter than a milli", id="too short"
        ),
        pytest.param(lambda: Healthcheck("a", start_period="9999999h"), InvalidValue, "longer than", id="too long"),
        pytest.param(
            lambda: Healthcheck("a", start_period=timedelta.max), InvalidValue, "longer than", id="longest timedelta"
        ),
        pytest.param(
            lambda: Healthcheck("a", start_period="9" * 400 + "h"), InvalidValue, "longer than", id="beyond floats"
        ),
        pytest.param(
            lambda: Healthcheck("a", retries=-1), InvalidValue, "--retries: .*out of range", id="negative retries"
        ),
        pytest.param(lambda: Healthcheck("a", retries=2**31), InvalidValue, "out of range", id="too many retries"),
        pytest.param(
            lambda: Healthcheck("a", retries=10**5000), InvalidValue, "out of range", id="retries without end"
        ),
        pytest.param(lambda: Healthcheck("a", retries=True), InvalidType, "True is a bool; pass an int", id="switch"),
        pytest.param(lambda: Healthcheck("a", retries=anything("3")), InvalidType, "is a str", id="text as a number"),
        pytest.param(
            lambda: Healthcheck("a", interval=anything(10)), InvalidType, "10 is an int", id="number as a duration"
        ),
        pytest.param(lambda: Healthcheck(anything(["a"])), InvalidType, r"; write Healthcheck.exec\('a'\)", id="list"),
        pytest.param(
            lambda: Healthcheck.exec(anything(["a"])), InvalidType, "Healthcheck.exec", id="list as an argument"
        ),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """What no HEALTHCHECK can say is refused, with the option it is about."""
    laws.check_refused(make, kind, message, __file__)


@pytest.mark.parametrize(
    ("value", "version"),
    [
        pytest.param(Healthcheck.none(), "1.0", id="none"),
        pytest.param(
            Healthcheck("a", interval="1s", timeout="1s", start_period="1s", retries=1), "1.0", id="old options"
        ),
        pytest.param(Healthcheck("a", start_interval="1s"), "1.6", id="start-interval"),
        pytest.param(Healthcheck("echo ${A#b}"), "1.0", id="nothing is expanded"),
    ],
)
def test_minimum_syntax(value: Healthcheck, version: str) -> None:
    """``--start-interval`` came with 1.6."""
    assert version == value.minimum_syntax
