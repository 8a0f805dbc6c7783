"""The grammars of image names and platforms, as registries and engines read them."""

from __future__ import annotations

from dockdsl.syntax.lazy_regex import lazy_regex

_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_TAGGED = rf"(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?"
_DIGEST = r"@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_PART = r"[A-Za-z0-9_.-]+"

_image = lazy_regex(f"{_TAGGED}(?:{_DIGEST})?")
_platform = lazy_regex(rf"{_PART}(?:\({_PART}\))?(?:/{_PART}){{0,2}}")


def is_image(text: str) -> bool:
    """Whether a text is the name of an image: ``[registry/]name[:tag][@digest]``, the name in lower case."""
    return _image().fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether a text is a tag for a build: the name of an image without a digest."""
    return "@" not in text and is_image(text)


def is_platform(text: str) -> bool:
    """Whether a text is a platform: ``os[(version)][/architecture[/variant]]``."""
    return _platform().fullmatch(text) is not None
