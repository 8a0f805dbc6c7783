"""``check --fix`` and ``--diff``: what is written, what is shown, and how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dockdsl import parse, render, to_python
from dockdsl.fixing.faults import Faults
from dockdsl.fixing.python import FixedPython, fix_python
from dockdsl.lint.checking import check_text
from tests.corpora import corpus

DOCKERFILE = "FROM a:1 AS B\r\n# why\nMAINTAINER Jane\nFROM scratch\nCOPY --from=B x \\\n  y"
FIXED = "FROM a:1 AS b\r\n# why\nLABEL org.opencontainers.image.authors=Jane\nFROM scratch\nCOPY --from=b x \\\n  y"
DIFF = """\
--- Dockerfile
+++ Dockerfile (fixed)
@@ -1,6 +1,6 @@
-FROM a:1 AS B\r
+FROM a:1 AS b\r
 # why
-MAINTAINER Jane
+LABEL org.opencontainers.image.authors=Jane
 FROM scratch
-COPY --from=B x \\
+COPY --from=b x \\
   y
\\ No newline at end of file
"""
CHANGED = "Dockerfile:3: changed: the image has a label in place of its author field [MaintainerDeprecated]\n"
COMPUTED = "its argument is not a literal there; change it where it is computed"

ALONE = "from dockdsl import Cmd, Dockerfile, Expose, Stage"
MANY = "from dockdsl import (\n    Cmd,\n    Dockerfile,  # a\n    Maintainer, Stage,\n)"
LABEL = 'Label({"org.opencontainers.image.authors": "Jane"})'

PYTHON = [
    # An argument is changed, and the rest of the call stays as it is.
    (ALONE, "steps=[Expose( '80/TCP', 90 ) ]", ALONE, "steps=[Expose( '80/tcp', 90 ) ]"),
    (
        ALONE,
        "steps=[\n    Expose(  # é😀\n        90,\n        '80/TCP'), # b\n]",
        ALONE,
        "steps=[\n    Expose(  # é😀\n        90,\n        '80/tcp'), # b\n]",
    ),
    # A part of a longer text, whose quotes, escapes and line breaks stay.
    *[
        (f"{ALONE}, Run", f"steps=[{given}]", f"{ALONE}, Run", f"steps=[{given.replace('install', 'install -y')}]")
        for given in (
            "Run('apt-get install \\\n  a')",
            "Run.chain('b', 'apt-get install c')",
            "Run('''\n    cd /tmp\n    apt-get install a\n''')",
            'Run("""apt-get update && \\\n    apt-get install a""", mounts=[])',
            'Run("""apt-get update && \\\\\n    apt-get install a \\\\\n    && apt-get install b""")',
            'Run(r"""apt-get update && \\\n    apt-get install a""")',
            "Run('é😀 \\x26& apt-get\\u0020install \\N{LATIN SMALL LETTER A} \"b\"')",
            "Run('apt-get update && '  # é😀\n    'apt-get install b')",
            "Run(('apt-get install a && ' '' 'x && ' r'apt-get install b'))",
            "Run.script('''\n    set -e\n    apt-get install b\n''')",
            'Run.script("""\n            set -e\n            apt-get install b\n""")',
            'Run.script("""\n  apt-get install b\n  apt-get install b\n  """, mounts=[])',
            "Run.chain('apt-get install a', 'apt-get install b', mounts=[], network=None)",
        )
    ],
    (
        f"{ALONE}, Run",
        "steps=[Run('apt install -y \\\\\\n  a'), Run.chain('b', 'apt -y install c')]",
        f"{ALONE}, Run",
        "steps=[Run('apt-get install -y \\\\\\n  a'), Run.chain('b', 'apt-get -y install c')]",
    ),
    # Another form, with the names that the file has.
    (ALONE, "steps=[Cmd('httpd' ' -f')]", ALONE, 'steps=[Cmd.exec("httpd", "-f")]'),
    (f"{ALONE}, Cmd as C", "steps=[C('httpd')]", f"{ALONE}, Cmd as C", 'steps=[C.exec("httpd")]'),
    (
        f"{ALONE}\nimport dockdsl as d",
        "steps=[d.Maintainer('Jane')]",
        f"{ALONE}\nimport dockdsl as d",
        f"steps=[d.{LABEL}]",
    ),
    ("from dockdsl import *", "steps=[Maintainer('Jane')]", "from dockdsl import *", f"steps=[{LABEL}]"),
    # What it needs is imported; what it no longer needs is not.
    (f"{ALONE}, Maintainer", "steps=[Maintainer('Jane')]", f"{ALONE}, Label", f"steps=[{LABEL}]"),
    (
        f"{ALONE}, Maintainer",
        "steps=[Maintainer('$1')]",
        f"{ALONE}, Label, literal",
        'steps=[Label({"org.opencontainers.image.authors": literal("$1")})]',
    ),
    (MANY, "steps=[Maintainer('Jane')]", MANY.replace("Maintainer", "Label"), f"steps=[{LABEL}]"),
    (
        f"{MANY}\nmaker = Maintainer",
        "steps=[Maintainer('Jane')]",
        f"{MANY}\nmaker = Maintainer".replace("Maintainer, Stage", "Label,\n    Maintainer, Stage"),
        f"steps=[{LABEL}]",
    ),
    (
        f"{MANY}\nmaker = Maintainer".replace("    Maintainer, Stage,", "    Maintainer,\n    Stage"),
        "steps=[Maintainer('Jane')]",
        f"{MANY}\nmaker = Maintainer".replace("    Maintainer, Stage,", "    Label,\n    Maintainer,\n    Stage"),
        f"steps=[{LABEL}]",
    ),
    # What is removed leaves nothing behind.
    (ALONE, "platform='$TARGETPLATFORM'", ALONE, None),
    (ALONE, "platform='$TARGETPLATFORM', steps=[]", ALONE, "steps=[]"),
    (ALONE, "steps=[Cmd.exec('a'), Cmd.exec('a')]", ALONE, "steps=[Cmd.exec('a')]"),
    (
        ALONE,
        "steps=[\n    Cmd.exec('a'),  # one\n    # two\n    Cmd.exec('b')]",
        ALONE,
        "steps=[\n    # two\n    Cmd.exec('b')]",
    ),
    (ALONE, "steps=[*[Expose(1), Cmd.exec('a')], Cmd.exec('b')]", ALONE, "steps=[*[Expose(1)], Cmd.exec('b')]"),
]
KEPT = [
    (f"{ALONE}\nport = '80/TCP'", "steps=[Expose(port)]", COMPUTED),
    (ALONE, "steps=[Expose(f'{80}/TCP')]", COMPUTED),
    (ALONE, "steps=[Cmd(*['a b'])]", COMPUTED),
    (ALONE, "steps=[Cmd(text) for text in ('a b', 'c d')][:1]", COMPUTED),
    (f"{ALONE}\nplatform = '$TARGETPLATFORM'", "platform=platform", COMPUTED),
    (
        f"{ALONE}\n\n\ndef both(*steps):\n    return steps\n",
        "steps=both(Cmd.exec('a'), Cmd.exec('b'))",
        "it is not an element of a list there; remove it by hand",
    ),
    (f"{ALONE}\nmake = Cmd", "steps=[make('a b')]", "no call of Cmd stands there; change it by hand"),
    (f"{ALONE}\nfrom made_elsewhere import cmd", "steps=[cmd()]", "it is made in another file; change it there"),
    (
        f"{ALONE}, Entrypoint\nstage = Stage('b', steps=[Cmd('c')])\nother = Dockerfile(Stage(stage, steps=[Entrypoint.exec('x')]))\none = Dockerfile(stage)",
        "steps=[]",
        "the Dockerfiles of the changed file would not be the fixed ones; change it by hand",
    ),
]


def python(head: str, arguments: str | None) -> str:
    """Return a Python file with a stage."""
    rest = "" if arguments is None else f", {arguments}"
    return f"{head}\n\ndockerfile = Dockerfile(Stage('a'{rest}))\n"


def check(folder: Path, *arguments: str, given: str = "") -> tuple[int, str, str]:
    """Run ``dockdsl check``; return exit code, stdout and stderr."""
    command = [sys.executable, "-m", "dockdsl", "check", *arguments]
    done = subprocess.run(command, cwd=folder, input=given.encode(), capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def fix(folder: Path, source: str) -> FixedPython:
    """Return what fixing makes of a Python file."""
    path = str(folder / "app.py")
    return fix_python(path, source, Faults(path, "hint"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a Dockerfile."""
    tmp_path.joinpath("Dockerfile").write_bytes(DOCKERFILE.encode())
    return tmp_path


