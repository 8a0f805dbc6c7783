"""``dockdsl gc``: remove what killed runs of dockdsl left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockdsl.cli import building as _building
from dockdsl.cli.streams import say, show

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--dry-run", action="store_true", help="only print what would be ended or removed")


def run(options: argparse.Namespace) -> int:
    """End and remove, and print a line for each thing."""
    return _building.reported(lambda: _sweep(dry_run=options.dry_run))


def _sweep(*, dry_run: bool) -> int:
    from dockdsl.engine.builders import BUILDERS, make_builder
    from dockdsl.engine.leftovers import owner
    from dockdsl.engine.leftovers.orphans import orphans
    from dockdsl.engine.runners.docker_sdk import DockerSdk
    from dockdsl.errors import RunFailed

    def report(thing: object, done: tuple[str, str] = ("would remove", "removed")) -> None:
        show(f"{done[not dry_run]} {thing}")

    count = 0
    for orphan in orphans():
        if dry_run or orphan.end():
            report(orphan, ("would end", "ended"))
            count += 1
    for folder in owner.left_folders():
        if not dry_run:
            owner.discard_folder(folder)
        if dry_run or not folder.exists():
            report(f"folder {folder}")
            count += 1
    # Two of them may have one storage.
    seen: set[str] = set()
    for name in BUILDERS:
        builder = make_builder(name)
        for tag in builder.left():
            if tag not in seen and (dry_run or builder.forget(tag)):
                seen.add(tag)
                report(f"image {tag} of {name}")
                count += 1
    with DockerSdk() as engine:
        kept, stuck = 0, False
        for each in engine.owned():
            if not each.is_left:
                kept += not each.doubt
                if each.doubt:
                    say(f"kept {each}: {each.doubt}")
                continue
            count += 1
            try:
                if dry_run or engine.discard(each):
                    report(each)
                else:
                    say(f"kept {each}: it is in use, or somebody else is removing it")
            except RunFailed as error:
                stuck = True
                say(f"error: {error.message}")
    if not count:
        say("nothing is left behind")
    if kept:
        say(f"left alone: {kept} of active runs, or of runs on another machine")
    return 2 if stuck else 0
