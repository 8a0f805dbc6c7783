"""Comments: they never act, but for the one that is meant to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import Comment, DockdslError, InvalidType, InvalidValue
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Comment("why"), "# why", id="one line"),
        pytest.param(Comment("one\n\ntwo"), "# one\n#\n# two", id="several lines"),
        pytest.param(Comment(""), "#", id="empty"),
        pytest.param(Comment("  indented  "), "#   indented", id="blanks at the end are taken off"),
        pytest.param(Comment("a\r\nb"), "# a\n# b", id="Windows line ends"),
        pytest.param(Comment("a\n\nUSER root"), "# a\n#\n# USER root", id="nothing gets out"),
        pytest.param(Comment("ends in \\"), "# ends in \\", id="backslash at the end, which continues nothing"),
        pytest.param(Comment("escape=`"), "# escape=`", id="look of a directive, which the first line alone can be"),
        pytest.param(Comment("checks=all"), "# checks=all", id="no directive"),
        pytest.param(Comment("hadolint ignore=DL3008"), "# hadolint ignore=DL3008", id="pragma of another tool"),
        pytest.param(Comment("<<EOF \u2028 é 😀"), "# <<EOF \u2028 é 😀", id="anything else"),
        pytest.param(Comment.check("JSONArgsRecommended"), "# check=skip=JSONArgsRecommended", id="meant to act"),
        pytest.param(Comment.check("A", "B"), "# check=skip=A,B", id="meant to act on two"),
        pytest.param(Comment.check("all"), "# check=skip=all", id="meant to act on all"),
    ],
)
def test_text(value: Comment, text: str) -> None:
    """Each line is a comment of its own."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(
            lambda: Comment("check=skip=all"),
            InvalidValue,
            r"would turn build checks on or off; use Comment",
            id="check",
        ),
        pytest.param(
            lambda: Comment("a\n Check = error=true"),
            InvalidValue,
            "would turn build checks on or off",
            id="check below",
        ),
        pytest.param(lambda: Comment("a\0"), InvalidValue, "control character", id="NUL"),
        pytest.param(lambda: Comment("a\rb"), InvalidValue, "control character", id="carriage return"),
        pytest.param(lambda: Comment("\ud800"), InvalidValue, "lone surrogate", id="surrogate"),
        pytest.param(lambda: Comment("a" * 66_000), InvalidValue, "bytes long", id="longer than a line"),
        pytest.param(
            lambda: Comment.check("a b"), InvalidValue, "not all names of checks; pass the names", id="no name"
        ),
        pytest.param(lambda: Comment.check(), InvalidValue, "not all names of checks", id="no rule"),
        pytest.param(lambda: Comment.check(anything(1)), InvalidType, "not all strings", id="number as a rule"),
        pytest.param(lambda: Comment(anything(None)), InvalidType, "is a NoneType; pass a str", id="None"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """A comment that would act, or that no line can carry, is refused."""
    laws.check_refused(make, kind, message, __file__)


def test_minimum_syntax() -> None:
    """A remark needs no frontend; the checks that one switches came with 1.21."""
    assert "1.0" == Comment("${A#b}").minimum_syntax
    assert "1.21" == Comment.check("all").minimum_syntax
