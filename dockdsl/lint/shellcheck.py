"""ShellCheck, which reads the scripts of RUN: many in one process, each once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple

from dockdsl.lint.finding import Level
from dockdsl.lint.images import DASH, shell_of
from dockdsl.lint.scripts import Script
from dockdsl.syntax.lazy_regex import lazy_regex

# That a sourced file cannot be read, and that a shebang of ash means dash, is not a fault of the script; SC1009 says
# only which command another finding is in.
_LEFT_OUT = "SC1009,SC1090,SC1091,SC2187"
# What may be meant: an empty value, a keyword as a word, a loop that runs once, words that are split, a name for later.
# Of two heredocs that a command is given, it reads the last (SC2261).
# What a command hides that is exported (SC2155) may be unable to fail, and the base image may set a variable (SC2154).
_UNSURE = frozenset({"SC1007", "SC1010", "SC2034", "SC2038", "SC2043", "SC2046", "SC2154", "SC2155", "SC2261"})
_STOPPED = "SC1072"
"""It gave up to parse the script; the cause is said before."""
_LEVELS: dict[str, Level] = {"error": "error", "warning": "warning", "info": "hint", "style": "hint"}
_AT_ONCE = 200
"""Some systems let a process have 256 files open."""
NAME = "ShellCheck"
"""The rule of what it finds."""
REMEDY = 'run pip install "dockdsl[check]"'
"""How it is installed."""
_SECONDS = 60.0
_LEAST = 10.0
SCRIPTS, CHARACTERS = 1_000, 200_000
"""How many scripts of a Dockerfile it reads, and how many characters: what takes it seconds, and not minutes."""
_MOST = 20_000
"""Scripts whose remarks are kept; an editor asks for the same file again and again."""
_HEAD = 2
"""Lines before the script: its shell, and the variables that it is given."""
_is_strict = lazy_regex(r"-[a-df-z]*e")
_variable = lazy_regex(r"\$\{?#?([A-Za-z_]\w*)")
_ANY = "/bin/sh"


class Remark(NamedTuple):
    """What ShellCheck says about a place in a script."""

    code: str
    """Such as ``SC2086``; empty where ShellCheck did not end."""
    level: Level
    message: str
    line: int
    """The physical line of the Dockerfile, from 0."""


class _Comment(NamedTuple):
    """The same, with the place in the text that ShellCheck was given."""

    code: str
    level: Level
    message: str
    line: int
    column: int


_known: dict[str, tuple[_Comment, ...]] = {}


@cache
def program() -> str | None:
    """Return the command, of this Python's environment or of the system; None if there is none."""
    folders = (os.path.dirname(sys.executable), *os.get_exec_path())
    names = ("shellcheck", "shellcheck.exe")
    paths = [os.path.join(folder, name) for folder in folders for name in names]
    return next((path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)), None)


def readable(scripts: Sequence[Script]) -> list[Script]:
    """Return those scripts of a Dockerfile that are read: the first ones, within the limits."""
    first = scripts[:SCRIPTS]
    sizes = accumulate([len(script.whole) for script in first])
    return [script for script, size in zip(first, sizes, strict=True) if size <= CHARACTERS]


def remarks(script: Script) -> Iterator[Remark]:
    """Yield what ShellCheck says about a script that it has read; nothing if it does not know the shell.

    What it says of several words of a line is said once.
    """
    text = _asked(script)
    if text is None:
        return
    # Of a script with a shebang, the first line is the shell of the head.
    begin = _HEAD + 1 - script.text.startswith("#!")
    found: dict[Remark, None] = {}
    for each in _known.get(text, ()):
        place = script.place_of(max(each.line - begin, 0), each.column - 1)
        found[Remark(each.code, each.level, each.message, place)] = None
    yield from found


def prepare(scripts: Iterable[Script]) -> None:
    """Have scripts read, all by one process, so that `remarks` knows what is said about them.

    Nothing is read if ShellCheck is not installed.
    """
    command = program()
    if command is None:
        return
    if len(_known) > _MOST:
        _known.clear()
    texts = [text for text in dict.fromkeys(map(_asked, scripts)) if text is not None and text not in _known]
    for start in range(0, len(texts), _AT_ONCE):
        _read(command, texts[start : start + _AT_ONCE], _SECONDS)


