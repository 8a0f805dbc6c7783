"""COPY takes files from a stage above.

Another name is that of an image, or of a context that the build command names: BuildKit looks for it, and fails where
a stage was meant. A name that is close to that of a stage is a warning.

Bad::

    FROM golang:1.27 AS build
    COPY . .
    FROM scratch
    COPY --from=biuld /api /api

Good::

    FROM golang:1.27 AS build
    COPY . /src/
    FROM scratch
    COPY --from=build /src/api /api

Fix: correct the name; for an image, write its tag as well.

Source: https://github.com/hadolint/hadolint/wiki/DL3022
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.display import suggestion
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_CLOSE = 0.8
"""How like a stage's name another must be to be misspelled: biuld is like build, alpine not like alpine-base."""


def examine(subject: Subject) -> Iterator[Fault]:
    """Find names that no stage above has."""
    names: list[str] = []
    for index, part in enumerate(subject.parts):
        for line in part.steps:
            if line.keyword != "COPY":
                continue
            source = next((flag.value or "" for flag in line.flags if flag.name == "from"), "")
            is_image = any(char in source for char in ":/@$.")
            is_number = source.isdecimal() and int(source) < index
            if not source or is_image or is_number or source.lower() in names:
                continue
            if part.name is not None and source.lower() == part.name.lower():
                continue
            close = suggestion(source.lower(), names, "", least=_CLOSE)
            remedy = close or "name a stage; of an image, write the tag as well"
            yield Fault(line, f"no stage above has the name {source!r}", remedy, "warning" if close else None)
        if part.name is not None:
            names.append(part.name.lower())


RULE = Rule("UnknownCopySource", examine, __doc__ or "", "hint", ("DL3022",))
