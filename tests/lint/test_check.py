"""The verb ``check``: what it reads, what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = """\
from dockdsl import Cmd, Dockerfile, Image, Stage

stage = Stage("alpine:3.22", steps=[Cmd("x")])
image = Image(Dockerfile(stage))
other = Dockerfile([stage])
"""


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``dockdsl check``."""
    command = [sys.executable, "-m", "dockdsl", "check", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of each kind."""
    tmp_path.joinpath("app.py").write_text(PYTHON)
    tmp_path.joinpath("Dockerfile").write_text("FROM scratch AS B\n")
    tmp_path.joinpath("Dockerfile.bad").write_text("FROM scratch\nRUNN x\n")
    tmp_path.joinpath("broken.py").write_text("import dockdsl\n\nraise KeyError(1)\n")
    tmp_path.joinpath("other.py").write_text("import os\n")
    return tmp_path


def test_a_folder(folder: Path) -> None:
    """Each file is checked, whatever is wrong in another; a finding points to where it was written."""
    done = check(folder, ".")

    assert done.returncode == 1
    assert done.stdout == (
        "Dockerfile:1: warning: the stage name 'B' has capitals; write 'b' [StageNameCasing]\n  1 | FROM scratch AS B\n"
        "Dockerfile.bad:2: error: RUNN: the instruction 'RUNN' is unknown; did you mean RUN? [Unreadable]\n  2 | RUNN x\n"
        "app.py:3: warning: CMD is in the shell form, so the program gets no signals;"
        ' write CMD ["program", "argument"] [JSONArgsRecommended]\n  3 | stage = Stage("alpine:3.22", steps=[Cmd("x")])\n'
        "broken.py:3: error: the file raised KeyError: 1; see the message [Unreadable]\n  3 | raise KeyError(1)\n"
    )
    assert done.stderr == "4 findings in 4 files\n"


def test_nothing_found(tmp_path: Path) -> None:
    """Exit 0, and a line that says what was looked at."""
    tmp_path.joinpath("Dockerfile").write_text("FROM scratch\n")
    done = check(tmp_path, "Dockerfile")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "0 findings in 1 file\n")


def test_formats(folder: Path) -> None:
    """JSON, the commands of GitHub Actions, and SARIF say the same."""
    rows = json.loads(check(folder, "Dockerfile", "--format", "json").stdout)
    github = check(folder, "Dockerfile", "--format", "github").stdout
    sarif = json.loads(check(folder, "Dockerfile", "--format", "sarif").stdout)

    message = "the stage name 'B' has capitals; write 'b'"
    assert rows == [
        {
            "rule": "StageNameCasing",
            "level": "warning",
            "path": "Dockerfile",
            "line": 1,
            "dockerfile_line": 1,
            "message": "the stage name 'B' has capitals",
            "remedy": "write 'b'",
        }
    ]
    assert github == f"::warning file=Dockerfile,line=1,title=StageNameCasing::{message}\n"
    (result,) = sarif["runs"][0]["results"]
    assert (result["ruleId"], result["message"]["text"]) == ("StageNameCasing", message)
    assert [rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]] == ["StageNameCasing"]


def test_severity(tmp_path: Path) -> None:
    """Hints are shown where they are asked for."""
    tmp_path.joinpath("Dockerfile").write_text("FROM golang\nCOPY a $GOPATH\n")

    assert check(tmp_path, "Dockerfile").returncode == 0
    assert "hint: $GOPATH is not set; " in check(tmp_path, "Dockerfile", "--severity", "hint").stdout


def test_explain(tmp_path: Path) -> None:
    """The page of a rule, by its name or that of another tool; what there is no rule for is said."""
    page = check(tmp_path, "--explain", "jsonargsrecommended").stdout

    assert page.startswith("JSONArgsRecommended (warning)\n\nCMD and ENTRYPOINT are in the exec form.\n")
    assert page == check(tmp_path, "--explain", "DL3025").stdout
    assert "UndefinedVar: A variable is declared before it is used.\n" in check(tmp_path, "--rules").stdout
    assert (
        "there is no rule 'UndefinedVal'; did you mean 'UndefinedVar'?"
        in check(tmp_path, "--explain", "UndefinedVal").stderr
    )


def test_nothing_named(tmp_path: Path) -> None:
    """A command without a file, or with one that is not there."""
    assert "there is nothing to check; name a file or a folder" in check(tmp_path).stderr
    assert check(tmp_path).returncode == 2
    assert "nothing.py" in check(tmp_path, "nothing.py").stdout
