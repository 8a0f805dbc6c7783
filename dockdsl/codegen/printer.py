"""Python expressions as source code, in the layout of the usual formatters; nothing here is about Docker.

An expression is written on one line if it fits; otherwise with one element on each line, followed by a comma. Text that
is too long for a line is broken into several literals after newlines and whitespace.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from textwrap import dedent
from typing import NamedTuple

WIDTH = 120
_LONGEST_WORD = 300
_TAB = 4
# Characters without a width, and those that affect others, are written as escapes.
_INVISIBLE = frozenset({"Mn", "Mc", "Me", "Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", " ": " "}
_words = re.compile(r"\S*(?:[^\S\n]+|\n|$)").findall
_is_simple = re.compile(r"[ !#-\[\]-~]*").fullmatch


def width(text: str) -> int:
    """Return how many columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _escaped(char: str) -> str:
    known = _ESCAPES.get(char)
    if known is not None:
        return known
    jamo = "\u1160" <= char <= "\u11ff"
    if not jamo and unicodedata.category(char) not in _INVISIBLE:
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quoted(text: str) -> str:
    """Return a Python literal of a text, in double quotes unless single ones need fewer escapes."""
    if _is_simple(text):
        return f'"{text}"'
    quote = "'" if text.count('"') > text.count("'") else '"'
    return f"{quote}{escaped(text, quote)}{quote}"


def escaped(text: str, quote: str) -> str:
    r"""Return text as it is written between such quotes.

    >>> print(escaped('"a\t', '"'))
    \"a\t
    """
    return "".join([f"\\{char}" if char == quote else _escaped(char) for char in text])


class Expression:
    """A piece of Python source."""

    flat: str | None = None
    """Its one-line form, if it has one."""

    def lines(self, before: str, indent: int, after: str) -> Iterator[str]:
        """Yield its lines; `before` is added to the first one, `after` to the last one."""
        whole = None if self.flat is None else f"{' ' * indent}{before}{self.flat}{after}"
        if whole is not None and width(whole) <= WIDTH:
            yield whole
        else:
            yield from self.broken(before, indent, after)

    def broken(self, before: str, indent: int, after: str) -> Iterator[str]:
        """Yield the lines of the multi-line form."""
        yield f"{' ' * indent}{before}{self.flat}{after}"

    def alone(self, indent: int, after: str) -> Iterator[str]:
        """Yield the lines of the only argument of a call."""
        return self.lines("", indent, after)


class Name(Expression):
    """A name, a number, a constant."""

    def __init__(self, text: str) -> None:
        self.flat = text


class _Wrapped(Expression):
    """An expression that needs parentheses if it takes several lines."""

    def broken(self, before: str, indent: int, after: str) -> Iterator[str]:
        """Yield the lines in parentheses."""
        pad = " " * indent
        yield f"{pad}{before}("
        yield from self.alone(indent + _TAB, "")
        yield f"{pad}){after}"

    def alone(self, indent: int, after: str) -> Iterator[str]:
        """Yield the lines without parentheses."""
        whole = f"{' ' * indent}{self.flat}{after}"
        if width(whole) <= WIDTH:
            yield whole
        else:
            yield from self.rows(indent, after)

    def rows(self, indent: int, after: str) -> Iterator[str]:
        """Yield the lines of an expression that does not fit on one."""
        raise NotImplementedError


