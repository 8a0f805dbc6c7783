"""What a project says about its checks, in ``[tool.dockdsl.check]`` of its pyproject.toml."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, TypeVar, cast

import attrs

from dockdsl.display import kind_of, shown, suggestion
from dockdsl.errors import SourceError
from dockdsl.lint.finding import LEVELS, Finding, Level
from dockdsl.lint.ignoring import UNUSED, Names
from dockdsl.lint.rule import Rule
from dockdsl.lint.rules import rules
from dockdsl.origins import Origin

_Read = TypeVar("_Read")
_FILE = "pyproject.toml"
_TABLE = "[tool.dockdsl.check]"
_HAS_TABLE = (b"dockdsl.check", b"dockdsl={", b"[tool.dockdsl]")
"""The spellings of the table's name, without blanks and quotes.

To read the whole file takes as long as to check a small Dockerfile."""


# Plain classes: attrs takes as long to make one as it takes to check a small file.
class Ignored:
    """Rules that are ignored, everywhere or in some files, and why."""

    def __init__(self, rules: tuple[str, ...], files: tuple[str, ...], reason: str) -> None:
        self.rules = rules
        self.files = files
        self.reason = reason
        self.used: set[str] = set()

    def ignores(self, finding: Finding, names: Iterable[str], path: str) -> bool:
        """Whether it ignores a finding in a file, whose path is given as the patterns have it."""
        if self.files and not any(fnmatchcase(path, pattern) for pattern in self.files):
            return False
        known = {name.lower() for name in names}
        named = [name for name in self.rules if name.lower() in known]
        self.used.update(named)
        return bool(named) and finding.reason is None


class Settings:
    """What a project says: the file that says it, levels by names in lower case, what is ignored, its own rules."""

    def __init__(
        self,
        path: str | None = None,
        levels: Mapping[str, Level] | None = None,
        ignored: Sequence[Ignored] = (),
        own: Sequence[Rule] = (),
    ) -> None:
        self.path = path
        self.levels = levels or {}
        self.ignored = ignored
        self.own = own

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """All rules: those here, and the project's own."""
        return (*rules(), *self.own)

    @cached_property
    def names(self) -> Names:
        """The names of all rules."""
        return Names(self.rules)

    def applied(self, found: Iterable[Finding]) -> list[Finding]:
        """Return findings with the levels that the project gives them; those that it ignores have a reason."""
        return [self._applied(each) for each in found] if self.path is not None else [*found]

    def _applied(self, finding: Finding) -> Finding:
        names = self.names.of(finding)
        for name in names:
            if name.lower() in self.levels:
                finding = attrs.evolve(finding, severity=self.levels[name.lower()])
                break
        path = self._relative(finding.origin.path)
        for ignored in self.ignored:
            if ignored.ignores(finding, names, path):
                finding = attrs.evolve(finding, reason=ignored.reason, is_settled=True)
        return finding

    def _relative(self, path: str) -> str:
        folder = os.path.dirname(os.path.abspath(self.path or ""))
        return os.path.relpath(os.path.abspath(path), folder).replace(os.sep, "/")

    def covers(self, folder: str) -> bool:
        """Whether all files that it is about are in a folder."""
        if self.path is None:
            return False
        here = os.path.dirname(os.path.realpath(self.path))
        return os.path.commonpath([here, os.path.realpath(folder)]) == os.path.realpath(folder)

    def unused(self) -> Iterator[Finding]:
        """Yield what is ignored and was not found, once all files were checked."""
        assert self.path is not None  # else nothing is ignored
        for ignored in self.ignored:
            for name in ignored.rules:
                if name not in ignored.used and self.names.is_certain(name.lower()):
                    where = f" in {', '.join(ignored.files)}" if ignored.files else ""
                    remedy = f"remove it from {_TABLE}"
                    origin = _place(self.path, name)
                    message = f"{name} is ignored{where}, and finds nothing there; {remedy}"
                    yield Finding(UNUSED, "warning", message, remedy, origin, origin.line, origin.line)


NOTHING_SET = Settings()
"""The settings of a project that has none."""


def settings_for(path: str, known: dict[str, Settings]) -> Settings:
    """Return what the project of a file or a folder says; `known` keeps those that were read.

    It is the nearest pyproject.toml with the table, in the folder of the file or above it.
    Raises `SourceError` for one that cannot be read, and for what is not a setting.
    """
    full = os.path.abspath(path)
    folder = full if os.path.isdir(full) else os.path.dirname(full)
    passed = []
    while folder not in known:
        passed.append(folder)
        found = _read(os.path.join(folder, _FILE))
        parent = os.path.dirname(folder)
        if found is not None or parent == folder:
            known[folder] = found or NOTHING_SET
            break
        folder = parent
    for each in passed:
        known[each] = known[folder]
    return known[folder]


