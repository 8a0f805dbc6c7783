"""TABLE OF CONTENTS: the instructions of a stage, by their keywords."""

from __future__ import annotations

from importlib import import_module

from dockdsl.instructions.instruction import Instruction

# The class of a keyword is its module's: ADD is `Add` in `dockdsl.instructions.add`.
KEYWORDS = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
]
_kinds: dict[str, type[Instruction]] = {}


def kind_for(keyword: str) -> type[Instruction] | None:
    """Return the class of the instruction with a keyword (in capitals), imported when it is first asked for."""
    kind = _kinds.get(keyword)
    if kind is None and keyword in KEYWORDS:
        kind = getattr(import_module(f"dockdsl.instructions.{keyword.lower()}"), keyword.capitalize())
        _kinds[keyword] = kind
    return kind


def register(kind: type[Instruction]) -> None:
    """Make an instruction known: texts with its keyword are read, described and written as Python like the others."""
    _kinds[kind.KEYWORD] = kind
    if kind.KEYWORD not in KEYWORDS:
        KEYWORDS.append(kind.KEYWORD)
