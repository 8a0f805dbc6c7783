"""The packages of a Go program in the build context: what it imports, as far as its own module goes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from dockdsl.context.folder import regular
from dockdsl.context.sending import BuildContext
from dockdsl.lint.shell import Command
from dockdsl.syntax.lazy_regex import lazy_regex

_MOST_FILES = 2000
_LONGEST = 1 << 20
"""Bytes that are read of a file."""
_version = lazy_regex(r"^\s*go\s+(\d+)\.(\d+)(?:\.(\d+)|(?:rc|beta)\d+)?\s*(?://.*)?$", re.MULTILINE)
_module = lazy_regex(r'^\s*module\s+"?([^\s"]+)', re.MULTILINE)
_code = lazy_regex(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|`[^`]*`|'(?:\\.|[^'\\\n])+'|[^/\"`']+|.", re.DOTALL)
_import = lazy_regex(r"(?:^|[;\n])\s*import\s*(?:\(([^)]*)\)|((?:[\w.]+\s+)?[\"`][^\"`]+[\"`]))")
_path = lazy_regex(r'["`]([^"`]+)["`]')
_is_built = lazy_regex(r"^//go:build\b(?P<when>.*)$", re.MULTILINE)
_main = lazy_regex(r"^package main\b", re.MULTILINE)
_major = lazy_regex(r"v\d+")
_suffix = lazy_regex(r"_(?P<system>[a-z0-9]+)(?:_(?P<machine>[a-z0-9]+))?\.go$")
_SYSTEMS = frozenset({"aix", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "netbsd", "openbsd", "plan9"})
_SYSTEMS |= {"solaris", "wasip1", "windows", "android"}


class Program(NamedTuple):
    """A program, as it is in the build context."""

    imports: frozenset[str]
    """What its packages import, apart from packages of its own module."""
    code: str
    """The text of its files, without comments."""


def read(context: BuildContext, path: str) -> str | None:
    """Return the text of a file of the context; None if it cannot be read."""
    try:
        place = os.path.join(context.folder.root, path)
        with open(place, encoding="utf-8", errors="replace", opener=regular) as file:
            return file.read(_LONGEST)
    except OSError:
        return None


def go_line(text: str) -> tuple[int, ...] | None:
    """Return the version that go.mod or go.work asks for.

    >>> go_line("module x\\n\\ngo 1.27.3 // latest\\n"), go_line("go 1.27\\n"), go_line("module x\\n")
    ((1, 27, 3), (1, 27), None)
    """
    found = _version().search(text)
    return tuple([int(each) for each in found.groups() if each is not None]) if found else None


def built_folders(command: Command) -> list[str] | None:
    """Return the folders of the packages that ``go build`` is given; None if that is not plain."""
    words = list(command.words[2:])
    found: list[str] = []
    while words:
        word = words.pop(0)
        if word[:1] == "-":
            if "=" not in word and word in (
                "-o",
                "-ldflags",
                "-tags",
                "-gcflags",
                "-mod",
                "-p",
                "-asmflags",
                "-buildmode",
            ):
                del words[:1]
        elif "$" in word or "@" in word:
            return None
        else:
            found.append(word)
    return found or ["."]


def program(context: BuildContext, root: str, folder: str) -> Program | None:
    """Return the program in a folder, of the module whose go.mod is in `root`; None if it cannot be read."""
    named = _module().search(read(context, f"{root}/go.mod".strip("/")) or "")
    if named is None:
        return None
    module = named[1]
    imports: set[str] = set()
    pieces: list[str] = []
    left, seen, count = [folder], {folder}, 0
    while left:
        for text in _files(context, left.pop()):
            count += 1
            if count > _MOST_FILES:
                return None
            code = "".join([piece for piece in _code().findall(text) if not piece.startswith(("//", "/*"))])
            pieces.append(code)
            for block, single in _import().findall(code):
                for path in _path().findall(block or single):
                    inside = path == module or path.startswith(f"{module}/")
                    below = f"{root}/{path[len(module) + 1 :] if inside else f'vendor/{path}'}".strip("/")
                    if not inside:
                        imports.add(path)
                    if below not in seen and (inside or context.folder.entries(below) is not None):
                        seen.add(below)
                        left.append(below)
    return Program(frozenset(imports), "\n".join(pieces)) if pieces else None


def package_name(context: BuildContext, root: str, folder: str) -> str:
    """Return how ``go build`` calls the program in a folder, of the module whose go.mod is in `root`."""
    named = _module().search(read(context, f"{root}/go.mod".strip("/")) or "")
    parts = [part for part in (folder if folder != root else named[1] if named else "").split("/") if part]
    last = parts.pop() if parts else ""
    return parts[-1] if parts and folder == root and _major().fullmatch(last) else last


def main_packages(context: BuildContext, top: str) -> Iterator[str]:
    """Yield the folders at and below one that have a program, as ``./...`` finds them."""
    left, count = [top], 0
    while left and count < _MOST_FILES:
        folder = left.pop()
        if any(_main().search(text) for text in _files(context, folder)):
            yield folder
        for name, kind in (context.folder.entries(folder) or {}).items():
            count += 1
            path = f"{folder}/{name}".strip("/")
            is_apart = name in ("vendor", "testdata") or name[0] in "_." or kind != "folder"
            if not is_apart and "go.mod" not in (context.folder.entries(path) or ()):
                left.append(path)


def _files(context: BuildContext, folder: str) -> Iterator[str]:
    for name, kind in sorted((context.folder.entries(folder) or {}).items()):
        path = f"{folder}/{name}".strip("/")
        if kind != "file" or not name.endswith(".go") or name.endswith("_test.go") or name[0] in "_.":
            continue
        suffix = _suffix().search(name)
        text = read(context, path)
        if text is None or (suffix and suffix["system"] in _SYSTEMS) or not context.is_sent(path, kind):
            continue
        when = _is_built().search(text.partition("\npackage ")[0])
        if when is None or when["when"].strip() in ("linux", "unix", "!windows"):
            yield text
