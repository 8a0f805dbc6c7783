"""SizeBudget and StartupBudget: what an image may cost."""
# ruff: noqa: PLC0415 - writing a check down needs no engine; what it looks with is imported when it looks

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject


def _size(value: int | str) -> int:
    return operand.size("SizeBudget: the size", value)


def _seconds(value: float) -> float:
    return operand.seconds("StartupBudget: the time", value)


@attrs.frozen(slots=False)
class SizeBudget(Check):
    """The most bytes that the image may have: those of the files in its layers, unpacked.

    An engine with containerd's image store tells how many bytes are transferred; there the layers are read.

    `size`
        An int, or text with a unit: ``"10MB"`` (10,000,000 bytes), ``"10MiB"`` (10,485,760).

    Raises `InvalidValue` and `InvalidType`.

    >>> SizeBudget("10MB").size
    10000000
    """

    size: int = attrs.field(converter=_size)

    @property
    def title(self) -> str:
        """The word that stands in front of the size that was found."""
        return "size"

    def examine(self, subject: Subject) -> CheckResult:
        """Compare the image's size."""
        from dockdsl.checks.report import CheckResult
        from dockdsl.display import megabytes

        found, budget = f"{megabytes(subject.size)} unpacked", megabytes(self.size)
        over = subject.size - self.size
        wrong = [f"expected at most {budget}, got {found}: {megabytes(over)} too many"] if over > 0 else []
        detail = f"{found}, at most {budget}"
        return CheckResult(title=self.title, detail=detail, mismatches=wrong, origin=self.origin)


@attrs.frozen(slots=False)
class StartupBudget(Check):
    """The time in which the server should be ready. It is reported, and never fails: machines differ, and are busy.

    `seconds`
        From the container's start to the first good answer.

    Raises `InvalidValue` and `InvalidType`.

    >>> StartupBudget(0.5).seconds
    0.5
    """

    needs_server = True
    seconds: float = attrs.field(converter=_seconds)

    @property
    def title(self) -> str:
        """The word that stands in front of the time that was found."""
        return "start-up"

    def examine(self, subject: Subject) -> CheckResult:
        """Tell how long the server took."""
        from dockdsl.checks.report import CheckResult

        found = subject.ready or 0.0
        over = "over the budget of" if found > self.seconds else "within"
        detail = f"{found:.2f} s, {over} {self.seconds:g} s"
        return CheckResult(title=self.title, detail=detail, verdict=False, origin=self.origin)
