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
from collections.abc import Callable, Iterator
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
    is_pinned: Callable[[str], object]
    exempt: tuple[str, ...] = ()
    """Options with which something else gives the version."""


_KINDS = (
    _Kind("DL3008", APT, "=version", re.compile(r"[=/]|\.deb$").search),
    _Kind(
        "DL3013",
        PIP,
        "==version",
        re.compile(r"[=<>~!]=|[<>@]|^\.|^[^+]*/|\.whl$").search,
        ("-r", "--requirement", "-c"),
    ),
    _Kind("DL3016", NPM, "@version", re.compile(r".@|:|\.tgz$|\.tar|^[./]").search),
    _Kind("DL3018", APK, "=version", re.compile(r"[=<>~]|\.apk$").search),
    _Kind("DL3028", GEM, ":version", re.compile(r":").search, ("-v", "--version")),
    _Kind("DL3033", YUM, "-version", re.compile(r"-\d|\.rpm$|/").search),
    _Kind("DL3037", ZYPPER, "=version", re.compile(r"[=<>~]|\.rpm$").search),
    _Kind("DL3041", DNF, "-version", re.compile(r"-\d|\.rpm$|/").search),
    _Kind("DL3062", GO, "@version", re.compile(r"@(?!latest$)|^[./]").search),
)


def examine(subject: Subject) -> Iterator[Fault]:
    """Find packages without a version."""
    for script in subject.scripts:
        for kind in _KINDS:
            for command in script.commands(*kind.manager.programs):
                loose = _loose(kind, command)
                if loose:
                    fact = f"{loose[0]!r} has no version"
                    remedy = f"write {loose[0]}{kind.form}"
                    yield Fault(script.line, fact, remedy, at=script.place(command.at), alias=kind.alias)


def _loose(kind: _Kind, command: Command) -> list[str]:
    if kind.exempt and command.has(*kind.exempt):
        return []
    return [each for each in kind.manager.packages(command) or () if not kind.is_pinned(each)]


RULE = Rule("UnpinnedPackages", examine, __doc__ or "", "hint", tuple([kind.alias for kind in _KINDS]))
