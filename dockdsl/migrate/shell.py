"""A shell script, followed without being run: which commands it gives, with which words, in which folder.

The parser is shfmt, the one of mvdan/sh. What it returns is walked in the order in which a shell would run it:
variables, functions, loops over words that are known, ``cd`` and the scripts that are called are followed.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import translate
from pathlib import Path
from typing import Any, NamedTuple

from dockdsl.display import one_line
from dockdsl.errors import FileError, SourceError
from dockdsl.migrate.words import Part, Unknown, Variable, Word, text

Node = dict[str, Any]
_LIMIT = 10_000
_DEPTH = 20
_SECONDS = 30
_LONGEST = 100_000


class Place(NamedTuple):
    """A line of a file that is read."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{one_line(self.path)}:{self.line}"


class Command(NamedTuple):
    """A command of a script."""

    words: tuple[Word, ...]
    place: Place
    folder: Path
    """Where it runs."""
    output: Word | None = None
    """The file that its output goes to."""
    given: Word | None = None
    """What it reads from a heredoc."""
    condition: Place | None = None
    """Where it is decided whether it runs."""
    settings: tuple[tuple[str, Word], ...] = ()

    @property
    def name(self) -> str:
        """The program, without its folder."""
        return posixpath.basename(self.words[0].text or "") if self.words else ""


Pipeline = Sequence[Command]
Handler = Callable[[Pipeline], Word | None]


class Stop(Exception):
    """The script ends here."""


