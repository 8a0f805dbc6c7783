"""What package managers keep is not in the image.

Lists and archives of packages are of no use to the program, and stay in the layer of the step that wrote them: a
later step does not make the image smaller. Stages that the image is not based on may keep them.

Bad::

    FROM alpine:3.22
    RUN apk add curl=8.14.1-r2

Good::

    FROM alpine:3.22
    RUN apk add --no-cache curl=8.14.1-r2

Fix: clean up in the same RUN, pass the option for it, or mount a cache:
``Run(…, mounts=[Cache("/var/cache/apk")])``.

Source: https://github.com/hadolint/hadolint/wiki/DL3019
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dockdsl.lint.editing import IN_SCRIPT, added, fix_of
from dockdsl.lint.packages import APK, DNF, PIP, YARN, YUM, ZYPPER, Manager
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.scripts import Script
from dockdsl.lint.subject import Subject


class _Kind(NamedTuple):
    alias: str
    manager: Manager
    verbs: tuple[str, ...]
    """What writes to a cache."""
    folders: tuple[str, ...]
    """Where it is: a mount there, or removing one of them, is enough."""
    remedy: str
    options: tuple[str, ...] = ()
    """Options with which it keeps nothing."""
    cleaning: tuple[str, ...] = ()
    """What removes it."""


_RPM = ("install", "reinstall", "update", "upgrade", "groupinstall", "localinstall")
_SUSE = ("install", "in", "patch", "update", "up", "dist-upgrade", "dup")
_KINDS = (
    _Kind("DL3019", APK, ("add",), ("/var/cache/apk", "/etc/apk/cache"), "add --no-cache", ("--no-cache",)),
    _Kind("DL3032", YUM, _RPM, ("/var/cache/yum", "/var/cache/dnf"), "add yum clean all to it", cleaning=("clean",)),
    _Kind("DL3036", ZYPPER, _SUSE, ("/var/cache/zypp",), "add zypper clean to it", cleaning=("clean", "cc")),
    _Kind(
        "DL3040", DNF, _RPM, ("/var/cache/dnf", "/var/cache/libdnf5"), "add dnf clean all to it", cleaning=("clean",)
    ),
    _Kind(
        *("DL3042", PIP, ("install",), ("/root/.cache/pip",), "add --no-cache-dir"),
        options=("--no-cache-dir", "--cache-dir"),
        cleaning=("cache",),
    ),
    _Kind(
        "DL3060", YARN, ("install",), ("/usr/local/share/.cache",), "add yarn cache clean to it", cleaning=("cache",)
    ),
)


def examine(subject: Subject) -> Iterator[Fault]:
    """Find what the stages of the image keep."""
    for part in subject.parts[-1].chain() if subject.parts else ():
        for script in subject.scripts_of(part):
            for kind in _KINDS:
                yield from _kept(kind, subject, script)


def _kept(kind: _Kind, subject: Subject, script: Script) -> Iterator[Fault]:
    commands = [(each, (kind.manager.operands(each) or [""])[0]) for each in script.commands(*kind.manager.programs)]
    if not commands:
        return
    if any(verb in kind.cleaning for _, verb in commands) or any(script.caches(folder) for folder in kind.folders):
        return
    removed = [word for command in script.commands("rm") for word in command.arguments]
    if any(word.startswith(kind.folders) for word in removed):
        return
    for command, verb in commands:
        if verb in kind.verbs and not command.has(*kind.options):
            fact = f"{command.name} leaves its cache in the image"
            edits = added(subject, script, command, verb, f" {kind.options[0]}") if kind.options else ()
            fix = fix_of(edits, f"{command.name} keeps no cache")
            why = IN_SCRIPT if kind.options else "where the cache can be removed depends on what follows; do it by hand"
            at = script.place(command.at)
            yield Fault(script.line, fact, kind.remedy, at=at, fix=fix, alias=kind.alias, unfixed=why)
            break


RULE = Rule("PackageCacheKept", examine, __doc__ or "", "hint", tuple([kind.alias for kind in _KINDS]))
