"""``--as-frontend``: the first line of a Python file, by which BuildKit builds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockdsl.cli import main

IMAGE = "registry.test/dockdsl:1@sha256:" + "0123456789abcdef" * 4
LINE = f"# syntax={IMAGE}"
FILE = 'from dockdsl import *\nd = Dockerfile(Stage("scratch"))\n'


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FILE, f"{LINE}\n{FILE}"),
        (f"#!/usr/bin/env python3\n{FILE}", f"#!/usr/bin/env python3\n{LINE}\n{FILE}"),
        (f"#syntax = other:1\n{FILE}", f"{LINE}\n{FILE}"),
        (f"#!/x\n# Syntax=other:1\n# a comment\n{FILE}", f"#!/x\n{LINE}\n# a comment\n{FILE}"),
        (f"# a comment\n# syntax=other:1\n{FILE}", f"{LINE}\n# a comment\n# syntax=other:1\n{FILE}"),
        (FILE.replace("\n", "\r\n"), f"{LINE}\r\n" + FILE.replace("\n", "\r\n")),
        (f"\ufeff{FILE}", f"\ufeff{LINE}\n{FILE}"),
    ],
    ids=["first", "below #!", "another one", "another below #!", "one that is none", "CRLF", "BOM"],
)
def test_the_line_is_written(before: str, after: str, capfd: pytest.CaptureFixture[str]) -> None:
    """It stands where BuildKit looks for it, once; nothing else of the file changes, and nothing is printed."""
    path = Path("app.py")
    path.write_bytes(before.encode())
    for _ in range(2):
        assert 0 == main(["app.py", "--as-frontend", IMAGE])
        assert after.encode() == path.read_bytes()
    assert ("", "") == capfd.readouterr()
    assert 0 == main(["app.py", "--as-frontend", IMAGE, "--check"])


def test_the_line_is_compared(capfd: pytest.CaptureFixture[str]) -> None:
    """With ``--check`` and ``--diff`` the file stays as it is, and the message says what to run."""
    path = Path("app.py")
    path.write_text(FILE)
    assert 1 == main(["app.py", "--as-frontend", IMAGE, "--check"])
    assert 1 == main(["app.py", "--as-frontend", IMAGE, "--diff"])
    said = capfd.readouterr()

    assert FILE == path.read_text()
    assert f"app.py: it is not up to date; run python -m dockdsl app.py --as-frontend {IMAGE}" in said.err
    assert f"+{LINE}\n" in said.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--as-frontend", "No Image"], "--as-frontend: 'No Image' is not the name of an image; write [registry/]name"),
        (["--as-frontend", IMAGE, "-o", "x"], "--as-frontend: it writes into the Python file alone; leave out -o and"),
        (["--as-frontend", IMAGE, "--header"], "--as-frontend: it writes into the Python file alone; leave out -o and"),
    ],
)
def test_what_is_refused(options: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A line that names no image, and options for a Dockerfile that is not written."""
    Path("app.py").write_text(FILE)

    assert 2 == main(["app.py", *options])
    assert message in capfd.readouterr().err
    assert FILE == Path("app.py").read_text()


def test_a_file_that_cannot_be_rendered_stays(capfd: pytest.CaptureFixture[str]) -> None:
    """Of several files, none is changed if one is wrong; several objects of one file are one line."""
    Path("two.py").write_text(f"{FILE}e = Dockerfile(Stage('b'))\n")
    Path("wrong.py").write_text("1 / 0\n")

    assert 2 == main(["two.py:*", "wrong.py", "--as-frontend", IMAGE])
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert not Path("two.py").read_text().startswith("#")
    assert 0 == main(["two.py:*", "--as-frontend", IMAGE])
    assert 1 == Path("two.py").read_text().count(LINE)
