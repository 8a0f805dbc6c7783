"""Verbatim: the exact text of an instruction."""

from __future__ import annotations

from typing import ClassVar, Self
from typing import Literal as OneOf

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused, refuse_type
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.registry import kind_for
from dockdsl.syntax.guard import check_lengths
from dockdsl.syntax.instruction_line import Line, Scope, named
from dockdsl.syntax.lines import SPACE, continued, logical
from dockdsl.syntax.misread import Misread
from dockdsl.syntax.words import Spelling, text_of


@attrs.frozen(slots=False, repr=False)
class Verbatim(Instruction):
    r"""The exact text of one instruction: the last resort, for what no other class can express.

    `text`
        The whole instruction, including any continued lines and heredocs. It is proven to be exactly one
        instruction; its meaning is not checked.
    `escape`
        The escape character of the text. It must be that of the Dockerfile.

    `parse` returns it for instructions that BuildKit accepts and the other classes refuse.

    Raises `InvalidValue` for text that is not exactly one instruction of a stage, `InvalidType` for a wrong type.

    >>> print(Verbatim("EXPOSE ${PORT:-80}${SUFFIX:-80}"))
    EXPOSE ${PORT:-80}${SUFFIX:-80}

    Source: the Dockerfile reference, "Format".
    """

    EXPANDED: ClassVar[bool] = False

    text: str = attrs.field(converter=text_of)
    escape: OneOf["\\", "`"] = attrs.field(default="\\", kw_only=True)

    @classmethod
    def of(cls, line: Line) -> Self:
        """Return the exact text of a line."""
        found = line.logical
        line.kept_from = 0
        # Before the keyword, there may be continued lines with nothing but whitespace.
        text = found.layout(len(found.text) - len(found.text.lstrip(SPACE)), len(found.text), found.escape)
        if continued(text.rpartition("\n")[2], found.escape):
            # The text ends with the escape character. With any other blank than these behind it, the line does too.
            blank = found.tail()
            text += blank if blank.strip(" \t") else "\f"
        text = "\n".join([text, *[f"{each.content}{each.end}" for each in line.documents]])
        escape = found.escape if "\\" in text or "`" in text else "\\"
        return cls.from_parsed(line.site, {"text": text, "escape": escape})

    @property
    def keyword(self) -> str:
        return self._line().keyword

    def _line(self) -> Line:
        """Return the line as that of a file: the text comes from the user."""
        return Line(logical(self.text.split("\n"), 0, self.escape), 0, Scope("", named))

    def write(self, *_: object) -> str:
        text = self.text
        if not isinstance(text, str):
            raise refuse_type("text", text, "pass a str")
        if self.escape not in ("\\", "`"):
            raise Refused(f"{shown(self.escape)} is not an escape character", "use a backslash or a backtick")
        line = self._line()
        if kind_for(line.keyword) is None:
            raise Refused(
                f"the text {shown(text)} does not begin with an instruction of a stage", "begin it with a keyword"
            )
        lines = text.split("\n")
        check_lengths(lines)
        try:
            last = line.read_documents()
        except Misread as misread:
            raise Refused(misread.fact, misread.remedy) from None
        if last != len(lines) - 1:
            raise Refused(f"the text {shown(text)} is more than one instruction", "split it")
        if line.logical.is_open:
            raise Refused("the text ends with the escape character, which would join the next line to it", "remove it")
        return text

    @staticmethod
    def prove(text: str, escape: str) -> str:
        """Return the text, which `write` has proven."""
        return text

    def rendered(self, spelling: Spelling) -> str:
        return self.text

    @property
    def bound_to(self) -> str | None:  # type: ignore[override]  # of the others, it is known for all
        return self.escape if "\\" in self.text or "`" in self.text else None
