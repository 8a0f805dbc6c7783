"""Types and editors: correct files pass each type checker, each mistake is reported, and jedi knows the public names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jedi
import pytest

import dockdsl

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILDS = sorted(ROOT.joinpath("builds").glob("*.py"))

Finding = tuple[str, int, str]
"""A file's name, a line of it, and what is wrong there."""


def run(*arguments: str | Path) -> str:
    """Run a module of Python, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(ROOT)},
    )
    assert not done.stderr
    return done.stdout


def mypy(*files: Path) -> list[Finding]:
    """Return what mypy finds with its strictest settings."""
    printed = run("mypy", "--strict", "--config-file=", "--explicit-package-bases", "--output=json", *files)
    found = [json.loads(line) for line in printed.splitlines() if line]
    return [(Path(each["file"]).name, each["line"], each["message"]) for each in found if each["severity"] == "error"]


def pyright(*files: Path) -> list[Finding]:
    """Return what pyright finds with the settings of one who has none."""
    found = json.loads(run("pyright", f"--pythonpath={sys.executable}", "--outputjson", *files))["generalDiagnostics"]
    return [
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1, each["message"])
        for each in found
        if each["severity"] == "error"
    ]


CHECKERS = pytest.mark.parametrize("checker", [mypy, pyright], ids=lambda checker: checker.__name__)


@CHECKERS
def test_correct_files_pass(checker: Callable[..., list[Finding]]) -> None:
    """Nothing is reported in what users write, the build files included."""
    assert [] == checker(HERE / "passes.py", *BUILDS)


@CHECKERS
def test_each_mistake_is_reported(checker: Callable[..., list[Finding]]) -> None:
    """A wrong name, operand or option is found before the file is run, and nothing else is."""
    lines = HERE.joinpath("fails.py").read_text().splitlines()
    ends = ("  # wrong", f"  # wrong: {checker.__name__}")
    wrong = {number: line for number, line in enumerate(lines, 1) if line.endswith(ends)}
    found = {line: message for _, line, message in checker(HERE / "fails.py")}

    assert len(wrong) > 40
    assert {} == {number: line for number, line in wrong.items() if number not in found}
    assert {} == {number: message for number, message in found.items() if number not in wrong}


def test_jedi_completes_the_public_names() -> None:
    """An editor that uses jedi offers each public name after ``from dockdsl import``."""
    text = "from dockdsl import "
    offered = {each.name for each in jedi.Script(text, project=jedi.Project(ROOT)).complete(1, len(text))}

    assert {name for name in dir(dockdsl) if not name.startswith("_")} <= offered


@pytest.mark.parametrize(
    ("call", "parameter"),
    [("Run(", "command: "), ("Run.exec(", "*arguments: str"), ("Copy(", "destination: "), ("Stage(", "base: ")],
)
def test_jedi_shows_signatures(call: str, parameter: str) -> None:
    """An editor that uses jedi shows what a constructor takes."""
    text = f"from dockdsl import *\n{call}"
    (shown,) = jedi.Script(text, project=jedi.Project(ROOT)).get_signatures(2, len(call))

    assert parameter in shown.to_string()
