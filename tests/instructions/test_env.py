"""ENV: keys and values of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import DockdslError, Env, InvalidType, InvalidValue, literal
from tests import laws
from tests.laws import anything
from tests.strategies import Colour, Evil


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Env({"A": "b"}), "ENV A=b", id="bare"),
        pytest.param(Env({"A": "1", "B": "2"}), "ENV A=1 B=2", id="several stand in their order"),
        pytest.param(Env([("A", "1"), ("A", "2")]), "ENV A=1 A=2", id="pairs may repeat a key"),
        pytest.param(Env({"A": ""}), 'ENV A=""', id="empty"),
        pytest.param(Env({"A": "two words"}), 'ENV A="two words"', id="blank"),
        pytest.param(Env({"A": " a "}), 'ENV A=" a "', id="blanks at the ends"),
        pytest.param(Env({"A": "a\tb"}), 'ENV A="a\tb"', id="tab"),
        pytest.param(Env({"A": 'say "hi"'}), r'ENV A="say \"hi\""', id="double quote"),
        pytest.param(Env({"A": "it's"}), 'ENV A="it\'s"', id="single quote"),
        pytest.param(Env({"A": "C:\\dir\\"}), r'ENV A="C:\\dir\\"', id="backslash, also at the end"),
        pytest.param(Env({"A": "# no comment"}), 'ENV A="# no comment"', id="number sign"),
        pytest.param(Env({"A": '["a", 1]'}), r'ENV A="[\"a\", 1]"', id="may read as the exec form"),
        pytest.param(Env({"A": "<<EOF"}), 'ENV A="<<EOF"', id="look of a heredoc"),
        pytest.param(Env({"A": "--x"}), "ENV A=--x", id="look of a flag"),
        pytest.param(Env({"A": "a=b=c"}), "ENV A=a=b=c", id="equals sign"),
        pytest.param(Env({"A": "é 本 😀"}), 'ENV A="é 本 😀"', id="beyond ASCII"),
        pytest.param(Env({"A": "a\x85b\u2028c\xa0d"}), 'ENV A="a\x85b\u2028c\xa0d"', id="blanks beyond ASCII"),
        pytest.param(Env({"A": "\ufeffa"}), 'ENV A="\ufeffa"', id="byte order mark"),
        pytest.param(Env({"PATH": "/go/bin:$PATH"}), "ENV PATH=/go/bin:$PATH", id="variable"),
        pytest.param(Env({"A": "${B}c"}), "ENV A=${B}c", id="variable in braces"),
        pytest.param(Env({"A": "a $B"}), 'ENV A="a $B"', id="variable beside a blank"),
        pytest.param(Env({"A": "${B:-x y}"}), 'ENV A="${B:-x y}"', id="default with a blank"),
        pytest.param(Env({"A": "${B:+$A}"}), 'ENV A="${B:+$A}"', id="nested variable"),
        pytest.param(Env({"A": "${B##*/}"}), 'ENV A="${B##*/}"', id="trimming"),
        pytest.param(Env({"A": literal("$5")}), r'ENV A="\$5"', id="literal dollar"),
        pytest.param(Env({"A": literal("no dollar")}), 'ENV A="no dollar"', id="literal without a dollar is text"),
        pytest.param(Env({"A": literal("$5/") + "$B"}), r'ENV A="\$5/$B"', id="literal joined with a variable"),
        pytest.param(Env({"A": "$B" + literal("c$")}), r'ENV A="${B}c\$"', id="variable before literal letters"),
        pytest.param(Env({"A": literal("$(rm -rf /)`x`")}), r'ENV A="\$(rm -rf /)`x`"', id="look of a substitution"),
        pytest.param(Env({"a.b-c": "1"}), "ENV a.b-c=1", id="dots and dashes in a key"),
        pytest.param(Env({"a b": "1"}), 'ENV "a b"=1', id="blank in a key"),
        pytest.param(Env({"--x": "1"}), 'ENV "--x"=1', id="key like a flag"),
        pytest.param(Env({"$A": "1"}), 'ENV "$A"=1', id="variable as a key"),
        pytest.param(
            Env(dict[str, str]({Colour.RED: Colour.RED})), "ENV red=red", id="member of an enumeration is its text"
        ),
        pytest.param(Env({"A": Evil("b")}), "ENV A=b", id="text that lies about itself"),
        pytest.param(
            Env({"AAA": "x" * 60, "BBB": "y" * 60}),
            f"ENV AAA={'x' * 60} \\\n    BBB={'y' * 60}",
            id="long ones stand one a line",
        ),
    ],
)
def test_text(value: Env, text: str) -> None:
    """Any value without a newline is written so that BuildKit reads that very value."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Env({"A": "x\nUSER root"}), InvalidValue, "ENV: 'A': .* newline.*remove it", id="newline"),
        pytest.param(lambda: Env({"A": "x\0"}), InvalidValue, r"control character '\\x00'", id="NUL"),
        pytest.param(lambda: Env({"A": "x\r"}), InvalidValue, r"control character '\\r'", id="carriage return"),
        pytest.param(lambda: Env({"A": "\x1b[0m"}), InvalidValue, r"control character '\\x1b'", id="escape"),
        pytest.param(lambda: Env({"A": "\x7f"}), InvalidValue, "control character", id="delete"),
        pytest.param(lambda: Env({"A": "\ud800"}), InvalidValue, "lone surrogate.*decode", id="surrogate"),
        pytest.param(
            lambda: Env({"A": "$"}),
            InvalidValue,
            r"does not start a variable reference; use literal\(",
            id="lone dollar",
        ),
        pytest.param(
            lambda: Env({"A": "$2b$10"}),
            InvalidValue,
            "does not start a variable reference",
            id="dollar before a digit",
        ),
        pytest.param(lambda: Env({"A": "${B"}), InvalidValue, "does not start a variable reference", id="open brace"),
        pytest.param(lambda: Env({"A": "${B:-x"}), InvalidValue, "no closing brace", id="open brace of a default"),
        pytest.param(
            lambda: Env({"A": '${B:-"x"}'}), InvalidValue, "quote or an escape.*remove it", id="quote in a default"
        ),
        pytest.param(lambda: Env({"A": "$Bé"}), InvalidValue, "followed by a letter.*write", id="letter after a name"),
        pytest.param(
            lambda: Env({"A": literal("a") + "$"}),
            InvalidValue,
            "does not start a variable reference",
            id="dollar beside a literal",
        ),
        pytest.param(
            lambda: Env({"A": "${B:-" * 60 + "}" * 60}),
            InvalidValue,
            "too deeply; use variables",
            id="references too deep",
        ),
        pytest.param(lambda: Env({"": "x"}), InvalidValue, "a key is empty", id="empty key"),
        pytest.param(lambda: Env({"A=B": "x"}), InvalidValue, "equals sign", id="equals sign in a key"),
        pytest.param(lambda: Env({"A\nB": "x"}), InvalidValue, "newline", id="newline in a key"),
        pytest.param(lambda: Env({}), InvalidValue, "no key-value pair is given", id="nothing"),
        pytest.param(
            lambda: Env(anything({"A": 8080})), InvalidType, "8080 is an int; pass a str", id="number as a value"
        ),
        pytest.param(lambda: Env(anything({1: "a"})), InvalidType, "is an int", id="number as a key"),
        pytest.param(lambda: Env(anything({"A": None})), InvalidType, "is a NoneType", id="None as a value"),
        pytest.param(lambda: Env(anything("A=b")), InvalidType, "pass a mapping", id="text"),
        pytest.param(lambda: Env(anything(["AB"])), InvalidType, "pass a mapping", id="texts of two characters"),
        pytest.param(lambda: Env(anything({("A", "b")})), InvalidType, "is a set", id="a set has no order"),
        pytest.param(lambda: Env(anything(5)), InvalidType, "is an int", id="number"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """What no ENV can say is refused, with the key, the fact and the remedy."""
    laws.check_refused(make, kind, message, __file__)


@pytest.mark.parametrize(
    ("value", "version"),
    [
        pytest.param(Env({"A": "b"}), "1.0", id="plain"),
        pytest.param(Env({"A": "${B:-c}${B:+c}"}), "1.0", id="default"),
        pytest.param(Env({"A": "${B:?c}"}), "1.1", id="mandatory"),
        pytest.param(Env({"A": "${B?c}"}), "1.1", id="mandatory, may be empty"),
        pytest.param(Env({"A": "${B-c}"}), "1.6", id="default of unset alone"),
        pytest.param(Env({"A": "${B+c}"}), "1.6", id="alternative of set"),
        pytest.param(Env({"A": "${B#c}"}), "1.7", id="trim the front"),
        pytest.param(Env({"A": "${B%%c}"}), "1.7", id="trim the back"),
        pytest.param(Env({"A": "${B/c/d}"}), "1.7", id="replace"),
        pytest.param(Env({"A": "${B:-${C#d}}"}), "1.7", id="nested"),
        pytest.param(Env({"A": literal("${B#c}")}), "1.0", id="literal text is no variable"),
    ],
)
def test_minimum_syntax(value: Env, version: str) -> None:
    """A modifier of a variable needs the frontend that brought it."""
    assert version == value.minimum_syntax
