"""Operands: values are written as words that BuildKit reads as the same values, and words are read as values.

In an operand that BuildKit expands, a ``str`` represents exactly its characters, except for references (``$NAME``,
``${NAME}`` and the forms with modifiers). `literal` makes text in which a dollar is just a dollar. A value that cannot
be written raises `Refused`, to which the instruction adds its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from dockdsl.display import kind_of, shown
from dockdsl.errors import InvalidType, Refused, refuse_type
from dockdsl.syntax.cursor import Cursor, run_without
from dockdsl.syntax.lazy_regex import lazy_regex

# What can be written without quotes in any operand: no whitespace, quote, escape character, dollar or bracket.
_BARE = r"A-Za-z0-9_@%+:,./=^~\-"
_SIMPLE_REFERENCE = r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})"
_WITH_DEFAULT = rf"\$\{{[A-Za-z_][A-Za-z0-9_]*:?[-+?][{_BARE}]*+\}}"
is_bare = re.compile(rf"(?:[{_BARE}]++|{_SIMPLE_REFERENCE}|{_WITH_DEFAULT})++").fullmatch
is_plain = re.compile(rf"(?!-)(?:[{_BARE}]++|{_SIMPLE_REFERENCE})++").fullmatch
"""Whether a text is bare, and cannot be taken for a flag."""
is_bare_path = re.compile(
    rf"(?:[{_BARE}*?\[\]]|{_SIMPLE_REFERENCE})(?:[{_BARE}*?\[\]#{{}}()!&;|>]++|{_SIMPLE_REFERENCE})*+"
).fullmatch
is_bare_key = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*").fullmatch
_is_bare_flag = re.compile(r"[!#-&(-\[\]-_a-~]+").fullmatch
is_bare_json = re.compile(r"[ !#-\[\]-~]*+").fullmatch
_is_bare_quoted = lazy_regex(r"[ !#%-\[\]-_a-~]*+")
_in_quotes = lazy_regex(r"""\"[^"\\`$]*+\"|'[^'$]*+'""")
"""A word that is all in one pair of quotes, with nothing in it that has a meaning there."""
_find_control = lazy_regex("[\x00-\x08\x0a-\x1f\x7f]")
_find_reference = lazy_regex(_SIMPLE_REFERENCE)
_open_reference = lazy_regex(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::?[-+?]|##?|%%?|//?)")
_is_bad_reference = lazy_regex(r"\$\{(?!(?:[^\W\d]\w*|\d+|[@*#?$!-])(?:\}|:?[-+?]|[#%/]))")
"""What BuildKit refuses where it is no reference; ``${1}``, ``${é}`` and a lone dollar it does not."""
_has_modifier = lazy_regex(r"\$\{\w+[^\w}]")
_in_braces = lazy_regex(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(:?[-+?])")
_name_goes_on = lazy_regex(r"\w")
_BOM = "\ufeff"
_Value = TypeVar("_Value")

_DEEPEST = 50
"""How deeply references may be nested."""

Atom = tuple[bool, str]
"""(whether it is a reference, text): literal characters, or one ``$NAME`` or ``${…}`` as it is written."""

TOO_LARGE = 10**20
"""The first number that is too large to be an operand."""


class Literal:
    """Text in which a dollar is just a dollar, possibly joined with text that has references.

    Made by `literal`; joined with ``+``. It is not a ``str``, so that an f-string cannot turn its dollars into
    references.
    """

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[tuple[bool, str], ...]) -> None:
        self.parts = parts
        """(whether it is literal, text), in order."""

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
            "literal(): the value cannot become a str, in which its dollars would be references; "
            "join it with +, as in literal(text) + '/${NAME}'"
        )


Word = str | Literal
"""An operand: a ``str`` (with references) or what `literal` gives."""


def literal(text: str) -> Literal:
    """Return an operand with exactly this text, in which a ``$`` does not start a variable reference.

    Use it for text from outside. As a source of `Copy` and `Add`, it names exactly that file: ``*``, ``?`` and ``[`` in
    it are not wildcards. Join it with other operands with ``+``.

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


def text_in(value: Word) -> str:
    """Return the characters of an operand, literal or not."""
    return value if isinstance(value, str) else "".join([text for _, text in value.parts])


def word_or_none(value: Word | None) -> Word | None:
    """Normalize an optional operand."""
    return None if value is None else word(value)


def word(value: Word) -> Word:
    """Normalize an operand: return a ``str`` unless a dollar in it is literal; nothing is refused yet."""
    if type(value) is str:
        return value
    return normal(value.parts) if isinstance(value, Literal) else plain(value)


def plain(value: _Value) -> _Value:
    """Return an instance of a subclass of ``str``, such as a member of an enumeration, as a plain ``str``."""
    if type(value) is str or not isinstance(value, str):
        return value
    return str.__str__(value)  # type: ignore[return-value]  # a str for a str


def text_of(value: str) -> str:
    """Return a text as a plain ``str``: the converter of fields that are not operands."""
    return plain(value)


def normal(parts: tuple[tuple[bool, str], ...]) -> Word:
    """Merge parts: only text with a dollar in it stays literal."""
    try:
        return from_atoms(_split_parts(parts))
    except Refused:
        # It is refused when it is written, with the name of the instruction.
        return Literal(parts)


def _split_parts(parts: tuple[tuple[bool, str], ...]) -> list[Atom]:
    return [atom for exact, text in parts for atom in ([(False, text)] if exact else split(text))]


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
        if reference and text[1] != "{" and index + 1 < len(merged) and _name_goes_on().match(merged[index + 1][0]):
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

    Raises `Refused` for a dollar that does not start a variable reference.
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
    simple = _find_reference().match(text, dollar)
    if simple is not None:
        end = simple.end()
        if text[end - 1] != "}" and _name_goes_on().match(text, end):
            raise Refused(
                f"the reference {shown(simple.group())} is followed by a letter that BuildKit takes for part of it",
                f"write ${{{simple.group()[1:]}}}",
            )
        return end
    modified = _open_reference().match(text, dollar)
    if modified is not None:
        end = _modifier_end(text, modified.end(), dollar, depth)
        if text[modified.end() - 1] == "/" and "/" not in text[modified.end() : end]:
            raise Refused(
                f"the reference {shown(text[dollar:end])} has a pattern and no replacement",
                "write ${NAME/PATTERN/REPLACEMENT}",
                by_build=True,
            )
        return end
    is_bad = _is_bad_reference().match(text, dollar) is not None
    raise Refused(
        f"the dollar in {shown(text[dollar : dollar + 20])} does not start a variable reference",
        f"{'write ${NAME}, or ' if is_bad else ''}use literal(…) for a plain dollar",
        by_build=is_bad,
    )


def _modifier_end(text: str, start: int, dollar: int, depth: int) -> int:
    """Return the end of the reference whose operand starts at `start`."""
    if depth > _DEEPEST:
        raise Refused(f"the reference {shown(text[dollar:])} is nested too deeply", "use variables for the inner ones")
    index = start
    while index < len(text):
        char = text[index]
        if char == "}":
            return index + 1
        if char in "'\"\\`":
            raise Refused(
                f"the reference {shown(text[dollar:])} has a quote or an escape character in it",
                "remove it (whitespace needs no quotes there), or use a variable for that text",
            )
        index = _reference_end(text, index, depth + 1) if char == "$" else index + 1
    raise Refused(f"the reference {shown(text[dollar:])} has no closing brace", "add the }", by_build=True)


