"""Running the rules on a Dockerfile, and leaving out what comments ignore."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import attrs

from dockdsl.display import one_line
from dockdsl.errors import DockdslError, DockerfileSyntaxError, SyntaxProblem
from dockdsl.lint.build import UNKNOWN, Build
from dockdsl.lint.faults import faults_of, faults_of_own
from dockdsl.lint.finding import Finding
from dockdsl.lint.ignoring import FileIgnores, Ignore, Ignores, PythonIgnores
from dockdsl.lint.python_lines import within
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.settings import NOTHING_SET, Settings
from dockdsl.lint.subject import Subject
from dockdsl.lint.wording import in_dockerfile, in_python
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.origins import Origin
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lines import Logical
from dockdsl.text.rendering import render_with_map

UNREADABLE = "Unreadable"
"""The rule of a finding about a file that cannot be read."""
BROKEN = "BrokenRule"
"""The rule of a finding about a rule of the user's that fails."""


def check_text(text: str, path: str, origins: Sequence[Origin | None] | None = None) -> list[Finding]:
    """Return what the rules find in a Dockerfile; with `origins`, the place of each of its lines in Python.

    A text that BuildKit would refuse has one finding for each problem.
    """
    checking = Checking(path)
    return [each for each in [*checking.text(text, origins), *checking.unused()] if each.reason is None]


FRONTEND = "UnpinnedFrontend"
"""The rule about the line that names a frontend, which Python files have as well."""


class Checking:
    """The check of one file: of the Dockerfile that it is, or of those that a Python file makes."""

    def __init__(self, path: str, settings: Settings = NOTHING_SET) -> None:
        """Check the file with this name, with the rules of the project as well."""
        self.path = path
        self.settings = settings
        self.names = settings.names
        self.python = PythonIgnores()

    def text(self, text: str, origins: Sequence[Origin | None] | None = None, build: Build = UNKNOWN) -> list[Finding]:
        """Return what is found in a text, in the order of its lines; what a comment ignores has a reason."""
        try:
            subject = Subject(text, self.path, build)
        except DockerfileSyntaxError as error:
            return [self._problem(each, text) for each in error.errors]
        subject.origins = origins or ()
        found = sorted(self._found(subject, origins), key=lambda each: (each.line, each.rule))
        if origins is not None:
            self.python.made_at(origins)
            self.python.made_in(origins[each.logical.first] for each in subject.lines if _is_step(each))
        return found

    def dockerfile(self, dockerfile: Dockerfile, build: Build = UNKNOWN) -> list[Finding]:
        """Return what is found in a `Dockerfile`, at the lines where it was written."""
        rendered = render_with_map(dockerfile)
        return self.text(rendered.text, rendered.origins, build)

    def first_lines(self) -> list[Finding]:
        """Return what is found in the comments at the top of a Python file, where BuildKit looks for its frontend."""
        top = self.python.top(self.path)
        found = self.text(f"{top}FROM scratch\n") if "syntax" in top.lower() else []
        return [each for each in found if each.rule == FRONTEND]

    def unused(self) -> list[Finding]:
        """Return what is wrong with the comments of the Python file, once all that it makes was checked."""
        return [each for ignore in self.python.reached(self.path) for each in self._problems(ignore)]

    def _problems(self, ignore: Ignore, made_at: Origin | None = None) -> Iterator[Finding]:
        """Yield what is wrong with a comment that ignores rules."""
        origin = Origin(self.path, ignore.line) if made_at is None else made_at
        source = ignore.text if made_at is None else self.python.line(made_at)
        at = (origin, ignore.line, ignore.line, _columns_of_call(origin, source), source)
        for rule, message, remedy in self.names.problems(ignore):
            yield Finding(rule, ignore.level, message, remedy, *at)

    def _problem(self, problem: SyntaxProblem, text: str) -> Finding:
        line = text.removeprefix("\ufeff").split("\n")[problem.line - 1].rstrip("\r")
        columns = (problem.column, problem.column + problem.length)
        at = (Origin(self.path, problem.line), problem.line, problem.line, columns, line)
        return Finding(UNREADABLE, "error", problem.message, problem.remedy, *at)

    def _found(self, subject: Subject, origins: Sequence[Origin | None] | None) -> Iterator[Finding]:
        ignores = FileIgnores(subject)
        for rule in self.settings.rules:
            if rule.is_experimental and not ignores.experiments & {"all", rule.name}:
                continue
            faults, error = (faults_of_own if rule in self.settings.own else faults_of)(rule, subject)
            for fault in faults:
                finding = self._finding(subject, rule, fault, origins)
                if ignores.fails and rule.is_buildkit and finding.severity == "warning":
                    finding = attrs.evolve(finding, severity="error")
                made_at = origins[finding.line - 1] if origins is not None else None
                reason = self._reason(finding, fault, ignores, made_at)
                yield finding if reason is None else attrs.evolve(finding, reason=reason)
            if error is not None:
                yield problem(error, self.path, BROKEN)
        for ignore in ignores.all():
            yield from self._problems(ignore, origins[ignore.line - 1] if origins is not None else None)

    def _finding(self, subject: Subject, rule: Rule, fault: Fault, origins: Sequence[Origin | None] | None) -> Finding:
        logical = fault.line.logical
        at = logical.first if fault.at is None else fault.at
        columns = None if fault.part is None or fault.at is not None else _columns_of(fault.part, logical)
        source = logical.lines[at].rstrip("\r")
        origin = Origin(subject.path, at + 1)
        made_at = origins[at] if origins is not None else None
        if made_at is not None:
            origin = made_at if fault.at is None else self._place(fault.line, at, made_at)
            source = self.python.line(origin)
            columns = _columns_of_call(origin, source)
        remedy = in_dockerfile(fault.remedy) if made_at is None else in_python(fault.remedy)
        message = f"{fault.fact}; {remedy}"
        level = fault.level or rule.level
        where = (origin, at + 1, fault.line.last + 1, columns, source)
        unfixed = fault.unfixed if fault.fix is None else ""
        edits = () if origins is not None or fault.fix is None else tuple(map(subject.replacement, fault.fix.edits))
        how = (fault.fix, fault.alias, unfixed, 1, edits)
        return Finding(rule.name, level, message, remedy, *where, None, *how)

    def _place(self, line: Line, at: int, made_at: Origin) -> Origin:
        """Return the place of a physical line of an instruction in the call that wrote it."""
        number, column = line.logical.place(line.start)
        text = line.logical.lines[at].rstrip("\r")
        return within(made_at, text[column:] if number == at else text, self.python.line)

    def _reason(self, finding: Finding, fault: Fault, ignores: FileIgnores, made_at: Origin | None) -> str | None:
        """Return why a finding is ignored; None if it is not."""
        names = self.names.of(finding)
        first = fault.line.logical.first
        above = [ignores.above.get(at) for at in {first, fault.at or first}]
        # A comment is about the line, or about the call.
        places = [each for each in dict.fromkeys((finding.origin, made_at)) if each is not None]
        self.python.made_at(places)
        in_python = [self.python.at(place) for place in places if place.path.endswith(".py")]
        if made_at is not None and made_at.path.endswith(".py") and _is_step(fault.line):
            in_python += self._inside(finding, fault.line, made_at)
        # Each is asked, since each that ignores nothing is found.
        reasons = [each.reason(names) for each in (ignores.everywhere, *above, *in_python) if each is not None]
        return next((each for each in reasons if each is not None), None)

    def _inside(self, finding: Finding, line: Line, made_at: Origin) -> list[Ignores]:
        """Return the comments inside the call of a step that are about a finding in it."""
        inside = self.python.inside(made_at)
        if inside and finding.origin != made_at:
            # Where it is about one line of a script, a comment at another one is about that alone.
            places = [self._place(line, at, made_at) for at in range(line.logical.first, line.last + 1)]
            others = {place.line for place in places}
            return [ignores for at, ignores in inside.items() if at not in others]
        return [*inside.values()]


