"""The control operators of a line of shell text, such as ``&&``: which they are, and where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dockdsl.syntax.lazy_regex import lazy_regex

_operator = lazy_regex(r"&&|\|\||[;&|]")
# Text in which only operators matter: no quote, bracket, redirection, comment or escape.
_is_easy = lazy_regex(r"""[^\\'"`(){}<>#]*""")
_ordinary = lazy_regex(r"[\w./=:@%+,*?!~^-]+")
_quoted = lazy_regex(r"""[^\\"`$]+""")
_arithmetic = lazy_regex(r"\$\(\([\w\s$+*/%<>=!&|^~?:,.{}()-]{0,200}?\)\)")
# A parameter expansion without quotes, substitutions or expansions with braces in it.
_parameter = lazy_regex(r"\$\{[^\"'`$\\{}]+(?:\$\w++[^\"'`$\\{}]*+)*+\}")
_word_ends = frozenset(" \t\n;&|<>()")
# Shell keywords, at the start of a command: the one that ends the compound command that each opens…
_CLOSERS = {"if": "fi", "for": "done", "while": "done", "until": "done", "select": "done", "case": "esac"}
# … the compound command that each must be in, and the keywords after which another command starts.
_INSIDE = {"then": "fi", "elif": "fi", "else": "fi", "do": "done"} | {word: word for word in _CLOSERS.values()}
GRAMMAR = frozenset((*_CLOSERS, *_INSIDE, "esac", "fi", "done", "function", "coproc", "time", "in"))
_BEFORE_COMMANDS = frozenset(("if", "while", "until", "!", *_INSIDE))


class Operator(NamedTuple):
    """A control operator at the top level of a command line, and where it stands."""

    start: int
    text: str


class Scanner:
    """A reader of a line of shell text; it gives up if shells disagree or something is never closed."""

    def __init__(self, text: str, breaks: Iterable[int] = (), *, compound: bool = False) -> None:
        self.text = text
        self.compound = compound
        """Whether ``if … fi`` and loops are recognized as well; the shells of Windows have different ones."""
        self.breaks = tuple(breaks)
        """The places where a line was continued; they must not be in single quotes or in a comment."""
        self.found: list[Operator] = []
        self.closers: list[str] = []
        self.at = 0
        self.command_starts = True

    def run(self) -> bool:
        """Walk to the end; return whether everything was understood."""
        while self.at < len(self.text):
            step = self._in_quotes() if self.closers and self.closers[-1] == '"' else self._outside()
            if step is None:
                return False
            self.at += step
        return not self.closers

    def _in_quotes(self) -> int | None:
        run = _quoted().match(self.text, self.at)
        if run is not None:
            return run.end() - self.at
        char = self.text[self.at]
        if char == "\\":
            return 2
        if char == '"':
            self.closers.pop()
        elif char == "`":
            self.closers.append("`")
        elif char == "$":
            return self._dollar()
        return 1

    def _dollar(self) -> int | None:
        """Step over a dollar and what it begins."""
        known = _arithmetic().match(self.text, self.at) or _parameter().match(self.text, self.at)
        if known is not None:
            return known.end() - self.at
        following = self.text[self.at + 1 : self.at + 2]
        in_quotes = bool(self.closers) and self.closers[-1] == '"'
        if following == "(":
            return 1 + self._open(")")
        if following == "{":
            # Shells disagree about quotes in an expansion in quotes.
            if in_quotes:
                return None
            self.closers.append("}")
            return 2
        # $'…' and $"…" are quotes in some shells only.
        return None if following and following in "'\"" and not in_quotes else 1

    def _outside(self) -> int | None:
        text, at = self.text, self.at
        char = text[at]
        if char in " \t":
            return 1
        starts, self.command_starts = self.command_starts, False
        run = _ordinary().match(text, at)
        if run is not None:
            if starts and not self._word(run.group(), text[run.end() : run.end() + 1]):
                return None
            return run.end() - at
        if self.closers and char == self.closers[-1]:
            self.closers.pop()
            # What follows the parentheses of a function is a command.
            self.command_starts = char == ")"
            return 1
        match char:
            case "\\":
                return 2
            case "'":
                end = text.find("'", at + 1)
                return None if end < 0 or self._broken(at, end) else end + 1 - at
            case '"' | "`":
                return self._open(char)
            case "$":
                return self._dollar()
            case "(":
                return self._open(")")
            case ")":
                # The end of a pattern, after which a command starts; nothing else is open.
                self.command_starts = True
                return 1 if self.closers[-1:] == ["esac"] else None
            case "{" | "}" if self._is_word(at):
                return self._brace(char, starts=starts)
            case "<" if text.startswith("<<", at):
                return 3 if text.startswith("<<<", at) else None
            case "#" if at == 0 or text[at - 1] in _word_ends:
                return self._comment()
            case _:
                return self._operator_at(at)

    def _open(self, closer: str) -> int:
        """Step over a character that opens what `closer` closes."""
        self.closers.append(closer)
        self.command_starts = closer != '"'
        return 1

    def _comment(self) -> int | None:
        if self.closers or self._broken(self.at, len(self.text)):
            return None
        self.found.append(Operator(self.at, "#"))
        return len(self.text) - self.at

    def _word(self, text: str, following: str) -> bool:
        """Step over a word where a command may start; return whether it may be there."""
        is_pattern = following == ")" and self.closers[-1:] == ["esac"] and text != "esac"
        if (following and following not in _word_ends) or is_pattern:
            return True
        self.command_starts = text in _BEFORE_COMMANDS
        if not self.compound and text not in ("case", "esac"):
            return True
        if text in _CLOSERS:
            self.closers.append(_CLOSERS[text])
        elif text in _INSIDE:
            if not self.closers or self.closers[-1] != _INSIDE[text]:
                return False
            if text == _INSIDE[text]:
                self.closers.pop()
        return True

    def _is_word(self, at: int) -> bool:
        before, after = self.text[at - 1 : at] if at else "", self.text[at + 1 : at + 2]
        return (not before or before in _word_ends) and (not after or after in _word_ends)

    def _brace(self, char: str, *, starts: bool) -> int | None:
        """Step over a brace that is a word of its own: where a command may start, it groups commands."""
        if not starts:
            return 1
        if char == "}":
            if not self.closers or self.closers[-1] != "group":
                return None
            self.closers.pop()
            self.command_starts = self.compound
            return 1
        self.closers.append("group")
        self.command_starts = True
        return 1

    def _operator_at(self, at: int) -> int:
        match = _operator().match(self.text, at)
        if match is None:
            return 1
        before = self.text[at - 1 : at]
        if match.group() == "&" and before and before in "<>":
            # A redirection: 2>&1.
            return 1
        self.command_starts = True
        if not self.closers:
            self.found.append(Operator(at, match.group()))
        return len(match.group())

    def _broken(self, start: int, end: int) -> bool:
        from bisect import bisect_right  # noqa: PLC0415 - few texts are broken in several lines

        after = bisect_right(self.breaks, start)
        return after < len(self.breaks) and self.breaks[after] <= end


def operators(text: str, breaks: Iterable[int] = (), *, compound: bool = False) -> list[Operator] | None:
    """Return the control operators outside quotes, groups and substitutions.

    A comment counts as the operator ``#``. None if a quote or bracket in `text` is never closed, if it starts a
    heredoc, and if shells read it in different ways. `breaks` are the places at which the text was continued on another
    line: also None if one of them is in single quotes or in a comment. With `compound`, operators inside an if, a loop
    or a case are left out.
    """
    if not compound and _is_easy().fullmatch(text):
        return [Operator(match.start(), match.group()) for match in _operator().finditer(text)]
    scanner = Scanner(text, breaks, compound=compound)
    return scanner.found if scanner.run() else None


def split_chain(text: str) -> list[str] | None:
    """Split a line at its top-level ``&&``; None if they cannot be found for certain."""
    found = operators(text)
    if found is None:
        return None
    parts = []
    start = 0
    for operator in found:
        if operator.text == "&&":
            parts.append(trimmed(text[start : operator.start]))
            start = operator.start + 2
    parts.append(trimmed(text[start:]))
    # A part that is a comment would vanish on a line of its own.
    return parts if all(part and part[0] != "#" for part in parts) else None


def trimmed(text: str) -> str:
    """Strip spaces and tabs, except for one that a backslash escapes."""
    trimmed = text.strip(" \t")
    return trimmed + text[text.index(trimmed) + len(trimmed) :][:1] if ends_open(trimmed) else trimmed


def ends_open(text: str) -> bool:
    """Whether the text ends with a backslash that escapes nothing yet."""
    return text.endswith("\\") and (len(text) - len(text.rstrip("\\"))) % 2 == 1
