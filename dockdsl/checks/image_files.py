"""The files of an image, read from the archive that the engine saves it as: nothing of the image is run.

A container that is created and never started would show them as well, but with files that the engine adds, such as
``/etc/hosts``; and it would have to be removed. The archive goes to a temporary file without a name, so that memory
holds only names and facts of files.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import posixpath
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import IO, Any, Literal, cast

import attrs

from dockdsl.display import printable
from dockdsl.errors import DockdslError, FileError, RunFailed

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_MOST_LINKS = 40
"""How many symbolic links a path may follow, as in Linux."""
_LONGEST_TABLE = 16 << 20
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_PIECE = 1 << 20
_BROKEN = (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, LookupError, TypeError)

Kind = Literal["file", "directory", "link", "other"]


@attrs.frozen
class Entry:
    """A file of an image, as its layer describes it.

    `link`
        Where a symbolic link leads.
    `layer`, `offset`
        Where its content is: the number of the layer, and the place in it.
    """

    kind: Kind
    mode: int
    uid: int
    gid: int
    size: int
    link: str
    layer: int
    offset: int


class _Node:
    """A place in the tree of names. One without an entry is a directory that no layer mentions."""

    __slots__ = ("children", "entry")

    def __init__(self) -> None:
        self.entry: Entry | None = None
        self.children: dict[str, _Node] = {}


_DIRECTORY = Entry("directory", 0o755, 0, 0, 0, "", -1, 0)
_ADDED = {
    **dict.fromkeys(("/dev", "/dev/pts", "/dev/shm", "/etc", "/proc", "/sys"), _DIRECTORY),  # noqa: S108 - as the engine names it
    **dict.fromkeys(
        ("/.dockerenv", "/dev/console", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"),
        Entry("file", 0o755, 0, 0, 0, "", -1, 0),
    ),
    "/etc/mtab": Entry("link", 0o777, 0, 0, 0, "/proc/mounts", -1, 0),
}
"""What the engine adds to each container, where the image does not have it."""


class ImageFiles(contextlib.AbstractContextManager["ImageFiles"]):
    """The files that a container of an image would see, without running one.

    `pieces`
        A tar archive as ``docker image save`` writes it. For an image for several platforms it has the one that the
        engine would run.

    Raises `RunFailed` for anything else, and for layers that are compressed with zstd; `FileError` where there is no
    room for it. Leaving its ``with`` block frees the temporary file.
    """

    sizes: tuple[int, ...]
    """Bytes of the files in each layer, from the lowest one up. What a later layer removes counts, too."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._stack = contextlib.ExitStack()
        self._root = _Node()
        try:
            with _room():
                self._spool = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
            for piece in pieces:
                with _room():
                    self._spool.write(piece)
            with _room():
                self._spool.seek(0)
            with _readable():
                self._archive = self._stack.enter_context(tarfile.open(fileobj=self._spool))  # noqa: SIM115 - as above
                self._manifest = json.loads(self._member("manifest.json").read())[0]
                self._layers: list[str] = list(self._manifest["Layers"])
                self.sizes = tuple(self._add(number) for number in range(len(self._layers)))
        except BaseException:
            self.close()
            raise

    def find(self, path: str, *, follow: bool = True) -> Entry | None:
        """Return the file at an absolute path, or None. A symbolic link at its end is followed if `follow`."""
        node = self._found(path, follow=follow)
        return None if node is None else node.entry or _DIRECTORY

    def in_container(self, path: str, *, follow: bool = True) -> Entry | None:
        """Return the file at a path in a container that was created of the image, and not started.

        A path that ends in a slash is that of a folder, to which a link may lead.
        """
        is_folder = path.endswith(("/", "/."))
        name = posixpath.normpath(f"/{path.lstrip('/')}")
        found = self.find(path, follow=follow or is_folder) or _ADDED.get(name)
        if found is None and any(f"{volume}/".startswith(f"{name}/") for volume in self._volumes):
            found = _DIRECTORY
        return None if found is not None and is_folder and found.kind != "directory" else found

    @cached_property
    def _volumes(self) -> list[str]:
        """The folders of VOLUME, which the engine makes where the image does not have them."""
        with _readable():
            config = json.loads(self._member(self._manifest["Config"]).read()).get("config") or {}
            return [posixpath.normpath(f"/{each.lstrip('/')}") for each in config.get("Volumes") or ()]

    def walk(self) -> Iterator[tuple[str, Entry]]:
        """Yield the absolute path of everything that is not a directory, with its entry."""
        left = [("", self._root)]
        while left:
            path, node = left.pop()
            if node.entry is not None and node.entry.kind != "directory":
                yield path, node.entry
            left += [(f"{path}/{name}", each) for name, each in sorted(node.children.items(), reverse=True)]

    def folders(self, path: str) -> tuple[str, ...] | None:
        """Return the names of the folders in the folder at an absolute path; None if there is no such folder."""
        node = self._found(path, follow=True)
        if node is None or (node.entry or _DIRECTORY).kind != "directory":
            return None
        return tuple(
            name for name, each in sorted(node.children.items()) if (each.entry or _DIRECTORY).kind == "directory"
        )

    def _found(self, path: str, *, follow: bool) -> _Node | None:
        left = [part for part in reversed(path.split("/")) if part]
        place: list[_Node] = [self._root]
        links = 0
        while left:
            part = left.pop()
            if part == ".":
                continue
            if part == "..":
                place = place[:-1] or [self._root]
                continue
            node = place[-1].children.get(part)
            if node is None:
                return None
            if node.entry is not None and node.entry.kind == "link" and (left or follow):
                links += 1
                if links > _MOST_LINKS:
                    return None
                if node.entry.link.startswith("/"):
                    place = [self._root]
                left += [each for each in reversed(node.entry.link.split("/")) if each]
                continue
            place.append(node)
        return place[-1]

    @contextlib.contextmanager
    def open(self, entry: Entry) -> Iterator[IO[bytes]]:
        """Yield a stream of a file's content. Only one can be read at a time."""
        if entry.kind != "file" or not entry.size:
            yield io.BytesIO()
            return
        place = tarfile.TarInfo()
        place.size, place.offset_data = entry.size, entry.offset
        with _readable(), self._layer(entry.layer) as stream, tarfile.open(fileobj=stream, mode="r:") as layer:
            yield cast(IO[bytes], layer.extractfile(place))

    def ids(self, table: str) -> dict[str, str]:
        """Return the names in ``/etc/passwd`` or ``/etc/group``, each with its number."""
        entry = self.find(table)
        if entry is None or entry.size > _LONGEST_TABLE:
            return {}
        with self.open(entry) as stream:
            lines = stream.read().decode("utf-8", "replace").splitlines()
        return {parts[0]: parts[2] for parts in (line.split(":") for line in reversed(lines)) if len(parts) > 2}

    @cached_property
    def history(self) -> tuple[tuple[str, int], ...]:
        """The steps that made the image, oldest first: what the image says about each, and the bytes of its layer.

        Raises `RunFailed` where the steps do not match the layers.
        """
        with _readable():
            steps = json.loads(self._member(self._manifest["Config"]).read())["history"]
            full = [not step.get("empty_layer") for step in steps]
            words = [str(step.get("created_by") or "") for step in steps]
        if sum(full) != len(self.sizes):
            raise RunFailed(
                f"files: the image has {len(self.sizes)} layers and its history has {sum(full)}, so which step made "
                "which is not known; build it with docker buildx"
            )
        sizes = iter(self.sizes)
        return tuple((each, next(sizes) if has_layer else 0) for each, has_layer in zip(words, full, strict=True))

    def compressed(self) -> int:
        """Return the bytes of all layers, each compressed with gzip as for a registry.

        Some image stores keep layers compressed; they count as they are.
        """
        total = 0
        with _readable():
            for name in self._layers:
                stream = self._member(name)
                piece = stream.read(_PIECE)
                packing = None if piece.startswith(_GZIP) else zlib.compressobj(wbits=31)
                while piece:
                    total += len(piece if packing is None else packing.compress(piece))
                    piece = stream.read(_PIECE)
                total += 0 if packing is None else len(packing.flush())
        return total

    def close(self) -> None:
        """Free the temporary file."""
        self._stack.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _member(self, name: str) -> IO[bytes]:
        found = self._archive.extractfile(name)
        if found is None:
            raise KeyError(name)
        return found

    def _layer(self, number: int) -> IO[bytes]:
        name = self._layers[number]
        stream = self._member(name)
        magic = stream.read(4)
        stream.seek(0)
        if magic == _ZSTD:
            raise RunFailed(
                "files: a layer of the image is compressed with zstd, which cannot be read; "
                "build the image, and its base image, with gzip layers"
            )
        return cast(IO[bytes], gzip.GzipFile(fileobj=stream)) if magic[:2] == _GZIP else stream

    def _add(self, number: int) -> int:
        """Put a layer on those below it, and return its bytes.

        What it removes goes first, wherever in the layer that stands.
        """
        found: list[tuple[list[str], tarfile.TarInfo]] = []
        with self._layer(number) as stream, tarfile.open(fileobj=stream, mode="r:") as layer:
            while (info := layer.next()) is not None:
                # The list that tarfile keeps would hold every header of the layer.
                cast(Any, layer).members.clear()
                parts = [part for part in posixpath.normpath(f"/{info.name}").split("/") if part]
                if parts and parts[-1] == _OPAQUE:
                    self._at(parts[:-1]).children.clear()
                elif parts and parts[-1].startswith(_WHITEOUT):
                    self._at(parts[:-1]).children.pop(parts[-1].removeprefix(_WHITEOUT), None)
                else:
                    found.append((parts, info))
        for parts, info in found:
            node = self._at(parts)
            entry = self._entry(info, number)
            if entry is not None:
                node.entry = entry
                if entry.kind != "directory":
                    node.children.clear()
        # The engine counts the name that a link leads to as well.
        return sum(
            info.size if info.isreg() else len(os.fsencode(info.linkname)) if info.issym() else 0 for _, info in found
        )

    def _at(self, parts: list[str]) -> _Node:
        node = self._root
        for part in parts:
            if node.entry is not None and node.entry.kind != "directory":
                # A layer below has a file where this one has a directory.
                node.entry = None
            node = node.children.setdefault(part, _Node())
        return node

    def _entry(self, info: tarfile.TarInfo, layer: int) -> Entry | None:
        if info.islnk():
            # A second name of a file of this layer.
            return self.find(f"/{info.linkname}", follow=False)
        kind: Kind = "file" if info.isreg() else "directory" if info.isdir() else "link" if info.issym() else "other"
        size = info.size if kind == "file" else 0
        return Entry(kind, info.mode & 0o7777, info.uid, info.gid, size, info.linkname, layer, info.offset_data)


@contextlib.contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileError(
            f"files: the image cannot be kept in a temporary file ({error.strerror}); make room, or set TMPDIR to a "
            "folder that has some"
        ) from None


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """Turn what is raised about a damaged archive into an error of ours."""
    try:
        yield
    except DockdslError:
        raise
    except _BROKEN as error:
        why = printable(str(error)) or type(error).__name__
        raise RunFailed(f"files: what the engine saved is not an image's archive ({why}); see its own log") from None