def test_a_diff_is_shown_and_nothing_written(folder: Path) -> None:
    """The diff is the product, what a fix changes goes beside it, and the exit code says that there is something."""
    assert check(folder, "Dockerfile", "--diff") == (1, DIFF, CHANGED)
    assert folder.joinpath("Dockerfile").read_bytes() == DOCKERFILE.encode()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n"])
def test_a_diff_is_a_patch(end: str, last: str, tmp_path: Path) -> None:
    """``git apply`` makes of the file what ``--fix`` does: with each end of lines, and with none at the end."""
    text = f"FROM a:1 AS B\n# a\fb\u2028c\x1bd\rwhy\nRUN a\nEXPOSE 1/TCP{last}".replace("\n", end)
    path = tmp_path / "Dockerfile"
    path.write_bytes(text.encode())
    _, patch, _ = check(tmp_path, "Dockerfile", "--diff")
    check(tmp_path, "Dockerfile", "--fix")
    fixed = path.read_bytes()
    path.write_bytes(text.encode())
    subprocess.run(["git", "apply", "-p0"], cwd=tmp_path, input=patch.encode(), timeout=60, check=True)

    assert fixed == text.replace("B", "b", 1).replace("TCP", "tcp").encode()
    assert path.read_bytes() == fixed


def test_a_file_is_fixed(folder: Path) -> None:
    """It is written after the diff was shown; what is left is the product; a second run has nothing to do."""
    folder.joinpath("Dockerfile").chmod(0o751)
    assert check(folder, "Dockerfile", "--fix") == (
        0,
        "",
        DIFF.replace("\r", "\\r") + f"{CHANGED}Dockerfile: 2 findings fixed\n0 findings in 1 file\n",
    )
    assert folder.joinpath("Dockerfile").read_bytes() == FIXED.encode()
    assert folder.joinpath("Dockerfile").stat().st_mode & 0o777 == 0o751
    assert check(folder, "Dockerfile", "--fix") == (0, "", "0 findings in 1 file\n")
    assert check(folder, "Dockerfile", "--diff") == (0, "", "")


