"""CheckResult and SmokeReport: what came of one check, and of all checks of an image."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from dockdsl.display import cut, printable, quoted_log, short_image
from dockdsl.engine.building import BuildResult, sized
from dockdsl.errors import CheckFailed
from dockdsl.origins import Origin
from dockdsl.secrecy import hide

_LONGEST_LINE = 400


def shown_line(text: str) -> str:
    """Return a line that a terminal can show: checks quote what the container said."""
    return cut(printable(text), _LONGEST_LINE)


def _lines(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(shown_line, lines))


def _hidden(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(hide, lines))


@attrs.frozen(kw_only=True)
class CheckResult:
    """What came of one check.

    `title`
        What was examined.
    `detail`
        What was found there, in a few words.
    `seconds`
        How long it took; None where that does not matter.
    `mismatches`
        What is wrong, a line each.
    `verdict`
        False for a result that is reported and cannot fail.
    `excerpt`
        The beginning of the server's answer; kept only for a check that failed.
    `log`
        The last lines of the check's own container; kept only for a check that failed.

    >>> print(CheckResult(title="GET /healthz", detail="200", seconds=0.0031))
    ok   GET /healthz 200 (3 ms)
    >>> print(CheckResult(title="GET /x", mismatches=("expected status 200, got 500",)))
    FAIL GET /x: expected status 200, got 500
    >>> print(CheckResult(title="start-up", detail="0.21 s, within 1 s", verdict=False))
    note start-up 0.21 s, within 1 s
    """

    title: str = attrs.field(converter=shown_line)
    detail: str = attrs.field(default="", converter=shown_line)
    seconds: float | None = None
    mismatches: tuple[str, ...] = attrs.field(default=(), converter=_lines)
    verdict: bool = True
    excerpt: str = attrs.field(default="", converter=shown_line)
    log: tuple[str, ...] = attrs.field(default=(), converter=_hidden)
    origin: Origin | None = None

    @property
    def ok(self) -> bool:
        """Whether all was as expected."""
        return not self.mismatches

    def __str__(self) -> str:
        if self.ok:
            took = "" if self.seconds is None else f"({self.seconds * 1000:.0f} ms)"
            return " ".join(filter(None, ("ok  " if self.verdict else "note", self.title, self.detail, took)))
        place = f" ({', by way of '.join(map(str, (self.origin, *self.origin.callers)))})" if self.origin else ""
        body = f"; body {self.excerpt}" if self.excerpt else ""
        return f"FAIL {self.title}: {'; '.join(self.mismatches)}{body}{place}"


@attrs.frozen(kw_only=True)
class SmokeReport:
    """What came of a smoke test.

    `ready`
        Seconds from the container's start to its first good HTTP answer; None where no server was started.
    `log`
        The last lines of the server's container; kept only where a check failed.
    """

    image: str
    results: tuple[CheckResult, ...]
    ready: float | None = None
    log: tuple[str, ...] = ()
    build: BuildResult | None = None

    @property
    def ok(self) -> bool:
        """Whether all checks passed."""
        return all(result.ok for result in self.results)

    def raise_for_failures(self) -> None:
        """Raise `CheckFailed`, which names the failed checks and shows the container's last output, if any failed."""
        __tracebackhide__ = True
        failed = [result for result in self.results if not result.ok]
        if not failed:
            return
        lines = tuple(str(result) for result in failed)
        raise CheckFailed(
            f"test {short_image(self.image)}: {len(failed)} of {len(self.results)} checks failed; "
            "fix the image or the checks" + "".join(f"\n  {line}" for line in lines) + self.output(),
            origin=failed[0].origin,
            failures=lines,
            summary=self.summary(),
            output=self.output().lstrip("\n"),
            log=self.log,
        )

    def output(self) -> str:
        """Return the last output of the containers in which checks failed, each under a title."""
        own = (quoted_log(each.log, f"last output of the container of {each.title}") for each in self.results)
        return quoted_log(self.log, "last output of the container") + "".join(own)

    def summary(self) -> str:
        """Return one line: how many checks passed, and the size and times of the image.

        >>> build = BuildResult(image="sha256:0123456789abcdef", size=6_590_000, seconds=21.3, steps=7, cached=2)
        >>> print(SmokeReport(image="api:dev", results=(), build=build).summary())
        0 of 0 checks passed; api:dev, 6.59 MB (its layers unpacked), built in 21.3 s (2 of 7 steps cached)
        """
        judged = [result for result in self.results if result.verdict]
        facts = [short_image(self.image)]
        if self.build is not None:
            build = self.build
            facts += [] if build.size is None else [sized(build.size, build.size_kind)]
            facts.append(f"built in {build.seconds:.1f} s ({build.cached} of {build.steps} steps cached)")
        if self.ready is not None:
            facts.append(f"ready in {self.ready:.2f} s")
        return f"{sum(result.ok for result in judged)} of {len(judged)} checks passed; {', '.join(facts)}"
