"""SizeBudget and StartupBudget: what an image may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check
from dockdsl.display import megabytes

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject


@attrs.frozen(slots=False, repr=False, field_transformer=operand.named)
class SizeBudget(Check):
    """The most bytes that the image may have: those of the files in its layers, unpacked.

    An engine with containerd's image store reports how many bytes are transferred; there the layers are read.

    `size`
        An int, or text with a unit: ``"10MB"`` (10,000,000 bytes), ``"10MiB"`` (10,485,760).

    Raises `InvalidValue` and `InvalidType`.

    >>> SizeBudget("10MB").size
    10000000
    """

    title = "size"
    size: int = attrs.field(converter=operand.size)

    def examine(self, subject: Subject) -> CheckResult:
        """Compare the image's size."""
        found, budget = f"{megabytes(subject.size)} unpacked", megabytes(self.size)
        over = subject.size - self.size
        wrong = [f"expected at most {budget}, got {found}: {megabytes(over)} too many"] if over > 0 else []
        return self.result(wrong, detail=f"{found}, at most {budget}")


@attrs.frozen(slots=False, repr=False, field_transformer=operand.named)
class StartupBudget(Check):
    """The time in which the server should be ready. It is reported, and never fails: machines differ, and are busy.

    `seconds`
        From the container's start until it is ready.

    Raises `InvalidValue` and `InvalidType`.

    >>> StartupBudget(0.5).seconds
    0.5
    """

    title = "start-up"
    needs_server = True
    seconds: float = attrs.field(converter=operand.seconds)

    def examine(self, subject: Subject) -> CheckResult:
        """Report how long the server took."""
        found = subject.ready or 0.0
        over = "over the budget of" if found > self.seconds else "within"
        return self.result(detail=f"{found:.2f} s, {over} {self.seconds:g} s", verdict=False)
