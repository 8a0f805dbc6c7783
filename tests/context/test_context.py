"""Ignore files, wildcards and links, without an engine."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from dockdsl.context.folder import Folder
from dockdsl.context.globs import matcher
from dockdsl.context.ignoring import Patterns, counting, lines_of
from dockdsl.context.sending import BuildContext
from dockdsl.errors import Refused


def context(root: Path, *ignore: str) -> BuildContext:
    """Return the context in a folder."""
    found = BuildContext.of(root, ignore=ignore)
    assert found is not None
    return found


def write(root: Path, *paths: str) -> Path:
    """Write files, each with its own path in it."""
    for path in paths:
        root.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
        root.joinpath(path).write_text(path)
    return root


@pytest.mark.parametrize(
    ("pattern", "fits", "others"),
    [
        ("*", ["a", ".a", "[", ""], ["a/b"]),
        ("a?c", ["abc", "a.c"], ["ac", "a/c"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "-x"]),
        ("[^a-c]x", ["dx"], ["ax"]),
        ("[!a]", ["!", "a"], ["b"]),
        (r"[\]\-]", ["]", "-"], ["\\"]),
        ("[c-a]", [], ["a", "b", "c"]),
        ("[^c-a]", ["a", "b"], [""]),
        (r"\*", ["*"], ["a", "\\*"]),
        ("a.+$", ["a.+$"], ["ab"]),
        ("A", ["A"], ["a"]),
        ("*a*b", ["aab", "xaxbb"], ["ba", "aba"]),
    ],
)
def test_wildcards_are_those_of_go(pattern: str, fits: list[str], others: list[str]) -> None:
    """A pattern fits what Go's filepath.Match says that it does."""
    assert all(matcher(pattern)(each) for each in fits)
    assert not any(matcher(pattern)(each) for each in others)


@pytest.mark.parametrize("pattern", ["[", "[a", "[]a]", "[a-]", "[-a]", "[]", "[^]", "\\", "a[\\", "[\\]"])
def test_wildcards_that_go_refuses(pattern: str) -> None:
    """A pattern that Go refuses is refused, and an ignore file with it."""
    with pytest.raises(Refused):
        matcher(pattern)
    with pytest.raises(Refused):
        Patterns([pattern])


def test_a_pattern_that_changes_nothing_is_not_tried() -> None:
    """As in BuildKit, an exception for a folder that nothing leaves out does not hold for what is in it."""
    assert Patterns(["**.md", "!a"]).leaves_out("a/b.md")
    assert not Patterns(["**", "!a"]).leaves_out("a/b.md")
    assert not Patterns(["**.md", "!a"]).last_names("a/b.md")
    assert not Patterns(["x", "!x/y", "x*"]).leaves_out("x/y")


def test_many_asterisks_take_no_longer() -> None:
    """A pattern that a search could try in very many ways is decided at once."""
    start = time.process_time()

    assert not matcher("*a" * 30 + "b")("a" * 250)
    assert not Patterns(["*a" * 30 + "b", "**/" + "*a" * 30 + "b"]).leaves_out("x/" + "a" * 250)
    assert time.process_time() - start < 5


def test_lines_of_an_ignore_file() -> None:
    """Comments, blanks, slashes and dots do not count; a byte order mark neither."""
    assert lines_of("\ufeff#x\n # y\n/a/\r\n\n  b/../c \n! /d\n/\n!\n\u3000e") == ["# y", "a", "c", "!d", "/", "!", "e"]
    with pytest.raises(Refused):
        lines_of("a" * 65536)


@pytest.mark.parametrize("pattern", ["!", "a\\q", "[[:alpha:]]", "a[b-a]"])
def test_patterns_that_are_not_known(pattern: str, tmp_path: Path) -> None:
    """What BuildKit refuses, or what is only known to Go, makes the context unknown."""
    with pytest.raises(Refused):
        Patterns([pattern])
    assert BuildContext.of(tmp_path, ignore=[pattern]) is None


def test_which_ignore_file_counts(tmp_path: Path) -> None:
    """That of the Dockerfile replaces that of the context, even if it is empty; patterns replace both."""
    write(tmp_path, ".dockerignore", "one.Dockerfile.dockerignore").joinpath("two.dockerignore").touch()
    one, two, three = [str(tmp_path / name) for name in ("one.Dockerfile", "two", "three")]

    assert counting(one, str(tmp_path)) == (["one.Dockerfile.dockerignore"], "one.Dockerfile.dockerignore")
    assert counting(two, str(tmp_path)) == ([], "two.dockerignore")
    assert counting(three, str(tmp_path)) == ([".dockerignore"], ".dockerignore")
    assert counting(None, str(tmp_path)) == ([".dockerignore"], ".dockerignore")
    assert counting(one, str(tmp_path), ["x"]) == (["x"], "ignore=")