def _is_step(line: Line) -> bool:
    """Whether an instruction is a step: the call of a stage has those of its steps inside, and is not looked into."""
    return line.keyword != "FROM"


def _columns_of(part: str, logical: Logical) -> tuple[int, int] | None:
    """Return the columns of a part of an instruction, if it is in its first line."""
    found = re.search(rf"(?<!\S){re.escape(part)}(?!\S)", logical.text) or re.search(re.escape(part), logical.text)
    if found is None:
        return None
    line, column = logical.place(found.start())
    return (column + 1, column + 1 + len(part)) if line == logical.first else None


def _columns_of_call(origin: Origin, source: str) -> tuple[int, int] | None:
    """Return the columns of a call in its line."""
    if origin.extent is None:
        return None
    begin, last, end = origin.extent
    data = source.rstrip().encode()
    stop = end if last == origin.line else len(data)
    return len(data[:begin].decode(errors="replace")) + 1, len(data[:stop].decode(errors="replace")) + 1


def problem(error: DockdslError, path: str, rule: str = UNREADABLE) -> Finding:
    """Return the finding for a file that cannot be read or run."""
    # Where it is said already, the message need not name the file.
    message = error.message.removeprefix(f"{one_line(path)}: ")
    head, _, remedy = message.rpartition("; ")
    if not head:
        message, remedy = f"{message}; fix the file", "fix the file"
    source = "" if error.origin is None else PythonIgnores().line(error.origin)
    return Finding(rule, "error", message, remedy, error.origin or Origin(path, 1), source=source)
