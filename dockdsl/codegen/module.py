"""A Dockerfile as a Python module: imports, shared mounts, a variable for each stage, the Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dockdsl.codegen import names, steps
from dockdsl.codegen.printer import WIDTH, Argument, Expression, Name, Text, call, listed
from dockdsl.errors import DockdslError, InvalidValue
from dockdsl.instructions.mounts.mount import Mount
from dockdsl.instructions.registry import KEYWORDS, kind_for
from dockdsl.instructions.run import Run
from dockdsl.instructions.shell import Shell
from dockdsl.model.dockerfile import Dockerfile, checked
from dockdsl.model.stage import Stage
from dockdsl.model.steps import steps_of

_PUBLIC = {"Bind", "Cache", "Comment", "Dockerfile", "Heredoc", "Secret", "Ssh", "Stage", "Tmpfs", "Verbatim"}
_PUBLIC |= {"HttpCheck", "Image", "external", "layout", "literal"}
# The default width of other formatters; import sorters do not join lines again.
_WIDTH_OF_IMPORTS = 88
_not_in_docstrings = re.compile(r"[^ -!#-\[\]-~]").sub


def to_python(dockerfile: Dockerfile, *, source: str = "", relaid: bool = False) -> str:
    """Return a Python file that defines an equal `Dockerfile` under the name ``dockerfile``.

    Each stage is a variable with its name, and so is each mount that several steps use. `source` is the path of the
    original, for the docstring. The code is formatted in the style of ruff and black, with up to 120 columns.

    With `relaid`, every chain of commands becomes a `Run.chain`: the Dockerfile is equivalent, but has a different
    layout. Without it, only chains with the layout of `Run.chain` do.

    Raises `InvalidType` if `dockerfile` is not a `Dockerfile`, `InvalidValue` if it has no stages.

    >>> from dockdsl import Copy, Run
    >>> build = Stage("golang:1.27", name="build", steps=[Copy(".", "."), Run("go build -o /api .")])
    >>> print(to_python(Dockerfile(Stage("scratch", steps=[Copy("/api", "/", from_=build)]))), end="")
    \"\"\"Imported from a Dockerfile.\"\"\"
    <BLANKLINE>
    from dockdsl import Copy, Dockerfile, Run, Stage
    <BLANKLINE>
    build = Stage(
        "golang:1.27",
        name="build",
        steps=[
            Copy(".", "."),
            Run("go build -o /api ."),
        ],
    )
    <BLANKLINE>
    final = Stage("scratch", steps=[Copy("/api", "/", from_=build)])
    <BLANKLINE>
    dockerfile = Dockerfile(final)

    Source: the Dockerfile reference, "Overview".
    """
    if not checked(dockerfile, "to_python").stages:
        message = "to_python: the Dockerfile has no stages, so nothing can be built from it; add one"
        raise InvalidValue(message, origin=dockerfile.origin)
    return module(dockerfile, _first_line(source), relaid=relaid)


def module(dockerfile: Dockerfile, docstring: str, tail: Iterable[str] = (), *, relaid: bool = True) -> str:
    """Return a Python file with a text for its docstring, and with lines that follow the Dockerfile."""
    body = "\n".join([*_Module(dockerfile, relaid=relaid).lines(), *tail])
    return f"{_docstring(docstring)}\n\n{_imports(body)}\n{body}\n"


class _Module:
    """The statements of a module."""

    def __init__(self, dockerfile: Dockerfile, *, relaid: bool) -> None:
        self.dockerfile = dockerfile
        taken = names.Names()
        variables = names.of_stages(dockerfile, taken)
        self.mounts: dict[int, list[Mount]] = {}
        for step in steps_of(dockerfile):
            if isinstance(step.instruction, Run):
                self.mounts.setdefault(id(step.stage), []).extend(step.instruction.mounts)
        shared = names.repeated([mount for mounts in self.mounts.values() for mount in mounts])
        self.shared_mounts = {mount: names.of_mount(mount, variables, taken) for mount in shared}
        self.stage_names = names.stage_names(dockerfile)
        relaid = relaid and _has_posix_shells(dockerfile)
        self.writer = steps.Writer(dockerfile, variables, self.shared_mounts, relaid=relaid)

    def lines(self) -> Iterator[str]:
        """Yield the lines below the imports, with a blank line above each statement except between mounts."""
        waiting = dict(self.shared_mounts)
        of_stages = {each for each in waiting if any(isinstance(one.source, Stage) for one in each.references())}
        yield from self._mounts([mount for mount in waiting if mount not in of_stages], waiting)
        for stage in self.dockerfile.stages:
            used = dict.fromkeys(self.mounts.get(id(stage), ()))
            yield from self._mounts([mount for mount in used if mount in waiting], waiting)
            yield ""
            yield from self._stage(stage).lines(f"{self.writer.name_of(stage)} = ", 0, "")
        yield ""
        yield from self._dockerfile().lines("dockerfile = ", 0, "")

    def _mounts(self, mounts: list[Mount], waiting: dict[Mount, str]) -> Iterator[str]:
        if mounts:
            yield ""
        for mount in mounts:
            yield from self.writer.mount(mount).lines(f"{waiting.pop(mount)} = ", 0, "")

    def _stage(self, stage: Stage) -> Expression:
        base = stage.base
        arguments: list[Expression | Argument] = [self.writer.value(base)]
        if id(stage) in self.stage_names:
            arguments.append(Argument("name", Text(self.stage_names[id(stage)])))
        if stage.platform is not None:
            arguments.append(Argument("platform", self.writer.value(stage.platform)))
        if stage.comment is not None:
            arguments.append(Argument("comment", self.writer.remark(stage.comment)))
        found = list(self.writer.steps(stage.steps))
        if found:
            arguments.append(Argument("steps", listed(found, spread=len(found) > 1)))
        return call("Stage", arguments)

    def _dockerfile(self) -> Expression:
        dockerfile = self.dockerfile
        targets = [Name(self.writer.name_of(stage)) for stage in _targets(dockerfile)]
        arguments: list[Expression | Argument] = [targets[0] if len(targets) == 1 else listed(targets)]
        args = list(self.writer.steps(dockerfile.args))
        if args:
            arguments.append(Argument("args", listed(args)))
        syntax = "auto" if dockerfile.syntax == "auto" else dockerfile.frontend
        if syntax is not None:
            arguments.append(Argument("syntax", Text(syntax)))
        if dockerfile.escape != "\\":
            arguments.append(Argument("escape", Text(dockerfile.escape)))
        if dockerfile.check is not None:
            arguments.append(Argument("check", Text(dockerfile.check)))
        return call("Dockerfile", arguments)


def _has_posix_shells(dockerfile: Dockerfile) -> bool:
    """Whether all known shells read quotes and ``&&`` in the same way as ``sh``."""
    shells = [step.argv[0] for stage in dockerfile.stages for step in stage.steps if isinstance(step, Shell)]
    return dockerfile.escape == "\\" and all(re.fullmatch(r"(?:\S*/)?(?:ba|da|a|k|z)?sh", each) for each in shells)


def _targets(dockerfile: Dockerfile) -> tuple[Stage, ...]:
    """Return the fewest targets that give all stages in the same order."""
    stages = dockerfile.stages
    needed = {id(need) for stage in stages for need in stage.needed_stages()}
    ends = tuple(stage for stage in stages if id(stage) not in needed)
    for targets in (stages[-1:], ends, dockerfile.targets):
        try:
            found = Dockerfile(targets, dockerfile.args).stages
        except DockdslError:
            continue
        if [id(stage) for stage in found] == [id(stage) for stage in stages]:
            return targets
    return stages


def _first_line(source: str) -> str:
    line = f"Imported from {source or 'a Dockerfile'}."
    return line if len(line) + 6 <= WIDTH else f"Imported from a Dockerfile.\n\n{source[: WIDTH - 1]}"


def _docstring(text: str) -> str:
    lines = [_not_in_docstrings("?", line) for line in text.split("\n")]
    return '"""' + "\n".join(lines) + ('\n"""' if len(lines) > 1 else '"""')


