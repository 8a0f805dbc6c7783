"""The verb import: a Dockerfile becomes Python with a proof, or nothing is written."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from dockdsl.cli import import_, main
from tests.cli.test_fmt import without_parser

TEXT = "FROM alpine:3.22 AS app\n# whom\nuser 1000\n"
SOURCE = '''\
"""Imported from Dockerfile."""

from dockdsl import Comment, Dockerfile, Stage, User

app = Stage(
    "alpine:3.22",
    name="app",
    steps=[
        Comment("whom"),
        User("1000"),
    ],
)

dockerfile = Dockerfile(app)
'''


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Dockerfile").write_text(TEXT)


def test_prints_the_python_file(capfd: pytest.CaptureFixture[str]) -> None:
    """The product goes to stdout and nothing else does; rendered, it is the Dockerfile again."""
    assert 0 == main(["import", "Dockerfile"])
    assert (SOURCE, "") == capfd.readouterr()
    Path("app.py").write_text(SOURCE)
    assert 0 == main(["app.py"])
    assert TEXT.replace("user", "USER") == capfd.readouterr().out


def test_says_that_it_is_proven(capfd: pytest.CaptureFixture[str]) -> None:
    """--prove reports the result on stderr."""
    assert 0 == main(["import", "Dockerfile", "--prove"])
    assert (SOURCE, "Dockerfile: proven: BuildKit reads the result in the same way\n") == capfd.readouterr()


def test_reads_stdin(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash is stdin."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert 0 == main(["import", "-"])
    assert SOURCE.replace("from Dockerfile.", "from a Dockerfile.") == capfd.readouterr().out


def test_writes_and_compares(capfd: pytest.CaptureFixture[str]) -> None:
    """-o writes a file, --check and --diff compare with it."""
    assert 1 == main(["import", "Dockerfile", "-o", "app.py", "--check"])
    assert "app.py: it does not exist; run python -m dockdsl import Dockerfile -o app.py\n" == capfd.readouterr().err
    assert 0 == main(["import", "Dockerfile", "-o", "app.py"])
    assert SOURCE == Path("app.py").read_text()
    assert 0 == main(["import", "Dockerfile", "-o", "app.py", "--check"])
    assert ("", "") == capfd.readouterr()
    Path("app.py").write_text(SOURCE.replace("1000", "0"))
    assert 1 == main(["import", "Dockerfile", "-o", "app.py", "--diff"])
    said = capfd.readouterr()
    assert "+++ app.py (imported)" in said.out
    assert '-        User("0"),\n+        User("1000"),\n' in said.out
    assert "app.py: it is not up to date; run" in said.err


def test_an_edited_file_is_not_replaced_unasked(capfd: pytest.CaptureFixture[str]) -> None:
    """A file with other text is left alone, and --force replaces it; one that is empty or as imported needs no --force."""
    edited = SOURCE.replace("1000", "0")
    Path("app.py").write_text(edited)

    assert 2 == main(["import", "Dockerfile", "-o", "app.py"])
    said = capfd.readouterr().err
    assert said == (
        "error: app.py: it has other text, perhaps edited; see what would change with --diff, and use --force to replace it\n"
    )
    assert edited == Path("app.py").read_text()
    assert 1 == main(["import", "Dockerfile", "-o", "app.py", "--check"])
    said = capfd.readouterr().err
    assert said == "app.py: it is not up to date; run python -m dockdsl import Dockerfile -o app.py --force\n"
    for before, options in ((edited, ["--force"]), ("", []), (SOURCE, [])):
        Path("app.py").write_text(before)
        assert 0 == main(["import", "Dockerfile", "-o", "app.py", *options])
        assert SOURCE == Path("app.py").read_text()


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        pytest.param(b"FROM a\nFOO x\nCOPY --frm=x a b\n", ["in:2:1: FOO: the inst", "in:3:6: COPY: "], id="errors"),
        pytest.param(b"", ["in:1:1: Dockerfile: the file has no instructions; write FROM image"], id="empty"),
        pytest.param(
            b"FROM a\nRUN \xe9\n", ["in:2: error: it is not UTF-8 text; is it the right file?"], id="not UTF-8"
        ),
        pytest.param(b"ARG A\n", ["in:1: error: to_python: the Dockerfile has no stages"], id="no stage"),
        pytest.param(None, ["in: there is no such file; check the path"], id="missing"),
    ],
)
def test_a_dockerfile_that_cannot_be_read(
    content: bytes | None, messages: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, all errors on stderr, and no file is touched."""
    if content is not None:
        Path("in").write_bytes(content)
    Path("out").write_text("kept")

    assert 2 == main(["import", "in", "-o", "out"])
    said = capfd.readouterr()
    assert not said.out
    for message in messages:
        assert message in said.err
    assert "kept" == Path("out").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["."], ".: it is a folder; name the Dockerfile in it", id="folder"),
        pytest.param(["Dockerfile", "-o", "Dockerfile"], "-o: the path is the Dockerfile itself", id="onto itself"),
        pytest.param(["Dockerfile", "-o", ""], "-o: the path is empty; name the Python file", id="empty output"),
        pytest.param(["Dockerfile", "--check"], "name it with -o", id="nothing to compare with"),
        pytest.param(["Dockerfile", "-o", "-", "--diff"], "name it with -o", id="stdout to compare with"),
        pytest.param(["Dockerfile", "-o", "no/folder"], "no/folder: it cannot be written", id="output folder"),
        pytest.param(["Dockerfile", "--prove", "--unproven"], "not allowed with argument", id="both"),
    ],
)
def test_usage_errors(arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A wrong call exits with 2 and says what is wrong."""
    try:
        code = main(["import", *arguments])
    except SystemExit as end:
        code = int(str(end.code))

    assert 2 == code
    assert message in capfd.readouterr().err


@pytest.mark.parametrize("options", [[], ["-o", "app.py"]])
def test_a_dockerignore_of_its_own_is_reported(options: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """A file of its own with ignored files is reported, with what to write instead; comments and empty lines have no effect."""
    Path("Dockerfile.dockerignore").write_text("\ufeff# all\n*\n\n !src \n", encoding="utf-8")

    assert 0 == main(["import", "Dockerfile", *options])
    said = capfd.readouterr().err
    assert said.startswith("Dockerfile.dockerignore: this file excludes files from the context of the Dockerfile")
    assert said.endswith("; add to the Image: ignore=['*', '!src']\n")


def test_what_does_not_prove_is_not_written(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """If the result means something else, both lines are shown and nothing is written, unless that is asked for."""
    wrong = SOURCE.replace("1000", "0")
    monkeypatch.setattr(import_, "to_python", lambda *_, **__: wrong)

    assert 1 == main(["import", "Dockerfile", "-o", "app.py"])
    said = capfd.readouterr().err
    assert "Dockerfile: not proven: USER: the operands differ: '1000' and '0'\n  before: line 3: user 1000\n" in said
    assert "nothing was written; use --unproven to write it anyway" in said
    assert not Path("app.py").exists()
    assert 0 == main(["import", "Dockerfile", "--unproven"])
    said_again = capfd.readouterr()
    assert wrong == said_again.out
    assert "not proven: USER" in said_again.err


def test_what_cannot_be_judged_is_not_written(capfd: pytest.CaptureFixture[str]) -> None:
    """If BuildKit's parser cannot read the Dockerfile, nothing is written, unless that is asked for."""
    Path("Dockerfile").write_text("FROM a\n# \0\nUSER b\n")

    assert 2 == main(["import", "Dockerfile", "-o", "app.py"])
    assert "--unproven" in capfd.readouterr().err
    assert not Path("app.py").exists()


@pytest.mark.parametrize(
    ("option", "code", "message"),
    [
        pytest.param([], 0, "Dockerfile: not proven: BuildKit's parser is not installed; run: pip install", id="told"),
        pytest.param(["--prove"], 2, "error: prove: BuildKit's parser is not installed", id="demanded"),
        pytest.param(["--unproven"], 0, "", id="not wanted"),
    ],
)
def test_without_the_parser(option: list[str], code: int, message: str) -> None:
    """Without the extra, one line says so; if the proof is required, that is an error."""
    done = without_parser("import", "Dockerfile", *option)

    assert code == done.returncode
    assert (SOURCE if code == 0 else "") == done.stdout
    assert message in done.stderr
    assert (1 if message else 0) == done.stderr.count("\n")
