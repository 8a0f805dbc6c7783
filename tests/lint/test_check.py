"""The verb ``check``: what it reads, what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dockdsl.lint.formats import FORMATS

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
        "Dockerfile:1: warning: the stage name 'B' has capitals; write 'b' [StageNameCasing]\n"
        "  1 | FROM scratch AS B\n    |              ^~~~\n"
        "Dockerfile.bad:2: error: RUNN: the instruction 'RUNN' is unknown; did you mean RUN? [Unreadable]\n"
        "  2 | RUNN x\n    | ^~~~\n"
        "app.py:3: warning: CMD is in the shell form, so the program gets no signals;"
        ' write Cmd.exec("program", "argument") [JSONArgsRecommended]\n'
        '  3 | stage = Stage("alpine:3.22", steps=[Cmd("x")])\n    |                                     ^~~~~~~~\n'
        "broken.py:3: error: the file raised KeyError: 1; fix the file [Unreadable]\n"
        "  3 | raise KeyError(1)\n    | ^~~~~~~~~~~~~~~~~\n"
    )
    assert done.stderr == "4 findings in 4 files\n"


def test_files_of_a_folder(tmp_path: Path) -> None:
    """Those that import dockdsl and are no tests are run, and of these helpers are passed over; folders of others, too."""
    ran = "from pathlib import Path\n\nPath(__file__ + '.ran').touch()\n"
    helper = "from dockdsl import Run\n\n\ndef tidy():\n    return Run('rm -r /tmp/x')\n"
    texts = {
        "Containerfile.dev": "FROM scratch AS C\n",
        "helper.py": helper,
        "app.py": f"import os, dockdsl as d\nfrom helper import tidy\n{PYTHON}",
        "inside.py": f"def make():\n    from dockdsl.instructions import run\n\n\n{ran}",
        "unclosed.py": "from dockdsl import Run\n\nRun(\n",
        "-dash.py": PYTHON,
        "unclosed_other.py": "# no dockdsl\nprint(\n",
        "comment.py": f"# dockdsl\n{ran}",
        "words.py": f'"""\nimport dockdsl\n"""\n{ran}',
        "relative.py": f"if False:\n    from .dockdsl import x\n{ran}",
        "Dockerfile.dockerignore": "x\n",
    }
    tests = ["test_app.py", "app_test.py", "conftest.py"]
    others = [f"{name}/a.py" for name in ("node_modules", "vendor", "x/venv", "__pycache__", ".tox")]
    texts |= dict.fromkeys([*tests, *others], f"import dockdsl\n{PYTHON}{ran}") | {"vendor/Dockerfile": "NOTHING\n"}
    for name, text in texts.items():
        tmp_path.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        tmp_path.joinpath(name).write_text(text)
    done = check(tmp_path, ".", "--format", "json")
    found = [(each["path"], each["line"], each["rule"]) for each in json.loads(done.stdout)]

    assert found == [
        ("-dash.py", 3, "JSONArgsRecommended"),
        ("Containerfile.dev", 1, "StageNameCasing"),
        ("app.py", 5, "JSONArgsRecommended"),
        ("unclosed.py", 3, "Unreadable"),
    ]
    assert [path.name for path in tmp_path.rglob("*.ran")] == ["inside.py.ran"]
    assert check(tmp_path, ".").stderr == "4 findings in 4 files\n"
    named = check(tmp_path, ".", "helper.py")
    assert "helper.py:1: error: it defines no Dockerfile; write dockerfile = " in named.stdout
    assert "5 findings in 5 files\n" == named.stderr


def test_a_file_of_a_folder_that_ends_the_program(tmp_path: Path) -> None:
    """It is a finding, and the other files are checked."""
    tmp_path.joinpath("a.py").write_text("import os\n\nimport dockdsl\n\nos._exit(7)\n")
    tmp_path.joinpath("b.py").write_text("import os\n\nimport dockdsl\n\nos.kill(os.getpid(), 9)\n")
    tmp_path.joinpath("c.py").write_text(PYTHON)
    done = check(tmp_path, ".")

    assert done.returncode == 1
    assert "a.py:1: error: the file ended the program (exit 7) before it was checked; guard that with if" in done.stdout
    assert "b.py:1: error: the file ended the program (signal 9) before it was checked; " in done.stdout
    assert "c.py:3: warning: CMD is in the shell form" in done.stdout
    assert done.stderr.endswith("\n3 findings in 3 files\n")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Each is a finding with its line, in every format, and the others are checked."""
    texts: dict[str, bytes] = {
        "a.Dockerfile": b"FROM a:1\nRUN \xff\n",
        "b.Dockerfile": b"",
        "c.Dockerfile": b"FROM a:1\nRUN <<EOF\n",
        "d.py": b"import dockdsl\n\nx = (\n",
        "e.py": b"import dockdsl\n\nimport nowhere_at_all\n",
        "f.py": b"import os\n\nimport dockdsl\n\nprint('x')\nos.write(1, b'noise')\n\n\ndockdsl.Run('')\n",
        "\udcff.Dockerfile": b"FROM a:1 AS B\n",
    }
    for name, data in texts.items():
        tmp_path.joinpath(name).write_bytes(data)
    for form in FORMATS:
        done = check(tmp_path, ".", f"--format={form}")
        assert done.returncode == 1, done.stderr
        assert "StageNameCasing" in done.stdout
    found = json.loads(check(tmp_path, ".", "--format=json").stdout)

    assert [(each["path"], each["line"], each["rule"]) for each in found] == [
        ("a.Dockerfile", 2, "Unreadable"),
        ("b.Dockerfile", 1, "Unreadable"),
        ("c.Dockerfile", 2, "Unreadable"),
        ("d.py", 3, "Unreadable"),
        ("e.py", 3, "Unreadable"),
        ("f.py", 9, "Unreadable"),
        ("\udcff.Dockerfile", 1, "StageNameCasing"),
    ]


