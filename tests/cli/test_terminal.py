"""What a person at a terminal has: words completed by the shell, and colours where they can be shown."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dockdsl import __version__
from dockdsl.cli import main
from dockdsl.cli.completion import SHELLS

# bash is where the tests run; the others are tried where they are.
INSTALLED = [shell for shell in SHELLS if shell == "bash" or shutil.which(shell)]


def in_terminal(command: list[str], typed: bytes = b"", **environment: str) -> str:
    """Run a command in a terminal of its own to its end, with what is typed there, and return what it shows."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **environment},
    ) as child:
        os.close(slave)
        os.write(master, typed)
        shown = b""
        try:
            while piece := os.read(master, 1 << 16):
                shown += piece
        except OSError:
            # The terminal has no program any more.
            pass
        finally:
            child.kill()
            os.close(master)
    return shown.decode(errors="replace")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a Dockerfile, a Python file, and the command."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "dockdsl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dockdsl "$@"\n')
    program.chmod(0o755)
    for name in ("Dockerfile", "image.py", "images.txt"):
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def completed(shell: str, line: str) -> set[str]:
    """Return what a shell offers for the last word of a line, without descriptions."""
    ask = {
        "bash": "source <(dockdsl --completion bash); COMP_LINE=$1; COMP_POINT=${#1}; "
        '_python_argcomplete dockdsl; printf "%s\\n" "${COMPREPLY[@]}"',
        "fish": "dockdsl --completion fish | source; complete -C $argv[1]",
    }[shell]
    command = [shell, "-c", ask, *(["bash"] if shell == "bash" else []), line]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return {each.partition("\t")[0].strip() for each in done.stdout.splitlines()} - {""}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("shell", [shell for shell in INSTALLED if shell != "zsh"])
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("dockdsl rend", {"render"}),
        ("dockdsl im", {"import", "image.py", "images.txt"}),
        ("dockdsl --v", {"--version"}),
        ("dockdsl image.py --c", {"--check"}),
        ("dockdsl build --builder-engine ", {"buildx", "buildah", "podman"}),
        ("dockdsl build image.py --only", set()),
        ("dockdsl fmt D", {"Dockerfile"}),
        ("dockdsl gc --", {"--dry-run", "--help"}),
    ],
)
def test_words_that_are_offered(shell: str, line: str, words: set[str]) -> None:
    """Verbs, files, options and their values."""
    assert words == completed(shell, line)


@pytest.mark.parametrize("shell", [shell for shell in INSTALLED if shell != "fish"])
def test_the_key_completes(shell: str, folder: Path) -> None:
    """In the shell itself, the key writes the rest of the word."""
    plain = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"]}[shell]
    setup = {"bash": "", "zsh": "autoload -Uz compinit; compinit -u -D; "}[shell]
    typed = f"{setup}source <(dockdsl --completion {shell})\rdockdsl --vers\t> version\rdockdsl image.py --che\t2> said\rexit\r"
    shown = in_terminal([shell, *plain], typed.encode(), HOME=str(folder))

    assert f"dockdsl {__version__}\n" == (folder / "version").read_text(), shown
    assert "it defines no Dockerfile" in (folder / "said").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--completion"], "name one shell: bash, zsh, fish"),
        (["--completion", "csh"], "name one shell: bash, zsh, fish"),
    ],
)
def test_a_shell_that_is_unknown(arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What there is is listed."""
    assert 2 == main(arguments)
    assert f"error: --completion: {message}\n" == capfd.readouterr().err


def test_help_has_the_options(capfd: pytest.CaptureFixture[str]) -> None:
    """Those that are no verb's, too."""
    assert 0 == main(["--help"])
    assert {"--help", "--version", "--completion"} <= set(re.findall(r"--[a-z]+", capfd.readouterr().out))


RED = "\x1b[1;31m"
WRONG = [sys.executable, "-m", "dockdsl", "nowhere.py"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("environment", "is_coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
    ids=["terminal", "NO_COLOR", "dumb"],
)
def test_an_error_has_a_colour(environment: dict[str, str], is_coloured: bool) -> None:
    """The word alone, in a terminal that shows it and where it is wanted."""
    word = f"{RED}error\x1b[0m" if is_coloured else "error"

    assert f"{word}: nowhere.py: there is no such file; check the path\r\n" == in_terminal(WRONG, b"", **environment)


def test_no_colours_in_a_pipe() -> None:
    """What another program reads has none."""
    done = subprocess.run(
        WRONG, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "TERM": "xterm"}
    )

    assert "error: nowhere.py: there is no such file; check the path\n" == done.stderr


@pytest.mark.engine
def test_results_have_colours(folder: Path) -> None:
    """Each check, and each of several objects behind its name."""
    (folder / "image.py").write_text(
        "from dockdsl import *\n"
        "def of(*checks):\n    return Image(Dockerfile(Stage('busybox:1.37', steps=[Run('true')])), checks=checks)\n"
        "good, bad = of(FileCheck('/bin/sh')), of(FileCheck('/nope'))\n"
    )
    command = [sys.executable, "-m", "dockdsl", "test", "image.py:*", "--progress", "plain"]
    shown = in_terminal(command).replace("\r\n", "\n")

    assert "\ngood: \x1b[32mok\x1b[0m   file /bin/sh" in shown
    assert f"\nbad: {RED}FAIL\x1b[0m file /nope" in shown
    assert "\n\x1b[32mok\x1b[0m   good\n" in shown
    assert f"\n{RED}FAIL\x1b[0m bad: " in shown
