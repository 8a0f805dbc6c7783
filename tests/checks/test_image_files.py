"""Reading an image out of its archive: layers, whiteouts, links; and ELF files."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from dockdsl import FileError, RunFailed
from dockdsl.checks.image_files import ImageFiles
from dockdsl.engine.runners.docker_sdk import DockerSdk
from tests.engine.helpers import BUSYBOX, docker

Member = tuple[str, bytes | str | None, dict[str, object]]


def tar(*members: Member | tuple[str, bytes | None]) -> bytes:
    """Return an archive: bytes are a file, None a directory, and the options fields of the header."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content, *more in members:
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            data = content if isinstance(content, bytes) else b""
            info.size = len(data)
            for key, value in (more[0] if more else {}).items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def link(name: str, target: str, *, hard: bool = False) -> Member:
    """Return a link."""
    return (name, b"", {"type": tarfile.LNKTYPE if hard else tarfile.SYMTYPE, "linkname": target})


def files(*layers: bytes) -> ImageFiles:
    """Return the files of an image of these layers."""
    names = [f"blobs/{index}" for index in range(len(layers))]
    steps = [{"created_by": "FROM"}, {"empty_layer": True}, {"created_by": "COPY"}]
    parts = {
        "manifest.json": json.dumps([{"Config": "config", "Layers": names}]).encode(),
        "config": json.dumps({"history": steps}).encode(),
    }
    # An archive does not have its layers in their order, nor the manifest first.
    saved = tar(*reversed(list(zip(names, layers, strict=True))), *parts.items())
    return ImageFiles(saved[place : place + 1000] for place in range(0, len(saved), 1000))


def content(found: ImageFiles, path: str) -> bytes | None:
    """Return what a file holds, or None if it does not exist."""
    entry = found.find(path)
    if entry is None:
        return None
    with found.open(entry) as stream:
        return stream.read()


def test_a_layer_covers_those_below_it() -> None:
    """The last one counts, for content and facts; other files stay."""
    below = tar(("etc", None), ("etc/a", b"1"), ("etc/b", b"2", {"mode": 0o600}))
    with files(below, tar(("./etc/b", b"three", {"mode": 0o4755, "uid": 7, "gid": 8}))) as found:
        assert b"1" == content(found, "/etc/a")
        assert b"three" == content(found, "//etc/./b")
        entry = found.find("/etc/b")

    assert entry is not None
    assert ("file", 0o4755, 7, 8, 5, 1) == (entry.kind, entry.mode, entry.uid, entry.gid, entry.size, entry.layer)


def test_whiteouts() -> None:
    """They take away what is below, in whatever order a layer has them, and nothing of their own layer."""
    below = tar(("d/x", b"old"), ("d/y", b"old"), ("e/f/g", b"old"), ("h", b"old"), ("whiteless", b"old"))
    above = tar(("d/new", b"new"), ("d/.wh..wh..opq", b""), (".wh.e", b""), ("h", b"new"), (".wh.h", b""))
    with files(below, above) as found:
        paths = ("/d/x", "/d/y", "/d/new", "/e", "/e/f/g", "/h", "/whiteless", "/d/.wh..wh..opq", "/.wh.e")
        assert [None, None, b"new", None, None, b"new", b"old", None, None] == [content(found, path) for path in paths]
        assert found.find("/d") is not None


def test_a_directory_and_a_file_take_each_others_place() -> None:
    """What was in a directory is gone with it."""
    with files(tar(("a/b", b"1"), ("c", b"2")), tar(("a", b"3"), ("c/d", b"4"))) as found:
        assert (b"3", None, b"4") == tuple(content(found, path) for path in ("/a", "/a/b", "/c/d"))
        entry = found.find("/c")
        assert entry is not None
        assert "directory" == entry.kind


def test_links() -> None:
    """Symbolic links are followed within the image, hard links are the file itself, and loops end."""
    layer = tar(
        ("usr/bin/box", b"program"),
        link("bin", "usr/bin"),
        link("usr/bin/sh", "box"),
        link("up", "../../../usr/bin/./box"),
        link("abs", "/bin/sh"),
        link("hard", "usr/bin/box", hard=True),
        link("loop", "loop2"),
        link("loop2", "/loop"),
        link("dangling", "/nowhere"),
    )
    with files(layer, tar(("usr/bin/box", b"changed"))) as found:
        for path in ("/bin/box", "/bin/sh", "/up", "/abs", "/usr/../bin/sh"):
            assert b"changed" == content(found, path), path
        assert b"program" == content(found, "/hard")
        assert [None, None] == [content(found, path) for path in ("/loop", "/dangling")]
        entry = found.find("/dangling", follow=False)
        assert entry is not None
        assert ("link", "/nowhere") == (entry.kind, entry.link)
        assert found.find("/usr/bin/box/x") is None


