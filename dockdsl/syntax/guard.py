"""Physical and logical lines: continuations, comments inside them, heredocs.

A logical line is what BuildKit reads as one instruction. Nothing outside this package knows about
continuations; a writer hands over pieces, and `guard` proves that what comes out is one instruction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from dockdsl.errors import Refused

WIDTH = 100
"""Columns after which an instruction is broken into several lines."""
INDENT = "    "
LONGEST_LINE = 65_000
"""Bytes of a physical line; BuildKit reads up to 65,535."""

_CONTINUED = {
    "\\": re.compile(r"(?:[^\\]|^)\\[ \t]*$").search,
    "`": re.compile(r"(?:[^`]|^)`[ \t]*$").search,
}
# White space as Go has it: without the four separators that Python adds.
_is_blank = re.compile(r"[^\S\x1c-\x1f]*").fullmatch
_is_comment = re.compile(r"[^\S\x1c-\x1f]*#").match
_keyword = re.compile(r"(?:ONBUILD[ \t]+)?(RUN|COPY|ADD)(?=[ \t])", re.IGNORECASE).match
_plain_reference = re.compile(r"\$\{\w+\}").match
_heredoc_word = re.compile(r"([0-9]*)<<(-?)\s*([^<]*)", re.DOTALL).fullmatch
_has_heredoc_look = re.compile(r"(?:^|\s)[0-9]*<<(?!<)").search
_quoted_part = re.compile(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|\\(.|$)", re.DOTALL)
_escaped = re.compile(r"\\([\"$\\])")


class HeredocWord(NamedTuple):
    """A word that starts a heredoc: ``3<<-'EOF'``."""

    name: str
    fd: str
    strip_tabs: bool
    quoted: bool


def continued(line: str, escape: str) -> bool:
    """Whether BuildKit takes the next line into this one."""
    return _CONTINUED[escape](line.rstrip("\r")) is not None


def raw_words(line: str) -> list[str] | None:
    """Split a logical line into BuildKit's words, quotes and escapes kept; None where it would give up."""
    words: list[str] = []
    start = -1
    index = 0
    while index < len(line):
        char = line[index]
        if _is_blank(char):
            if start >= 0:
                words.append(line[start:index])
                start = -1
            index += 1
            continue
        if start < 0:
            start = index
        if char == "'":
            index = line.find("'", index + 1)
        elif char == '"':
            index += 1
            while index < len(line) and line[index] != '"':
                if line.startswith("${", index) and _plain_reference(line, index) is None:
                    return None
                index += 2 if line[index] == "\\" else 1
            if index >= len(line):
                return None
        elif char == "\\":
            index += 1
        elif line.startswith("${", index):
            # Frontends know different modifiers, give up at others, and lose words before some.
            reference = _plain_reference(line, index)
            index = -1 if reference is None else reference.end() - 1
        if index < 0:
            return None
        index += 1
    if start >= 0:
        words.append(line[start:])
    return words


def _unquoted(part: re.Match[str]) -> str:
    if part[2] is not None:
        return _escaped.sub(r"\1", part[2])
    return part[1] if part[1] is not None else part[3]


def heredoc_words(line: str) -> list[HeredocWord] | None:
    """Return the heredocs that a logical line starts; None where frontends disagree about it."""
    if "<<" not in line:
        return []
    words = raw_words(line)
    if words is None:
        return None if _has_heredoc_look(line) else []
    found = []
    for word in words:
        match = _heredoc_word(word)
        if match is None:
            continue
        fd, dash, rest = match.groups()
        name = _quoted_part.sub(_unquoted, rest)
        if not name:
            # `<< EOF`: a heredoc since 1.16, two words before.
            return None
        found.append(HeredocWord(name, fd, bool(dash), quoted=rest[:1] in "'\"" or "'" in rest or '"' in rest))
    return found


def heredoc_bodies(words: Sequence[HeredocWord], lines: Sequence[str], start: int) -> int:
    """Return the index of the line after the bodies of `words`, which begin at `start`; -1 if one does not end."""
    index = start
    for word in words:
        while True:
            if index >= len(lines):
                return -1
            line = lines[index].rstrip("\r")
            index += 1
            if (line.lstrip("\t") if word.strip_tabs else line) == word.name:
                break
    return index


