"""Shell text as rules see it: which commands it has, with which words.

It is read once and without a process, since each file of a folder has many scripts. Nothing is expanded or followed:
rules ask for programs and what they are given. What a shell could not read has no commands; ShellCheck says why.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dockdsl.syntax.lazy_regex import lazy_regex

_DEEPEST = 50
_blank = re.compile(r"(?:[ \t\r]|\\\r?\n|#[^\n]*)+").match
_plain_word = re.compile(r"(?:[ \t\r]|\\\r?\n)*([^\s'\"\\`$;&|<>()#][^\s'\"\\`$;&|<>()]*+)(?=[ \t\r\n;&|)]|\Z)").match
_ordinary = re.compile(r"[^\s'\"\\`$;&|<>()]+").match
_in_quotes = re.compile(r'[^"\\`$]+').match
_in_braces = re.compile(r"[^'\"\\`$}]+").match
_name = re.compile(r"\w+|[@*#?$!-]").match
_operator = re.compile(r"&&|\|\||;;&?|;&|\|&|[;|&]").match
_redirection = re.compile(r"\d*(?:<<<|<<-?|<>|<&|>>|>&|>\||[<>](?!\())|&>>?").match
_assignment = re.compile(r"[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=").match
_array = lazy_regex(r"[A-Za-z_]\w*\+?=\(")
_no_arguments = lazy_regex(r"\([ \t]*\)")
_ansi = lazy_regex(r"\$'(?:\\.|[^'\\])*'", re.DOTALL)
_arithmetic = lazy_regex(r"\$?\(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\)")
_pattern = lazy_regex(r"[ \t\r\n]*\(?(?:[^)'\"\n]|'[^']*'|\"[^\"]*\")*\)")
_test = lazy_regex(r"\[\[[ \t](?:[^'\"\\\n\]]|'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|\](?!\]))*\]\]", re.DOTALL)
_esac = lazy_regex(r"[ \t\r\n]*esac\b")

_REDIRECTS = frozenset("<>&0123456789")
_HEADS = frozenset({"for", "select", "function"})
_GRAMMAR = _HEADS | frozenset(
    ["if", "then", "else", "elif", "fi", "do", "done", "while", "until", "!", "{", "}", "time", "case", "esac", "[["]
)
_PREFIXES = frozenset({"sudo", "exec", "command", "env", "nice", "nohup"})


class Command(NamedTuple):
    """A command of a script."""

    words: tuple[str, ...]
    """Its words without quotes; a variable or a substitution stands as it is written."""
    at: int
    """Where it begins in the script."""

    @property
    def name(self) -> str:
        """The program, without its folder."""
        return self.words[0].rpartition("/")[2]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words behind the program that are not options."""
        return tuple([word for word in self.words[1:] if word[:1] != "-"])

    def has(self, *options: str) -> bool:
        """Whether one of the options is given, alone or (a single letter) among others: ``-qy``."""
        letters = {each[1] for each in options if len(each) == len("-x")}
        for word in self.words[1:]:
            head = word.partition("=")[0]
            if head in options or (head[:1] == "-" and head[1:2] != "-" and letters & {*head}):
                return True
        return False


class Shell(NamedTuple):
    """What a script consists of."""

    commands: tuple[Command, ...]
    """In the order in which they begin, with those in substitutions."""
    pipes: tuple[int, ...]
    """Where a pipe leads from one command into another."""


class _Unreadable(Exception):
    """A quote or bracket is never closed, or closes nothing."""


