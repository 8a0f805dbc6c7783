"""``dockdsl test``: build the image that a Python file describes, run it, and check it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dockdsl.cli import _building
from dockdsl.cli._load import load
from dockdsl.errors import CheckFailed, DockdslError
from dockdsl.image import Image, from_structure_test

if TYPE_CHECKING:
    import argparse

    from dockdsl.engine.base import BuildResult
    from dockdsl.engine.report import CheckResult
    from dockdsl.image.check import Check


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    _building.add_arguments(parser)
    parser.add_argument(
        "--ready-timeout",
        type=_building.seconds,
        metavar="SECONDS",
        help="how long the container may take to answer, instead of what the file says",
    )
    parser.add_argument(
        "--structure-test",
        action="append",
        default=[],
        metavar="YAML",
        help="check what this file of container-structure-test says as well",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print what came of the build and of each check as JSON; times are in seconds",
    )
    parser.add_argument("--junit", metavar="FILE", help="write what came of each check into this file, as JUnit XML")


def run(options: argparse.Namespace) -> int:
    """Build, run, check, and print a line for each check and a summary, or all of it as JSON."""
    image = load(options.source, Image)
    checks = (*image.checks, *(check for path in options.structure_test for check in from_structure_test(path)))
    return _building.reported(lambda: _test(image, checks, options))


def _test(image: Image, checks: tuple[Check, ...], options: argparse.Namespace) -> int:
    request = _building.request_of(image, options)
    builds: list[BuildResult] = []
    results: list[CheckResult] = []
    quiet = options.progress == "quiet"
    # The product is on stdout.
    lines = (None if quiet else sys.stderr) if options.json else sys.stdout

    def tell_build(result: BuildResult) -> None:
        builds.append(result)
        if not quiet:
            _building.say(result.summary(), sys.stderr)

    def tell(result: CheckResult) -> None:
        results.append(result)
        _building.say(str(result), lines)

    failed: CheckFailed | None = None
    error: str | None = "the test did not come to its end"
    try:
        summary = image.test(
            builder=_building.builder_of(options),
            request=request,
            checks=checks,
            progress=_building.progress_of(options),
            tell=tell,
            tell_build=tell_build,
            timeout=options.ready_timeout,
        ).summary()
        error = None
    except CheckFailed as failure:
        # The checks are told of already.
        failed, summary, error = failure, failure.summary, None
    except DockdslError as failure:
        error = failure.message
        raise
    finally:
        if options.junit is not None:
            from dockdsl.cli._files import write
            from dockdsl.cli._junit import written

            write(options.junit, written(request.tags[0] if request.tags else options.source, results, error))
        if options.json:
            from dockdsl.cli._json import of_test

            _building.say_json(of_test(builds[0] if builds else None, results, error))
    _building.say(summary, lines)
    if failed is None:
        return 0
    if failed.output:
        _building.say(failed.output, sys.stderr)
    return 1
