"""What all instructions share: origin, the one line they are, and the way it is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from operator import itemgetter
from typing import Any, ClassVar, Self

import attrs

from dockdsl.errors import InvalidType, InvalidValue
from dockdsl.origins import Origin, call_site, origin_of
from dockdsl.syntax.flags import fields_of, flags_of, write_flags
from dockdsl.syntax.guard import guard
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.layout import lay_out
from dockdsl.syntax.refusal import Refused, kind_of, refuse_type, shown
from dockdsl.syntax.versions import SyntaxVersion, highest
from dockdsl.syntax.words import BACKSLASH, Literal, Spelling, plain, split, word_or_none

_OPERANDS: dict[type, itemgetter[str]] = {}


def operands_of(kind: type) -> itemgetter[str]:
    """Return what takes the fields out of an instance's dict."""
    known = _OPERANDS.get(kind)
    if known is None:
        known = _OPERANDS[kind] = itemgetter(*[field.name for field in attrs.fields(kind)])
    return known


class Located:
    """A value that knows where in the user's file it was written.

    The place never counts in equality, hash or repr.
    """

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        fields = operands_of(type(self))
        return bool(fields(self.__dict__) == fields(other.__dict__))

    def __hash__(self) -> int:
        return hash((type(self), operands_of(type(self))(self.__dict__)))

    @property
    def origin(self) -> Origin:
        """The file and line where the value was written."""
        site = self.__dict__["_origin"]
        if type(site) is tuple:
            site = self.__dict__["_origin"] = origin_of(site)
        return site  # type: ignore[no-any-return]  # an instance dict is untyped

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_origin": self.origin}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class StageBase(Located):
    """What a reference to a stage needs to know of it; `dockdsl.Stage` is the only subclass."""

    name: str | None


Source = StageBase | str
"""Where files come from: a stage, or the name of an image or a named context."""


class External(str):
    """The name of an image or a named context that looks like the name of a stage; made by `external`."""

    __slots__ = ()


def external(name: str) -> External:
    """Return `name` as the name of an image or a named context, for ``from_=``.

    A one-word ``from_="deps"`` is refused where no stage bears that name, because it is most often a
    misspelled stage. This says that an image or a named context (``--build-context deps=…``) is meant.

    >>> from dockdsl import Copy
    >>> print(Copy("/lib", "/lib", from_=external("deps")))
    COPY --from=deps /lib /lib

    Source: the Dockerfile reference, "COPY --from".
    """
    if not isinstance(name, str):
        raise InvalidType(f"external(): the name is {kind_of(name)}; pass a str")
    return External(name)


class Instruction(Located):
    """One instruction of a stage. Subclasses are frozen attrs classes with `write`.

    The constructor spells the instruction once. So a value that has no spelling cannot exist, and
    rendering only joins what is there.
    """

    KEYWORD: ClassVar[str] = ""
    EXPANDED: ClassVar[bool] = True
    """Whether BuildKit expands variables in the operands."""

    def __attrs_post_init__(self) -> None:
        values = self.__dict__
        values["_origin"] = call_site()
        values["_text"] = self.spell(BACKSLASH)

    def write(self, spelling: Spelling) -> str:
        """Return the instruction's text; raise `Refused` for what has no spelling."""
        raise NotImplementedError

    @classmethod
    def read(cls, line: Line) -> Self:
        """Return the value of which the line is a spelling.

        Raises `Misread` where BuildKit refuses the line, `Refused` where no value says what it says.
        """
        raise NotImplementedError

    def spell(self, spelling: Spelling) -> str:
        """Return the text of the instruction, proven to be one instruction."""
        try:
            return guard(self.write(spelling), spelling.escape)
        except Refused as refused:
            raise self._error(refused) from None

    def _error(self, refused: Refused) -> InvalidValue | InvalidType:
        site = self.__dict__.get("_origin")
        return refused.error(self.KEYWORD.replace("#", "Comment"), ... if site is None else self.origin)

    def rendered(self, spelling: Spelling) -> str:
        """Return the text under `spelling`: what the constructor made, where that serves."""
        if spelling.escape == "\\" and (spelling.names is None or not self.unnamed()):
            return self.__dict__["_text"]  # type: ignore[no-any-return]  # an instance dict is untyped
        return self.spell(spelling)

    def references(self) -> tuple[Source, ...]:
        """The stages, images and named contexts that the instruction takes files from."""
        return ()

    def unnamed(self) -> bool:
        """Whether the instruction refers to a stage that has no name."""
        return any(isinstance(source, StageBase) and source.name is None for source in self.references())

    def features(self) -> list[str]:
        """The frontend versions that the instruction's own features came with."""
        values = self.__dict__
        return [declared.since for name, declared in flags_of(self) if values[name] not in (None, ())]

    @property
    def minimum_syntax(self) -> SyntaxVersion:
        """The lowest version of the Dockerfile frontend that knows all that is used here."""
        return highest([*self.features(), *(modifier_versions(self._references()) if self.EXPANDED else ())])

    def _references(self) -> str:
        """The variable references in the operands that BuildKit expands."""
        verbatim = {name for name, declared in flags_of(self) if not declared.expands}
        operands = [value for name, value in self.__dict__.items() if name[0] != "_" and name not in verbatim]
        return "".join(references_in(tuple(operands)))

    def __str__(self) -> str:
        return self.__dict__["_text"]  # type: ignore[no-any-return]  # an instance dict is untyped

    def __repr__(self) -> str:
        shown_fields = []
        for field in fields_of(self):
            value = self.__dict__[field.name]
            if value != field.default:
                shown_fields.append(f"{field.name}={brief(value)}")
        return f"{type(self).__name__}({', '.join(shown_fields)})"

    def joined(self, spelling: Spelling, operands: list[str]) -> str:
        """Join keyword, flags and operands into the instruction's text."""
        return lay_out(spelling.escape, [self.KEYWORD, *write_flags(self, spelling), *operands])