class Text(_Wrapped):
    """A text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.flat = quoted(text)

    def rows(self, indent: int, after: str) -> Iterator[str]:
        """Yield one literal on each line."""
        pad = " " * indent
        room = WIDTH - indent - len(after) - 2
        pieces = list(_fragments(self.text, room))
        for piece in pieces[:-1]:
            yield pad + quoted(piece)
        yield pad + quoted(pieces[-1]) + after


def _fragments(text: str, room: int) -> Iterator[str]:
    """Split a text into pieces that fit, if possible after newlines and whitespace."""
    piece: list[str] = []
    used = 0
    for found in _words(text):
        word, needed = found, width(quoted(found)) - 2
        if piece and (used + needed > room or piece[-1].endswith("\n")):
            yield "".join(piece)
            piece, used = [], 0
        if needed > room:
            bare = word.rstrip()
            # A link is more useful in one piece, and linters accept such a line.
            whole, word = ([bare], word[len(bare) :]) if len(bare) <= _LONGEST_WORD else _cut(word, room)
            yield from whole
            needed = width(quoted(word)) - 2
        piece.append(word)
        # The quotes of a piece depend on all of it, so it may need escapes that its words do not need.
        used += needed + min(word.count('"'), 1) + word.count("'")
    if piece and "".join(piece):
        yield "".join(piece)


def _cut(word: str, room: int) -> tuple[list[str], str]:
    """Cut a word into pieces that fit; return them and the rest."""
    pieces: list[str] = []
    start, used = 0, 0
    for index, char in enumerate(word):
        needed = max(width(_escaped(char)), 2 if char in "'\"" else 1)
        if used + needed > room:
            pieces.append(word[start:index])
            start, used = index, 0
        used += needed
    return pieces, word[start:]


class Sum(_Wrapped):
    """Several operands of ``+``."""

    def __init__(self, operands: Sequence[Expression]) -> None:
        self.operands = operands
        self.flat = " + ".join([str(operand.flat) for operand in operands])

    def rows(self, indent: int, after: str) -> Iterator[str]:
        """Yield one operand on each line."""
        last = len(self.operands) - 1
        for index, operand in enumerate(self.operands):
            yield from operand.lines("+ " if index else "", indent, after if index == last else "")


class Bracket(Expression):
    """A list, a tuple or a call; each element may have a prefix, such as a keyword."""

    def __init__(
        self, opening: str, elements: Sequence[tuple[str, Expression]], closing: str, *, spread: bool = False
    ) -> None:
        self.opening = opening
        self.elements = elements
        self.closing = closing
        inner = [None if each.flat is None else before + each.flat for before, each in elements]
        if not spread and None not in inner:
            comma = "," if opening == "(" and len(inner) == 1 else ""
            self.flat = f"{opening}{', '.join([str(each) for each in inner])}{comma}{closing}"

    def broken(self, before: str, indent: int, after: str) -> Iterator[str]:
        """Yield one element on each line, followed by a comma."""
        pad = " " * indent
        single = len(self.elements) == 1 and not self.elements[0][0]
        if single and isinstance(self.elements[0][1], Block) and self.opening[-2:-1].isalnum():
            yield from self.elements[0][1].broken(before + self.opening, indent, self.closing + after)
            return
        yield f"{pad}{before}{self.opening}"
        for name, each in self.elements:
            if single and self.opening[-1] == "(":
                yield from each.alone(indent + _TAB, ",")
            else:
                yield from each.lines(name, indent + _TAB, ",")
        yield f"{pad}{self.closing}{after}"


class Block(Expression):
    """A text in triple quotes, indented with the code, for functions that remove the indentation.

    Its value also has a newline at the start unless `joined`, and the indentation of the closing quotes at the end. A
    line that is too long stays whole: the lines of a script are easier to read than its fragments.
    """

    def __init__(self, text: str, *, joined: bool = False) -> None:
        self.text = text.removesuffix("\n")
        self.joined = joined
        escaped = "\t" in text or any(_escaped(char) != char for char in set(text) - {"\n", "\\", "\t"})
        self.raw = "\\" in text and not joined and not escaped

    @staticmethod
    def serves(text: str) -> bool:
        """Whether a text can be written in this form, and ``textwrap.dedent`` leaves it as it is."""
        lines = text.split("\n")
        if '"""' in text or len(lines) < 2 or not lines[0].strip() or any(line.isspace() for line in lines):
            return False
        # Linters refuse whitespace at the end of a line.
        if any(line[-1:].isspace() for line in lines):
            return False
        return dedent(text) == text

    def broken(self, before: str, indent: int, after: str) -> Iterator[str]:
        """Yield the lines, with the quotes on the first and the last one."""
        pad = " " * indent
        inner = " " * (indent + (_TAB if before else 0))
        yield f'{pad}{before}{"r" if self.raw else ""}"""{chr(92) if self.joined else ""}'
        for line in self.text.split("\n"):
            body = line if self.raw else "".join([_escaped(char) for char in line])
            yield inner + body if line else ""
        yield f'{pad}"""{after}'


class Argument(NamedTuple):
    """An argument of a call: its keyword, or an empty one, and its value."""

    keyword: str
    value: Expression


def call(function: str, arguments: Iterable[Expression | Argument], *, spread: bool = False) -> Bracket:
    """Return the call of a function."""
    given = [each if isinstance(each, Argument) else Argument("", each) for each in arguments]
    elements = [(f"{keyword}=" if keyword else "", value) for keyword, value in given]
    return Bracket(f"{function}(", elements, ")", spread=spread)


def listed(elements: Iterable[Expression], *, spread: bool = False) -> Bracket:
    """Return a list; with `spread`, each element is always on its own line."""
    return Bracket("[", [("", each) for each in elements], "]", spread=spread)


def paired(first: Expression, second: Expression) -> Bracket:
    """Return a pair."""
    return Bracket("(", [("", first), ("", second)], ")")


def mapped(pairs: Iterable[tuple[str, Expression]]) -> Bracket:
    """Return a dict with texts as keys."""
    return Bracket("{", [(f"{quoted(key)}: ", value) for key, value in pairs], "}")
