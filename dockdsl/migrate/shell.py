"""A shell script, followed without being run: which commands it gives, with which words, in which folder.

What the parser returns is walked in the order in which a shell would run it: variables, functions, loops over words
that are known, ``cd`` and the scripts that are called are followed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from dockdsl.errors import FileError, SourceError
from dockdsl.migrate.commands import Command, Handler, Noter, Place, Return, Stop
from dockdsl.migrate.expansion import Expansion
from dockdsl.migrate.shell_parser import Node, is_script, parsed
from dockdsl.migrate.words import Variable, Word, text

_LIMIT = 10_000
_DEPTH = 20
_WRITES = (">", ">>", ">|", "&>", "&>>")


# What the shell itself does: it returns what is printed, where that is known.
Builtin = Callable[["Shell", Command], Word | None]


class _Function(NamedTuple):
    """The body of a function, and the script that has it."""

    body: Node
    path: str
    text: bytes
    first: int


class Shell(Expansion):
    """Follows scripts; `handle` is given each pipeline, and returns what it prints where that is known."""

    def __init__(self, folder: Path, handle: Handler, note: Noter, builtins: Mapping[str, Builtin]) -> None:
        super().__init__(folder)
        self.handle = handle
        self.note = note
        self.builtins = builtins
        self.functions: dict[str, _Function] = {}
        self.trap: tuple[str, Place] | None = None
        self.left: list[Path] = []
        """The folders that ``pushd`` has left."""
        self.conditions: list[Place] = []
        self.count = 0
        self.depth = 0

    # Files and texts.

    def run_file(self, path: Path, shown: str, arguments: Sequence[Word] = ()) -> None:
        """Follow a script file as a program of its own."""
        outer = self.functions.copy(), self.arguments, self.script
        try:
            with self.process():
                self.arguments, self.script = list(arguments), text(str(path))
                self.source(path, shown)
        finally:
            self.functions, self.arguments, self.script = outer

    @contextmanager
    def process(self) -> Iterator[None]:
        """Follow what is a shell of its own: what it sets ends with it, and its ``trap`` runs then."""
        outer = self.variables.copy(), self.arrays.copy(), self.folder, self.trap
        self.trap = None
        try:
            with suppress(Stop):
                yield
            if self.trap is not None:
                script, place = self.trap
                with suppress(Stop):
                    self.run_text(script, place.path, place.line)
        finally:
            self.variables, self.arrays, self.folder, self.trap = outer

    def source(self, path: Path, shown: str) -> None:
        """Follow a script file in this shell."""
        try:
            script = path.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise FileError(f"{shown}: {error.strerror}") from None
        self.run_text(script, shown)

    def run_text(self, script: str, shown: str, first: int = 1) -> None:
        """Follow a script, whose first line is line `first` of the file."""
        tree = parsed(script, shown, first)
        with self._reading(shown, script.encode("utf-8", "surrogateescape"), first):
            self._statements(tree.get("Stmts", ()))

    @contextmanager
    def _reading(self, path: str, script: bytes, first: int) -> Iterator[None]:
        """Follow another text, one level deeper."""
        outer = self.path, self.first, self.text
        self.path, self.first, self.text = path, first, script
        self.enter(Place(path, first))
        try:
            yield
        finally:
            self.depth -= 1
            self.path, self.first, self.text = outer

    def enter(self, place: Place) -> None:
        """Go one level deeper, as far as that is allowed."""
        self.depth += 1
        if self.depth > _DEPTH:
            raise SourceError(f"{place}: scripts and functions call each other more than {_DEPTH} deep; unroll them")

    def call(self, command: Command, word: Word, run: Callable[[Path, str], None]) -> None:
        """Follow another script, which a word names."""
        path = self.folder / (word.text or "")
        if word.text is None or not path.is_file():
            self.note(command.place, f"the script {word} is not there", "pass it to migrate, if it concerns images")
            return
        self.enter(command.place)
        try:
            run(path, os.path.relpath(path))
        finally:
            self.depth -= 1

    # Statements.

    def substituted(self, nodes: Iterable[Node]) -> Word | None:
        """Return what commands in ``$(…)`` print, where that is known."""
        outer = self.variables.copy(), self.folder
        try:
            return self._statements(nodes)
        except Stop:
            return None
        finally:
            self.variables, self.folder = outer

    def _statements(self, nodes: Iterable[Node]) -> Word | None:
        said = None
        for node in nodes or ():
            said = self._statement(node)
        return said

    def _statement(self, node: Node) -> Word | None:
        self.count += 1
        if self.count > _LIMIT:
            raise SourceError(f"{self.place(node)}: the script gives more than {_LIMIT} commands; shorten its loops")
        command = node.get("Cmd")
        if command is None:
            # A redirect alone empties its file.
            return self._given(self._redirected(node, (text(":"),)))
        kind = command["Type"]
        if kind == "CallExpr" or (kind == "BinaryCmd" and command["Op"] in ("|", "|&")):
            return self._pipeline(list(_piped(node)))
        output = self._redirected(node, (text(":"),)).writes
        if output is not None:
            fact = f"what these commands print goes to {output}, which is not followed"
            self.note(self.place(node), fact, "if a Dockerfile copies that file, make it in a Run of the stage")
        follow: Callable[[Node], Word | None] = getattr(self, f"_{kind.lower()}", self._unfollowed)
        return follow(command)

    def _unfollowed(self, command: Node) -> None:
        """Nothing runs here that concerns images: a test, arithmetic."""

    def _block(self, command: Node) -> Word | None:
        return self._statements(command["Stmts"])

    def _subshell(self, command: Node) -> Word | None:
        with self.process():
            return self._statements(command["Stmts"])
        return None

    def _timeclause(self, command: Node) -> Word | None:
        return self._statements([command["Stmt"]] if "Stmt" in command else ())

    def _funcdecl(self, command: Node) -> None:
        self.functions[command["Name"]["Value"]] = _Function(command["Body"], self.path, self.text, self.first)

    def _declclause(self, command: Node) -> None:
        for each in command.get("Args", ()):
            if "Name" not in each and self.word(each.get("Value")).text is None:
                fact = f"what {self.word(each.get('Value'))} sets is not known"
                self.note(self.place(command), fact, "write the variables out, or set them when you build")
        self.assign(command.get("Args", ()))

    def _binarycmd(self, command: Node) -> Word | None:
        said = self._statement(command["X"])
        if command["Op"] == "||" or _is_test(command["X"]):
            # Of two that may print, only the first one is known to run.
            self._under(command["X"], [command["Y"]])
            return said
        return self._statement(command["Y"]) or said

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
        word = self.word(command["Word"])
        subject = word.likely
        if subject is not None and word.text is None:
            fact = f"{word} decides here, and is taken as {subject}"
            self.note(self.place(command), fact, "check that this is what you want")
        for item in command.get("Items", ()):
            patterns = [self.word(each).text for each in item.get("Patterns", ())]
            if subject is None or None in patterns:
                self._under(command, item.get("Stmts", ()))
            elif any(fnmatchcase(subject, pattern or "") for pattern in patterns):
                self._statements(item.get("Stmts", ()))
                return

    def _whileclause(self, command: Node) -> None:
        self._statements(command.get("Cond", ()))
        self._under(command, command["Do"])

    def _forclause(self, command: Node) -> None:
        loop = command["Loop"]
        items = [word for each in loop.get("Items", ()) for word in self.fields(each)]
        if loop["Type"] != "WordIter" or any(word.text is None for word in items):
            self._under(command, command["Do"])
            return
        for word in items:
            self.variables[loop["Name"]["Value"]] = word
            self._statements(command["Do"])

    def _under(self, decider: Node, nodes: Iterable[Node]) -> Word | None:
        """Follow what runs under a condition: what it sets is not known behind it."""
        before, arrays = self.variables.copy(), {name: words.copy() for name, words in self.arrays.items()}
        place = self.place(decider)
        self.conditions.append(place)
        try:
            return self._statements(nodes)
        except Stop:
            return None
        finally:
            self.conditions.pop()
            for name, word in self.variables.items():
                if before.get(name) != word:
                    self.variables[name] = Word.of([Variable(name, (before.get(name) or word).text or "")])
            for name, words in self.arrays.items():
                if arrays.get(name) != words:
                    fact = f"what the array {name} has is decided here"
                    self.note(place, fact, "it was read as if all of it is added: check that this is what you want")

    # Commands.

    def _pipeline(self, nodes: Sequence[Node]) -> Word | None:
        commands = [self._command(node) for node in nodes]
        if len(commands) > 1:
            return self.handle([self._printing(each) for each in commands if each is not None])
        return None if commands[0] is None else self._given(commands[0])

    def _given(self, command: Command) -> Word | None:
        function = self.functions.get(command.words[0].text or "")
        if function is not None:
            return self._called(function, command)
        builtin = self.builtins.get(command.name)
        if builtin is None:
            program, *arguments = command.words
            if "/" in (program.text or "") and is_script(self.folder / (program.text or "")):
                self.call(command, program, lambda path, shown: self.run_file(path, shown, arguments))
                return None
            return self.handle([command])
        if command.writes is not None:
            self.handle([self._printing(command)])
        return builtin(self, command)

    def _printing(self, command: Command) -> Command:
        """Return a command with what it prints, where the shell itself prints that."""
        said = self.builtins[command.name](self, command) if command.name in ("echo", "printf") else None
        return command if said is None else command._replace(given=Word.of([*said, "\n"]))

    def _command(self, node: Node) -> Command | None:
        command = node["Cmd"]
        if command["Type"] in ("Block", "Subshell"):
            self._statement(node)
            return None
        if command["Type"] != "CallExpr":
            # A loop at the end of a pipe.
            self._under(node, [node])
            return None
        words = _unprefixed([word for each in command.get("Args", ()) for word in self.fields(each)])
        if not words:
            self.assign(command.get("Assigns", ()))
            return self._redirected(node, (text(":"),)) if node.get("Redirs") else None
        settings = [(each["Name"]["Value"], self.word(each.get("Value"))) for each in command.get("Assigns", ())]
        while words and words[0].text == "env":
            del words[0]
            while words and words[0].partition("=")[1] is not None:
                name, value = words.pop(0).partition("=")
                settings.append((str(name), value or Word()))
        found = self._redirected(node, tuple(words))
        return found._replace(settings=tuple(settings), variables={**self.variables, **dict(settings)})

    def _redirected(self, node: Node, words: tuple[Word, ...]) -> Command:
        """Return a command with its redirects."""
        condition = self.conditions[-1] if self.conditions else None
        found = Command(words, self.place(node), self.folder, condition=condition)
        for each in node.get("Redirs", ()):
            number = each.get("N", {}).get("Value", "")
            if each["Op"] in _WRITES and number in ("", "1"):
                found = found._replace(output=self.word(each["Word"]), appends=each["Op"] in (">>", "&>>"))
            elif "Hdoc" in each:
                found = found._replace(given=self.heredoc(each))
            elif each["Op"] == "<<<":
                found = found._replace(given=Word.of([*self.word(each["Word"]), "\n"]))
            elif each["Op"] == "<" and number in ("", "0"):
                found = found._replace(source=self.word(each["Word"]))
        return found

    def _called(self, function: _Function, command: Command) -> Word | None:
        outer, self.arguments = self.arguments, list(command.words[1:])
        try:
            with self._reading(function.path, function.text, function.first):
                return self._statement(function.body)
        except Return:
            return None
        finally:
            self.arguments = outer


def _unprefixed(words: list[Word]) -> list[Word]:
    """Return a command without the programs before it that run the rest of their line."""
    while words and words[0].likely in _PREFIXES:
        prefix = words.pop(0).likely
        while words and re.fullmatch(r"-.*|[\d.]+[smh]?", words[0].text or ""):
            if prefix == "command" and words[0].text in ("-v", "-V"):
                return [text("command"), *words]
            del words[0]
    return words


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


# Programs that run the rest of their line, behind options and numbers of their own.
_PREFIXES = ("sudo", "command", "exec", "time", "nice", "builtin", "nohup", "timeout", "ionice")