def atoms_of(value: Word, *, control: bool = False) -> list[Atom]:
    """Return the atoms of an operand; refuse characters that cannot be written."""
    if isinstance(value, str):
        atoms = split(value)
    elif isinstance(value, Literal):
        atoms = _split_parts(value.parts)
    else:
        raise refuse_word("operand", value)
    for _, text in atoms:
        check_characters(text, control=control)
    return atoms


def refuse_word(what: str, value: object, remedy: str = "pass a str or a literal()") -> Refused:
    """Return the refusal of a value that is not a word."""
    if isinstance(value, int) and abs(value) >= TOO_LARGE:
        return Refused(f"the {what} {shown(value)} has more than 20 digits", "pass a smaller number")
    return refuse_type(what, value, remedy)


def check_characters(text: str, *, control: bool = False) -> None:
    """Refuse what cannot be written in a line: newlines, control characters, and lone surrogates."""
    found = None if control else _find_control().search(text)
    if found is not None:
        if found.group() == "\n":
            raise Refused(
                f"the value {shown(text)} has a newline, which cannot be written in this instruction",
                "remove it, or write a file with Copy.text()",
            )
        raise Refused(f"the value {shown(text)} has the control character {found.group()!r}", "remove it")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refused(
                f"the value {shown(text)} has a lone surrogate, which is not a Unicode character",
                "decode the text first",
            ) from None


