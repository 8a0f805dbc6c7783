"""Healthy: whether the image's own HEALTHCHECK passes in the running server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check
from dockdsl.display import counted, shown
from dockdsl.secrecy import hide

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject
    from dockdsl.engine.running import Executed

_LONGEST = 600.0
"""Seconds of a start period, and of one run of the command, that are waited for at most."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 4.0
_CANNOT_RUN = (126, 127)
"""Exit codes of a command that is not there, or may not be run: waiting does not mend that."""
_SHELL = ("/bin/sh", "-c")
"""What runs the shell form, whatever the image says with SHELL."""
_TAIL = 160
"""Characters of what the command printed that are shown."""


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


@attrs.frozen(slots=False, repr=False, field_transformer=operand.named)
class Healthy(Check):
    """The image's own ``HEALTHCHECK`` passes in the running server.

    Its command is run in the server's container as the engine runs it: as the image's user, with its variables, and in
    the shell form by ``/bin/sh``, whatever `Shell` says. It is run at once, since the engine would wait for the
    interval first, and passes with exit code 0. While it fails, or takes longer than its timeout, it is run again: for
    the whole start period, and then for as many intervals as there are retries, but no longer than the time that the
    `Image` has to get ready. A command that cannot be run (exit code 126 or 127) is not run again. Of a start period,
    and of a timeout, ten minutes count at most.

    Each `Image` with a port has this check as its last one, with ``required=False``; ``healthcheck=False`` leaves it
    out.

    `required`
        Whether an image without a ``HEALTHCHECK``, or with ``HEALTHCHECK NONE``, fails. If False, it has no result.

    Raises `InvalidType`.

    >>> Healthy().title
    'healthy'

    Source: the Dockerfile reference, "HEALTHCHECK".
    """

    title = "healthy"
    needs_server = True
    required: bool = attrs.field(default=True, kw_only=True, converter=operand.flag)

    def applies(self, subject: Subject) -> bool:
        """Whether it is required, or the image has a health check."""
        return self.required or _Probe.of(subject.config) is not None

    def examine(self, subject: Subject) -> CheckResult:
        """Run the command until it passes, or the time is over."""
        import shlex  # noqa: PLC0415 - a check is light until it is run

        probe = _Probe.of(subject.config)
        if probe is None:
            return self.result(["expected a HEALTHCHECK, got none; add Healthcheck.exec(…) to the stage"])
        command = shlex.join(probe.command)
        begin, pause, runs = time.monotonic(), _FIRST_PAUSE, 0
        deadline = begin + probe.start_period + min(probe.retries * probe.interval, subject.timeout)
        while True:
            done = subject.execute(probe.command, timeout=probe.timeout)
            runs += 1
            now = time.monotonic()
            if done.exit_code == 0:
                return self.result(detail=command, seconds=now - begin)
            if now >= deadline or done.exit_code in _CANNOT_RUN:
                return self.result(_differences(command, probe, done, f"{counted(runs, 'run')} in {now - begin:.1f} s"))
            time.sleep(min(pause, deadline - now))
            pause = min(pause * 2, _LONGEST_PAUSE)


def _differences(command: str, probe: _Probe, done: Executed, effort: str) -> list[str]:
    """Return what is wrong with the last run of a command, and what to do about it."""
    from dockdsl.engine.failures.causes import explain  # noqa: PLC0415 - a check is light until it is run
    from dockdsl.engine.failures.diagnosis import explained  # noqa: PLC0415

    text = hide(done.output.decode("utf-8", "replace").strip())
    tail = text if len(text) <= _TAIL else f"…{text[-_TAIL:]}"
    said = f"it printed {tail!r}" if text else "it printed nothing"
    if done.exit_code is None:
        fact = f"expected {shown(command)} to end within its timeout of {probe.timeout:g} s, and it still ran"
        return [f"{fact}, after {effort}", said, "let it end sooner, or give HEALTHCHECK a longer timeout"]
    fact = f"expected exit code 0 of {shown(command)}, got {done.exit_code} after {effort}"
    known = explain(f"exit code: {done.exit_code}", text.splitlines())
    if known is not None:
        return [fact, *(said + explained(known)).splitlines()]
    return [fact, said, "see why it fails, or give HEALTHCHECK a start_period if the server needs more time"]
