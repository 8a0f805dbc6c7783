"""Operands: from values to words that BuildKit reads back as those very values.

In an operand that BuildKit expands, a ``str`` means itself character for character, but for
references (``$NAME``, ``${NAME}`` and the modifier forms). `literal` makes text in which a dollar
is a dollar. Everything here is a pure function of the value and the escape character; what has no
spelling raises `Refused`, to which the instruction adds its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from dockdsl.display import kind_of, shown
from dockdsl.errors import InvalidType, Refused, refuse_type

# What stands bare in any operand: no blank, quote, escape character, dollar, bracket or comma trap.
_BARE = r"A-Za-z0-9_@%+:,./=^~\-"
_SIMPLE_REFERENCE = r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})"
is_bare = re.compile(rf"(?:[{_BARE}]|{_SIMPLE_REFERENCE})+").fullmatch
is_bare_path = re.compile(
    rf"(?:[{_BARE}*?\[\]]|{_SIMPLE_REFERENCE})(?:[{_BARE}*?\[\]#{{}}()!&;|>]|{_SIMPLE_REFERENCE})*"
).fullmatch
is_bare_key = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*").fullmatch
_is_bare_flag = re.compile(r"[!#-&(-\[\]-_a-~]+").fullmatch
_find_control = re.compile("[\x00-\x08\x0a-\x1f\x7f]").search
_find_reference = re.compile(_SIMPLE_REFERENCE).match
_open_reference = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::?[-+?]|##?|%%?|//?)").match
_has_modifier = re.compile(r"\$\{\w+[^\w}]").search
_name_goes_on = re.compile(r"\w").match
_BOM = "\ufeff"
_Value = TypeVar("_Value")

_DEEPEST = 50
"""How deep references may stand in each other."""

Atom = tuple[bool, str]
"""(is a reference, text): literal characters, or one ``$NAME``/``${…}`` as it is written."""


class Literal:
    """Text in which a dollar is a dollar, perhaps joined with text that has references.

    Made by `literal`; joined with ``+``. It is not a ``str``, so that it cannot slip into an
    f-string and come out with its dollars alive.
    """

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[tuple[bool, str], ...]) -> None:
        self.parts = parts
        """(is literal, text), in order."""

    def __reduce__(self) -> tuple[type[Literal], tuple[tuple[tuple[bool, str], ...]]]:
        return Literal, (self.parts,)

    def __add__(self, other: Word) -> Literal:
        return Literal(self.parts + _parts(other))

    def __radd__(self, other: Word) -> Literal:
        return Literal(_parts(other) + self.parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __repr__(self) -> str:
        return " + ".join(f"literal({text!r})" if exact else repr(text) for exact, text in self.parts)

    def __str__(self) -> str:
        raise self._no_text()

    def __format__(self, spec: str) -> str:
        raise self._no_text()

    def _no_text(self) -> InvalidType:
        return InvalidType(
            "literal(): the value is not a str, since its dollars would come alive in one; "
            "join it with +, as in literal(text) + '/${NAME}'"
        )


Word = str | Literal
"""An operand: a ``str`` (with references) or what `literal` gives."""


def literal(text: str) -> Literal:
    """Return `text` as an operand in which every ``$`` is a plain dollar.

    For text that comes from outside. As a source of `Copy` and `Add` it also names that very file:
    ``*``, ``?`` and ``[`` are no patterns in it. It is joined with other operands by ``+``.

    Raises `InvalidType` if `text` is not a ``str``.

    >>> from dockdsl import Env
    >>> print(Env({"PRICE": literal("$5")}))
    ENV PRICE="\\$5"
    >>> print(Env({"P": literal("$5/") + "${UNIT}"}))
    ENV P="\\$5/${UNIT}"

    Source: the Dockerfile reference, "Environment replacement".
    """
    if not isinstance(text, str):
        raise InvalidType(f"literal(): the text is {kind_of(text)}; pass a str")
    return Literal(((True, plain(text)),))


def _parts(word: Word) -> tuple[tuple[bool, str], ...]:
    if isinstance(word, Literal):
        return word.parts
    if isinstance(word, str):
        return ((False, plain(word)),)
    raise InvalidType(f"literal(): {kind_of(word)} cannot be joined to it; join a str or a literal()")


def word_or_none(value: Word | None) -> Word | None:
    """Return the one form of an operand that may be left out."""
    return None if value is None else word(value)


def word(value: Word) -> Word:
    """Return the one form of an operand: a ``str`` unless a dollar of it is literal.

    It refuses nothing (that is for the spelling, which knows the construct).
    """
    if type(value) is str:
        return value
    return normal(value.parts) if isinstance(value, Literal) else plain(value)


def plain(value: _Value) -> _Value:
    """Return the text of a ``str`` of another class, such as a member of an enumeration; all else as it is."""
    if type(value) is str or not isinstance(value, str):
        return value
    return str.__str__(value)  # type: ignore[return-value]  # a str for a str


def text_of(value: str) -> str:
    """Return a text as a plain ``str``; a converter of fields that are no operands."""
    return plain(value)


def normal(parts: tuple[tuple[bool, str], ...]) -> Word:
    """Merge parts; a literal part is one with a dollar in it, all else is text with references."""
    atoms: list[Atom] = []
    for exact, text in parts:
        try:
            atoms.extend([(False, text)] if exact else split(text))
        except Refused:
            # Left as it is: the spelling will refuse it again, and knows for what.
            return Literal(parts)
    return from_atoms(atoms)


def from_atoms(atoms: Iterable[Atom]) -> Word:
    """Return the operand that consists of `atoms`."""
    merged: list[list[str]] = []
    kinds: list[bool] = []
    for reference, text in atoms:
        if not text:
            continue
        if kinds and not reference and not kinds[-1]:
            merged[-1].append(text)
        else:
            merged.append([text])
            kinds.append(reference)
    parts: list[tuple[bool, str]] = []
    for index, (reference, pieces) in enumerate(zip(kinds, merged, strict=True)):
        text = "".join(pieces)
        exact = not reference and "$" in text
        if reference and text[1] != "{" and index + 1 < len(merged) and _name_goes_on(merged[index + 1][0]):
            text = f"${{{text[1:]}}}"
        if parts and not exact and not parts[-1][0]:
            parts[-1] = (False, parts[-1][1] + text)
        else:
            parts.append((exact, text))
    if not parts:
        return ""
    return parts[0][1] if len(parts) == 1 and not parts[0][0] else Literal(tuple(parts))


def split(text: str) -> list[Atom]:
    """Split `text` into literal characters and references.

    Raises `Refused` for a dollar that starts no reference.
    """
    if "$" not in text:
        return [(False, text)] if text else []
    atoms: list[Atom] = []
    start = 0
    while (dollar := text.find("$", start)) >= 0:
        if dollar > start:
            atoms.append((False, text[start:dollar]))
        start = _reference_end(text, dollar)
        atoms.append((True, text[dollar:start]))
    if start < len(text):
        atoms.append((False, text[start:]))
    return atoms


def _reference_end(text: str, dollar: int, depth: int = 0) -> int:
    simple = _find_reference(text, dollar)
    if simple is not None:
        end = simple.end()
        if text[end - 1] != "}" and _name_goes_on(text, end):
            raise Refused(
                f"the reference {shown(simple.group())} runs into a letter that BuildKit takes into the name",
                f"write ${{{simple.group()[1:]}}}",
            )
        return end
    modified = _open_reference(text, dollar)
    if modified is not None:
        return _modifier_end(text, modified.end(), dollar, depth)
    raise Refused(
        f"the dollar in {shown(text[dollar : dollar + 20])} starts no reference",
        "write literal(…) where a plain dollar is meant",
    )


def _modifier_end(text: str, start: int, dollar: int, depth: int) -> int:
    """Find the brace that ends the reference whose word starts at `start`."""
    if depth > _DEEPEST:
        raise Refused(f"the reference {shown(text[dollar:])} holds others too deep", "use variables for the inner ones")
    index = start
    while index < len(text):
        char = text[index]
        if char == "}":
            return index + 1
        if char in "'\"\\`":
            raise Refused(
                f"the reference {shown(text[dollar:])} has a quote or an escape character in it",
                "leave it out (blanks need no quotes there), or use a variable for that text",
            )
        index = _reference_end(text, index, depth + 1) if char == "$" else index + 1
    raise Refused(f"the reference {shown(text[dollar:])} has no closing brace", "add the }")


def atoms_of(value: Word, *, control: bool = False) -> list[Atom]:
    """Return the atoms of an operand, and refuse what no spelling carries."""
    if isinstance(value, str):
        atoms = split(value)
    elif isinstance(value, Literal):
        atoms = []
        for exact, text in value.parts:
            atoms.extend([(False, text)] if exact else split(text))
    else:
        raise refuse_type("operand", value, "pass a str or a literal()")
    for _, text in atoms:
        check_characters(text, control=control)
    return atoms


def check_characters(text: str, *, control: bool = False) -> None:
    """Refuse what no line can carry: newlines and control characters, and what is not Unicode text."""
    found = None if control else _find_control(text)
    if found is not None:
        if found.group() == "\n":
            raise Refused(
                f"the value {shown(text)} has a newline, and no spelling of it stays in the instruction",
                "take it out, or write a file with Copy.text()",
            )
        raise Refused(
            f"the value {shown(text)} has the control character {found.group()!r}", "take it out of the value"
        )
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refused(
                f"the value {shown(text)} has a lone surrogate, which is no Unicode character", "decode the text first"
            ) from None


_JSON = {ord('"'): '\\"', ord("\\"): "\\\\", 0x7F: "\\u007f"} | {
    code: {9: "\\t", 10: "\\n", 13: "\\r"}.get(code, f"\\u{code:04x}") for code in range(1, 32)
}


def json_text(text: str) -> str:
    """Return `text` as a JSON string; every character but NUL and lone surrogates has a spelling there."""
    if not isinstance(text, str):
        raise refuse_type("argument", text, "pass a str")
    if "\0" in text:
        raise Refused(f"the argument {shown(text)} has a NUL, which no program can be given", "take it out")
    if not text.isascii():
        check_characters(text, control=True)
    return f'"{text.translate(_JSON)}"'


_starts_name = re.compile(r"[0-9]+|[@*#?$!-]|\w+").match
_in_braces = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(:?[-+?])").match


def read_word(text: str, escape: str, *, quotes: bool = True) -> Word:
    """Return the operand that BuildKit makes of a word: its quotes and escapes taken off, its references kept.

    Without `quotes` they stand for themselves, as in the body of a heredoc. Raises `Refused` for what no operand
    says: an open quote, and a reference to what is no name.
    """
    if "$" not in text and escape not in text and "'" not in text and '"' not in text:
        return text[1:] if text.startswith(_BOM) else text
    if is_bare(text):
        return text
    atoms: list[Atom] = []
    _read(text, 1 if text.startswith(_BOM) else 0, escape, atoms, quotes=quotes, closing="")
    return from_atoms(atoms)


def _read(text: str, at: int, escape: str, atoms: list[Atom], *, quotes: bool, closing: str, depth: int = 0) -> int:
    """Read to the end of the text, or to what closes an operand; return the place behind it."""
    quoted = False
    while at < len(text):
        char = text[at]
        if char == closing and not quoted:
            return at + 1
        if char == '"' and quotes:
            quoted = not quoted
            at += 1
        elif char == "'" and quotes and not quoted:
            end = text.find("'", at + 1)
            if end < 0:
                raise Refused(f"the single quote in {shown(text)} is never closed", "close it")
            atoms.append((False, text[at + 1 : end]))
            at = end + 1
        elif char == escape:
            following = text[at + 1 : at + 2]
            if quoted and following not in ('"', "$", escape):
                atoms.append((False, escape))
                at += 1
            else:
                atoms.append((False, following))
                at += 2
        elif char == "$":
            at = _read_reference(text, at, escape, atoms, quotes=quotes, depth=depth)
        else:
            start = at
            while at < len(text) and text[at] not in "\"'$" and text[at] not in (escape, closing):
                at += 1
            at = max(at, start + 1)
            atoms.append((False, text[start:at]))
    if quoted or closing:
        raise Refused(f"the quote or brace in {shown(text)} is never closed", "close it")
    return at


def _read_reference(text: str, at: int, escape: str, atoms: list[Atom], *, quotes: bool, depth: int) -> int:
    if not text.startswith("{", at + 1):
        name = _starts_name(text, at + 1)
        if name is None:
            atoms.append((False, "$"))
            return at + 1
        if _find_reference(text, at) is None or not name[0].isascii():
            raise Refused(f"the reference {shown(text[at : name.end()])} is to no variable", "name one")
        atoms.append((True, text[at : name.end()]))
        return name.end()
    try:
        end = _reference_end(text, at)
    except Refused:
        modified = _in_braces(text, at)
        if modified is None or depth > _DEEPEST:
            raise
        inner: list[Atom] = []
        end = _read(text, modified.end(), escape, inner, quotes=quotes, closing="}", depth=depth + 1)
        operand = "".join([part for _, part in inner])
        if any(char in part for reference, part in inner if not reference for char in "'\"\\`$}"):
            raise
        atoms.append((True, f"${{{modified[1]}{modified[2]}{operand}}}"))
        return end
    atoms.append((True, text[at:end]))
    return end


class Spelling:
    """How operands are written where `escape` is the escape character."""

    __slots__ = ("_quoted", "escape", "names")

    def __init__(self, escape: str, names: dict[int, str] | None = None) -> None:
        self.escape = escape
        self.names = names
        """How stages without a name are referred to, by the stage's id."""
        self._quoted = str.maketrans({char: escape + char for char in {'"', "$", escape}})

    def value(self, value: Word) -> str:
        """Spell an operand of ENV, LABEL, ARG, WORKDIR, USER…: bare if that is safe, else in double quotes."""
        if type(value) is str and is_bare(value):
            return value
        atoms = atoms_of(value)
        inner = "".join([text if reference else text.translate(self._quoted) for reference, text in atoms])
        return f'"{inner}"'

    def key(self, value: Word) -> str:
        """Spell the key of an ENV or LABEL pair."""
        if type(value) is str and is_bare_key(value):
            return value
        atoms = atoms_of(value)
        if not atoms:
            raise Refused("a key is empty", "give it a name")
        if any("=" in text for _, text in atoms):
            raise Refused(f"the key {shown(value)} has an equals sign", "take it out of the key")
        spelled = self.value(value)
        return spelled if spelled.startswith('"') else f'"{spelled}"'

    def lexed(self, value: Word) -> str:
        """Spell an operand for BuildKit's word lexer without quotes: each special character escaped."""
        if type(value) is str and is_bare_path(value):
            return value
        atoms = atoms_of(value)
        escape = self.escape
        table = str.maketrans({char: escape + char for char in {'"', "'", "$", "<", escape}})
        spelled = "".join([text if reference else text.translate(table) for reference, text in atoms])
        # BuildKit drops a byte order mark at the start of a word, unless it is escaped.
        return escape + spelled if spelled.startswith(_BOM) else spelled

    def path(self, value: Word) -> str | None:
        """Spell a path bare, or return None if it needs the JSON form."""
        if type(value) is str and is_bare_path(value) and not value.startswith(("--", "[")):
            return value
        return None

    def json_path(self, value: Word) -> str:
        """Spell a path as an element of a JSON array, which BuildKit still expands."""
        return json_text(self.lexed(value))

    def flag(self, text: str) -> str:
        """Quote the value of a flag: flags are read byte by byte, quotes and escapes removed."""
        if not text.isascii():
            raise Refused(
                f"the value {shown(text)} has a character outside ASCII, which BuildKit garbles in a flag",
                "use an ASCII name",
            )
        modified = _has_modifier(text) is not None
        if not modified and _is_bare_flag(text):
            return text
        check_characters(text)
        if not text:
            raise Refused("the value is empty", "leave the option out")
        # Old frontends know the backslash alone here, so the other escape character is used where nothing else will do.
        # In single quotes a modifier is out of sight of the search for heredocs, which knows not all of them.
        quote = "'" if (modified or (self.escape == "`" and '"' in text)) and "'" not in text else '"'
        return quote + text.replace(self.escape, self.escape * 2).replace(quote, self.escape + quote) + quote


BACKSLASH = Spelling("\\")
BACKTICK = Spelling("`")
