"""``dockdsl test``: build the image that a Python file describes, run it, and check it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from dockdsl.checks.structure_test import from_structure_test
from dockdsl.cli import building as _building
from dockdsl.cli.local import check_file
from dockdsl.cli.streams import json_text, product, put, say, write_line
from dockdsl.display import printable, shown
from dockdsl.errors import CheckFailed, DockdslError, InvalidValue, RunFailed

if TYPE_CHECKING:
    import argparse

    from dockdsl.checks.check import Check
    from dockdsl.checks.report import CheckResult
    from dockdsl.cli.together import Part
    from dockdsl.engine.building import BuildResult
    from dockdsl.image import Image
    from dockdsl.selection import Selected


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    _building.add_arguments(parser, "test")
    several: Any = {"action": "append", "default": []}
    parser.add_argument(
        "--check", **several, metavar="TEXT", help="run only the checks whose title has this text in it"
    )
    more = "also run the tests in this file of container-structure-test"
    parser.add_argument("--structure-test", **several, metavar="YAML", help=more)
    data = "print the result of the build and of each check as JSON; times are in seconds"
    parser.add_argument("--json", action="store_true", help=data)
    parser.add_argument("--junit", metavar="FILE", help="write the result of each check to this file, as JUnit XML")


def run(options: argparse.Namespace) -> int:
    """Build, run, check, and print a line for each check and a summary, or all of it as JSON."""
    check_file("--junit", options.junit)
    return _building.run_each(options, _test, _write_junit)


def _write_junit(parts: list[Part], options: argparse.Namespace) -> None:
    if options.junit is not None:
        from dockdsl.cli.files import write
        from dockdsl.cli.junit_results import joined, written

        # One that was ended, or refused its options, has told nothing.
        write(
            options.junit,
            joined(each.junit or written(each.one.spec, [], each.error or "it was not tested") for each in parts),
        )


def _chosen(checks: tuple[Check, ...], texts: list[str]) -> tuple[Check, ...]:
    """Return the checks whose title has one of the texts, all of them where there are no texts."""
    for text in texts:
        if not text:
            raise InvalidValue("--check: the text is empty, which each title has; name a part of one", origin=None)
        if not any(text in check.title for check in checks):
            titles = "".join(f"\n  {printable(check.title)}" for check in checks)
            remedy = f"take a part of one of these{titles}" if checks else "the image has none, give it checks=…"
            raise InvalidValue(f"--check {shown(text)}: no check has that in its title; {remedy}", origin=None)
    return tuple(check for check in checks if not texts or any(text in check.title for text in texts))


def _refuse_nothing(texts: list[str], results: list[CheckResult]) -> None:
    """Refuse texts that chose nothing but a check of something that the image does not have."""
    if texts and not results:
        fact = f"--check {shown(texts[0])}: nothing was examined, since the image has no HEALTHCHECK"
        raise InvalidValue(f"{fact}; add Healthcheck.exec(…) to the stage", origin=None)


def _test(one: Selected[Image], options: argparse.Namespace) -> int:
    from dockdsl.image.health import health_check

    image = one.value
    more = (check for path in options.structure_test for check in from_structure_test(path))
    checks = _chosen((*image.checks, *more, *health_check(image)), options.check)
    keywords = _building.keywords_of(one, options)
    tags = keywords["request"].tags
    builds: list[BuildResult] = []
    results: list[CheckResult] = []
    quiet = options.progress == "quiet"
    # The product is on stdout.
    lines = (None if quiet else sys.stderr) if options.json else product()

    def report_build(result: BuildResult) -> None:
        builds.append(result)
        if not quiet:
            say(result.summary())

    def report(result: CheckResult) -> None:
        results.append(result)
        write_line(str(result), lines)

    failed: CheckFailed | None = None
    error: str | None = "the test did not come to its end"
    log: tuple[str, ...] = ()
    try:
        summary = image.test(
            **keywords, checks=checks, report=report, report_build=report_build, timeout=options.ready_timeout
        ).summary()
        _refuse_nothing(options.check, results)
        error = None
    except CheckFailed as failure:
        log = failure.log
        # The checks are reported already.
        failed, summary, error = failure, failure.summary, None
    except DockdslError as failure:
        error = failure.message
        # What a step printed belongs to the step, and is in the message.
        log = failure.log if isinstance(failure, RunFailed) else ()
        raise
    finally:
        if options.json:
            from dockdsl.cli.json_results import of_test

            put(json_text(of_test(builds[0] if builds else None, results, error)))
        if options.junit is not None:
            from dockdsl.cli.files import write
            from dockdsl.cli.junit_results import written

            xml = written(tags[0] if tags else one.spec, results, error, log)
            if options.only:
                from dockdsl.cli.together import record

                record("junit", xml)
            else:
                write(options.junit, xml)
    write_line(summary, lines)
    if failed is None:
        return 0
    if failed.output:
        say(failed.output)
    return 1
