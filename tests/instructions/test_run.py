"""RUN: the four forms, flags, and the traps that a shell text may hold."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import (
    Bind,
    Cache,
    Comment,
    DockdslError,
    Dockerfile,
    InvalidType,
    InvalidValue,
    Run,
    Secret,
    Stage,
)
from tests import laws
from tests.laws import anything

LONG = "apt-get update && apt-get install -y --no-install-recommends ca-certificates curl git && rm -rf /var/lib/apt/lists/*"
OPEN = [
    *[
        "a '",
        'a "b',
        "a $(",
        "(a",
        "a)",
        "{ a;",
        "}",
        "a; }",
        "if x; then",
        "y; fi",
        "fi",
        "else",
        "if a; then b; else c",
    ],
    *[
        "for a in b; do",
        "do a",
        "a; done",
        "while x",
        "until x; do y",
        "! if x",
        "case $x in a) b;;",
        "case x in",
        "esac",
    ],
    *["if a; then for b in c; do d; fi", "{ if a; then b; }", "case a in b) if c;; esac", "(case a in b) c;;)"],
]
COMPLETE = [
    *["if a; then b; elif c; then d; else e; fi", "! if a; then b; fi", "if a; then { b; } fi", "if a; then (b) fi >f"],
    *[
        "for a in b c; do d; done",
        "for a do b; done",
        "while if a; then b; fi; do c; done",
        "a | while read b; do c; done",
    ],
    *[
        "case $a in b) c;; d|e) f && g;; *) h ;; esac",
        "case a in (b) c;; esac",
        "(case a in b) c;; esac)",
        "if=1 a",
        "echo if",
    ],
    *[
        "case a in if) b;; for) c;; esac",
        "echo 'if' then",
        "f() { if a; then b; fi; }",
        "if a;then case b in c) d;; esac fi",
    ],
]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Run("go build ."), "RUN go build .", id="text"),
        pytest.param(Run("  go build .\n"), "RUN go build .", id="blanks around it mean nothing"),
        pytest.param(
            Run("echo '$A' \"${A#b}\" `x` \\$"), "RUN echo '$A' \"${A#b}\" `x` \\$", id="all belongs to the shell"
        ),
        pytest.param(Run("a && b"), "RUN a && b", id="short chain stays on its line"),
        pytest.param(Run(LONG), "RUN " + LONG.replace("&& ", "&& \\\n    "), id="long chain is broken"),
        pytest.param(Run(f"echo '{LONG}'"), f"RUN echo '{LONG}'", id="quoted chain is not"),
        pytest.param(Run(f"(cd x && {LONG})"), f"RUN (cd x && {LONG})", id="chain in brackets is not"),
        pytest.param(
            Run(f"{LONG} # && x"),
            "RUN " + f"{LONG} # && x".replace("&& apt", "&& \\\n    apt").replace("&& rm", "&& \\\n    rm"),
            id="comment is not",
        ),
        pytest.param(
            Run(f"cat <<X && {LONG}"), f"RUN <<EOF\ncat <<X && {LONG}\nEOF", id="look of a heredoc is wrapped"
        ),
        pytest.param(Run("a && \\\n  b"), "RUN a && \\\n  b", id="continued as it was given"),
        pytest.param(Run('a \\\n  "b \\\n c"'), 'RUN a \\\n  "b \\\n c"', id="continued in double quotes"),
        pytest.param(Run("set -e\necho a"), "RUN <<EOF\nset -e\necho a\nEOF", id="two lines"),
        pytest.param(Run("echo EOF\nEOF"), "RUN <<EOF2\necho EOF\nEOF\nEOF2", id="delimiter in the text"),
        pytest.param(Run("echo 'a \\\nb'"), "RUN <<EOF\necho 'a \\\nb'\nEOF", id="continued in single quotes"),
        pytest.param(Run("echo \"it's\" 'a \\\nb'"), "RUN <<EOF\necho \"it's\" 'a \\\nb'\nEOF", id="quote in quotes"),
        pytest.param(Run("a # x \\\nb"), "RUN <<EOF\na # x \\\nb\nEOF", id="comment that ends in a backslash"),
        pytest.param(Run("a \\\n# x\nb"), "RUN <<EOF\na \\\n# x\nb\nEOF", id="comment in a continuation"),
        pytest.param(Run("a \\\n\nb"), "RUN <<EOF\na \\\n\nb\nEOF", id="empty line in a continuation"),
        pytest.param(Run("a \\ \nb"), "RUN <<EOF\na \\ \nb\nEOF", id="backslash and a blank at a line's end"),
        pytest.param(Run("a \\\\\nb"), "RUN <<EOF\na \\\\\nb\nEOF", id="two backslashes at a line's end"),
        pytest.param(Run("a \\\r\nb"), "RUN <<EOF\na \\\r\nb\nEOF", id="Windows line ends"),
        pytest.param(Run("echo \\\\"), "RUN <<EOF\necho \\\\\nEOF", id="escaped backslash at the end"),
        pytest.param(Run("touch a\\ "), "RUN <<EOF\ntouch a\\ \nEOF", id="escaped blank at the end"),
        pytest.param(Run("echo a\r"), "RUN <<EOF\necho a\r\nEOF", id="carriage return at the end"),
        pytest.param(Run("\xa0x"), "RUN <<EOF\n\xa0x\nEOF", id="blank beyond ASCII at the start"),
        pytest.param(Run("echo $((1 << 2))"), "RUN <<EOF\necho $((1 << 2))\nEOF", id="shift"),
        pytest.param(Run("echo $((1<<2))"), "RUN echo $((1<<2))", id="shift in one word"),
        pytest.param(Run("cat <<<x"), "RUN cat <<<x", id="here-string"),
        pytest.param(Run('["a", "b"]'), 'RUN <<EOF\n["a", "b"]\nEOF', id="may read as the exec form"),
        pytest.param(Run('["a"] && b'), 'RUN <<EOF\n["a"] && b\nEOF', id="may read as the exec form to old frontends"),
        pytest.param(
            Run('["a", \\\n"b"]'), 'RUN <<EOF\n["a", \\\n"b"]\nEOF', id="may read as the exec form on two lines"
        ),
        pytest.param(Run("[ -f a ] && b"), "RUN [ -f a ] && b", id="bracket"),
        pytest.param(Run("--x"), "RUN -- --x", id="look of a flag"),
        pytest.param(Run("# x"), "RUN # x", id="comment alone"),
        pytest.param(
            Run("#x" * 60, mounts=[Cache("/a")]), f"RUN --mount=type=cache,target=/a {'#x' * 60}", id="comment, long"
        ),
        pytest.param(Run("cat <<X >f\na\nX"), "RUN cat <<X >f\na\nX", id="heredoc of the shell"),
        pytest.param(
            Run("cat <<'X' <<-Y\na\nX\n\tb\n\tY"), "RUN cat <<'X' <<-Y\na\nX\n\tb\n\tY", id="two of the shell"
        ),
        pytest.param(Run("cat <<X\na\nX\nb"), "RUN <<EOF\ncat <<X\na\nX\nb\nEOF", id="heredoc with more behind it"),
        pytest.param(
            Run("cat <<X >${A:-f}\na\nX"), "RUN <<EOF\ncat <<X >${A:-f}\na\nX\nEOF", id="heredoc beside a modifier"
        ),
        pytest.param(Run("cat <<X\r\na\nX"), "RUN <<EOF\ncat <<X\r\na\nX\nEOF", id="heredoc and a carriage return"),
        pytest.param(
            Run("cat <<X\na\nX\r\nX"), "RUN <<EOF\ncat <<X\na\nX\r\nX\nEOF", id="line that BuildKit takes for the end"
        ),
        pytest.param(Run.exec("a", 'b "c" $D\n'), r'RUN ["a", "b \"c\" $D\n"]', id="exec form"),
        pytest.param(Run(("a", "b")), 'RUN ["a", "b"]', id="exec form as a tuple"),
        pytest.param(Run.chain("a"), "RUN a", id="chain of one"),
        pytest.param(Run.chain("a", "b", "c"), "RUN a && \\\n    b && \\\n    c", id="chain"),
        pytest.param(Run.chain("a;", " b "), "RUN a && \\\n    b", id="chain of commands that end in a semicolon"),
        pytest.param(
            Run.chain("a", "\n  b \\\n    c \\\n      d;\n", "e"),
            "RUN a && \\\n    b \\\n        c \\\n          d && \\\n    e",
            id="command of several lines",
        ),
        pytest.param(
            Run.chain("a", "b || \\\n c", "d"),
            "RUN a && \\\n    { b || \\\n        c; } && \\\n    d",
            id="group of several lines",
        ),
        pytest.param(
            Run.chain("a", Comment("why\n\nnow"), "b"),
            "RUN a && \\\n    # why\n    #\n    # now\n    b",
            id="comment in a chain",
        ),
        pytest.param(
            Run.chain("a || b", "c; d", "e &"), "RUN { a || b; } && \\\n    { c; d; } && \\\n    { e & }", id="groups"
        ),
        pytest.param(
            Run.chain("a | b", "c && d", "! e"), "RUN a | b && \\\n    c && d && \\\n    ! e", id="no group needed"
        ),
        pytest.param(
            Run.chain("find . -exec rm {} \\;", "b"), "RUN find . -exec rm {} \\; && \\\n    b", id="escaped semicolon"
        ),
        pytest.param(Run.chain("echo 'a;b'", 'echo "#"'), "RUN echo 'a;b' && \\\n    echo \"#\"", id="quotes"),
        pytest.param(
            Run.chain("a 2>&1", "b &>f"), "RUN a 2>&1 && \\\n    { b &>f; }", id="redirections, one read in two ways"
        ),
        pytest.param(
            Run.chain("touch a\\ ", "b"), "RUN touch a\\  && \\\n    b", id="escaped blank at the end of a command"
        ),
        pytest.param(
            Run.chain("if a; then b; fi", "(c; d)"),
            "RUN if a; then b; fi && \\\n    (c; d)",
            id="compound commands",
        ),
        pytest.param(
            Run.chain("echo $((1 << 2))", "b"), "RUN <<EOF\necho $((1 << 2)) && \\\n    b\nEOF", id="chain and a shift"
        ),
        pytest.param(Run.script("a\nb"), "RUN <<EOF\nset -e\na\nb\nEOF", id="script"),
        pytest.param(
            Run.script("\n    a\n      b\n\n    c\n"), "RUN <<EOF\nset -e\na\n  b\n\nc\nEOF", id="indented script"
        ),
        pytest.param(Run.script("#!/bin/bash\na"), "RUN <<EOF\n#!/bin/bash\nset -e\na\nEOF", id="script of a shell"),
        pytest.param(
            Run.script("#!/usr/bin/env -S sh -u\na"),
            "RUN <<EOF\n#!/usr/bin/env -S sh -u\nset -e\na\nEOF",
            id="shell by env",
        ),
        pytest.param(
            Run.script("#!/usr/bin/python3\nprint()"),
            "RUN <<EOF\n#!/usr/bin/python3\nprint()\nEOF",
            id="script of a program",
        ),
        pytest.param(
            Run.script("cat <<EOF\nx\nEOF"), "RUN <<EOF2\nset -e\ncat <<EOF\nx\nEOF\nEOF2", id="heredoc in a script"
        ),
        pytest.param(Run("x", network="default"), "RUN --network=default x", id="network default"),
        pytest.param(Run("x", network="none"), "RUN --network=none x", id="network none"),
        pytest.param(Run("x", network="host"), "RUN --network=host x", id="network host"),
        pytest.param(Run("x", security="insecure"), "RUN --security=insecure x", id="security insecure"),
        pytest.param(Run("x", security="sandbox"), "RUN --security=sandbox x", id="security sandbox"),
        pytest.param(Run("x", device="a.example/b=c"), "RUN --device=a.example/b=c x", id="device"),
        pytest.param(
            Run("x", device=["a.example/b=c,required", "d=e,required=false"]),
            "RUN --device=a.example/b=c,required --device=d=e,required=false x",
            id="devices",
        ),
        pytest.param(
            Run("x", mounts=[Cache("/a"), None]), "RUN --mount=type=cache,target=/a x", id="None among mounts"
        ),
        pytest.param(
            Run.script("a", mounts=[Cache("/a"), Secret("s")], network="none", security="sandbox", device="d=e"),
            "RUN --device=d=e \\\n    --mount=type=cache,target=/a \\\n    --mount=type=secret,id=s \\\n"
            "    --network=none \\\n    --security=sandbox \\\n    <<EOF\nset -e\na\nEOF",
            id="all flags in order",
        ),
        pytest.param(
            Run.chain("a", "b", mounts=[Cache("/a"), Cache("/b")]),
            "RUN --mount=type=cache,target=/a \\\n    --mount=type=cache,target=/b \\\n    a && \\\n    b",
            id="a line for each flag",
        ),
        pytest.param(Run("--x", network="none"), "RUN --network=none -- --x", id="look of a flag behind a flag"),
        pytest.param(Run.exec("--x", network="none"), 'RUN --network=none ["--x"]', id="exec form behind a flag"),
    ],
)
def test_text(value: Run, text: str) -> None:
    """The shell is given what was written; the layout is that of a person; traps are wrapped in a heredoc."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize("command", COMPLETE)