def test_what_is_left_is_reported(folder: Path) -> None:
    """In each format, with exit code 1; a level that is not reported is not fixed."""
    folder.joinpath("Dockerfile").write_text("FROM a:1 as b\nARG TOKEN\nCMD run $x\n")
    code, out, _ = check(folder, "Dockerfile", "--fix", "--format", "json")

    assert code == 1
    assert ["SecretsUsedInArgOrEnv", "JSONArgsRecommended"] == [row["rule"] for row in json.loads(out)]
    folder.joinpath("Dockerfile").write_bytes(DOCKERFILE.encode())
    assert check(folder, "Dockerfile", "--fix", "--severity", "error") == (0, "", "0 findings in 1 file\n")
    assert folder.joinpath("Dockerfile").read_bytes() == DOCKERFILE.encode()


REASONS = [
    ("Dockerfile", "FROM a:1\nENV A \\\n# why\n  b\n", 2, "comments stand between its lines; change it by hand"),
    ("Dockerfile", "FROM a:1\nCMD run $HOME\n", 2, "it may need a shell; write it by hand"),
    (
        "app.py",
        python(f"{ALONE}, Entrypoint", "steps=[\n    Entrypoint.exec('x'),\n    Cmd('y'),\n]"),
        5,
        "what it does depends on ENTRYPOINT; write both by hand",
    ),
]


