"""Comments that ignore findings: dockdsl's own, in Dockerfiles and in Python; BuildKit's; hadolint's."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from operator import itemgetter

from dockdsl.display import shown, suggestion
from dockdsl.lint import shellcheck
from dockdsl.lint.finding import Finding, Level
from dockdsl.lint.rule import Rule
from dockdsl.lint.subject import Subject
from dockdsl.origins import Origin
from dockdsl.syntax.directives import directives_of, settings_of
from dockdsl.syntax.lines import Logical

UNUSED = "UnusedIgnore"
INVALID = "InvalidIgnore"
_OURS = "# dockdsl: ignore=RULE reason"
# Compiled when a file has such comments.
_BUILDKIT = r"#\s*check\s*=\s*(\S*)"
_HADOLINT = r"#\s*hadolint\s+(global\s+)?ignore\s*=\s*(\w+(?:\s*,\s*\w+)*)"
# Without the colon, as hadolint's has none, it is meant, and told.
_DOCKDSL = r"#\s*dockdsl(?:(:)\s*ignore\b|\s+ignore(?==))(?:=(\S*))?\s*(.*)"
_OTHERS = r"(?i)SC\d{4}|DL(?:100[01]|30[0-7]\d|400[0-7])"
"""Codes of ShellCheck, and those that hadolint has in some version, most of which are not rules here."""
_ALL = "all"
_NOT_HERE = frozenset({"invalidbaseimageplatform"})
"""Checks of BuildKit that are not rules here."""


class Ignore:
    """A comment that ignores what some rules find.

    `names`
        The names as they are written; ``all`` stands for all rules where BuildKit reads it.
    `line`, `text`
        The line of the comment, from 1, and the line itself.
    `level`
        How bad it is if nothing is ignored: a hint where another tool may find more than is found here.
    `fault`
        What is wrong with the comment itself.
    `is_exact`
        Whether the names count only as they are spelled, as those do that BuildKit reads.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        reason: str,
        line: int,
        text: str,
        level: Level = "warning",
        *,
        fault: str | None = None,
        is_exact: bool = False,
    ) -> None:
        self.names = names
        self.reason = reason
        self.line = line
        self.text = text
        self.level: Level = level
        self.fault = fault
        self.is_exact = is_exact
        self.used: set[str] = set()
        """The names that ignored something."""


class Ignores:
    """The comments that are about one thing, looked up by what they ignore."""

    def __init__(self) -> None:
        self.comments: list[Ignore] = []
        self._found: dict[str, list[tuple[Ignore, str]]] = {}

    def add(self, ignore: Ignore) -> None:
        """Add a comment."""
        self.comments.append(ignore)
        for name in ignore.names:
            key = f"={name}" if ignore.is_exact and name.lower() != _ALL else name.lower()
            self._found.setdefault(key, []).append((ignore, name))

    def reason(self, names: Sequence[str]) -> str | None:
        """Return why what has these names is ignored, None if it is not; it is noted which comments are of use."""
        reason = None
        for key in dict.fromkeys((_ALL, *[f"={name}" for name in names], *[name.lower() for name in names])):
            found = self._found.get(key, [])
            for ignore, name in found:
                ignore.used.add(name)
            # Once is enough.
            del found[1:]
            if found and reason is None:
                reason = found[0][0].reason
        return reason


