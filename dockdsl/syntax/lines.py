"""Physical lines become logical ones: continuations, comments between them, heredocs, as BuildKit reads them.

A logical line is what BuildKit reads as one instruction. What cannot be read raises `Misread`, which says where in
the line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from dockdsl.errors import ExpansionError
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.misread import Misread

# Whitespace according to Go: without the four separators that Python adds.
SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000"
)
LONGEST_READ = 65_535
"""Bytes of the longest line that BuildKit reads."""
_heredoc_word = lazy_regex(r"[0-9]*<<(-?)[\t\n\f\r ]*([^<]*)", re.DOTALL)
_BOM = "\ufeff"


def lower(text: str) -> str:
    """Return a text in lower case, as Go has it: one character for each."""
    return text.lower() if text.isascii() else "".join(["i" if char == "\u0130" else char.lower() for char in text])


def continued(line: str, escape: str) -> bool:
    """Whether BuildKit joins the next line to this one."""
    tail = line.rstrip("\r").rstrip(" \t")
    return tail[-1:] == escape and tail[-2:-1] != escape


class HeredocWord(NamedTuple):
    """A word that starts a heredoc: ``3<<-'EOF'``."""

    name: str
    strip_tabs: bool
    quoted: bool


class Logical(NamedTuple):
    """A logical line: what BuildKit reads as one instruction, and where it stands."""

    lines: Sequence[str]
    first: int
    last: int
    """The first and the last physical line, counted from 0."""
    text: str
    """The physical lines joined."""
    parts: list[tuple[int, int]] | None
    """The place in the text where each further physical line begins, and its index; None for a single line."""
    escape: str
    is_open: bool = False
    """Whether its last line is continued, but the file ends."""

    def tail(self) -> str:
        """Return the whitespace behind the text, which is not part of it."""
        line = self.lines[self.parts[-1][1] if self.parts else self.first].rstrip("\r")
        if self.is_open:
            line = line.rstrip(" \t")[:-1]
        return line[len(line.rstrip(SPACE)) :]

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column (both counted from 0) of a place in the text."""
        from bisect import bisect_right  # noqa: PLC0415 - only places of problems are asked for

        number, start = self.first, 0
        parts = self.parts or []
        index = bisect_right(parts, (offset, len(self.lines)))
        if index:
            start, number = parts[index - 1]
        column = offset - start
        if number == self.first:
            column += _indentation(self.lines[number])
        return number, column

    def comments(self, before: int | None = None) -> list[int]:
        """Return the comment lines inside; with `before`, only those before that place in the text."""
        if self.parts is not None and len(self.parts) == self.last - self.first:
            return []
        end = len(self.text)
        found: list[int] = []
        previous = self.first
        for begin, line in [*(self.parts or ()), (end, self.last + 1)]:
            if before is None or begin <= before or begin >= end:
                inside = range(previous + 1, line)
                found += [number for number in inside if is_comment(self.lines[number])]
            previous = line
        return found

    def layout(self, start: int, end: int, escape: str = "\\") -> str:
        """Return the text from `start` to `end` in its physical lines, each but the last ended by `escape`."""
        if not self.parts:
            return self.text[start:end]
        pieces: list[str] = []
        broken = f"{escape}\n"
        at = start
        previous = self.first
        for begin, line in self.parts:
            if begin >= end:
                break
            # The escape character that breaks the line must not follow another one.
            if begin > start and not (begin > at and self.text[begin - 1] == escape):
                pieces += (self.text[at:begin], broken)
                if line > previous + 1:
                    between = self.lines[previous + 1 : line]
                    pieces += [f"{each.rstrip(SPACE)}\n" for each in between if each.strip(SPACE)]
                at = begin
            previous = line
        pieces.append(self.text[at:end])
        return "".join(pieces)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(SPACE + _BOM))


def is_comment(line: str) -> bool:
    """Whether a physical line is a comment."""
    return line.lstrip(SPACE).startswith("#")


