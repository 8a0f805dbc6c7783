"""Scripts are read by the real ShellCheck: what it is told, and where its findings are."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dockdsl import Arg, Dockerfile, Run, Stage, check
from dockdsl.lint import shellcheck
from tests.engine.helpers import wait_until

BAD = "mkdir -p -m 700 /a/b"


def found(text: str) -> list[tuple[int, str, str]]:
    """Return line, level and code of each finding of ShellCheck."""
    return [(each.origin.line, each.severity, each.alias) for each in check(text) if each.rule == "ShellCheck"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"RUN {BAD}", [2]),
        (f"RUN a && \\\n# a comment\n    b && \\\n\n    {BAD} && \\\n    c", [6]),
        (f"RUN --network=none \\\n  {BAD}", [3]),
        (f"ONBUILD RUN a; \\\n  {BAD}", [3]),
        (f"RUN <<EOF\nset -e\n\n{BAD}\nEOF", [5]),
        (f"RUN <<-'E'\n\tset -e\n\t{BAD}\n\tE", [4]),
        (f"RUN <<EOF\n#!/bin/bash -e\n\n{BAD}\nEOF", [5]),
        (f"RUN <<EOF\n#!/bin/zsh\n{BAD}\nEOF", []),
        (f"RUN <<-EOF\n\t#!/bin/awk\n\t{BAD}\nEOF", []),
        (f"RUN cat <<E >/x && \\\n  {BAD}\n{BAD}\nE\nRUN {BAD}", [3, 6]),
        (f"RUN <<E sh\n{BAD}\nE", [3]),
        (f"RUN bash -euo pipefail <<'E'\n\n{BAD}\nE", [4]),
        (f"RUN <<E sh\necho $PATH; {BAD}\nE", []),
        (f"RUN <<E sh -c true\n{BAD}\nE", []),
        (f'RUN ["sh", "-c", "{BAD}"]', []),
    ],
)
def test_where_it_is(text: str, lines: list[int]) -> None:
    """The line is that of the command: after continuations, comments and blank lines, and in heredocs of all kinds."""
    assert found(f"FROM debian:13\n{text}\n") == [(line, "warning", "SC2174") for line in lines]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        # The shell: of SHELL, of the base image, of a stage's base stage.
        ("FROM debian:13\nRUN [[ -d /a ]]", [(2, "error", "SC3010")]),
        ("ARG V=13\nFROM debian:$V AS b\nFROM b\nRUN [[ -d /a ]]", [(4, "error", "SC3010")]),
        ("FROM alpine:3.22\nRUN [[ -d /a ]]", []),
        ("FROM fedora:43\nRUN [[ -d /a ]]", []),
        ("FROM mine:1\nRUN [[ -d /a ]]", [(2, "hint", "SC3010")]),
        ('FROM debian:13\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN [[ -d /a ]]', []),
        (
            'FROM debian:13 AS b\nSHELL ["bash", "-c"]\nFROM b\nRUN [[ -d /a ]]\nFROM debian:13\nRUN [[ -d /b ]]',
            [(6, "error", "SC3010")],
        ),
        ('FROM debian:13\nSHELL ["/bin/bash", "-ec"]\nRUN <<E\ncd /a\nmake\nE', []),
        ('FROM debian:13\nSHELL ["/bin/bash", "-c"]\nRUN <<E\ncd /a\nmake\nE', [(4, "warning", "SC2164")]),
        ('FROM debian:13\nSHELL ["pwsh", "-c"]\nRUN if (', []),
        ('FROM debian:13\nSHELL ["/bin/zsh", "-c"]\nRUN if (', []),
        ("FROM mcr.microsoft.com/windows/nanoserver:1\nRUN if (", []),
        ("FROM --platform=windows/amd64 mine:1\nRUN if (", []),
        # The escape character says that it is Windows where neither the platform nor the base says what it is.
        ("# escape=`\nFROM mine:1\nRUN if (", []),
        ("# escape=`\nFROM golang:1.27\nRUN if (", []),
        ("# escape=`\nFROM debian:13\nRUN [[ -d /a ]]", [(3, "error", "SC3010")]),
        ("# escape=`\nFROM golang:1.27-alpine AS b\nFROM b\nRUN a && `\n  echo $HOME", [(5, "hint", "SC2086")]),
        ("# escape=`\nFROM --platform=linux/amd64 mine:1\nRUN [[ -d /a ]]", [(3, "hint", "SC3010")]),
        ("# escape=`\nFROM --platform=$BUILDPLATFORM mine:1\nRUN if (", []),
        ("FROM mine:1\nRUN if C:\\a (", []),
        # Variables: those of ARG and ENV above it, in its stage and those that it is based on.
        ('FROM debian:13\nRUN echo "$a"', [(2, "hint", "SC2154")]),
        ('FROM debian:13\nARG a\nRUN echo "$a"', []),
        ('FROM debian:13\nENV a=1 b=2\nRUN echo "$a" "${b%x}"', []),
        ('FROM debian:13\nRUN echo "$a"\nARG a', [(2, "hint", "SC2154")]),
        ('FROM debian:13 AS b\nENV a=1\nFROM b\nRUN echo "$a"', []),
        ('ARG a=1\nFROM debian:13\nRUN echo "$a"', [(3, "hint", "SC2154")]),
        # Levels.
        ("FROM debian:13\nRUN echo $HOME", [(2, "hint", "SC2086")]),
        ("FROM debian:13\nRUN make -j $(nproc)", [(2, "hint", "SC2046")]),
        ('FROM debian:13\nRUN export A="$(b)"', [(2, "hint", "SC2155")]),
        ("FROM debian:13\nRUN <<A <<B cat\na\nA\nb\nB", [(2, "hint", "SC2261")]),
        # Of what it says about one script that it cannot parse, the first.
        ("FROM debian:13\nRUN echo 'a", [(2, "error", "SC1073")]),
        ("FROM debian:13\nRUN if true; then echo a", [(2, "error", "SC1046")]),
        ("FROM mine:1\nRUN if true; then echo a", [(2, "hint", "SC1046")]),
        ("FROM debian:13\nRUN <<E\nif true; then\n  x\n\nE", [(3, "error", "SC1046")]),
        # Comments.
        (f"FROM debian:13\n# hadolint ignore=SC2174\nRUN {BAD}", []),
        (f"FROM debian:13\n# dockdsl: ignore=SC2174 it cannot fail\nRUN {BAD} && echo $HOME", [(3, "hint", "SC2086")]),
        (f"FROM debian:13\n# dockdsl: ignore=ShellCheck it works\nRUN {BAD} && echo $HOME", []),
    ],
)
def test_what_it_is_told(text: str, codes: list[tuple[int, str, str]]) -> None:
    """It knows the shell and the variables; a code is ignored by itself or with all."""
    assert sorted(found(text + "\n")) == sorted(codes)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("FROM debian:13\nRUN [[ -d /a ]]\n# hadolint shell=bash\nRUN [[ -d /b ]]\nRUN [[ -d /c ]]", [2]),
        ("FROM debian:13 AS a\n# hadolint shell=bash\n\nRUN [[ -d /a ]]\nFROM a\nRUN [[ -d /b ]]", []),
        ("FROM debian:13\n# hadolint shell=bash\nRUN [[ -d /a ]]\nFROM debian:13\nRUN [[ -d /b ]]", [5]),
        ("# hadolint shell=bash\nARG A\nFROM debian:13\nRUN [[ -d /a ]]\nFROM debian:13\nRUN [[ -d /b ]]", []),
        ("FROM debian:13\n# hadolint shell=bash\nFROM debian:13\nRUN [[ -d /b ]]", [4]),
        ('FROM debian:13\n# hadolint shell=bash\nSHELL ["/bin/sh", "-c"]\nRUN [[ -d /a ]]', [4]),
        ('FROM debian:13\nSHELL ["/bin/sh", "-c"]\n  #hadolint shell = Bash\nRUN [[ -d /a ]]', []),
        ("FROM debian:13\n# hadolint shell=pwsh\nRUN [[ -d /a ]]", []),
        ("FROM debian:13\n# hadolint shell=bash because\nRUN [[ -d /a ]]", [3]),
        ("FROM debian:13\n# hadolint global shell=bash\nRUN [[ -d /a ]]", [3]),
        ("FROM debian:13\nRUN a; \\\n# hadolint shell=bash\n  [[ -d /a ]]", [4]),
    ],
)
def test_a_comment_of_hadolint_names_the_shell(text: str, lines: list[int]) -> None:
    """It is about what follows in the stage, and in those based on it; above the first FROM, about the file.

    hadolint 2.15.1 said SC3010 of the same instructions.
    """
    assert found(f"{text}\n") == [(line, "error", "SC3010") for line in lines]


def made() -> Dockerfile:
    """Return scripts written in all ways."""
    chain = Run.chain(
        "mkdir -p -m 700 /e/e",
        'printf "%s\\n" "$a" > /b',
        BAD,
        "mkdir -p -m 700 /b/b",
    )
    script = Run.script(
        """
        echo begun
            mkdir -p -m 700 /c/c
        """
    )
    long = Run("make && " * 20 + "mkdir -p -m 700 /d/d")
    return Dockerfile(Stage("debian:13", steps=[Arg("a"), chain, script, long]))


def test_lines_of_python() -> None:
    """The line is that of the command in the call, where the call has it; else that of the call."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    places = [lines[each.origin.line - 1].strip() for each in check(made()) if each.rule == "ShellCheck"]

    assert places == [
        '"mkdir -p -m 700 /e/e",',
        "chain = Run.chain(",
        '"mkdir -p -m 700 /b/b",',
        "mkdir -p -m 700 /c/c",
        'long = Run("make && " * 20 + "mkdir -p -m 700 /d/d")',
    ]


