"""TABLE OF CONTENTS: the formats of findings, each in the module of its name, whose `written` returns the text."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from dockdsl.lint.finding import Finding

FORMATS = ("github", "gitlab", "json", "junit", "sarif", "text")


def written(found: Sequence[Finding], name: str) -> str:
    """Return findings in one of the formats; SARIF has what is ignored, too, and the others are not to be given it."""
    text: str = import_module(f"dockdsl.lint.formats.{name}").written(found)
    return text
