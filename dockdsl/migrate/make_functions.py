"""The variables and functions of make in a text: ``$(NAME)``, ``$(addprefix bin/,$(PARTS))``, ``$(NAME:.c=.o)``."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping

from dockdsl.errors import SourceError

_LONGEST = 100_000
_DEPTH = 30
# What it is not to look at again: the dollar of the shell.
_SHELL = "\0"


def _each(change: Callable[[str], str]) -> Callable[[list[str]], str]:
    return lambda operands: " ".join(map(change, operands[-1].split()))


def _patterned(pattern: str, to: str, word: str) -> str:
    before, percent, after = pattern.partition("%")
    if not percent:
        return to if word == pattern else word
    is_match = len(word) >= len(before) + len(after) and word.startswith(before) and word.endswith(after)
    return to.replace("%", word[len(before) : len(word) - len(after)], 1) if is_match else word


def _matches(patterns: str, word: str) -> bool:
    return any(_patterned(pattern, "", word) != word for pattern in patterns.split())


def _picked(operands: list[str]) -> str:
    words = operands[1].split()
    index = int(operands[0]) if operands[0].strip().isdecimal() else 0
    return words[index - 1] if 0 < index <= len(words) else ""


_FUNCTIONS: dict[str, tuple[int, Callable[[list[str]], str]]] = {
    "addprefix": (2, lambda operands: " ".join(operands[0] + word for word in operands[1].split())),
    "addsuffix": (2, lambda operands: " ".join(word + operands[0] for word in operands[1].split())),
    "patsubst": (3, lambda operands: " ".join(_patterned(operands[0], operands[1], w) for w in operands[2].split())),
    "subst": (3, lambda operands: operands[2].replace(operands[0], operands[1]) if operands[0] else operands[2]),
    "filter": (2, lambda operands: " ".join(w for w in operands[1].split() if _matches(operands[0], w))),
    "filter-out": (2, lambda operands: " ".join(w for w in operands[1].split() if not _matches(operands[0], w))),
    "word": (2, _picked),
    "firstword": (1, lambda operands: next(iter(operands[0].split()), "")),
    "lastword": (1, lambda operands: next(reversed(operands[0].split()), "")),
    "notdir": (1, _each(posixpath.basename)),
    "dir": (1, _each(lambda word: posixpath.dirname(word) + "/" if "/" in word else "./")),
    "basename": (1, _each(lambda word: posixpath.splitext(word)[0])),
    "suffix": (1, _each(lambda word: posixpath.splitext(word)[1])),
    "sort": (1, lambda operands: " ".join(sorted(set(operands[0].split())))),
    "strip": (1, lambda operands: " ".join(operands[0].split())),
    "abspath": (1, lambda operands: operands[0]),
    "realpath": (1, lambda operands: operands[0]),
    "or": (9, lambda operands: next((each for each in operands if each.strip()), "")),
    **dict.fromkeys(("info", "warning", "error", "eval"), (1, lambda _: "")),
}


def expanded(value: str, variables: Mapping[str, str], shown: str, *, final: bool = True) -> str:
    """Return a text with the variables of make replaced; what they do not set is one of the shell.

    Without `final`, the dollars of the shell are left as make writes them: the text is read again.

    Raises `SourceError` for a text that does not end.
    """
    found = _expanded(value, variables, shown, 0)
    return found.replace(_SHELL, "$" if final else "$$")


def _expanded(value: str, variables: Mapping[str, str], shown: str, depth: int) -> str:
    if depth > _DEPTH or len(value) > _LONGEST:
        raise SourceError(f"{shown}: a line has more than {_LONGEST} characters with its variables; shorten it")
    parts: list[str] = []
    position = size = 0
    while (dollar := value.find("$", position)) >= 0 and dollar + 1 < len(value):
        parts.append(value[position:dollar])
        name, position = _reference(value, dollar + 1)
        parts.append(_SHELL if name == "$" else _value(name, variables, shown, depth + 1))
        size += len(parts[-1])
        if size > _LONGEST:
            raise SourceError(f"{shown}: a line has more than {_LONGEST} characters with its variables; shorten it")
    return "".join([*parts, value[position:]])


def _reference(value: str, start: int) -> tuple[str, int]:
    """Return what is referred to, and where the text goes on."""
    opening = value[start]
    closing = {"(": ")", "{": "}"}.get(opening)
    if closing is None:
        return opening, start + 1
    depth = 0
    for index in range(start, len(value)):
        depth += (value[index] == opening) - (value[index] == closing)
        if not depth:
            return value[start + 1 : index], index + 1
    return value[start + 1 :], len(value)


def _value(name: str, variables: Mapping[str, str], shown: str, depth: int) -> str:
    def inner(text: str, more: Mapping[str, str] | None = None) -> str:
        return _expanded(text, {**variables, **(more or {})}, shown, depth)

    function, blank, rest = name.partition(" ")
    if blank and function == "shell":
        return f"{_SHELL}({inner(rest.strip())})"
    if blank and function == "if":
        test, yes, no = [*_split(rest, 3), "", ""][:3]
        return inner(yes) if inner(test).strip() else inner(no)
    if blank and function == "foreach":
        variable, words, body = [*_split(rest, 3), "", ""][:3]
        return " ".join(inner(body, {variable.strip(): word}) for word in inner(words).split())
    if blank and function == "call":
        called, *given = [inner(each) for each in _split(rest, 10)]
        known = variables.get(called.strip())
        if known is not None:
            return inner(known, {str(index): each for index, each in enumerate(given, start=1)})
    if blank and function in _FUNCTIONS:
        count, apply = _FUNCTIONS[function]
        operands = [inner(each) for each in _split(rest.lstrip(), count)]
        return apply([*operands, *[""] * (count - len(operands))])
    name = inner(name).strip()
    if name in variables:
        return inner(variables[name])
    if name in ("CURDIR", "PWD"):
        return f"{_SHELL}PWD"
    changed = re.fullmatch(r"([\w.-]+|[@<^*]):(.*)=(.*)", name)
    if changed is not None and changed[1] in variables:
        pattern, to = (each if "%" in each or "%" in changed[2] else f"%{each}" for each in changed.groups()[1:])
        return " ".join(_patterned(pattern, to, word) for word in inner(variables[changed[1]]).split())
    return f"{_SHELL}{{{name}}}" if name.isidentifier() else f"{_SHELL}(make-{function})"


def _split(operands: str, count: int) -> list[str]:
    """Split at commas outside of parentheses, into `count` parts at most."""
    found = [""]
    depth = 0
    for char in operands:
        depth += (char in "({") - (char in ")}")
        if char == "," and not depth and len(found) < count:
            found.append("")
        else:
            found[-1] += char
    return found
