"""``dockdsl build``: build the images that Python files describe, and print their ids, or all of the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockdsl.cli import building as _building
from dockdsl.cli.streams import json_text, put, say, show

if TYPE_CHECKING:
    import argparse

    from dockdsl.image import Image
    from dockdsl.selection import Selected


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    _building.add_arguments(parser, "build")
    data = "print the result of the build as JSON; sizes are in bytes, times in seconds"
    parser.add_argument("--json", action="store_true", help=data)


def run(options: argparse.Namespace) -> int:
    """Build, and print the image's id, or the result of the build."""
    return _building.run_each(options, _build, lambda *_: None)


def _build(one: Selected[Image], options: argparse.Namespace) -> int:
    result = one.value.build(**_building.keywords_of(one, options))
    if options.progress != "quiet":
        say(result.summary())
    if options.json:
        from dockdsl.cli.json_results import of_build

        put(json_text(of_build(result)))
        return 0
    # Files are not an image and have no id: they are where the request said.
    show(result.image or "\n".join(result.output))
    return 0
