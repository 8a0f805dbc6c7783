"""What a program file (ELF) says about itself: its machine, whether it is static, and how Go built it.

Source: the ELF specification; the package ``debug/buildinfo`` of Go.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import IO, Any

import attrs

from dockdsl.errors import EngineUnavailable

_MACHINES = {
    "EM_386": "386",
    "EM_X86_64": "amd64",
    "EM_ARM": "arm",
    "EM_AARCH64": "arm64",
    "EM_RISCV": "riscv64",
    "EM_S390": "s390x",
    "EM_LOONGARCH": "loong64",
    "EM_MIPS": "mips",
    "EM_PPC64": "ppc64",
}
_LITTLE = {"ppc64": "ppc64le", "mips": "mipsle"}
_MAGIC = b"\xff Go buildinf:"
_INLINE = 2
_HEADER = 32
_SENTINEL = 16
"""Bytes that Go puts before and after the text about the module."""
_MOST = 16 << 20


@attrs.frozen
class GoBuild:
    """How Go built a program, as ``go version -m`` shows it.

    `version`, `path`, `module`
        ``go1.27.3``, the package of the program, its module.
    `settings`
        What comes after ``build``: ``CGO_ENABLED``, ``-trimpath``, ``vcs.revision`` and so on.
    """

    version: str
    path: str = ""
    module: str = ""
    settings: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Program:
    """A program file.

    `architecture`
        As in Go and in platforms of images: ``amd64``.
    `interpreter`, `needed`
        The dynamic linker that must start it, and the libraries that it must find; a static program has neither.
    """

    architecture: str
    interpreter: str | None = None
    needed: tuple[str, ...] = ()
    go: GoBuild | None = None

    @property
    def is_static(self) -> bool:
        """Whether it runs in an image that has nothing else."""
        return self.interpreter is None and not self.needed


def program_in(stream: IO[bytes]) -> Program | None:
    """Return what a file says about itself, or None if it is not an ELF file.

    Raises `EngineUnavailable` where pyelftools is not installed.
    """
    if stream.read(4) != b"\x7fELF":
        return None
    stream.seek(0)
    try:
        from elftools.common.exceptions import ELFError  # noqa: PLC0415 - it comes with an extra
        from elftools.construct import ConstructError  # noqa: PLC0415
        from elftools.elf.elffile import ELFFile  # noqa: PLC0415
    except ImportError:
        raise EngineUnavailable(
            'files: pyelftools, which reads programs, is not installed; run: pip install "dockdsl[runner]"'
        ) from None
    try:
        return _facts(ELFFile(stream))
    except (ELFError, ConstructError, ValueError, LookupError, AttributeError, TypeError, UnicodeDecodeError):
        # On damaged files, the library raises several of Python's own errors.
        return None


def _facts(elf: Any) -> Program:
    machine = str(elf["e_machine"])
    architecture = _MACHINES.get(machine, machine.removeprefix("EM_").lower())
    if elf.little_endian:
        architecture = _LITTLE.get(architecture, architecture)
    interpreter, needed = None, []
    for segment in elf.iter_segments():
        kind = segment["p_type"]
        if kind == "PT_INTERP":
            interpreter = str(segment.get_interp_name())
        elif kind == "PT_DYNAMIC":
            needed += [str(tag.needed) for tag in segment.iter_tags("DT_NEEDED")]
    section = elf.get_section_by_name(".go.buildinfo")
    go = None if section is None or section["sh_size"] > _MOST else _go(section.data())
    return Program(architecture, interpreter, tuple(needed), go)


def _go(data: bytes) -> GoBuild | None:
    """Read what Go 1.18 and later wrote into a program; earlier ones wrote addresses, which are not read."""
    if not data.startswith(_MAGIC) or len(data) < _HEADER or not data[15] & _INLINE:
        return None
    stream = io.BytesIO(data)
    stream.seek(_HEADER)
    version = _text(stream).decode("utf-8", "replace")
    about = _text(stream)
    lines = about[_SENTINEL:-_SENTINEL].decode("utf-8", "replace").splitlines()
    found: dict[str, str] = {}
    settings: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition("\t")
        if name == "build":
            key, _, setting = value.partition("=")
            settings[_unquoted(key)] = _unquoted(setting)
        elif name in ("path", "mod"):
            found[name] = value.split("\t")[0]
    return GoBuild(version, found.get("path", ""), found.get("mod", ""), settings)


def _text(stream: io.BytesIO) -> bytes:
    """Read a text that its length precedes, seven bits in a byte."""
    length = shift = 0
    while (byte := stream.read(1)) and shift < 64:
        length |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            break
        shift += 7
    return stream.read(min(length, _MOST))


def _unquoted(text: str) -> str:
    """Return a key or value without the quotes that Go adds where it has blanks."""
    if len(text) >= 2 and text[0] == text[-1] in '"`':
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    return text
