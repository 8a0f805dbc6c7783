"""How a comparison is shown and read, and what counts as shipped in vain; nothing is built here."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dockdsl.checks.image_files import Entry, ImageFiles
from dockdsl.cli import main
from dockdsl.compare.comparison import Comparison, Left, Side, from_data
from dockdsl.compare.measure import source_file
from dockdsl.compare.page import page, picture
from dockdsl.compare.report import text
from dockdsl.compare.unneeded import Kind, Unneeded, unneeded
from dockdsl.compare.words import LANGUAGES, Words
from dockdsl.errors import SourceError

GO = Unneeded("compiler", 2, 15_000_000, "/usr/local/go/bin/go")
OLD = Side(
    commands=("docker build <x> .", "rm app"),
    images=("a:build", "a"),
    image_bytes=437_000_000,
    files=(Left("app", 7_000_000), Left("b", 1)),
    layers=3,
    shipped_bytes=7_000_000,
    cold_seconds=61.2,
    rebuild_seconds=None,
    unneeded=(GO,),
)
NEW = Side(images=("a",), image_bytes=7_000_000, layers=1, shipped_bytes=7_000_000, cold_seconds=60.0, unneeded=())
FOUND = Comparison(name="a|<b>", changed=None, before=OLD, after=NEW, notes=("build.sh:1: npm test",))


def test_data_and_back() -> None:
    """What is saved as JSON is read as the same comparison."""
    assert FOUND == from_data(json.loads(json.dumps(FOUND.data())), "x.json")


@pytest.mark.parametrize("data", ["null", "[]", "[" * 100_000, "x", "1"])
def test_other_data(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is refused, with the command that writes one."""
    file = tmp_path / "x.json"
    file.write_text(data)

    assert 2 == main(["compare", "--from", str(file)])
    assert f"{file}: it is not a comparison; write one with dockdsl compare PATH --json" in capsys.readouterr().err