def test_compound_commands_are_links_of_a_chain(command: str) -> None:
    """A command that is complete in itself needs no group, and no heredoc; the shell agrees."""
    assert f"RUN {command} && \\\n    next" == str(Run.chain(command, "next"))
    assert 0 == subprocess.run(["sh", "-nc", command], check=False).returncode


@pytest.mark.parametrize("command", OPEN)
def test_what_the_shell_calls_incomplete(command: str) -> None:
    """The judge of the rows below: no shell reads such a command on its own."""
    assert 0 != subprocess.run(["sh", "-nc", command], check=False, stderr=subprocess.DEVNULL).returncode


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Run(""), InvalidValue, "RUN: the command is empty; give it a command", id="empty"),
        pytest.param(lambda: Run(" \n\t"), InvalidValue, "is empty", id="blank"),
        pytest.param(
            lambda: Run("a \\"), InvalidValue, r"ends with a backslash.*; remove it, or use Run.exec\(", id="backslash"
        ),
        pytest.param(lambda: Run("a\nb \\\n"), InvalidValue, "ends with a backslash", id="backslash on the last line"),
        pytest.param(lambda: Run("a\0"), InvalidValue, "has a NUL", id="NUL"),
        pytest.param(lambda: Run("\ud800"), InvalidValue, "lone surrogate", id="surrogate"),
        pytest.param(lambda: Run("a" * 66_000), InvalidValue, "66,.* bytes long.*; break it", id="longer than a line"),
        pytest.param(
            lambda: Run("a\n" + "b" * 66_000), InvalidValue, "bytes long", id="longer than a line in a heredoc"
        ),
        pytest.param(lambda: Run.exec(), InvalidValue, "the command is empty; name the program", id="nothing to run"),
        pytest.param(lambda: Run.exec("a\0"), InvalidValue, "NUL", id="NUL in an argument"),
        pytest.param(lambda: Run.chain(), InvalidValue, "the chain has no commands", id="empty chain"),
        pytest.param(
            lambda: Run.chain("a", " "), InvalidValue, "command of the chain is empty; leave", id="empty command"
        ),
        pytest.param(lambda: Run.chain("a", ";"), InvalidValue, "ends with an operator", id="semicolon alone"),
        pytest.param(lambda: Run.chain("a # x", "b"), InvalidValue, "shell comment, which would hide", id="comment"),
        *[
            pytest.param(
                lambda command=command: Run.chain(command, "next"),
                InvalidValue,
                r"not complete.*use Run\.script\(\)",
                id=command,
            )
            for command in OPEN
        ],
        pytest.param(lambda: Run.chain("a &&", "b"), InvalidValue, "ends with an operator", id="operator at the end"),
        pytest.param(
            lambda: Run.chain("a \\", "b"),
            InvalidValue,
            "ends with an operator or a backslash",
            id="backslash in a chain",
        ),
        pytest.param(
            lambda: Run.chain("a 'b \\\n c'", "d"), InvalidValue, "several lines; end all but", id="lines in quotes"
        ),
        pytest.param(
            lambda: Run.chain('a "b \\\n c"', "d"), InvalidValue, "several lines; end all but", id="in double quotes"
        ),
        pytest.param(
            lambda: Run.chain(Comment("x"), "a"), InvalidValue, "before the first command", id="comment before all"
        ),
        pytest.param(
            lambda: Run.chain("a", Comment("x")), InvalidValue, "after the last command", id="comment behind all"
        ),
        pytest.param(
            lambda: Run.chain("a", Comment.check("X"), "b"),
            InvalidValue,
            "no effect; do it above",
            id="check in a chain",
        ),
        pytest.param(
            lambda: Run.chain("a\nb"),
            InvalidValue,
            r"several lines; end all but the last with a backslash",
            id="several lines in a chain",
        ),
        pytest.param(lambda: Run.chain("cat <<EOF"), InvalidValue, "starts a heredoc", id="heredoc in a chain"),
        pytest.param(lambda: Run.script(" \n"), InvalidValue, "is empty", id="empty script"),
        pytest.param(
            lambda: Run.script("a \\"), InvalidValue, "script ends with a backslash", id="backslash in a script"
        ),
        pytest.param(
            lambda: Run("x", network=anything("bridge")), InvalidValue, "--network: .*; use one of", id="network"
        ),
        pytest.param(
            lambda: Run("x", security=anything("off")), InvalidValue, "--security: .*; use one of", id="security"
        ),
        pytest.param(lambda: Run("x", device="a b"), InvalidValue, "--device: .*; write it as", id="device"),
        pytest.param(lambda: Run("x", device='a"b'), InvalidValue, "--device: ", id="quote in a device"),
        pytest.param(lambda: Run(anything(["a"])), InvalidType, r"is a list; write Run.exec\('a'\)", id="list"),
        pytest.param(lambda: Run(anything(None)), InvalidType, "is a NoneType", id="None"),
        pytest.param(
            lambda: Run.exec(anything(["a"])), InvalidType, r"Run.exec\(\*arguments\)", id="list as an argument"
        ),
        pytest.param(lambda: Run.exec("a", anything(5)), InvalidType, "5 is an int", id="number as an argument"),
        pytest.param(
            lambda: Run.chain(anything(["a"])), InvalidType, "pass each command as a str", id="list as a command"
        ),
        pytest.param(lambda: Run.script(anything(b"a")), InvalidType, "is a bytes", id="bytes"),
        pytest.param(
            lambda: Run("x", mounts=[anything("type=bind")]), InvalidType, "--mount: .*; pass Bind", id="mount"
        ),
        pytest.param(
            lambda: Run("x", mounts=anything({Cache("/a")})), InvalidType, "is a set", id="a set has no order"
        ),
        pytest.param(
            lambda: Run("x", network=anything(5)), InvalidType, "--network: .*is an int", id="number as a network"
        ),
        pytest.param(
            lambda: Run("x", device=anything([5])), InvalidType, "--device: .*is an int", id="number as a device"
        ),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """What no RUN can say is refused, with the remedy."""
    laws.check_refused(make, kind, message, __file__)


