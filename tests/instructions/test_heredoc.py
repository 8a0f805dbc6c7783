"""Heredocs: files that are written in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import Add, Copy, DockdslError, Heredoc, InvalidType, InvalidValue, literal
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Heredoc("a\n"), "<<'EOF' /x\na\nEOF", id="one line"),
        pytest.param(Heredoc(""), "<<'EOF' /x\nEOF", id="empty file"),
        pytest.param(Heredoc("\n\n"), "<<'EOF' /x\n\n\nEOF", id="empty lines"),
        pytest.param(Heredoc("EOF\n"), "<<'EOF2' /x\nEOF\nEOF2", id="delimiter in the content"),
        pytest.param(Heredoc("EOF\nEOF2\r\n"), "<<'EOF3' /x\nEOF\nEOF2\r\nEOF3", id="delimiters in the content"),
        pytest.param(
            Heredoc("$A \\ \"'` # x\n\\\n"),
            "<<'EOF' /x\n$A \\ \"'` # x\n\\\n\nEOF".replace("\\\n\n", "\\\n"),
            id="nothing is read",
        ),
        pytest.param(Heredoc("a\r\nb\r\n"), "<<'EOF' /x\na\r\nb\r\nEOF", id="Windows line ends are kept"),
        pytest.param(
            Heredoc("\ufeffa\x01\x1b\t\n"), "<<'EOF' /x\n\ufeffa\x01\x1b\t\nEOF", id="control characters are kept"
        ),
        pytest.param(Heredoc("a\n", "a.txt"), "<<'a.txt' /x\na\na.txt", id="name"),
        pytest.param(Heredoc("a\n", "-x"), "<<'-x' /x\na\n-x", id="dash first"),
        pytest.param(Heredoc("a\n", 'é"$(x)[*]&;'), "<<'é\"$(x)[*]&;' /x\na\né\"$(x)[*]&;", id="nasty name"),
        pytest.param(Heredoc("$A\n", expand=True), "<<EOF /x\n$A\nEOF", id="variable"),
        pytest.param(Heredoc("${UNSET:-a b}'\"\n", expand=True), "<<EOF /x\n${UNSET:-a b}'\"\nEOF", id="quotes stay"),
        pytest.param(Heredoc("a\\b\n", expand=True), "<<EOF /x\na\\\\b\nEOF", id="backslash is escaped"),
        pytest.param(Heredoc(literal("$5 ") + "$A\n", expand=True), "<<EOF /x\n\\$5 $A\nEOF", id="literal dollar"),
        pytest.param(Heredoc("\ufeffa\n", expand=True), "<<EOF /x\n\\\ufeffa\nEOF", id="byte order mark is escaped"),
        pytest.param(Heredoc("$A\n", "a.txt", expand=True), "<<a.txt /x\n$A\na.txt", id="name of what is expanded"),
    ],
)
def test_text(value: Heredoc, text: str) -> None:
    """The content is the file, character for character."""
    laws.check_row(Copy(value, "/x"), f"COPY {text}", __file__)
    laws.check_row(Add(value, "/x"), f"ADD {text}", __file__)
    laws.check_value(value, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(
            lambda: Heredoc("a"), InvalidValue, "Heredoc: .*does not end with a newline.*; add it", id="no newline"
        ),
        pytest.param(lambda: Heredoc("a\0\n"), InvalidValue, "NUL character; copy the file from", id="NUL"),
        pytest.param(lambda: Heredoc("\ud800\n"), InvalidValue, "lone surrogate", id="surrogate"),
        pytest.param(
            lambda: Heredoc("$\n", expand=True), InvalidValue, "does not start a variable reference", id="lone dollar"
        ),
        pytest.param(
            lambda: Heredoc("a\n", "a b"), InvalidValue, "cannot be a delimiter; use letters", id="blank in a name"
        ),
        pytest.param(lambda: Heredoc("a\n", ""), InvalidValue, "the name '' cannot be a delimiter", id="empty name"),
        pytest.param(lambda: Heredoc("a\n", "a\nb"), InvalidValue, "cannot be a delimiter", id="newline in a name"),
        pytest.param(lambda: Heredoc("a\n", "a'b"), InvalidValue, "cannot be a delimiter", id="quote in a name"),
        pytest.param(lambda: Heredoc("a\n", "a/b"), InvalidValue, "cannot be a delimiter", id="slash in a name"),
        pytest.param(lambda: Heredoc("a\n", "a\\"), InvalidValue, "cannot be a delimiter", id="backslash in a name"),
        pytest.param(lambda: Heredoc("a\n", "<a"), InvalidValue, "cannot be a delimiter", id="angle bracket in a name"),
        pytest.param(
            lambda: Heredoc("a\n", "a\u2028"), InvalidValue, "cannot be a delimiter", id="separator in a name"
        ),
        pytest.param(lambda: Heredoc("a\n", ".."), InvalidValue, "cannot be a delimiter", id="parent folder"),
        pytest.param(
            lambda: Heredoc("a\n", "-x", expand=True), InvalidValue, "cannot be a delimiter", id="dash, expanded"
        ),
        pytest.param(
            lambda: Heredoc("a\n", "$A", expand=True), InvalidValue, "cannot be a delimiter", id="dollar, expanded"
        ),
        pytest.param(
            lambda: Heredoc("x\na\n", "a"), InvalidValue, "also a line of the content; use", id="name in the content"
        ),
        pytest.param(lambda: Heredoc("a\r\n", "a"), InvalidValue, "also a line of the content", id="name and return"),
        pytest.param(
            lambda: Heredoc(literal("$A") + "\n"), InvalidType, "nothing in it is expanded; pass a str", id="literal"
        ),
        pytest.param(lambda: Heredoc(anything(b"a\n")), InvalidType, "pass a str", id="bytes"),
        pytest.param(lambda: Heredoc("a\n", anything(5)), InvalidType, "the name 5 is an int", id="number as a name"),
        pytest.param(lambda: Copy.text("a", "/x"), InvalidValue, "does not end with a newline", id="through Copy.text"),
        pytest.param(
            lambda: Copy.text("a" * 66_000 + "\n", "/x"), InvalidValue, "COPY: .*bytes long", id="longer than a line"
        ),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """What no heredoc can hold is refused."""
    laws.check_refused(make, kind, message, __file__)


def test_minimum_syntax() -> None:
    """Heredocs came with 1.4; what is expanded in one may need more."""
    assert "1.4" == Copy.text("${A#b}\n", "/x").minimum_syntax
    assert "1.7" == Copy.text("${A#b}\n", "/x", expand=True).minimum_syntax