def places(data: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each value of some data: how it is called, what has it, and its key or number there."""
    items: Iterable[tuple[Any, Any]] = (
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    )
    for name, value in items:
        inner = f"{key}[{name}]" if isinstance(data, list) else f"{key}.{name}" if key else name
        yield inner, data, name
        yield from places(value, inner)


VALUES = [None, True, 1, -1, 1.5, float("inf"), 10**400, "x", [], [1], {}, {"x": 1}]
KEYS = [key for key, _, _ in places(json.loads(json.dumps(FOUND.data())))]


@pytest.mark.parametrize("key", KEYS)
def test_one_wrong_value(key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is shown in each form, or it is refused with its key; so is one that is missing."""
    file = tmp_path / "x.json"
    codes = []
    for value in VALUES:
        data = json.loads(json.dumps(FOUND.data()))
        _, owner, name = next(each for each in places(data) if each[0] == key)
        owner[name] = value
        file.write_text(json.dumps(data))
        codes.append(main(["compare", "--from", str(file), "--html", str(tmp_path / "x.html")]))
        said = capsys.readouterr().err
        assert codes[-1] in (0, 2), said
        assert codes[-1] == 0 or re.search(rf"{re.escape(f'{file}: ')}(.*, )?{re.escape(key)}[.\[ ].*; write one", said)
    assert {0, 2} >= {*codes} >= {2}
    if isinstance(name, str):
        del owner[name]
        file.write_text(json.dumps(data))
        assert 2 == main(["compare", "--from", str(file)])
        assert f"{file}: it is not a comparison, {key} is missing; write one" in capsys.readouterr().err


def test_the_file_that_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named as seen from the current folder, or from the project, as the table does; others are refused."""
    root = tmp_path.resolve() / "old"
    for name in ("old/a.sh", "old/in/a.sh", "old/x.bin", "out.sh", "b.sh", "old/b.sh"):
        root.parent.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        root.parent.joinpath(name).touch()

    monkeypatch.chdir(root.parent)
    assert ["a.sh", "a.sh", "b.sh", "a.sh"] == [
        source_file(root, each) for each in ("a.sh", "old/a.sh", "b.sh", str(root / "a.sh"))
    ]
    for name in ("out.sh", "../old/c.sh", "in", "c.sh"):
        with pytest.raises(SourceError, match=rf"^--change: '{name}' is not a file of \S*old'; name one of its files$"):
            source_file(root, name)
    with pytest.raises(
        SourceError, match=r"^--change: how 'x\.bin' has comments is not known; name a file that ends in"
    ):
        source_file(root, "x.bin")
    monkeypatch.chdir(root / "in")
    assert ["in/a.sh", "in/a.sh", "a.sh"] == [source_file(root, each) for each in ("a.sh", "in/a.sh", "../a.sh")]


@pytest.mark.parametrize("option", ["-o", "--html", "--svg"])
def test_a_place_that_cannot_be_written(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is seen before anything is read or built: the script is not even looked for."""
    place = str(tmp_path / "nowhere" / "x")

    assert 2 == main(["compare", str(tmp_path / "none"), option, place])
    assert f"{option}: '{place}' cannot be written; name a file in a folder that is there" in capsys.readouterr().err


@pytest.mark.parametrize(("first", "second"), [("-o", "--html"), ("--html", "--svg"), ("-o", "--svg")])
def test_one_file_for_two_forms(first: str, second: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second would replace the first, so nothing is read or built."""
    place = str(tmp_path / "x")

    assert 2 == main(["compare", str(tmp_path / "none"), first, place, second, f"{tmp_path}/./x"])
    assert f"{second}: {tmp_path}/./x is also the file of {first}; name another one" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["-o", "--html", "--svg"])
def test_a_stream_that_is_open(option: str, tmp_path: Path) -> None:
    """It is written to, whoever runs it."""
    file = tmp_path / "x.json"
    file.write_text(json.dumps(FOUND.data()))
    command = [sys.executable, "-m", "dockdsl", "compare", "--from", str(file), option, "/dev/stdout"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    made = {"-o": "", "--html": page(FOUND, Words("en")), "--svg": picture(FOUND, Words("en"))}[option]
    assert (0, text(FOUND, Words("en")) + made, "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("option", ["-o", "--html", "--svg"])
def test_a_file_that_fails_after_all(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table is printed nevertheless."""
    file = tmp_path / "x.json"
    file.write_text(json.dumps(FOUND.data()))

    assert 2 == main(["compare", "--from", str(file), option, "/dev/full"])
    output, said = capsys.readouterr()
    assert text(FOUND, Words("en")) == output
    assert "/dev/full: it cannot be written (No space left on device)" in said


@pytest.mark.parametrize("arguments", [[], ["x", "--from", "y"]])
def test_what_to_measure(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Either something is measured or something is read."""
    assert 2 == main(["compare", *arguments])
    assert "compare: pass a folder or files to measure, or --from" in capsys.readouterr().err


def test_two_dockerfiles_without_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody says what was done between them, so nothing is built."""
    tmp_path.joinpath("Dockerfile.build").write_text("FROM busybox\nRUN go build -o /app\n")
    tmp_path.joinpath("Dockerfile").write_text("FROM scratch\nCOPY app /\n")

    assert 2 == main(["compare", str(tmp_path)])
    assert "compare: no script says what was done before; name the script" in capsys.readouterr().err


def test_a_terminal_has_columns() -> None:
    """Wide characters take two places; numbers end at one column."""
    lines = text(FOUND, Words("ja")).splitlines()[1:]

    assert 1 == len({sum(2 if ord(char) > 0x2E80 else 1 for char in line) for line in lines})
    assert lines[2].split() == ["エンジンに残るイメージ", "2（437", "MB）", "1（7", "MB）"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_stands_alone(language: str) -> None:
    """It loads nothing, is in one language, has light and dark colours, and foreign text is no markup."""
    found = page(FOUND, Words(language))

    assert f'<html lang="{language}">' in found
    assert not re.search(r"\b(?:src|href)=|@import|url\(", found)
    assert 2 == found.count("prefers-color-scheme:dark") == picture(FOUND, Words(language)).count("prefers") + 1
    assert "a|&lt;b&gt;" in found
    assert "docker build &lt;x&gt; ." in found
    assert "rebuild" not in found
    assert "build.sh:1: npm test" in found
    assert ("コンパイラー" in found) == (language == "ja")


FILES = {
    "/usr/local/go/bin/go": "compiler",
    "/usr/local/go/src/fmt/print.go": "compiler",
    "/usr/bin/x86_64-linux-gnu-gcc-12": "compiler",
    "/usr/libexec/gcc/x86_64/12/cc1": "compiler",
    "/src/main.go": "sources",
    "/usr/include/stdio.h": "sources",
    "/var/lib/apt/lists/a": "caches",
    "/root/.cache/go-build/00/a": "caches",
    "/go/pkg/mod/x/y.go": "caches",
    "/api": None,
    "/app/main.py": None,
    "/usr/bin/cat": None,
    "/home/go": None,
    "/srv/gcc.txt": None,
}


@pytest.mark.parametrize(("path", "kind"), FILES.items())
def test_kinds(path: str, kind: Kind | None) -> None:
    """A file that is not needed has a kind; what runs has none."""
    found = unneeded([(path, Entry("file", 0o755, 0, 0, 5, "", 0, 0))])

    assert (() if kind is None else (Unneeded(kind, 1, 5, path),)) == found


def test_all_files_of_an_image() -> None:
    """Each file that a container would see is met once, links too, and nothing that a layer has removed."""
    layers = [{"a/x": "1", "a/y": "22", "b": "3"}, {"a/.wh.x": "", "c": "4"}]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:

        def add(name: str, data: bytes, to: tarfile.TarFile) -> None:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            to.addfile(entry, io.BytesIO(data))

        for number, files in enumerate(layers):
            inner = io.BytesIO()
            with tarfile.open(fileobj=inner, mode="w") as layer:
                for name, content in files.items():
                    add(name, content.encode(), layer)
            add(f"{number}.tar", inner.getvalue(), archive)
        manifest = [{"Config": "c.json", "Layers": ["0.tar", "1.tar"]}]
        add("manifest.json", json.dumps(manifest).encode(), archive)
    with ImageFiles([stream.getvalue()]) as image:
        assert [("/a/y", 2), ("/b", 1), ("/c", 1)] == [(path, entry.size) for path, entry in image.walk()]
