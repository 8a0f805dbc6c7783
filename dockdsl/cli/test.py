"""``dockdsl test``: build the image that a Python file describes, run it, and check it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dockdsl.cli import _building
from dockdsl.cli._load import load
from dockdsl.errors import CheckFailed, EngineError, RunFailed
from dockdsl.image import Image, from_structure_test

if TYPE_CHECKING:
    import argparse

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
    parser.add_argument("--junit", metavar="FILE", help="write what came of each check into this file, as JUnit XML")


def run(options: argparse.Namespace) -> int:
    """Build, run, check, and print a line for each check and a summary."""
    image = load(options.source, Image)
    checks = (*image.checks, *(check for path in options.structure_test for check in from_structure_test(path)))
    return _building.reported(lambda: _test(image, checks, options))


def _test(image: Image, checks: tuple[Check, ...], options: argparse.Namespace) -> int:
    request = _building.request_of(image, options)
    results: list[CheckResult] = []

    def tell(result: CheckResult) -> None:
        results.append(result)
        _building.say(str(result), sys.stdout)

    error: str | None = None
    log: tuple[str, ...] = ()
    try:
        report = image.test(
            builder=_building.builder_of(options),
            request=request,
            checks=checks,
            progress=_building.progress_of(options),
            tell=tell,
            timeout=options.ready_timeout,
        )
    except CheckFailed as failure:
        log = failure.log
        # The checks are told of already.
        _building.say(failure.summary, sys.stdout)
        if failure.output:
            _building.say(failure.output, sys.stderr)
        return 1
    except EngineError as failure:
        error = failure.message
        # What a step printed belongs to the step, and stands in the message.
        log = failure.log if isinstance(failure, RunFailed) else ()
        raise
    finally:
        if options.junit is not None:
            from dockdsl.cli._files import write
            from dockdsl.cli._junit import written

            write(options.junit, written(request.tags[0] if request.tags else options.source, results, error, log))
    _building.say(report.summary(), sys.stdout)
    return 0