@pytest.mark.parametrize(
    ("value", "version"),
    [
        pytest.param(Run("echo ${A#b}"), "1.0", id="text, in which nothing is expanded"),
        pytest.param(Run('echo "<<" \\\n b'), "1.0", id="no heredoc"),
        pytest.param(Run.script("a"), "1.4", id="heredoc"),
        pytest.param(Run("cat <<X\nX"), "1.4", id="heredoc of the shell"),
        pytest.param(Run("x", mounts=[Bind("/a")]), "1.2", id="mount"),
        pytest.param(Run("x", network="none"), "1.3", id="network"),
        pytest.param(Run("x", security="sandbox"), "1.20", id="security"),
        pytest.param(Run("x", device="a=b"), "1.14-labs", id="device, of the labs channel"),
        pytest.param(Run("x", device="a=b", security="sandbox"), "1.20-labs", id="device and security"),
    ],
)
def test_minimum_syntax(value: Run, version: str) -> None:
    """Each flag and form needs the frontend that brought it."""
    assert version == value.minimum_syntax


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Run.chain("a", "b"), "RUN a && `\n    b", id="continuation"),
        pytest.param(Run("echo `date`"), "RUN <<EOF\necho `date`\nEOF", id="backtick at the end"),
        pytest.param(Run("echo `a` \\\n b"), "RUN echo `a` `\n b", id="backtick before a continuation"),
        pytest.param(
            Run("echo `a`\\\n b"), "RUN <<EOF\necho `a`\\\n b\nEOF", id="backtick right before a continuation"
        ),
        pytest.param(Run("cat <<X >f\na \\\nb\nX"), "RUN cat <<X >f\na \\\nb\nX", id="heredoc is left alone"),
        pytest.param(Run("a\nb \\\nc"), "RUN <<EOF\na\nb \\\nc\nEOF", id="lines are left alone"),
        pytest.param(
            Run("x", mounts=[Bind('/a "b"')]),
            'RUN --mount=\'type=bind,"target=/a `""b`"""\' x'.replace("`", "``"),
            id="quotes",
        ),
    ],
)
def test_with_a_backtick(value: Run, text: str) -> None:
    """Where the escape character is a backtick, layout is written with it, and what belongs to the shell is not."""
    rendered = str(Dockerfile(Stage("a", steps=[value]), escape="`"))

    assert f"# escape=`\n\nFROM a\n{text}\n" == rendered
    laws.check_instruction(value, {}, "`")


def test_references() -> None:
    """The stages and images that mounts take files from are known."""
    stage = Stage("a", "build")

    found = Run("x", mounts=[Bind("/a", from_=stage), Cache("/c"), Bind("/d", from_="b"), Bind("/e")]).references()
    assert ((stage, "mount"), ("b", "mount"), (None, "mount")) == found


def test_origin_is_the_line_of_the_call() -> None:
    """Each form and each mount knows the line on which it was written."""
    mount = Cache("/a")
    values = [
        Run("a", mounts=[mount]),
        Run.exec("a"),
        Run.chain("a"),
        Run.script("a"),
    ]
    first = values[0].origin.line

    assert [first, first + 1, first + 2, first + 3] == [value.origin.line for value in values]
    assert first - 2 == mount.origin.line
    assert {__file__} == {value.origin.path for value in values}
