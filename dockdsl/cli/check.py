"""The verb ``check``: find mistakes in Python build files and Dockerfiles before they are built."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from dockdsl.cli.arguments import diff_argument
from dockdsl.cli.streams import open_product, put, say, show
from dockdsl.display import counted, is_terminal, one_line, suggestion
from dockdsl.errors import SourceError
from dockdsl.lint import shellcheck
from dockdsl.lint.finding import LEVELS
from dockdsl.lint.formats import FORMATS, written
from dockdsl.linting import Checked, Given, check_sources, rules_here

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from dockdsl.lint.finding import Level


class Options:
    """What the command line says."""

    format = "text"
    severity: Level = "warning"
    explain: str | None = None
    rules = False
    part = False
    fix = False
    diff = False
    context: str | None = None
    target: Sequence[str] = ()
    build_arg: Sequence[str] = ()

    def __init__(self, *sources: str) -> None:
        self.sources = sources


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from argparse import SUPPRESS

    what = "a Python file (*.py, FILE:NAME for one object), a Dockerfile (- is stdin), or a folder with such files"
    parser.add_argument("sources", metavar="PATH", nargs="*", help=what)
    form = "how to print the findings"
    parser.add_argument("--format", choices=FORMATS, default="text", help=form)
    least = "the lowest level to report (default: warning)"
    parser.add_argument("--severity", choices=LEVELS, default="warning", help=least)
    mends = "fix what has a certain fix, show each change as a diff on stderr, and report what is left"
    parser.add_argument("--fix", action="store_true", help=mends)
    diff_argument(parser)
    parser.add_argument("--explain", metavar="RULE", help="print the page of a rule")
    parser.add_argument("--rules", action="store_true", help="list the rules")
    add_build_options(parser)
    # What a check of a folder gives the process that runs one of its files.
    parser.add_argument("--part", action="store_true", help=SUPPRESS)


def run(options: Options) -> int:
    """Check, and print; 1 if anything was found."""
    open_product()
    if options.explain is not None:
        return _explain(options.explain)
    if options.rules:
        show("".join(f"{rule.name}: {rule.summary}\n" for rule in rules_here()))
        return 0
    if not options.sources:
        raise SourceError("there is nothing to check; name a file or a folder")
    from dockdsl.engine.leftovers.interrupts import ended_by_exception

    # ShellCheck, and what runs a Python file, end with this process.
    with ended_by_exception():
        return _checked(options)


def _checked(options: Options) -> int:
    given = _given(options)
    results = _results(options, given)
    failed = False
    if options.fix or options.diff:
        from dockdsl.cli.fixes import Fixes

        fixes = Fixes(options.severity, given, writes=not options.diff, is_part=options.part)
        results = fixes.of_all(results)
        failed = fixes.failed
        if options.diff:
            return 2 if failed else int(fixes.is_changed)
    every = [each for result in results for each in result.found]
    if options.part:
        from dockdsl.lint.data import dumped, to_whole_row

        put(dumped([to_whole_row(each) for each in every]))
        return 2 if failed else 0
    wanted = LEVELS[: LEVELS.index(options.severity) + 1]
    every = [each for each in every if each.severity in wanted]
    found = [each for each in every if each.reason is None]
    text = written(every if options.format == "sarif" else found, options.format)
    if options.format != "text":
        put(text)
    elif text:
        show(text)
    if shellcheck.program() is None:
        say(f"ShellCheck is not installed, so fewer rules read the scripts of RUN; {shellcheck.REMEDY}")
    if options.format == "text":
        ignored = len(every) - len(found)
        more = f", {ignored} ignored" if ignored else ""
        say(f"{counted(len(found), 'finding')} in {counted(len(results), 'file')}{more}")
    return 2 if failed else int(bool(found))


def _results(options: Options, given: Given) -> list[Checked]:
    """Check all files; of several, show in a terminal which one is being checked."""
    if options.part or not is_terminal(sys.stderr):
        return [*check_sources(options.sources, given, is_part=options.part)]
    from dockdsl.engine.builders import live

    watch, is_possible = live.FileWatch(sys.stderr), live.is_possible()

    def turn(name: str, done: int, count: int) -> None:
        if is_possible and count > 1:
            watch.turn(one_line(name), done, count)

    try:
        return [*check_sources(options.sources, given, turn=turn)]
    finally:
        watch.end()


def add_build_options(parser: argparse.ArgumentParser) -> None:
    """Declare what says how Dockerfiles are built."""
    where = "the build context of Dockerfiles; an Image has its own"
    parser.add_argument("--context", metavar="DIR", help=where)
    stage = "a stage of a Dockerfile that is built; repeat it for each, then stages that none needs are hints"
    parser.add_argument("--target", metavar="STAGE", action="append", default=[], help=stage)
    value = "a build argument of Dockerfiles; NAME alone takes it from the environment"
    parser.add_argument("--build-arg", metavar="NAME=VALUE", action="append", default=[], help=value)


def _given(options: Options) -> Given:
    split = [each.partition("=") for each in options.build_arg]
    args = {name: value if equals else os.environ.get(name) for name, equals, value in split}
    known = {name: value for name, value in args.items() if value is not None}
    given = Given(options.context, tuple(options.target), known)
    given.check("--context")
    return given


def _explain(name: str) -> int:
    rules = rules_here()
    if re.fullmatch(r"(?i)SC\d{4}", name):
        # Each code has a page at the address that a finding names.
        name = shellcheck.NAME
    for rule in rules:
        if name.lower() in (rule.name.lower(), *(alias.lower() for alias in rule.aliases)):
            page = rule.page.rstrip().replace("``", "`").replace("::\n", ":\n")
            show(f"{rule.name} ({rule.level})\n\n{page}\n")
            return 0
    known = [name for rule in rules for name in (rule.name, *rule.aliases)]
    raise SourceError(f"--explain: there is no rule {name!r}; {suggestion(name, known, 'see --rules')}")
