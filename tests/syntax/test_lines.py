"""Lines: continuations, heredocs, and the guard that proves an instruction to be one."""

from __future__ import annotations

import pytest

from dockdsl.errors import Refused
from dockdsl.syntax.guard import guard, heredoc_bodies, heredoc_words, raw_words
from dockdsl.syntax.layout import WIDTH, lay_out, pick_delimiter
from dockdsl.syntax.lines import HeredocWord, continued
from tests import oracle

LONGEST = "a" * 65_001


@pytest.mark.parametrize(
    ("line", "escape", "expected"),
    [
        pytest.param("a \\", "\\", True, id="escape at the end"),
        pytest.param("a \\ \t", "\\", True, id="blanks behind it"),
        pytest.param("\\", "\\", True, id="escape alone"),
        pytest.param("a \\\r", "\\", True, id="carriage return behind it"),
        pytest.param("a \\\\", "\\", False, id="escaped escape"),
        pytest.param("a \\\\\\", "\\", False, id="three, which BuildKit takes for no continuation"),
        pytest.param("a \\\x0b", "\\", False, id="other white space behind it"),
        pytest.param("a `", "\\", False, id="the other character"),
        pytest.param("a `", "`", True, id="backtick"),
        pytest.param("a \\", "`", False, id="backslash where it escapes nothing"),
        pytest.param("a", "\\", False, id="plain"),
    ],
)
def test_continued(line: str, escape: str, expected: bool) -> None:
    """A line is continued where BuildKit joins the next one to it."""
    assert expected == continued(line, escape)
    prefix = "" if escape == "\\" else "# escape=`\n"
    found = oracle.read(f"{prefix}FROM a\nRUN x{line}\nUSER y\n")
    assert expected == (["FROM", "RUN"] == [each.keyword for each in found])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("RUN <<EOF", [HeredocWord("EOF", False, False)], id="plain"),
        pytest.param("RUN cat 3<<-'A b'", [HeredocWord("A b", True, True)], id="descriptor, tabs, quotes"),
        pytest.param('RUN <<A <<"B"', [HeredocWord("A", False, False), HeredocWord("B", False, True)], id="two"),
        pytest.param('RUN <<E"O"F', [HeredocWord("EOF", False, True)], id="quoted in part"),
        pytest.param("RUN <<\\EOF", [HeredocWord("EOF", False, False)], id="escaped"),
        pytest.param("RUN a<<EOF", [], id="glued to a word"),
        pytest.param('RUN "<<EOF"', [], id="in quotes"),
        pytest.param("RUN <<<x", [], id="here-string"),
        pytest.param("RUN $((1<<2))", [], id="shift in one word"),
        pytest.param("RUN $((1 << 2))", None, id="shift, which frontends disagree about"),
        pytest.param("RUN << EOF", None, id="blank, which frontends disagree about"),
        pytest.param("RUN <<''", None, id="no name"),
        pytest.param("RUN it's <<EOF", None, id="open quote, at which the lexer gives up"),
        pytest.param("RUN ${a^^} <<EOF", None, id="modifier at which the lexer gives up"),
        pytest.param('RUN "${a:-b}" <<EOF', None, id="modifier in quotes"),
        pytest.param("RUN ${a} <<EOF", [HeredocWord("EOF", False, False)], id="plain reference"),
        pytest.param("RUN it's", [], id="open quote and no heredoc"),
        pytest.param("RUN \x1f<<EOF", [], id="what is white space to Python alone"),
    ],
)
def test_heredoc_words(line: str, expected: list[HeredocWord] | None) -> None:
    """The heredocs of a line are those that BuildKit finds; None where not all frontends find the same."""
    assert expected == heredoc_words(line)
    if expected is not None:
        bodies = "".join(f"{word.name}\n" for word in expected)
        found = oracle.read(f"FROM a\n{line}\n{bodies}USER y\n")
        assert ["FROM", "RUN", "USER"] == [each.keyword for each in found]
        assert [word.name for word in expected] == [name for name, _ in found[1].heredocs]


def test_raw_words() -> None:
    """Words keep their quotes and escapes; None where the lexer gives up."""
    assert ["a", "'b c'", '"d e"', "f\\ g", "${h}"] == raw_words("a 'b c'\t\"d e\"\u2028f\\ g ${h} ")
    assert raw_words("'") is None
    assert raw_words('"') is None
    assert raw_words("${") is None


def test_heredoc_bodies() -> None:
    """Bodies follow in the order of their words, each up to its own delimiter; tabs matter unless they are stripped."""
    words = [HeredocWord("A", False, False), HeredocWord("B", True, False)]

    assert 4 == heredoc_bodies(words, ["a", "A", "\tA", "\tB", "c"], 0)
    assert 2 == heredoc_bodies(words[:1], ["a", "A\r"], 0)
    assert -1 == heredoc_bodies(words, ["A", " B"], 0)
    assert -1 == heredoc_bodies(words[:1], ["\tA"], 0)


def test_pick_delimiter() -> None:
    """A delimiter is not a line of the text, whatever whitespace is around that line."""
    assert "EOF" == pick_delimiter("a")
    assert "EOF2" == pick_delimiter("a\n \tEOF\r\nb")
    assert "EOF3" == pick_delimiter("EOF\nEOF2")