@pytest.mark.parametrize(("name", "text", "line", "reason"), REASONS)
def test_why_something_is_left_is_said(name: str, text: str, line: int, reason: str, tmp_path: Path) -> None:
    """With --fix behind the finding, with --diff beside the diff; what is ignored, or is not reported, is not meant."""
    tmp_path.joinpath(name).write_text(text)
    rule = "LegacyKeyValueFormat" if "ENV" in text else "JSONArgsRecommended"
    said = f"{name}:{line}: not fixed: {reason} [{rule}]\n"

    assert check(tmp_path, name, "--diff") == (0, "", said)
    assert f" (not fixed: {reason}) [{rule}]\n" in check(tmp_path, name, "--fix")[1]
    assert check(tmp_path, name, "--diff", "--severity", "error") == (0, "", "")
    tmp_path.joinpath("pyproject.toml").write_text(f'[[tool.dockdsl.check.ignore]]\nrules = ["{rule}"]\nreason = "x"\n')
    assert check(tmp_path, name, "--diff") == (0, "", "")


def test_what_cannot_be_written(folder: Path) -> None:
    """It is said, the exit code is 2, and the other files are fixed all the same."""
    folder.joinpath("other").write_bytes(DOCKERFILE.encode())
    folder.joinpath("other").chmod(0o444)
    code, _, err = check(folder, "other", "Dockerfile", "--fix")

    assert code == 2
    assert "other: it is write-protected; name another file, or: chmod u+w other\n" in err
    assert folder.joinpath("other").read_bytes() == DOCKERFILE.encode()
    assert folder.joinpath("Dockerfile").read_bytes() == FIXED.encode()
    code, _, err = check(folder, "-", "--diff", given=DOCKERFILE)
    assert (code, err) == (2, "error: -: it is not a regular file, which alone can be fixed; name one\n")
    folder.joinpath("broken").write_text("FROM\n")
    code, out, err = check(folder, "broken", "missing.py", "Dockerfile", "--diff")
    assert (code, out) == (2, "")
    assert "broken:1: error: FROM: " in err
    assert "missing.py:1: error: there is no such file; " in err


@pytest.mark.parametrize(("head", "arguments", "new_head", "new"), PYTHON)
def test_python_is_fixed(head: str, arguments: str, new_head: str, new: str | None, tmp_path: Path) -> None:
    """The call that makes it is changed and nothing else; its Dockerfile is the fixed one, and has nothing left to fix."""
    found = fix(tmp_path, python(head, arguments))

    assert found.source == python(new_head, new)
    assert (found.kept, found.is_proven) == ({}, True)
    assert fix(tmp_path, found.source)[:2] == (found.source, ())
    as_on_windows = "\ufeff" + python(head, arguments).replace("\n", "\r\n")
    assert fix(tmp_path, as_on_windows).source == "\ufeff" + python(new_head, new).replace("\n", "\r\n")


@pytest.mark.parametrize(("head", "arguments", "reason"), KEPT)
def test_python_that_is_computed_is_left_alone(head: str, arguments: str, reason: str, tmp_path: Path) -> None:
    """Nothing is changed, and why is said."""
    tmp_path.joinpath("made_elsewhere.py").write_text(
        "from dockdsl import Cmd\n\n\ndef cmd():\n    return Cmd('a b')\n"
    )
    source = python(head, arguments)
    found = fix(tmp_path, source)

    assert (found.source, found.made) == (source, ())
    assert reason in found.kept.values()


