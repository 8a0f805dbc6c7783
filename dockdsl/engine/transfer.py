"""What an image takes on its way: the size of its layers, compressed."""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dockdsl.errors import RunFailed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_PIECE = 1 << 20


def compressed(archive: Iterable[bytes]) -> int:
    """Return the bytes of all layers of a saved image, each compressed with gzip as for a registry.

    `archive`
        The pieces of a tar archive as ``docker image save`` writes it. It is read once, and never held whole.

    Raises `RunFailed` for what is no such archive.
    """
    sizes: dict[str, int] = {}
    manifest: Any = []
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Pieces(archive)), mode="r|") as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content is None:
                    continue
                if member.name == "manifest.json":
                    manifest = json.load(content)
                    continue
                size, first = 0, content.read(_PIECE)
                # Some image stores keep layers compressed.
                packing = None if first.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")) else zlib.compressobj(wbits=31)
                piece = first
                while piece:
                    size += len(piece if packing is None else packing.compress(piece))
                    piece = content.read(_PIECE)
                sizes[member.name] = size + (0 if packing is None else len(packing.flush()))
        return sum(sizes[layer] for layer in manifest[0]["Layers"])
    except (tarfile.TarError, EOFError, ValueError, LookupError, TypeError, zlib.error) as error:
        raise RunFailed(f"size: what the engine saved is no archive of an image ({error}); see its own log") from None


class _Pieces(io.RawIOBase):
    """The pieces of an archive as a file that is read on and on."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        target = memoryview(buffer)
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