def test_lay_out() -> None:
    """Short pieces are put on one line; long ones are filled into lines, or put one on each."""
    long = ["RUN", *["x" * 30] * 4]

    assert "RUN a b" == lay_out("\\", ["RUN", "a", "b"])
    assert [95, 34] == [len(line) for line in lay_out("\\", long).split("\n")] or all(
        len(line) <= WIDTH + 2 for line in lay_out("\\", long).split("\n")
    )
    assert 4 == len(lay_out("`", long, one_each=True).split(" `\n"))


@pytest.mark.parametrize(
    ("text", "escape"),
    [
        pytest.param("RUN a", "\\", id="plain"),
        pytest.param("RUN a && \\\n    b", "\\", id="continued"),
        pytest.param("RUN a `\n    b", "`", id="continued by a backtick"),
        pytest.param("RUN a \\\n# x\n\n    b", "\\", id="comment and empty line within"),
        pytest.param("RUN <<EOF\na\nEOF", "\\", id="heredoc"),
        pytest.param("ONBUILD RUN <<EOF\na\nEOF", "\\", id="heredoc that is kept"),
        pytest.param("COPY --chown=\"a b\" <<'A' <<B /\nA\n\nB", "\\", id="two heredocs"),
        pytest.param('COPY --chown=1 ["a <<b", "/"]', "\\", id="array is no heredoc"),
        pytest.param('RUN ["cat", "<<EOF"]', "\\", id="array of RUN is no heredoc"),
        pytest.param("CMD cat <<EOF", "\\", id="no heredoc here"),
        pytest.param("RUN a\\b", "\\", id="escape within"),
    ],
)
def test_guard_lets_pass(text: str, escape: str) -> None:
    """A single instruction passes, and BuildKit reads one."""
    assert text == guard(text, escape)
    oracle.read_one(text, escape)


@pytest.mark.parametrize(
    ("text", "escape", "message"),
    [
        pytest.param("ENV A=b\nUSER root", "\\", "separate instruction", id="newline"),
        pytest.param("ENV A=b\n# x", "\\", "separate instruction", id="newline before a comment"),
        pytest.param("RUN a \\", "\\", "escape character", id="escape at the end"),
        pytest.param("RUN a \\ ", "\\", "escape character", id="escape and a blank at the end"),
        pytest.param("RUN a \\\r", "\\", "escape character", id="escape and a carriage return at the end"),
        pytest.param("RUN a \\\\", "\\", "escape character", id="two escapes at the end"),
        pytest.param("RUN a `", "`", "escape character", id="backtick at the end"),
        pytest.param("RUN a \\\nb \\", "\\", "line of the text is continued", id="continuation at the end"),
        pytest.param("RUN a \\\nb\\\\", "\\", "separate instruction", id="two escapes at the end of the second line"),
        pytest.param("RUN a \\\n# b", "\\", "line of the text is continued", id="continued into a comment"),
        pytest.param("RUN a \\\\\nb", "\\", "separate instruction", id="line that does not go on"),
        pytest.param("RUN <<EOF", "\\", "start a heredoc", id="heredoc without a body"),
        pytest.param("RUN <<EOF\na", "\\", "does not end", id="heredoc without an end"),
        pytest.param("RUN <<EOF\nEOF\nUSER root", "\\", "separate instruction", id="heredoc with more behind it"),
        pytest.param("RUN << EOF\nEOF", "\\", "does not end", id="heredoc that not all frontends find"),
        pytest.param("RUN cat <\\\n<EOF", "\\", "does not end", id="heredoc on both sides of a line break"),
        pytest.param("RUN a \\\n\x85", "\\", "line of the text is continued", id="continued into a blank line"),
        pytest.param(
            "RUN ${a^^} <<EOF\nUSER root\nEOF", "\\", "does not end", id="heredoc that the lexer does not find"
        ),
        pytest.param(
            "CMD <<EOF\nUSER root\nEOF", "\\", "separate instruction", id="heredoc of an instruction without heredocs"
        ),
        pytest.param('COPY ["<<EOF", "/"]', "\\", "start a heredoc", id="heredoc in an array"),
        pytest.param('COPY --chown="a`" <<EOF b" a /', "`", "start a heredoc", id="heredoc in a quoted flag"),
        pytest.param("ONBUILD COPY <<EOF /", "\\", "start a heredoc", id="kept heredoc without a body"),
        pytest.param(f"RUN {LONGEST}", "\\", "65,005 bytes", id="longer than a line"),
        pytest.param(f"RUN <<EOF\n{LONGEST}\nEOF", "\\", "65,001 bytes", id="longer than a line in a heredoc"),
        pytest.param(f"RUN {'é' * 32_600}", "\\", "65,204 bytes", id="longer than a line in bytes"),
    ],
)
def test_guard_refuses(text: str, escape: str, message: str) -> None:
    """Text that would be more or less than one instruction does not pass."""
    with pytest.raises(Refused, match=message):
        guard(text, escape)
