"""MAINTAINER: the author of the image, in the deprecated form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused, refuse_type
from dockdsl.instructions.instruction import Instruction
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.words import Spelling, check_characters, text_of


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Maintainer(Instruction):
    """Name the author of the image: ``MAINTAINER name``.

    It is deprecated: use ``Label({"org.opencontainers.image.authors": …})``.

    Raises `InvalidValue` for a name that is blank or has a newline, `InvalidType` for a wrong type.

    >>> print(Maintainer("Jane Doe <jane@example.com>"))
    MAINTAINER Jane Doe <jane@example.com>

    Source: the Dockerfile reference, "MAINTAINER (deprecated)".
    """

    KEYWORD: ClassVar[str] = "MAINTAINER"
    EXPANDED: ClassVar[bool] = False

    name: str = attrs.field(converter=text_of)

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        if not line.text:
            raise line.wrong("no name is given", "write MAINTAINER name")
        return {"name": line.text}

    def operands(self, spelling: Spelling) -> Sequence[str]:
        """Return the name, which is the rest of the line, as it is."""
        if not isinstance(self.name, str):
            raise refuse_type("name", self.name, "pass a str")
        check_characters(self.name)
        if not self.name or self.name != self.name.strip() or self.name.startswith("--"):
            raise Refused(f"the name {shown(self.name)} is empty, or starts with whitespace or dashes", "remove them")
        return self.name
