"""Running the rules: which ones, on what, and what the file itself silences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dockdsl.errors import DockdslError, DockerfileSyntaxError, SyntaxProblem
from dockdsl.lint.finding import Finding
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.rules import rules
from dockdsl.lint.subject import Subject
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.origins import Origin
from dockdsl.syntax.directives import directives_of
from dockdsl.text.rendering import render_with_map

UNREADABLE = "Unreadable"
"""The rule of a finding about a file that cannot be read."""
_check = re.compile(r"#\s*check\s*=\s*(\S*)", re.IGNORECASE).match


def check_text(text: str, path: str, origins: Sequence[Origin | None] | None = None) -> list[Finding]:
    """Return what the rules find in a Dockerfile; with `origins`, the place of each of its lines in Python.

    A text that BuildKit would refuse has one finding for each problem.
    """
    try:
        subject = Subject(text, path)
    except DockerfileSyntaxError as error:
        return [_problem(each, path) for each in error.errors]
    return sorted(_found(subject, origins), key=lambda each: (each.line, each.rule))


def _problem(problem: SyntaxProblem, path: str) -> Finding:
    fact = problem.message.removesuffix(f"; {problem.remedy}")
    return Finding(UNREADABLE, "error", fact, problem.remedy, problem.line, problem.line, Origin(path, problem.line))


def problem(error: DockdslError, path: str, rule: str = UNREADABLE) -> Finding:
    """Return the finding for a file that cannot be read or run."""
    fact, _, remedy = error.message.rpartition("; ")
    origin = error.origin or Origin(path, 1)
    return Finding(rule, "error", fact or remedy, remedy if fact else "see the message", 1, 1, origin)


def check_dockerfile(dockerfile: Dockerfile, path: str) -> list[Finding]:
    """Return what the rules find in a `Dockerfile`, at the lines where it was written."""
    rendered = render_with_map(dockerfile)
    return check_text(rendered.text, path, rendered.origins)


def _found(subject: Subject, origins: Sequence[Origin | None] | None) -> Iterator[Finding]:
    settings = _settings(subject)
    for rule in rules():
        if settings.silences(rule) or (rule.is_experimental and not settings.tries(rule)):
            continue
        for fault in rule.examine(subject):
            if not _is_silenced(fault, rule):
                yield _finding(subject, rule, fault, origins)


def _finding(subject: Subject, rule: Rule, fault: Fault, origins: Sequence[Origin | None] | None) -> Finding:
    at = fault.line.logical.first if fault.at is None else fault.at
    origin = (origins[at] if origins is not None else None) or Origin(subject.path, at + 1)
    last = fault.line.last + 1
    return Finding(rule.name, fault.level or rule.level, fault.fact, fault.remedy, at + 1, last, origin, fault.fix)


class _Settings:
    """What a ``# check=`` line says: ``skip=A,B;error=true;experimental=C``."""

    def __init__(self, value: str) -> None:
        self.values: dict[str, set[str]] = {}
        for setting in value.split(";"):
            name, _, names = setting.partition("=")
            self.values[name.strip().lower()] = {each.strip().lower() for each in names.split(",")}

    def _names(self, key: str, rule: Rule) -> bool:
        return bool(self.values.get(key, set()) & {"all", rule.name.lower()})

    def silences(self, rule: Rule) -> bool:
        return self._names("skip", rule)

    def tries(self, rule: Rule) -> bool:
        return self._names("experimental", rule)


def _settings(subject: Subject) -> _Settings:
    return _Settings(directives_of(subject.text.removeprefix("\ufeff").split("\n")).check or "")


def _is_silenced(fault: Fault, rule: Rule) -> bool:
    """Whether a ``# check=skip=`` comment above the instruction names the rule."""
    lines = fault.line.logical.lines
    for comment in _above(lines, fault.line.logical.first):
        found = _check(comment)
        if found is not None and _Settings(found[1]).silences(rule):
            return True
    return False


def _above(lines: Sequence[str], first: int) -> Iterable[str]:
    for index in range(first - 1, -1, -1):
        line = lines[index].strip()
        if line and not line.startswith("#"):
            return
        yield line
