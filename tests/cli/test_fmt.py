"""The verb fmt: files are formatted in place, keep their meaning, and are not changed if anything is wrong."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dockdsl.cli import main

ROOT = Path(__file__).parents[2]
UGLY = "\ufefffrom alpine:3.22 as app\r\n\r\n#whom\r\nuser   1000\r\nenv A b c\r\n\r\n"
GOOD = 'FROM alpine:3.22 AS app\n\n#whom\nUSER 1000\nENV A="b c"\n'


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("Dockerfile", UGLY), ("good", GOOD)):
        Path(name).write_bytes(text.encode())


def contents() -> dict[str, bytes]:
    """Return the contents of the files in the folder."""
    return {path.name: path.read_bytes() for path in sorted(Path().iterdir()) if path.is_file()}


def test_in_place(capfd: pytest.CaptureFixture[str]) -> None:
    """A file keeps its permissions, and nothing else is left behind; a formatted file is not touched."""
    Path("Dockerfile").chmod(0o640)
    os.utime("good", (1, 1))

    assert 0 == main(["fmt", "Dockerfile", "good"])
    assert ("", "Dockerfile: formatted\n") == capfd.readouterr()
    assert {"Dockerfile": GOOD.encode(), "good": GOOD.encode()} == contents()
    assert 0o640 == Path("Dockerfile").stat().st_mode & 0o777
    assert 1 == Path("good").stat().st_mtime
    assert 0 == main(["fmt", "Dockerfile", "good"])
    assert ("", "") == capfd.readouterr()


def test_a_file_that_is_named_twice(capfd: pytest.CaptureFixture[str]) -> None:
    """It is formatted and reported once."""
    Path("link").symlink_to("Dockerfile")

    assert 1 == main(["fmt", "--check", "Dockerfile", "./Dockerfile", "link"])
    assert ("Dockerfile\n", "") == capfd.readouterr()
    assert 2 == main(["fmt", "none", "Dockerfile", "none"])
    assert 1 == capfd.readouterr().err.count("error: none: ")
    assert 0 == main(["fmt", "Dockerfile", "Dockerfile"])
    assert ("", "Dockerfile: formatted\n") == capfd.readouterr()


def test_a_link_stays_a_link() -> None:
    """The target of a link is formatted."""
    Path("link").symlink_to("Dockerfile")

    assert 0 == main(["fmt", "link"])
    assert Path("link").is_symlink()
    assert GOOD == Path("Dockerfile").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_stays_the_owner() -> None:
    """A file that root formats keeps its owner."""
    os.chown("Dockerfile", 12345, 23456)

    assert 0 == main(["fmt", "Dockerfile"])
    there = Path("Dockerfile").stat()
    assert (12345, 23456) == (there.st_uid, there.st_gid)


def test_check_lists_what_is_not_formatted(capfd: pytest.CaptureFixture[str]) -> None:
    """--check exits with 1 if any file is not formatted, and writes nothing."""
    before = contents()

    assert 1 == main(["fmt", "--check", "good", "Dockerfile"])
    assert ("Dockerfile\n", "") == capfd.readouterr()
    assert before == contents()
    assert 0 == main(["fmt", "--check", "good"])
    assert ("", "") == capfd.readouterr()


def test_diff(capfd: pytest.CaptureFixture[str]) -> None:
    """--diff prints what would change in all files, and exits with 1 if anything would."""
    Path("other").write_text("FROM a\nuser 1")
    before = contents()

    assert 1 == main(["fmt", "--diff", "other", "good"])
    assert (
        "--- other\n+++ other (formatted)\n@@ -1,2 +1,2 @@\n FROM a\n-user 1\n\\ No newline at end of file\n+USER 1\n",
        "",
    ) == capfd.readouterr()
    assert before == contents()
    assert 0 == main(["fmt", "--diff", "good"])


@pytest.mark.parametrize("text", [UGLY, GOOD])
def test_stdin(text: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash is stdin, which is formatted to stdout, whether it changes or not."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert 0 == main(["fmt", "-"])
    assert (GOOD, "") == capfd.readouterr()


def test_check_of_stdin(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Stdin can be checked as well."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(UGLY.encode())))
    assert 1 == main(["fmt", "-", "--check"])
    assert ("<stdin>\n", "") == capfd.readouterr()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("bad", b"FROM a\nRUNN x\n", "bad:2:1: RUNN: the instruction 'RUNN' is unknown", id="syntax"),
        pytest.param("bad", b"", "bad:1:1: ", id="empty"),
        pytest.param("bad", b"FROM a\n# \xff\n", "bad:2: error: it is not UTF-8 text", id="not UTF-8"),
        pytest.param("bad", b"from a\n#\0\n", "error: bad: the formatted text cannot be proven", id="no proof"),
        pytest.param("nowhere", None, "error: nowhere: there is no such file", id="missing"),
        pytest.param(".", None, "error: .: it is a folder", id="folder"),
        pytest.param("bad.py", b"x = 1\n", "error: bad.py: it is a Python file; name a Dockerfile", id="Python"),
        pytest.param("/dev/null", None, "error: /dev/null: it is not a regular file", id="device"),
    ],
)
def test_bad_input(name: str, content: bytes | None, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A bad file gets exit code 2 and one message; no file is touched, not even the good ones."""
    if content is not None:
        Path(name).write_bytes(content)
    before = contents()

    for options in ([], ["--check"], ["--diff"]):
        assert 2 == main(["fmt", "Dockerfile", name, "good", *options])
        said = capfd.readouterr()
        assert not said.out
        assert said.err.startswith(message)
        assert said.err.endswith("\nno files were changed\n")
        assert before == contents()


