"""The verb ``compare``: build as a builder-pattern script does and as stages, and print what each costs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from dockdsl.cli.arguments import output_argument
from dockdsl.cli.building import count, reported
from dockdsl.cli.files import is_special, write
from dockdsl.cli.local import check_file
from dockdsl.cli.migrate import artefact
from dockdsl.cli.streams import put, say
from dockdsl.compare import report
from dockdsl.compare.comparison import Comparison, from_data
from dockdsl.compare.measure import compare
from dockdsl.compare.page import page, picture
from dockdsl.compare.words import LANGUAGES, Words
from dockdsl.display import one_line
from dockdsl.errors import FileError, SourceError
from dockdsl.loading import read_text
from dockdsl.migrate import sources
from dockdsl.migrate.merge import merged
from dockdsl.migrate.module import file_name

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = "a folder, or the files by name: the script that builds the images, and Dockerfiles"
    parser.add_argument("sources", metavar="PATH", nargs="*", help=what)
    where = "where a file that a Dockerfile copies is in the image built before, if no script says so"
    parser.add_argument("--artefact", metavar="FILE=PATH", action="append", default=[], help=where)
    parser.add_argument("--change", metavar="FILE", help="the source file that gets a comment line before the rebuild")
    often = "how many times to measure each way, in turn; the shortest times count (default: 1)"
    parser.add_argument("--repeat", type=count, default=1, metavar="N", help=often)
    parser.add_argument("--from", dest="given", metavar="JSON", help="measure nothing; show what --json has written")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON; sizes are in bytes, times in seconds")
    form.add_argument("--markdown", action="store_true", help="print a table in Markdown")
    output_argument(parser)
    parser.add_argument("--html", metavar="FILE", help="also write a page with a picture")
    parser.add_argument("--svg", metavar="FILE", help="also write the picture alone")
    parser.add_argument("--lang", choices=LANGUAGES, default=LANGUAGES[0], help="the language of all but JSON (en)")


def run(options: argparse.Namespace) -> int:
    """Measure, or read what was measured, and print it."""
    if bool(options.sources) == bool(options.given):
        raise SourceError("compare: pass a folder or files to measure, or --from with a file of --json")
    return reported(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    output = None if options.output == "-" else options.output
    taken: dict[str, str] = {}
    for option, path in (("-o", output), ("--html", options.html), ("--svg", options.svg)):
        check_file(option, path)
        if path is not None and taken.setdefault(os.path.realpath(path), option) != option and not is_special(path):
            other = taken[os.path.realpath(path)]
            raise SourceError(f"{option}: {one_line(path)} is also the file of {other}; name another one")
    found = _measured(options) if options.given is None else _read(options.given)
    words = Words(options.lang)
    if options.json:
        text = json.dumps(found.data(), indent=2) + "\n"
    else:
        text = (report.markdown if options.markdown else report.text)(found, words)
    try:
        if output is not None:
            write(output, text)
    except FileError:
        # What took minutes to measure is not lost.
        put(text)
        raise
    if output is None:
        put(text)
    if options.html is not None:
        write(options.html, page(found, words))
    if options.svg is not None:
        write(options.svg, picture(found, words))
    return 0


def _measured(options: argparse.Namespace) -> Comparison:
    files = sources.found(options.sources)
    recipe = sources.follow(files, [artefact(each) for each in options.artefact])
    result = merged(recipe)
    for note in recipe.notes:
        say(str(note))
    found = compare(recipe, result, file_name(result, files.root), say, change=options.change, repeat=options.repeat)
    for line in found.notes:
        say(f"left out: {line}")
    return found


def _read(path: str) -> Comparison:
    try:
        data = json.loads(read_text(path, "comparison"))
    except (ValueError, RecursionError):
        data = None
    return from_data(data, path)