_JSON = {ord('"'): '\\"', ord("\\"): "\\\\", 0x7F: "\\u007f"} | {
    code: {9: "\\t", 10: "\\n", 13: "\\r"}.get(code, f"\\u{code:04x}") for code in range(1, 32)
}


def json_text(text: str) -> str:
    """Return `text` as a JSON string, which can hold every character except NUL and lone surrogates."""
    if not isinstance(text, str):
        raise refuse_type("argument", text, "pass a str")
    if is_bare_json(text):
        return f'"{text}"'
    if "\0" in text:
        raise Refused(
            f"the argument {shown(text)} has a NUL character, which cannot be passed to a program", "remove it"
        )
    if not text.isascii():
        check_characters(text, control=True)
    return f'"{text.translate(_JSON)}"'


def array(elements: list[str]) -> list[str]:
    """Return the pieces of a JSON array, one for each element."""
    pieces = [f"{each}," for each in elements]
    pieces[0] = f"[{pieces[0]}"
    pieces[-1] = f"{pieces[-1][:-1]}]"
    return pieces


def read_word(text: str, escape: str, *, quotes: bool = True) -> Word:
    """Return the operand that a word represents: quotes and escapes are removed, references are kept.

    Without `quotes`, quotes are ordinary characters, as in the body of a heredoc. Raises `Refused` for what no operand
    can express: an unclosed quote, and a reference to something that is not a name.
    """
    if "$" not in text and escape not in text and "'" not in text and '"' not in text:
        return text[1:] if text.startswith(_BOM) else text
    if is_bare(text):
        return text
    quoted = _in_quotes().fullmatch(text) if quotes else None
    if quoted is not None:
        return text[1:-1]
    return from_atoms(_Reader(text, escape, "\"'" if quotes else "").read())


class _Reader(Cursor):
    """Removes the quotes and escapes of a word, and keeps its references."""

    def __init__(self, word: str, escape: str, quotes: str) -> None:
        super().__init__(word, escape)
        self._special = "$" + escape + quotes

    def read(self, closing: str = "", depth: int = 0) -> list[Atom]:
        """Read to the end of the word, or past the brace that closes the operand of a reference."""
        atoms: list[Atom] = []
        outside, inside = run_without(self._special + closing), run_without('"$' + self.escape)
        in_quotes = False
        while self.at < len(self.word):
            if run := self.run(inside if in_quotes else outside):
                atoms.append((False, run))
                continue
            char = self.word[self.at]
            if char == "$":
                atoms.append(self._reference(depth))
            elif char == self.escape:
                atoms.append((False, self.escaped(in_quotes=in_quotes)))
            elif char == '"':
                in_quotes = not in_quotes
                self.at += 1
            elif char == "'":
                quoted = self.single_quoted()
                if quoted is None:
                    fact = f"the single quote in {shown(self.word)} is never closed"
                    raise Refused(fact, "close it", by_build=True)
                atoms.append((False, quoted))
            else:
                self.at += 1
                return atoms
        if in_quotes or closing:
            raise Refused(f"the quote or brace in {shown(self.word)} is never closed", "close it", by_build=True)
        return atoms

    def _reference(self, depth: int) -> Atom:
        start = self.at
        if not self.word.startswith("{", start + 1):
            self.at += 1
            name = self.name()
            if name and not (name.isascii() and name.isidentifier()):
                raise Refused(f"{shown('$' + name)} does not refer to a variable", "write the name of one")
            return bool(name), "$" + name
        try:
            self.at = _reference_end(self.word, start)
        except Refused:
            modified = _in_braces().match(self.word, start)
            if modified is None or depth > _DEEPEST:
                raise
            self.at = modified.end()
            inner = self.read("}", depth + 1)
            if any(char in part for reference, part in inner if not reference for char in "'\"\\`$}"):
                raise
            return True, f"${{{modified[1]}{modified[2]}{from_atoms(inner)}}}"
        return True, self.word[start : self.at]


