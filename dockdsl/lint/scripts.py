"""What a RUN runs: its text, the shell that reads it, its commands, and the lines where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from posixpath import basename

from dockdsl.lint import shell
from dockdsl.lint.shell import Command
from dockdsl.syntax.instruction_line import Line

_SHELLS = frozenset({"sh", "ash", "bash", "busybox", "dash", "ksh", "zsh"})
_WINDOWS = ("windows", "nanoserver", "servercore")
_NOTHING = shell.Shell((), ())


class Script:
    """A RUN, or the RUN in an ONBUILD."""

    def __init__(self, line: Line, base: str, given: Sequence[str]) -> None:
        """Take the line of the instruction, the image that its stage begins with, and the SHELL that is in force."""
        self.line = line
        self.base = base
        self.given = given
        """The words of that SHELL; none for the default."""
        self.run = line.inner() if line.keyword == "ONBUILD" else line
        self.array = self.run.array()
        """The words of the exec form."""
        documents = self.run.documents
        self.is_heredoc = len(documents) == 1 and len(self.run.text.split()) == 1 and self.run.text.startswith("<<")
        """Whether its text is a heredoc, and not the rest of its line."""
        self.text = documents[0].content if self.is_heredoc else self.run.text

    @property
    def is_shell(self) -> bool:
        """Whether a shell of Unix reads the text."""
        if self.array is not None:
            return False
        if self.is_heredoc and self.text.startswith("#!"):
            words = self.text[2:].partition("\n")[0].replace("/env ", "/").split()
            return bool(words) and basename(words[0]) in _SHELLS
        if self.given:
            return basename(self.given[0]) in _SHELLS
        return self.run.escape != "`" and not any(word in self.base.lower() for word in _WINDOWS)

    @cached_property
    def read(self) -> shell.Shell:
        """The commands; none where no shell of Unix can read the text."""
        if self.array:
            return shell.Shell((Command(tuple(self.array), 0),), ())
        return (shell.read(self.text) if self.is_shell else None) or _NOTHING

    def commands(self, *names: str) -> Iterator[Command]:
        """Yield the commands of some programs."""
        return (each for each in self.read.commands if each.name in names)

    def place(self, at: int) -> int:
        """Return the physical line, from 0, of a place in the text."""
        if self.is_heredoc:
            return self.run.logical.last + 1 + self.text.count("\n", 0, at)
        return self.run.logical.place(self.run.start + at)[0]

    def caches(self, folder: str) -> bool:
        """Whether a cache or tmpfs mount keeps what is written to a folder out of the image."""
        for flag in self.run.flags:
            fields = dict(each.partition("=")[::2] for each in (flag.value or "").split(","))
            target = fields.get("target") or fields.get("dst") or fields.get("destination") or ""
            is_apart = flag.name == "mount" and fields.get("type") in ("cache", "tmpfs")
            if is_apart and f"{folder}/".startswith(f"{target.rstrip('/')}/"):
                return True
        return False
