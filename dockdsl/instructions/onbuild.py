"""ONBUILD: an instruction for images that are built on this one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import attrs

from dockdsl.errors import InvalidType, InvalidValue, Refused, refuse_type
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.registry import kind_for
from dockdsl.instructions.sources import StageBase
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lines import SPACE
from dockdsl.syntax.misread import Misread
from dockdsl.syntax.words import BACKSLASH, Spelling

_REFUSED = ("ONBUILD", "MAINTAINER", "FROM")


@attrs.frozen(slots=False, repr=False)
class Onbuild(Instruction):
    """Store an instruction to run when another image is built on this one: ``ONBUILD instruction``.

    The stages and images that it takes files from are those of the other build, so ``from_`` must be a name and not a
    `Stage`.

    Raises `InvalidValue` for an instruction that BuildKit refuses there (ONBUILD, MAINTAINER, a comment) and for one
    that takes files from a `Stage`; `InvalidType` for a value that is not an instruction.

    >>> from dockdsl import Copy
    >>> print(Onbuild(Copy(".", "/src")))
    ONBUILD COPY . /src

    Source: the Dockerfile reference, "ONBUILD".
    """

    KEYWORD: ClassVar[str] = "ONBUILD"

    instruction: Instruction

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        """Read the instruction after the keyword; BuildKit only splits it."""
        inner = line.inner()
        keyword = inner.keyword
        if not keyword:
            raise line.wrong("no instruction is given", "write ONBUILD RUN command")
        if keyword in _REFUSED:
            raise line.wrong(f"{keyword} is not allowed in ONBUILD", "use another instruction", inner.head)
        kind = kind_for(keyword)
        if kind is None:
            raise Refused(f"{inner.head!r} is not an instruction", "write an instruction after ONBUILD")
        try:
            value = kind.read(inner)
        except Misread as misread:
            if misread.grammar:
                raise
            raise Refused(misread.fact, misread.remedy) from None
        except (InvalidType, InvalidValue) as error:
            raise Refused(error.message, "") from None
        if line.logical.text[: line.start].rstrip(SPACE).endswith("--"):
            raise Refused("the build that runs the instruction takes '--' for its keyword", "remove '--'")
        if line.escape != "\\":
            # The build that runs it reads it with its own escape character, by default the backslash.
            try:
                again = kind.read(line.inner("\\"))
            except (Misread, InvalidType, InvalidValue):
                again = None
            if value != again:
                raise Refused("the build that runs the instruction reads it with another escape character", "remove it")
        line.kept_from = None if inner.kept_from is None else line.start
        return {"instruction": value}

    def operands(self, spelling: Spelling) -> Sequence[str]:
        inner = self.instruction
        if not isinstance(inner, Instruction):
            raise refuse_type("operand", inner, "pass an instruction")
        if not inner.keyword or inner.keyword in _REFUSED:
            raise Refused(f"{type(inner).__name__} is not allowed in ONBUILD", "use another instruction")
        if any(isinstance(each.source, StageBase) for each in inner.references()):
            raise Refused(
                "the instruction takes files from a stage, which the build of the next image does not have",
                "name an image, or pass the name of a stage of that build as a str",
            )
        text = inner.spell(spelling)
        if spelling.escape != "\\" and text.replace(f"{spelling.escape}\n", "\\\n") != inner.spell(BACKSLASH):
            # The text is stored without the directive, and read again with the backslash as the escape character.
            raise Refused(
                "the text needs an escape character, and the next build takes the backslash for it",
                "use the backslash as the escape character of the Dockerfile",
            )
        return text

    def nested(self) -> Instruction | None:
        return self.instruction

    def expanded(self) -> Iterable[object]:
        """Nothing: the other build expands the instruction."""
        return ()

    def features(self) -> list[str]:
        return [self.instruction.minimum_syntax]
