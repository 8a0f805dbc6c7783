"""Every error that dockdsl raises, and where it points to.

    DockdslError
    ├── InvalidValue        (ValueError)   a value that no Dockerfile can say, or that means nothing
    ├── InvalidType         (TypeError)    an operand of the wrong type
    ├── DockerfileSyntaxError (ValueError) a Dockerfile text that BuildKit would refuse
    ├── StageError          (ValueError)   stages that do not fit together
    │   └── UnknownStage    (LookupError)  a name that no stage has
    ├── ExpansionError      (ValueError)   a word that cannot be expanded
    ├── SourceError         (ValueError)   a Python file from which no object could be loaded
    ├── FileError           (OSError)      a file that could not be read or written
    ├── ProofUnavailable    (ImportError)  BuildKit's parser, the judge of a proof, is not installed
    └── EngineError         (RuntimeError) the container engine cannot do what was asked
        ├── EngineUnavailable (ConnectionError)  no engine, no buildx, no permission
        ├── BuildFailed                          the build ran, and a step failed
        ├── RunFailed                            a container did not start, or died
        └── CheckFailed       (AssertionError)   the image runs, and a check of it failed

Every message says the construct first, the fact second, the remedy last. ``origin`` is the place in
the user's file that the error is about: where the value was made, else where the call came from.
"""

from __future__ import annotations

from types import EllipsisType
from typing import Any, Literal, cast

import attrs

from dockdsl.display import for_terminal, kind_of, shown
from dockdsl.origins import Origin, call_sites, origin_of
from dockdsl.secrecy import hide

_UNSAID: Any = ...


def _given(origin: Origin | EllipsisType | None) -> Origin | None:
    # What is not said is found when the error is made.
    return cast("Origin | None", origin)


# With auto_exc, `args` would have more than the message.
@attrs.define(slots=False, eq=False, repr=False, on_setattr=[], auto_exc=False)
class DockdslError(Exception):
    """The base of all errors of dockdsl.

    `message` is the text without the place; `origin` the place in the user's file, by default that of the nearest
    caller outside dockdsl. It is None if no line there is at fault: the default of errors of files and of the engine.
    """

    message: str
    origin: Origin | None = attrs.field(default=_UNSAID, kw_only=True, converter=_given)
    _points_to_caller = True

    def __attrs_post_init__(self) -> None:
        if self.origin is _UNSAID:
            self.origin = origin_of(call_sites()) if self._points_to_caller else None
        elif self.origin is not None and self.origin.function and not self.origin.callers:
            # A value that is refused while it is made knows its line, but not who called.
            here = origin_of(call_sites())
            self.origin = here if here == self.origin else self.origin
        # Whoever shows the error, as pytest does, gets text that is fit to be shown.
        self.message = for_terminal(self.message)
        for name, value in vars(self).items():
            if isinstance(value, str):
                setattr(self, name, hide(value))
            elif type(value) is tuple and all(isinstance(each, str) for each in value):
                setattr(self, name, tuple(map(hide, value)))
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__.copy())


def _rebuild(kind: type[DockdslError], args: tuple[Any, ...], state: dict[str, Any]) -> DockdslError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class Ended(SystemExit):
    """The end of the program by a signal; its code is 128 plus the number of the signal."""


class InvalidValue(DockdslError, ValueError):
    """A value that no Dockerfile can say, or that cannot mean anything."""

    by_build: bool = False
    """Whether BuildKit reads it in a Dockerfile, and refuses it when it builds."""


class InvalidType(DockdslError, TypeError):
    """An operand of the wrong type."""

    by_build: bool = False
    """Whether BuildKit reads it in a Dockerfile, and refuses it when it builds."""


class Refused(Exception):
    """The half of an error that the reader of a single value knows: fact and remedy, still without the construct.

    Whoever was given the value adds the name of the construct (`error`), and of the part that it is about (`within`).
    Users never see it. `by_build` says that BuildKit reads such a value in a Dockerfile, and refuses it when it builds.
    """

    def __init__(self, fact: str, remedy: str, *, wrong_type: bool = False, by_build: bool = False) -> None:
        super().__init__(f"{fact}; {remedy}")
        self.fact = fact
        self.remedy = remedy
        self.wrong_type = wrong_type
        self.by_build = by_build

    def within(self, part: str) -> Refused:
        """Return the same refusal with the part of the construct that it is about."""
        return Refused(f"{part}: {self.fact}", self.remedy, wrong_type=self.wrong_type, by_build=self.by_build)

    def error(self, construct: str, origin: Origin | EllipsisType | None = ...) -> InvalidType | InvalidValue:
        """Return the error that the user sees, with the construct's name."""
        kind = InvalidType if self.wrong_type else InvalidValue
        error = kind(f"{construct}: {self}", origin=origin)
        error.by_build = self.by_build
        return error