def _asked(script: Script) -> str | None:
    """Return the text that ShellCheck is given: the shell, the variables that the Dockerfile sets, and the script."""
    shell = _shell(script)
    if shell is None:
        return None
    text = script.whole
    names = sorted({name for name in _variable().findall(text) if name in script.variables})
    first, newline, rest = text.partition("\n") if text.startswith("#!") else (f"#!{shell}", "\n", text)
    strict = ["set -e"] if any(_is_strict().match(word) for word in script.given[1:]) else []
    given = [f"export {' '.join(names)}"] if names else []
    return f"{first}\n{'; '.join([*strict, *given])}{newline}{rest}\n"


def _shell(script: Script) -> str | None:
    """Return the shell that reads a script, as ShellCheck knows it; None if it does not."""
    name = script.interpreter
    if name in ("ash", "busybox"):
        return "/bin/busybox sh"
    if name != "sh":
        return f"/bin/{name}" if name in ("bash", "dash", "ksh") else None
    return shell_of(script.base) or _ANY


def _answer(command: str, texts: Sequence[str], seconds: float) -> list[tuple[str, Any]] | None:
    """Return what ShellCheck says, each with the text that it is about; None if it comes to no end."""
    import fcntl  # noqa: PLC0415 - Windows has none
    import json  # noqa: PLC0415 - as above
    import subprocess  # noqa: PLC0415 - as above
    from tempfile import TemporaryFile  # noqa: PLC0415 - as above

    options = ["--format=json1", "--norc", f"--exclude={_LEFT_OUT}"]
    with ExitStack() as stack:
        try:
            known = {}
            for text in texts:
                # A file without a name: nothing is left of it, however the process ends.
                with TemporaryFile() as file:
                    file.write(text.encode(errors="replace"))
                    file.flush()
                    # Where this process has no stdout, the file may have its number, which the child's own stdout gets.
                    number = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 3)
                stack.callback(os.close, number)
                known[number] = text
            paths = [f"/dev/fd/{number}" for number in known]
            given: Any = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": seconds, "pass_fds": known}
            done = subprocess.run([command, *options, *paths], **given, check=False)  # noqa: S603 - it reads files
            return [(known[int(each["file"].rpartition("/")[2])], each) for each in json.loads(done.stdout)["comments"]]
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
            return None


def _read(command: str, texts: Sequence[str], seconds: float) -> None:
    comments = _answer(command, texts, seconds)
    if comments is None and len(texts) > 1:
        # One of them is too much for it.
        middle = len(texts) // 2
        for half in (texts[:middle], texts[middle:]):
            _read(command, half, max(seconds / 2, _LEAST))
        return
    found: dict[str, list[_Comment]] = {text: [] for text in texts}
    if comments is None:
        found[texts[0]].append(_Comment("", "hint", "ShellCheck ended without a verdict on the script", 1, 1))
    for text, each in comments or ():
        code = f"SC{each['code']}"
        # Where it is not known which shell it is, what that cannot read is not certain. Nor is what it lacks, but for
        # dash: BusyBox learns from bash with each version.
        shell = text.partition("\n")[0].removeprefix("#!")
        is_unsure = code in _UNSURE or (code[2] == "1" and shell == _ANY) or (code[2] == "3" and shell != DASH)
        # It takes the program /bin/echo for dash's own echo.
        is_unsure = is_unsure or (code == "SC3036" and "/echo" in text)
        level = "hint" if is_unsure else _LEVELS[each["level"]]
        found[text].append(_Comment(code, level, each["message"], each["line"], each["column"]))
    _known.update({text: tuple(_without_echoes(each)) for text, each in found.items()})


def _without_echoes(comments: Sequence[_Comment]) -> Iterator[_Comment]:
    """Yield the remarks on a script; of those that say why it cannot be parsed, the first alone."""
    codes = {each.code for each in comments}
    causes = [
        each for each in comments if each.code[2:3] == "1" and each.code not in _UNSURE and each.level != "warning"
    ]
    later = causes[1:] if _STOPPED in codes else []
    yield from (each for each in comments if each not in later)