def _imports(body: str) -> str:
    """Return the imports of the names that the body of a module uses."""
    import ast  # noqa: PLC0415 - only needed here

    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    homes = {"": used & {"os"}, "textwrap": used & {"dedent"}, "dockdsl": used & _PUBLIC}
    for kind in map(kind_for, KEYWORDS):
        if kind is not None and kind.__name__ in used:
            # An instruction that a project has registered is imported from its module.
            home = "dockdsl" if kind.__module__.startswith("dockdsl.") else kind.__module__
            homes.setdefault(home, set()).add(kind.__name__)
    blocks = [_import(home, names) for home, names in homes.items() if names]
    count = bool(homes[""]) + bool(homes["textwrap"])
    standard, others = blocks[:count], sorted(blocks[count:])
    return "\n\n".join(["\n".join(block) for block in (standard, others) if block])


def _import(home: str, names: Iterable[str]) -> str:
    if not home:
        return f"import {', '.join(names)}"
    # The order of isort: classes, then functions.
    ordered = sorted(names, key=lambda name: (name.islower(), name))
    line = f"from {home} import {', '.join(ordered)}"
    if len(line) > _WIDTH_OF_IMPORTS:
        line = "\n".join([f"from {home} import (", *[f"    {name}," for name in ordered], ")"])
    return line