def test_a_python_file_from_the_command_line(tmp_path: Path) -> None:
    """What can be fixed is, what cannot says why; in a folder as well, where a file that defines nothing is passed over."""
    source = python(
        f"{ALONE}\nother = [Dockerfile(Stage('b', steps=[Cmd(text)])) for text in ['x y']]", "steps=[Expose('80/TCP')]"
    )
    tmp_path.joinpath("app.py").write_text(source)
    tmp_path.joinpath("helper.py").write_text("import dockdsl\n")
    diff = check(tmp_path, "app.py", "--diff")
    said = f"app.py:2: not fixed: {COMPUTED} [JSONArgsRecommended]\n"

    assert diff[0] == 1
    assert (
        "-dockerfile = Dockerfile(Stage('a', steps=[Expose('80/TCP')]))\n+dockerfile = Dockerfile(Stage('a', steps=[Expose('80/tcp')]))\n"
        in diff[1]
    )
    assert diff[2] == said
    assert check(tmp_path, ".", "--diff") == diff
    assert tmp_path.joinpath("app.py").read_text() == source
    code, out, err = check(tmp_path, ".", "--fix")
    assert code == 1
    assert out.startswith(
        f'app.py:2: warning: CMD is in the shell form, so the program gets no signals; write Cmd.exec("program", "argument") (not fixed: {COMPUTED}) [JSONArgsRecommended]\n'
    )
    assert err.endswith("app.py: 1 finding fixed\n1 finding in 1 file\n")
    assert tmp_path.joinpath("app.py").read_text() == source.replace("80/TCP", "80/tcp")


def test_a_fix_that_fails_leaves_the_others(tmp_path: Path) -> None:
    """What does not give the fixed Dockerfile is found among many, and the others are made."""
    head = f"""{ALONE}


def port():
    return Expose('9/TCP')


other = Dockerfile(Stage('b:1', steps=[port() if str(port()) == 'EXPOSE 9/TCP' else Expose(9)]))
"""
    steps = ", ".join(f"Expose('{port}/TCP')" for port in range(1, 9))
    found = fix(tmp_path, python(head, f"steps=[{steps}]"))

    assert found.source == python(head, f"steps=[{steps}]".replace("TCP", "tcp"))
    assert [(each.line, reason) for each, reason in found.kept.items()] == [
        (5, "the Dockerfiles of the changed file would not be the fixed ones; change it by hand")
    ]


def test_a_fix_concerns_all_objects_of_a_file(tmp_path: Path) -> None:
    """One that is named is fixed with those beside it, and so is what a function returns."""
    tmp_path.joinpath("app.py").write_text(
        f"{ALONE}\n\none = Dockerfile(Stage('a', steps=[Expose('1/TCP')]))\ntwo = Dockerfile(Stage('a', steps=[Expose('2/TCP')]))\n\n\ndef three():\n    return Dockerfile(Stage('a', steps=[Expose('3/TCP')]))\n"
    )

    assert check(tmp_path, "app.py:three", "--fix")[:2] == (0, "")
    assert "TCP" not in tmp_path.joinpath("app.py").read_text()


@pytest.mark.corpora
def test_python_of_real_files(tmp_path: Path) -> None:
    """What is found in the Python of real Dockerfiles is fixed there, and the Dockerfiles are exactly the fixed ones."""
    path = str(tmp_path / "app.py")
    made = 0
    for text in [each["text"] for each in corpus()[::24] if each["bk_instr"]]:
        if any(each.fix is not None for each in check_text(render(parse(text)), "Dockerfile")):
            found = fix_python(path, to_python(parse(text)), Faults(path, "hint"))
            made += len(found.made)

            assert found.kept == {}
    assert made > 10


def test_without_the_extra(tmp_path: Path) -> None:
    """What is to be installed is said, and a Dockerfile is fixed all the same."""
    tmp_path.joinpath("libcst.py").write_text("raise ModuleNotFoundError(name='libcst')\n")
    tmp_path.joinpath("Dockerfile").write_bytes(DOCKERFILE.encode())
    tmp_path.joinpath("app.py").write_text(python(ALONE, "steps=[Expose('80/TCP')]"))
    command = [sys.executable, "-m", "dockdsl", "check", "--fix", "app.py", "Dockerfile"]
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    env = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert (
        'app.py: LibCST is not installed, which Python files are fixed with; run: pip install "dockdsl[fix]"'
        in done.stderr
    )
    assert tmp_path.joinpath("Dockerfile").read_bytes() == FIXED.encode()