def parsed(script: str, name: str, first: int = 1) -> Node:
    """Return the syntax tree of a script.

    Raises `SourceError` if it is not a script, `FileError` if the parser is not installed.
    """
    try:
        found = subprocess.run(  # noqa: S603 - the script is its input
            [_program(), "--to-json"], input=script, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except OSError:
        raise FileError(
            'migrate: scripts are read by shfmt, which is not installed; run pip install "dockdsl[migrate]"'
        ) from None
    except subprocess.TimeoutExpired:
        raise SourceError(f"{one_line(name)}: the script could not be read within {_SECONDS} s; split it") from None
    if found.returncode:
        line, _, fact = found.stderr.strip().partition(":")
        number = first - 1 + int(line) if line.isdigit() else first
        raise SourceError(
            f"{one_line(name)}:{number}: the shell cannot read this: {fact.partition(':')[2].strip()}; correct it"
        )
    tree: Node = json.loads(found.stdout)
    return tree


def _program() -> str:
    beside = Path(sys.executable).with_name("shfmt")
    return str(beside) if beside.exists() else "shfmt"


class Shell:
    """Follows scripts; `handle` is given each pipeline, and returns what it prints where that is known."""

    def __init__(self, folder: Path, handle: Handler, note: Callable[[Place, str, str], None]) -> None:
        self.folder = folder
        self.handle = handle
        self.note = note
        self.variables: dict[str, Word] = {}
        self.functions: dict[str, Node] = {}
        self.arguments: list[Word] = []
        self.script = Word()
        self.path = ""
        self.text = b""
        self.first = 1
        self.conditions: list[Place] = []
        self.count = 0
        self.depth = 0

    # Files and texts.

    def run_file(self, path: Path, shown: str, arguments: Sequence[Word] = ()) -> None:
        """Follow a script file as a program of its own."""
        outer = (self.variables.copy(), self.functions.copy(), self.arguments, self.script, self.folder)
        self.arguments, self.script = list(arguments), text(str(path))
        try:
            self.source(path, shown)
        except Stop:
            pass
        finally:
            self.variables, self.functions, self.arguments, self.script, self.folder = outer

    def source(self, path: Path, shown: str) -> None:
        """Follow a script file in this shell."""
        try:
            script = path.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise FileError(f"{shown}: {error.strerror}") from None
        self.run_text(script, shown)

    def run_text(self, script: str, shown: str, first: int = 1) -> None:
        """Follow a script, whose first line is line `first` of the file."""
        outer = self.path, self.first, self.text
        tree = parsed(script, shown, first)
        self.path, self.first, self.text = shown, first, script.encode("utf-8", "surrogateescape")
        self.enter(Place(shown, first))
        try:
            self._statements(tree.get("Stmts", ()))
        finally:
            self.depth -= 1
            self.path, self.first, self.text = outer

    def enter(self, place: Place) -> None:
        """Go one level deeper, as far as that is allowed."""
        self.depth += 1
        if self.depth > _DEPTH:
            raise SourceError(f"{place}: scripts and functions call each other more than {_DEPTH} deep; unroll them")

    # Statements.

    def _place(self, node: Node) -> Place:
        return Place(self.path, self.first - 1 + node["Pos"]["Line"])

    def _statements(self, nodes: Iterable[Node]) -> Word | None:
        said = None
        for node in nodes or ():
            said = self._statement(node)
        return said

    def _statement(self, node: Node) -> Word | None:
        self.count += 1
        if self.count > _LIMIT:
            raise SourceError(f"{self._place(node)}: the script gives more than {_LIMIT} commands; shorten its loops")
        command = node.get("Cmd")
        if command is None:
            return None
        kind = command["Type"]
        if kind == "CallExpr" or (kind == "BinaryCmd" and command["Op"] in ("|", "|&")):
            return self._pipeline(list(_piped(node)))
        return getattr(self, f"_{kind.lower()}", self._unfollowed)(command)

    def _unfollowed(self, command: Node) -> None:
        """Nothing runs here that concerns images: a test, arithmetic."""

    def _block(self, command: Node) -> Word | None:
        return self._statements(command["Stmts"])

    def _subshell(self, command: Node) -> Word | None:
        outer = self.variables.copy(), self.folder
        try:
            return self._statements(command["Stmts"])
        except Stop:
            return None
        finally:
            self.variables, self.folder = outer

    def _timeclause(self, command: Node) -> Word | None:
        return self._statements([command["Stmt"]] if "Stmt" in command else ())

    def _funcdecl(self, command: Node) -> None:
        self.functions[command["Name"]["Value"]] = command["Body"]

    def _declclause(self, command: Node) -> None:
        self._assign(command.get("Args", ()))

    def _binarycmd(self, command: Node) -> Word | None:
        said = self._statement(command["X"])
        decides = command["Op"] == "||" or _is_test(command["X"])
        return self._under(command["X"], [command["Y"]]) if decides else self._statement(command["Y"]) or said

    def _ifclause(self, command: Node) -> None:
        self._statements(command.get("Cond", ()))
        self._under(command, command["Then"])
        if "Else" in command:
            branch = command["Else"]
            if branch.get("Cond"):
                self._ifclause(branch)
            else:
                self._under(command, branch["Then"])

    def _caseclause(self, command: Node) -> None:
        for item in command.get("Items", ()):
            self._under(command, item.get("Stmts", ()))

    def _whileclause(self, command: Node) -> None:
        self._statements(command.get("Cond", ()))
        self._under(command, command["Do"])

    def _forclause(self, command: Node) -> None:
        loop = command["Loop"]
        items = [word for each in loop.get("Items", ()) for word in self._fields(each)]
        if loop["Type"] != "WordIter" or any(word.text is None for word in items):
            self._under(command, command["Do"])
            return
        for word in items:
            self.variables[loop["Name"]["Value"]] = word
            self._statements(command["Do"])

    def _under(self, decider: Node, nodes: Iterable[Node]) -> Word | None:
        """Follow what runs under a condition: what it sets is not known behind it."""
        before = self.variables.copy()
        self.conditions.append(self._place(decider))
        try:
            return self._statements(nodes)
        except Stop:
            return None
        finally:
            self.conditions.pop()
            for name, word in self.variables.items():
                if before.get(name) != word:
                    self.variables[name] = Word.of([Variable(name, (before.get(name) or word).text or "")])

    # Commands.

    def _pipeline(self, nodes: Sequence[Node]) -> Word | None:
        commands = [self._command(node) for node in nodes]
        if len(commands) > 1:
            return self.handle([each for each in commands if each is not None])
        command = commands[0]
        if command is None:
            return None
        body = self.functions.get(command.words[0].text or "")
        if body is not None:
            return self._function(body, command)
        builtin = _BUILTINS.get(command.name)
        if builtin is None:
            return self.handle([command])
        if command.output is not None and not str(command.output).startswith("/dev/"):
            fact = f"{command.name} writes {command.output}, which is not followed"
            self.note(command.place, fact, "if a Dockerfile copies that file, make it in a Run of the stage")
        return builtin(self, command)

    def _command(self, node: Node) -> Command | None:
        command = node["Cmd"]
        if command["Type"] != "CallExpr":
            # A loop at the end of a pipe.
            self._under(node, [node])
            return None
        words = [word for each in command.get("Args", ()) for word in self._fields(each)]
        while words and words[0].text in _PREFIXES:
            del words[0]
        if not words:
            self._assign(command.get("Assigns", ()))
            return None
        settings = [(each["Name"]["Value"], self._word(each.get("Value"))) for each in command.get("Assigns", ())]
        while words and words[0].text == "env":
            del words[0]
            while words and words[0].partition("=")[1] is not None:
                name, value = words.pop(0).partition("=")
                settings.append((str(name), value or Word()))
        output = given = None
        for each in node.get("Redirs", ()):
            if each["Op"] in (">", ">>", ">|", "&>") and each.get("N", {}).get("Value", "1") == "1":
                output = self._word(each["Word"])
            elif "Hdoc" in each:
                given = self._word(each["Hdoc"])
        condition = self.conditions[-1] if self.conditions else None
        return Command(tuple(words), self._place(node), self.folder, output, given, condition, tuple(settings))

    def _function(self, body: Node, command: Command) -> Word | None:
        outer, self.arguments = self.arguments, list(command.words[1:])
        self.enter(command.place)
        try:
            return self._statement(body)
        except Stop:
            return None
        finally:
            self.depth -= 1
            self.arguments = outer

    def _assign(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            name = node.get("Name", {}).get("Value")
            if name is None or ("Value" not in node and not node.get("Naked")):
                if name is not None:
                    self.variables[name] = Word()
                continue
            if "Value" in node:
                before = self._variable(name) if node.get("Append") else Word()
                value = Word.of([*before, *self._word(node["Value"])])
                if sum(len(str(part)) for part in value) > _LONGEST:
                    place = Place(self.path, self.first)
                    raise SourceError(f"{place}: the variable {name} has more than {_LONGEST} characters; shorten it")
                self.variables[name] = value

    # Words.

    def _fields(self, node: Node) -> list[Word]:
        """Return the words that one becomes: what stands outside quotes is split at blanks."""
        parts = node.get("Parts", ())
        if len(parts) == 1 and _name(parts[0]) in ("@", "*"):
            return list(self.arguments)
        if len(parts) == 1 and parts[0]["Type"] == "DblQuoted":
            inner = parts[0].get("Parts", ())
            if len(inner) == 1 and _name(inner[0]) == "@":
                return list(self.arguments)
        word = self._word(node)
        braces = _brace(word.text) if word.text is not None and len(parts) == 1 and parts[0]["Type"] == "Lit" else None
        if braces is not None:
            return [text(each) for each in braces]
        loose = any(part["Type"] in ("ParamExp", "CmdSubst") for part in parts)
        if loose and word.text is not None:
            return [text(each) for each in word.text.split()]
        if len(parts) == 1 and loose and word and all(isinstance(each, str) for each in word):
            return []
        return [word]

    def _word(self, node: Node | None) -> Word:
        return Word.of(part for each in (node or {}).get("Parts", ()) for part in self._part(each))

    def _part(self, node: Node) -> Iterator[Part]:
        kind = node["Type"]
        if kind == "Lit":
            yield re.sub(r"\\(?:\n|(.))", r"\1", node["Value"], flags=re.DOTALL)
        elif kind == "SglQuoted":
            yield node.get("Value", "")
        elif kind == "DblQuoted":
            for each in node.get("Parts", ()):
                if each["Type"] == "Lit":
                    yield re.sub(r'\\(?:\n|([$`"\\]))', r"\1", each["Value"])
                else:
                    yield from self._part(each)
        elif kind == "ParamExp":
            yield from self._expansion(node)
        elif kind == "CmdSubst":
            yield from self._substituted(node)
        else:
            yield Unknown(self._written(node))

    def _written(self, node: Node) -> str:
        """Return how it stands in the script."""
        return self.text[node["Pos"]["Offset"] : node["End"]["Offset"]].decode("utf-8", "replace")

    def _substituted(self, node: Node) -> Iterable[Part]:
        outer = self.variables.copy(), self.folder
        try:
            said = self._statements(node.get("Stmts", ()))
        except Stop:
            said = None
        finally:
            self.variables, self.folder = outer
        return [Unknown(self._written(node))] if said is None else said

    def _expansion(self, node: Node) -> Iterable[Part]:
        name = node.get("Param", {}).get("Value", "")
        value = self._variable(name)
        written = f"${{{name}}}"
        if any(key in node for key in ("Repl", "Slice", "Length", "Excl", "Names")):
            return [Unknown(written)]
        if "Index" in node and name != "BASH_SOURCE":
            return [Unknown(written)]
        if "Exp" not in node:
            return value
        operator, operand = node["Exp"]["Op"], self._word(node["Exp"].get("Word"))
        is_unset = len(value) == 1 and isinstance(value[0], Variable) and not value[0].default
        if operator in (":-", "-", ":=", "="):
            if not value:
                return operand
            if not is_unset:
                return value
            return [Unknown(written)] if operand.text is None else [Variable(name, operand.text)]
        if operator in (":?", "?"):
            return value
        if operator in ("%", "%%", "#", "##") and value.text is not None and operand.text is not None:
            return [_trimmed(value.text, operator, operand.text)]
        return [Unknown(written)]

    def _variable(self, name: str) -> Word:
        if name == "PWD":
            return text(str(self.folder))
        if name in ("0", "BASH_SOURCE"):
            return self.script
        if name.isdigit():
            index = int(name) - 1
            return self.arguments[index] if index < len(self.arguments) else Word.of([Variable(f"ARG{name}")])
        if name in self.variables:
            return self.variables[name]
        return Word.of([Variable(name)]) if name.isidentifier() else Word.of([Unknown(f"${name}")])


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


def _name(node: Node) -> str | None:
    """Return the name of a plain ``$NAME``."""
    is_plain = node["Type"] == "ParamExp" and not {"Exp", "Repl", "Slice", "Length"} & set(node)
    return node.get("Param", {}).get("Value") if is_plain else None


def _trimmed(value: str, operator: str, pattern: str) -> str:
    """Take away what a pattern matches at one end, the shortest or the longest."""
    matches = re.compile(translate(pattern)).match
    ends = range(len(value) + 1)
    if operator[0] == "%":
        found = [start for start in ends if matches(value[start:])]
        return value[: found[0 if operator == "%%" else -1]] if found else value
    found = [end for end in ends if matches(value[:end])]
    return value[found[-1 if operator == "##" else 0] :] if found else value


def _piped(node: Node) -> Iterator[Node]:
    """Yield the parts of a pipeline in their order."""
    command = node.get("Cmd", {})
    if command.get("Type") == "BinaryCmd" and command["Op"] in ("|", "|&"):
        yield from _piped(command["X"])
        yield from _piped(command["Y"])
    else:
        yield node


def _is_test(node: Node) -> bool:
    command = node.get("Cmd", {})
    if node.get("Negated") or command.get("Type") == "TestClause":
        return True
    first = (command.get("Args") or [{}])[0].get("Parts", [{}])
    return len(first) == 1 and first[0].get("Value") in ("[", "test", "command", "which", "type", "false")


# Programs that run the rest of their line.
_PREFIXES = ("sudo", "command", "exec", "time", "nice", "builtin")


def _cd(shell: Shell, command: Command) -> None:
    operands = [word for word in command.words[1:] if word.text != "--"]
    to = operands[0].text if operands else None
    if to is None:
        shell.note(command.place, f"cd goes to {' '.join(map(str, operands)) or 'the home folder'}", "write the folder")
        return
    shell.folder = Path(os.path.normpath(shell.folder / to))


def _pwd(shell: Shell, _: Command) -> Word:
    return text(str(shell.folder))


def _dirname(_: Shell, command: Command) -> Word:
    return command.words[-1].then(posixpath.dirname).then(lambda path: path or ".")


def _basename(_: Shell, command: Command) -> Word:
    return command.words[1].then(posixpath.basename) if len(command.words) == 2 else Word.of([Unknown("$(basename …)")])


def _realpath(shell: Shell, command: Command) -> Word:
    return command.words[-1].then(lambda path: os.path.normpath(shell.folder / path))


def _echo(_: Shell, command: Command) -> Word:
    """What goes on in the output of the script concerns nobody; what it gives to a variable does."""
    words = [word for word in command.words[1:] if word.text not in ("-n", "-e")]
    return Word.of(part for index, word in enumerate(words) for part in ([" "] if index else []) + list(word))


def _source(shell: Shell, command: Command) -> None:
    if len(command.words) > 1:
        _follow(shell, command, command.words[1], shell.source)


def _interpreter(shell: Shell, command: Command) -> Word | None:
    words = [word for word in command.words[1:] if not (word.text or "").startswith("-") or word.text == "-c"]
    if words and words[0].text == "-c":
        script = words[1].text if len(words) > 1 else None
        if script is None:
            shell.note(command.place, "the script of -c is not known", "write it out")
        else:
            shell.run_text(script, command.place.path, command.place.line)
    elif words:
        _follow(shell, command, words[0], lambda path, shown: shell.run_file(path, shown, words[1:]))
    return None


def _follow(shell: Shell, command: Command, word: Word, run: Callable[[Path, str], None]) -> None:
    path = shell.folder / (word.text or "")
    if word.text is None or not path.is_file():
        shell.note(command.place, f"the script {word} is not there", "pass it to migrate, if it concerns images")
        return
    shell.enter(command.place)
    try:
        run(path, os.path.relpath(path))
    finally:
        shell.depth -= 1


def _eval(shell: Shell, command: Command) -> Word | None:
    script = [word.text for word in command.words[1:]]
    if None in script:
        shell.note(command.place, "what eval runs is not known", "write it out")
        return None
    shell.run_text(" ".join(map(str, script)), command.place.path, command.place.line)
    return None


def _stop(_: Shell, __: Command) -> None:
    raise Stop


def _set(shell: Shell, command: Command) -> None:
    words = [word.text for word in command.words[1:]]
    if "--" in words:
        shell.arguments = list(command.words[words.index("--") + 2 :])


def _shift(shell: Shell, _: Command) -> None:
    del shell.arguments[:1]


def _ignore(_: Shell, __: Command) -> None:
    """It concerns the run of the script alone."""


_BUILTINS: dict[str, Callable[[Shell, Command], Word | None]] = {
    "cd": _cd,
    "pushd": _cd,
    "pwd": _pwd,
    "dirname": _dirname,
    "basename": _basename,
    "realpath": _realpath,
    "readlink": _realpath,
    "echo": _echo,
    "printf": _ignore,
    "source": _source,
    ".": _source,
    "sh": _interpreter,
    "bash": _interpreter,
    "dash": _interpreter,
    "eval": _eval,
    "exit": _stop,
    "return": _stop,
    "set": _set,
    "shift": _shift,
    "trap": _ignore,
    "true": _ignore,
    ":": _ignore,
    "test": _ignore,
    "[": _ignore,
    "read": _ignore,
    "wait": _ignore,
    "sleep": _ignore,
    "unset": _ignore,
    "popd": _ignore,
}
