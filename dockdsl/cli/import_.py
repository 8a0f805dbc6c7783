"""The verb ``import``: turn a Dockerfile into the Python file that makes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockdsl.cli import files as _files
from dockdsl.cli import say
from dockdsl.codegen import to_python
from dockdsl.errors import DockdslError, ProofUnavailable, SourceError
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.origins import short_path
from dockdsl.text.parser import parse
from dockdsl.text.rendering import render

if TYPE_CHECKING:
    import argparse

_STDIN = "<stdin>"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("source", metavar="DOCKERFILE", help="a Dockerfile (- is stdin)")
    parser.add_argument("-o", "--output", metavar="PATH", help="write this file, whole or not at all (- is stdout)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is not up to date")
    parser.add_argument(
        "--diff", action="store_true", help="write nothing; print what would change, exit 1 if anything"
    )
    proof = parser.add_mutually_exclusive_group()
    proof.add_argument(
        "--prove", action="store_true", help="demand the proof that BuildKit reads the same in the result, and say so"
    )
    proof.add_argument("--unproven", action="store_true", help="write the file even if the proof fails")


def run(options: argparse.Namespace) -> int:
    """Import, prove, and print, write or compare."""
    output = _output(options)
    name = _STDIN if options.source == "-" else options.source
    text = _files.read_dockerfile(options.source)
    dockerfile = parse(text, name)
    source = to_python(dockerfile, source="" if options.source == "-" else short_path(name), relaid=True)
    if not _is_proven(name, text, source, options):
        return 1
    if options.check or options.diff:
        assert output is not None  # `_output` saw to that
        remedy = f"run python -m dockdsl import {_files.argument(options.source)} -o {_files.argument(output)}"
        return _files.compare(output, output, source, remedy, made="imported", diff=options.diff)
    if output is None:
        _files.put(source)
    else:
        _files.write(output, source)
    _warn_of_ignored(options.source)
    return 0


def _warn_of_ignored(source: str) -> None:
    """Say what becomes of the patterns that count for this Dockerfile alone: the Python file does not know of them."""
    path = f"{source}.dockerignore"
    try:
        # As BuildKit reads it.
        lines = Path(path).read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        return
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    say(
        f"{path}: it says what this Dockerfile leaves out of its context, and does not count for a build from Python; "
        f"write in the Image: ignore={patterns!r}"
    )


def _output(options: argparse.Namespace) -> str | None:
    output: str | None = options.output
    if output in (None, "-"):
        if options.check or options.diff:
            raise SourceError("--check and --diff compare with a file; name it with -o", origin=None)
        return None
    assert output is not None  # it is in the tuple above
    if not output or _files.is_same(output, options.source):
        what = "is the Dockerfile itself" if output else "is empty"
        raise SourceError(f"-o: the path {what}; name the Python file", origin=None)
    return output


def _is_proven(name: str, text: str, source: str, options: argparse.Namespace) -> bool:
    """Say whether the Python file makes a Dockerfile that BuildKit reads as the original, or may be written without."""
    from dockdsl.text.proof import prove

    made = _made(name, source)
    try:
        difference = prove(text, render(made))
    except ProofUnavailable as error:
        if options.prove:
            # It is about the command line, which is no place in a file.
            error.origin = None
            raise
        if not options.unproven:
            say(f"{name}: not proven: {error.message.partition(': ')[2]}")
        return True
    except DockdslError as error:
        if not options.unproven:
            raise SourceError(
                f"{name}: the result cannot be proven: {error.message}; with --unproven it is written all the same",
                origin=None,
            ) from None
        say(f"{name}: not proven: {error.message}")
        return True
    if difference is None:
        if options.prove:
            say(f"{name}: proven: BuildKit reads the same in the result")
        return True
    say(f"{name}: not proven: {difference}")
    if not options.unproven:
        say("nothing is written; with --unproven it is")
    return bool(options.unproven)


def _made(name: str, source: str) -> Dockerfile:
    """Run the Python file that is about to be written, and return the Dockerfile that it makes."""
    names: dict[str, Any] = {}
    try:
        exec(compile(source, "<imported>", "exec"), names)  # noqa: S102 - it is made of literals, by `to_python`
    except DockdslError as error:
        raise SourceError(f"{name}: it cannot be said in Python: {error.message}", origin=None) from None
    found = names["dockerfile"]
    assert isinstance(found, Dockerfile)
    return found
