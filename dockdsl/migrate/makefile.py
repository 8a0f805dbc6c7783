"""The targets of a Makefile, as the shell lines that make would give, in its order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from dockdsl.errors import SourceError
from dockdsl.migrate.shell import Place, Shell, Stop
from dockdsl.migrate.words import text

_assignment = re.compile(r"(?:export\s+|override\s+)*([A-Za-z_][\w.-]*)\s*(\?=|:=|::=|\+=|=)\s*(.*)").fullmatch
_rule = re.compile(r"([^\s:=#][^:=#]*?)\s*::?(?!=)\s*([^=]*)").fullmatch
_reference = re.compile(r"\$(?:\(([^()$]*)\)|\{([^{}$]*)\}|([@<^*$]))")
_LONGEST = 100_000
_BRANCHES = ("ifeq", "ifneq", "ifdef", "ifndef")
_GOALS = ("all", "build", "image", "images", "docker", "docker-build", "release", "dist")


class Line(NamedTuple):
    """A logical line of the file."""

    number: int
    text: str


class Rule(NamedTuple):
    """What makes a target: what it needs, and its shell lines."""

    needs: list[str]
    lines: list[Line]


class Makefile:
    """A Makefile as far as its recipes are concerned."""

    def __init__(self, path: Path, shown: str, note: Callable[[Place, str, str], None]) -> None:
        self.shown = shown
        self.note = note
        self.variables: dict[str, str] = {}
        self.rules: dict[str, Rule] = {}
        self._read(path.read_text(encoding="utf-8", errors="surrogateescape"))

    def _read(self, content: str) -> None:
        current: list[Rule] = []
        for line in _logical(content):
            if line.text.startswith("\t"):
                for rule in current:
                    rule.lines.append(line)
                continue
            stripped = line.text.split(" #")[0].strip()
            if not stripped or stripped.startswith("#"):
                continue
            if stripped.split()[0] in (*_BRANCHES, "define", "include", "-include"):
                fact = f"{stripped.split()[0]} is not followed"
                self.note(Place(self.shown, line.number), fact, "check that the recipes below do not depend on it")
                continue
            found = _assignment(stripped)
            if found is not None:
                self._assign(*found.groups())
                continue
            found = _rule(stripped)
            if found is not None:
                needs = self.expanded(found[2].partition(";")[0]).split()
                current = []
                for name in self.expanded(found[1]).split():
                    rule = self.rules.setdefault(name, Rule([], []))
                    rule.needs.extend(need for need in needs if need != "|")
                    current.append(rule)

    def _assign(self, name: str, operator: str, value: str) -> None:
        if operator == "+=":
            value = f"{self.variables.get(name, '')} {value}".strip()
        elif operator == "?=" and name in self.variables:
            return
        self.variables[name] = value

    def expanded(self, value: str, target: str = "", needs: list[str] | None = None) -> str:
        """Return a text with the variables of make replaced; what they do not set is one of the shell."""
        given = needs or []
        automatic = {"@": target, "<": given[0] if given else "", "^": " ".join(given), "*": target, "$": "\0"}

        def replaced(match: re.Match[str]) -> str:
            if match[3]:
                return automatic[match[3]]
            name = (match[1] if match[1] is not None else match[2]).strip()
            if name in self.variables:
                return self.variables[name]
            if name in ("CURDIR", "PWD"):
                return "\0PWD"
            function, _, operand = name.partition(" ")
            if function == "shell":
                return f"\0({operand.strip()})"
            return f"\0{{{name}}}" if name.isidentifier() else f"\0(make-{function})"

        for _ in range(20):
            value, count = _reference.subn(replaced, value)
            if not count:
                break
            if len(value) > _LONGEST:
                raise SourceError(
                    f"{self.shown}: a line has more than {_LONGEST} characters with its variables; shorten it"
                )
        return value.replace("\0", "$")

    def goal(self, concerns: Callable[[str], bool]) -> str | None:
        """Return the target that builds most: the usual name, or the first one, among equals."""
        counts = {name: sum(concerns(line.text) for line in self._order(name)) for name in self.rules if name[0] != "."}
        most = max(counts.values(), default=0)
        best = [name for name, count in counts.items() if count == most]
        return next((name for name in _GOALS if name in best), best[0]) if most else None

    def _order(self, name: str) -> Iterator[Line]:
        for each in self._closure(name):
            yield from self.rules[each].lines

    def _closure(self, name: str) -> list[str]:
        """Return the targets that are made, those that others need first."""
        done: dict[str, None] = {}
        waiting = [(name, False)]
        seen = set()
        while waiting:
            each, is_ready = waiting.pop()
            if is_ready:
                done[each] = None
            elif each in self.rules and each not in seen:
                seen.add(each)
                waiting.append((each, True))
                waiting.extend((need, False) for need in reversed(self.rules[each].needs))
        return list(done)

    def follow(self, goal: str, shell: Shell) -> None:
        """Follow the recipes for a target: each line is a shell of its own."""
        for name in self._closure(goal):
            rule = self.rules[name]
            for line in rule.lines:
                command = self.expanded(line.text.lstrip("\t ").lstrip("@-+ \t"), name, rule.needs)
                again = re.fullmatch(r"\$\{?MAKE\}?((?: [\w.-]+)+)", command.strip())
                if again is not None:
                    for target in again[1].split():
                        if target in self.rules and target != goal:
                            self.follow(target, shell)
                    continue
                outer = shell.folder, shell.variables.copy()
                try:
                    shell.run_text(command, self.shown, line.number)
                except Stop:
                    pass
                finally:
                    shell.folder, shell.variables = outer

    def set_variables(self, shell: Shell) -> None:
        """Give the shell what make exports, for scripts that it calls."""
        for name, value in self.variables.items():
            shell.variables.setdefault(name, text(self.expanded(value)))


def _logical(content: str) -> Iterator[Line]:
    number = 1
    parts: list[str] = []
    for index, line in enumerate(content.split("\n"), start=1):
        if not parts:
            number = index
        parts.append(line)
        if line.endswith("\\"):
            continue
        is_recipe = parts[0].startswith("\t")
        # In a recipe the shell itself joins the lines.
        yield Line(number, "\n".join(parts) if is_recipe else " ".join(part.rstrip("\\").strip() for part in parts))
        parts = []
    if parts:
        yield Line(number, "\n".join(parts).rstrip("\\"))
