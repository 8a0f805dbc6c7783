"""The verb ``fmt``: format Dockerfiles without changing what they mean."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING, NamedTuple

from dockdsl.cli.arguments import diff_argument
from dockdsl.cli.files import difference, is_special, write
from dockdsl.cli.streams import put, report, say, show
from dockdsl.display import one_line
from dockdsl.errors import DockdslError, FileError, SourceError
from dockdsl.loading import name_of, read_text
from dockdsl.text.confirming import UNPROVEN, confirm
from dockdsl.text.formatting import reformat

if TYPE_CHECKING:
    import argparse


class _Formatted(NamedTuple):
    path: str
    name: str
    """The path as messages show it."""
    before: str
    after: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", metavar="DOCKERFILE", nargs="+", help="a Dockerfile (- formats stdin to stdout)")
    check = "write nothing; list the files that are not formatted; exit 1 if there are any"
    parser.add_argument("--check", action="store_true", help=check)
    diff_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Format all files, and write those that change; write none if one of them cannot be formatted."""
    if "-" in options.files and len(options.files) > 1:
        raise SourceError("-: stdin cannot be combined with files; name files, or - alone")
    files: list[_Formatted] = []
    proven = True
    named: dict[str, str] = {}
    for path in options.files:
        # A file that is named twice is formatted once.
        named.setdefault(os.path.realpath(path), path)
    for path in named.values():
        try:
            found = _formatted(path)
            proven &= confirm(found.before, found.after, f"{found.name}: the formatted text")
            files.append(found)
        except DockdslError as error:
            report(error)
    if len(files) < len(named):
        if len(named) > 1:
            say("no files were changed")
        return 2
    if not proven:
        say(UNPROVEN)
    if options.check or options.diff:
        return _list(files, diff=options.diff)
    for each in files:
        if each.path == "-":
            put(each.after)
        elif each.before != each.after:
            write(each.path, each.after)
            say(f"{each.name}: formatted")
    return 0


def _formatted(path: str) -> _Formatted:
    if path.endswith(".py"):
        raise SourceError(f"{one_line(path)}: it is a Python file; name a Dockerfile")
    if path != "-" and is_special(path):
        raise FileError(f"{one_line(path)}: it is not a regular file; use - to format stdin")
    name = one_line(name_of(path))
    before = read_text(path)
    return _Formatted(path, name, before, reformat(before, name))


def _list(files: list[_Formatted], *, diff: bool) -> int:
    """List the files that are not formatted, or print what would change in them; return the exit code."""
    changed = [each for each in files if each.before != each.after]
    for each in changed:
        if diff:
            put(difference(each.before, each.after, each.name, "formatted"))
        else:
            show(f"{each.name}\n")
    return 1 if changed else 0
