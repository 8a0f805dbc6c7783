"""``dockdsl size``: build the image that a Python file describes, and say which line adds how many bytes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dockdsl.cli import building as _building
from dockdsl.cli.arguments import output_argument
from dockdsl.cli.files import deliver
from dockdsl.image import Image
from dockdsl.selection import load

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    _building.add_arguments(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON; sizes are in bytes")
    form.add_argument("--svg", action="store_true", help="print a picture")
    what = "compress the layers, too, as for a registry: that takes a while"
    parser.add_argument("--compressed", action="store_true", help=what)
    output_argument(parser, dest="file")


def run(options: argparse.Namespace) -> int:
    """Build, and print what each line contributes."""
    # The user's file may change the current folder.
    target = None if options.file in (None, "-") else os.path.abspath(options.file)  # noqa: PTH100 - pathlib is slow
    image = load(options.sources[0], Image)
    return _building.reported(lambda: _size(image, options, target))


def _size(image: Image, options: argparse.Namespace, target: str | None) -> int:
    report = image.size(
        builder=_building.builder_of(options),
        request=_building.request_of(image, options),
        progress=_building.progress_of(options),
        compressed=options.compressed,
    )
    if options.json:
        import json

        text = f"{json.dumps(report.data(), indent=2, ensure_ascii=False)}\n"
    else:
        text = report.svg() if options.svg else f"{report.text()}\n"
    return deliver(text, target)
