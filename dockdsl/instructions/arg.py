"""ARG: a build argument."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import attrs

from dockdsl.display import kind_of, shown
from dockdsl.errors import InvalidType, InvalidValue, Refused, refuse_type
from dockdsl.instructions.constructor import plain_if
from dockdsl.instructions.converters import tuple_of
from dockdsl.instructions.instruction import Declaration, Instruction
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.words import Spelling, Word, is_bare, text_of, word_or_none

_is_name = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*").fullmatch


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Arg(Instruction):
    """Declare a build argument, optionally with a default: ``ARG name[=default]``.

    `name`
        Letters, digits and underscores. Dots and dashes are accepted, but such a name cannot be referred to.
    `default`
        The value if the build sets none. It may refer to variables that are declared before it.
    `more`
        Further arguments of the same instruction (see `Arg.many`).

    In a stage, the steps after it can use it; in ``Dockerfile(args=…)``, the ``FROM`` lines can.

    Raises `InvalidValue` for any other name and for a default with a newline, `InvalidType` for a wrong type.

    >>> print(Arg("GO_VERSION", "1.27"))
    ARG GO_VERSION=1.27
    >>> print(Arg("TARGETOS"))
    ARG TARGETOS

    Source: the Dockerfile reference, "ARG".
    """

    KEYWORD: ClassVar[str] = "ARG"
    READS_FLAGS: ClassVar[bool] = False

    name: str = attrs.field(converter=text_of, metadata=plain_if(_is_name))
    default: Word | None = attrs.field(default=None, converter=word_or_none, metadata=plain_if(is_bare, before="="))
    more: tuple[Arg, ...] = attrs.field(default=(), converter=tuple_of, kw_only=True)

    @classmethod
    def many(cls, names: Mapping[str, Word | None]) -> Self:
        """Declare several build arguments in one instruction: a mapping of names to defaults, None for no default.

        Raises `InvalidValue` for an empty mapping and as `Arg` does, `InvalidType` for a wrong type.

        >>> print(Arg.many({"TARGETOS": None, "TARGETARCH": None}))
        ARG TARGETOS TARGETARCH

        Source: the Dockerfile reference, "ARG".
        """
        if not isinstance(names, Mapping):
            raise InvalidType(f"ARG: the names {shown(names)} are {kind_of(names)}; pass a mapping")
        if not names:
            raise InvalidValue("ARG: no variable is given; name at least one")
        first, *rest = [Arg(name, default) for name, default in names.items()]
        return cls(first.name, first.default, more=tuple(rest))

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        words = line.quoted_words()
        if not words:
            raise line.wrong("no variable is given", "name at least one")
        given = [each.partition("=") for each in words]
        for name, _, default in given:
            if not name:
                raise line.wrong("a name is blank", "write ARG name=default", f"={default}")
        first, *rest = [
            {"name": name, "default": line.word(default) if equals else None, "more": ()}
            for name, equals, default in given
        ]
        return {**first, "more": tuple([cls.from_parsed(line.site, each) for each in rest])} if rest else first

    def operands(self, spelling: Spelling) -> Sequence[str]:
        for each in self.more:
            if not isinstance(each, Arg) or each.more:
                raise refuse_type("variable", each, "pass one Arg for each variable")
        return [each.declaration(spelling) for each in (self, *self.more)]

    def declaration(self, spelling: Spelling) -> str:
        """Return ``name`` or ``name=default``."""
        if not isinstance(self.name, str):
            raise refuse_type("name", self.name, "pass a str")
        if not _is_name(self.name):
            raise Refused(f"{shown(self.name)} is not the name of a variable", "use letters, digits and underscores")
        return self.name if self.default is None else f"{self.name}={spelling.value(self.default)}"

    def declares(self) -> tuple[Declaration, ...]:
        return tuple([Declaration(each.name, "arg", each.default is not None) for each in (self, *self.more)])

    def features(self) -> list[str]:
        return ["1.2", *[each.minimum_syntax for each in self.more]] if self.more else []
