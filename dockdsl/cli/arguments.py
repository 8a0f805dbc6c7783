"""Arguments that several verbs have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockdsl.cli.files import is_same
from dockdsl.errors import SourceError

if TYPE_CHECKING:
    import argparse


def sources_argument(parser: argparse.ArgumentParser, *, one: bool = False) -> None:
    """Add the Python files, or one."""
    everything = "" if one else ", or * for all"
    what = f"a Python file, and the name of the object if it defines several: NAME, NAME[KEY]{everything}"
    parser.add_argument("sources", metavar="FILE[:NAME]", nargs=1 if one else "+", help=what)


def output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``-o``, ``--check`` and ``--diff``."""
    output_argument(parser)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is not up to date")
    diff_argument(parser)


def output_argument(parser: argparse.ArgumentParser, dest: str = "output") -> None:
    """Add ``-o``."""
    whole = "write to this file, completely or not at all (- is stdout); {file}, {name}, {key} are those of the object"
    parser.add_argument("-o", "--output", dest=dest, metavar="PATH", help=whole)


def diff_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--diff``."""
    what = "write nothing; print what would change; exit 1 if anything would"
    parser.add_argument("--diff", action="store_true", help=what)


def check_output(output: str, source: str, names: tuple[str, str]) -> None:
    """Refuse a path to write that is the source; `names` says what the source and the output are."""
    if not output or is_same(output, source):
        what = f"is the {names[0]} itself" if output else "is empty"
        raise SourceError(f"-o: the path {what}; name the {names[1]}")


def checked_output(
    output: str | None, source: str, *, default: str | None, compares: bool, names: tuple[str, str]
) -> str | None:
    """Return the path to write or to compare, or None for stdout.

    `default` is the path to compare if none is given; `names` says what the source and the output are.
    """
    if output is not None and output != "-":
        check_output(output, source, names)
        return output
    if not compares:
        return None
    if output == "-" or default is None:
        raise SourceError("--check and --diff compare with a file; name it with -o")
    return default
