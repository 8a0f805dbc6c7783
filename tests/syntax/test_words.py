"""Words: text and references are written so that BuildKit reads them back."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdsl import DockdslError, Env, InvalidType, Literal, expand, literal
from dockdsl.errors import Refused
from dockdsl.syntax.patterns import source, tokens
from dockdsl.syntax.words import BACKSLASH, BACKTICK, Spelling, Word, split, word
from tests import laws, strategies
from tests.strategies import Colour, Evil

SPELLINGS = pytest.mark.parametrize("spelling", [BACKSLASH, BACKTICK], ids=["backslash", "backtick"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("a", "a", id="text"),
        pytest.param("$A", "$A", id="text with a variable"),
        pytest.param(literal("a"), "a", id="literal without a dollar is text"),
        pytest.param(literal("$A"), literal("$A"), id="literal dollar"),
        pytest.param(literal("a") + "$B" + literal("c"), "a${B}c", id="joined into one text"),
        pytest.param("$B" + literal("_"), "${B}_", id="name that would go on"),
        pytest.param("$B" + literal("é"), "${B}é", id="name that would go on beyond ASCII"),
        pytest.param("$B" + literal("-"), "$B-", id="name that ends"),
        pytest.param(literal("$") + literal("A"), literal("$A"), id="literals are merged"),
        pytest.param(literal("") + "", "", id="nothing"),
        pytest.param(literal("a$") + "$B", literal("a$") + "$B", id="literal and variable"),
        pytest.param(Colour.RED, "red", id="member of an enumeration"),
        pytest.param(Evil("b"), "b", id="text that lies about itself"),
    ],
)
def test_one_form(value: Word, expected: Word) -> None:
    """An operand has one form: operands that mean the same are equal."""
    assert expected == word(value)
    assert word(value) == word(word(value))
    assert type(word(value)) in (str, Literal)


@pytest.mark.parametrize(
    ("text", "atoms"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("a b", [(False, "a b")], id="text"),
        pytest.param("$A", [(True, "$A")], id="reference"),
        pytest.param(
            "a$B/${C}d", [(False, "a"), (True, "$B"), (False, "/"), (True, "${C}"), (False, "d")], id="several"
        ),
        pytest.param("${A:-${B:-c}}}", [(True, "${A:-${B:-c}}"), (False, "}")], id="nested"),
        pytest.param("${A//b/c}", [(True, "${A//b/c}")], id="replacement"),
        pytest.param("$A$B", [(True, "$A"), (True, "$B")], id="side by side"),
    ],
)
def test_split(text: str, atoms: list[tuple[bool, str]]) -> None:
    """A text consists of characters and references."""
    assert atoms == split(text)


@pytest.mark.parametrize(
    "text",
    ["$", "a$", "$1", "$$A", "${}", "${1}", "${A", "${A:-", "${A:-b", "${A:}", "${A=b}", "${A:-'}", "$Aé", "$é", "$("],
)
def test_no_reference(text: str) -> None:
    """A dollar that does not start a variable reference is refused, with a remedy."""
    with pytest.raises(Refused, match="; "):
        split(text)


@SPELLINGS
def test_a_value_is_read_as_itself(spelling: Spelling) -> None:
    """The lexer reads back whatever is spelled: as a value in quotes, as a word without."""

    @settings(max_examples=strategies.examples(1000), deadline=None)
    @given(strategies.words, st.sampled_from(strategies.ENVIRONMENTS))
    def law(given_word: Word, env: dict[str, str]) -> None:
        value = word(given_word)
        try:
            spelled, lexed = spelling.value(value), spelling.lexed(value)
        except Refused:
            return
        assert laws.evaluated(value, env) == expand(spelled, env, escape=spelling.escape)
        assert laws.evaluated(value, env) == expand(lexed, env, escape=spelling.escape)
        assert not spelled.endswith(spelling.escape)

    law()


def matches(pattern: str, name: str) -> bool:
    """Whether a name matches a pattern of characters, escaped characters and classes, without wildcards."""
    found = tokens(pattern)
    if len(found) != len(name):
        return False
    for token, char in zip(found, name, strict=True):
        plain = token[1:] if token[0] == "\\" else token
        inner = token[1:-1].removeprefix("\\") if token[0] == "[" and len(token) > 1 else plain
        if inner != char:
            return False
    return True


def test_a_literal_source_names_that_very_file() -> None:
    """The pattern that a `literal` source becomes matches its own text, character for character, and no other."""

    @settings(max_examples=strategies.examples(600), deadline=None)
    @given(strategies.joined(st.sampled_from([*"[]^\\!*?-ab .é$", "[a-z]", "[^", "\\]"]), 6))
    def law(name: str) -> None:
        pattern = source(literal(name))
        text = pattern if isinstance(pattern, str) else "".join(text for _, text in pattern.parts)
        if any(token[0] in "*?[" for token in tokens(text)):
            assert matches(text, name)
            assert "[" not in tokens(text)
            assert "^" not in tokens(text)
        else:
            assert name == text

    law()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: literal(laws.anything(5)), "the text is an int; pass a str", id="number"),
        pytest.param(lambda: literal("a") + laws.anything(5), "cannot be joined", id="joined with a number"),
        pytest.param(lambda: laws.anything(5) + literal("a"), "cannot be joined", id="number joined"),
        pytest.param(lambda: f"{literal('$A')}", r"join it with \+", id="formatted"),
        pytest.param(lambda: str(literal("$A")), r"join it with \+", id="made a str"),
    ],
)
def test_a_literal_does_not_slip_into_text(make: Callable[[], Any], message: str) -> None:
    """A literal is refused where its dollars would become references."""
    laws.check_refused(make, InvalidType, message, __file__)


def test_a_literal_is_a_value() -> None:
    """Literals are equal if their content is, can be copied and pickled, and show how they are written."""
    value = literal("$A") + "/$B"

    assert value == pickle.loads(pickle.dumps(value)) == copy.copy(value) == copy.deepcopy(value)
    assert hash(value) == hash(literal("$A") + "/$B")
    assert value != literal("$A")
    assert value != "$A/$B"
    assert "literal('$A') + '/$B'" == repr(value)


def test_a_refusal_gets_its_part() -> None:
    """Fact and remedy stay separate, whatever they contain."""
    refused = Refused("fact; with a semicolon", "remedy; with one, too").within("part")
    assert "part: fact; with a semicolon; remedy; with one, too" == str(refused)


def test_an_error_can_be_pickled() -> None:
    """An error goes from one process to another with its message and its place."""
    error = strategies.attempt(Env, {"A": "\n"})
    again = pickle.loads(pickle.dumps(error))

    assert isinstance(again, DockdslError)
    assert (str(error), error.origin) == (str(again), again.origin)
