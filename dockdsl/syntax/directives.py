"""Parser directives: the comments at the top of a file that control how it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.lines import SPACE
from dockdsl.syntax.misread import Misread

_is_directive = lazy_regex(rf"#[{SPACE}]*([A-Za-z][A-Za-z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*$")
_DIRECTIVES = ("syntax", "escape", "check")
TRUE = ("1", "t", "T", "TRUE", "true", "True")
"""What BuildKit reads as true."""
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


class Directives(NamedTuple):
    """The directives of a file."""

    syntax: str | None
    escape: str
    check: str | None
    lines: frozenset[int]
    """The lines of directives that have an effect, counted from 0."""
    misread: tuple[tuple[int, Misread], ...]
    """The problems, each with the index of its line."""


def directives_of(lines: Sequence[str]) -> Directives:
    """Read the directives at the top of a file."""
    found: dict[str, tuple[int, str]] = {}
    misread: list[tuple[int, Misread]] = []
    for index, line in enumerate(lines):
        match = _is_directive().match(line.lstrip(SPACE).rstrip("\r"))
        name = match[1].lower() if match else ""
        if match is None or name not in _DIRECTIVES:
            break
        if name in found:
            fact = f"the directive {name} is given twice"
            misread.append((index, Misread(fact, "keep one of them", grammar=True)))
        elif name == "escape" and match[2] not in ("\\", "`"):
            fact = f"the escape character {match[2]!r} is neither a backslash nor a backtick"
            misread.append((index, Misread(fact, "write # escape=`", grammar=True)))
        found.setdefault(name, (index, match[2]))
    acting = _acting(lines)
    escape = found.get("escape", (0, "\\"))
    used = [index for index, _ in acting.values()]
    if "escape" in found:
        used.append(escape[0])
    return Directives(
        acting["syntax"][1] if "syntax" in acting else None,
        escape[1],
        acting["check"][1].strip(SPACE) or None if "check" in acting else None,
        frozenset(used),
        tuple(misread),
    )


def _acting(lines: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Return the directives that select the frontend: they start in the first column, after any ``#!`` line."""
    found: dict[str, tuple[int, str]] = {}
    start = 1 if lines[0].startswith("#!") else 0
    for index in range(start, len(lines)):
        match = _is_directive().match(lines[index])
        name = match[1].lower() if match else ""
        if match is None or name not in _DIRECTIVES or name in found:
            break
        found[name] = (index, match[2])
    return {name: each for name, each in found.items() if name != "escape"}


def settings_of(value: str) -> str | None:
    """Return the settings of a ``check`` in their normal form; None where BuildKit refuses them.

    A space ends them. Of two with the same name, the last one counts. The second semicolon is the last that counts.
    """
    value = value.partition(" ")[0]
    settings: dict[str, str] = {}
    for each in value.split(";", 2):
        name, equals, said = [part.strip(SPACE) for part in each.partition("=")]
        if name == "error" and said in (*TRUE, *_FALSE):
            settings[name] = "true" if said in TRUE else "false"
        elif name in ("skip", "experimental") and ";" in said:
            return value  # no other form can say it
        elif name in ("skip", "experimental") and equals:
            rules = [rule.strip(SPACE) for rule in said.split(",")]
            if settings.get(name) != "all":
                settings[name] = ",".join([rule for rule in rules if rule])
        else:
            return None
    return ";".join([f"{name}={said}" for name, said in settings.items() if said])