def _read(path: str) -> Settings | None:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return None
    bare = data.translate(None, b" \t\"'")
    if not any(name in bare for name in _HAS_TABLE):
        return None
    import tomllib  # noqa: PLC0415 - few projects have such a table

    try:
        table = tomllib.loads(data.decode()).get("tool", {}).get("dockdsl", {}).get("check")
    except (ValueError, AttributeError) as error:
        found = re.search(r"at line (\d+)|at (end) of document", str(error))
        line = 1 if found is None else int(found[1] or len(data.splitlines()))
        raise SourceError(f"it is not valid TOML: {error}; fix the file", origin=Origin(path, line)) from None
    return None if table is None else _Reader(path).settings(table)


class _Reader:
    """Reads the table, and says all that is wrong with it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._wrong: list[SourceError] = []

    def settings(self, table: Any) -> Settings:
        try:
            found = self._settings(table)
        except SourceError as error:
            self._wrong.append(error)
        else:
            if not self._wrong:
                return found
        first, *others = sorted(self._wrong, key=lambda each: each.origin.line if each.origin else 0)
        more = "".join([f"\n{each.origin}: error: {each.message}" for each in others])
        raise SourceError(f"{first.message}{more}", origin=first.origin)

    def _settings(self, table: Any) -> Settings:
        table = self._table(table, "", ("ignore", "levels", "rules"))
        places = self._texts(table.get("rules", []), "rules")
        own = self._each(self._own, places)
        if len(own) < len(places):
            # What is below may name these rules.
            raise self._wrong.pop()
        names = Names((*rules(), *own))
        levels = self._table(table.get("levels", {}), "levels", None)
        named = dict(self._each(lambda name: self._level(name, levels[name], names), levels))
        entries = table.get("ignore", [])
        if not isinstance(entries, list):
            raise self._error("ignore", f"ignore is {kind_of(entries)}; write [[tool.dockdsl.check.ignore]]")
        return Settings(self.path, named, self._each(lambda entry: self._ignored(entry, names), entries), own)

    def _each(self, read: Callable[[Any], _Read], entries: Iterable[Any]) -> list[_Read]:
        """Read what can be read, and keep what is wrong with the others."""
        found = []
        for entry in entries:
            try:
                found.append(read(entry))
            except SourceError as error:
                self._wrong.append(error)
        return found

    def _level(self, name: str, level: Any, names: Names) -> tuple[str, Level]:
        if level not in LEVELS:
            remedy = suggestion(str(level), LEVELS, f"write {', '.join(LEVELS)}, or put the rule under ignore")
            raise self._error(name, f"levels: {shown(level)} is not a level; {remedy}")
        return self._name(names, name, "levels").lower(), cast("Level", level)

    def _ignored(self, entry: Any, names: Names) -> Ignored:
        if not isinstance(entry, dict):
            fact = f"ignore: {shown(entry)} is {kind_of(entry)}"
            raise self._error("ignore", f'{fact}; write {{ rules = ["RULE"], reason = "…" }}')
        entry = self._table(entry, "ignore", ("rules", "files", "reason"))
        listed = self._texts(entry.get("rules", []), "ignore: rules")
        files = self._texts(entry.get("files", []), "ignore: files")
        if not listed:
            raise self._error("ignore", 'ignore: no rules are named; write rules = ["RULE"]')
        named = tuple([self._name(names, each, "ignore") for each in listed])
        reason = entry.get("reason")
        if not isinstance(reason, str) or not reason.strip():
            raise self._error(named[0], f'ignore: {named[0]} has no reason; write reason = "…"')
        return Ignored(named, tuple(files), reason.strip())

    def _own(self, place: str) -> Rule:
        from dockdsl.lint.own import rule_at  # noqa: PLC0415 - few projects have rules of their own

        try:
            return rule_at(place, os.path.dirname(os.path.abspath(self.path)))
        except SourceError as error:
            raise self._error(place, f"rules: {error.message}") from None

    def _name(self, names: Names, name: str, key: str) -> str:
        remedy = names.unknown(name) if name.lower() != "all" else "name each rule"
        if remedy is not None:
            raise self._error(name, f"{key}: there is no rule {shown(name)}; {remedy}")
        return name

    def _table(self, value: Any, what: str, keys: Sequence[str] | None) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._error(what, f"{what} is {kind_of(value)}; write a table".lstrip())
        for key in value:
            if keys is not None and key not in keys:
                hint = suggestion(key, keys, f"the keys are {', '.join(keys)}")
                place = f"{what}: " if what else ""
                self._wrong.append(self._error(key, f"{place}{shown(key)} is not a key; {hint}"))
        return value

    def _texts(self, value: Any, key: str) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._error(key, f'{key}: {shown(value)} is not a list of strings; write ["…"]')
        return value

    def _error(self, name: str, message: str) -> SourceError:
        return SourceError(f"{_TABLE} {message}", origin=_place(self.path, name))


def _place(path: str, name: str) -> Origin:
    """Return the first line of the table, or below it, that has a name."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, ValueError):
        lines = []
    start = next((index for index, line in enumerate(lines) if "tool.dockdsl.check" in line), 0)
    has_name = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])").search
    return Origin(path, next((index for index in range(start, len(lines)) if has_name(lines[index])), start) + 1)
