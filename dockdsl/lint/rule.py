"""What a rule is: a function from a Dockerfile to what is wrong in it, documented by its module."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable
from typing import NamedTuple

import attrs

from dockdsl.lint.finding import Level
from dockdsl.lint.fix import Fix
from dockdsl.lint.subject import Subject
from dockdsl.syntax.instruction_line import Line


class Fault(NamedTuple):
    """A fault of one instruction."""

    line: Line
    fact: str
    remedy: str
    level: Level | None = None
    """The level, where it is not that of the rule."""
    at: int | None = None
    """The physical line, from 0, where it is not the first one of the instruction."""
    fix: Fix | None = None
    """What mends it in the Dockerfile; None where nothing certainly does."""


@attrs.frozen
class Rule:
    """A rule, with the text of its module as its page."""

    name: str
    examine: Callable[[Subject], Iterable[Fault]]
    page: str
    level: Level = "warning"
    aliases: tuple[str, ...] = ()
    """Names that other tools have for it."""
    is_experimental: bool = False
    """Whether it runs only where ``# check=experimental=`` names it."""

    @property
    def summary(self) -> str:
        """The first sentence of its page."""
        return self.page.partition("\n")[0]

    def example(self, kind: str) -> str:
        """Return an example of its page: ``Bad`` or ``Good``."""
        found = re.search(rf"^{kind}::\n\n((?:(?:    .*)?\n)+)", self.page, re.MULTILINE)
        return "" if found is None else textwrap.dedent(found[1]).strip("\n") + "\n"
