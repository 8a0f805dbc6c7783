"""``dockdsl gc``: remove what runs of dockdsl left behind that were killed outright."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dockdsl.cli import _building

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--dry-run", action="store_true", help="remove nothing; print what would be removed")


def run(options: argparse.Namespace) -> int:
    """Remove, and print a line for each thing that was removed."""
    return _building.reported(lambda: _sweep(dry_run=options.dry_run))


def _sweep(*, dry_run: bool) -> int:
    import shutil

    from dockdsl.engine import owner
    from dockdsl.engine.docker_sdk import DockerSdk

    def tell(thing: object) -> None:
        _building.say(f"{'would remove' if dry_run else 'removed'} {thing}", sys.stdout)

    count = 0
    for folder in owner.left_folders():
        if not dry_run:
            shutil.rmtree(folder, ignore_errors=True)
        if dry_run or not folder.exists():
            tell(f"folder {folder}")
            count += 1
    with DockerSdk() as engine:
        kept = 0
        for each in engine.owned():
            if not each.is_left:
                kept += 1
            elif dry_run or engine.discard(each):
                tell(each)
                count += 1
            else:
                _building.say(f"kept {each}: it is in use, or somebody else is removing it", sys.stderr)
    if not count:
        _building.say("nothing is left behind", sys.stderr)
    if kept:
        _building.say(f"left alone: {kept} of runs that go on, or that are of another machine", sys.stderr)
    return 0
