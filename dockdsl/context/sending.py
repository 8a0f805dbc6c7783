"""What of a folder a build is sent, and what a source of COPY, ADD or a mount finds there."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockdsl.context.folder import Folder, Kind, Way
from dockdsl.context.globs import is_pattern, matcher, unescaped
from dockdsl.context.ignoring import Patterns, counting
from dockdsl.errors import Refused


class Found(NamedTuple):
    """What a source without wildcards finds."""

    path: str
    """The source, as it is seen from the root of the folder."""
    way: Way
    left_out: str | None
    """The path, or the link on the way, that the ignore file leaves out."""


class Matches(NamedTuple):
    """What a source with wildcards finds."""

    folder: str
    """The folder above the first wildcard; the root is empty."""
    way: Way
    """Where that leads to."""
    present: tuple[str, ...]
    """What fits."""
    sent: tuple[str, ...]
    """What of it is sent."""
    is_known: bool
    """Whether everything could be read."""
    is_deep: bool
    """Whether it has two asterisks: these match one folder, and yet files of any depth are sent."""


def cleaned(source: str) -> str:
    """Return a source as it is seen from the root of the folder: dots, and slashes at its ends, do not count.

    >>> cleaned("../src/./app/"), cleaned("/"), cleaned("./a")
    ('src/app', '', 'a')
    """
    return posixpath.normpath("/" + source.lstrip("/"))[1:]


def is_plain(path: str) -> bool:
    """Whether a path can be written as a line of an ignore file, and stands for itself there."""
    return path.isprintable() and path == path.strip() and not set("?[]\\") & {*path} and path[:1] not in ("!", "#")


class BuildContext(NamedTuple):
    """A folder, and the patterns of what of it is left out.

    `folder`
        The folder.
    `patterns`
        What is left out.
    `ignoring`
        What has the patterns: the name of an ignore file, or ``ignore=``.
    """

    folder: Folder
    patterns: Patterns
    ignoring: str

    def letting_in(self, pattern: str) -> str:
        """Return the remedy that lets something in that is left out."""
        if not is_plain(pattern):
            return f"let it in again at the end of {self.ignoring}"
        line = f'"!{pattern}"' if self.ignoring == "ignore=" else f"!{pattern}"
        return f"add {line} at the end of {self.ignoring}"

    @classmethod
    def of(
        cls, root: str | os.PathLike[str], *, dockerfile: str | None = None, ignore: Sequence[str] | None = None
    ) -> BuildContext | None:
        """Return the context in a folder; None if it is not a folder, or has an ignore file that cannot be read.

        `dockerfile` is the path of the Dockerfile, which may have an ignore file of its own; `ignore` are patterns that
        replace both.
        """
        folder = Folder(root)
        if folder.entries("") is None and folder.is_whole:
            return None
        try:
            patterns, ignoring = counting(dockerfile, folder.root, ignore)
            return cls(folder, Patterns(patterns), ignoring)
        except (OSError, Refused):
            return None

    @staticmethod
    def refusal(
        root: str | os.PathLike[str], *, dockerfile: str | None = None, ignore: Sequence[str] | None = None
    ) -> Refused | None:
        """Return why BuildKit would refuse the patterns of a context, if it would; the arguments are those of `of`."""
        ignoring = "ignore=" if ignore is not None else ".dockerignore"
        try:
            patterns, ignoring = counting(dockerfile, os.fspath(root), ignore)
            Patterns(patterns)
        except Refused as refused:
            return refused.within(ignoring)
        except OSError:
            return None
        return None

    def walk(self, below: str = "") -> Iterator[tuple[str, Kind]]:
        """Yield the paths below a folder that are sent, each after its own folder, and what each stands for."""
        patterns = self.patterns
        top = _Level(below, self._inside(below), patterns.below(below)[1], is_yielded=True)
        levels = [top]
        while levels:
            level = levels[-1]
            for name, kind in level.rest:
                path = f"{level.path}/{name}" if level.path else name
                is_out, fitting = patterns.step(path, level.fitting)
                if kind != "folder" and not is_out:
                    yield from _unsent(levels)
                    yield path, kind
                elif kind == "folder" and not (is_out and not patterns.lets_in_below(path)):
                    levels.append(_Level(path, self._inside(path), fitting, is_yielded=False))
                    if not is_out:
                        yield from _unsent(levels)
                    break
            else:
                levels.pop()

    def _inside(self, folder: str) -> Iterator[tuple[str, Kind]]:
        return iter(sorted((self.folder.entries(folder) or {}).items()))

    def is_sent(self, path: str, kind: Kind | None) -> bool:
        """Whether a path is sent where it is asked for; a folder is if anything in it is."""
        if not self.patterns.leaves_out(path):
            return True
        if kind != "folder" or not self.patterns.lets_in_below(path):
            return False
        return next(self.walk(path), None) is not None

    def has_files(self, path: str) -> bool:
        """Whether a file below a folder is sent."""
        return any(kind != "folder" for _, kind in self.walk(path))

    def find(self, source: str) -> Found:
        """Return what a source without wildcards finds."""
        path = cleaned(source)
        way = self.folder.follow(path)
        for link, _ in way.links:
            if not self.is_sent(link, "link"):
                return Found(path, way, link)
        return Found(path, way, None if self.is_sent(way.end, way.kind) else way.end)

    def match(self, source: str) -> Matches:
        """Return what a source with wildcards finds."""
        parts = cleaned(source).split("/")
        first = next(index for index, part in enumerate(parts) if is_pattern(part))
        folder = "/".join(parts[:first])
        way = self.folder.follow(folder)
        found, is_known = [way.end], way.is_known
        try:
            for place, part in enumerate(parts[first:], first):
                fits = matcher(part) if is_pattern(part) else unescaped(part).__eq__
                above, found = found, []
                for at in above if way.kind == "folder" else ():
                    entries = self.folder.entries(at)
                    is_known &= entries is not None
                    for name, kind in (entries or {}).items():
                        if fits(name) and (kind == "folder" or place == len(parts) - 1):
                            found.append(f"{at}/{name}" if at else name)
        except Refused:
            is_known = False
        sent = [path for path in found if self.is_sent(path, self.folder.follow(path, last=False).kind)]
        return Matches(folder, way, tuple(sorted(found)), tuple(sorted(sent)), is_known, "**" in parts)


class _Level:
    """A folder on the way of a walk."""

    def __init__(self, path: str, rest: Iterator[tuple[str, Kind]], fitting: int, *, is_yielded: bool) -> None:
        self.path = path
        self.rest = rest
        self.fitting = fitting
        self.is_yielded = is_yielded


def _unsent(levels: list[_Level]) -> Iterator[tuple[str, Kind]]:
    """Yield the folders above, which are sent with the first thing in them."""
    for level in levels:
        if not level.is_yielded:
            level.is_yielded = True
            yield level.path, "folder"