def logical(lines: Sequence[str], index: int, escape: str, bare: str | None = None) -> Logical:
    """Read the logical line that begins at `index`, which is neither blank nor a comment.

    `bare` is that line without the whitespace around it, where the caller has it already.
    """
    tail = lines[index].strip(SPACE) if bare is None else bare
    if tail[-1:] != escape or not continued(lines[index].lstrip(SPACE), escape):
        return Logical(lines, index, index, tail, None, escape)
    pieces = [tail[:-1]]
    length = len(tail) - 1
    parts: list[tuple[int, int]] = []
    number = index
    for number in range(index + 1, len(lines)):
        line = lines[number]
        bare = line.lstrip(SPACE)
        if not bare or bare[0] == "#":
            continue
        parts.append((length, number))
        # The test of `continued` without the call, since most lines of a file get here.
        tail = line if line[-1] == escape else line.rstrip("\r").rstrip(" \t")
        if tail[-1] != escape or tail[-2:-1] == escape:
            pieces.append(line.rstrip("\r"))
            return Logical(lines, index, number, "".join(pieces).rstrip(SPACE), parts, escape)
        pieces.append(tail[:-1])
        length += len(tail) - 1
    return Logical(lines, index, number, "".join(pieces).rstrip(SPACE), parts, escape, is_open=True)


class Document(NamedTuple):
    """A heredoc of an instruction."""

    word: HeredocWord
    content: str
    """The lines of the body as they are, including tabs."""
    end: str
    """The line that ends it."""


def _split(text: str, *, quotes: bool, escapes: bool) -> list[str]:
    """Split a text into words as BuildKit does, leaving variables as they are."""
    from dockdsl.syntax.expand import Options, split_words  # noqa: PLC0415 - most files have no heredoc

    return split_words(text, {}, options=Options(raw_quotes=quotes, raw_escapes=escapes, skip_unset_env=True))


def heredocs_in(text: str) -> list[HeredocWord]:
    """Return the heredocs that a logical line starts, according to frontends since 1.16."""
    try:
        words = _split(text, quotes=True, escapes=True)
    except ExpansionError:
        return []
    return [found for word in words if "<<" in word and (found := heredoc_of(word)) is not None]


def heredoc_of(word: str) -> HeredocWord | None:
    """Return the heredoc that a word starts."""
    match = _heredoc_word().fullmatch(word)
    if match is None or not match[2]:
        return None
    try:
        name = _split(match[2], quotes=False, escapes=False)
        raw = _split(match[2], quotes=True, escapes=False)
    except ExpansionError:
        return None
    if len(name) != 1 or len(raw) != 1:
        return None
    quotes = [sum(each.count(quote) for quote in "'\"") for each in (name[0], raw[0])]
    return HeredocWord(name[0], match[1] == "-", quoted=quotes[0] != quotes[1])


def documents(line: Logical, words: Sequence[HeredocWord]) -> tuple[list[Document], int]:
    """Read the bodies of the heredocs that a line starts; return them and the index of their last line."""
    found: list[Document] = []
    index = line.last + 1
    for word in words:
        start = index
        while True:
            if index >= len(line.lines):
                at = line.text.find("<<")
                raise Misread(
                    f"the heredoc {word.name!r} is never closed",
                    f"add a line that is just {word.name}",
                    at,
                    line.text.find(word.name, at) + len(word.name),
                    grammar=True,
                )
            end = line.lines[index].rstrip("\r")
            index += 1
            if (end.lstrip("\t") if word.strip_tabs else end) == word.name:
                break
        found.append(Document(word, "".join([f"{each}\n" for each in line.lines[start : index - 1]]), end))
    return found, index - 1


def joined(command: str) -> tuple[str, list[Document]]:
    """Return shell text as the shell gets it, with continued lines joined, and the heredocs in it."""
    lines = command.split("\n")
    line = logical(lines, 0, "\\")
    if line.last + 1 == len(lines):
        return line.text, []
    found, _ = documents(line, heredocs_in(line.text))
    return "\n".join([line.text, *lines[line.last + 1 :]]), found
