"""The verb ``check``: find mistakes in Python build files and Dockerfiles before they are built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dockdsl.cli.streams import put, say, show
from dockdsl.display import suggestion
from dockdsl.errors import DockdslError, SourceError
from dockdsl.lint import formats
from dockdsl.lint.checking import check_dockerfile, check_text, problem
from dockdsl.lint.finding import LEVELS, Finding
from dockdsl.lint.rules import rules
from dockdsl.loading import read_text
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.selection import select, split

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = "a Python file (*.py, FILE:NAME for one object), a Dockerfile (- is stdin), or a folder with such files"
    parser.add_argument("sources", metavar="PATH", nargs="*", help=what)
    form = "how to print the findings"
    parser.add_argument("--format", choices=sorted(formats.FORMATS), default="text", help=form)
    least = "the lowest level to report (default: warning)"
    parser.add_argument("--severity", choices=LEVELS, default="warning", help=least)
    parser.add_argument("--explain", metavar="RULE", help="print the page of a rule")
    parser.add_argument("--rules", action="store_true", help="list the rules")


def run(options: argparse.Namespace) -> int:
    """Check, and print; 1 if anything was found."""
    if options.explain is not None:
        return _explain(options.explain)
    if options.rules:
        show("".join(f"{rule.name}: {rule.summary}\n" for rule in rules()))
        return 0
    if not options.sources:
        raise SourceError("there is nothing to check; name a file or a folder")
    wanted = LEVELS[: LEVELS.index(options.severity) + 1]
    paths = [path for source in options.sources for path in _files(source)]
    found = [each for path in dict.fromkeys(paths) for each in _findings(path) if each.level in wanted]
    form = formats.FORMATS[options.format]
    written = form(found)
    if options.format == "text":
        if written:
            show(written)
        count = len(found)
        say(f"{count} finding{'' if count == 1 else 's'} in {len(paths)} file{'' if len(paths) == 1 else 's'}")
    else:
        put(written)
    return 1 if found else 0


def _explain(name: str) -> int:
    for rule in rules():
        if name.lower() in (rule.name.lower(), *(alias.lower() for alias in rule.aliases)):
            show(f"{rule.name} ({rule.level})\n\n{rule.page.rstrip()}\n")
            return 0
    known = [name for rule in rules() for name in (rule.name, *rule.aliases)]
    raise SourceError(f"--explain: there is no rule {name!r}; {suggestion(name, known, 'see --rules')}")


def _files(source: str) -> Iterator[str]:
    """Yield the files that a path means: a folder's Dockerfiles, and its Python files that use dockdsl."""
    folder = Path(source)
    if source == "-" or not folder.is_dir():
        yield source
        return
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or not path.is_file():
            continue
        name = path.name.lower()
        is_dockerfile = name.startswith("dockerfile") or name.endswith(".dockerfile")
        if is_dockerfile and not name.endswith((".dockerignore", ".py")):
            yield str(path)
        elif path.suffix == ".py" and b"dockdsl" in path.read_bytes():
            yield f"{path}:*"


def _findings(spec: str) -> list[Finding]:
    """Return what is found in a file; what cannot be read is a finding, too."""
    file, name = split(spec)
    try:
        if not file.endswith(".py"):
            return check_text(read_text(file), "<stdin>" if file == "-" else file)
        chosen, _ = select(spec if name is not None else f"{file}:*", Dockerfile)
        models = {id(each.value): each.value for each in chosen}
        found = [each for value in models.values() for each in check_dockerfile(value, file)]
        # A stage that several objects share is one place.
        return list({(each.rule, str(each.origin), each.fact): each for each in found}.values())
    except DockdslError as error:
        return [problem(error, file)]
