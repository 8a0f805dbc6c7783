"""The words of a shell: what quotes, variables, arrays and substitutions make of them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from fnmatch import translate
from glob import glob
from pathlib import Path

from dockdsl.errors import SourceError
from dockdsl.migrate.commands import Place
from dockdsl.migrate.pipeline import restored
from dockdsl.migrate.shell_parser import Node
from dockdsl.migrate.words import Part, Unknown, Variable, Word, text

_LONGEST = 100_000
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
# They are in no environment.
_OF_THE_SHELL = ("RANDOM", "SRANDOM", "SECONDS", "EPOCHSECONDS", "LINENO", "UID", "EUID", "PPID", "BASHPID")
_OTHER_FORMS = ("Repl", "Slice", "Length", "Excl", "Names")


class Expansion(ABC):
    """What words of a script mean where it has come to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables: dict[str, Word] = {}
        self.arrays: dict[str, dict[str, Word]] = {}
        self.arguments: list[Word] = []
        self.script = Word()
        self.path = ""
        self.text = b""
        self.first = 1

    @abstractmethod
    def substituted(self, nodes: Iterable[Node]) -> Word | None:
        """Return what commands print, where that is known."""

    def place(self, node: Node) -> Place:
        """Return where a part of the script stands."""
        return Place(self.path, self.first - 1 + node["Pos"]["Line"])

    # Variables.

    def assign(self, nodes: Iterable[Node]) -> None:
        """Take in assignments, and what ``declare`` declares."""
        for node in nodes:
            name = node.get("Name", {}).get("Value")
            if name is None:
                continue
            if "Array" in node:
                self._fill(name, node)
            elif "Index" in node:
                self.arrays.setdefault(name, {})[str(self.word(node["Index"]))] = self.word(node.get("Value"))
            elif not node.get("Naked"):
                before = self.variable(name) if node.get("Append") else Word()
                value = Word.of([*before, *self.word(node.get("Value"))])
                if sum(len(str(part)) for part in value) > _LONGEST:
                    place = Place(self.path, self.first)
                    raise SourceError(f"{place}: the variable {name} has more than {_LONGEST} characters; shorten it")
                self.variables[name] = value

    def _fill(self, name: str, node: Node) -> None:
        found = self.arrays.get(name, {}).copy() if node.get("Append") else {}
        for element in node["Array"].get("Elems") or ():
            if "Index" in element:
                found[str(self.word(element["Index"]))] = self.word(element.get("Value"))
                continue
            for each in self.fields(element.get("Value") or {}):
                found[str(len(found))] = each
        self.arrays[name] = found

    def variable(self, name: str) -> Word:
        """Return the value of a variable."""
        if name == "PWD":
            return text(str(self.folder))
        if name in ("0", "BASH_SOURCE"):
            return self.script
        if name == "#":
            return text(str(len(self.arguments)))
        if name.isdigit():
            index = int(name) - 1
            return self.arguments[index] if index < len(self.arguments) else Word.of([Variable(f"ARG{name}")])
        if name in self.variables:
            return self.variables[name]
        if name in self.arrays:
            return self.arrays[name].get("0", Word())
        is_outside = name.isidentifier() and name not in _OF_THE_SHELL
        return Word.of([Variable(name)]) if is_outside else Word.of([Unknown(f"${name}")])

    # Words.

    def fields(self, node: Node) -> list[Word]:
        """Return the words that one becomes: what stands outside quotes is split at blanks."""
        parts = node.get("Parts", ())
        several = self._several(parts[0]) if len(parts) == 1 else None
        if several is not None:
            return several
        word = self.word(node)
        braces = _brace(word.text) if word.text is not None and len(parts) == 1 and parts[0]["Type"] == "Lit" else None
        if braces is not None:
            return [text(each) for each in braces]
        if parts and all(part["Type"] == "Lit" for part in parts) and any(char in (word.text or "") for char in "*?["):
            found = sorted(glob(word.text or "", root_dir=self.folder))
            return [text(each) for each in found] or [word]
        loose = any(part["Type"] in ("ParamExp", "CmdSubst") for part in parts)
        if loose and word.text is not None:
            return [text(each) for each in word.text.split()]
        if len(parts) == 1 and loose and word and all(isinstance(each, str) for each in word):
            return []
        return [word]

    def _several(self, part: Node) -> list[Word] | None:
        """Return the words of ``"$@"`` and ``"${array[@]}"``; None for what is one word."""
        if part["Type"] == "DblQuoted" and len(part.get("Parts", ())) == 1:
            inner = part["Parts"][0]
            return self._several(inner) if _all_of(inner) == "@" else None
        if part["Type"] != "ParamExp" or _all_of(part) is None:
            return None
        name = part.get("Param", {}).get("Value")
        if "Index" not in part:
            return self._sliced(part, list(self.arguments))
        if name not in self.arrays:
            return None
        if part.get("Excl"):
            return [text(key) for key in self.arrays[name]]
        return self._sliced(part, list(self.arrays[name].values()))

    def _sliced(self, part: Node, words: list[Word]) -> list[Word] | None:
        if "Slice" not in part:
            return words
        start = self.word(part["Slice"].get("Offset")).text or ""
        # The first argument has the number 1.
        return words[max(int(start) - ("Index" not in part), 0) :] if start.isdecimal() else None

    def word(self, node: Node | None) -> Word:
        """Return a word as one."""
        return Word.of(part for each in (node or {}).get("Parts", ()) for part in self._part(each))

    def heredoc(self, redirect: Node) -> Word:
        """Return the text of a heredoc."""
        parts: list[Part] = []
        is_quoted = any(each["Type"] != "Lit" or "\\" in each["Value"] for each in redirect["Word"].get("Parts", ()))
        for each in redirect["Hdoc"].get("Parts", ()):
            if each["Type"] != "Lit":
                parts.extend(self._part(each))
                continue
            given = re.sub(r"(?m)^\t+", "", each["Value"]) if redirect["Op"] == "<<-" else each["Value"]
            parts.append(given if is_quoted else _unescaped(given, "$`\\"))
        return Word.of(parts)

    def _part(self, node: Node) -> Iterator[Part]:
        kind = node["Type"]
        if kind == "Lit":
            yield re.sub(r"\\(?:\n|(.))", r"\1", node["Value"], flags=re.DOTALL)
        elif kind == "SglQuoted":
            value = node.get("Value", "")
            yield re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), value) if "Dollar" in node else value
        elif kind == "DblQuoted":
            for each in node.get("Parts", ()):
                if each["Type"] == "Lit":
                    yield _unescaped(each["Value"], '$`"\\')
                else:
                    yield from self._part(each)
        elif kind == "ParamExp":
            yield from self._expanded(node)
        elif kind == "CmdSubst":
            said = self.substituted(node.get("Stmts", ()))
            yield from [Unknown(restored(self._written(node)))] if said is None else said
        else:
            yield Unknown(self._written(node))

    def _written(self, node: Node) -> str:
        """Return how it stands in the script."""
        return self.text[node["Pos"]["Offset"] : node["End"]["Offset"]].decode("utf-8", "replace")

    def _expanded(self, node: Node) -> Iterable[Part]:
        several = self._several(node)
        if several is not None:
            return [part for index, word in enumerate(several) for part in ([" "] * bool(index) + list(word))]
        name = node.get("Param", {}).get("Value", "")
        if "Index" in node and name != "BASH_SOURCE":
            known = self.arrays.get(name, {}).get(str(self.word(node["Index"])))
            if known is None:
                return [Unknown(self._written(node))]
            value = known
        else:
            value = self.variable(name)
        written = f"${{{name}}}"
        if any(key in node for key in _OTHER_FORMS):
            return self._replaced(node, value) or [Unknown(written)]
        if "Exp" not in node:
            return value
        operator, operand = node["Exp"]["Op"], self.word(node["Exp"].get("Word"))
        is_unset = len(value) == 1 and isinstance(value[0], Variable) and not value[0].default
        if operator in (":-", "-", ":=", "="):
            if not value:
                if operator in (":=", "="):
                    self.variables[name] = operand
                return operand
            if not is_unset:
                return value
            outside = str(value[0].name if isinstance(value[0], Variable) else name)
            taken = Word.of([Unknown(written) if operand.text is None else Variable(outside, operand.text)])
            if operator in (":=", "="):
                self.variables[name] = taken
            return taken
        if operator in (":?", "?"):
            return value
        if operator in ("%", "%%", "#", "##") and value.text is not None and operand.text is not None:
            return [_trimmed(value.text, operator, operand.text)]
        return [Unknown(written)]

    def _replaced(self, node: Node, value: Word) -> list[Part] | None:
        """Return what ``${name/text/other}`` makes of a text that is known; of patterns, only plain text is."""
        if "Repl" not in node or value.text is None:
            return None
        before, after = (self.word(node["Repl"].get(key)).text for key in ("Orig", "With"))
        if not before or after is None or any(char in before for char in "*?[#%"):
            return None
        return [value.text.replace(before, after, -1 if node["Repl"].get("All") else 1)]


