"""The line of an instruction in a file, from which its class reads flags and operands."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from dockdsl.errors import InvalidType, InvalidValue, Refused
from dockdsl.origins import Origin, Site
from dockdsl.syntax.arrays import array_in
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.lines import SPACE, Document, Logical, documents, heredocs_in, lower
from dockdsl.syntax.misread import Misread
from dockdsl.syntax.words import Word, read_word

_blank = re.compile(r"[\t\v\f\r ]+")
_space = re.compile(rf"[{SPACE}]+")
_first_word = re.compile(rf"[{SPACE}]*+([^\t\v\f\r ]+)[\t\v\f\r ]*").match
_easy_flag = re.compile(r"--([a-z][a-z-]*)(?:=([^\s'\"\\`]*))?[ \t]+").match
_is_easy_array = re.compile(r'\[[ \t]*(?:"[^"\\\x00-\x1f]*"(?:[ \t]*,[ \t]*"[^"\\\x00-\x1f]*")*)?[ \t]*\]').fullmatch
_easy_strings = re.compile(r'"([^"]*)"').findall
_WITH_HEREDOCS = ("RUN", "COPY", "ADD")
_surrogate = lazy_regex("[\ud800-\udfff]")


class FlagToken(NamedTuple):
    """A flag of a line, without its quotes and escapes."""

    name: str
    value: str | None
    start: int
    end: int


class Scope(NamedTuple):
    """The context of a line."""

    path: str
    source: Callable[..., Any]
    """Returns the stage or image that a name in ``from`` refers to; with `by_index`, it may be an index."""


def named(name: str, *, by_index: bool) -> str:  # noqa: ARG001 - another build has no index either
    """Return a name as that of an image: the line is part of another build."""
    return name


class Line:
    """An instruction's line: keyword, flags and operands, without continuations."""

    documents: Sequence[Document] = ()
    kept_from: int | None = None
    """From which place in the logical line on the value contains the comments; None where it contains none."""
    flags: Sequence[FlagToken] = ()
    refusal = ""
    """Why BuildKit refuses what it has read here when it builds: fact and remedy."""
    head = keyword = ""
    """The keyword as it is written, and in capitals."""
    above: Sequence[int] = ()
    """The lines of the comments above, counted from 0."""
    tight = 0
    """Which of them is the first with no blank line between it and the instruction."""

    def __init__(self, line: Logical, start: int, scope: Scope) -> None:
        """Split the text from `start` on."""
        text = line.text
        self.logical = line
        self.last = line.last
        """The last physical line, including those of heredocs, counted from 0."""
        self.escape = line.escape
        self.site: Site = (scope.path, line.first + 1)
        self.scope = scope
        at = end = len(text)
        word = _first_word(text, start)
        if word is not None:
            self.head = word[1]
            self.keyword = self.head.upper() if self.head.isascii() else _capitals(self.head)
            at = word.end()
            if text.startswith("--", at):
                at = self._read_flags(at, end)
            # Flags may only follow ASCII whitespace; operands may follow any.
            while at < end and text[at] in SPACE:
                at += 1
        self.start = at
        """Where the operands begin in the logical line."""
        self.text = text[at:end]
        """The operands, without the whitespace around them."""

    @property
    def origin(self) -> Origin:
        """The file and line where the instruction begins."""
        return Origin(*self.site)

    def _read_flags(self, at: int, end: int) -> int:
        # BuildKit reads flags byte by byte, so non-ASCII text is garbled, and some bytes count as whitespace.
        text = self.logical.text
        if not text.isascii():
            tail = text[at:end].encode().decode("latin-1")
            found, stop = _flags(tail, 0, self.escape)

            def place(index: int, half: str = "ignore") -> int:
                return at + len(tail[:index].encode("latin-1").decode("utf-8", half))

            # A flag that ends within a character keeps all of it, so that it is read in the same way again.
            self.flags = [FlagToken(*each[:2], place(each[2]), place(each[3], "replace")) for each in found]
            return place(stop)
        self.flags, at = _flags(text, at, self.escape)
        return at

    def inner(self, escape: str | None = None) -> Line:
        """Return the line of the instruction in an ONBUILD; with another escape character, what another build reads."""
        found = Line(self.logical._replace(escape=escape or self.escape), self.start, Scope(self.scope.path, named))
        found.documents = self.documents
        return found

    def read_documents(self) -> int:
        """Read the heredocs that the line starts; return the last line that it takes, counted from 0."""
        last = self.logical.last
        text = self.logical.text
        if "<<" not in text:
            return last
        line = self.inner() if self.keyword == "ONBUILD" else self
        if line.keyword not in _WITH_HEREDOCS or line.array() is not None:
            return last
        # A backslash at the end escapes what comes next, though it is not part of the instruction.
        words = heredocs_in(text + self.logical.tail() if text[-1] == "\\" else text)
        if words:
            self.documents, self.last = documents(self.logical, words)
        return self.last

    def words(self) -> list[str]:
        """Return the operands of the plain form, split at whitespace."""
        # In printable text the space is the only white space, whoever asks.
        if self.text.isprintable():
            return self.text.split()
        return _blank.split(self.text)

    def quoted_words(self) -> list[str]:
        """Return the operands of ENV, LABEL and ARG, split at whitespace outside quotes; quotes are kept."""
        text = self.text
        if "'" not in text and '"' not in text and self.escape not in text:
            return text.split() if text.isprintable() else [each for each in _space.split(text) if each]
        return _find_quoted_words(self.escape)(text)

    def legacy_pair(self) -> tuple[str, str]:
        """Return key and value of the old form of ENV and LABEL."""
        pair = _blank.split(self.text, maxsplit=1)
        if len(pair) < 2:
            raise self.wrong(f"the key {self.text!r} has no value", f"write {self.text}=value", grammar=True)
        return pair[0], pair[1]

    def word(self, text: str) -> Word:
        """Read an operand that BuildKit expands."""
        return read_word(text, self.escape)

    def array(self, *, start: int = 0) -> list[str] | None:
        """Return the elements of the JSON form; None if the operands are not in that form."""
        text = self.text[start:].lstrip(SPACE) if start else self.text
        if not text.startswith("["):
            return None
        if _is_easy_array(text):
            return _easy_strings(text)
        return self._decoded(text)

    def _decoded(self, text: str) -> list[str] | None:
        found = array_in(text)
        if found is None:
            return None
        if not all(isinstance(each, str) for each in found):
            raise self.wrong(
                "the array has an element that is not a string",
                "write each element in double quotes",
                text,
                grammar=True,
            )
        return [each if _surrogate().search(each) is None else _replaced(each) for each in found]

    def layout(self, start: int = 0) -> str:
        """Return the lines of the operands, with the comments between them and the heredocs after them."""
        self.kept_from = self.start
        begin = self.start + start
        text = self.logical.layout(begin, self.start + len(self.text))
        if self.documents:
            return "\n".join([text, *[f"{each.content}{each.end}" for each in self.documents]])
        return text

    def comment_lines(self) -> Sequence[int]:
        """Return the comment lines that the value does not contain, counted from 0."""
        return self.logical.comments(self.kept_from)

    def refuse(self, error: Refused | InvalidType | InvalidValue) -> None:
        """Keep why BuildKit refuses the line when it builds, if it does."""
        if error.by_build and not self.refusal:
            self.refusal = str(error).removeprefix(f"{self.keyword}: ")

    def wrong(self, fact: str, remedy: str, part: str | None = None, *, grammar: bool = False) -> Misread:
        """Return the refusal of the line, or of a part of its operands."""
        at = self.logical.text.find(part, self.start) if part else -1
        if part is None or at < 0:
            start = self.start if self.text else 0
            return Misread(fact, remedy, start, len(self.logical.text), grammar=grammar)
        return Misread(fact, remedy, at, at + len(part), grammar=grammar)