class Spelling:
    """How operands are written when `escape` is the escape character."""

    __slots__ = ("_quoted", "escape", "names")

    def __init__(self, escape: str, names: dict[int, str] | None = None) -> None:
        self.escape = escape
        self.names = names
        """How unnamed stages are referred to, by the id of the stage."""
        self._quoted = str.maketrans({char: escape + char for char in {'"', "$", escape}})

    def value(self, value: Word) -> str:
        """Write an operand of ENV, LABEL, ARG, WORKDIR or USER: in double quotes, unless it is safe without."""
        if type(value) is str:
            if is_bare(value):
                return value
            if _is_bare_quoted().fullmatch(value):
                return f'"{value}"'
        atoms = atoms_of(value)
        inner = "".join([text if reference else text.translate(self._quoted) for reference, text in atoms])
        return f'"{inner}"'

    def key(self, value: Word) -> str:
        """Write the key of an ENV or LABEL pair."""
        if type(value) is str and is_bare_key(value):
            return value
        atoms = atoms_of(value)
        if not atoms:
            raise Refused("a key is empty", "give it a name")
        if any("=" in text for _, text in atoms):
            raise Refused(f"the key {shown(value)} has an equals sign", "remove it")
        spelled = self.value(value)
        return spelled if spelled.startswith('"') else f'"{spelled}"'

    def lexed(self, value: Word) -> str:
        """Write an operand without quotes: every special character is escaped."""
        if type(value) is str and is_bare_path(value):
            return value
        atoms = atoms_of(value)
        escape = self.escape
        table = str.maketrans({char: escape + char for char in {'"', "'", "$", "<", escape}})
        spelled = "".join([text if reference else text.translate(table) for reference, text in atoms])
        # BuildKit drops a byte order mark at the start of a word, unless it is escaped.
        return escape + spelled if spelled.startswith(_BOM) else spelled

    def path(self, value: Word) -> str | None:
        """Write a path without quotes; return None if it needs the JSON form."""
        if type(value) is str and is_bare_path(value) and not value.startswith(("--", "[")):
            return value
        return None

    def flag(self, text: str) -> str:
        """Quote the value of a flag: flags are read byte by byte, quotes and escapes removed."""
        if "${" not in text and _is_bare_flag(text):
            return text
        if not text.isascii():
            raise Refused(
                f"the value {shown(text)} has a non-ASCII character, which BuildKit garbles in a flag",
                "use an ASCII name",
            )
        modified = _has_modifier().search(text) is not None
        if not modified and _is_bare_flag(text):
            return text
        check_characters(text)
        if not text:
            raise Refused("the value is empty", "leave the option out")
        # Old frontends support only the backslash here, so the backtick is used only if it must be. Single quotes hide
        # a modifier from the search for heredocs, which does not support all modifiers.
        quote = "'" if (modified or (self.escape == "`" and '"' in text)) and "'" not in text else '"'
        return quote + text.replace(self.escape, self.escape * 2).replace(quote, self.escape + quote) + quote


BACKSLASH = Spelling("\\")
BACKTICK = Spelling("`")