def _all_of(node: Node) -> str | None:
    """Return the ``@`` or ``*`` of what stands for all arguments, or for a whole array."""
    if node["Type"] != "ParamExp" or {"Exp", "Repl", "Length"} & set(node):
        return None
    parts = node["Index"].get("Parts", ()) if "Index" in node else ({"Value": node.get("Param", {}).get("Value")},)
    sign = parts[0].get("Value") if len(parts) == 1 else None
    return sign if sign in ("@", "*") else None


def _unescaped(value: str, chars: str) -> str:
    r"""Take the backslashes from `chars` and from line ends, as double quotes and heredocs do."""
    return re.sub(rf"\\(?:\n|([{re.escape(chars)}]))", lambda found: found[1] or "", value)


def _brace(word: str) -> list[str] | None:
    """Return the words of ``a{b,c}`` and ``a{1..3}``; None for another word."""
    found = re.fullmatch(r"([^{}]*)\{([^{}]*)\}([^{}]*)", word)
    if found is None:
        return None
    numbers = re.fullmatch(r"(\d{1,4})\.\.(\d{1,4})", found[2])
    if numbers is not None:
        first, last = int(numbers[1]), int(numbers[2])
        step = 1 if first <= last else -1
        return [f"{found[1]}{number}{found[3]}" for number in range(first, last + step, step)]
    return [f"{found[1]}{part}{found[3]}" for part in found[2].split(",")] if "," in found[2] else None


def _trimmed(value: str, operator: str, pattern: str) -> str:
    """Take away what a pattern matches at one end, the shortest or the longest."""
    matches = re.compile(translate(pattern)).match
    ends = range(len(value) + 1)
    if operator[0] == "%":
        found = [start for start in ends if matches(value[start:])]
        return value[: found[0 if operator == "%%" else -1]] if found else value
    found = [end for end in ends if matches(value[:end])]
    return value[found[-1 if operator == "##" else 0] :] if found else value
