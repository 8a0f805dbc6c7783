"""Errors of the spelling: what is wrong and what to do, still without the construct or the place."""

from __future__ import annotations

from types import EllipsisType

from dockdsl.errors import InvalidType, InvalidValue
from dockdsl.origins import Origin


class Refused(Exception):
    """A value that cannot be written: the fact and the remedy, still without the construct.

    The instruction that was writing the value adds its name and raises `InvalidValue` (or `InvalidType`, if
    `wrong_type` is set).
    """

    def __init__(self, fact: str, remedy: str, *, wrong_type: bool = False) -> None:
        super().__init__(f"{fact}; {remedy}")
        self.fact = fact
        self.remedy = remedy
        self.wrong_type = wrong_type

    def within(self, part: str) -> Refused:
        """Return the same refusal with the part of the construct that it is about."""
        return Refused(f"{part}: {self.fact}", self.remedy, wrong_type=self.wrong_type)

    def error(self, construct: str, origin: Origin | EllipsisType | None = ...) -> InvalidType | InvalidValue:
        """Return the error that the user sees, with the construct's name."""
        kind = InvalidType if self.wrong_type else InvalidValue
        return kind(f"{construct}: {self}", origin=origin)


class Misread(Exception):
    """An instruction that BuildKit would refuse: the fact and the remedy, and the place in the logical line.

    `grammar` says that the line cannot even be split into operands: such a line is refused in ONBUILD, too.
    """

    def __init__(
        self, fact: str, remedy: str, start: int = 0, end: int | None = None, *, grammar: bool = False
    ) -> None:
        super().__init__(f"{fact}; {remedy}")
        self.fact = fact
        self.remedy = remedy
        self.start = start
        self.end = end
        self.grammar = grammar


def shown(value: object) -> str:
    """Return `value` as it is shown in a message: quoted and cut to a readable length.

    It never fails: a value that is refused may be one that cannot even say what it is.
    """
    try:
        quoted = repr(value)
    except Exception:  # noqa: BLE001 - whatever the repr of a stranger's object raises
        return f"<{kind_of(value)}>"
    return quoted if len(quoted) <= 70 else f"{quoted[:66]}…{quoted[0]}"


def refuse_type(what: str, value: object, remedy: str) -> Refused:
    """Return the refusal of a value of the wrong type."""
    return Refused(f"the {what} {shown(value)} is {kind_of(value)}", remedy, wrong_type=True)


def kind_of(value: object) -> str:
    """Return the type of a value with its article: ``an int``."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
