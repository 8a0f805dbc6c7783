"""Fixing what ``check`` found: ``--fix`` writes the files, ``--diff`` shows what it would write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from dockdsl.cli.files import difference, is_special, write
from dockdsl.cli.streams import put, report, say
from dockdsl.display import counted, one_line
from dockdsl.errors import DockdslError, SourceError
from dockdsl.fixing.faults import Faults, Key, key_of
from dockdsl.fixing.files import Mended, mend
from dockdsl.lint.checking import UNREADABLE
from dockdsl.lint.finding import Finding, Level
from dockdsl.linting import NOTHING, Checked, Given, check_file, found_apart, run_apart
from dockdsl.origins import short_path
from dockdsl.selection import split
from dockdsl.text.confirming import UNPROVEN

_FAILED = 2
"""The exit code of a process that could not fix its file."""


class Fixes:
    """Fixes files that were checked, or shows what would change."""

    def __init__(self, severity: Level, given: Given, *, writes: bool, is_part: bool) -> None:
        self.severity = severity
        self.given = given
        self.writes = writes
        self.is_part = is_part
        self.is_changed = False
        """Whether a file changes."""
        self.failed = False
        """Whether a file could not be fixed."""

    def of_all(self, results: Sequence[Checked]) -> list[Checked]:
        """Fix what can be fixed; return what is left to find."""
        return [self._of(each) if each.source and each.found else each for each in results]

    def _of(self, checked: Checked) -> Checked:
        broken = [each for each in checked.found if each.rule in (UNREADABLE, NOTHING)]
        if broken:
            # They are among what is left; a diff would not show them.
            for each in () if self.writes else broken:
                say(str(each))
                self.failed = True
            return checked
        try:
            found = (
                self._fixed_apart(checked.source) if checked.is_apart else self._fixed(checked.source, checked.found)
            )
        except DockdslError as error:
            report(error)
            self.failed = True
            return checked
        return checked._replace(found=found)

    def _fixed_apart(self, path: str) -> list[Finding]:
        """Have a process of its own fix a Python file."""
        severity = f"--severity={self.severity}"
        if self.writes:
            return found_apart(path, self.given, "--fix", severity)
        code, output = run_apart(path, self.given, "--diff", severity)
        if output:
            put(output.decode())
            self.is_changed = True
        self.failed |= code == _FAILED
        return []

    def _fixed(self, source: str, there: Sequence[Finding]) -> list[Finding]:
        """Fix a file in which this was found; return what is left to find, with why it is."""
        if source == "-" or is_special(source):
            raise SourceError(f"{one_line(source)}: it is not a regular file, which alone can be fixed; name one")
        faults = Faults(split(source)[0], self.severity)
        mended = mend(source, faults)
        if not self.writes:
            path = one_line(short_path(split(source)[0]))
            for key, reason in mended.kept.items():
                say(f"{path}:{key.line}: not fixed: {reason} [{key.rule}]")
            for each in there:
                if each.unfixed and faults.has(each):
                    say(f"{each.origin}: not fixed: {each.unfixed} [{each.rule}]")
        if mended.before != mended.after:
            self.is_changed = True
            self._tell(source, mended)
        if not self.writes:
            return []
        found = check_file(source, {}, self.given, is_part=self.is_part) or []
        return [_with_reason(each, mended.kept) for each in found]

    def _tell(self, source: str, mended: Mended) -> None:
        path = short_path(split(source)[0])
        if not mended.is_proven:
            say(UNPROVEN)
        changes = difference(mended.before, mended.after, path, "fixed")
        if self.writes:
            say(changes.removesuffix("\n"))
        else:
            put(changes)
        for each in mended.made:
            if each.fix is not None and each.fix.effect:
                say(f"{each.origin}: changed: {each.fix.effect} [{each.rule}]")
        if self.writes:
            write(split(source)[0], mended.after)
            say(f"{one_line(path)}: {counted(len(mended.made), 'finding')} fixed")


def _with_reason(finding: Finding, reasons: Mapping[Key, str]) -> Finding:
    """Return a finding that says why it is not fixed, if that is known."""
    reason = reasons.get(key_of(finding), finding.unfixed)
    if not reason or finding.reason is not None:
        return finding
    remedy = f"{finding.remedy} (not fixed: {reason})"
    return attrs.evolve(finding, message=f"{finding.message.removesuffix(finding.remedy)}{remedy}", remedy=remedy)
