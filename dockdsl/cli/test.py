"""``dockdsl test``: build the image that a Python file describes, run it, and check it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dockdsl.cli import _building
from dockdsl.cli._load import load
from dockdsl.errors import CheckFailed
from dockdsl.image import Image

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    _building.add_arguments(parser)
    parser.add_argument(
        "--ready-timeout",
        type=_building.seconds,
        metavar="SECONDS",
        help="how long the container may take to answer, instead of what the file says",
    )


def run(options: argparse.Namespace) -> int:
    """Build, run, check, and print a line for each check and a summary."""
    image = load(options.source, Image)
    return _building.reported(lambda: _test(image, options))


def _test(image: Image, options: argparse.Namespace) -> int:
    try:
        report = image.test(
            request=_building.request_of(image, options),
            progress=_building.progress_of(options),
            tell=lambda result: _building.say(str(result), sys.stdout),
            timeout=options.ready_timeout,
        )
    except CheckFailed as error:
        # The checks are told of already.
        _building.say(error.summary, sys.stdout)
        if error.output:
            _building.say(error.output, sys.stderr)
        return 1
    _building.say(report.summary(), sys.stdout)
    return 0
