"""Shell text is read as shells read it: which commands it has, with which words."""

from __future__ import annotations

import cProfile
import re
from typing import Any

import pytest

from dockdsl.errors import DockerfileSyntaxError, SourceError
from dockdsl.lint.shell import Command, read
from dockdsl.lint.subject import Subject
from dockdsl.migrate.shell_parser import parsed
from tests.corpora import corpus

Node = dict[str, Any]


def words(text: str) -> list[list[str]]:
    """Return the words of each command."""
    shell = read(text)
    assert shell is not None
    return [list(each.words) for each in shell.commands]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b  c", [["a", "b", "c"]]),
        ("a && b || c; d & e\nf", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ('a \'b c\' "d $e" f\\ g "h\\""', [["a", "b c", "d $e", "f g", 'h"']]),
        ("A=1 B='2 3' a", [["a"]]),
        ("a=(b c) d; e", [["d"], ["e"]]),
        ("a >b 2>&1 <c &>d e", [["a", "e"]]),
        ("a$(b 'c)' $(d))", [["a$(b 'c)' $(d))"], ["b", "c)", "$(d)"], ["d"]]),
        ('a `b` "$(c)" ${d:-$(e)}', [["a", "`b`", "$(c)", "${d:-$(e)}"], ["b"], ["c"], ["e"]]),
        ("if a; then b; elif c; then d; else e; fi", [["a"], ["b"], ["c"], ["d"], ["e"]]),
        ("for x in a b $(c); do d; done", [["c"], ["d"]]),
        ("while ! a; do { b; }; (c); done > d", [["a"], ["b"], ["c"]]),
        ("case $a in b|c) d;; (e) f ;; *) esac; g", [["d"], ["f"], ["g"]]),
        ("a() { b; }; function c { d; }", [["b"], ["d"]]),
        ("[ a ] && [[ b == (c|d) && e ]] && ((f++)) && g $((1 + (2)))", [["[", "a", "]"], ["g", "$((1 + (2)))"]]),
        ("a # b\nc#d", [["a"], ["c#d"]]),
        ("a <<E b\nc\nE\nd", [["a", "b"], ["d"]]),
        ("a <<-'E F'\n\tc\n\tE F\nd <<< e", [["a"], ["d"]]),
        ("a <(b) >(c)", [["a", "<(b)", ">(c)"], ["b"], ["c"]]),
        ("a $'b\\'c' \\\n d", [["a", "$'b\\'c'", "d"]]),
        ("sudo -u x A=1 env B=2 a", [["sudo", "-u", "x", "A=1", "env", "B=2", "a"], ["env", "B=2", "a"], ["a"]]),
        ("", []),
    ],
)
def test_commands(text: str, expected: list[list[str]]) -> None:
    """Quotes, operators, compounds, substitutions, redirections and heredocs are understood."""
    assert expected == words(text)


@pytest.mark.parametrize(
    "text", ["'a", '"a', "a $(b", "a `b", "(a", "a)", "a ${b", "case a in", "case a", "esac", "a >", "[[ a", "x y ()"]
)
def test_what_no_shell_reads(text: str) -> None:
    """It has no commands."""
    assert read(text) is None


def test_pipes() -> None:
    """Pipes are found where they are, and only these."""
    shell = read("a | b |& c || 'd | e' # f | g\nh $(i | j) >| k")

    assert shell is not None
    assert list(shell.pipes) == [2, 6, 36]


def test_options() -> None:
    """An option is found alone, with a value, and as one of several letters."""
    command = Command(("a", "-qy", "--b=c", "d", "-e"), 0)

    assert all(command.has(each) for each in ("-q", "-y", "--b", "-e"))
    assert not any(command.has(each) for each in ("-d", "--q", "-b", "--qy"))
    assert command.arguments == ("d",)


def scripts() -> list[str]:
    """Return scripts of real Dockerfiles, each once."""
    found: dict[str, None] = {}
    for each in corpus():
        try:
            subject = Subject(each["text"], "Dockerfile")
        except DockerfileSyntaxError:
            continue
        found |= dict.fromkeys(script.text for script in subject.scripts if script.interpreter)
    return list(found)


def literal(node: Node) -> str | None:
    """Return a word of shfmt's tree; None if it has expansions."""
    pieces = []
    for part in node.get("Parts", ()):
        if part["Type"] == "Lit":
            pieces.append(re.sub(r"\\(?:\n|(.))", r"\1", part["Value"], flags=re.DOTALL))
        elif part["Type"] == "SglQuoted" and not part.get("Dollar"):
            pieces.append(part.get("Value", ""))
        elif part["Type"] == "DblQuoted" and all(each["Type"] == "Lit" for each in part.get("Parts", ())):
            inner = "".join([each["Value"] for each in part.get("Parts", ())])
            pieces.append(re.sub(r'\\(?:\n|([$`"\\]))', r"\1", inner))
        else:
            return None
    return "".join(pieces)


def calls(node: object) -> list[list[str | None]]:
    """Return the words of each command of shfmt's tree."""
    if isinstance(node, list):
        return [call for each in node for call in calls(each)]
    if not isinstance(node, dict):
        return []
    found = [call for each in node.values() for call in calls(each)]
    if node.get("Type") == "CallExpr" and node.get("Args"):
        found.append([literal(each) for each in node["Args"]])
    return found


@pytest.mark.corpora
def test_shfmt_reads_the_same() -> None:
    """The commands of real scripts are those of shfmt, a parser that is not ours; what it refuses aside."""
    declared = ("declare", "export", "local", "readonly", "typeset", "let")
    judged = 0
    for script in scripts()[::5]:
        try:
            tree = parsed(script, "script")
        except SourceError:
            continue
        shell = read(script)
        assert shell is not None
        # What a prefix as sudo runs is a command of its own here.
        outer = {each.at: each.words for each in reversed(shell.commands)}
        ours = [(each[0], len(each)) for each in outer.values() if each[0] not in declared]
        theirs = [(call[0], len(call)) for call in calls(tree)]
        assert sorted(theirs, key=str) == sorted(
            [(name if name in dict(theirs) else None, n) for name, n in ours], key=str
        )
        judged += 1
    assert judged > 300


def test_a_long_script_takes_time_in_proportion() -> None:
    """Ten times as many commands take ten times as long, counted in calls, and deep nesting ends."""

    def count(times: int) -> int:
        profile = cProfile.Profile()
        profile.runcall(read, 'a "$(b)" | c <<E\nE\nif d; then e; fi\n' * times)
        return sum(entry.callcount for entry in profile.getstats())

    assert count(500) < 7 * count(100)
    assert read("$(" * 10_000) is None
