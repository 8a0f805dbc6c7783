"""Text for people: values of any kind are shown, safely and briefly."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from dockdsl.display import argument, kind_of, shown
from tests.strategies import Mute


class Lines:
    """An object that shows more than one line, and colours."""

    def __repr__(self) -> str:
        return "a\n\x1b[31mb\u202e\x9b"


class Nameless(type):
    """The type of a class whose name cannot be read."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        """Fail."""
        raise KeyError


def inside_itself() -> list[Any]:
    """Return lists in lists, more than Python goes into."""
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("it's", '"it\'s"', id="text"),
        pytest.param("\x1b[31m\n", r"'\x1b[31m\n'", id="control characters"),
        pytest.param("\u202e\ud800", r"'\u202e\ud800'", id="marks of direction, and half a pair"),
        pytest.param(8080, "8080", id="number"),
        pytest.param(10**5000, "<an int of 16610 bits>", id="number of too many digits"),
        pytest.param([10**5000], "<a list>", id="in a list"),
        pytest.param(inside_itself(), "<a list>", id="too deep"),
        pytest.param(Mute(), "<a Mute>", id="repr that fails"),
        pytest.param(Lines(), r"a\n\x1b[31mb\u202e\x9b", id="repr of more than one line"),
        pytest.param(type("", (Mute,), {})(), "<an object>", id="class without a name"),
        pytest.param(Nameless("Any", (Mute,), {})(), "<an object>", id="class whose name fails"),
        pytest.param(type("Red\x1b[31m", (Mute,), {})(), r"<a Red\x1b[31m>", id="name with control characters"),
    ],
)
def test_values_are_shown(value: object, expected: str) -> None:
    """A message never fails over the value it is about, and a terminal can show it."""
    assert expected == shown(value)


@pytest.mark.parametrize(
    ("value", "end"),
    [
        pytest.param("a" * 1000, "a…'", id="text"),
        pytest.param(["a"] * 1000, "…]", id="list"),
        pytest.param(10**4000, "0…", id="number"),
        pytest.param("\x07" * 1000, "…'", id="escapes"),
        pytest.param(type("A" * 1000, (Mute,), {})(), "…>", id="name of a class"),
    ],
)
def test_long_values_are_cut(value: object, end: str) -> None:
    """A message does not grow without end, and what is cut looks cut and closed."""
    assert len(shown(value)) <= 110
    assert shown(value).endswith(end)


def test_types_have_their_article() -> None:
    """A type is named as in a sentence."""
    assert ["an int", "a str", "a NoneType", "an object"] == [
        kind_of(each) for each in (1, "", None, Nameless("", (), {})())
    ]


@pytest.mark.parametrize(
    "name", ["my app", "a'b\x1bc", "é\x1b", "\x85\u202e", "a\\\n'", os.fsdecode(b"\xff'\x07"), "\U000e0001"]
)
def test_an_argument_is_read_back(name: str) -> None:
    """Bash reads the very name that is suggested for its command line."""
    script = f"printf %s {argument(name)}"
    done = subprocess.run(
        ["bash", "-c", os.fsencode(script)],
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )

    assert os.fsencode(name) == done.stdout
