"""The proof that a text is exactly one instruction: the last line of defense, however the text was made.

Continued lines and heredocs are deliberately read a second time here, and not with the reader in `lines`: an error
there must not let a value become a separate instruction. This reader is simpler and stricter: it refuses text that
different versions of the frontend would read in different ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from dockdsl.errors import Refused
from dockdsl.syntax.arrays import array_in
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.lines import SPACE, HeredocWord, continued

LONGEST_LINE = 65_000
"""The maximum length in bytes of a line that is written; BuildKit reads up to 65,535."""

_keyword = lazy_regex(r"(?:ONBUILD[ \t]+)?(RUN|COPY|ADD)(?=[ \t])", re.IGNORECASE)
# Whitespace, or a word. Frontends differ in the modifiers of references that they support, fail at others, and lose
# words before some: so only plain references are accepted.
_PLAIN = r"\$\{\w+\}|\$(?!\{)"
_raw_word = lazy_regex(
    rf"""[{SPACE}]+|((?:'[^']*'|"(?:\\.|{_PLAIN}|[^"\\$])*+"|\\(?:.|\Z)|{_PLAIN}|[^{SPACE}'"\\$])+)""", re.DOTALL
)
_FLAGS = {
    escape: lazy_regex(
        rf"""--(?:{each}(?:.|\Z)|(['"])(?:{each}.|(?!\1|{each}).)*+(?:\1|.?\Z)|[^ \t'"{each}])*""", re.DOTALL
    )
    for escape, each in (("\\", r"\\"), ("`", "`"))
}
_heredoc_word = lazy_regex(r"[0-9]*<<(-?)\s*([^<]*)", re.DOTALL)
_has_heredoc_look = lazy_regex(r"(?:^|\s)[0-9]*<<(?!<)")
_quoted_part = lazy_regex(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|\\(.|$)", re.DOTALL)
_escaped = lazy_regex(r"\\([\"$\\])")


def raw_words(line: str) -> list[str] | None:
    """Split a logical line into words, keeping quotes and escapes; None if BuildKit would fail."""
    words: list[str] = []
    at = 0
    while at < len(line):
        found = _raw_word().match(line, at)
        if found is None:
            return None
        if found[1]:
            words.append(found[1])
        at = found.end()
    return words


def _unquoted(part: re.Match[str]) -> str:
    if part[2] is not None:
        return _escaped().sub(r"\1", part[2])
    return part[1] if part[1] is not None else part[3]


def heredoc_words(line: str) -> list[HeredocWord] | None:
    """Return the heredocs that a logical line starts; None if frontends disagree about them."""
    if "<<" not in line:
        return []
    words = raw_words(line)
    if words is None:
        return None if _has_heredoc_look().search(line) else []
    found = []
    for word in words:
        match = _heredoc_word().fullmatch(word)
        if match is None:
            continue
        dash, rest = match.groups()
        name = _quoted_part().sub(_unquoted, rest)
        if not name:
            # `<< EOF`: a heredoc since 1.16, two words before that.
            return None
        found.append(HeredocWord(name, bool(dash), quoted=rest[:1] in "'\"" or "'" in rest or '"' in rest))
    return found


def heredoc_bodies(words: Sequence[HeredocWord], lines: Sequence[str], start: int) -> int:
    """Return the index of the line after the bodies of `words`, which begin at `start`; -1 if one is never closed."""
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


def _logical(lines: Sequence[str], escape: str) -> tuple[str, int] | None:
    """Join the first logical line; return it and the index of the line after it, or None if it never ends."""
    parts: list[str] = []
    for index, line in enumerate(lines):
        if parts and line.lstrip(SPACE)[:1] in ("", "#"):
            continue
        tail = line.rstrip("\r").rstrip(" \t")
        if tail[-1:] != escape or tail[-2:-1] == escape:
            parts.append(line)
            return "".join(parts), index + 1
        parts.append(tail[:-1])
    return None


@cache
def _is_continued(escape: str) -> Callable[[str], object]:
    """Return a function that matches continued lines with a last one, comments and blank lines between them ignored.

    Each of them begins and ends with visible ASCII: blanks of other kinds are left to `_logical`.
    """
    char = re.escape(escape)
    line = rf"[^{char}\n]*+(?:{char}[^{char}\n][^{char}\n]*+)*+"
    ignored = r"(?:[ \t]*+(?:#[^\n]*)?\n)*+"
    return re.compile(rf'(?:{line}{char}\n{ignored}(?=[ \t]*[!"$-~]))++{line}(?<=[!-~])').fullmatch


def guard(text: str, escape: str) -> str:
    """Return `text` if BuildKit reads it as exactly one instruction; else raise `Refused`."""
    long = len(text) > LONGEST_LINE // 4
    if "\n" not in text:
        if escape in text and (text[-1] == escape or continued(text, escape)):
            raise Refused("the text ends with the escape character, which would join the next line to it", "remove it")
        if "<<" in text and _started(text, escape) != []:
            raise Refused("the text would start a heredoc, and has no body for it", "write << in another way")
        if long:
            check_lengths([text])
        return text
    # There may be a line break between the two characters of <<.
    if "<" not in text and not long and _is_continued(escape)(text):
        return text
    lines = text.split("\n")
    if long:
        check_lengths(lines)
    joined = _logical(lines, escape)
    if joined is None:
        raise Refused("the last line of the text is continued", "remove the escape character at its end")
    logical, index = joined
    if "<<" in logical:
        words = _started(logical, escape)
        index = -1 if words is None else heredoc_bodies(words, lines, index)
        if index < 0:
            raise Refused("the text would start a heredoc that does not end", "write << in another way")
    if index != len(lines) or (lines[-1].endswith(escape) and "<<" not in logical):
        raise Refused("a line of the text would become a separate instruction", "write it on one line")
    return text


def _started(logical: str, escape: str) -> list[HeredocWord] | None:
    """Return the heredocs that an instruction starts; None if frontends disagree about them."""
    keyword = _keyword().match(logical)
    if keyword is None:
        return []
    operands = _without_flags(logical[keyword.end() :], escape)
    elements = array_in(operands)
    if elements is None:
        return heredoc_words(logical)
    # BuildKit looks for heredocs in the array of COPY and ADD, but not in that of RUN.
    looks = keyword[1].upper() != "RUN" and any(_heredoc_word().fullmatch(str(element)) for element in elements)
    return None if looks else []


def _without_flags(rest: str, escape: str) -> str:
    """Return the operands after the flags of an instruction."""
    flag = _FLAGS[escape]()
    rest = rest.lstrip(" \t")
    while found := flag.match(rest):
        rest = rest[found.end() :].lstrip(" \t")
        if found[0] == "--":
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
