"""Values for Hypothesis: every operand, instruction, mount, stage and Dockerfile, made of nasty text.

A strategy gives a value, or the error with which its constructor refused it: refusing is allowed,
and only ever with a `DockdslError`.
"""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Callable
from datetime import timedelta
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import dockdsl
from dockdsl import DockdslError, Heredoc, Literal, Stage, external, literal

FACTOR = float(os.environ.get("DOCKDSL_EXAMPLES_FACTOR", "1"))


def examples(number: int) -> int:
    """Return how many examples a test runs: more where the environment asks for more."""
    return max(1, round(number * FACTOR))


def attempt(make: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a constructor; return its value or the error with which it refused."""
    try:
        return make(*args, **kwargs)
    except DockdslError as error:
        return error


def attempts(make: Callable[..., Any], *args: st.SearchStrategy[Any], **kwargs: st.SearchStrategy[Any]) -> Any:
    """Return a strategy that calls a constructor with what the strategies give."""
    return st.builds(attempt, st.just(make), *args, **kwargs)


# Text

CONTROLS = ["\0", "\x01", "\b", "\v", "\f", "\r", "\x1b", "\x1c", "\x1f", "\x7f", "\n", "\r\n"]
BLANKS = [" ", "  ", "\t", "\x85", "\xa0", "\u2028", "\u3000", "\ufeff"]
QUOTES = ['"', "'", "\\", "\\\\", "`", '\\"', "\\n", "\\ ", "``", "\\`"]
TRAPS = [
    *["#", "# ", "#x", "<<EOF", "<<-EOF", "<<'EOF'", "3<<E", "<<", "<<<", "EOF", "[", "]", '["a"]', "[]", "--", "-"],
    *["--x=y", "=", ",", "/", ".", "..", "./", "{", "}", "&&", " && ", "||", ";", "&", "|", "(", ")", ">", "*", "?"],
    *[
        "^",
        "!",
        "~",
        "%",
        ":",
        "@",
        "0",
        "1",
        "a",
        "b",
        "A",
        "_",
        "USER root",
        "FROM x",
        "AS",
        "NONE",
        "CMD",
        "ONBUILD",
    ],
    *[
        "check=skip=all",
        "escape=`",
        "syntax=x",
        "true",
        "type=bind",
        "#!/bin/sh",
        "set -e",
        "if",
        "then",
        "fi",
        "{ ",
        " }",
    ],
]
BEYOND = ["é", "ß", "本", "😀", "\ud800", "\udfff", "e\u0301", "²", "\U0010ffff"]
DOLLARS = ["$", "$$", "$1", "$A", "${A}", "${", "${A", "${A:-", "$(", "$((1 << 2))", "${A:-b}", "${A/b/c}", "$é"]
INJECTED = ["\nUSER root", "\n#", "\\\n", "\\ \n", "`\n", "\n\n", "\nEOF\n", "\r\nUSER root", "\nRUN <<EOF\n"]
PLAIN = ["a", "b", "x1", "/", "/src", "go", " ", "-", "_", ".", ":", "8080"]

_fragments = st.sampled_from([*PLAIN, *BLANKS, *QUOTES, *TRAPS, *BEYOND, *DOLLARS, *CONTROLS, *INJECTED])
_spellable = st.sampled_from([*PLAIN, *BLANKS, *QUOTES, *TRAPS, "é", "本", "😀"])
_long = st.builds(
    lambda text, count: text * count, st.sampled_from(["a", "a ", '"', "é", "\\", "a\n"]), st.just(33_000)
)


def joined(pieces: st.SearchStrategy[str], most: int = 7) -> st.SearchStrategy[str]:
    """Return a strategy of texts of up to `most` pieces."""
    return st.lists(pieces, max_size=most).map("".join)


# What is refused most of the time, what is spelled most of the time, and what nobody thought of.
nasty = st.one_of(joined(_spellable), joined(_spellable), joined(_fragments), st.text(max_size=12))


def mostly(good: st.SearchStrategy[Any], wild: st.SearchStrategy[Any], times: int = 5) -> st.SearchStrategy[Any]:
    """Return a strategy that gives what is accepted, and now and then what is most often refused."""
    # A choice of strategies would count each once.
    return st.sampled_from([*[good] * times, wild]).flatmap(lambda chosen: chosen)


names = mostly(st.sampled_from(["A", "B", "name", "a.b", "a-b", "_x1", "PATH"]), st.one_of(st.just(""), nasty))
REFERENCES = [
    *["$A", "${A}", "$B", "${B}", "$EMPTY", "${UNSET}", "${UNSET:-x y}", "${A:+b}", "${EMPTY-d}", "${EMPTY:-d}"],
    *[
        "${B#two}",
        "${B##t*}",
        "${B%%o*}",
        "${B%s}",
        "${B/w/W}",
        "${B//o/0}",
        "${UNSET:-$A}",
        "${UNSET:-${B}}",
        "${A:?no}",
    ],
]
ENVIRONMENTS: list[dict[str, str]] = [
    {"A": "1"},
    {"A": "a", "B": "two words", "EMPTY": ""},
    {"A": "q\"'\\`$A", "B": "${A} [*", "EMPTY": "", "UNSET": " "},
]
_parts = st.one_of(joined(_spellable, 3).map(literal), st.sampled_from(REFERENCES), joined(st.sampled_from(PLAIN), 3))
_good_words = st.one_of(
    joined(st.sampled_from([*PLAIN, *REFERENCES[:4]])),
    joined(_spellable).map(literal),
    st.lists(_parts, max_size=4).map(lambda parts: reduce(add, parts, literal(""))),
)
_wild_words = st.one_of(
    nasty,
    nasty.map(literal),
    st.lists(st.one_of(_parts, nasty.map(literal)), max_size=4).map(lambda parts: reduce(add, parts, literal(""))),
)
words = mostly(_good_words, _wild_words, 4)
# Flags take ASCII alone.
_in_flags = st.sampled_from([each for each in [*PLAIN, *QUOTES, *TRAPS, *REFERENCES[:6], "\t", "\t"] if each.isascii()])
flag_words = mostly(
    st.one_of(
        joined(st.sampled_from([*PLAIN, *REFERENCES])).filter(bool),
        joined(_in_flags).filter(bool).map(literal),
        joined(_in_flags).filter(bool).map(lambda text: "${A}" + literal(text)),
    ),
    words,
    8,
)


def optional(strategy: st.SearchStrategy[Any], chance: int = 3) -> st.SearchStrategy[Any]:
    """Return a strategy that gives None most of the time."""
    return mostly(st.none(), strategy, chance)


# Files and mounts

heredoc_names = st.one_of(
    st.just(""), st.sampled_from(["a.txt", "EOF", "-x", "a$b", "é", "a b", "x'y", "[a]", "<x"]), nasty
)
heredocs = st.one_of(
    attempts(Heredoc, nasty.map(lambda text: f"{text}\n"), heredoc_names),
    attempts(Heredoc, st.one_of(nasty, words), heredoc_names, expand=st.booleans()),
    attempts(Heredoc, words.map(lambda word: word + "\n"), heredoc_names, expand=st.just(True)),
).filter(lambda value: isinstance(value, Heredoc))
paths = mostly(words.filter(bool), st.sampled_from([".", "/", "/a/", "C:\\x\\y", "/a\\b"]))
_sendable = st.sampled_from(
    [*PLAIN, *QUOTES, *[each for each in [*TRAPS, *BLANKS] if not set(each) & set("*?\t")], "é", "本", "😀"]
)
source_paths = mostly(
    st.one_of(
        st.sampled_from([".", "/a/", "./a", "a/*.go", "a[0-9]?", "C:\\x\\y", "**/x", "/a\\b", "a^*", " a", "!a", "a "]),
        joined(_sendable).filter(bool).map(literal),
        joined(st.sampled_from([*PLAIN, *REFERENCES])).filter(bool),
        joined(_sendable).map(lambda text: literal(text) + "*.$A"),
    ),
    paths,
    8,
)
_mounted = mostly(flag_words.map(lambda word: "/m" + word), paths, 8)
chmods = mostly(st.sampled_from(["0755", "644", "u=rwX,go=rX", "+x", "$A", "${UNSET:-0644}"]), words)
switches = optional(st.booleans())
STAGE = Stage("busybox:1.37", "files")
UNNAMED = Stage("busybox:1.37")
froms = optional(
    mostly(
        st.one_of(st.just(STAGE), st.just(UNNAMED), st.just("busybox:1.37"), st.just(external("other"))),
        st.one_of(nasty, nasty.map(external)),
    )
)
_numbers = optional(mostly(st.integers(0, 0o777), st.one_of(st.integers(-1, 2**33), words), 8), 5)
_mounts: dict[Any, dict[str, st.SearchStrategy[Any]]] = {
    dockdsl.Bind: {"target": _mounted, "source": optional(_mounted), "from_": froms, "readwrite": switches},
    dockdsl.Cache: {
        "target": _mounted,
        "id": optional(flag_words),
        "readonly": switches,
        "sharing": optional(mostly(st.sampled_from(["shared", "private", "locked"]), st.sampled_from(["LOCKED", ""]))),
        "mode": _numbers,
        "uid": _numbers,
        "gid": _numbers,
    },
    dockdsl.Tmpfs: {
        "target": _mounted,
        "size": optional(mostly(st.sampled_from(["64m", "1GiB", "1.5 GB", "$A", 10]), words)),
    },
    dockdsl.Secret: {
        "id": mostly(flag_words, st.none()),
        "target": optional(_mounted),
        "env": optional(names),
        "required": switches,
        "mode": _numbers,
        "uid": _numbers,
        "gid": _numbers,
    },
    dockdsl.Ssh: {
        "target": optional(_mounted),
        "id": optional(flag_words),
        "required": switches,
        "mode": _numbers,
        "uid": _numbers,
        "gid": _numbers,
    },
}
mounts = st.one_of(
    *[attempts(kind, **options) for kind, options in _mounts.items()],
    attempts(dockdsl.Cache, _mounted, source=_mounted, from_=froms),
)

# Instructions

_shell_pieces = st.sampled_from(
    [
        *[
            "echo a",
            "true",
            "false",
            " ",
            " && ",
            " || ",
            "; ",
            " | ",
            " & ",
            "\n",
            "\\\n",
            " \\\n",
            "'",
            '"',
            "`",
            "$(",
            ")",
        ],
        *[
            "# x",
            "#",
            "<<EOF",
            "<<'EOF' cat",
            "\nEOF",
            "\nEOF\n",
            "cat <<-E >f\n\tx\n\tE",
            "$((1 << 2))",
            "${A:-b}",
            "{",
            "}",
        ],
        *[
            "--x",
            "[",
            '["a", "b"]',
            "]",
            "\\",
            "\\\\",
            "\\ ",
            "\t",
            "\r",
            "\r\n",
            "\x0c",
            "é",
            "#!/bin/sh\n",
            "a" * 40,
            "> f",
        ],
        *[
            "if x; then",
            "fi",
            "case a in a)",
            "esac",
            "$'a'",
            "2>&1",
            "<<<x",
            "\nUSER root",
            "\0",
            "\ud800",
            "(",
            "\\\n# x\n",
        ],
    ]
)
shell_texts = st.one_of(joined(_shell_pieces, 9), joined(_shell_pieces, 9), nasty)
_commands = st.builds(
    " ".join,
    st.lists(
        st.sampled_from(
            ["a", "'b && c'", '"#"', "\\;", "d;", "|| e", "| f", "&", "$(g; h)", "(i)", "{ j; }", "2>&1", "é", "\\ "]
        ),
        min_size=1,
        max_size=4,
    ),
)
arguments = st.lists(st.one_of(nasty, st.text(max_size=8), shell_texts), max_size=4)
durations = optional(
    mostly(
        st.one_of(
            st.sampled_from(["10s", "1m30s", "500ms", "0", "0s", "1h", "5000µs", "1.5s", ".5s"]),
            st.timedeltas(min_value=timedelta(milliseconds=1), max_value=timedelta(days=3)),
        ),
        st.one_of(st.sampled_from(["-1s", "1d", "", "9999999h", "1us"]), st.timedeltas(), nasty),
        10,
    )
)
_tuples = arguments.map(tuple)
commands = st.one_of(shell_texts, _tuples)
run_options: dict[str, st.SearchStrategy[Any]] = {
    "mounts": st.lists(mounts, max_size=3).map(
        lambda found: [each for each in found if isinstance(each, dockdsl.Mount)]
    ),
    "network": optional(st.sampled_from(["default", "none", "host"]), 5),
    "security": optional(st.sampled_from(["sandbox", "insecure"]), 5),
    "device": mostly(st.just(()), st.lists(mostly(st.just("vendor.example/class=name,required"), nasty), max_size=2)),
}
file_options: dict[str, st.SearchStrategy[Any]] = {
    "chown": optional(flag_words),
    "chmod": optional(chmods),
    "link": switches,
    "exclude": mostly(st.just(()), st.lists(mostly(joined(_in_flags).filter(bool), nasty), max_size=2), 2),
}
sources = st.lists(mostly(source_paths, heredocs, 2), min_size=1, max_size=3)
ports = mostly(
    st.one_of(
        st.integers(0, 65_535),
        st.sampled_from(["80", "53/udp", "8000-8010", "$A", "${UNSET:-80}", "${A}/tcp", "$A-$B", "127.0.0.1:80:80"]),
    ),
    st.one_of(st.integers(-1, 70_000), st.sampled_from(["1-0", "8${A:-1}"]), words),
)
signals = mostly(
    st.one_of(st.integers(1, 70), st.sampled_from(["SIGTERM", "term", "RTMIN+3", "$A", "${A:-SIGINT}"])),
    st.one_of(st.integers(-1, 0), st.just("RTMAX-99"), words),
)
_sums = st.sampled_from(["sha256:" + "0" * 64, "$A", "0123abc"])

INSTRUCTIONS: dict[str, st.SearchStrategy[Any]] = {
    "Add": st.one_of(
        attempts(dockdsl.Add, sources, paths, keep_git_dir=switches, unpack=switches, **file_options),
        attempts(
            dockdsl.Add,
            nasty.map(lambda text: literal(f"https://a.example/{text}")),
            paths,
            checksum=mostly(_sums, words),
            **file_options,
        ),
    ),
    "Arg": st.one_of(
        attempts(dockdsl.Arg, names, optional(words, 1)),
        attempts(dockdsl.Arg.many, st.dictionaries(names, optional(words, 1), max_size=3)),
    ),
    "Cmd": attempts(dockdsl.Cmd, commands),
    "Comment": attempts(dockdsl.Comment, st.one_of(nasty, st.lists(nasty).map("\n".join))),
    "Copy": attempts(dockdsl.Copy, sources, paths, from_=froms, parents=switches, **file_options),
    "Entrypoint": attempts(dockdsl.Entrypoint, commands),
    "Env": attempts(dockdsl.Env, st.lists(st.tuples(st.one_of(names, words), words), max_size=4)),
    "Expose": st.builds(lambda found: attempt(dockdsl.Expose, *found), st.lists(ports, max_size=3)),
    "Healthcheck": attempts(
        dockdsl.Healthcheck,
        optional(commands, 1),
        interval=durations,
        timeout=durations,
        start_period=durations,
        start_interval=durations,
        retries=optional(mostly(st.integers(0, 99), st.integers(-1, 2**33))),
    ),
    "Label": attempts(dockdsl.Label, st.lists(st.tuples(st.one_of(names, words), words), max_size=4)),
    "Maintainer": attempts(dockdsl.Maintainer, nasty),
    "Run": attempts(dockdsl.Run, commands, **run_options),
    "Run.chain": st.builds(
        lambda found: attempt(dockdsl.Run.chain, *found),
        st.lists(mostly(_commands, shell_texts), min_size=1, max_size=4),
    ),
    "Run.layout": st.builds(
        lambda pieces: attempt(lambda text: dockdsl.Run(dockdsl.layout(text)), "".join(pieces)),
        st.lists(
            st.sampled_from(
                ["a", " && ", "b", " \\\n", "\\\n", "# c\n", "  # d\n", "\n", "'", '"', " ", "$A", "<<E", "E\n", "`"]
            )
        ),
    ),
    "Run.script": attempts(dockdsl.Run.script, shell_texts, **run_options),
    "Shell": attempts(dockdsl.Shell, arguments),
    "Stopsignal": attempts(dockdsl.Stopsignal, signals),
    "User": attempts(dockdsl.User, words),
    "Volume": st.builds(lambda found: attempt(dockdsl.Volume, *found), st.lists(paths, max_size=3)),
    "Workdir": attempts(dockdsl.Workdir, paths),
}
INSTRUCTIONS["Onbuild"] = attempts(dockdsl.Onbuild, st.one_of(list(INSTRUCTIONS.values())))
instructions = st.one_of(list(INSTRUCTIONS.values()))
long_texts = st.one_of(_long, _long.map(literal))


def accepted(found: list[Any]) -> list[Any]:
    """Return the values among values and refusals."""
    return [value for value in found if not isinstance(value, DockdslError)]


# Stages and Dockerfiles

bases = mostly(
    st.sampled_from(["scratch", "busybox:1.37", "$IMAGE", "python:${V:-3}-slim", "a.b/c/d@sha256:" + "0" * 64]),
    st.one_of(words, nasty.map(external)),
)
stage_names = optional(
    mostly(st.sampled_from(["build", "base", "a.b-c_d", "x1"]), st.one_of(st.just("scratch"), nasty)), 1
)
platforms = optional(mostly(st.sampled_from(["linux/amd64", "$BUILDPLATFORM", "linux/arm64/v8"]), words))
stages = attempts(
    Stage,
    bases,
    stage_names,
    platforms,
    st.lists(instructions, max_size=4).map(accepted),
    comment=optional(nasty),
)


def _dockerfile(found: list[Any], args: list[Any], escape: str, syntax: Any, check: Any, links: list[int]) -> Any:
    known = [stage for stage in found if isinstance(stage, Stage)] or [Stage("scratch")]
    last = known[-1]
    steps: list[Any] = []
    for number, link in enumerate(links):
        other = known[link % len(known)]
        if other is not last:
            copy = dockdsl.Copy("/a", "/b", from_=other)
            steps.append(copy if number % 2 else dockdsl.Run("x", mounts=[dockdsl.Bind("/m", from_=other)]))
    target = attempt(Stage, last.base, last.name, last.platform, [last.steps, steps])
    return attempt(dockdsl.Dockerfile, target, accepted(args), syntax, escape, check)


dockerfiles = st.builds(
    _dockerfile,
    st.lists(stages, min_size=1, max_size=3),
    st.lists(st.one_of(INSTRUCTIONS["Arg"], INSTRUCTIONS["Comment"]), max_size=2),
    st.sampled_from(["\\", "\\", "`"]),
    optional(st.one_of(st.just("docker/dockerfile:1"), st.just("auto"), nasty)),
    optional(st.one_of(st.just("skip=all"), nasty)),
    st.lists(st.integers(0, 5), max_size=3),
)

# What nobody should pass, and somebody will


class Colour(str, enum.Enum):  # noqa: UP042 - its str() is not its text, which is the point
    """A text whose ``str`` is another one."""

    RED = "red"


class Evil(str):
    """A text that lies about itself wherever Python lets it."""

    __slots__ = ()

    def __str__(self) -> str:
        return "a\nUSER root"

    def __format__(self, spec: str) -> str:
        return "a\nUSER root"

    def startswith(self, *_args: Any) -> bool:
        return False

    def strip(self, *_args: Any) -> str:
        return "\nUSER root"

    def translate(self, *_args: Any) -> str:
        return "\nUSER root"

    def isascii(self) -> bool:
        return True


class Mute:
    """An object that cannot even say what it is."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = None  # type: ignore[assignment]  # as lists have it


def strangers() -> list[Any]:
    """Return values of every wrong type."""
    return [
        *[
            None,
            True,
            False,
            0,
            -1,
            10**5000,
            1.5,
            float("nan"),
            1j,
            b"a",
            bytearray(b"a"),
            object(),
            Mute(),
            Evil("a"),
        ],
        *[
            Colour.RED,
            Colour,
            [],
            {},
            (),
            set(),
            {"a", "b"},
            {"a": "b"},
            {"a": 1},
            {1: "a"},
            [1],
            [None],
            ["a", 1],
            [[]],
        ],
        *[("a",), ("a", None), [("a",)], [("a", "b", "c")], ["ab"], range(3), (each for each in "ab"), Path("a"), len],
        *[re.compile("a"), literal("a$"), Literal(()), external("a"), timedelta(-1), timedelta.max, timedelta(0, 1, 7)],
        *[
            Stage("a"),
            dockdsl.Run("x"),
            dockdsl.Cache("/a"),
            Heredoc("a\n"),
            dockdsl.Dockerfile(Stage("a")),
            DockdslError,
        ],
        *["", " ", "\n", "\0", "\ud800", "a" * 70_000, Evil("a\nb"), [Evil("a")], [Mute()], {"a": Mute()}, Ellipsis],
    ]
