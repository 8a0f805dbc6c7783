"""A folder as a build context: what is in it, read once and only where it is asked for, and where its links lead.

BuildKit follows links inside that folder, as if it were the root: nothing leads out of it.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Literal, NamedTuple

Kind = Literal["file", "folder", "link", "other"]
"""What a name stands for; other are sockets, pipes and devices."""
_MOST_LINKS = 255
"""Links that BuildKit follows in one path."""
_MOST_NAMES = 300_000
"""Names that are read of one folder and all below it, so that a huge one takes bounded time and memory."""


def regular(path: str, _flags: int = 0) -> int:
    """Open a regular file for `open` without blocking on a FIFO; raise `FileNotFoundError` for anything else."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise FileNotFoundError(errno.ENOENT, "it is not a file")
    return number


class Way(NamedTuple):
    """A path in a folder, followed as BuildKit does.

    `links`
        The links on the way, and what each says.
    `end`
        Where they lead to.
    `kind`
        What is there; None if nothing is.
    `is_known`
        Whether that could be found out: folders may be unreadable, or too large.
    `is_circle`
        Whether the links lead in a circle.
    """

    links: tuple[tuple[str, str], ...]
    end: str
    kind: Kind | None
    is_known: bool = True
    is_circle: bool = False

    @property
    def is_there(self) -> bool:
        """Whether there is something at the end."""
        return self.kind is not None


class Folder:
    """A folder, whose paths are relative and have slashes between their parts; it is ``""`` itself."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Take the path of a folder; nothing is read yet."""
        self.root = os.fspath(root)
        self._entries: dict[str, dict[str, Kind] | None] = {}
        self._left = _MOST_NAMES
        self.is_whole = True
        """Whether all that was asked for could be read."""

    def entries(self, path: str) -> dict[str, Kind] | None:
        """Return the names in a folder, and what each stands for; None if it cannot be read."""
        if path not in self._entries:
            self._entries[path] = self._read(path)
        return self._entries[path]

    def _read(self, path: str) -> dict[str, Kind] | None:
        found: dict[str, Kind] = {}
        try:
            with os.scandir(os.path.join(self.root, path)) as entries:
                for entry in entries:
                    self._left -= 1
                    if self._left < 0:
                        self.is_whole = False
                        return None
                    found[entry.name] = _kind(entry)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            self.is_whole = False
            return None
        return found

    def follow(self, path: str, *, last: bool = True) -> Way:
        """Follow the links of a path; with `last` not set, one at its end is left as it is."""
        rest, at = path.split("/")[::-1], list[str]()
        links: dict[str, str] = {}
        kind: Kind | None = "folder"
        for _ in range(_MOST_LINKS):
            while rest:
                part = rest.pop()
                if part in ("", "."):
                    continue
                if part == "..":
                    at, kind = at[:-1], "folder"
                    continue
                kind = self._kind_of(at, part) if kind == "folder" else None
                at.append(part)
                if kind == "link" and (last or any(rest)):
                    break
                if kind is None:
                    is_known = self._is_known(at[:-1])
                    ways = [each for each in rest[::-1] if each not in ("", ".")]
                    return Way(tuple(links.items()), _cleaned([*at, *ways]), None, is_known)
            else:
                return Way(tuple(links.items()), "/".join(at), kind)
            link = "/".join(at)
            try:
                target = os.readlink(os.path.join(self.root, link))
            except OSError:
                return Way(tuple(links.items()), link, None, is_known=False)
            links[link] = target
            at, kind = [] if target.startswith("/") else at[:-1], "folder"
            rest += target.split("/")[::-1]
        return Way(tuple(links.items()), "", None, is_circle=True)

    def _kind_of(self, folder: list[str], name: str) -> Kind | None:
        entries = self.entries("/".join(folder))
        return None if entries is None else entries.get(name)

    def _is_known(self, folder: list[str]) -> bool:
        """Whether it is certain that something is not in a folder."""
        while folder:
            entries = self.entries("/".join(folder[:-1]))
            if entries is None:
                return False
            if entries.get(folder[-1]) == "folder":
                return self.entries("/".join(folder)) is not None
            folder = folder[:-1]
        return self.entries("") is not None

    def leads_out(self, way: Way) -> str | None:
        """Return the link by which a path that is not there leaves the folder, to something that is there."""
        if way.is_there or not way.links:
            return None
        root = os.path.realpath(self.root)
        for link, _ in way.links:
            real = os.path.realpath(os.path.join(self.root, link))
            if os.path.commonpath([root, real]) != root and os.path.lexists(real):
                return link
        return None


def _cleaned(parts: list[str]) -> str:
    found: list[str] = []
    for part in parts:
        found = found[:-1] if part == ".." else [*found, part]
    return "/".join(found)


def _kind(entry: os.DirEntry[str]) -> Kind:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "other"