def test_each_bad_file_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    """Each bad file gets one message."""
    assert 2 == main(["fmt", "one", "Dockerfile", "two"])
    assert ["error: one: there", "error: two: there", "no files were changed"] == [
        line[:17].rstrip() if line.startswith("error") else line for line in capfd.readouterr().err.splitlines()
    ]


def test_a_file_that_would_mean_something_else_is_left_alone(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof would find a mistake of the formatter."""
    monkeypatch.setattr("dockdsl.cli.fmt.reformat", lambda *_: GOOD.replace("b c", "b  c"))
    before = contents()

    assert 2 == main(["fmt", "Dockerfile"])
    assert before == contents()
    assert capfd.readouterr().err == (
        "error: Dockerfile: the formatted text would not mean the same; the file is unchanged: ENV: the operands differ: "
        "'b c' and 'b  c'\n  before: line 5: env A b c\n  after:  line 5: ENV A=\"b  c\"\n"
    )


def without_parser(*arguments: str, patch: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line where BuildKit's parser is not installed."""
    program = f"import sys; sys.modules['dockerfile'] = None; from dockdsl.cli import main{patch}; sys.exit(main(sys.argv[1:]))"
    command, env = [sys.executable, "-c", program, *arguments], {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=env)


@pytest.mark.parametrize(
    ("patch", "code", "message"),
    [
        pytest.param("", 0, "not proven: BuildKit's parser is not installed", id="the same"),
        pytest.param(
            "; import dockdsl.cli.fmt as fmt; fmt.reformat = lambda *_: 'FROM b\\n'",
            2,
            "error: Dockerfile: the formatted text would be read differently",
            id="another",
        ),
    ],
)
def test_without_the_parser(patch: str, code: int, message: str) -> None:
    """Dockdsl's own parser compares instead, and a line says so."""
    done = without_parser("fmt", "Dockerfile", "good", patch=patch)

    assert code == done.returncode
    assert done.stderr.startswith(message)
    assert (GOOD if code == 0 else UGLY).encode() == Path("Dockerfile").read_bytes()


def test_usage(capfd: pytest.CaptureFixture[str]) -> None:
    """Stdin cannot be combined with files, and there must be something to format."""
    assert 2 == main(["fmt", "-", "Dockerfile"])
    assert "stdin cannot be combined with files" in capfd.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["fmt"])
