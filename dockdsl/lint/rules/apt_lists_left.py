"""The lists of apt are not left in the image.

``apt-get update`` fills ``/var/lib/apt/lists`` with tens of megabytes that the image never uses. ``apt-get clean``
removes packages, and not these. A later step does not make the image smaller; stages that the image is not based on
may keep them.

Bad::

    FROM debian:13-slim
    RUN apt-get update && apt-get install -y --no-install-recommends tree=2.2.1-1
    CMD ["tree"]

Good::

    FROM debian:13-slim
    RUN apt-get update && apt-get install -y --no-install-recommends tree=2.2.1-1 \\
     && rm -rf /var/lib/apt/lists/*
    CMD ["tree"]

Fix: remove them in the same RUN, or mount caches:
``Run(…, mounts=[Cache("/var/cache/apt", sharing="locked"), Cache("/var/lib/apt", sharing="locked")])``.

Source: https://docs.docker.com/build/building/best-practices/#apt-get
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.effects import Ran
from dockdsl.lint.finding import Level
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.shell import Command
from dockdsl.lint.subject import Subject

_LISTS = "/var/lib/apt/lists"
_APT = ("apt-get", "apt", "aptitude")
_RUNNING = ("CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "USER")
_CLEANING = ("dist-clean", "distclean")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find updates that leave their lists in a layer."""
    # One from which nothing is run, as for generating files, is seldom kept.
    runs = any(each.instruction.keyword in _RUNNING for stage in subject.layers for each in stage.steps)
    for stage in subject.layers:
        for run in stage.runs():
            updates = [each for each in run.script.commands(*_APT) if "update" in each.arguments]
            if updates and not _is_clean(run, updates[-1]):
                fact = f"{updates[0].name} update leaves its lists in the image"
                level: Level | None = None if runs else "hint"
                remedy = f"add rm -rf {_LISTS}/* to it"
                yield Fault(run.line, fact, remedy, level, run.script.place(updates[0].at))


def _is_clean(run: Ran, update: Command) -> bool:
    """Whether the lists are not in the layer, or what is removed behind an update may be these."""
    if any(f"{_LISTS}/".startswith(f"{target}/") for target, _ in run.caches):
        return True
    behind = [each for each in run.script.commands("cd", "rm", "find", *_APT) if each.at > update.at]
    if any({*_CLEANING} & {*each.arguments} for each in behind):
        return True
    return any(_may_name(word) for each in behind if each.name not in _APT for word in each.arguments)


def _may_name(word: str) -> bool:
    """Whether a word may name the folder of the lists, one above it, or something in it."""
    if "$" in word or "{" in word:
        # As "${lists}"/* and, in bash, /var/lib/{apt,dpkg}.
        is_named = word.startswith("$") and any(each in word.lower() for each in ("apt", "list"))
        return is_named or word.startswith(("/var/lib/{", "/var/{", "/{"))
    path = word.rstrip("*").rstrip("/")
    return bool(path) and (path.startswith(_LISTS) or f"{_LISTS}/".startswith(f"{path}/"))


RULE = Rule("AptListsLeft", examine, __doc__ or "", aliases=("DL3009", "apt-lists-left"))