def test_compressed_layers() -> None:
    """Engines that keep layers compressed save them so; what cannot be read is told."""
    layer = tar(("big", b"x" * 100_000), ("a", b"1"))
    with files(gzip.compress(layer)) as found:
        assert b"1" == content(found, "/a")
        assert b"x" * 100_000 == content(found, "/big")
    with pytest.raises(RunFailed, match="compressed with zstd, which cannot be read; build the image, and"):
        files(b"\x28\xb5\x2f\xfd....")


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no tar" * 1000, id="no archive"),
        pytest.param(tar(("x", b"")), id="no manifest"),
        pytest.param(tar(("manifest.json", b"[]")), id="no image"),
        pytest.param(tar(("manifest.json", b'[{"Layers": ["x"]}]')), id="no layer"),
        pytest.param(tar(("manifest.json", b'[{"Layers": ["x"]}]'), ("x", b"\x1f\x8b")), id="no gzip"),
    ],
)
def test_what_is_no_image(saved: bytes) -> None:
    """It is told, and the temporary file is gone."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(RunFailed, match="files: what the engine saved is not an image's archive"):
        ImageFiles([saved])
    assert before == len(list(Path("/proc/self/fd").iterdir()))


def test_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told where the image is kept meanwhile, and what to do."""
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")
    with pytest.raises(FileError, match=r"cannot be kept in a temporary file .* make room, or set TMPDIR"):
        files(tar())


def test_many_files_and_whiteouts() -> None:
    """Time is linear in their number: a quadratic reader would be here for minutes."""
    many = 20_000
    below = tar(*((f"d{index % 100}/f{index}", b"") for index in range(many)))
    above = tar(*((f"d{index % 100}/.wh.f{index}", b"") for index in range(0, many, 2)))
    with files(below, above) as found:
        assert found.find("/d1/f1") is not None
        assert found.find("/d0/f0") is None


@pytest.mark.engine
def test_layers_of_a_real_image(tmp_path: Path, tag: str, nothing_left: None) -> None:
    """The engine's own whiteouts and links read as a container would see them, which is asked for comparison."""
    tmp_path.joinpath("Dockerfile").write_text(
        f"FROM {BUSYBOX}\n"
        "RUN mkdir -p /d/e /gone && echo 1 >/d/old && echo 2 >/gone/x && echo 3 >/d/e/f && ln /d/old /d/hard && ln -s d/e /l\n"
        "RUN rm /d/old && rm -r /gone && rm -r /d/e && mkdir /d/e && echo 4 >/d/e/new && chmod 640 /d/hard && chown 5:6 /d/hard\n"
    )
    docker("buildx", "build", "--load", "-t", tag, str(tmp_path))
    paths = ["/d/old", "/d/hard", "/gone", "/gone/x", "/d/e/f", "/d/e/new", "/l/new", "/bin/sh", "/d"]
    script = "for f; do stat -Lc '%a %u:%g' $f 2>/dev/null || echo none; done"
    seen = docker("run", "--rm", tag, "sh", "-c", script, "-", *paths).splitlines()
    with DockerSdk() as runner, ImageFiles(runner.save(tag)) as found:
        entries = [found.find(path) for path in paths]
        assert b"1\n" == content(found, "/d/hard")
        assert b"4\n" == content(found, "/l/new")

    assert seen == ["none" if each is None else f"{each.mode:o} {each.uid}:{each.gid}" for each in entries]
    assert ["none", "640 5:6", "none", "none", "none"] == seen[:5]


# --- sizes


def test_the_bytes_of_each_layer() -> None:
    """Files and the names that links lead to; a second name of a file is nothing, and what is covered still counts."""
    below = tar(("a", b"12345"), ("d", None), link("link", "a"), link("again", "a", hard=True))
    above = tar(("a", b"1"), ("d/.wh.b", b""))
    with files(below, above) as found:
        assert (6, 1) == found.sizes
        assert (("FROM", 6), ("", 0), ("COPY", 1)) == found.history


def test_a_history_of_other_layers() -> None:
    """Which step made which layer is not guessed."""
    with (
        files(tar(("a", b"1"))) as found,
        pytest.raises(RunFailed, match=r"files: the image has 1 layers and its history has 2, so .* with docker b"),
    ):
        found.history  # noqa: B018 - it is read to see that it raises


def test_layers_are_compressed() -> None:
    """A layer that is compressed already counts as it is; what is not a layer does not count."""
    plain, packed = tar(("a", b"a" * 3_000_000)), gzip.compress(tar(("b", os.urandom(5000))))
    with files(plain, packed) as found:
        assert 2000 < found.compressed() - len(packed) < 4000


# --- programs
