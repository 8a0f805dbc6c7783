"""The grammars of image names and platforms, as registries and engines read them."""

from __future__ import annotations

import re

_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_TAGGED = rf"(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?"
_DIGEST = r"@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_PART = r"[A-Za-z0-9_.-]+"

is_image = re.compile(f"{_TAGGED}(?:{_DIGEST})?").fullmatch
"""Whether a text is the name of an image: ``[registry/]name[:tag][@digest]``, the name in lower case."""
is_tag = re.compile(_TAGGED).fullmatch
"""Whether a text is a name that a build may give: that of an image, without a digest."""
is_platform = re.compile(rf"{_PART}(?:\({_PART}\))?(?:/{_PART}){{0,2}}").fullmatch
"""Whether a text is a platform: ``os[(version)][/architecture[/variant]]``."""
