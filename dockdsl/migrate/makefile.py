"""The targets of a Makefile, as the shell lines that make would give, in its order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from dockdsl.migrate.commands import Noter, Place
from dockdsl.migrate.make_functions import expanded
from dockdsl.migrate.shell import Shell
from dockdsl.migrate.words import text

_assignment = re.compile(r"(?:export\s+|override\s+)*([A-Za-z_.][\w.-]*)\s*(\?=|:=|::=|\+=|!=|=)\s*(.*)").fullmatch
_rule = re.compile(r"([^\s:=#][^:=#]*?)\s*::?(?!=)\s*(.*)").fullmatch
_BRANCHES = ("ifeq", "ifneq", "ifdef", "ifndef")
NAMES = ("GNUmakefile", "makefile", "Makefile")
"""The files that make reads, the first one that is there."""
# A recipe that makes other targets of the file.
_again = re.compile(r"\s*[@+-]*\s*(?:\$\{MAKE\}|make)((?: [\w.-]+)+)\s*").fullmatch
_GOALS = ("all", "build", "image", "images", "docker", "docker-build", "release", "dist")


class Line(NamedTuple):
    """A logical line of the file."""

    number: int
    text: str


class Rule(NamedTuple):
    """What makes a target: what it needs, its shell lines, and the variables that it sets."""

    needs: list[str]
    lines: list[Line]
    variables: dict[str, str]
    stem: str = ""
    """What ``%`` stands for."""


class Makefile:
    """A Makefile as far as its recipes are concerned."""

    def __init__(self, path: Path, shown: str, note: Noter, given: Mapping[str, str] | None = None) -> None:
        self.shown = shown
        self.note = note
        self.given = given or {}
        """Variables of the command line, which those of the file do not replace."""
        self.variables: dict[str, str] = {**self.given}
        self.rules: dict[str, Rule] = {}
        self._read(path.read_text(encoding="utf-8", errors="surrogateescape"))

    # Reading.

    def _read(self, content: str) -> None:
        current: list[Rule] = []
        branches: list[bool] = []
        define: tuple[str, list[str]] | None = None
        for line in _logical(content):
            stripped = line.text.split(" #")[0].strip()
            word = stripped.split()[0] if stripped else ""
            if define is not None:
                if word == "endef":
                    self.variables[define[0]] = "\n".join(define[1])
                    define = None
                else:
                    define[1].append(line.text)
            elif self._branches(line, word, stripped, branches) or not all(branches):
                continue
            elif line.text.startswith("\t"):
                for rule in current:
                    rule.lines.append(line)
            elif word == "define":
                define = (stripped.split()[1] if len(stripped.split()) > 1 else "", [])
            elif word in ("include", "-include"):
                fact = f"{stripped} is not followed"
                self.note(Place(self.shown, line.number), fact, "check that the recipes do not depend on it")
            elif word and word[0] != "#":
                current = self._line(stripped, line, current)

    def _branches(self, line: Line, word: str, stripped: str, branches: list[bool]) -> bool:
        """Take in what decides which lines count."""
        if word in _BRANCHES:
            branches.append(self._holds(word, stripped[len(word) :].strip()))
            fact = f"{stripped} is decided by what the Makefile itself sets"
            self.note(Place(self.shown, line.number), fact, "check that this is what you want")
        elif word == "else" and branches:
            words = stripped.split()
            branches[-1] = not branches[-1] and (len(words) < 2 or self._holds(words[1], " ".join(words[2:])))
        elif word == "endif" and branches:
            branches.pop()
        else:
            return False
        return True

    def _holds(self, word: str, operands: str) -> bool:
        if word in ("ifdef", "ifndef"):
            return bool(self.variables.get(operands)) == (word == "ifdef")
        found = re.fullmatch(r"\((.*),(.*)\)|([\"'])(.*?)\3\s+([\"'])(.*?)\5", operands)
        if found is None:
            return False
        before, after = (found[1], found[2]) if found[1] is not None else (found[4], found[6])
        # A variable that the file does not set is empty.
        same = re.sub(r"\$\{\w+\}", "", self.expanded(before.strip())) == self.expanded(after.strip())
        return same == (word == "ifeq")

    def _line(self, stripped: str, line: Line, current: list[Rule]) -> list[Rule]:
        """Take in an assignment or a rule; return the rules whose recipe comes next."""
        found = _assignment(stripped)
        if found is not None:
            self._assign(self.variables, *found.groups())
            return current
        found = _rule(stripped)
        if found is None:
            return current
        needs, separator, command = found[2].partition(";")
        own = _assignment(needs.strip())
        rules = [self.rules.setdefault(name, Rule([], [], {})) for name in self.expanded(found[1]).split()]
        for rule in rules:
            if own is not None:
                self._assign(rule.variables, *own.groups())
                continue
            rule.needs.extend(need for need in self.expanded(needs).split() if need != "|")
            if separator:
                rule.lines.append(Line(line.number, command.strip()))
        return rules

    def _assign(self, variables: dict[str, str], name: str, operator: str, value: str) -> None:
        if name in self.given:
            return
        if operator == "+=":
            value = f"{variables.get(name, self.variables.get(name, ''))} {value}".strip()
        elif operator == "?=" and name in variables:
            return
        elif operator == "!=":
            value = f"$(shell {value})"
        elif operator in (":=", "::="):
            value = self.expanded(value, final=False)
        variables[name] = value

    def expanded(self, value: str, more: Mapping[str, str] | None = None, *, final: bool = True) -> str:
        """Return a text with the variables of make replaced; what they do not set is one of the shell."""
        return expanded(value, {**self.variables, **(more or {})}, self.shown, final=final)

    # Following.

    def goal(self, concerns: Callable[[str], bool]) -> str | None:
        """Return the target that builds most: the usual name, or the first one, among equals."""
        targets = [name for name in self.rules if name[0] != "." and "%" not in name]
        counts = {name: sum(concerns(self.expanded(line.text)) for line in self._order(name)) for name in targets}
        most = max(counts.values(), default=0)
        best = [name for name, count in counts.items() if count == most]
        return next((name for name in _GOALS if name in best), best[0]) if most else None

    def first(self) -> list[str]:
        """Return the target that make makes by itself."""
        named = self.variables.get(".DEFAULT_GOAL")
        targets = [name for name in self.rules if name[0] != "." and "%" not in name]
        return [named] if named else targets[:1]

    def _order(self, name: str) -> Iterator[Line]:
        for _, rule in self._closure(name):
            for line in rule.lines:
                yield line
                again = _again(self.expanded(line.text))
                for target in again[1].split() if again is not None else ():
                    yield from self.rules.get(target, Rule([], [], {})).lines

    def _rule(self, name: str) -> Rule | None:
        """Return the rule of a target; a pattern counts where no rule of its own has a recipe."""
        own = self.rules.get(name)
        if own is not None and own.lines:
            return own
        for pattern, rule in self.rules.items():
            before, percent, after = pattern.partition("%")
            is_long = len(name) > len(before) + len(after)
            if percent and rule.lines and is_long and name.startswith(before) and name.endswith(after):
                stem = name[len(before) : len(name) - len(after)]
                needs = [need.replace("%", stem) for need in rule.needs]
                given = Rule([], [], {}) if own is None else own
                return Rule([*needs, *given.needs], rule.lines, rule.variables | given.variables, stem)
        return own

    def _closure(self, name: str) -> list[tuple[str, Rule]]:
        """Return the targets that are made, those that others need first."""
        done: list[tuple[str, Rule]] = []
        waiting: list[tuple[str, Rule | None]] = [(name, None)]
        seen = set()
        while waiting:
            each, ready = waiting.pop()
            if ready is not None:
                done.append((each, ready))
                continue
            rule = None if each in seen else self._rule(each)
            seen.add(each)
            if rule is not None:
                waiting.append((each, rule))
                waiting.extend((need, None) for need in reversed(rule.needs))
        return done

    def follow(self, goal: str, shell: Shell) -> None:
        """Follow the recipes for a target: each line is a shell of its own."""
        for name, rule in self._closure(goal):
            automatic = {"@": name, "<": next(iter(rule.needs), ""), "^": " ".join(rule.needs), "*": rule.stem}
            automatic |= {"?": automatic["^"], "+": automatic["^"], "@D": str(Path(name).parent), "@F": Path(name).name}
            commands = [
                (line, command.lstrip("\t ").lstrip("@-+ \t"))
                for line in rule.lines
                # A variable that `define` has made is several lines.
                for command in re.split(r"(?<!\\)\n", self.expanded(line.text, rule.variables | automatic))
            ]
            if ".ONESHELL" in self.rules and commands:
                commands = [(commands[0][0], "\n".join(command for _, command in commands))]
            for line, command in commands:
                with shell.process():
                    shell.run_text(command, self.shown, line.number)

    def set_variables(self, shell: Shell) -> None:
        """Give the shell what make exports, for scripts that it calls."""
        shell.variables["MAKE"] = text("make")
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
