"""What a rule finds."""

from __future__ import annotations

from typing import Literal, NamedTuple

import attrs

from dockdsl.display import for_terminal, underlined
from dockdsl.lint.fix import Fix
from dockdsl.origins import Origin

Level = Literal["error", "warning", "hint"]
LEVELS: tuple[Level, ...] = ("error", "warning", "hint")


class Replacement(NamedTuple):
    """A range of a Dockerfile, and what stands there instead; lines and columns are counted from 1.

    The end is behind the last character; of an insertion, it is the start.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@attrs.frozen(order=False)
class Finding:
    """What a rule finds: where, what, and what to do.

    `rule`
        The name of the rule, by which ``dockdsl check --explain`` prints its page.
    `severity`
        ``"error"``: the build fails, or what it makes cannot work; ``"warning"``: it is probably not what was meant;
        ``"hint"``: it may be right.
    `message`
        What is wrong, and what to do, which is `remedy`, its last part.
    `origin`
        Where it was written: a line of the Python file, or of the Dockerfile.
    `line`, `last`
        The lines of the instruction in the Dockerfile, from 1.
    `columns`
        Which part of the line at `origin` it is about: the first column, from 1, and the one after the last; None where
        that is not known.
    `source`
        The line at `origin`.
    `reason`
        Why it is ignored, for a finding that is; otherwise None.
    `fix`
        What mends it in the Dockerfile; None where nothing certainly does.
    `alias`
        The name that another tool has for it, where the rule has several; otherwise empty.
    `count`
        How many instructions of one Dockerfile, or parts of one, it is about, which are all made at `origin`.
    `edits`
        The same as lines and columns of the Dockerfile; empty in a Python file, whose calls ``--fix`` changes.
    `is_settled`
        Whether the project ignores it, in its pyproject.toml, and not a comment.
    `unfixed`
        Why nothing certainly mends it, where the rule can mend others; otherwise empty.

    >>> from dockdsl import check
    >>> finding = check("FROM scratch AS Build\\n")[0]
    >>> print(finding)
    Dockerfile:1: warning: the stage name 'Build' has capitals; write 'build' [StageNameCasing]
    >>> finding.rule, finding.severity, finding.remedy, finding.origin.line
    ('StageNameCasing', 'warning', "write 'build'", 1)

    Source: https://docs.docker.com/reference/build-checks/, and the page of each rule.
    """

    rule: str
    severity: Level
    message: str
    remedy: str
    origin: Origin
    line: int = 1
    last: int = 1
    columns: tuple[int, int] | None = None
    source: str = ""
    reason: str | None = None
    fix: Fix | None = None
    alias: str = ""
    unfixed: str = ""
    count: int = 1
    edits: tuple[Replacement, ...] = ()
    is_settled: bool = False

    def __str__(self) -> str:
        often = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.origin}: {self.severity}: {for_terminal(self.message)}{often} [{self.rule}]"

    def excerpt(self) -> str:
        """Return the line that it is about, with the place underlined; empty where the line is not known.

        >>> from dockdsl import check
        >>> print(check("FROM scratch AS Build\\n")[0].excerpt(), end="")
          1 | FROM scratch AS Build
            |              ^~~~~~~~
        """
        if not self.source.strip():
            return ""
        bare = self.source.rstrip()
        begin, end = self.columns or (len(bare) - len(bare.lstrip()) + 1, len(bare) + 1)
        line, under = underlined(bare, begin - 1, end - begin)
        number = str(self.origin.line)
        return f"  {number} | {line}\n  {' ' * len(number)} | {under}\n"
