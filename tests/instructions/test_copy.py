"""COPY: sources, destinations, flags, files written in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockdsl import Copy, DockdslError, Heredoc, InvalidType, InvalidValue, Stage, external, literal
from tests import laws
from tests.laws import anything
from tests.strategies import Colour

STAGE = Stage("a", "build")
UNNAMED = Stage("a")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Copy("go.mod", "./"), "COPY go.mod ./", id="one"),
        pytest.param(Copy(["go.mod", "go.sum"], "./"), "COPY go.mod go.sum ./", id="two"),
        pytest.param(Copy(("a",), "b"), "COPY a b", id="from a tuple"),
        pytest.param(Copy("my file", "/x"), 'COPY ["my file", "/x"]', id="blank makes JSON of all"),
        pytest.param(Copy("a", "/my dir/"), 'COPY ["a", "/my dir/"]', id="blank in the destination"),
        pytest.param(Copy('a"b', "/x"), r'COPY ["a\\\"b", "/x"]', id="quote is escaped for the lexer, then for JSON"),
        pytest.param(Copy("it's", "/x"), r"""COPY ["it\\'s", "/x"]""", id="single quote"),
        pytest.param(Copy("#a", "/x"), 'COPY ["#a", "/x"]', id="number sign"),
        pytest.param(Copy("<<EOF", "/x"), r'COPY ["\\<\\<EOF", "/x"]', id="look of a heredoc"),
        pytest.param(Copy("--x", "/x"), 'COPY ["--x", "/x"]', id="look of a flag"),
        pytest.param(Copy("a", "[x]"), 'COPY ["a", "[x]"]', id="bracket in the destination"),
        pytest.param(Copy("[ab]", "/x"), 'COPY ["[ab]", "/x"]', id="bracket first"),
        pytest.param(Copy("é 本", "/😀"), 'COPY ["é 本", "/😀"]', id="beyond ASCII"),
        pytest.param(
            Copy("\ufeffa", "/x"), 'COPY ["\\\\\ufeffa", "/x"]', id="byte order mark, which BuildKit would drop"
        ),
        pytest.param(Copy("$A/${B}", "$A"), "COPY $A/${B} $A", id="variables"),
        pytest.param(Copy("${UNSET:-a b}", "/x"), 'COPY ["${UNSET:-a b}", "/x"]', id="default with a blank"),
        pytest.param(Copy("**/*.go", "/x/"), "COPY **/*.go /x/", id="wildcards"),
        pytest.param(Copy("a[0-9]?", "/x/"), "COPY a[0-9]? /x/", id="class"),
        pytest.param(Copy("a[^b]", "/x/"), "COPY a[^b] /x/", id="negated class"),
        pytest.param(
            Copy("a^*", "/x/"), r'COPY ["a\\\\^*", "/x/"]', id="caret beside a wildcard, which the sender misreads"
        ),
        pytest.param(Copy("a^b", "/x"), "COPY a^b /x", id="caret alone"),
        pytest.param(Copy(" a", "/x"), 'COPY ["[ ]a", "/x"]', id="blank first, which the sender takes off"),
        pytest.param(Copy("a ", "/x"), 'COPY ["a[ ]", "/x"]', id="blank last, which the sender takes off"),
        pytest.param(Copy("./\u3000a", "/x"), 'COPY ["./[\u3000]a", "/x"]', id="blank beyond ASCII"),
        pytest.param(
            Copy("!a", "/x"), 'COPY ["[!]a", "/x"]', id="exclamation mark first, which excludes to the sender"
        ),
        pytest.param(Copy("d/!a", "/x"), "COPY d/!a /x", id="exclamation mark within"),
        pytest.param(Copy("C:\\a\\b", "C:\\c\\"), r'COPY ["C:\\\\a\\\\b", "C:\\\\c\\\\"]', id="Windows paths"),
        pytest.param(
            Copy(literal("a b"), "/x"), 'COPY ["a b", "/x"]', id="literal without a special character is text"
        ),
        pytest.param(Copy(literal("") + " a", "/x"), 'COPY ["[ ]a", "/x"]', id="blank behind an empty literal"),
        pytest.param(Copy(literal("a[1].txt"), "/x"), "COPY a[[]1].txt /x", id="literal bracket"),
        pytest.param(Copy(literal("[^a]"), "/x"), r'COPY ["[[]\\\\^a]", "/x"]', id="literal caret"),
        pytest.param(Copy(literal("a\\b"), "/x"), r'COPY ["a[\\\\\\\\]b", "/x"]', id="literal backslash"),
        pytest.param(Copy(literal("$A"), literal("/$A")), r'COPY ["\\$A", "/\\$A"]', id="literal dollar"),
        pytest.param(Copy(literal("a[") + "*.txt", "/x/"), "COPY a[[]*.txt /x/", id="literal joined with a wildcard"),
        pytest.param(
            Copy(literal("a*b"), "/x", from_=STAGE), "COPY --from=build a[*]b /x", id="literal star in a stage"
        ),
        pytest.param(Copy("a\tb", "/x", from_=STAGE), r'COPY --from=build ["a\tb", "/x"]', id="tab in a stage"),
        pytest.param(Copy("/a", "/b", from_=STAGE), "COPY --from=build /a /b", id="from a stage"),
        pytest.param(Copy("/a", "/b", from_=UNNAMED), "COPY --from=0 /a /b", id="from a stage without a name"),
        pytest.param(
            Copy("/a", "/b", from_="ghcr.example/a/b:1@sha256:" + "0" * 64),
            f"COPY --from=ghcr.example/a/b:1@sha256:{'0' * 64} \\\n    /a /b",
            id="from an image",
        ),
        pytest.param(Copy("/a", "/b", from_=external("deps")), "COPY --from=deps /a /b", id="from a named context"),
        pytest.param(Copy("a", "/b", chown="user:group"), "COPY --chown=user:group a /b", id="chown"),
        pytest.param(
            Copy("a", "/b", chown="$A:${UNSET:-0}"), "COPY --chown='$A:${UNSET:-0}' a /b", id="chown of variables"
        ),
        pytest.param(Copy("a", "/b", chown='a "b"'), r'COPY --chown="a \\\"b\\\"" a /b', id="chown with quotes"),
        pytest.param(Copy("a", "/b", chown="$A" + literal("b")), "COPY --chown=${A}b a /b", id="chown joined"),
        pytest.param(Copy("a", "/b", chmod="0755"), "COPY --chmod=0755 a /b", id="chmod"),
        pytest.param(Copy("a", "/b", chmod="u=rwX,go=rX"), "COPY --chmod=u=rwX,go=rX a /b", id="chmod in letters"),
        pytest.param(Copy("a", "/b", chmod="+x"), "COPY --chmod=+x a /b", id="chmod of all"),
        pytest.param(Copy("a", "/b", chmod="$A"), "COPY --chmod=$A a /b", id="chmod of a variable"),
        pytest.param(Copy("a", "/b", link=True), "COPY --link a /b", id="link"),
        pytest.param(Copy("a", "/b", link=False), "COPY --link=false a /b", id="no link"),
        pytest.param(Copy("./x/./a", "/b/", parents=True), "COPY --parents ./x/./a /b/", id="parents"),
        pytest.param(
            Copy("a", "/b", exclude=["*.md", "x y"]), 'COPY --exclude=*.md --exclude="x y" a /b', id="exclude"
        ),
        pytest.param(Copy("a", "/b", exclude="$A"), "COPY --exclude=$A a /b", id="exclude, which expands nothing"),
        pytest.param(
            Copy("a", "/b", exclude='"\\'), r'COPY --exclude="\"\\" a /b', id="exclude with quote and backslash"
        ),
        pytest.param(
            Copy("a", "/b", from_=STAGE, chmod="1", chown="2", link=True, parents=True, exclude=["c"]),
            "COPY --from=build --chmod=1 --chown=2 --link --parents --exclude=c a /b",
            id="all flags in order",
        ),
        pytest.param(
            Copy([f"file-number-{number}" for number in range(9)], "/somewhere/"),
            "COPY file-number-0 file-number-1 file-number-2 file-number-3 file-number-4 file-number-5 \\\n"
            "    file-number-6 file-number-7 file-number-8 /somewhere/",
            id="long ones are filled into lines",
        ),
        pytest.param(Copy.text("a\n", "/x", chmod="0644"), "COPY --chmod=0644 <<'EOF' /x\na\nEOF", id="file in place"),
        pytest.param(
            Copy.text("$A\n", "/d/", name="n", expand=True, chown="1", link=True),
            "COPY --chown=1 --link <<n /d/\n$A\nn",
            id="file in place with all options",
        ),
        pytest.param(
            Copy(["a", Heredoc("x\n", "n"), 'b"', "--c"], "/d/"),
            "COPY a <<'n' b\\\" \\--c /d/\nx\nn",
            id="file in place beside paths that need escapes",
        ),
        pytest.param(
            Copy(["--c", Heredoc("x\n", "n")], "/d/"),
            "COPY \\--c <<'n' /d/\nx\nn",
            id="look of a flag beside a file in place",
        ),
        pytest.param(Copy(Heredoc("x\n"), "\x85"), "COPY <<'EOF' \"\x85\"\nx\nEOF", id="blank beyond ASCII at the end"),
        pytest.param(Copy(Heredoc("x\n"), "/<<d"), "COPY <<'EOF' /\\<\\<d\nx\nEOF", id="look of a heredoc beside one"),
        pytest.param(Copy(anything(Colour.RED), "/x"), "COPY red /x", id="member of an enumeration"),
    ],
)
def test_text(value: Copy, text: str) -> None:
    """Paths are bare where all are safe, and elements of an array elsewhere; flags stand in the reference's order."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Copy([], "/x"), InvalidValue, "COPY: no source is given; name at least one", id="nothing"),
        pytest.param(lambda: Copy("", "/x"), InvalidValue, 'a source is empty; write "."', id="empty source"),
        pytest.param(lambda: Copy("a", ""), InvalidValue, 'destination is empty; write "."', id="empty destination"),
        pytest.param(lambda: Copy("a\nUSER root", "/x"), InvalidValue, "newline", id="newline in a source"),
        pytest.param(lambda: Copy("a", "/x\nUSER root"), InvalidValue, "newline", id="newline in the destination"),
        pytest.param(lambda: Copy("a\0", "/x"), InvalidValue, "control character", id="NUL"),
        pytest.param(lambda: Copy("\udcff", "/x"), InvalidValue, "lone surrogate", id="lone surrogate"),
        pytest.param(lambda: Copy("$", "/x"), InvalidValue, "does not start a variable reference", id="lone dollar"),
        pytest.param(
            lambda: Copy(literal("a") + "$", "/x"),
            InvalidValue,
            "does not start a variable reference",
            id="dollar beside a literal",
        ),
        pytest.param(lambda: external(anything(5)), InvalidType, "external.*; pass a str", id="number as a name"),
        pytest.param(lambda: Copy("a\tb", "/x"), InvalidValue, "has a tab.*; rename", id="tab in the context"),
        pytest.param(
            lambda: Copy("a[b", "/x"),
            InvalidValue,
            r"does not start a character class.*; close it, or write \[\[\]",
            id="open bracket",
        ),
        pytest.param(lambda: Copy("a[]b", "/x"), InvalidValue, "does not start a character class", id="empty class"),
        pytest.param(
            lambda: Copy("a\\b*", "/x"), InvalidValue, "escapes the next character.*; write /", id="backslash and star"
        ),
        pytest.param(
            lambda: Copy(literal("a*b"), "/x"), InvalidValue, "finds no such file.*; rename", id="literal star"
        ),
        pytest.param(
            lambda: Copy(literal("a?b"), "/x"), InvalidValue, "finds no such file", id="literal question mark"
        ),
        pytest.param(
            lambda: Copy(literal("$*"), "/x"), InvalidValue, "finds no such file", id="literal star and dollar"
        ),
        pytest.param(lambda: Copy("a[*]b", "/x"), InvalidValue, "finds no such file", id="star in a class"),
        pytest.param(lambda: Copy("https://a.example/b", "/x"), InvalidValue, r"is remote.*; use ADD", id="URL"),
        pytest.param(lambda: Copy("git@a.example:b.git", "/x"), InvalidValue, "is remote", id="repository"),
        pytest.param(
            lambda: Copy("a", "/b", from_="$A"), InvalidValue, "--from: .*has a variable", id="variable in from"
        ),
        pytest.param(
            lambda: Copy("a", "/b", from_="a b"), InvalidValue, "--from: .*not the name of an image", id="blank in from"
        ),
        pytest.param(lambda: Copy("a", "/b", from_='a"'), InvalidValue, "not the name of an image", id="quote in from"),
        pytest.param(
            lambda: Copy("a", "/b", from_="é"), InvalidValue, "not the name of an image", id="beyond ASCII in from"
        ),
        pytest.param(lambda: Copy("a", "/b", from_="1"), InvalidValue, "index of a stage; pass the Stage", id="index"),
        pytest.param(lambda: Copy("a", "/b", from_=""), InvalidValue, "not the name of an image", id="empty from"),
        pytest.param(
            lambda: Copy("a", "/b", chown="é"), InvalidValue, "--chown: .*non-ASCII", id="beyond ASCII in chown"
        ),
        pytest.param(lambda: Copy("a", "/b", chown=""), InvalidValue, "--chown: the value is empty", id="empty chown"),
        pytest.param(lambda: Copy("a", "/b", chown="a\nUSER root"), InvalidValue, "newline", id="newline in chown"),
        pytest.param(
            lambda: Copy("a", "/b", chmod="rwx"), InvalidValue, "neither octal nor symbolic; write", id="chmod"
        ),
        pytest.param(lambda: Copy("a", "/b", chmod="10000"), InvalidValue, "neither octal", id="chmod out of range"),
        pytest.param(lambda: Copy("a", "/b", chmod=literal("$A")), InvalidValue, "neither octal", id="literal chmod"),
        pytest.param(
            lambda: Copy("a", "/b", exclude=["a\nb"]), InvalidValue, "--exclude: .*newline", id="newline in exclude"
        ),
        pytest.param(lambda: Copy("a", "/b", exclude=["é"]), InvalidValue, "non-ASCII", id="beyond ASCII in exclude"),
        pytest.param(
            lambda: Copy(["a b", Heredoc("x\n")], "/d/"), InvalidValue, "has whitespace, and next to", id="blank beside"
        ),
        pytest.param(
            lambda: Copy(["${A#b}", Heredoc("x\n")], "/d/"),
            InvalidValue,
            "heredoc that does not end",
            id="modifier beside",
        ),
        pytest.param(
            lambda: Copy([Heredoc("x\n"), Heredoc("y\n")], "/d/"), InvalidValue, "same name.*; give", id="two of a name"
        ),
        pytest.param(lambda: Copy("a" * 66_000, "/x"), InvalidValue, "bytes long", id="longer than a line"),
        pytest.param(lambda: Copy(anything(5), "/x"), InvalidType, "the source 5 is an int; pass a str", id="number"),
        pytest.param(lambda: Copy(anything(Path("a")), "/x"), InvalidType, "is a PosixPath", id="path"),
        pytest.param(lambda: Copy(anything(None), "/x"), InvalidType, "is a NoneType", id="None"),
        pytest.param(lambda: Copy(anything({"a"}), "/x"), InvalidType, "is a set", id="a set has no order"),
        pytest.param(lambda: Copy(anything(b"a"), "/x"), InvalidType, "is a bytes", id="bytes"),
        pytest.param(lambda: Copy("a", anything(["/x"])), InvalidType, "is a list", id="list as the destination"),
        pytest.param(
            lambda: Copy("a", anything(Heredoc("x\n"))), InvalidType, "is a Heredoc", id="file as the destination"
        ),
        pytest.param(
            lambda: Copy("a", "/b", chmod=anything(0o755)), InvalidType, "is a number, and 755", id="chmod as a number"
        ),
        pytest.param(
            lambda: Copy("a", "/b", link=anything("yes")), InvalidType, "--link: .*; pass True", id="text as a switch"
        ),
        pytest.param(
            lambda: Copy("a", "/b", link=anything(1)), InvalidType, "--link: .*is an int", id="number as a switch"
        ),
        pytest.param(lambda: Copy("a", "/b", chown=anything(())), InvalidType, "--chown: ", id="empty tuple"),
        pytest.param(
            lambda: Copy("a", "/b", from_=anything(5)), InvalidType, "--from: the source 5 is an int", id="from"
        ),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """What no COPY can say, or BuildKit would do otherwise, is refused."""
    laws.check_refused(make, kind, message, __file__)


