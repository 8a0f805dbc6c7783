"""The verb ``import``: turn a Dockerfile into a Python file that describes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockdsl.cli.arguments import checked_output, output_arguments
from dockdsl.cli.files import compare, deliver, has_other_text
from dockdsl.cli.streams import say
from dockdsl.codegen import to_python
from dockdsl.display import argument, one_line
from dockdsl.errors import DockdslError, FileError, ProofUnavailable, SourceError
from dockdsl.loading import name_of, read_text
from dockdsl.migrate.shell_parser import is_script
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.stage import Stage
from dockdsl.origins import short_path
from dockdsl.text.parser import parse
from dockdsl.text.rendering import render

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("sources", metavar="DOCKERFILE", nargs="+", help="a Dockerfile (- is stdin)")
    output_arguments(parser)
    force = "replace the file of -o, though it may have been edited"
    parser.add_argument("--force", action="store_true", help=force)
    proof = parser.add_mutually_exclusive_group()
    prove = "require the proof that BuildKit reads the result in the same way, and say so"
    proof.add_argument("--prove", action="store_true", help=prove)
    proof.add_argument("--unproven", action="store_true", help="write the file even if the proof fails")


def run(options: argparse.Namespace) -> int:
    """Import, prove, and print, write or compare."""
    (options.source, *others) = options.sources
    if others:
        all_of_them = " ".join(map(argument, options.sources))
        fact = f"import takes one Dockerfile, and {len(options.sources)} files are named"
        raise SourceError(f"{fact}; if one makes what another one copies: python -m dockdsl migrate {all_of_them}")
    if is_script(Path(options.source)):
        fact = f"{one_line(options.source)} is a shell script, and import takes a Dockerfile"
        raise SourceError(f"{fact}; if it builds images: python -m dockdsl migrate {argument(options.source)}")
    compares, names = options.check or options.diff, ("Dockerfile", "Python file")
    output = checked_output(options.output, options.source, default=None, compares=compares, names=names)
    path = name_of(options.source)
    name = one_line(path)
    text = read_text(options.source)
    dockerfile = parse(text, path)
    source = to_python(dockerfile, source="" if options.source == "-" else short_path(path), relaid=True)
    if not _is_proven(name, text, dockerfile, source, options):
        return 1
    if output is not None and compares:
        force = " --force" if has_other_text(output, source) else ""
        here, there = (argument(short_path(path)) for path in (options.source, output))
        remedy = f"run python -m dockdsl import {here} -o {there}{force}"
        return compare(output, output, source, remedy, made="imported", diff=options.diff)
    if output is not None and not options.force and has_other_text(output, source):
        remedy = "see what would change with --diff, and use --force to replace it"
        raise FileError(f"{output}: it has other text, perhaps edited; {remedy}")
    deliver(source, output)
    _warn_of_ignored(options.source)
    return 0


def _warn_of_ignored(source: str) -> None:
    """Report a file of patterns that apply to this Dockerfile only: the Python file does not know of them."""
    path = f"{source}.dockerignore"
    try:
        # As BuildKit reads it.
        lines = Path(path).read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        return
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    fact = "this file excludes files from the context of the Dockerfile, and has no effect on a build from Python"
    say(f"{one_line(path)}: {fact}; add to the Image: ignore={patterns!r}")


def _is_proven(name: str, text: str, read: Dockerfile, source: str, options: argparse.Namespace) -> bool:
    """Report whether BuildKit reads the Dockerfile of the Python file as the original; return whether to write it."""
    from dockdsl.text.proof import prove

    made = _made(name, read, source)
    try:
        difference = prove(text, render(made))
    except ProofUnavailable as error:
        if options.prove:
            # It is about the command line, which is not a place in a file.
            error.origin = None
            raise
        if not options.unproven:
            say(f"{name}: not proven: {error.message.partition(': ')[2]}")
        return True
    except DockdslError as error:
        if not options.unproven:
            raise SourceError(
                f"{name}: the result cannot be proven: {error.message}; use --unproven to write it anyway"
            ) from None
        say(f"{name}: not proven: {error.message}")
        return True
    if difference is None:
        if options.prove:
            say(f"{name}: proven: BuildKit reads the result in the same way")
        return True
    say(f"{name}: not proven: {difference}")
    if not options.unproven:
        say("nothing was written; use --unproven to write it anyway")
    return bool(options.unproven)


def _made(name: str, read: Dockerfile, source: str) -> Dockerfile:
    """Run the Python file that is about to be written, and return its Dockerfile; `read` is the original."""
    names: dict[str, Any] = {}
    try:
        exec(compile(source, "<imported>", "exec"), names)  # noqa: S102 - `to_python` made it of literals
    except DockdslError as error:
        # Each stage is a statement, in the order of the Dockerfile.
        made = [each for each in names.values() if isinstance(each, Stage)]
        line = [*read.stages, read][len(made)].origin.line
        raise SourceError(f"{name}:{line}: it cannot be expressed in Python: {error.message}") from None
    found = names["dockerfile"]
    assert isinstance(found, Dockerfile)
    return found
