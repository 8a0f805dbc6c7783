"""The grammars of image names and platforms, as registries and engines read them."""

from __future__ import annotations

from dockdsl.syntax.lazy_regex import lazy_regex

_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_TAGGED = rf"(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?"
_DIGEST = r"@sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})"
_PART = r"[A-Za-z0-9_.-]+"
_OS = r"([A-Za-z0-9_-]+)(?:\([A-Za-z0-9_.%-]*(?:\+[A-Za-z0-9_.%-]+)*\))?"

# 64 hexadecimal digits would be the id of an image.
_image = lazy_regex(f"(?![0-9a-f]{{64}}$){_TAGGED}(?:{_DIGEST})?")
_platform = lazy_regex(rf"{_OS}(/{_PART}){{0,2}}")
_KNOWN = """
    aix android darwin dragonfly freebsd hurd illumos ios js linux macos nacl netbsd openbsd plan9 solaris windows zos
    386 aarch64 amd64 amd64p32 arm arm64 arm64be armbe armel armhf i386 loong64 mips mips64 mips64le mips64p32
    mips64p32le mipsle ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm x86-64 x86_64
"""
"""Systems and architectures that may stand alone."""


def is_image(text: str) -> bool:
    """Whether a text is the name of an image: ``[registry/]name[:tag][@digest]``, the name in lower case."""
    return _image().fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether a text is a tag for a build: the name of an image without a digest."""
    return "@" not in text and is_image(text)


def is_platform(text: str) -> bool:
    """Whether a text is a platform: ``os[(version)][/architecture[/variant]]``, or an architecture."""
    found = _platform().fullmatch(text)
    return found is not None and (found[2] is not None or found[1].lower() in _KNOWN.split())
