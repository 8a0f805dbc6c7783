"""What a rule is: a function from a Dockerfile to what is wrong in it, documented by its module."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

import attrs

from dockdsl.lint.finding import Level
from dockdsl.lint.fix import Fix
from dockdsl.lint.subject import Subject
from dockdsl.syntax.instruction_line import Line


class Fault(NamedTuple):
    """What a rule finds in one instruction; of it and the rule a `Finding` is made.

    `line`
        The instruction, of ``subject.steps("RUN")`` or of ``subject.lines``.
    `fact`, `remedy`
        What is wrong, and what to do: two halves of a sentence, without a stop. An instruction or a flag that a remedy
        has in backticks, such as ```USER root```, is the call that writes it where the file is one of Python.
    `level`
        ``"error"``, ``"warning"`` or ``"hint"``, where it is not that of the rule.
    `at`
        The physical line, from 0, where it is not the first one of the instruction.
    `fix`
        What mends it in the Dockerfile; None where nothing certainly does.
    `part`
        The part of the instruction that is at fault, as it stands there: an excerpt underlines it.

    `alias`
        Which of the rule's aliases it is, where the rule has several: by that alone it is ignored.
    `unfixed`
        Why there is no `fix`, where the rule has one for others.

    >>> from dockdsl import Rule
    >>> def no_sudo(subject):
    ...     for line in subject.steps("RUN"):
    ...         if "sudo" in line.text:
    ...             yield Fault(line, "sudo is used", "write USER root above it", part="sudo")
    >>> Rule("NoSudo", no_sudo, "RUN uses no sudo.").level
    'warning'

    Source: https://docs.docker.com/reference/build-checks/
    """

    line: Line
    fact: str
    remedy: str
    level: Level | None = None
    at: int | None = None
    fix: Fix | None = None
    part: str | None = None
    alias: str = ""
    unfixed: str = ""


@attrs.frozen
class Rule:
    """A rule of ``dockdsl check``; one of your own is named in pyproject.toml, under ``[tool.dockdsl.check]``.

    `name`
        By which a finding names it, and by which it is ignored.
    `examine`
        A function that takes a `dockdsl.lint.subject.Subject`, and yields a `Fault` for each instruction that is at
        fault; None where it is not a single Dockerfile that is looked at.
    `page`
        What it is about: the first line says what is right; ``dockdsl check --explain`` prints all of it.
    `level`
        ``"error"``, ``"warning"`` or ``"hint"``.
    `aliases`
        Names that other tools have for it.
    `is_experimental`
        Whether it runs only where ``# check=experimental=`` names it.
    `needs_build`
        Whether it finds something only where it is known how the Dockerfile is built: with which context and targets.

    >>> Rule("NoSudo", lambda subject: [], "RUN uses no sudo.", level="hint").summary
    'RUN uses no sudo.'

    Source: https://docs.docker.com/reference/build-checks/
    """

    name: str
    examine: Callable[[Subject], Iterable[Fault]] | None
    page: str
    level: Level = "warning"
    aliases: tuple[str, ...] = ()
    is_experimental: bool = False
    needs_build: bool = False

    @property
    def summary(self) -> str:
        """The first sentence of its page."""
        return self.page.partition("\n")[0]

    @property
    def is_buildkit(self) -> bool:
        """Whether it is a check of BuildKit, which its page has as its source."""
        return "docs.docker.com/reference/build-checks/" in self.page

    def example(self, kind: str) -> str:
        """Return an example of its page: ``Bad`` or ``Good``."""
        found = re.search(rf"^{kind}::\n\n((?:(?:    .*)?\n)+)", self.page, re.MULTILINE)
        if found is None:
            return ""
        import textwrap  # noqa: PLC0415 - a check needs no examples

        return textwrap.dedent(found[1]).strip("\n") + "\n"
