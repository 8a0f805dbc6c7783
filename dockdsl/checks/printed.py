"""Printed: what the container of the image has printed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Awaited
from dockdsl.checks.judging import told
from dockdsl.checks.searching import Searches
from dockdsl.checks.waiting import attempts
from dockdsl.display import printable, shown

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject
    from dockdsl.engine.running import Container

_LONGEST_PAUSE = 0.5


@attrs.frozen(slots=False, repr=False, field_transformer=operand.named)
class Printed(Awaited):
    """The running container has printed a line, on stdout or stderr, since it was started.

    As ``ready=`` of an `Image` it says that the container is ready once the line is there, for which it has the time
    that the `Image` gives it. So a server that speaks no HTTP can be tested, and a worker that listens on nothing.

    `pattern`
        A regular expression that must be found in what it printed. ``^`` and ``$`` stand for lines.
    `timeout`
        Seconds that the line may take to come, counted from when the check is run, and as many again for searching. It
        is looked for again until then, or until the container has ended.

    The first MiB of each stream is examined. Raises `InvalidValue` and `InvalidType`.

    >>> Printed("^connected to .*:5672$").title
    'printed ^connected to .*:5672$'
    >>> Printed("connected").timeout
    10.0
    """

    pattern: str = attrs.field(converter=operand.pattern)
    timeout: float = attrs.field(default=10.0, kw_only=True, converter=operand.seconds)

    @property
    def title(self) -> str:
        """What must have been printed."""
        return f"printed {self.pattern}"

    def examine(self, subject: Subject) -> CheckResult:
        """Look for the line until it is there, or the time is over."""
        begin = time.monotonic()
        wrong = self.wait(subject, subject.running(), self.timeout, "allow it a longer timeout")
        return self.result(wrong, seconds=time.monotonic() - begin)

    def wait(self, subject: Subject, container: Container, seconds: float, longer: str) -> list[str]:
        """Look for the line until it is there, the container has ended, or the time is over."""
        from dockdsl.engine.running import LONGEST_OUTPUT  # noqa: PLC0415 - a check is light until it is run

        find = Searches(seconds).in_lines
        for _ in attempts(seconds, _LONGEST_PAUSE):
            # Asked first, so that what is read after its end is all that it printed.
            state = container.state()
            printed = container.output()
            if any(find(self.pattern, each.decode("utf-8", "replace")) is not None for each in printed):
                return []
            if not state.running:
                break
        is_cut = any(len(each) >= LONGEST_OUTPUT for each in printed)
        fact = f"expected a line with a match of {shown(self.pattern)}{' in the first MiB' if is_cut else ''}"
        said = told("\n".join(container.logs()))
        if not state.running:
            return [f"{fact}, and the container {printable(str(state))}", said, "see why it ends"]
        remedy = "let it print less before" if is_cut else f"see what it waits for, or {longer}"
        return [f"{fact}, got none within {seconds:g} s", said, remedy]
