"""What is to be fixed in a file."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from typing import NamedTuple

from dockdsl.lint.checking import Checking
from dockdsl.lint.finding import LEVELS, Finding, Level
from dockdsl.lint.fixing import has_effect
from dockdsl.lint.settings import Settings, settings_for
from dockdsl.origins import Origin


class Key(NamedTuple):
    """What knows a finding again in another check of the same file."""

    rule: str
    line: int
    message: str


def key_of(finding: Finding) -> Key:
    """Return what knows a finding again."""
    return Key(finding.rule, finding.origin.line, finding.message)


class Faults:
    """Finds what is to be fixed in one file: what is not ignored, and has a level that is reported.

    `only` is the only one that is to be fixed; with `is_quiet`, what has an effect is not. Without `settings`, those of
    the project count.
    """

    def __init__(
        self,
        path: str,
        severity: Level,
        settings: Settings | None = None,
        *,
        only: Key | None = None,
        is_quiet: bool = False,
    ) -> None:
        """Find faults in this file, from this level on. Raises `SourceError` for a pyproject.toml that is not valid."""
        self._only = only
        self._is_quiet = is_quiet
        self.path = os.path.abspath(path) if path.endswith(".py") else path
        self._settings = settings or settings_for(path, {})
        self._levels = LEVELS[: LEVELS.index(severity) + 1]

    def in_text(self, text: str) -> list[Finding]:
        """Return the faults in a Dockerfile."""
        return self._kept(Checking(self.path, self._settings).text(text))

    def in_python(self, source: str, text: str, origins: Sequence[Origin | None]) -> list[Finding]:
        """Return the faults in a Dockerfile that a Python file with this source makes."""
        checking = Checking(self.path, self._settings)
        checking.python.reads(self.path, source)
        return self._kept(checking.text(text, origins))

    def has(self, finding: Finding) -> bool:
        """Whether a finding is to be fixed: it is not ignored, and has a level that is reported."""
        return finding.reason is None and finding.severity in self._levels

    def _kept(self, found: list[Finding]) -> list[Finding]:
        every = self._settings.applied(found)
        found = [each for each in every if self.has(each)]
        if self._is_quiet:
            found = [each for each in found if not has_effect([each])]
        return [each for each in found if self._only in (None, key_of(each))]
