"""What all instructions share: keyword and flags, the one line that they are, and the way it is checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Self

from dockdsl.errors import InvalidType, InvalidValue, Refused
from dockdsl.instructions.located import Located, put
from dockdsl.instructions.sources import Reference, StageBase
from dockdsl.syntax.flags import convert, declared, operand_values, plain_operands, read_flags, write_flags
from dockdsl.syntax.guard import guard
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.layout import INDENT, WIDTH, lay_out
from dockdsl.syntax.modifiers import modifier_versions, references_in
from dockdsl.syntax.versions import SyntaxVersion, highest
from dockdsl.syntax.words import BACKSLASH, Spelling


class Declaration(NamedTuple):
    """A variable that an instruction declares."""

    name: str
    kind: Literal["arg", "env"]
    has_value: bool


class Instruction(Located):
    """One instruction of a stage: a frozen attrs class with its keyword, its fields, and two methods.

    A subclass says how its operands are spelled (`operands`) and read (`read_operands`). Keyword and flags are written
    and read here, as the fields declare them.

    The constructor spells the instruction once. So a value that has no spelling cannot exist, and
    rendering only joins what is there.
    """

    KEYWORD: ClassVar[str] = ""
    EXPANDED: ClassVar[bool] = True
    """Whether BuildKit expands variables in the operands."""
    READS_FLAGS: ClassVar[bool] = True
    """Whether BuildKit looks at the flags of the instruction at all."""
    RUNS_AT_BUILD: ClassVar[bool] = False
    """Whether its shell text is run by the build, which sees ARG; what a container runs sees ENV alone."""
    ONE_PER_LINE: ClassVar[bool] = False
    """Whether each operand has a line of its own where they do not fit on one."""

    _text: str

    def complete(self, *, is_normal: bool = False) -> None:
        """Spell the instruction; where its operands are plain there is nothing to convert, to quote or to prove."""
        kind = declared(type(self))
        plain = plain_operands(self, kind)
        if plain is not None:
            text = " ".join((self.KEYWORD, *plain))
            if len(text) > WIDTH:
                plain = None
            elif not kind.has_options(self):
                put(self, "_text", text)
                return
        if not is_normal:
            convert(self, kind.converters if plain is None else kind.of_options)
        put(self, "_text", self.spell(BACKSLASH, plain if kind.only_flags else None))

    # What a subclass says.

    def operands(self, spelling: Spelling) -> Sequence[str]:
        """Spell what stands behind keyword and flags; raise `Refused` for what has no spelling.

        A list has pieces between which the line may be broken; a ``str`` is text that stays as it is.
        """
        raise NotImplementedError

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        """Return the fields of which the operands of the line are the spelling, flags left out.

        Raises `Misread` where BuildKit refuses the line, `Refused` where no value says what it says.
        """
        raise NotImplementedError

    def check_together(self) -> None:
        """Raise `Refused` for operands and flags that do not fit together."""

    def bodies(self) -> Sequence[str]:
        """The bodies of the heredocs among the operands."""
        return ()

    def references(self) -> tuple[Reference, ...]:
        """The stages, images and named contexts that the instruction takes files from."""
        return ()

    def nested(self) -> Instruction | None:
        """The instruction that this one keeps for another build."""
        return None

    def declares(self) -> tuple[Declaration, ...]:
        """The variables that the instruction declares."""
        return ()

    def expanded(self) -> Iterable[object]:
        """The operands in which BuildKit expands variables."""
        return operand_values(self) if self.EXPANDED else ()

    def shell_text(self) -> str:
        """The text that a shell is given, as it is written in the Dockerfile; empty if there is none."""
        return ""

    def features(self) -> list[str]:
        """The frontend versions that the instruction's own features came with."""
        return [each.since for name, each in declared(type(self)).flags if getattr(self, name) not in (None, ())]

    # What follows from it.

    @property
    def keyword(self) -> str:
        """The keyword in capitals; nothing for a comment."""
        return self.KEYWORD

    @classmethod
    def read(cls, line: Line) -> Self:
        """Return the value of which the line is a spelling.

        Raises `Misread` where BuildKit refuses the line, `Refused` where no value says what it says.
        """
        try:
            fields = cls.read_operands(line)
        except Refused:
            # What BuildKit refuses in the flags counts for more.
            if cls.READS_FLAGS:
                read_flags(cls, line)
            raise
        if line.flags and cls.READS_FLAGS:
            fields.update(read_flags(cls, line))
        else:
            fields.update(declared(cls).unset)
        return cls.from_parsed(line.origin, fields)

    def write(self, spelling: Spelling, plain: Sequence[str] | None = None) -> str:
        """Return the instruction's text; `plain` has its operands where they are. Raise `Refused` for what has none."""
        self.check_together()
        flags = write_flags(self, spelling)
        if plain is not None:
            text = " ".join((self.KEYWORD, *flags, *plain))
            if len(text) <= WIDTH:
                return text
        operands = self.operands(spelling)
        if isinstance(operands, str):
            return _beside_text(self.KEYWORD, flags, operands, spelling.escape)
        pieces = [self.KEYWORD, *flags, *operands]
        head = " ".join(pieces)
        if len(head) > WIDTH:
            head = lay_out(spelling.escape, pieces, one_each=self.ONE_PER_LINE)
        return "\n".join([head, *self.bodies()]) if "<<" in head else head

    def spell(self, spelling: Spelling, plain: Sequence[str] | None = None) -> str:
        """Return the text of the instruction, proven to be one instruction."""
        try:
            return self.prove(self.write(spelling, plain), spelling.escape)
        except Refused as refused:
            raise self.error(refused) from None

    prove = staticmethod(guard)
    """Returns a text if BuildKit reads it as exactly one instruction; else raises `Refused`."""

    def error(self, refused: Refused) -> InvalidValue | InvalidType:
        """Return a refusal as the error that the user sees."""
        return refused.error(self.KEYWORD or type(self).__name__, self.origin)

    def rendered(self, spelling: Spelling) -> str:
        """Return the text under `spelling`: what the constructor made, where that serves."""
        if spelling.escape == "\\" and (spelling.names is None or not self.refers_to_unnamed()):
            return self._text
        return self.spell(spelling)

    def refers_to_unnamed(self) -> bool:
        """Whether the instruction refers to a stage that has no name."""
        return any(isinstance(each.source, StageBase) and each.source.name is None for each in self.references())

    @property
    def minimum_syntax(self) -> SyntaxVersion:
        """The lowest version of the Dockerfile frontend that knows all that is used here."""
        expanded = references_in(tuple(self.expanded()))
        return highest([*self.features(), *modifier_versions("".join(expanded))])

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        fields = [(each, getattr(self, each.name)) for each in declared(type(self)).fields]
        shown = [f"{field.name}={brief(value)}" for field, value in fields if value != field.default]
        return f"{type(self).__name__}({', '.join(shown)})"


def brief(value: object) -> str:
    """Return the repr of a value, a stage shown by its name alone."""
    if isinstance(value, StageBase):
        return f"<stage {value.name or 'without a name'}>"
    return repr(value)


def _beside_text(keyword: str, flags: list[str], text: str, escape: str) -> str:
    """Put keyword, flags and shell text together: on one line, or a line each where that would be long."""
    if text[0] in "- \t\\`" and text.replace(f"{escape}\n", "").lstrip(" \t").startswith("--"):
        # BuildKit would take it for a flag, wherever its lines are broken.
        text = f"-- {text}"
    if not flags:
        return f"{keyword} {text}"
    line = f"{keyword} {' '.join(flags)} {text}"
    first = line.partition("\n")[0]
    if len(first) <= WIDTH and not first.endswith(escape):
        return line
    if text.startswith("#"):
        # On a line of its own it would be a comment of the Dockerfile.
        text = f"{flags.pop()} {text}"
    return f"{keyword} " + f" {escape}\n{INDENT}".join([*flags, text])
