"""The remedies of rules, in the words of the file that they are about: a Dockerfile, or Python.

A rule writes what belongs into a Dockerfile in backticks: ```write `USER root` above```.
"""

from __future__ import annotations

import re

from dockdsl.errors import DockdslError
from dockdsl.instructions.registry import KEYWORDS, kind_for
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.text.parser import parse

_written = lazy_regex(rf"`((?:(?:{'|'.join(KEYWORDS)})(?= |`)|--[a-z]|# )[^`]*)`")


def in_dockerfile(remedy: str) -> str:
    """Return a remedy as it is read beside a Dockerfile."""
    return _written().sub(r"\1", remedy) if "`" in remedy else remedy


def in_python(remedy: str) -> str:
    """Return a remedy with the calls that write the same."""
    return _written().sub(_call, remedy) if "`" in remedy else remedy


def _call(found: re.Match[str]) -> str:
    from dockdsl.codegen.printer import quoted  # noqa: PLC0415 - Dockerfiles do not need it
    from dockdsl.codegen.steps import Writer  # noqa: PLC0415 - Dockerfiles do not need it

    text = found[1]
    if text.startswith("--"):
        name, equals, value = text[2:].partition("=")
        return f"{name.replace('-', '_')}={quoted(value) if equals else ''}"
    kind = kind_for(text)
    if kind is not None:
        return f"{kind.__name__}(…)"
    try:
        dockerfile = parse(f"FROM scratch\n{text}\n")
    except DockdslError:
        return text
    steps = dockerfile.stages[0].steps
    return (Writer(dockerfile, {}, {}, relaid=False).step(steps[0]).flat if steps else None) or text
