"""A smoke test: start a container, wait until it answers over HTTP, run the checks, and remove it whatever happens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator

import attrs

from dockdsl.checks.exchange import NoAnswer
from dockdsl.checks.report import Check, CheckResult, HttpProbe, SmokeReport
from dockdsl.checks.subject import Subject, afterwards
from dockdsl.display import short_image
from dockdsl.engine.building import Builder, BuildRequest, BuildResult, Progress
from dockdsl.engine.failures.diagnosis import in_short
from dockdsl.engine.leftovers.interrupts import ended_by_exception
from dockdsl.engine.running import READY_TIMEOUT, Runner, RunRequest
from dockdsl.errors import RunFailed

Tell = Callable[[CheckResult], object]
"""What is told of each result at once."""
TellBuild = Callable[[BuildResult], object]
"""What is told of the build when it has succeeded, before anything is run."""


def build_and_smoke(
    builder: Builder,
    runner: Runner,
    build: BuildRequest,
    run: RunRequest,
    checks: Iterable[Check],
    *,
    ready: str | HttpProbe = "/",
    timeout: float = READY_TIMEOUT,
    progress: Progress | None = None,
    tell: Tell | None = None,
    tell_build: TellBuild | None = None,
) -> SmokeReport:
    """Build an image and smoke-test it: `run` with that image, asked on the first of its ports.

    What dead processes left behind is removed first. An image that has no tag gets one for the time of the test, so
    that it can be removed without touching an equal one of somebody else.

    Raises what `Builder.build` and `smoke` raise.
    """
    with ended_by_exception(), built(builder, runner, build, progress) as (result, name):
        if tell_build is not None:
            tell_build(result)
        run = attrs.evolve(run, image=result.image)
        return smoke(runner, run, checks, ready=ready, timeout=timeout, tell=tell, build=result, name=name)


@contextlib.contextmanager
def built(
    builder: Builder, runner: Runner, build: BuildRequest, progress: Progress | None = None
) -> Iterator[tuple[BuildResult, str]]:
    """Build an image for the time of the block; yield what came of it, and a name for people.

    What dead processes left behind is removed first. An image that has no tag gets one until the end of the block, so
    that it can be removed without touching an equal one of somebody else.
    """
    temporary: str | None = None
    # It comes before the build, so that a missing runner does not show only after it.
    runner.sweep()
    if not build.tags:
        temporary = runner.temporary_tag()
        build = attrs.evolve(build, tags=temporary)
    with afterwards(lambda: None if temporary is None else runner.untag(temporary)):
        result = builder.build(build, progress)
        if temporary is not None:
            # It is nothing that anybody could use afterwards.
            result = attrs.evolve(result, tags=())
        yield result, short_image(result.image) if temporary else build.tags[0]


def smoke(
    runner: Runner,
    request: RunRequest,
    checks: Iterable[Check],
    *,
    ready: str | HttpProbe = "/",
    timeout: float = READY_TIMEOUT,
    tell: Tell | None = None,
    build: BuildResult | None = None,
    name: str | None = None,
) -> SmokeReport:
    """Start a container, wait until it is ready, run the checks in order, remove the container.

    `request`
        The first of its ports is the one that is asked. Without ports, no server is started.
    `ready`
        The container is ready when this path gives an answer that is no server error, or when this check passes.
    `timeout`
        Seconds until it must be ready.
    `tell`
        Is called with each result at once.
    `build`, `name`
        What the report is to say of the image.

    Raises `RunFailed` if the container does not start, ends, or does not get ready in time; its last output is in the
    message. Checks that ask no server are run all the same, and told of. A check that fails raises nothing: see
    `SmokeReport.raise_for_failures`.
    """
    checks = tuple(checks)
    tested = Subject(runner, request, ready=ready, timeout=timeout, name=name, build=build)
    with ended_by_exception(), tested as subject:
        if request.ports:
            try:
                subject.serve()
            except RunFailed:
                examined(subject, (check for check in checks if not check.needs_server), tell)
                raise
        results = examined(subject, checks, tell)
        asked = [result for check, result in zip(checks, results, strict=True) if check.needs_server]
        failed = any(not (result.ok or result.log) for result in asked)
        log = subject.server.logs() if failed and subject.server is not None else ()
        return SmokeReport(image=subject.name, results=results, ready=subject.ready, log=log, build=build)


def examined(subject: Subject, checks: Iterable[Check], tell: Tell | None = None) -> tuple[CheckResult, ...]:
    """Run the checks in order, all of them whatever fails, and return what came of each."""
    results = []
    for check in checks:
        begin = time.monotonic()
        try:
            result = check.examine(subject)
        except NoAnswer as error:
            result = CheckResult(title=check.title, mismatches=(str(error),), origin=check.origin)
        except RunFailed as error:
            result = CheckResult(
                title=check.title,
                mismatches=in_short(error),
                origin=check.origin,
                log=error.log,
                seconds=time.monotonic() - begin,
            )
        if tell is not None:
            tell(result)
        results.append(result)
    return tuple(results)
