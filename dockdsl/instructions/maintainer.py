"""MAINTAINER: the old way to name an author."""

from __future__ import annotations

from typing import ClassVar, Self

import attrs

from dockdsl.instructions._base import Instruction
from dockdsl.syntax.flags import read_flags
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.refusal import Refused, refuse_type, shown
from dockdsl.syntax.words import Spelling, check_characters, text_of


@attrs.frozen(slots=False, repr=False, eq=False)
class Maintainer(Instruction):
    """The author of the image: ``MAINTAINER name``. Deprecated: use ``Label({"org.opencontainers.image.authors": …})``.

    Raises `InvalidValue` for a blank name or one with a newline, `InvalidType` for a wrong type.

    >>> print(Maintainer("Jane Doe <jane@example.com>"))
    MAINTAINER Jane Doe <jane@example.com>

    Source: the Dockerfile reference, "MAINTAINER (deprecated)".
    """

    KEYWORD: ClassVar[str] = "MAINTAINER"
    EXPANDED: ClassVar[bool] = False

    name: str = attrs.field(converter=text_of)

    @classmethod
    def read(cls, line: Line) -> Self:
        """Read the name, which is the rest of the line."""
        read_flags(cls, line)
        if not line.text:
            raise line.wrong("no name is given", "write MAINTAINER name")
        return line.made(cls, None, {"name": line.text})

    def write(self, spelling: Spelling) -> str:  # noqa: ARG002 - nothing is escaped here
        """Return the instruction's text."""
        if not isinstance(self.name, str):
            raise refuse_type("name", self.name, "pass a str")
        check_characters(self.name)
        if not self.name or self.name != self.name.strip() or self.name.startswith("--"):
            raise Refused(f"the name {shown(self.name)} is empty, or starts with a blank or dashes", "take them off")
        return f"MAINTAINER {self.name}"
