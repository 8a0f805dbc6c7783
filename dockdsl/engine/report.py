"""What a check is, and what came of the checks of a running image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import attrs

from dockdsl.engine.base import BuildResult
from dockdsl.engine.texts import cut, megabytes, printable, quoted_log, short_image
from dockdsl.errors import CheckFailed, Origin

_LONGEST_MISMATCH = 400


def clean(lines: Iterable[str]) -> tuple[str, ...]:
    """Return what a check found wrong as lines that a terminal can show: they quote what the container said."""
    return tuple(cut(printable(line), _LONGEST_MISMATCH) for line in lines)


class Check(Protocol):
    """An HTTP request, and a judgement of the answer. `dockdsl.HttpCheck` is one."""

    @property
    def method(self) -> str:
        """``GET`` and so on."""
        ...

    @property
    def path(self) -> str:
        """Path and query, from the leading slash on."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds that the whole answer may take."""
        ...

    @property
    def origin(self) -> Origin | None:
        """Where the check was written."""
        ...

    def request(self) -> tuple[Mapping[str, str], bytes | None]:
        """Return headers and body to send."""
        ...

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
        """Return what is wrong with an answer, a line each; nothing where all is as expected."""
        ...


@attrs.frozen(kw_only=True)
class CheckResult:
    """What came of one check.

    >>> print(CheckResult(method="GET", path="/healthz", status=200, seconds=0.0031))
    ok   GET /healthz 200 (3 ms)
    >>> print(CheckResult(method="GET", path="/x", status=500, mismatches=("expected status 200, got 500",)))
    FAIL GET /x: expected status 200, got 500
    """

    method: str
    path: str
    status: int | None = None
    seconds: float = 0.0
    mismatches: tuple[str, ...] = attrs.field(default=(), converter=clean)
    excerpt: str = ""
    """The beginning of the body; kept only for a check that failed."""
    origin: Origin | None = None

    @property
    def ok(self) -> bool:
        """Whether the answer was as expected."""
        return not self.mismatches

    def __str__(self) -> str:
        if self.ok:
            return f"ok   {self.method} {self.path} {self.status} ({self.seconds * 1000:.0f} ms)"
        place = f" ({self.origin})" if self.origin else ""
        body = f"; body {self.excerpt}" if self.excerpt else ""
        return f"FAIL {self.method} {self.path}: {'; '.join(self.mismatches)}{body}{place}"


@attrs.frozen(kw_only=True)
class SmokeReport:
    """What came of a smoke test.

    `ready`
        Seconds from the container's start to its first good HTTP answer.
    `log`
        The container's last lines; kept only where a check failed.
    """

    image: str
    results: tuple[CheckResult, ...]
    ready: float
    log: tuple[str, ...] = ()
    build: BuildResult | None = None

    @property
    def ok(self) -> bool:
        """Whether all checks passed."""
        return all(result.ok for result in self.results)

    def raise_for_failures(self) -> None:
        """Raise `CheckFailed`, which names the failed checks and shows the container's last output, if any failed."""
        failed = [result for result in self.results if not result.ok]
        if not failed:
            return
        lines = tuple(str(result) for result in failed)
        raise CheckFailed(
            f"test {short_image(self.image)}: {len(failed)} of {len(self.results)} checks failed; "
            "mend the image or the checks"
            + "".join(f"\n  {line}" for line in lines)
            + quoted_log(self.log, "last output of the container"),
            origin=failed[0].origin,
            failures=lines,
            summary=self.summary(),
            log=self.log,
        )

    def summary(self) -> str:
        """Return one line: how many checks passed, and what the image cost.

        >>> build = BuildResult(image="sha256:0123456789abcdef", size=6_590_000, seconds=21.3, steps=7, cached=2)
        >>> SmokeReport(image="api:dev", results=(), ready=0.21, build=build).summary()
        '0 of 0 checks passed; api:dev, 6.59 MB, built in 21.3 s (2 of 7 steps cached), ready in 0.21 s'
        """
        passed = sum(result.ok for result in self.results)
        facts = [short_image(self.image)]
        if self.build is not None:
            if self.build.size is not None:
                facts.append(megabytes(self.build.size))
            facts.append(
                f"built in {self.build.seconds:.1f} s ({self.build.cached} of {self.build.steps} steps cached)"
            )
        facts.append(f"ready in {self.ready:.2f} s")
        return f"{passed} of {len(self.results)} checks passed; {', '.join(facts)}"