class Names:
    """The names that rules have, here and elsewhere."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._left_out = () if shellcheck.program() is not None else (shellcheck.NAME,)
        self.known = {name.lower(): rule for rule in rules for name in (rule.name, *rule.aliases)}

    def of(self, finding: Finding) -> tuple[str, ...]:
        """Return all names of what was found: of the rule, and the alias that it has, or else all that the rule has."""
        rule = self.known.get(finding.rule.lower())
        names = (finding.rule,) if rule is None else (finding.rule, rule.name, *rule.aliases)
        return (finding.rule, finding.alias) if finding.alias else names

    def unknown(self, name: str) -> str | None:
        """Return what to do about a name that no rule has; None if one has it."""
        small = name.lower()
        if small in self.known or small in _NOT_HERE or small == _ALL or re.fullmatch(_OTHERS, name):
            return None
        every = [each for rule in self._rules for each in (rule.name, *rule.aliases)]
        return suggestion(name, every, "dockdsl check --rules lists the rules")

    def is_certain(self, name: str) -> bool:
        """Whether what finds nothing here finds nothing anywhere."""
        rule = self.known.get(name)
        if name == _ALL or rule is None:
            return name == _ALL
        return not (rule.is_experimental or rule.needs_build or rule.name in self._left_out)

    def problems(self, ignore: Ignore) -> Iterator[tuple[str, str, str]]:
        """Yield what is wrong with a comment, as rule, message and remedy.

        That is a name that no rule has, no reason, and nothing that it ignores.
        """
        if ignore.fault is not None:
            yield INVALID, f"{ignore.fault}; write {_OURS}", f"write {_OURS}"
        for name in ignore.names:
            remedy = self.unknown(name)
            if remedy is not None:
                yield INVALID, f"there is no rule {shown(name)} that the comment could ignore; {remedy}", remedy
            elif name not in ignore.used and self.is_certain(name.lower()):
                remedy = "remove it from the comment"
                yield UNUSED, f"{shown(name)} is ignored, and finds nothing here; {remedy}", remedy


class FileIgnores:
    """The comments of a Dockerfile that ignore something."""

    def __init__(self, subject: Subject) -> None:
        self.everywhere = Ignores()
        self.above: dict[int, Ignores] = {}
        """Those above an instruction, or above a line of it, by the index of that line."""
        self.experiments: set[str] = set()
        self.fails = False
        """Whether the build fails where a check finds something."""
        self._directive = -1
        if "ignore" not in subject.text and not re.search(r"#.*check\s*=", subject.text.lower()):
            return
        lines = subject.text.removeprefix("\ufeff").split("\n")
        self._read_directive(lines)
        at = 0
        for each in subject.lines:
            for index in range(at, each.logical.first):
                self._read(lines[index].rstrip("\r"), index, each.logical.first)
            self._read_inside(each.logical)
            at = each.last + 1
        for index in range(at, len(lines)):
            self._read(lines[index].rstrip("\r"), index, None)

    def _read_directive(self, lines: list[str]) -> None:
        directives = directives_of(lines)
        settings = _settings(directives.check or "")
        self.experiments = {*settings.get("experimental", ())}
        self.fails = settings.get("error") == ("true",)
        for index in directives.lines if "skip" in settings else ():
            if re.match(_BUILDKIT, lines[index], re.IGNORECASE):
                self.everywhere.add(_of_buildkit(settings["skip"], index + 1, lines[index].rstrip("\r")))
                self._directive = index

    def _read(self, line: str, index: int, below: int | None) -> None:
        for ignore, is_global in _ignores(line, index + 1):
            if is_global:
                self.everywhere.add(ignore)
            elif below is not None and index != self._directive:
                self.above.setdefault(below, Ignores()).add(ignore)

    def _read_inside(self, instruction: Logical) -> None:
        """Read the comments among the lines of an instruction, where other tools have none that ignores something."""
        below = [number for _, number in instruction.parts or ()]
        for index in instruction.comments():
            line = instruction.lines[index].rstrip("\r")
            at = bisect(below, index)
            if at < len(below) and re.match(_DOCKDSL, line.strip()):
                self._read(line, index, below[at])

    def all(self) -> Iterator[Ignore]:
        """Yield all of them."""
        for each in (self.everywhere, *self.above.values()):
            yield from each.comments


def _ignores(line: str, number: int) -> Iterator[tuple[Ignore, bool]]:
    """Yield what a line of a Dockerfile ignores, and whether that is for all of the file."""
    bare = line.strip()
    if not bare.startswith("#"):
        return
    if found := re.match(_DOCKDSL, bare):
        yield _ours(found, number, line), False
    elif found := re.match(_HADOLINT, bare):
        names = tuple(name.strip() for name in found[2].split(","))
        yield Ignore(names, "", number, line, "hint"), found[1] is not None
    elif line.startswith("#") and (found := re.match(_BUILDKIT, bare, re.IGNORECASE)):
        names = _settings(found[1]).get("skip", ())
        if names:
            yield _of_buildkit(names, number, line), False


def _of_buildkit(names: tuple[str, ...], number: int, text: str) -> Ignore:
    return Ignore(names, "", number, text, is_exact=True)


def _settings(value: str) -> dict[str, tuple[str, ...]]:
    """Return what a ``check=`` says: ``skip=A,B;error=true;experimental=C``."""
    # What BuildKit refuses still says what its author wants to skip.
    said = settings_of(value)
    settings = [each.partition("=") for each in (value if said is None else said).split(";")]
    return {name: tuple(names.split(",")) for name, equals, names in settings if equals}


def _ours(found: re.Match[str], number: int, text: str) -> Ignore:
    colon, names, reason = found[1], found[2] or "", found[3].strip()
    every = [name for name in names.split(",") if name]
    named = tuple(name for name in every if colon and name.lower() != _ALL)
    fault = None
    if not colon:
        fault = "the comment has no colon after dockdsl, and ignores nothing"
    elif len(named) < len(every):
        fault = f"{_ALL!r} is not accepted here, since each rule is ignored by its name"
    elif not named:
        fault = "the comment ignores no rule by its name"
    elif not reason:
        fault = "the comment gives no reason"
    return Ignore(named, reason, number, text, fault=fault)


class PythonIgnores:
    """The comments of Python files that ignore what is found at their line, below it, or in the call they stand in."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}
        self._found: dict[str, dict[int, Ignores]] = {}
        self._made: set[tuple[str, int, int]] = set()

    def reads(self, path: str, text: str) -> None:
        """Take this text for that of a file."""
        self._lines[path] = text.splitlines()

    def line(self, origin: Origin) -> str:
        """Return a line of a file; empty if it cannot be read."""
        lines = self._read(origin.path)
        return lines[origin.line - 1] if origin.line <= len(lines) else ""

    def top(self, path: str) -> str:
        """Return the comments that a file begins with."""
        return "".join([f"{line}\n" for line in takewhile(lambda line: line.startswith("#"), self._read(path))])

    def _read(self, path: str) -> list[str]:
        if path not in self._lines:
            self._lines[path] = _source_lines(path)
        return self._lines[path]

    def _comments(self, path: str) -> dict[int, Ignores]:
        """Return the comments of a file by the line that each is about."""
        if path not in self._found:
            self._found[path] = _in_python(self._read(path))
        return self._found[path]

    def at(self, origin: Origin) -> Ignores | None:
        """Return the comments that apply to the line of a place, or None."""
        return self._comments(origin.path).get(origin.line)

    def inside(self, call: Origin) -> dict[int, Ignores]:
        """Return the comments that are about the lines of a call below its first one, by line."""
        below = range(call.line + 1, _last(call) + 1)
        return {line: ignores for line, ignores in self._comments(call.path).items() if line in below}

    def made_at(self, origins: Iterable[Origin | None]) -> None:
        """Note where what is checked was made."""
        self._made.update([(each.path, each.line, each.line) for each in origins if each is not None])

    def made_in(self, calls: Iterable[Origin | None]) -> None:
        """Note in which calls what is checked was made."""
        self._made.update([(each.path, each.line, _last(each)) for each in calls if each is not None])

    def reached(self, path: str) -> Iterator[Ignore]:
        """Yield the comments of a file at whose lines something was made that was checked."""
        lines = {line for file, first, last in self._made if file == path for line in range(first, last + 1)}
        for line, ignores in sorted(self._comments(path).items(), key=itemgetter(0)):
            if line in lines:
                yield from ignores.comments


def _last(call: Origin) -> int:
    """Return the last line of a call."""
    return call.line if call.extent is None else call.extent[1]


def _source_lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except (OSError, ValueError):
        return []


def _in_python(lines: list[str]) -> dict[int, Ignores]:
    """Return the comments of a Python file by the line that each is about."""
    found: dict[int, Ignores] = {}
    if not any("dockdsl" in line and "ignore" in line for line in lines):
        return found
    import tokenize  # noqa: PLC0415 - few files have such comments

    rest = iter([f"{line}\n" for line in lines])
    pending: list[Ignore] = []
    try:
        for token in tokenize.generate_tokens(lambda: next(rest, "")):
            if token.type == tokenize.COMMENT:
                match = re.match(_DOCKDSL, token.string)
                number = token.start[0]
                if match is None:
                    continue
                ignore = _ours(match, number, lines[number - 1])
                if lines[number - 1].lstrip().startswith("#"):
                    pending.append(ignore)
                else:
                    found.setdefault(number, Ignores()).add(ignore)
            elif token.type not in (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
                for ignore in pending:
                    found.setdefault(token.start[0], Ignores()).add(ignore)
                pending = []
    except (tokenize.TokenError, SyntaxError):
        # What is not Python has no comments of Python.
        return found
    return found