def refuse_type(what: str, value: object, remedy: str) -> Refused:
    """Return the refusal of a value of the wrong type; `what` may be empty where the value is all that was given."""
    subject = f"the {what} {shown(value)}" if what else shown(value)
    return Refused(f"{subject} is {kind_of(value)}", remedy, wrong_type=True)


@attrs.frozen
class SyntaxProblem:
    """One thing that is wrong in a Dockerfile, and where: line and column are counted from 1.

    `length` is the number of characters that it is about; `message` says construct, fact and remedy, and `remedy`
    is its last part.
    """

    line: int
    column: int
    length: int
    message: str
    remedy: str


@attrs.define(slots=False, eq=False, repr=False, on_setattr=[], auto_exc=False)
class DockerfileSyntaxError(DockdslError, ValueError):
    """The text of a Dockerfile that BuildKit would refuse, with everything that is wrong in it."""

    errors: tuple[SyntaxProblem, ...] = attrs.field(default=(), kw_only=True)
    """Each problem as data, in the order of the lines."""


class StageError(DockdslError, ValueError):
    """Stages that do not fit together: two of one name, a cycle, a default target not last."""


class UnknownStage(StageError, LookupError):
    """A reference to a stage that the Dockerfile does not have."""


@attrs.define(slots=False, eq=False, repr=False, on_setattr=[], auto_exc=False)
class ExpansionError(DockdslError, ValueError):
    """A word that BuildKit would refuse to expand."""

    reason: str = attrs.field(default="", kw_only=True)
    """Fact and remedy, without the word that they are about."""


class SourceError(DockdslError, ValueError):
    """A Python file from which no Dockerfile or Image could be loaded."""

    _points_to_caller = False


class FileError(DockdslError, OSError):
    """A file that could not be read or written."""

    _points_to_caller = False


class ProofUnavailable(DockdslError, ImportError):
    """BuildKit's parser, which the extra ``prove`` brings, is not installed."""


@attrs.define(slots=False, eq=False, repr=False, on_setattr=[], auto_exc=False)
class EngineError(DockdslError, RuntimeError):
    """The container engine cannot do what was asked."""

    log: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    """The last lines that the failing step or the container printed."""
    cause: str | None = attrs.field(default=None, kw_only=True)
    """Why it failed, in plain words, where that is known: ``the stage has no program /api``."""
    fix: str | None = attrs.field(default=None, kw_only=True)
    """The remedy, where that is known."""


class EngineUnavailable(EngineError, ConnectionError):
    """No engine answers, or the buildx plugin or the permission to use it is missing."""

    _points_to_caller = False


@attrs.define(slots=False, eq=False, repr=False, on_setattr=[], auto_exc=False)
class BuildFailed(EngineError):
    """The build ran, and a step of it failed.

    `origin` is the place where the failing instruction was written, where that is known.
    """

    step: str | None = attrs.field(default=None, kw_only=True)
    """The failing step as the engine names it: ``[build 3/5] RUN go build``."""
    reason: str | None = attrs.field(default=None, kw_only=True)
    """What the engine said: ``exit code: 1``."""
    lines: tuple[int, int] | None = attrs.field(default=None, kw_only=True)
    """First and last line of the instruction in the Dockerfile, counted from 1."""
    source: str | None = attrs.field(default=None, kw_only=True)
    """The user's own line, as it stands at `origin`: ``Run("go build -o /api .")``."""
    kind: Literal["step", "image", "registry", "definition", "timeout"] = attrs.field(default="step", kw_only=True)
    """What failed: a step; a base image that does not exist, or whose registry cannot be reached; a registry that does
    not take what is pushed; the Dockerfile itself or an option of the build; or the time ran out."""


@attrs.define(slots=False, eq=False, repr=False, on_setattr=[], auto_exc=False)
class RunFailed(EngineError):
    """A container did not start, died, or never got ready."""

    exit_code: int | None = attrs.field(default=None, kw_only=True)
    """The code with which it exited; None where it did not start, or still runs."""


@attrs.define(slots=False, eq=False, repr=False, on_setattr=[], auto_exc=False)
class CheckFailed(EngineError, AssertionError):
    """The image runs, and a check of it failed."""

    failures: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    """One line for each failed check."""
    summary: str = attrs.field(default="", kw_only=True)
    """One line on the whole test: how many checks passed, and what the image cost."""
    output: str = attrs.field(default="", kw_only=True)
    """The last output of the containers in which checks failed, as text for people."""
