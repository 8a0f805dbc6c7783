"""CMD and ENTRYPOINT: the shell form and the exec form, which they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import Cmd, DockdslError, Entrypoint, InvalidType, InvalidValue
from tests import laws
from tests.laws import anything
from tests.strategies import Colour, Evil

BOTH = pytest.mark.parametrize("kind", [Cmd, Entrypoint])
LONG = ["x" * 60] * 10


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param(["/api"], '["/api"]', id="program"),
        pytest.param(["/api", "--port", "8080"], '["/api", "--port", "8080"]', id="arguments"),
        pytest.param([], "[]", id="nothing clears what was inherited"),
        pytest.param(["a", ""], '["a", ""]', id="empty argument"),
        pytest.param(['say "hi"'], r'["say \"hi\""]', id="quote"),
        pytest.param(["C:\\dir\\"], r'["C:\\dir\\"]', id="backslash"),
        pytest.param(["$HOME", "`x`"], '["$HOME", "`x`"]', id="nothing is expanded"),
        pytest.param(["two\nlines\r\t"], r'["two\nlines\r\t"]', id="newlines, for which JSON has a spelling"),
        pytest.param(["\x01\x1b\x7f"], r'["\u0001\u001b\u007f"]', id="control characters, too"),
        pytest.param(["é 本 😀 \u2028"], '["é 本 😀 \u2028"]', id="beyond ASCII"),
        pytest.param(["<<EOF", "# x", "--x"], '["<<EOF", "# x", "--x"]', id="traps of the shell form"),
        pytest.param([Colour.RED, Evil("b")], '["red", "b"]', id="texts of other classes"),
        pytest.param(LONG, "[" + ", \\\n    ".join([f'"{each}"' for each in LONG]) + "]", id="long ones are broken"),
    ],
)
@BOTH
def test_exec_form(kind: type[Cmd | Entrypoint], arguments: list[str], text: str) -> None:
    """Each argument reaches the program character for character."""
    value = kind.exec(*arguments)  # Cmd or Entrypoint

    assert tuple(str.__str__(each) for each in arguments) == value.command
    laws.check_row(value, f"{kind.KEYWORD} {text}", __file__)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        pytest.param("./api --port $PORT", "./api --port $PORT", id="text"),
        pytest.param("  ./api\n", "./api", id="blanks around it mean nothing"),
        pytest.param('echo \'a  b\' "c\\"d"', 'echo \'a  b\' "c\\"d"', id="quotes belong to the shell"),
        pytest.param("# nothing", "# nothing", id="shell comment"),
        pytest.param("cat <<EOF", "cat <<EOF", id="no heredoc is known here"),
        pytest.param("--x", "-- --x", id="dashes are no flag"),
        pytest.param("[ -f /a ] && cat /a", "[ -f /a ] && cat /a", id="bracket that is no array"),
        pytest.param("a && \\\n    b", "a && \\\n    b", id="continued"),
        pytest.param("echo \x0b|cat", "echo \x0b|cat", id="control character within"),
    ],
)
@BOTH
def test_shell_form(kind: type[Cmd | Entrypoint], given: str, text: str) -> None:
    """The text reaches the shell as it is."""
    laws.check_row(kind(given), f"{kind.KEYWORD} {text}", __file__)  # Cmd or Entrypoint


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Cmd(""), InvalidValue, "CMD: the command is empty; give it a command", id="empty"),
        pytest.param(lambda: Cmd(" \n"), InvalidValue, "is empty", id="blank"),
        pytest.param(lambda: Cmd("a\nUSER root"), InvalidValue, r"several lines.*; use Cmd.exec\(", id="several lines"),
        pytest.param(
            lambda: Entrypoint("a\nb"), InvalidValue, r"ENTRYPOINT: .*; use Entrypoint.exec\(", id="remedy names it"
        ),
        pytest.param(lambda: Cmd("a \\"), InvalidValue, "backslash at its end", id="backslash at the end"),
        pytest.param(lambda: Cmd("a \\ "), InvalidValue, "backslash at its end", id="backslash and a blank at the end"),
        pytest.param(lambda: Cmd("a\r"), InvalidValue, "BuildKit strips", id="carriage return at the end"),
        pytest.param(lambda: Cmd("\xa0a"), InvalidValue, "BuildKit strips", id="blank beyond ASCII at the start"),
        pytest.param(lambda: Cmd('["a"]'), InvalidValue, "may read as the exec form", id="array as text"),
        pytest.param(
            lambda: Cmd('["a"] # x'), InvalidValue, "may read as the exec form", id="array with a rest, as text"
        ),
        pytest.param(
            lambda: Cmd('["a", \\\n "b"]'), InvalidValue, "may read as the exec form", id="array over two lines"
        ),
        pytest.param(lambda: Cmd("echo 'a \\\n b'"), InvalidValue, "several lines", id="newline in single quotes"),
        pytest.param(lambda: Cmd("a\0"), InvalidValue, "has a NUL character; remove it", id="NUL"),
        pytest.param(lambda: Cmd("\ud800"), InvalidValue, "lone surrogate", id="surrogate"),
        pytest.param(
            lambda: Cmd.exec("a\0"), InvalidValue, "NUL character, which cannot be passed", id="NUL in an argument"
        ),
        pytest.param(lambda: Cmd.exec("\ud800"), InvalidValue, "lone surrogate", id="surrogate in an argument"),
        pytest.param(
            lambda: Cmd.exec("a" * 70_000), InvalidValue, "70,.* bytes long", id="argument longer than a line"
        ),
        pytest.param(
            lambda: Cmd(anything(["a", "b"])), InvalidType, r"is a list; write Cmd.exec\('a', 'b'\)", id="list"
        ),
        pytest.param(lambda: Cmd(anything(["a", 1])), InvalidType, "is a list; pass a str", id="list of anything"),
        pytest.param(
            lambda: Entrypoint(anything(["a"])), InvalidType, r"; write Entrypoint.exec\('a'\)", id="list of ENTRYPOINT"
        ),
        pytest.param(
            lambda: Cmd.exec(anything(["a"])), InvalidType, r"Cmd.exec\(\*arguments\)", id="list as an argument"
        ),
        pytest.param(
            lambda: Cmd.exec("a", anything(1)), InvalidType, "argument 1 is an int", id="number as an argument"
        ),
        pytest.param(lambda: Entrypoint(anything(None)), InvalidType, "ENTRYPOINT: .* is a NoneType", id="None"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """What would be read as something else is refused, and the remedy is the exec form."""
    laws.check_refused(make, kind, message, __file__)


@BOTH
def test_minimum_syntax(kind: type[Cmd | Entrypoint]) -> None:
    """Every frontend knows both forms, and nothing is expanded in them."""
    assert "1.0" == kind("echo ${A#b}").minimum_syntax
    assert "1.0" == kind.exec("${A#b}").minimum_syntax