def test_sources(tmp_path: Path) -> None:
    """A source is found by its name, in the right case, from the root of the context; links are followed inside it."""
    write(tmp_path / "c", "conf/a.conf", "out.md", "keep.md")
    write(tmp_path, "beside")
    links = {"abs": "/conf/a.conf", "rel": "conf/../conf", "gone": "nothing", "out": "../beside", "circle": "circle"}
    for name, target in links.items():
        (tmp_path / "c" / name).symlink_to(target)
    found = context(tmp_path / "c", "*.md", "!keep.md", "rel")

    assert [found.find(each).way.kind for each in ("../conf/a.conf", "/conf/", "abs", "rel/a.conf", ".")] == [
        *("file", "folder", "file", "file", "folder")
    ]
    for missing in ("Conf/a.conf", "conf/a.conf/x", "gone", "out", "circle", "keep.mD"):
        assert not found.find(missing).way.is_there
    assert found.folder.leads_out(found.find("out").way) == "out"
    assert found.folder.leads_out(found.find("gone").way) is None
    assert found.find("circle").way.is_circle
    assert [found.find(each).left_out for each in ("out.md", "keep.md", "rel/a.conf", "conf")] == [
        *("out.md", None, "rel", None)
    ]


def test_sources_with_wildcards(tmp_path: Path) -> None:
    """A wildcard finds what fits, and of it what is sent; a part of a path is never more than one part."""
    write(tmp_path, "a.txt", "b.txt", "x/a.txt", "x/y/a.txt", "z/c")
    found = context(tmp_path, "b.txt", "z/*")

    assert found.match("*.txt")[2:4] == (("a.txt", "b.txt"), ("a.txt",))
    assert found.match("x/*/a.txt").sent == ("x/y/a.txt",)
    assert found.match("*/a.txt").sent == ("x/a.txt",)
    assert found.match("[x-z]").sent == ("x", "z")
    assert (found.has_files("x"), found.has_files("z")) == (True, False)
    assert found.match("nothing/*").way.kind is None
    assert not found.match("x/[").is_known
    assert found.match("x/*x*").is_known


def test_what_is_sent_below_an_ignored_folder(tmp_path: Path) -> None:
    """An exception lets files in again, with the folders above them; no other ignored folder is read."""
    write(tmp_path, "a/b/keep", "a/b/c", "node_modules/x/y", "d/e")
    found = context(tmp_path, "*", "!a/b/keep")

    assert list(found.walk()) == [("a", "folder"), ("a/b", "folder"), ("a/b/keep", "file")]
    assert found.is_sent("a", "folder")
    assert not found.is_sent("d", "folder")
    assert set(found.folder._entries) == {"", "a", "a/b"}


def test_odd_names(tmp_path: Path) -> None:
    """Names that are not UTF-8, with newlines, pipes, and a folder that nobody may read do no harm."""
    for name in (b"\xff\xfe", b"new\nline", b"x" * 255):
        tmp_path.joinpath(os.fsdecode(name)).touch()
    os.mkfifo(tmp_path / "pipe")
    at = tmp_path
    for _ in range(300):
        at /= "d"
        at.mkdir()
    found = context(tmp_path, "x*")

    assert {path for path, _ in found.walk() if path[0] != "d"} == {os.fsdecode(b"\xff\xfe"), "new\nline", "pipe"}
    assert sum(path[0] == "d" for path, _ in found.walk()) == 300
    assert found.find("pipe").way.kind == "other"


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    """It is not known what is in it, so nothing is said to be missing there."""
    folder = Folder(tmp_path)
    write(tmp_path, "a/b")
    folder._entries["a"] = None

    assert not folder.follow("a/b").is_known
    assert folder.follow("c").is_known
    assert BuildContext.of(tmp_path / "nothing") is None


def test_a_huge_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a folder with very many names, no more than a limit is read; what is beyond it is not known."""
    monkeypatch.setattr("dockdsl.context.folder._MOST_NAMES", 50)
    write(tmp_path, *[f"{folder}/{name}" for folder in "abc" for name in range(30)])
    found = context(tmp_path)

    assert sum(kind == "file" for _, kind in found.walk()) == 30
    assert not found.folder.is_whole
    assert not found.find("c/0").way.is_known