def test_many_scripts_are_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All Dockerfiles of a folder are read by one, each script once; where one has no verdict, the others have."""
    real = shellcheck.program()
    log, program = tmp_path / "log", tmp_path / "program"
    program.write_text(
        f'#!/bin/sh\necho >> {log}\nfor f; do grep -qs BROKEN -- "$f" && exit 4; done\nexec {real} "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(shellcheck, "program", lambda: str(program))
    monkeypatch.setattr(shellcheck, "_known", {})
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(9):
        folder.joinpath(f"{number}.Dockerfile").write_text(f"FROM debian:13\nRUN {BAD} && make {number}\nRUN {BAD}\n")
    rows = [each for each in check(folder) if each.rule == "ShellCheck"]

    assert len(rows) == 18
    assert len(log.read_text()) == 1
    assert len(found(f"FROM debian:13\nRUN {BAD} && a\nRUN {BAD} && b\n")) == 2
    assert len(log.read_text()) == 2
    folder.joinpath("9.Dockerfile").write_text(f"FROM debian:13\nRUN {BAD} && BROKEN\nRUN {BAD} && other\n")
    rows = [each for each in check(folder) if each.rule == "ShellCheck"]
    assert [each.message for each in rows if not each.alias] == [
        "ShellCheck ended without a verdict on the script; make it shorter"
    ]
    assert len(rows) == 20


@pytest.mark.parametrize(
    ("scripts", "last"), [(1_005 * ["true"], 1_002), (["true", ": " + 40 * f"\\\n{5_000 * 'x'} ", BAD], 4)]
)
def test_very_long_files(scripts: list[str], last: int) -> None:
    """Of what would take minutes, the first scripts are read, and a hint says once from where on none is."""
    text = "".join([f"RUN {script}\n" for script in scripts])
    rows = [each for each in check(f"FROM debian:13\nRUN {BAD}\n{text}") if each.rule == "ShellCheck"]

    assert [(2, "warning", "SC2174"), (last, "hint", "")] == [(each.line, each.severity, each.alias) for each in rows]
    assert rows[-1].message == (
        "ShellCheck reads 1,000 scripts and 200,000 characters of a file, and none from here on; "
        "copy scripts from files, or split the file"
    )


def test_without_it(tmp_path: Path) -> None:
    """A line says how to install it; the other rules run, and a comment that is about it is not unused."""
    text = f"FROM debian:13 AS B\n# dockdsl: ignore=ShellCheck,SC2174 why\nRUN {BAD}\n"
    tmp_path.joinpath("Dockerfile").write_text(text)
    program = "import sys, dockdsl.lint.shellcheck as s; s.program = lambda: None; from dockdsl.__main__ import program"
    command = [sys.executable, "-c", f"{program}; program()", "check", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout.count("[") == 1
    assert done.stderr == (
        "ShellCheck is not installed, so fewer rules read the scripts of RUN; "
        'run pip install "dockdsl[check]"\n1 finding in 1 file\n'
    )


def test_without_standard_streams(tmp_path: Path) -> None:
    """No file that ShellCheck is to read takes the place of a stream that this process does not have."""
    text = "FROM debian:13\n" + "".join([f"RUN {BAD}/{number}\n" for number in range(3)])
    program = f"import os; from dockdsl import check; os.closerange(0, 3); os._exit(len(check({text!r})))"
    done = subprocess.run([sys.executable, "-c", program], timeout=20, check=False)

    assert done.returncode == len(check(text)) > 2


SLOW = 700 * 'if test "$x" = "$(cat /a | grep b)"; then echo $x; fi; '
FILES = {
    "Dockerfile": f"FROM debian:13\nRUN {SLOW} true\n",
    "a.Dockerfile": f"FROM debian:13\nRUN {SLOW} false\n",
    "build.py": f"from dockdsl import *\nfile = Dockerfile(Stage('debian:13', steps=[Run({SLOW!r})]))\n",
}


@pytest.mark.parametrize(
    ("argument", "names"),
    [
        pytest.param("Dockerfile", ["Dockerfile"], id="by the rule"),
        pytest.param(".", ["Dockerfile", "a.Dockerfile"], id="for all files of a folder"),
        pytest.param(".", ["build.py"], id="by the process of a Python file"),
    ],
)
def test_a_signal_ends_it(tmp_path: Path, argument: str, names: list[str]) -> None:
    """SIGTERM ends the command with a word, and ShellCheck with it."""
    for name in names:
        tmp_path.joinpath(name).write_text(FILES[name])
    command = [sys.executable, "-m", "dockdsl", "check", argument]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        wait_until(lambda: any(map(is_shellcheck, below(str(running.pid)))))
        (child,) = filter(is_shellcheck, below(str(running.pid)))
        # It is there a moment before Python knows its number.
        time.sleep(0.3)
        running.send_signal(signal.SIGTERM)
        _, error = running.communicate(timeout=20)

    assert (143, "ended by SIGTERM\n") == (running.returncode, error)
    wait_until(lambda: not is_shellcheck(child), 1)


def below(pid: str) -> list[str]:
    """Return the processes that a process has started, and those that they have."""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [*children, *[each for child in children for each in below(child)]]
    return []


def is_shellcheck(pid: str) -> bool:
    """Whether a process is ShellCheck: no more what it is started from, and not ended."""
    with contextlib.suppress(OSError):
        return b"shellcheck\0--format" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


@pytest.mark.parametrize(
    ("base", "levels"),
    [
        ("golang:1.27", ["error"]),
        ("amd64/buildpack-deps:noble-curl", ["error"]),
        ("registry.example:5000/team/python:3.14-slim@sha256:" + 64 * "0", ["error"]),
        ("mcr.microsoft.com/dotnet/sdk:10.0", ["error"]),
        ("mcr.microsoft.com/dotnet/sdk:10.0-azurelinux3.0", []),
        ("golang:1.27-alpine", []),
        ("docker:29-dind", []),
        ("redhat/ubi9:9", []),
        ("quay.io/fedora/fedora:43", []),
        ("mypython:3", ["hint"]),
        ("$BASE", ["hint"]),
    ],
)
def test_the_shell_of_a_base(base: str, levels: list[str]) -> None:
    """What /bin/sh is follows from the name of the image: bash and BusyBox have [[, dash has not, others may."""
    assert levels == [level for _, level, _ in found(f"FROM {base}\nRUN [[ -d /a ]]\n")]
