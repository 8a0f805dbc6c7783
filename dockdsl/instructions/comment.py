"""Comment: a comment in the Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, Self

import attrs

from dockdsl.display import shown
from dockdsl.errors import InvalidType, InvalidValue, Refused, refuse_type
from dockdsl.instructions.instruction import Instruction
from dockdsl.syntax.guard import check_lengths
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.words import check_characters, plain

_acts = re.compile(r"\s*check\s*=", re.IGNORECASE).match
_is_rules = lazy_regex(r"[A-Za-z]+(?:,[A-Za-z]+)*")


def _trimmed(value: str) -> str:
    value = plain(value)
    return "\n".join([line.rstrip() for line in value.split("\n")]) if isinstance(value, str) else value


@attrs.frozen(slots=False, repr=False)
class Comment(Instruction):
    """A comment of one or more lines: ``# text``.

    It never has an effect on the build: text that a frontend would take for a directive (``check=…``) is refused.
    Use `Comment.check` to switch off build checks.

    Raises `InvalidValue` for such text and for control characters, `InvalidType` for a wrong type.

    >>> print(Comment("The modules first: they change less often."))
    # The modules first: they change less often.

    Source: the Dockerfile reference, "Format".
    """

    EXPANDED: ClassVar[bool] = False

    remark: str = attrs.field(converter=_trimmed)
    acts: bool = attrs.field(default=False, kw_only=True)

    @classmethod
    def check(cls, *rules: str) -> Self:
        """Switch off build checks for the next instruction.

        `rules` are the names of checks, or ``"all"``. Frontends before 1.21 ignore the comment, and some versions of
        BuildKit fail at such a line when they list the targets of a file.

        >>> print(Comment.check("JSONArgsRecommended"))
        # check=skip=JSONArgsRecommended

        Source: the Dockerfile reference, "check".
        """
        if not _are_texts(rules):
            raise InvalidType(f"Comment.check: the rules {shown(rules)} are not all strings; pass the names of checks")
        joined = ",".join(rules)
        if not _is_rules().fullmatch(joined):
            raise InvalidValue(
                f"Comment.check: the rules {shown(rules)} are not all names of checks; pass the names of checks"
            )
        return cls(f"check=skip={joined}", acts=True)

    def write(self, *_: object) -> str:
        if not isinstance(self.remark, str):
            raise refuse_type("text", self.remark, "pass a str")
        lines = self.remark.split("\n")
        for line in lines:
            check_characters(line)
            if _acts(line) and not self.acts:
                raise Refused(
                    f"the text {shown(line)} would turn build checks on or off", "use Comment.check(…), or reword it"
                )
        # A row of number signs stays one.
        return "\n".join([("#" if not line or line[0] == "#" else "# ") + line for line in lines])

    @staticmethod
    def prove(text: str, escape: str) -> str:
        """Return the text: each line is a separate comment, and a comment is never continued on the next line."""
        check_lengths(text.split("\n"))
        return text

    def features(self) -> list[str]:
        return ["1.21"] if self.acts else []


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)