@pytest.mark.parametrize(
    ("value", "version"),
    [
        pytest.param(Copy("a", "/b", from_=STAGE, chown="1"), "1.0", id="from and chown"),
        pytest.param(Copy("a", "/b", chown="$A"), "1.2", id="chown of a variable"),
        pytest.param(Copy("a", "/b", chmod="755"), "1.2", id="chmod"),
        pytest.param(Copy("a", "/b", chmod="$A"), "1.10", id="chmod of a variable"),
        pytest.param(Copy("a", "/b", chmod="+x"), "1.14", id="chmod in letters"),
        pytest.param(Copy("a", "/b", link=True), "1.4", id="link"),
        pytest.param(Copy("a", "/b", parents=True), "1.20", id="parents"),
        pytest.param(Copy("a", "/b", exclude=["c"]), "1.19", id="exclude"),
        pytest.param(Copy("a", "/b", exclude=["${A#b}"]), "1.19", id="exclude expands nothing"),
        pytest.param(Copy(Heredoc("a\n"), "/b"), "1.4", id="heredoc"),
        pytest.param(Copy("${A#b}", "/b"), "1.7", id="modifier in a source"),
        pytest.param(Copy("a", "/b", chown="${A#b}"), "1.7", id="modifier in a flag"),
    ],
)
def test_minimum_syntax(value: Copy, version: str) -> None:
    """Each flag and form needs the frontend that brought it."""
    assert version == value.minimum_syntax


def test_references() -> None:
    """The stage or image that files come from is known as the object that was given."""
    assert ((STAGE, "copy"),) == Copy("a", "b", from_=STAGE).references()
    assert (("alpine:3", "copy"),) == Copy("a", "b", from_="alpine:3").references()
    assert ((None, "copy"),) == Copy("a", "b").references()
    assert () == Copy.text("a\n", "b").references()
