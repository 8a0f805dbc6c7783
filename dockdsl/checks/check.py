"""Check: what all checks of an image have in common, and Awaited: those that say when a container is ready."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

import attrs

from dockdsl.display import kind_of
from dockdsl.errors import Refused
from dockdsl.misuse import Explained
from dockdsl.operands import here, one_or_several, repr_of
from dockdsl.origins import Origin

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject
    from dockdsl.engine.running import Container


@attrs.frozen(slots=False, repr=False)
class Check(metaclass=Explained):
    """Something that is expected of an image. Each kind is a subclass; a project may have kinds of its own.

    >>> class Layers(Check):
    ...     title = "layers"
    ...
    ...     def examine(self, subject):
    ...         found = len(subject.facts["RootFS"]["Layers"])
    ...         wrong = [f"expected one, got {found}"] if found > 1 else []
    ...         return self.result(wrong, detail=str(found))

    """

    needs_server: ClassVar[bool] = False
    """Whether it needs the container that an `Image` starts for its checks: the server, or the worker."""
    needs_port: ClassVar[bool] = False
    """Whether it sends requests, for which the port of the server must be known."""
    origin: Origin = attrs.field(factory=here, kw_only=True, eq=False, repr=False)
    """Where the check was written."""

    __repr__ = repr_of

    @property
    def title(self) -> str:
        """What is examined, in a few words: ``GET /healthz``."""
        raise NotImplementedError

    def applies(self, subject: Subject) -> bool:
        """Whether the image has what is examined; if not, there is no result. By default it does."""
        return True

    def examine(self, subject: Subject) -> CheckResult:
        """Examine the image, and return what came of it.

        A `RunFailed` or `NoAnswer` that is raised counts as a failure of the check; in a kind of a project's own, so
        does an exception that is not a `DockdslError`, and the end of the program by `sys.exit`.
        """
        raise NotImplementedError

    def result(
        self,
        mismatches: Iterable[str] = (),
        *,
        title: str | None = None,
        detail: str = "",
        seconds: float | None = None,
        verdict: bool = True,
        excerpt: str = "",
        log: tuple[str, ...] = (),
    ) -> CheckResult:
        """Return a `CheckResult` of this check, with its title and its place; see there for the rest."""
        from dockdsl.checks.report import CheckResult  # noqa: PLC0415 - a check is light until it is run

        return CheckResult(
            title=self.title if title is None else title,
            detail=detail,
            seconds=seconds,
            mismatches=mismatches,
            verdict=verdict,
            excerpt=excerpt,
            log=log,
            origin=self.origin,
        )


class Awaited(Check):
    """A check that is asked again until it passes; it may also say when a container is ready."""

    needs_server = True

    def wait(self, subject: Subject, container: Container, seconds: float, longer: str) -> list[str]:
        """Ask until it passes, the container has ended, or the time is over; return what is wrong then.

        `longer` says, as a part of a remedy, how the container is given more time.
        """
        raise NotImplementedError


def asked_by(check: Check) -> list[str]:
    """Return the names of a check's fields that have another value than their default."""
    fields = [each for each in attrs.fields(type(check)) if each.name != "origin"]
    return [each.name for each in fields if getattr(check, each.name) != each.default]


def checks_of(value: Check | Iterable[Check]) -> tuple[Check, ...]:
    """Return one check or several as a tuple; refuse anything else."""
    found = (value,) if isinstance(value, Check) else one_or_several(value)
    for each in found:
        if not isinstance(each, Check):
            raise Refused(f"{kind_of(each)} is not a check", "pass checks such as HttpCheck(…)", wrong_type=True)
        for name, form in (("title", 'title = "…"'), ("examine", "examine(self, subject)")):
            if getattr(type(each), name, None) is getattr(Check, name):
                raise Refused(f"{kind_of(each)} has no {name}", f"give its class {form}", wrong_type=True)
    return found
