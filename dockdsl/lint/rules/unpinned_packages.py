"""Packages have a version.

Without one, another build gets other programs; with one, it gets the same, or fails where the version is gone.

Bad::

    FROM alpine:3.22
    RUN apk add --no-cache curl

Good::

    FROM alpine:3.22
    RUN apk add --no-cache curl=8.14.1-r2

Fix: name the version, or a file with versions. Distributions remove old versions from their servers, so this is a
matter of taste.

Source: https://github.com/hadolint/hadolint/wiki/DL3008
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dockdsl.lint.packages import APK, APT, DNF, GEM, GO, NPM, PIP, YUM, ZYPPER, Manager
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.shell import Command
from dockdsl.lint.subject import Subject


class _Kind(NamedTuple):
    alias: str
    manager: Manager
    form: str
    """How a version is given."""
    pinned: str
    """Finds what has a version; it is compiled when it is looked for."""
    exempt: tuple[str, ...] = ()
    """Options with which something else gives the version."""


_KINDS = (
    _Kind("DL3008", APT, "=version", r"[=/]|\.deb$"),
    _Kind(
        "DL3013",
        PIP,
        "==version",
        r"[=<>~!]=|[<>@]|^\.|^[^+]*/|\.whl$",
        ("-r", "--requirement", "-c"),
    ),
    _Kind("DL3016", NPM, "@version", r".@|:|\.tgz$|\.tar|^[./]"),
    _Kind("DL3018", APK, "=version", r"[=<>~]|\.apk$"),
    _Kind("DL3028", GEM, ":version", r":", ("-v", "--version")),
    _Kind("DL3033", YUM, "-version", r"-\d|\.rpm$|/"),
    _Kind("DL3037", ZYPPER, "=version", r"[=<>~]|\.rpm$"),
    _Kind("DL3041", DNF, "-version", r"-\d|\.rpm$|/"),
    _Kind("DL3062", GO, "@version", r"@(?!latest$)|^[./]"),
)


def examine(subject: Subject) -> Iterator[Fault]:
    """Find packages without a version."""
    for kind in _KINDS:
        for script, command in subject.commands(*kind.manager.programs):
            loose = _loose(kind, command)
            if loose:
                fact = f"{loose[0]!r} has no version"
                remedy = f"write {loose[0]}{kind.form}"
                yield Fault(script.line, fact, remedy, at=script.place(command.at), alias=kind.alias)


def _loose(kind: _Kind, command: Command) -> list[str]:
    if kind.exempt and command.has(*kind.exempt):
        return []
    return [each for each in kind.manager.packages(command) or () if not re.search(kind.pinned, each)]


RULE = Rule("UnpinnedPackages", examine, __doc__ or "", "hint", tuple([kind.alias for kind in _KINDS]))
