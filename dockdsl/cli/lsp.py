"""The verb ``lsp``: the server for editors, which speaks the Language Server Protocol on stdin and stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockdsl.cli.streams import open_product
from dockdsl.errors import SourceError

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from argparse import SUPPRESS

    runs = "run no Python file, and no rules of a project's own: only Dockerfiles are checked"
    parser.add_argument("--no-run", action="store_true", help=runs)
    # Editors add it to the command.
    parser.add_argument("--stdio", action="store_true", help=SUPPRESS)
    # What the server starts to check with.
    parser.add_argument("--worker", action="store_true", help=SUPPRESS)


def run(options: argparse.Namespace) -> int:
    """Serve until the editor goes."""
    stream = open_product()
    if options.worker:
        from dockdsl.editor.worker import serve

        serve(stream)
    try:
        from dockdsl.editor.features import start
    except ModuleNotFoundError:
        raise SourceError(
            'pygls is not installed, which speaks with editors; run: pip install "dockdsl[editor]"'
        ) from None
    return start(stream.buffer, runs=not options.no_run)