def pick_delimiter(text: str) -> str:
    """Return a heredoc delimiter that is no line of `text`."""
    taken = {line.strip() for line in text.split("\n")}
    number = 1
    name = "EOF"
    while name in taken:
        number += 1
        name = f"EOF{number}"
    return name


def lay_out(escape: str, pieces: Sequence[str], *, one_each: bool = False) -> str:
    """Join pieces by blanks: on one line if that is short, else filled into lines (or a piece a line)."""
    line = " ".join(pieces)
    if len(line) <= WIDTH or len(pieces) <= 2:
        return line
    lines = [pieces[0] + " " + pieces[1]]
    for piece in pieces[2:]:
        if one_each or len(lines[-1]) + 1 + len(piece) > WIDTH:
            lines.append(INDENT + piece)
        else:
            lines[-1] += " " + piece
    return f" {escape}\n".join(lines)


def _logical(lines: Sequence[str], escape: str) -> tuple[str, int] | None:
    """Join the first logical line; return it and the index after it, or None if it stays open."""
    parts: list[str] = []
    for index, line in enumerate(lines):
        if parts and (_is_blank(line) or _is_comment(line)):
            continue
        if not continued(line, escape):
            parts.append(line)
            return "".join(parts), index + 1
        parts.append(line.rstrip(" \t\r")[:-1])
    return None


def guard(text: str, escape: str) -> str:
    """Return `text` if BuildKit reads it as exactly one instruction; else raise `Refused`.

    This is the last line of defence, the same for every instruction: whatever a writer did, no
    value of it gets out.
    """
    if "\n" not in text:
        if text[-1] == escape or continued(text, escape):
            raise Refused(
                "the last character is the escape character, which would take in the next line",
                "end the text otherwise",
            )
        if "<<" in text and _started(text, escape) != []:
            raise Refused("the text would start a heredoc, and has none", "write << otherwise")
        if len(text) > LONGEST_LINE // 4:
            check_lengths([text])
        return text
    lines = text.split("\n")
    check_lengths(lines)
    joined = _logical(lines, escape)
    if joined is None:
        raise Refused("the text ends in a continuation", "take out the last escape character")
    logical, index = joined
    if "<<" in logical:
        words = _started(logical, escape)
        index = -1 if words is None else heredoc_bodies(words, lines, index)
        if index < 0:
            raise Refused("the text would start a heredoc that does not end", "write << otherwise")
    if index != len(lines) or (lines[-1].endswith(escape) and "<<" not in logical):
        raise Refused("the text has a line that would become an instruction of its own", "write it in one line")
    return text


def _started(logical: str, escape: str) -> list[HeredocWord] | None:
    """Return the heredocs that an instruction starts; None where frontends disagree about it."""
    keyword = _keyword(logical)
    if keyword is None:
        return []
    operands = _without_flags(logical[keyword.end() :], escape)
    if not operands.startswith("["):
        return heredoc_words(logical)
    import json  # noqa: PLC0415 - seldom needed

    try:
        elements = json.loads(operands)
    except (ValueError, RecursionError):
        return heredoc_words(logical)
    # The elements of COPY and ADD are looked at once more; those of RUN are not.
    looks = keyword[1].upper() != "RUN" and any(_heredoc_word(str(element)) for element in elements)
    return None if looks else []


def _without_flags(rest: str, escape: str) -> str:
    """Return the operands after the flags of an instruction."""
    rest = rest.lstrip(" \t")
    while rest.startswith("--"):
        index = 0
        quote = ""
        while index < len(rest) and (quote or rest[index] not in " \t"):
            char = rest[index]
            if char == escape:
                index += 1
            elif quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            index += 1
        end = rest[:index] == "--"
        rest = rest[index:].lstrip(" \t")
        if end:
            break
    return rest


def check_lengths(lines: Sequence[str]) -> None:
    """Refuse lines that are longer than BuildKit reads."""
    for line in lines:
        if len(line) > LONGEST_LINE // 4 and len(line.encode()) > LONGEST_LINE:
            raise Refused(
                f"a line is {len(line.encode()):,} bytes long, and BuildKit reads at most 65,535",
                "break it, or copy the text in as a file",
            )
