"""Shell text, judged by real shells: text that is laid out or chained does the same as before."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdsl import DockdslError, Run
from dockdsl.syntax import shell
from dockdsl.syntax.operators import Operator, operators
from tests import laws, oracle, strategies

# Each only once: sh is usually one of the others.
SHELLS = list(
    {
        Path(shutil.which(name) or "").resolve(): [name, *rest]
        for name, *rest in (["sh"], ["dash"], ["bash"], ["busybox", "sh"])
        if shutil.which(name)
    }.values()
)


def ran(program: list[str], text: str) -> tuple[int, str]:
    """Run a text in a shell; return its status and its output."""
    done = subprocess.run([*program, "-c", text], capture_output=True, text=True, check=False, timeout=60, cwd="/")
    return done.returncode, done.stdout


@st.composite
def commands(draw: st.DrawFn, depth: int = 2, ends: tuple[str, ...] = ("",)) -> str:
    """Draw a command of a small grammar: it prints, succeeds or fails, and has operators of all kinds."""
    simple = st.sampled_from(
        [
            *[
                "true",
                "false",
                "echo a",
                "echo b",
                "echo 'a && b'",
                'echo "a; b"',
                "echo a\\;b",
                "echo \\#",
                "echo a#b",
            ],
            *[
                'echo "$(echo c && false)"',
                "echo `echo d`",
                "x=1",
                'echo "x=$x"',
                "echo ${x:-none}",
                "echo ${x:-'a && b'}",
            ],
            *[
                'echo "${x:-a && b}"',
                'echo "${x:-$(echo "q && r")}"',
                "echo $((1 + 2))",
                "echo {a,b}",
                "echo } {",
                "echo 2>&1",
            ],
            *[
                "echo e >&2",
                "cd /tmp",
                "pwd",
                "exit 3",
                "(exit 4)",
                "! true",
                "! false",
                "echo a\\ ",
                "echo $#",
                "echo *bin",
            ],
            *[
                'echo "it\'s"',
                "echo 'say \"hi\"'",
                "echo '#'",
                "echo \"`echo 'a && b'`\"",
                "[ 1 = 1 ]",
                "test -f /nothing",
            ],
        ]
    )
    if depth == 0:
        return draw(simple)
    one, two = draw(commands(depth - 1)), draw(commands(depth - 1))
    end = draw(st.sampled_from(ends))
    form = draw(
        st.sampled_from(
            [
                *["{0}", "{0}", "{0} && {1}", "{0} || {1}", "{0}; {1}", "{0} | cat", "{{ {0}; {1}; }}", "({0}; {1})"],
                *["if {0}; then {1}; fi", "for i in 1 2; do {0}; done", "{{ {0}; }} && {1}", "{0}&&{1}", "{0}||{1}"],
                *["f() {{ {0}; }}; f", "while {0}; do {1}; break; done", "({0} && {1})", "  {0}\t"],
                *["case a in a|b) {0};; *) {1};; esac", "case $x in (1) {0};; esac", "until {0}; do {1}; break; done"],
                *[
                    "if {0}; then {{ {1}; }} fi",
                    "for i in 1; do case $i in 1) {0} ;; esac; done",
                    "if {0}; then (exit 6) fi",
                ],
            ]
        )
    )
    return form.format(one, two) + end


CHAIN_ENDS = ("", "", ";", " ;", "; true & wait", " && false & wait", "; (exit 5) &")


def try_chains(program: list[str], number: int) -> None:
    """Assert that chains do what their commands do one by one, until the first that fails."""

    @settings(max_examples=strategies.examples(number), deadline=None)
    @given(st.lists(commands(ends=CHAIN_ENDS), min_size=1, max_size=4))
    def law(chain: list[str]) -> None:
        value = strategies.attempt(Run.chain, *chain)
        if isinstance(value, DockdslError):
            return
        given_text = laws.run_text(oracle.read_one(str(value)))
        one_by_one = "\n".join([f"eval {shlex.quote(command)} || exit $?" for command in chain])
        assert ran(program, one_by_one) == ran(program, given_text)

    law()


@pytest.mark.parametrize("program", SHELLS, ids=" ".join)
def test_a_chain_runs_its_commands_one_by_one(program: list[str]) -> None:
    """`Run.chain` does what its commands do one after the other until the first that fails."""
    try_chains(program, 400)


@pytest.mark.parametrize("program", SHELLS, ids=" ".join)
def test_layout_never_changes_what_runs(program: list[str]) -> None:
    """A text that is broken at its operators, or continued by hand, does what the text as it was given does."""

    @settings(max_examples=strategies.examples(300), deadline=None)
    @given(
        st.lists(st.one_of(commands(), st.sampled_from(["\\\n", " \\\n  ", "# x", "'", '"'])), min_size=2, max_size=6)
    )
    def law(parts: list[str]) -> None:
        text = " && ".join([*parts, "echo " + "x" * 90])
        value = strategies.attempt(Run, text)
        if isinstance(value, DockdslError):
            return
        assert ran(program, text) == ran(program, laws.run_text(oracle.read_one(str(value))))

    law()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("a && b || c; d | e & f", [(2, "&&"), (7, "||"), (11, ";"), (15, "|"), (19, "&")], id="all"),
        pytest.param("a&&b", [(1, "&&")], id="no blanks"),
        pytest.param("a 2>&1 >&2 <&3", [], id="redirections"),
        pytest.param("a &>f", [(2, "&")], id="redirection to some shells, background to others"),
        pytest.param("a >| f", [(3, "|")], id="redirection that forces"),
        pytest.param("'a && b' \"c; d\" `e | f` $(g & h) (i; j)", [], id="quotes and brackets"),
        pytest.param("{ a; b; } && c", [(10, "&&")], id="group"),
        pytest.param("echo { && echo }", [(7, "&&")], id="braces that group nothing"),
        pytest.param("find . -exec a {} \\; && b", [(21, "&&")], id="escaped semicolon"),
        pytest.param("echo {a,b}; c", [(10, ";")], id="brace expansion"),
        pytest.param("${a:-b && c}; d", [(12, ";")], id="expansion"),
        pytest.param('"${a:-b && c}"; d', [(14, ";")], id="expansion in quotes"),
        pytest.param("$((1 << 2 & 3)); d", [(15, ";")], id="arithmetic"),
        pytest.param("a # b && c", [(2, "#")], id="comment"),
        pytest.param("a#b && c", [(4, "&&")], id="no comment"),
        pytest.param("a;#b", [(1, ";"), (2, "#")], id="comment behind an operator"),
        pytest.param("echo $# ${#a} && b", [(14, "&&")], id="number signs of parameters"),
        pytest.param("cat <<<x && a", [(9, "&&")], id="here-string"),
        pytest.param('"a$" && b', [(5, "&&")], id="dollar before the closing quote"),
        pytest.param("f() { a; }; f", [(10, ";")], id="function"),
        pytest.param("a 'b", None, id="open single quote"),
        pytest.param('a "b', None, id="open double quote"),
        pytest.param("a `b", None, id="open backtick"),
        pytest.param("a (b", None, id="open bracket"),
        pytest.param("{ a;", None, id="open group"),
        pytest.param("a; }", None, id="closed group"),
        pytest.param("a)", None, id="closed bracket"),
        pytest.param("case a in b) c && d;; (e|f) g;; esac && h", [(37, "&&")], id="case"),
        pytest.param("case a in b) c;;", None, id="open case"),
        pytest.param("if a; then b; fi && c", [(4, ";"), (12, ";"), (17, "&&")], id="what not all shells have"),
        pytest.param("cat <<EOF", None, id="heredoc"),
        pytest.param("a $'b' && c", None, id="quotes to some shells alone"),
        pytest.param('a "${b:-"c && d"}"', None, id="quotes in an expansion in quotes"),
        pytest.param("(a # b)", None, id="comment in brackets"),
    ],
)
def test_operators(text: str, found: list[tuple[int, str]] | None) -> None:
    """Operators are found only at the top level; text that shells read in different ways is left alone."""
    expected = None if found is None else [Operator(start, operator) for start, operator in found]

    assert expected == operators(text)


@pytest.mark.parametrize(
    ("text", "breaks", "understood"),
    [
        pytest.param("a b", [1], True, id="between words"),
        pytest.param('"a b"', [2], True, id="in double quotes"),
        pytest.param("'a b'", [2], False, id="in single quotes"),
        pytest.param("'a' 'b'", [4], True, id="between single quotes"),
        pytest.param("a # b", [4], False, id="in a comment"),
        pytest.param("a # b", [1], True, id="before a comment"),
        pytest.param("\"it's\" 'a b'", [9], False, id="in single quotes behind a quoted one"),
    ],
)
def test_places_of_continuations(text: str, breaks: list[int], understood: bool) -> None:
    """A continuation is layout where the shell joins the lines as BuildKit does, and nowhere else."""
    assert understood == (operators(text, breaks) is not None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("$((" * 20_000, id="arithmetic"),
        pytest.param("${a" * 20_000, id="parameters"),
        pytest.param('"${a' + "$b" * 20_000, id="nested parameters"),
        pytest.param("(" * 30_000 + ")" * 30_000, id="brackets"),
        pytest.param("a && " * 10_000 + "a", id="operators"),
        pytest.param("'\"" * 20_000, id="quotes"),
        pytest.param("\\\n" * 20_000 + "a", id="continuations"),
        pytest.param("a \\\n" * 15_000 + "a", id="words continued"),
        pytest.param("<<" * 20_000, id="heredocs"),
    ],
)
def test_long_texts_are_read_in_linear_time(text: str) -> None:
    """No text makes the scanner slow."""
    start = time.process_time()
    strategies.attempt(Run, text)
    strategies.attempt(Run.chain, text)

    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a", id="plain"),
        pytest.param("a \\\n b", id="continued"),
        pytest.param("a\nb\r\n", id="lines"),
        pytest.param(" && ".join(["command number"] * 9), id="chain"),
        pytest.param("cat <<X\na\nX", id="heredoc"),
        pytest.param("echo \\\\", id="backslashes"),
        pytest.param("[]", id="array"),
    ],
)
def test_the_form_of_a_text_is_stable(text: str) -> None:
    """A normalized text does not change when it is normalized again."""
    once = shell.normal(text)

    assert once == shell.normal(once)
