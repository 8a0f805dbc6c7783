"""``dockdsl size``: build the image that a Python file describes, and say which line adds how many bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockdsl.cli import building as _building
from dockdsl.cli.arguments import output_argument
from dockdsl.cli.files import deliver
from dockdsl.cli.local import check_file
from dockdsl.cli.several import check_files, filled
from dockdsl.cli.streams import json_text, put
from dockdsl.display import one_line
from dockdsl.errors import SourceError

if TYPE_CHECKING:
    import argparse

    from dockdsl.cli.together import Part
    from dockdsl.image import Image
    from dockdsl.selection import Selected


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    _building.add_arguments(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON; sizes are in bytes")
    form.add_argument("--svg", action="store_true", help="print a picture")
    what = "also compress the layers as for a registry, which takes a while"
    parser.add_argument("--compressed", action="store_true", help=what)
    output_argument(parser, dest="file")


def run(options: argparse.Namespace) -> int:
    """Build, and print what each line contributes."""
    return _building.run_each(options, _size, _put, check=_check, relays=False)


def _target(one: Selected[Image], options: argparse.Namespace) -> str | None:
    return None if options.file in (None, "-") else filled(one, options.file)


def _check(objects: list[Selected[Image]], is_plural: bool, options: argparse.Namespace) -> None:
    targets = [(one, _target(one, options)) for one in objects]
    check_files(targets)
    for _, target in targets:
        check_file("-o", target)
    if is_plural and options.svg and any(target is None for _, target in targets):
        raise SourceError("--svg makes a picture of each object; write each to a file with -o '{name}.svg'")


def _put(parts: list[Part], options: argparse.Namespace) -> None:
    if not options.json:
        for part in parts:
            if part.output:
                put("\n".join([f"==> {one_line(part.one.spec)} <==", *part.output, ""]))


def _size(one: Selected[Image], options: argparse.Namespace) -> int:
    report = one.value.size(**_building.keywords_of(one, options), compressed=options.compressed)
    picture = report.svg() if options.svg else f"{report.text()}\n"
    return deliver(json_text(report.data()) if options.json else picture, _target(one, options))
