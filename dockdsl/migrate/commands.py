"""What a shell gives: a command with its words, and where it stands."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from dockdsl.display import one_line
from dockdsl.migrate.words import Word


class Place(NamedTuple):
    """A line of a file that is read."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{one_line(self.path)}:{self.line}"


class Command(NamedTuple):
    """A command of a script."""

    words: tuple[Word, ...]
    place: Place
    folder: Path
    """Where it runs."""
    output: Word | None = None
    """The file that its output goes to."""
    appends: bool = False
    """Whether the output is added to what the file has."""
    given: Word | None = None
    """What it reads from a heredoc."""
    source: Word | None = None
    """The file that it reads from."""
    condition: Place | None = None
    """Where it is decided whether it runs."""
    settings: tuple[tuple[str, Word], ...] = ()
    variables: Mapping[str, Word] = MappingProxyType({})
    """What the script has set before."""

    @property
    def name(self) -> str:
        """The program, without its folder; of ``${DOCKER:-docker}`` what it is if nobody says otherwise."""
        return posixpath.basename((self.words[0].likely if self.words else None) or "")

    @property
    def writes(self) -> Word | None:
        """The file that its output goes to, unless it is a device."""
        return None if self.output is None or str(self.output).startswith("/dev/") else self.output


Pipeline = Sequence[Command]
Handler = Callable[[Pipeline], Word | None]
Noter = Callable[[Place, str, str], None]


class Stop(Exception):
    """The script ends here."""


class Return(Stop):
    """The function ends here."""
