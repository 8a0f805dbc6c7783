"""The verb ``render``: print the Dockerfile of a Python file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dockdsl.cli import files as _files
from dockdsl.cli import source_argument
from dockdsl.errors import SourceError
from dockdsl.loading import load, split
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.origins import short_path
from dockdsl.text.rendering import render

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    source_argument(parser)
    parser.add_argument("-o", "--output", metavar="PATH", help="write this file, whole or not at all (- is stdout)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is not up to date")
    parser.add_argument(
        "--diff", action="store_true", help="write nothing; print what would change, exit 1 if anything"
    )
    parser.add_argument("--header", action="store_true", help="name the source and this command in a remark at the top")


def run(options: argparse.Namespace) -> int:
    """Render, and print, write or compare."""
    output = _output(options)
    # The user's file may change the current folder.
    target = None if output is None else os.path.abspath(output)  # noqa: PTH100 - pathlib takes longer to import
    dockerfile = load(options.source, Dockerfile)
    command = f"python -m dockdsl {_files.argument(options.source)}{' --header' if options.header else ''}"
    if output is not None:
        command += f" -o {_files.argument(output)}"
    text = render(dockerfile, header=_header(options.source, command) if options.header else None)
    if options.check or options.diff:
        assert output is not None  # `_output` saw to that
        assert target is not None
        return _files.compare(output, target, text, f"run {command}", made="rendered", diff=options.diff)
    if target is None:
        _files.put(text)
    else:
        _files.write(target, text)
    return 0


def _output(options: argparse.Namespace) -> str | None:
    if options.output not in (None, "-"):
        if not options.output or _files.is_same(options.output, split(options.source)[0]):
            what = "is the source itself" if options.output else "is empty"
            raise SourceError(f"-o: the path {what}; name the Dockerfile", origin=None)
        return str(options.output)
    if not (options.check or options.diff):
        return None
    root, extension = os.path.splitext(options.source)  # noqa: PTH122 - pathlib takes longer to import
    if options.output == "-" or extension != ".py":
        raise SourceError("--check and --diff compare with a file; name it with -o", origin=None)
    return f"{root}.Dockerfile"


def _header(source: str, command: str) -> str:
    return f"Generated from {short_path(source)}. Do not edit it; edit that, and run\n  {command}"
