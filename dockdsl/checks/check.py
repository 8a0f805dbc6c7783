"""Check: what all checks of an image have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from dockdsl import operands as operand
from dockdsl.errors import InvalidType
from dockdsl.origins import Origin

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject


@attrs.frozen(slots=False)
class Check:
    """Something that is expected of an image. Each kind is a subclass; a project may have kinds of its own.

    >>> from dockdsl.checks.report import CheckResult
    >>> class Layers(Check):
    ...     title = "layers"
    ...
    ...     def examine(self, subject):
    ...         found = len(subject.facts["RootFS"]["Layers"])
    ...         wrong = [f"expected one, got {found}"] if found > 1 else []
    ...         return CheckResult(title=self.title, detail=str(found), mismatches=wrong, origin=self.origin)

    """

    needs_server: ClassVar[bool] = False
    """Whether it asks the server that the image is, whose port must be known for that."""
    origin: Origin = attrs.field(init=False, factory=operand.here, eq=False, repr=False)
    """Where the check was written."""

    @property
    def title(self) -> str:
        """What is looked at, in a few words."""
        raise NotImplementedError

    def examine(self, subject: Subject) -> CheckResult:
        """Look at the image, and tell what came of it."""
        raise NotImplementedError


def checks_of(what: str, value: Any) -> tuple[Check, ...]:
    """Return one check or several as a tuple. Raises `InvalidType` for what is none."""
    checks = (value,) if isinstance(value, Check) else value
    if not isinstance(checks, Iterable) or isinstance(checks, (str, bytes)):
        raise InvalidType(f"{what} is of the type {operand.kind_of(value)}; pass checks such as HttpCheck(…)")
    found = tuple(checks)
    for each in found:
        if not isinstance(each, Check):
            raise InvalidType(f"{what} has one of the type {operand.kind_of(each)}; pass checks such as HttpCheck(…)")
    return found