def brief(value: object) -> str:
    """Return the repr of a value, a stage shown by its name alone."""
    if isinstance(value, StageBase):
        return f"<stage {value.name or 'without a name'}>"
    return repr(value)


# The expansion forms that came after 1.0, by the first characters of their modifier.
_MODIFIERS = (("#", "1.7"), ("%", "1.7"), ("/", "1.7"), (":?", "1.1"), ("?", "1.1"), ("-", "1.6"), ("+", "1.6"))


def references_in(value: object) -> list[str]:
    """Return the variable references of an operand or of several."""
    if isinstance(value, tuple):
        return [each for part in value for each in references_in(part)]
    parts = ((False, value),) if isinstance(value, str) else value.parts if isinstance(value, Literal) else ()
    return [text for exact, part in parts if not exact and "${" in part for reference, text in split(part) if reference]


def modifier_versions(text: str) -> list[str]:
    """Return the frontend versions that the variable modifiers in `text` came with."""
    if "${" not in text:
        return []
    found: list[str] = []
    for piece in text.split("${")[1:]:
        rest = piece.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
        found.extend(version for start, version in _MODIFIERS if rest.startswith(start))
    return found


_is_source = re.compile(r"(?:\[[0-9A-Fa-f:]+\](?::[0-9]+)?/)?[A-Za-z0-9][A-Za-z0-9_.:/@+-]*").fullmatch


def source_name(value: Source | None) -> Source | None:
    """Return a stage as it is, and a name as a plain ``str``."""
    return value if isinstance(value, External) else plain(value)


def spell_source(spelling: Spelling, value: Any) -> str:
    """Spell what ``from`` names: a stage by its name or index, an image or context by its name."""
    if isinstance(value, StageBase):
        if value.name is not None:
            return value.name
        return "0" if spelling.names is None else spelling.names[id(value)]
    if not isinstance(value, str):
        hint = " (a Dockerfile or Image is not one of its stages)" if hasattr(value, "dockerfile") else ""
        raise refuse_type("source", value, f"pass a Stage or the name of an image{hint}")
    if "$" in value:
        raise Refused(
            f"the source {shown(value)} has a variable, and BuildKit expands none here",
            'make a stage of it, Stage("${NAME}"), and pass that',
        )
    if not _is_source(value):
        raise Refused(f"the source {shown(value)} is no name of an image", "pass a Stage or the name of an image")
    if value.isdecimal():
        raise Refused(f"the source {value!r} is the index of a stage", "pass the Stage itself")
    return str.__str__(value)


def read_source(line: Line, value: str) -> Source:
    """Read what ``from`` names."""
    return line.scope.source(value)  # type: ignore[no-any-return]  # a stage, which this layer does not know


def number_or_word(value: Any) -> Any:
    """Return a number as its digits, and any other operand in its one form.

    A bool is left as it is, and refused with its type when it is spelled; so is a number without end.
    """
    if isinstance(value, int):
        return value if isinstance(value, bool) or abs(value) >= 10**20 else str(int(value))
    return word_or_none(value)


def tuple_of(value: Any) -> tuple[Any, ...]:
    """Return one operand or several as a tuple; what is wrong with an element is for the spelling to say."""
    if isinstance(value, (str, Literal, bytes, Mapping, AbstractSet)):
        # Bytes and mappings are refused as they are, and so are sets: they have no order.
        return (value,)
    try:
        return tuple(value)
    except TypeError:
        return (value,)
