"""Instructions and mounts as Python expressions, in the form that a person would write.

A form is only used if it gives exactly the same value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from dockdsl.codegen.chains import Link, links, untabbed
from dockdsl.codegen.printer import (
    Argument,
    Block,
    Bracket,
    Expression,
    Name,
    Text,
    call,
    listed,
    mapped,
    paired,
)
from dockdsl.codegen.words import source, word
from dockdsl.errors import DockdslError, Refused
from dockdsl.instructions.add import Add
from dockdsl.instructions.arg import Arg
from dockdsl.instructions.cmd import Cmd
from dockdsl.instructions.comment import Comment
from dockdsl.instructions.copy import Copy
from dockdsl.instructions.entrypoint import Entrypoint
from dockdsl.instructions.env import Env
from dockdsl.instructions.expose import Expose
from dockdsl.instructions.healthcheck import Healthcheck
from dockdsl.instructions.heredoc import Heredoc
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.label import Label
from dockdsl.instructions.mounts.mount import Mount
from dockdsl.instructions.run import Run
from dockdsl.instructions.sources import External, StageBase
from dockdsl.instructions.verbatim import Verbatim
from dockdsl.instructions.volume import Volume
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.syntax import shell
from dockdsl.syntax.flags import declared
from dockdsl.syntax.layout import pick_delimiter
from dockdsl.syntax.words import BACKSLASH, BACKTICK, Literal, Word

_is_port = re.compile(r"0|[1-9][0-9]{0,4}").fullmatch
_wrapped = re.compile(r"<<(EOF[0-9]*)\n(.*)\n\1", re.DOTALL).fullmatch
_LONGEST_KEY = 60
Operand = Expression | Argument


class Writer:
    """Writes steps; knows the variables of stages and mounts."""

    def __init__(
        self, dockerfile: Dockerfile, variables: Mapping[int, str], mounts: Mapping[Mount, str], *, relaid: bool
    ) -> None:
        self.relaid = relaid
        """Whether chains get the usual layout."""
        self.stages = dockerfile.stages
        self.stage_names = {stage.name for stage in dockerfile.stages}
        self.escape = dockerfile.escape
        self.variables = variables
        self.shared_mounts = mounts
        self.forms: dict[type[Instruction], Callable[[Any], Expression]] = {
            Add: self._files,
            Arg: self._arg,
            Cmd: self._command,
            Comment: self._comment,
            Copy: self._files,
            Entrypoint: self._command,
            Env: self._pairs,
            Expose: lambda step: call("Expose", map(_port, step.ports)),
            Healthcheck: self._command,
            Label: self._pairs,
            Run: self._run,
            Volume: lambda step: call("Volume", map(word, step.paths)),
        }

    def name_of(self, stage: StageBase) -> str:
        """Return the variable of a stage; a reference may be to another object that is equal."""
        known = self.variables.get(id(stage))
        return known if known is not None else next(self.variables[id(each)] for each in self.stages if each == stage)

    def steps(self, found: Iterable[Instruction]) -> Iterator[Expression]:
        """Yield the expressions of steps; each line of a comment is a separate step."""
        for step in found:
            if isinstance(step, Comment) and not step.acts:
                yield from _remarks(step)
            else:
                yield self.step(step)

    def step(self, step: Instruction) -> Expression:
        """Return the expression of a step."""
        names = [each.source.lower() for each in step.references() if isinstance(each.source, External)]
        if not self.stage_names.isdisjoint(names):
            # It takes files from a stage further down, whose variable is not defined yet.
            text = step.spell(BACKSLASH if self.escape == "\\" else BACKTICK)
            step = Verbatim(text, escape=self.escape if "\\" in text else "\\")
        form = self.forms.get(type(step))
        return call(type(step).__name__, self.operands(step)) if form is None else form(step)

    def operands(self, value: Any, leaving_out: Sequence[str] = ()) -> list[Operand]:
        """Return the operands of a value, except for those that have their default."""
        operands: list[Operand] = []
        gap = False
        for field in declared(type(value)).fields:
            found = getattr(value, field.name)
            if field.name in leaving_out:
                continue
            if found == field.default:
                gap = True
                continue
            expression = self.value(found)
            if field.name == "command" and isinstance(found, tuple):
                # A list would be refused, since it is most often a mistake for `exec`.
                expression = Bracket("(", [("", self.value(each)) for each in found], ")")
            operands.append(Argument(field.name, expression) if field.kw_only or gap else expression)
        return operands

    def value(self, found: Any) -> Expression:
        """Return the expression of an operand."""
        if isinstance(found, StageBase):
            return Name(self.name_of(found))
        if isinstance(found, External):
            return call("external", [Text(str(found))])
        if isinstance(found, (str, Literal)):
            return word(found)
        if isinstance(found, tuple):
            return listed([self.value(each) for each in found])
        if isinstance(found, Mount):
            known = self.shared_mounts.get(found)
            return self.mount(found) if known is None else Name(known)
        if isinstance(found, Heredoc):
            return self._heredoc(found)
        if isinstance(found, Instruction):
            return self.step(found)
        return Name(repr(found))

    def mount(self, mount: Mount) -> Expression:
        """Return the expression that makes a mount."""
        return call(type(mount).__name__, self.operands(mount))

    def remark(self, comment: Comment) -> Expression:
        """Return the expression of the comment above a stage."""
        return self._comment(comment) if comment.acts else Text(comment.remark)

    def _comment(self, step: Comment) -> Expression:
        rules = step.remark.removeprefix("check=skip=").split(",")
        try:
            if Comment.check(*rules) == step:
                return call("Comment.check", [Text(rule) for rule in rules])
        except DockdslError:
            pass
        return call("Comment", self.operands(step))

    def _pairs(self, step: Env | Label) -> Expression:
        name = type(step).__name__
        keys = [key for key, _ in step.pairs if isinstance(key, str) and len(key) <= _LONGEST_KEY]
        if len(set(keys)) == len(step.pairs):
            return call(name, [mapped([(str(key), word(value)) for key, value in step.pairs])])
        return call(name, [listed([paired(word(key), word(value)) for key, value in step.pairs])])

    def _arg(self, step: Arg) -> Expression:
        declared = {each.name: each.default for each in (step, *step.more)}
        if not step.more or len(declared) <= len(step.more):
            return call("Arg", self.operands(step))
        return call("Arg.many", [mapped([(name, self.value(default)) for name, default in declared.items()])])

    def _command(self, step: Cmd | Entrypoint | Healthcheck) -> Expression:
        name = type(step).__name__
        options = self.operands(step, ["command"])
        if step.command is None:
            return call(f"{name}.none", options)
        if isinstance(step.command, tuple):
            return call(f"{name}.exec", [*[Text(each) for each in step.command], *options])
        return _shown(step.command, lambda text: call(name, [text, *options]))

    # Files

    def _files(self, step: Copy | Add) -> Expression:
        name = type(step).__name__
        options = self.operands(step, ["sources", "destination"])
        destination = word(step.destination)
        only = step.sources[0]
        if len(step.sources) == 1 and isinstance(only, Heredoc) and _has_text_form(step):
            named = self._heredoc_options(only)
            return self._content(only, lambda text: call(f"{name}.text", [text, destination, *named, *options]))
        sources = [self._heredoc(each) if isinstance(each, Heredoc) else source(each) for each in step.sources]
        first = sources[0] if len(sources) == 1 else listed(sources)
        return call(name, [first, destination, *options])

    def _heredoc_options(self, heredoc: Heredoc) -> list[Operand]:
        options: list[Operand] = []
        if heredoc.name != pick_delimiter(heredoc.body.removesuffix(heredoc.name)):
            options.append(Argument("name", Text(heredoc.name)))
        if heredoc.expand:
            options.append(Argument("expand", Name("True")))
        return options

    def _heredoc(self, heredoc: Heredoc) -> Expression:
        options = self._heredoc_options(heredoc)
        if options and isinstance(options[0], Argument) and options[0].keyword == "name":
            options[0] = options[0].value
        return self._content(heredoc, lambda text: call("Heredoc", [text, *options]))

    def _content(self, heredoc: Heredoc, make: Callable[[Expression], Expression]) -> Expression:
        content = heredoc.content
        if not isinstance(content, str):
            return make(word(content))
        # A single line is easier to read as it is.
        return _laid_out(content, make, "dedent", joined=True) if content.count("\n") > 1 else make(Text(content))

    # Commands

    def _run(self, step: Run) -> Expression:
        options = self.operands(step, ["command"])
        command = step.command
        if isinstance(command, tuple):
            return call("Run.exec", [*[Text(each) for each in command], *options])
        chain = (links(command, exact=False) if self.relaid else None) or links(command, exact=True)
        if chain is not None:
            return call("Run.chain", [*_arguments(chain), *options], spread=True)
        if self.relaid:
            command = _untabbed(command)
        script = None if _is_layout(command) else _script(command)
        if script is not None:
            return _laid_out(script, lambda text: call("Run.script", [text, *options]))
        if self.relaid and "\n" not in command and _needs_no_layout(command):
            command = str(command)
        return _shown(command if _is_layout(command) else _body(command), lambda text: call("Run", [text, *options]))


def _port(port: Word) -> Expression:
    return Name(port) if isinstance(port, str) and _is_port(port) else word(port)


def _has_text_form(step: Copy | Add) -> bool:
    """Whether a step has only options that its `text` method supports."""
    others = [name for name, _ in declared(type(step)).flags if name not in ("chmod", "chown", "link")]
    return all(getattr(step, name) in (None, ()) for name in others)


def _arguments(chain: Iterable[Link]) -> Iterator[Expression]:
    """Yield the arguments of a chain."""
    for link in chain:
        yield from _remarks(link) if isinstance(link, Comment) else [_laid_out(link, lambda text: text)]


def _remarks(comment: Comment) -> Iterator[Expression]:
    """Yield the lines of a comment as separate comments."""
    yield from [call("Comment", [Text(line)]) for line in comment.remark.split("\n")]


def _script(command: str) -> str | None:
    """Return the text for which `Run.script` returns this command."""
    found = _wrapped(command)
    if found is None:
        return None
    first, newline, rest = found[2].partition("\n")
    if first.startswith("#!"):
        texts = [found[2].replace("\nset -e\n", "\n", 1), found[2]]
    else:
        texts = [rest] if first == "set -e" and newline else []
    for text in texts:
        try:
            if text.strip() and shell.script(text) == command:
                return text
        except Refused:
            continue
    return None


def _body(command: str) -> str:
    """Return the shortest text that `Run` turns into this command."""
    found = _wrapped(command)
    candidates = [] if found is None else [found[2]]
    if found is None and "\n" in command:
        candidates.append(command.replace(" && \\\n    ", " && "))
    for text in candidates:
        try:
            if shell.normal(text) == command:
                # A heredoc can be written in triple quotes where its body cannot, since that is indented.
                return command if Block.serves(command) and not _is_shown_whole(text) else text
        except Refused:
            continue
    return command


def _untabbed(command: str) -> str:
    """Return a text with spaces instead of tabs in its indentation, if they have no effect."""
    if "\t" not in command or shell.has_heredoc(command):
        return command
    first, *rest = command.split("\n")
    for line in (first, *rest[:-1]):
        if not line.lstrip().startswith("#") and not shell.is_outside(line.rstrip().removesuffix("\\")):
            return command
    text = "\n".join([first, *map(untabbed, rest)])
    return shell.Layout(text) if isinstance(command, shell.Layout) else text


def _needs_no_layout(command: str) -> bool:
    """Whether a text has the same layout as a plain ``str``."""
    try:
        return shell.normal(str(command)).replace(" && \\\n    ", " && ") == command
    except Refused:
        return False


def _is_layout(command: str) -> bool:
    return isinstance(command, shell.Layout) and command.needed


def _shown(text: str, make: Callable[[Expression], Expression]) -> Expression:
    """Return what `make` returns for the text of a command, in the form that is easiest to read."""
    if _is_layout(text):
        return _laid_out(str(text), lambda each: make(call("layout", [each])))
    return _laid_out(text, make, "dedent") if text == text.strip() else make(Text(text))


def _is_shown_whole(text: str) -> bool:
    return "\n" not in text or (Block.serves(text) and text == text.strip())


def _laid_out(
    text: str, make: Callable[[Expression], Expression], around: str = "", *, joined: bool = False
) -> Expression:
    """Return what `make` returns for a text, in triple quotes if it has several lines.

    `around` is the function that removes the indentation.
    """
    if not Block.serves(text):
        return make(Text(text))
    block: Expression = Block(text, joined=joined)
    return make(call(around, [block]) if around else block)