def _capitals(word: str) -> str:
    # In lower case first: some letters are ASCII only in upper case.
    small = lower(word)
    return small.upper() if small.isascii() else word


def _replaced(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _flags(text: str, at: int, escape: str) -> tuple[list[FlagToken], int]:
    found: list[FlagToken] = []
    end = len(text)
    while True:
        while at < end and text[at] in SPACE:
            at += 1
        if not text.startswith("--", at):
            return found, at
        easy = _easy_flag(text, at)
        if easy is not None:
            found.append(FlagToken(easy[1], easy[2], at, easy.end(1 if easy[2] is None else 2)))
            at = easy.end()
            continue
        start = at
        pieces: list[str] = []
        quote = ""
        while at < end:
            char = text[at]
            if not quote and char in SPACE:
                break
            if char == quote:
                quote = ""
            elif not quote and char in "'\"":
                quote = char
            elif char == escape:
                at += 1
                pieces.append(text[at : at + 1])
            else:
                pieces.append(char)
            at += 1
        at = min(at, end)
        word = "".join(pieces)
        if word == "--":
            return found, at
        name, equals, value = word.partition("=")
        found.append(FlagToken(name[2:], value if equals else None, start, at))


@cache
def _find_quoted_words(escape: str) -> Callable[[str], list[str]]:
    """Return a function that finds words: their quotes may be open at the end, where a lone escape is dropped."""
    escaped = rf"{re.escape(escape)}."
    plain = re.escape(escape)
    word = rf"""(?:{escaped}|'[^']*+'?|"(?:{escaped}|[^"{plain}])*+"?|[^{SPACE}'"{plain}])++"""
    return re.compile(word, re.DOTALL).findall