def test_nothing_found(tmp_path: Path) -> None:
    """Exit 0, and a line that says what was looked at."""
    tmp_path.joinpath("Dockerfile").write_text("FROM scratch\n")
    done = check(tmp_path, "Dockerfile")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "0 findings in 1 file\n")


def test_severity(tmp_path: Path) -> None:
    """Hints are shown where they are asked for."""
    tmp_path.joinpath("Dockerfile").write_text("FROM golang\nCOPY a $OTHER\n")

    assert check(tmp_path, "Dockerfile").returncode == 0
    assert "hint: $OTHER is not set; " in check(tmp_path, "Dockerfile", "--severity", "hint").stdout


def test_explain(tmp_path: Path) -> None:
    """The page of a rule, by its name or that of another tool; what there is no rule for is said."""
    page = check(tmp_path, "--explain", "jsonargsrecommended").stdout

    assert page.startswith("JSONArgsRecommended (warning)\n\nCMD and ENTRYPOINT are in the exec form.\n")
    assert page == check(tmp_path, "--explain", "DL3025").stdout
    assert "ShellCheck (warning)" in check(tmp_path, "--explain", "sc2086").stdout
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


def test_an_object_that_is_not_there(folder: Path) -> None:
    """A name that the file does not have, a name behind a Dockerfile, and an empty path end as with other verbs."""
    folder.joinpath("function.py").write_text(f"{PYTHON}\n\ndef make(tag):\n    return other\n")
    folder.joinpath("failing.py").write_text(f"{PYTHON}\n\ndef make():\n    raise KeyError(1)\n")
    listed = "pick one: app.py:image, app.py:other"
    places = {
        "app.py:nope": f"app.py: it defines no Dockerfile named 'nope'; {listed}",
        "app.py:stage": f"app.py: stage is a Stage, not a Dockerfile; {listed}",
        "function.py:make": "function.py: make() cannot be called without arguments (",
        "Dockerfile:app": "Dockerfile: a name picks an object in a Python file, and this is not one; leave :app out",
        "": "'': there is no such file; check the path",
    }
    for place, message in places.items():
        for arguments in ([place], ["Dockerfile", place], [place, "--format=json"], ["--fix", place]):
            done = check(folder, *arguments)
            assert (2, "") == (done.returncode, done.stdout), arguments
            assert done.stderr.startswith(f"error: {message}"), arguments
    failing = check(folder, "failing.py:make")
    assert failing.returncode == 1
    assert "failing.py:9: error: the file raised KeyError: 1; fix the file [Unreadable]" in failing.stdout


def test_what_one_line_makes_several_times_is_counted(tmp_path: Path) -> None:
    """A loop has one finding, which says how often; two calls in one line have one each, and shared stages none more."""
    source = """\
from dockdsl import Dockerfile, Expose, Stage

def stage(name):
    return Stage("alpine:3.22", name=name, steps=[Expose("80/TCP")])

one, two, three = [stage(name) for name in ("a", "b", "c")]
both = Stage("alpine:3.22", name="d", steps=[Expose("80/TCP"), Expose("80/TCP")])
first, second = Dockerfile([one, two, three, both]), Dockerfile([one, both])
"""
    tmp_path.joinpath("app.py").write_text(source)
    done = check(tmp_path, "app.py")
    rows = json.loads(check(tmp_path, "app.py", "--format", "json").stdout)
    (log,) = json.loads(check(tmp_path, ".", "--format", "sarif").stdout)["runs"]

    assert "app.py:4: warning: the protocol 'TCP' has capitals; write tcp (3 times) [ExposeProtoCasing]" in done.stdout
    assert [(4, 3), (7, 1), (7, 1)] == [(each["line"], each["count"]) for each in rows]
    assert [3, None, None] == [each.get("occurrenceCount") for each in log["results"]]


def test_files_with_a_dash_stand_behind_two(tmp_path: Path) -> None:
    """What stands behind ``--`` is a file, whatever it begins with; a dash alone is stdin."""
    tmp_path.joinpath("-odd").write_text("FROM scratch\nCMD x\n")
    tmp_path.joinpath("Dockerfile").write_text("FROM scratch\nCMD y\n")

    for arguments in (["--", "-odd", "Dockerfile"], ["Dockerfile", "--format=json", "--", "-odd"]):
        done = check(tmp_path, *arguments)
        assert "-odd" in done.stdout
        assert done.returncode == 1
        assert "Dockerfile" in done.stdout
    assert "not an option" in check(tmp_path, "--odd", "--", "x").stderr
