"""What all instructions share: how they are written and read, and how the result is checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Self

from dockdsl.errors import InvalidType, InvalidValue, Refused
from dockdsl.instructions.located import Located
from dockdsl.instructions.sources import Reference, StageBase
from dockdsl.syntax.flags import Option, convert, declared, operand_values, read_flags, write_flags
from dockdsl.syntax.guard import guard
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.layout import INDENT, WIDTH, lay_out
from dockdsl.syntax.modifiers import modifier_versions, references_in
from dockdsl.syntax.versions import SyntaxVersion, highest
from dockdsl.syntax.words import BACKSLASH, Spelling


class Declaration(NamedTuple):
    """A variable that an instruction declares, with or without a value."""

    name: str
    kind: Literal["arg", "env"]
    has_value: bool


class Instruction(Located):
    """One instruction of a stage: a frozen attrs class with a keyword, fields and two methods.

    A subclass defines how its operands are written (`operands`) and read (`read_operands`). The keyword and the flags
    are written and read here, as the fields declare them.

    The constructor writes the instruction once. So a value that cannot be written cannot exist, and rendering only
    joins texts that are there already.
    """

    EXPANDED: ClassVar[bool] = True
    """Whether BuildKit expands variables in the operands."""
    READS_FLAGS: ClassVar[bool] = True
    """Whether BuildKit reads the flags of the instruction."""
    RUNS_AT_BUILD: ClassVar[bool] = False
    """Whether its shell text runs in the build, which sees ARG; a container sees ENV only."""
    ONE_PER_LINE: ClassVar[bool] = False
    """Whether each operand has its own line if they do not fit on one."""

    bound_to: str | None = None
    """The escape character that the Dockerfile must have; None if the instruction is written with either."""

    _text: str

    def complete(self, *, is_normal: bool = False) -> None:
        """Convert what is not in its normal form, and write the instruction."""
        kind = declared(type(self))
        values = self.__dict__  # to set an attribute of a frozen value takes longer
        given = kind.given(values)
        if not is_normal:
            convert(values, kind.operands, given)
        values["_text"] = self.spell(BACKSLASH, given)

    # What a subclass defines.

    def operands(self, spelling: Spelling) -> Sequence[str]:
        """Write what follows the keyword and the flags; raise `Refused` for values that cannot be written.

        The line may be broken between the pieces of a list; a ``str`` is kept as it is.
        """
        raise NotImplementedError

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        """Return the fields that the operands of a line have, without the flags.

        Raises `Misread` if BuildKit refuses the line, `Refused` if no value is equivalent to it.
        """
        raise NotImplementedError

    def bodies(self) -> Sequence[str]:
        """The bodies of the heredocs among the operands."""
        return ()

    def references(self) -> tuple[Reference, ...]:
        """The stages, images and named contexts that the instruction takes files from."""
        return ()

    def nested(self) -> Instruction | None:
        """The instruction that this one stores for another build."""
        return None

    def declares(self) -> tuple[Declaration, ...]:
        """The variables that the instruction declares."""
        return ()

    def expanded(self) -> Iterable[object]:
        """The operands in which BuildKit expands variables."""
        return operand_values(self) if self.EXPANDED else ()

    def shell_text(self) -> str:
        """The text that is passed to a shell, as it is written in the Dockerfile; empty if there is none."""
        return ""

    def features(self) -> list[str]:
        """The frontend versions that introduced what the instruction uses, except for modifiers in its operands."""
        return [each.since for name, each in declared(type(self)).flags if getattr(self, name) not in (None, ())]

    def check_together(self) -> None:
        """Raise `Refused` for operands and flags that do not fit together; it is called where a flag is given."""

    # What follows from that.

    @property
    def keyword(self) -> str:
        """The keyword in capitals; empty for a comment."""
        return self.KEYWORD

    @classmethod
    def read(cls, line: Line) -> Self:
        """Return the value that a line is equivalent to.

        Raises `Misread` if BuildKit refuses the line, `Refused` if no value is equivalent to it.
        """
        try:
            fields = cls.read_operands(line)
        except Refused:
            # What BuildKit refuses in the flags takes precedence.
            if cls.READS_FLAGS:
                read_flags(cls, line)
            raise
        if line.flags and cls.READS_FLAGS:
            fields.update(read_flags(cls, line))
        else:
            fields.update(declared(cls).unset)
        return cls.from_parsed(line.site, fields, has_flags=bool(line.flags))

    def write(self, spelling: Spelling, given: Sequence[Option]) -> str:
        """Return the instruction's text; raise `Refused` if it has none."""
        flags: list[str] = []
        if given:
            self.check_together()
            flags = write_flags(self, spelling, given)
        operands = self.operands(spelling)
        if isinstance(operands, str):
            return beside_text(self.KEYWORD, flags, operands, spelling.escape)
        pieces = [self.KEYWORD, *flags, *operands]
        head = " ".join(pieces)
        if len(head) > WIDTH:
            head = lay_out(spelling.escape, pieces, one_each=self.ONE_PER_LINE)
        return "\n".join([head, *self.bodies()]) if "<<" in head else head

    def spell(self, spelling: Spelling, given: Sequence[Option] | None = None) -> str:
        """Return the text of the instruction, proven to be one instruction."""
        if given is None:
            given = declared(type(self)).given(self.__dict__)
        try:
            return self.prove(self.write(spelling, given), spelling.escape)
        except Refused as refused:
            raise self.error(refused) from None

    prove = staticmethod(guard)
    """Returns a text if BuildKit reads it as exactly one instruction; otherwise raises `Refused`."""

    def error(self, refused: Refused) -> InvalidValue | InvalidType:
        """Return a refusal as the error that the user sees."""
        return refused.error(self.KEYWORD or type(self).__name__, self.origin)

    def rendered(self, spelling: Spelling) -> str:
        """Return the text for a Dockerfile: what the constructor made, unless `spelling` requires a different one."""
        if spelling is BACKSLASH:
            return self._text
        if spelling.escape == "\\" and (spelling.names is None or not self.refers_to_unnamed()):
            return self._text
        return self.spell(spelling)

    def refers_to_unnamed(self) -> bool:
        """Whether the instruction refers to a stage that has no name."""
        return any(isinstance(each.source, StageBase) and each.source.name is None for each in self.references())

    @property
    def minimum_syntax(self) -> SyntaxVersion:
        """The lowest version of the Dockerfile frontend that supports everything that is used here."""
        expanded = references_in(tuple(self.expanded()))
        return highest([*self.features(), *modifier_versions("".join(expanded))])

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        fields = [(each, getattr(self, each.name)) for each in declared(type(self)).fields]
        shown = [f"{field.name}={brief(value)}" for field, value in fields if value != field.default]
        return f"{type(self).__name__}({', '.join(shown)})"


def brief(value: object) -> str:
    """Return the repr of a value; of a stage, only the name is shown."""
    if isinstance(value, StageBase):
        return f"<stage {value.name or 'without a name'}>"
    return repr(value)


def beside_text(keyword: str, flags: list[str], text: str, escape: str) -> str:
    """Return keyword, flags and shell text: on one line, or each on its own if that is too long."""
    if text[0] in "- \t\\`" and text.replace(f"{escape}\n", "").lstrip(" \t").startswith("--"):
        # BuildKit would take it for a flag, even if its lines are broken.
        text = f"-- {text}"
    if not flags:
        return f"{keyword} {text}"
    line = f"{keyword} {' '.join(flags)} {text}"
    first = line.partition("\n")[0]
    if len(first) <= WIDTH and not first.endswith(escape):
        return line
    if text.startswith("#"):
        # At the start of a line, it would be a comment.
        text = f"{flags.pop()} {text}"
    return f"{keyword} " + f" {escape}\n{INDENT}".join([*flags, text])
