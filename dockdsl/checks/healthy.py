"""Healthy: whether the image's own HEALTHCHECK passes in the running container."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Awaited
from dockdsl.checks.judging import told
from dockdsl.checks.waiting import attempts
from dockdsl.display import counted, shown
from dockdsl.secrecy import hide

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject
    from dockdsl.engine.running import Container, Executed

_LONGEST = 600.0
"""Seconds of a start period, and of one run of the command, that are waited for at most."""
_LONGEST_PAUSE = 4.0
_LEAST = 1.0
"""Seconds that a run of the command has, even where the time is nearly over."""
_CANNOT_RUN = (126, 127)
"""Exit codes of a command that is not there, or may not be run: waiting does not mend that."""
_SHELL = ("/bin/sh", "-c")
"""What runs the shell form, whatever the image says with SHELL."""
_NONE = "expected a HEALTHCHECK, got none; add Healthcheck.exec(…) to the stage"


@attrs.frozen
class _Probe:
    """The health check of an image, with the times that the engine takes for those that the image leaves out."""

    command: tuple[str, ...]
    interval: float
    timeout: float
    start_period: float
    retries: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> _Probe | None:
        """Return that of an image, None if it has none."""
        declared = config.get("Healthcheck") or {}
        kind, *words = declared.get("Test") or ["NONE"]
        command = {"CMD": words, "CMD-SHELL": [*_SHELL, *words]}.get(kind)
        if not command:
            return None

        def seconds(name: str, default: float) -> float:
            return float(declared.get(name) or 0) / 1e9 or default

        return cls(
            command=tuple(command),
            interval=seconds("Interval", 30.0),
            timeout=min(seconds("Timeout", 30.0), _LONGEST),
            start_period=min(seconds("StartPeriod", 0.0), _LONGEST),
            retries=declared.get("Retries") or 3,
        )

    def __str__(self) -> str:
        import shlex  # noqa: PLC0415 - a check is light until it is run

        return shlex.join(self.command)


@attrs.frozen(slots=False, repr=False, field_transformer=operand.named)
class Healthy(Awaited):
    """The image's own ``HEALTHCHECK`` passes in the running container.

    Its command is run in the container as the engine runs it: as the image's user, with its variables, and in
    the shell form by ``/bin/sh``, whatever `Shell` says. It is run at once, since the engine would wait for the
    interval first, and passes with exit code 0. While it fails, or takes longer than its timeout, it is run again: for
    the whole start period, and then for as many intervals as there are retries, but no longer than the time that the
    `Image` has to get ready. A command that cannot be run (exit code 126 or 127) is not run again. A start period and
    a timeout count for at most ten minutes each. A run that takes too long is not killed, as it would be by Docker, but
    continues in the container.

    As ``ready=`` of an `Image` it says that the container is ready once it passes, for which it has the time that the
    `Image` gives it, whatever start period, interval and retries say.

    Each `Image` whose container is started has this check as its last one, with ``required=False``, unless it was what
    made it ready; ``healthcheck=False`` leaves it out.

    `required`
        Whether an image without a ``HEALTHCHECK``, or with ``HEALTHCHECK NONE``, fails. If False, there is no result
        for such an image. As ``ready=``, it always needs one.

    Raises `InvalidType` if `required` is not a bool.

    >>> Healthy().title
    'healthy'

    Source: the Dockerfile reference, "HEALTHCHECK".
    """

    title = "healthy"
    required: bool = attrs.field(default=True, kw_only=True, converter=operand.flag)

    def applies(self, subject: Subject) -> bool:
        """Whether it is required, or the image has a health check."""
        return self.required or _Probe.of(subject.config) is not None

    def examine(self, subject: Subject) -> CheckResult:
        """Run the command until it passes, or the time is over."""
        probe = _Probe.of(subject.config)
        if probe is None:
            return self.result([_NONE])
        begin = time.monotonic()
        wrong = _run(
            subject,
            subject.running(),
            probe,
            probe.start_period + min(probe.retries * probe.interval, subject.timeout),
            probe.timeout,
            "give HEALTHCHECK a start_period if the server needs more time",
        )
        return self.result(wrong, detail=str(probe), seconds=time.monotonic() - begin)

    def wait(self, subject: Subject, container: Container, seconds: float, longer: str) -> list[str]:
        """Run the command until it passes, the time is over, or it cannot be run. Raises as `Subject.execute`."""
        probe = _Probe.of(subject.config)
        return [_NONE] if probe is None else _run(subject, container, probe, seconds, _LEAST, longer)


def _run(subject: Subject, container: Container, probe: _Probe, seconds: float, least: float, longer: str) -> list[str]:
    """Run the command until it passes, for `seconds`; a run has its timeout, or what is left, but at least `least`."""
    begin, runs, last = time.monotonic(), 0, None
    for left in attempts(seconds, _LONGEST_PAUSE):
        limit = min(probe.timeout, max(left, least))
        done = subject.execute(probe.command, timeout=limit, container=container)
        runs += 1
        if done.exit_code == 0:
            return []
        # One that is cut short by the end of the time says less than those before it.
        if last is None or done.exit_code is not None or limit == probe.timeout:
            last = done, limit
        if done.exit_code in _CANNOT_RUN:
            break
    assert last is not None  # it is run once at least
    effort = f"{counted(runs, 'run')} in {time.monotonic() - begin:.1f} s"
    return _differences(probe, *last, effort, longer)


def _differences(probe: _Probe, done: Executed, limit: float, effort: str, longer: str) -> list[str]:
    """Return what is wrong with a run of the command that had so many seconds, and what to do about it."""
    from dockdsl.engine.failures.causes import explain  # noqa: PLC0415 - a check is light until it is run
    from dockdsl.engine.failures.diagnosis import explained  # noqa: PLC0415 - as above

    command = str(probe)
    text = done.output.decode("utf-8", "replace")
    said = told(text)
    if done.exit_code is None:
        which = "its timeout of " if limit == probe.timeout else ""
        fact = f"expected {shown(command)} to end within {which}{round(limit, 1):g} s, but it was still running"
        remedy = "give HEALTHCHECK a longer timeout" if which else longer
        return [f"{fact}, after {effort}", said, f"let it end sooner, or {remedy}"]
    fact = f"expected exit code 0 of {shown(command)}, got {done.exit_code} after {effort}"
    known = explain(f"exit code: {done.exit_code}", hide(text).splitlines())
    if known is not None:
        return [fact, *(said + explained(known)).splitlines()]
    return [fact, said, f"see why it fails, or {longer}"]
