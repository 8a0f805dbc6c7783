"""The smoke test of an image: start it, wait until it answers, run the checks, and clean up whatever happens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator

import attrs

from dockdsl.checks.check import Check
from dockdsl.checks.http_client import NoAnswer
from dockdsl.checks.report import CheckResult, SmokeReport
from dockdsl.checks.subject import Readiness, Ready, Subject, afterwards
from dockdsl.display import kind_of, short_image
from dockdsl.engine.building import Builder, BuildRequest, BuildResult, Progress
from dockdsl.engine.failures.diagnosis import in_short
from dockdsl.engine.leftovers.interrupts import ended_by_exception
from dockdsl.engine.running import READY_TIMEOUT, Runner, RunRequest
from dockdsl.errors import DockdslError, Ended, RunFailed
from dockdsl.origins import Origin

ReportResult = Callable[[CheckResult], object]
"""Is called with the result of each check at once."""
ReportBuild = Callable[[BuildResult], object]
"""Is called with the result of the build when it has succeeded, before anything is run."""


def build_and_smoke(
    builder: Builder,
    runner: Runner,
    build: BuildRequest,
    run: RunRequest,
    checks: Iterable[Check],
    *,
    ready: Ready = "/",
    timeout: float = READY_TIMEOUT,
    progress: Progress | None = None,
    report: ReportResult | None = None,
    report_build: ReportBuild | None = None,
) -> SmokeReport:
    """Build an image and smoke-test it: `run` is how it is started; requests go to the first of its ports.

    What dead processes left behind is removed first. An image without a tag gets one for the time of the test, so that
    it can be removed without touching an equal one of somebody else.

    Raises what `Builder.build` and `smoke` raise.
    """
    with ended_by_exception(), built(builder, runner, build, progress) as (result, name):
        if report_build is not None:
            report_build(result)
        run = attrs.evolve(run, image=result.image)
        return smoke(runner, run, checks, ready=ready, timeout=timeout, report=report, build=result, name=name)


@contextlib.contextmanager
def built(
    builder: Builder, runner: Runner, build: BuildRequest, progress: Progress | None = None
) -> Iterator[tuple[BuildResult, str]]:
    """Build an image for the time of the block; yield the result of the build, and a name for people.

    What dead processes left behind is removed first. An image without a tag gets one until the end of the block, so
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
            # Nobody could use it afterwards.
            result = attrs.evolve(result, tags=())
        yield result, short_image(result.image) if temporary else build.tags[0]


def smoke(
    runner: Runner,
    request: RunRequest,
    checks: Iterable[Check],
    *,
    ready: Ready = "/",
    timeout: float = READY_TIMEOUT,
    report: ReportResult | None = None,
    build: BuildResult | None = None,
    name: str | None = None,
) -> SmokeReport:
    """Start a container, wait until it is ready, run the checks in order, remove the container.

    `request`
        How it is run; requests go to the first of its ports.
    `ready`
        The container is ready when this path gives an answer that is not a server error, or when this check passes.
        Where it is asked over HTTP and `request` has no ports, none is started.
    `timeout`
        Seconds until it must be ready.
    `report`
        Is called with the result of each check at once.
    `build`, `name`
        What the `SmokeReport` says of the image.

    Raises `RunFailed` if the container does not start, ends, or does not get ready in time; its last output is in the
    message. Checks that need no server are still run and reported. A container that was not asked over HTTP whether it
    is ready must run to the end of the checks. A check that fails raises nothing: see `SmokeReport.raise_for_failures`.
    """
    checks = tuple(checks)
    tested = Subject(runner, request, ready=ready, timeout=timeout, name=name, build=build)
    with ended_by_exception(), tested as subject:
        if subject.starts:
            try:
                subject.serve()
            except RunFailed:
                examined(subject, (check for check in checks if not check.needs_server), report)
                raise
        found = examined(subject, checks, report)
        if (
            subject.server is not None
            and isinstance(subject.readiness, Readiness)
            and all(each.ok for _, each in found)
        ):
            # Nobody may have asked it anything that it would leave unanswered.
            subject.check_runs(subject.server)
        failed = any(check.needs_server and not (result.ok or result.log) for check, result in found)
        log = subject.server.logs() if failed and subject.server is not None else ()
        results = tuple(result for _, result in found)
        return SmokeReport(image=subject.name, results=results, ready=subject.ready, log=log, build=build)


def _raised(error: Exception | SystemExit) -> str:
    """Return what an exception says, and where it was raised in the file of the check."""
    place = ""
    # The first frame is that of the call.
    trace = error.__traceback__.tb_next if error.__traceback__ is not None else None
    file = trace.tb_frame.f_code.co_filename if trace is not None else ""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            place = f" at {Origin(file, trace.tb_lineno)}"
        trace = trace.tb_next
    try:
        text = f": {error}"
    except Exception:  # noqa: BLE001 - even the text of an unknown exception may raise
        text = ""
    return f"examine raised {type(error).__name__}{place}{text}"


def examined(
    subject: Subject, checks: Iterable[Check], report: ReportResult | None = None
) -> tuple[tuple[Check, CheckResult], ...]:
    """Run the checks that apply in order, all of them whatever fails, and return what came of each."""
    found = []
    for check in checks:
        begin = time.monotonic()
        try:
            if not check.applies(subject):
                continue
            result = check.examine(subject)
            if not isinstance(result, CheckResult):
                result = check.result([f"examine returned {kind_of(result)}; return self.result(…)"])
        except NoAnswer as error:
            result = check.result([str(error)])
        except RunFailed as error:
            result = check.result(in_short(error), log=error.log, seconds=time.monotonic() - begin)
        except (Exception, SystemExit) as error:
            if isinstance(error, (DockdslError, Ended)) or type(check).__module__.startswith("dockdsl."):
                raise
            # The mistake is not dockdsl's.
            result = check.result([_raised(error)])
        if report is not None:
            report(result)
        found.append((check, result))
    return tuple(found)
