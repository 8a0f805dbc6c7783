"""What an image ships that nobody needs to run it: compilers, sources, caches of package managers."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import Literal, get_args

import attrs

from dockdsl.checks.image_files import Entry

_COMPILERS = re.compile(
    r"(?:.*-)?(?:gcc|g\+\+|cc|c\+\+|clang|rustc|cargo|javac|ghc|go|gofmt|ld|as)(?:-[\d.]+)?"
).fullmatch
_TOOLCHAINS = re.compile(
    r"/usr/local/(?:go|rustup|cargo)/|/usr/(?:local/)?lib(?:exec)?/(?:gcc|go|llvm[^/]*|rustlib)/|/root/\.(?:rustup|cargo/bin)/"
).match
_SOURCES = (".go", ".c", ".h", ".cc", ".cpp", ".hpp", ".rs", ".java", ".kt", ".scala", ".swift", ".cs", ".ts", ".hs")
_CACHES = re.compile(
    r"/var/cache/(?:apk|apt|dnf|yum|pacman)/|/var/lib/apt/lists/|/etc/apk/cache/|/go/pkg/mod/|/usr/local/share/\.cache/"
    r"|/(?:root|home/[^/]+)/\.(?:cache|npm|m2|gradle|cargo/registry|yarn|bun|nuget)/"
).match
Kind = Literal["compiler", "sources", "caches"]


@attrs.frozen
class Unneeded:
    """Files of one kind: ``"compiler"``, ``"sources"`` or ``"caches"``; their number, their bytes, and one of them."""

    kind: Kind
    files: int
    bytes: int
    example: str


def unneeded(files: Iterable[tuple[str, Entry]]) -> tuple[Unneeded, ...]:
    """Return what an image has of each kind.

    >>> go = Entry("file", 0o755, 0, 0, 12_000_000, "", 0, 0)
    >>> unneeded([("/usr/local/go/bin/go", go), ("/api", go)])
    (Unneeded(kind='compiler', files=1, bytes=12000000, example='/usr/local/go/bin/go'),)
    """
    found: dict[Kind, list[tuple[str, int]]] = {kind: [] for kind in get_args(Kind)}
    for path, entry in files:
        kind = _kind(path, entry)
        if kind is not None:
            found[kind].append((path, entry.size))
    return tuple(
        Unneeded(kind, len(each), sum(size for _, size in each), max(each, key=lambda one: one[1])[0])
        for kind, each in found.items()
        if each
    )


def _kind(path: str, entry: Entry) -> Kind | None:
    folder, name = posixpath.split(path)
    if entry.kind != "file":
        return None
    if _CACHES(path):
        return "caches"
    if _TOOLCHAINS(path) or (posixpath.basename(folder) == "bin" and entry.mode & 0o111 and _COMPILERS(name)):
        return "compiler"
    return "sources" if name.endswith(_SOURCES) else None
