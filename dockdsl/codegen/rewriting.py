"""Changing a Python build file at the calls that make its values, and nowhere else.

Literals alone are changed. LibCST, which the extra ``fix`` installs, says where each part of a call stands.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import libcst as cst
from libcst import metadata

from dockdsl.codegen import names
from dockdsl.codegen.literals import Hunk, changed, differing, value_of, within
from dockdsl.codegen.printer import quoted
from dockdsl.codegen.steps import Writer
from dockdsl.errors import DockdslError
from dockdsl.instructions.instruction import Instruction
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.stage import Stage

_COMPUTED = "its argument is not a literal there; change it where it is computed"
_UNLISTED = "it is not an element of a list there; remove it by hand"
_UNREADABLE = "LibCST cannot read the file; change it by hand"
_comma = re.compile(rb"[ \t]*(,?)[ \t]*((?:#[^\n]*)?\r?\n)?").match
Value = Instruction | Stage


class Change(NamedTuple):
    """A value that becomes another one, or is removed, and where the call that makes it stands."""

    line: int
    extent: tuple[int, int, int] | None
    """As in `Origin`."""
    old: Value
    new: Value | None


class Rewritten(NamedTuple):
    """The new source, and for each change why it was not made; an empty text where it was."""

    source: str
    reasons: tuple[str, ...]


class _Refused(Exception):
    """A change that cannot be made."""


def rewritten(source: str, changes: Sequence[Change], dockerfile: Dockerfile) -> Rewritten:
    """Return a Python file with changes made in the calls that make the values.

    `dockerfile` has the new values, by which it is known what they refer to.
    """
    try:
        module = cst.parse_module(source.removeprefix("\ufeff"))
    except (cst.ParserSyntaxError, RecursionError):
        return Rewritten(source, (_UNREADABLE,) * len(changes))
    variables = names.of_stages(dockerfile, names.Names())
    leaving = Counter(type(each.old).__name__ for each in changes if each.new and type(each.new) is not type(each.old))
    file = _File(module, Writer(dockerfile, variables, {}, relaid=False), leaving)
    reasons = tuple([file.make(each) for each in changes])
    bom = "\ufeff" if source.startswith("\ufeff") else ""
    return Rewritten(bom + file.source(), reasons)


class _File:
    def __init__(self, module: cst.Module, writer: Writer, leaving: Counter[str]) -> None:
        wrapper = metadata.MetadataWrapper(module)
        self.module = wrapper.module
        self.data = module.bytes
        self.writer = writer
        self.edits: set[tuple[int, int, bytes]] = set()
        self.spans = wrapper.resolve(metadata.ByteSpanPositionProvider)
        self.parents = wrapper.resolve(metadata.ParentNodeProvider)
        self.starts = list(accumulate(map(len, self.data.splitlines(keepends=True)), initial=0))
        """Where each line begins in the bytes of the file."""
        self.calls: dict[tuple[int, int], cst.Call] = {}
        self.imports: list[cst.ImportFrom] = []
        self.local: dict[str, str] = {}
        """The names of dockdsl that are imported, each with the name that it has in the file."""
        self.modules: set[str] = set()
        self.uses = Counter[str]()
        self.leaving = leaving
        """How many calls of a name become others."""
        for node in self.spans:
            if isinstance(node, cst.Call):
                self.calls[self._span(node)] = node
            elif isinstance(node, cst.Name):
                self.uses[node.value] += 1
            elif isinstance(node, cst.ImportFrom) and node.module is not None and not node.relative:
                self._read_import(node, self._code(node.module))
            elif isinstance(node, cst.ImportAlias) and self._code(node.name) == "dockdsl":
                self.modules.add("dockdsl" if node.asname is None else self._code(node.asname.name))

    def _read_import(self, node: cst.ImportFrom, module: str) -> None:
        if module == "dockdsl" and not isinstance(node.names, cst.ImportStar):
            self.imports.append(node)
            for each in node.names:
                name = self._code(each.name)
                self.local[name] = name if each.asname is None else self._code(each.asname.name)

    def source(self) -> str:
        """Return the file with the edits made."""
        pieces: list[bytes] = []
        at = 0
        for start, end, text in sorted(self.edits):
            pieces += [self.data[at:start], text]
            at = end
        return b"".join([*pieces, self.data[at:]]).decode()

    def make(self, change: Change) -> str:
        """Make a change; return why it cannot be made."""
        try:
            call = self._call(change)
            if change.new is None:
                self._remove_step(call)
            elif isinstance(change.old, Stage) and isinstance(change.new, Stage):
                self._change_stage(call, change.old, change.new)
            elif isinstance(change.old, Instruction) and isinstance(change.new, Instruction):
                self._change(call, change.old, change.new)
        except _Refused as refused:
            return str(refused)
        return ""

    # What is there

    def _code(self, node: cst.CSTNode) -> str:
        return self.module.code_for_node(node)

    def _span(self, node: cst.CSTNode) -> tuple[int, int]:
        span = self.spans[node]
        return span.start, span.start + span.length

    def _callee(self, call: cst.Call) -> list[str]:
        """Return the names in a callee, from that of dockdsl on: ``["Cmd", "exec"]``."""
        parts = self._code(call.func).split(".")
        if parts[0] in self.modules:
            return parts[1:]
        original = {local: name for name, local in self.local.items()}
        return [original.get(parts[0], parts[0]), *parts[1:]]

    def _call(self, change: Change) -> cst.Call:
        kind = type(change.old).__name__
        begin, last, end = change.extent or (0, 0, 0)
        call = self.calls.get((self.starts[change.line - 1] + begin, self.starts[last - 1] + end))
        if call is None or self._callee(call)[:1] != [kind]:
            raise _Refused(f"no call of {kind} stands there; change it by hand")
        return call

    def _makes(self, call: cst.Call, value: Instruction) -> bool:
        """Whether a call of literals makes a value."""
        given: list[Any] = []
        named: dict[str, Any] = {}
        for each in call.args:
            found = value_of(self._code(each.value))
            if each.star or not found:
                return False
            if each.keyword is None:
                given.append(found[0])
            else:
                named[each.keyword.value] = found[0]
        make: Callable[..., Any] = type(value)
        for name in self._callee(call)[1:]:
            make = getattr(make, name)
        try:
            return str(make(*given, **named)) == str(value)
        except DockdslError:
            return False

    # What becomes of it

    def _edit(self, start: int, end: int, text: str) -> None:
        self.edits.add((start, end, text.replace("\n", self.module.default_newline).encode()))

    def _replace(self, node: cst.CSTNode, text: str) -> None:
        self._edit(*self._span(node), text)

    def _change_stage(self, call: cst.Call, old: Stage, new: Stage) -> None:
        """Change the name or the platform of a stage."""
        differing = [each for each in ("name", "platform") if getattr(old, each) != getattr(new, each)]
        index = next((at for at, each in enumerate(call.args) if [_keyword(each)] == differing), None)
        if index is None:
            raise _Refused(_COMPUTED)
        before, after = [getattr(each, differing[0]) for each in (old, new)]
        if value_of(self._code(call.args[index].value)) != (str(before),):
            raise _Refused(_COMPUTED)
        if after is None:
            self._remove(call.args, index)
        else:
            self._replace(call.args[index].value, quoted(str(after)))

    def _change(self, call: cst.Call, old: Instruction, new: Instruction) -> None:
        indent = self._indentation(call)
        texts = ["\n".join(self.writer.step(each).lines("", indent, "")).lstrip() for each in (old, new)]
        before, after = [_parsed(each) for each in texts]
        if self._change_arguments(call, texts[1], before, after):
            return
        if ast.unparse(before.func) == ast.unparse(after.func) and self._change_text(call, str(old), str(new)):
            return
        if not self._makes(call, old):
            raise _Refused(_COMPUTED)
        self._replace(call, self._in_this_file(call, texts[1], after))

    def _change_arguments(self, call: cst.Call, text: str, before: ast.Call, after: ast.Call) -> bool:
        """Change the arguments that differ; return False where the call is not of that form."""
        forms = [(ast.unparse(each.func), [keyword for keyword, _ in _arguments(each)]) for each in (before, after)]
        form = ".".join(self._callee(call)), [_keyword(each) for each in call.args]
        if forms != [form, form] or any(each.star for each in call.args):
            return False
        changed = []
        for given, one, other in zip(call.args, _arguments(before), _arguments(after), strict=True):
            if ast.dump(one[1]) == ast.dump(other[1]):
                continue
            if value_of(self._code(given.value)) != value_of(ast.unparse(one[1])):
                return False
            changed.append((given.value, ast.get_source_segment(text, other[1]) or ""))
        for node, new in changed:
            texts = [*value_of(self._code(node)), *value_of(new)]
            is_text = [str, str] == [type(each) for each in texts]
            if not is_text or not self._change_literal(node, differing(*texts)):
                self._replace(node, new)
        return bool(changed)

    def _change_text(self, call: cst.Call, old: str, new: str) -> bool:
        """Change what differs within the arguments that have it; return False where none has."""
        left = differing(old, new)
        changes: list[tuple[cst.CSTNode, str, list[Hunk]]] = []
        for each in call.args:
            for text in value_of(self._code(each.value)):
                found = _found(text, old, left) if isinstance(text, str) else {}
                left = [hunk for hunk in left if hunk not in found]
                changes.append((each.value, text, [*found.values()]))
        if left:
            return False
        for node, text, hunks in changes:
            if not self._change_literal(node, hunks):
                self._replace(node, quoted(changed(text, hunks)))
        return True

    def _change_literal(self, node: cst.CSTNode, hunks: Sequence[Hunk]) -> bool:
        """Change the text of a literal where it is written, and leave its layout; return False if that cannot be."""
        edits: list[tuple[int, int, str]] = []
        at = 0
        left = [*reversed(hunks)]
        for part in _strings(node):
            end = at + len(part.evaluated_value)
            own: list[Hunk] = []
            while left and left[-1].end <= end:
                start, stop, text = left.pop()
                own.append(Hunk(start - at, stop - at, text))
            made = within(part.value, own)
            if made is None:
                return False
            first, _ = self._span(part)
            for each in made:
                before, through = [first + len(part.value[:place].encode()) for place in each[:2]]
                edits.append((before, through, each.text))
            at = end
        for edit in () if left else edits:
            self._edit(*edit)
        return not left

    def _in_this_file(self, call: cst.Call, text: str, made: ast.Call) -> str:
        """Return generated source with the names that dockdsl has in this file; import those that are missing."""
        root, kind = self._code(call.func).partition(".")[0], self._callee(call)[0]
        found = sorted([each for each in ast.walk(made) if isinstance(each, ast.Name)], key=_place, reverse=True)
        lines = text.split("\n")
        for each in found:
            if root in self.modules:
                name = f"{root}.{each.id}"
            else:
                name = root if each.id == kind else self._imported(each.id, root if each is found[-1] else "")
            line = lines[each.lineno - 1].encode()
            lines[each.lineno - 1] = (line[: each.col_offset] + name.encode() + line[each.end_col_offset :]).decode()
        return "\n".join(lines)

    def _imported(self, name: str, old: str) -> str:
        """Return the name that something of dockdsl has in this file; import it where it has none.

        It takes the place of `old` where that is used no more.
        """
        if name not in self.local and self.imports:
            aliases = self.imports[0].names
            assert not isinstance(aliases, cst.ImportStar)
            self.local[name] = name
            is_left = self.uses[old] == 1 + self.leaving[old]
            unused = [each for each in aliases if is_left and self._code(each.name) == old and each.asname is None]
            after = [each for each in aliases if self._code(each.name) > name]
            start, end = self._span((unused or after or [aliases[-1]])[0])
            if unused:
                self._edit(start, end, name)
                return name
            line = self.data[self.data.rfind(b"\n", 0, start) + 1 : start]
            between = f",\n{line.decode()}" if line.isspace() else ", "
            if after:
                self._edit(start, start, f"{name}{between}")
            else:
                self._edit(end, end, f"{between}{name}")
        return self.local.get(name, name)

    def _indentation(self, node: cst.CSTNode) -> int:
        start, _ = self._span(node)
        line = self.data[self.data.rfind(b"\n", 0, start) + 1 : start]
        return len(line) - len(line.lstrip(b" "))

    def _remove_step(self, call: cst.Call) -> None:
        element = self.parents[call]
        around = self.parents[element]
        if not isinstance(element, cst.Element) or not isinstance(around, (cst.List, cst.Tuple)):
            raise _Refused(_UNLISTED)
        self._remove(around.elements, around.elements.index(element))

    def _remove(self, siblings: Sequence[cst.CSTNode], index: int) -> None:
        """Remove an element with its comma, and with its lines where they have nothing else."""
        start, end = self._span(siblings[index])
        comma = _comma(self.data, end)
        assert comma is not None  # it also matches an empty text
        first, last = self.data.rfind(b"\n", 0, start) + 1, comma.end()
        if not self.data[first:start].strip() and comma[2]:
            self._edit(first, last, "")
        elif index + 1 < len(siblings):
            self._edit(start, self._span(siblings[index + 1])[0], "")
        else:
            self._edit(self._span(siblings[index - 1])[1] if index else start, end, "")


def _keyword(argument: cst.Arg) -> str:
    return "" if argument.keyword is None else argument.keyword.value


def _arguments(call: ast.Call) -> list[tuple[str, ast.expr]]:
    """Return the arguments of generated source, each with its keyword."""
    return [*[("", each) for each in call.args], *[(each.arg or "", each.value) for each in call.keywords]]


def _strings(node: cst.CSTNode) -> list[cst.SimpleString]:
    """Return the literals that stand side by side in a literal of text; none in another expression."""
    parts: list[cst.CSTNode] = []
    while isinstance(node, cst.ConcatenatedString):
        parts.append(node.left)
        node = node.right
    return [each for each in [*parts, node] if isinstance(each, cst.SimpleString)]


def _found(text: str, whole: str, hunks: Sequence[Hunk]) -> dict[Hunk, Hunk]:
    """Return the changes of a whole that are in a part of it, maybe indented otherwise, as changes of that part."""
    found: dict[Hunk, Hunk] = {}
    is_whole = whole.count(text) == 1
    for each in hunks:
        if is_whole:
            at = whole.index(text)
        else:
            first = whole.rfind("\n", 0, each.start) + 1
            line = whole[first : f"{whole}\n".index("\n", each.end)]
            if not line or text.count(line) != whole.count(line):
                continue
            # Of lines that are the same, it is the one with as many above it.
            at = first - len(line.join(text.split(line)[: whole.count(line, 0, first) + 1]))
        moved = Hunk(each.start - at, each.end - at, each.text)
        if moved.start >= 0 and moved.end <= len(text):
            found[each] = moved
    return found


def _parsed(text: str) -> ast.Call:
    made = ast.parse(text, mode="eval").body
    assert isinstance(made, ast.Call)  # each instruction is written as a call
    return made


def _place(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset
