"""The verb ``migrate``: turn the scripts and Dockerfiles of the builder pattern into one Python file of stages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dockdsl.cli.arguments import check_output, output_arguments
from dockdsl.cli.files import compare, deliver, has_other_text
from dockdsl.cli.streams import say
from dockdsl.display import argument, one_line
from dockdsl.errors import DockdslError, FileError, ProofUnavailable, SourceError
from dockdsl.loading import read_text
from dockdsl.migrate import sources, words
from dockdsl.migrate.commands import Place
from dockdsl.migrate.docker_options import Arguments
from dockdsl.migrate.draft import Draft, Image
from dockdsl.migrate.merge import Merged, merged
from dockdsl.migrate.module import file_name, to_module
from dockdsl.migrate.proof import proven
from dockdsl.migrate.recipe import Build, Recipe
from dockdsl.migrate.single import lines, split
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.origins import short_path
from dockdsl.text.parser import parse

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = "a folder, or the files by name: the script, Makefile or CI file that builds the images, and Dockerfiles"
    parser.add_argument("sources", metavar="PATH", nargs="+", help=what)
    output_arguments(parser)
    where = "where a file that a Dockerfile copies is in the image built before, if no script says so"
    parser.add_argument("--artefact", metavar="FILE=PATH", action="append", default=[], help=where)
    single = "take one Dockerfile of one stage, and propose what to compile in a stage of its own"
    parser.add_argument("--single", action="store_true", help=single)
    parser.add_argument("--force", action="store_true", help="replace a file that is there already")


def run(options: argparse.Namespace) -> int:
    """Read, merge, prove, and write or compare."""
    if options.single:
        recipe, result, read, remarks = _split(options.sources)
    else:
        files = sources.found(options.sources)
        recipe = sources.follow(files, [artefact(each) for each in options.artefact])
        try:
            result = merged(recipe)
        except SourceError:
            # Why nothing came of it.
            for note in recipe.notes:
                say(str(note))
            raise
        dockerfiles = [build.dockerfile for build in recipe.builds if isinstance(build.dockerfile, Path)]
        read, remarks = [*files.scripts, *dockerfiles], []
    path = _path(options.output, recipe.root, result)
    if path is not None:
        for each in read:
            check_output(path, str(each), (one_line(each.name), "Python file"))
    folder = recipe.root / "builds" if path is None else Path(path).resolve().parent
    source = to_module(result, recipe, dict.fromkeys(short_path(str(each)) for each in read), folder)
    made = _made(source)
    if path is not None and (options.check or options.diff):
        remedy = f"run python -m dockdsl migrate {' '.join(map(argument, options.sources))} -o {argument(path)} --force"
        return compare(path, path, source, remedy, made="migrated", diff=options.diff)
    if path is not None and not options.force and has_other_text(path, source):
        raise SourceError(
            f"{one_line(path)}: the file exists and is different; name another one with -o, or use --force"
        )
    if path is not None and options.output is None:
        try:
            Path(path).parent.mkdir(exist_ok=True)
        except OSError as error:
            raise FileError(f"{Path(path).parent}: it cannot be made ({error.strerror}); name a file with -o") from None
    deliver(source, path)
    for line in (*map(str, recipe.notes), *remarks):
        say(line)
    carried = {each.path for each, _ in result.carried}
    for name, _ in map(artefact, options.artefact):
        if Path(os.path.normpath(recipe.root / name)) not in carried:
            say(f"--artefact: no Dockerfile copies {name} from the context; see its name there")
    is_same = options.single or _say_proof(result, made)
    if path is not None:
        say(f"wrote {one_line(path)}; next: python -m dockdsl test {argument(path)}")
    return 0 if is_same else 1


def _split(names: list[str]) -> tuple[Recipe, Merged, list[Path], list[str]]:
    """Split the one Dockerfile."""
    if len(names) != 1:
        raise SourceError(f"--single: it takes one Dockerfile, and {len(names)} are named; name one")
    path = Path(names[0]) / "Dockerfile" if Path(names[0]).is_dir() else Path(names[0])
    shown = short_path(str(path))
    text = read_text(str(path))
    original = parse(text, shown)
    proposal = split(original)
    recipe = Recipe(path.resolve().parent)
    options = Arguments((("tag", words.text(recipe.root.name.lower())),), ())
    build = Build(Place(shown, 1), recipe.root, path.resolve(), options)
    stage = proposal.dockerfile.stages[-1]
    image = Image(build, original, text, stage.name or "", stage)
    result = Merged(proposal.dockerfile, Draft(recipe, recipe.root, {id(build): image}), [image], [])
    return recipe, result, [path], list(lines(proposal, shown))


def artefact(given: str) -> tuple[str, str]:
    """Read ``--artefact``."""
    name, separator, path = given.partition("=")
    if not (name and separator and path.startswith("/") and path.isprintable()):
        raise SourceError(f"--artefact: {given!r} is not FILE=PATH; write it as app=/src/app")
    return name, path


def _path(output: str | None, root: Path, result: Merged) -> str | None:
    """Return where the file goes, or None for stdout: ``builds/NAME.py`` beside what it replaces."""
    if output is not None:
        return None if output == "-" else output
    return short_path(str(root / file_name(result, root)))


def _made(source: str) -> Dockerfile:
    """Run the Python file that is about to be written, and return its Dockerfile."""
    names: dict[str, object] = {}
    try:
        exec(compile(source, "<migrated>", "exec"), names)  # noqa: S102 - it was made of literals
    except DockdslError as error:
        raise SourceError(f"migrate: the result cannot be expressed: {error.message}") from None
    found = names["dockerfile"]
    assert isinstance(found, Dockerfile)
    return found


def _say_proof(result: Merged, made: Dockerfile) -> bool:
    """Say for each Dockerfile whether its stages are those of the result; return whether none is different."""
    is_same = True
    try:
        for image, difference in proven(result, made):
            file = image.build.dockerfile
            name = one_line(short_path(str(file))) if isinstance(file, Path) else str(image.build.place)
            if difference is not None:
                is_same = False
                say(f"{name}: not proven: {difference}")
                continue
            moved = [str(change.before) for changes in image.changes.values() for change in changes]
            but = f" but for {', '.join(moved)}, which take what the host had from a stage" if moved else ""
            say(f"{name}: proven: BuildKit reads its stages in the result in the same way{but}")
    except ProofUnavailable as error:
        say(f"not proven: {error.message.partition(': ')[2]}")
    except DockdslError as error:
        say(f"not proven: {error.message}")
        is_same = False
    return is_same
