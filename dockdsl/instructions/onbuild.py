"""ONBUILD: an instruction for the images that are built on this one."""

from __future__ import annotations

from typing import ClassVar, Self

import attrs

from dockdsl.instructions._base import Instruction, StageBase
from dockdsl.syntax.flags import read_flags
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.refusal import Misread, Refused, refuse_type
from dockdsl.syntax.words import BACKSLASH, Spelling

_NOT_ALLOWED = ("ONBUILD", "MAINTAINER", "#", "")


@attrs.frozen(slots=False, repr=False, eq=False)
class Onbuild(Instruction):
    """Keep an instruction until another image is built on this one: ``ONBUILD instruction``.

    What it takes files from is looked up in that other build: ``from_`` is a name here, never a `Stage`.

    Raises `InvalidValue` for an instruction that BuildKit refuses there (ONBUILD, MAINTAINER, a comment)
    and for one that takes files from a `Stage`; `InvalidType` for what is no instruction.

    >>> from dockdsl import Copy
    >>> print(Onbuild(Copy(".", "/src")))
    ONBUILD COPY . /src

    Source: the Dockerfile reference, "ONBUILD".
    """

    KEYWORD: ClassVar[str] = "ONBUILD"

    instruction: Instruction

    @classmethod
    def read(cls, line: Line) -> Self:
        """Read the instruction behind the keyword, which BuildKit looks at only so far as to split it."""
        read_flags(cls, line)
        inner = line.inner()
        keyword = inner.keyword
        if not keyword:
            raise line.wrong("no instruction is given", "write ONBUILD RUN command")
        if keyword in ("ONBUILD", "MAINTAINER", "FROM"):
            raise line.wrong(f"{keyword} is not allowed in it", "use another instruction", inner.head)
        kind = line.scope.kinds.get(keyword)
        if kind is None:
            raise Refused(f"{inner.head} is no instruction", "write one")
        try:
            value: Instruction = kind.read(inner)
        except Misread as misread:
            if misread.grammar:
                raise
            raise Refused(misread.fact, misread.remedy) from None
        line.kept = inner.kept
        return line.made(cls, None, {"instruction": value})

    def write(self, spelling: Spelling) -> str:
        """Return the instruction's text."""
        inner = self.instruction
        if not isinstance(inner, Instruction):
            raise refuse_type("operand", inner, "pass an instruction")
        if inner.KEYWORD in _NOT_ALLOWED:
            raise Refused(f"{type(inner).__name__} is not allowed in it", "use another instruction")
        if any(isinstance(source, StageBase) for source in inner.references()):
            raise Refused(
                "it takes files from a stage, which the build of the next image does not have",
                "name an image, or a stage of that build by a str",
            )
        text = inner.spell(spelling)
        if spelling.escape != "\\" and text.replace(f"{spelling.escape}\n", "\\\n") != inner.spell(BACKSLASH):
            # The text is kept without the directive, and read again with a backslash as the escape character.
            raise Refused(
                "it needs an escape character, and what is kept is read with another one",
                "use the backslash as the escape character of the Dockerfile",
            )
        return f"ONBUILD {text}"

    def features(self) -> list[str]:
        """The frontend versions that the instruction's own features came with."""
        return [self.instruction.minimum_syntax]
