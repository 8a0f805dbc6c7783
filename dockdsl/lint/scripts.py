"""What a RUN runs: its text, the shell that reads it, its commands, and the lines where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from posixpath import basename
from typing import NamedTuple

from dockdsl.lint import shell
from dockdsl.lint.images import is_of_windows
from dockdsl.lint.shell import Command
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.lines import Document

_SHELLS = frozenset({"sh", "ash", "bash", "busybox", "dash", "ksh", "zsh"})
_drive = lazy_regex(r"\bC:[\\/]")
_is_option = lazy_regex(r"-[abefklmnopstuvx]+|pipefail")
_is_expanded = lazy_regex(r"[$`\\]")
_NOTHING = shell.Shell((), ())


class Variables(NamedTuple):
    """The variables that ARG and ENV have set at a place of a stage."""

    names: Mapping[str, int]
    """All of the stage, each with its number."""
    until: int
    """How many of them there are at the place."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.names.get(name, self.until) < self.until


class Script:
    """A RUN, or the RUN in an ONBUILD."""

    def __init__(self, line: Line, base: str, platform: str | None, given: Sequence[str], variables: Variables) -> None:
        """Take the instruction, image and platform that its stage begins with, and SHELL and variables as they are."""
        self.line = line
        self.base = base
        self.platform = platform
        self.given = given
        """The words of that SHELL; none for the default."""
        self.variables = variables
        self.run = line.inner() if line.keyword == "ONBUILD" else line
        self.array = self.run.array()
        """The words of the exec form."""
        self.fed: str | None = None
        """The shell that is given a heredoc: ``RUN <<EOF bash -e``."""
        self.is_heredoc = False
        """Whether its text is a heredoc, and not the rest of its line."""
        self.text = self.run.text
        if len(self.run.documents) == 1:
            self._read_heredoc(self.run.documents[0])

    def _read_heredoc(self, document: Document) -> None:
        words = [word for word in self.text.split() if not word.startswith("<<")]
        if words and _is_fed(words, document):
            self.fed = words[0]
        if self.fed is not None or (not words and self.text.startswith("<<")):
            self.is_heredoc = True
            self.text = _body(document)

    @cached_property
    def interpreter(self) -> str | None:
        """The shell of Unix that reads the text, without its folder; None if none does."""
        name = "sh"
        if self.is_heredoc and self.text.startswith("#!"):
            words = self.text[2:].partition("\n")[0].replace("/env ", "/").split()
            name = basename(words[0]) if words else ""
        elif self.fed is not None:
            name = basename(self.fed)
        elif self.given:
            name = basename(self.given[0])
        elif _has_drive(self.text) or is_of_windows(self.base, self.platform, otherwise=self.run.escape == "`"):
            return None
        return name if name in _SHELLS and self.array is None else None

    @cached_property
    def read(self) -> shell.Shell:
        """The commands; none where no shell of Unix can read the text."""
        if self.array:
            return shell.Shell((Command(tuple(self.array), 0),), ())
        return (shell.read(self.text) if self.interpreter else None) or _NOTHING

    def commands(self, *names: str) -> list[Command]:
        """Return the commands of some programs, in their order."""
        if self._by_name.keys().isdisjoint(names):
            return []
        found = [each for name in names if name in self._by_name for each in self._by_name[name]]
        return sorted(found, key=_place) if len(found) > 1 else found

    @cached_property
    def _by_name(self) -> dict[str, list[Command]]:
        """The commands by their programs: dozens of rules ask for these."""
        found: dict[str, list[Command]] = {}
        for each in self.read.commands:
            found.setdefault(each.name, []).append(each)
        return found

    @property
    def whole(self) -> str:
        """The text as the shell gets it, with the heredocs that it reads itself."""
        if self.is_heredoc:
            return self.text
        return "\n".join([self.text, *[f"{each.content}{each.end}" for each in self.run.documents]])

    def place(self, at: int) -> int:
        """Return the physical line, from 0, of a place in the text."""
        if self.is_heredoc:
            return self.place_of(self.text.count("\n", 0, at), 0)
        return self.place_of(0, at)

    def position(self, at: int) -> tuple[int, int]:
        """Return the physical line and the column, from 0, of a place in the text."""
        if not self.is_heredoc:
            return self.run.logical.place(self.run.start + at)
        line = self.place(at)
        column = at - self.text.rfind("\n", 0, at) - 1
        raw = self.run.logical.lines[line]
        tabs = len(raw) - len(raw.lstrip("\t")) if self.run.documents[0].word.strip_tabs else 0
        return line, column + tabs

    def place_of(self, line: int, column: int) -> int:
        """Return the physical line, from 0, of a line and column of the whole text, which are counted from 0."""
        logical = self.run.logical
        if self.is_heredoc or line > 0:
            return min(logical.last + line + self.is_heredoc, self.line.last)
        return logical.place(self.run.start + column)[0]

    def caches(self, folder: str) -> bool:
        """Whether a cache or tmpfs mount keeps what is written to a folder out of the image."""
        for flag in self.run.flags:
            fields = dict(each.partition("=")[::2] for each in (flag.value or "").split(","))
            target = fields.get("target") or fields.get("dst") or fields.get("destination") or ""
            is_apart = flag.name == "mount" and fields.get("type") in ("cache", "tmpfs")
            if is_apart and f"{folder}/".startswith(f"{target.rstrip('/')}/"):
                return True
        return False


def _place(command: Command) -> int:
    return command.at


def _has_drive(text: str) -> bool:
    return "C:" in text and _drive().search(text) is not None


def _is_fed(words: Sequence[str], document: Document) -> bool:
    """Whether words call a shell with options alone, which gets the heredoc as it is written."""
    is_called = basename(words[0]) in _SHELLS and all(_is_option().fullmatch(word) for word in words[1:])
    return is_called and (document.word.quoted or not _is_expanded().search(document.content))


def _body(document: Document) -> str:
    if not document.word.strip_tabs:
        return document.content
    return "\n".join([line.lstrip("\t") for line in document.content.split("\n")])