def read(text: str) -> Shell | None:
    """Return the commands of a script; None if a shell could not read it."""
    reader = _Reader(text)
    try:
        reader.read("", 0)
    except _Unreadable:
        return None
    return Shell(tuple(sorted(reader.commands, key=lambda each: each.at)), tuple(reader.pipes))


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.commands: list[Command] = []
        self.pipes: list[int] = []
        self.documents: list[tuple[str, bool]] = []
        """The heredocs whose bodies begin at the next line."""

    def read(self, closer: str, depth: int) -> None:
        """Read commands up to a closing character, which is passed over."""
        if depth > _DEEPEST:
            raise _Unreadable
        text = self.text
        words: list[str] = []
        begin = 0
        inside: list[str] = []
        while True:
            begin = self._plain_words(words, begin)
            self._blank()
            if self.at >= len(text):
                break
            char = text[self.at]
            if char == "\n":
                self._end(words, begin)
                self.at += 1
                self._skip_documents()
            elif char in (")", closer):
                self._end(words, begin)
                self.at += 1
                if inside[-1:] == ["("] and char == ")":
                    inside.pop()
                elif char == closer and not inside:
                    return
                else:
                    raise _Unreadable
            elif char in _REDIRECTS and (found := _redirection(text, self.at)) is not None:
                self._redirect(found, closer, depth)
            elif char == "(":
                self._parenthesis(words, inside)
            elif operator := _operator(text, self.at):
                self._end(words, begin)
                if operator[0] in ("|", "|&"):
                    self.pipes.append(self.at)
                self.at = operator.end()
                if operator[0][:2] in (";;", ";&") and inside[-1:] == ["case"]:
                    self._skip_pattern(inside)
            else:
                start = self.at
                word = self._word(closer, depth)
                if self.at == start:
                    raise _Unreadable
                if not words:
                    begin = start
                if words or not self._keyword(word, text[start : self.at], inside, closer, depth):
                    words.append(word)
        if closer or inside:
            raise _Unreadable
        self._end(words, begin)

    def _plain_words(self, words: list[str], begin: int) -> int:
        """Take the words here that are no more than their characters, as most are; return where the command begins."""
        while (plain := _plain_word(self.text, self.at)) is not None and (words or plain[1] not in _GRAMMAR):
            if not words:
                begin = plain.start(1)
            words.append(plain[1])
            self.at = plain.end()
        return begin

    def _end(self, words: list[str], begin: int) -> None:
        """Note a command; what another program is told to run is a command, too."""
        while words and _assignment(words[0]):
            del words[0]
        rest = list(words)
        words.clear()
        while rest:
            self.commands.append(Command(tuple(rest), begin))
            if rest[0] not in _PREFIXES:
                break
            del rest[0]
            while rest and (rest[0][:1] == "-" or _assignment(rest[0])):
                del rest[: 2 if rest[0] in ("-u", "-g", "-n") else 1]

    def _keyword(self, word: str, raw: str, inside: list[str], closer: str, depth: int) -> bool:
        """Pass over a word of the grammar; return whether it is one."""
        if word != raw or word not in _GRAMMAR:
            return False
        if word == "case":
            self._blank()
            self._word(closer, depth)
            self._blank()
            if not self.text.startswith("in", self.at):
                raise _Unreadable
            self.at += 2
            inside.append("case")
            self._skip_pattern(inside)
        elif word == "[[":
            found = _test().match(self.text, self.at - 2)
            if found is None:
                raise _Unreadable
            self.at = found.end()
        elif word in _HEADS:
            # The list of a loop, and the name of a function, are no commands.
            self._blank()
            while self.at < len(self.text) and self.text[self.at] not in ";\n(){":
                if self.text[self.at] in "&|<>":
                    raise _Unreadable
                self._word(closer, depth)
                self._blank()
        elif word == "esac":
            if inside[-1:] != ["case"]:
                raise _Unreadable
            inside.pop()
        return True

    def _blank(self) -> None:
        found = _blank(self.text, self.at)
        if found is not None:
            self.at = found.end()

    def _skip_pattern(self, inside: list[str]) -> None:
        end = _esac().match(self.text, self.at)
        found = _pattern().match(self.text, self.at) if end is None else end
        if found is None:
            raise _Unreadable
        self.at = found.end()
        if end is not None:
            inside.pop()

    def _parenthesis(self, words: list[str], inside: list[str]) -> None:
        """Open a subshell, or pass over arithmetic and the parentheses of a function."""
        arithmetic = _arithmetic().match(self.text, self.at)
        empty = _no_arguments().match(self.text, self.at)
        if words:
            if empty is None or len(words) > 1:
                raise _Unreadable
            words.clear()
            self.at = empty.end()
        elif arithmetic is not None:
            self.at = arithmetic.end()
        else:
            inside.append("(")
            self.at += 1

    def _redirect(self, found: re.Match[str], closer: str, depth: int) -> None:
        self.at = found.end()
        self._blank()
        start = self.at
        word = self._word(closer, depth)
        if self.at == start:
            raise _Unreadable
        operator = found[0].lstrip("0123456789")
        if operator in ("<<", "<<-"):
            self.documents.append((word, operator == "<<-"))

    def _skip_documents(self) -> None:
        for delimiter, strips in self.documents:
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                line = self.text[self.at : end] if end >= 0 else self.text[self.at :]
                self.at += len(line) + 1
                if (line.lstrip("\t") if strips else line) == delimiter:
                    break
        self.documents.clear()

    # Words.

    def _word(self, closer: str, depth: int) -> str:
        """Return the word here, without its quotes; empty where there is none."""
        text, start = self.text, self.at
        array = _array().match(text, start)
        if array is not None:
            self.at = array.end()
            self._elements(closer, depth)
            return text[start : self.at]
        pieces: list[str] = []
        while self.at < len(text):
            run = _ordinary(text, self.at)
            if run is not None:
                pieces.append(run[0])
                self.at = run.end()
                continue
            char = text[self.at]
            if char == "'":
                end = text.find("'", self.at + 1)
                if end < 0:
                    raise _Unreadable
                pieces.append(text[self.at + 1 : end])
                self.at = end + 1
            elif char == '"':
                self._quoted(pieces, depth)
            elif char == "\\":
                pieces.append(text[self.at + 1 : self.at + 2].strip("\n"))
                self.at += 2
            elif char == "$" or (char == "`" and closer != "`") or text.startswith(("<(", ">("), self.at):
                pieces.append(self._expansion(depth))
            else:
                break
        return "".join(pieces)

    def _elements(self, closer: str, depth: int) -> None:
        while not self.text.startswith(")", self.at):
            start = self.at
            self._blank()
            self._word(closer, depth)
            if self.text.startswith("\n", self.at):
                self.at += 1
            if self.at == start:
                raise _Unreadable
        self.at += 1

    def _quoted(self, pieces: list[str], depth: int) -> None:
        text = self.text
        self.at += 1
        while self.at < len(text):
            run = _in_quotes(text, self.at)
            if run is not None:
                pieces.append(run[0])
                self.at = run.end()
                continue
            char = text[self.at]
            if char == '"':
                self.at += 1
                return
            if char == "\\":
                escaped = text[self.at + 1 : self.at + 2]
                pieces.append(escaped if escaped in '$`"\\' else "" if escaped == "\n" else f"\\{escaped}")
                self.at += 2
            else:
                pieces.append(self._expansion(depth))
        raise _Unreadable

    def _expansion(self, depth: int) -> str:
        """Pass over a variable, arithmetic or a substitution, whose commands are read; return it as it is written."""
        text, start = self.text, self.at
        if text[start] == "`":
            self.at += 1
            self.read("`", depth + 1)
        elif text[start] != "$":
            self.at += 2
            self.read(")", depth + 1)
        elif (found := _arithmetic().match(text, start) or _ansi().match(text, start)) is not None:
            self.at = found.end()
        elif text.startswith("$(", start):
            self.at += 2
            self.read(")", depth + 1)
        elif text.startswith("${", start):
            self.at += 2
            self._braced(depth + 1)
        else:
            name = _name(text, start + 1)
            self.at = start + 1 if name is None else name.end()
        return text[start : self.at]

    def _braced(self, depth: int) -> None:
        if depth > _DEEPEST:
            raise _Unreadable
        text = self.text
        while self.at < len(text):
            run = _in_braces(text, self.at)
            if run is not None:
                self.at = run.end()
                continue
            char = text[self.at]
            if char == "}":
                self.at += 1
                return
            if char == "\\":
                self.at += 2
            elif char == '"':
                self._quoted([], depth)
            elif char == "'":
                end = text.find("'", self.at + 1)
                self.at = end + 1 if end >= 0 else self.at + 1
            else:
                self._expansion(depth)
        raise _Unreadable
