"""A Dockerfile as rules see it: its lines as they are written, and its stages with what they inherit."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from dockdsl.context.sending import Found
from dockdsl.display import suggestion
from dockdsl.errors import DockdslError
from dockdsl.lint.build import UNKNOWN, Build
from dockdsl.lint.effects import Effects, From, Ran, Transfer, walked
from dockdsl.lint.finding import Replacement
from dockdsl.lint.fix import Edit
from dockdsl.lint.images import image, is_of_windows
from dockdsl.lint.scripts import Script, Variables
from dockdsl.lint.shell import Command
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.graph import StageGraph
from dockdsl.model.steps import Variable, variables_of
from dockdsl.origins import Origin
from dockdsl.syntax import expand
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.text.formatting import spelled
from dockdsl.text.parser import parse_with_lines

PREDEFINED = frozenset(
    f"{side}{part}" for side in ("TARGET", "BUILD") for part in ("PLATFORM", "OS", "ARCH", "VARIANT")
)
"""The arguments that BuildKit declares for FROM."""
PREDEFINED |= {"TARGETSTAGE", "TARGETOSVERSION", "BUILDOSVERSION"}
KNOWN = frozenset({"PATH", "BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"})
"""Variables that every stage has."""

CLOSE = 0.85
"""How like a name must be to be the one that was meant: $FOLDR is like FOLDER, and $GOPATH not like OPT."""
_LONGEST_DEFAULT = 40
_WORDS = ("EXPOSE", "WORKDIR")
_HADOLINT_SHELL = lazy_regex(r"#\s*hadolint\s+shell\s*=\s*(\S+)")


class Part:
    """A stage: its FROM line and the lines of its steps."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.steps: list[Line] = []
        words = line.words()
        self.base = words[0] if words else ""
        self.name = words[2] if len(words) > 2 else None
        self.named = " ".join(words[1:]) or None
        """The words that give it the name: ``AS build``."""
        self.parent: Part | None = None
        """The stage that it is based on."""

    def chain(self) -> Iterator[Part]:
        """Yield the stage, and those that it is based on."""
        part: Part | None = self
        while part is not None:
            yield part
            part = part.parent

    @property
    def platform(self) -> str | None:
        """The value of its ``--platform``."""
        return next((flag.value for flag in self.line.flags if flag.name == "platform"), None)


class Subject:
    """One Dockerfile."""

    def __init__(self, text: str, path: str, build: Build = UNKNOWN) -> None:
        """Read a text. Raises `DockerfileSyntaxError` if BuildKit would refuse it."""
        self.text = text
        """The text of the Dockerfile."""
        self.path = path
        """The name of its file."""
        self.build = build
        """How it is built."""
        self._pairs: dict[Line, list[tuple[str, str | None]]] = {}
        self.origins: Sequence[Origin | None] = ()
        """Where each physical line was written, if that is not the file itself."""
        self.dockerfile: Dockerfile
        """What it says, as values; the origin of each is its line in the text."""
        self.lines: Sequence[Line]
        """The lines of its instructions, in order."""
        self.dockerfile, self.lines = parse_with_lines(text, path)
        self.args: list[Line] = []
        """The ARG lines before the first stage."""
        self.parts: list[Part] = []
        """The stages."""
        names: dict[str, Part] = {}
        for line in self.lines:
            if line.keyword == "FROM":
                part = Part(line)
                part.parent = names.get(part.base.lower())
                self.parts.append(part)
                if part.name is not None:
                    names[part.name.lower()] = part
            elif not self.parts:
                self.args.append(line)
            else:
                self.parts[-1].steps.append(line)

    def place(self, line: Line) -> str:
        """Return how a message names the place of an instruction: ``line 5``, or ``app.py:5`` if it is of Python."""
        first = line.logical.first
        origin = self.origins[first] if self.origins else None
        return f"line {first + 1}" if origin is None else str(origin)

    def steps(self, *keywords: str) -> list[Line]:
        """Return the lines of stages with one of the keywords."""
        return [line for line in self._steps if line.keyword in keywords]

    @cached_property
    def _steps(self) -> list[Line]:
        return [line for part in self.parts for line in part.steps]

    @cached_property
    def spelled(self) -> dict[int, str]:
        """What `dockdsl fmt` would write for each instruction, by its line; without what no class can express."""
        return spelled(self.dockerfile)

    def offset(self, line: int, column: int) -> int:
        """Return the place in the text of a column of a physical line; both are counted from 0."""
        return self._starts[line] + column

    def replacement(self, edit: Edit) -> Replacement:
        """Return an edit with the lines and columns of its range, which are counted from 1."""
        return Replacement(*self._position(edit.start), *self._position(edit.end), edit.text)

    def _position(self, offset: int) -> tuple[int, int]:
        line = max(1, bisect_right(self._starts, offset, hi=len(self._starts) - 1))
        return line, offset - self._starts[line - 1] + 1

    @cached_property
    def _starts(self) -> list[int]:
        """Where each physical line begins in the text, and where the text ends."""
        bom = len(self.text) - len(self.text.removeprefix("\ufeff"))
        starts = [bom, *[found.end() for found in re.finditer("\n", self.text)]]
        return [*starts, len(self.text)]

    @cached_property
    def scripts(self) -> list[Script]:
        """What its RUN instructions run, with those in ONBUILD."""
        return [script for part in self.parts for script in self.scripts_of(part)]

    @cached_property
    def _programs(self) -> set[str]:
        return {command.name for script in self.scripts for command in script.read.commands}

    def commands(self, *programs: str) -> Iterator[tuple[Script, Command]]:
        """Yield the commands of some programs that RUN instructions run, each with its script."""
        # Few files have any of those that a rule asks for.
        for script in () if self._programs.isdisjoint(programs) else self.scripts:
            for command in script.commands(*programs):
                yield script, command

    def scripts_of(self, part: Part) -> list[Script]:
        """Return what the RUN instructions of a stage run."""
        return self._scripts[id(part)]

    @cached_property
    def _scripts(self) -> dict[int, list[Script]]:
        found: dict[int, list[Script]] = {}
        shells: dict[int, Sequence[str]] = {}
        shell: Sequence[str]
        roots: dict[int, Part] = {}
        variables: dict[int, dict[str, int]] = {}
        first = [*self.args, *[part.line for part in self.parts[:1]]]
        default: Sequence[str] = next((shell for line in reversed(first) if (shell := self._named_shell(line))), ())
        for part in self.parts:
            shell = shells.get(id(part.parent), default)
            root = roots[id(part)] = roots.get(id(part.parent), part)
            base, platform = self._value(root.base), root.platform
            names = variables[id(part)] = {**variables.get(id(part.parent), {})}
            found[id(part)] = scripts = []
            for line in part.steps:
                shell = self._named_shell(line) or shell
                if line.keyword == "SHELL":
                    shell = line.array() or ()
                elif line.keyword in ("ARG", "ENV"):
                    for name in self.names(line):
                        names.setdefault(name, len(names))
                elif line.keyword == "RUN" or (line.keyword == "ONBUILD" and line.inner().keyword == "RUN"):
                    scripts.append(Script(line, base, platform, shell, Variables(names, len(names))))
            shells[id(part)] = shell
        return found

    @cached_property
    def _mentions_hadolint(self) -> bool:
        return "hadolint" in self.text

    def _named_shell(self, line: Line) -> tuple[str, ...]:
        """Return the shell that a comment of hadolint's above an instruction names, as SHELL would; () without one."""
        if not self._mentions_hadolint:
            return ()
        found = [_HADOLINT_SHELL().fullmatch(line.logical.lines[index].strip()) for index in line.above]
        names = [each[1].lower() for each in found if each is not None]
        return (names[-1],) if names else ()

    def is_of_windows(self, part: Part, *, otherwise: bool) -> bool:
        """Whether a stage is one of Windows, by its platform or its base; `otherwise` where neither says so."""
        root = [*part.chain()][-1]
        return is_of_windows(self._value(root.base), root.platform, otherwise=otherwise)

    def _value(self, base: str) -> str:
        """Return the name of an image with the values that the file gives to its variables."""
        return _expanded_or_not(base, self.defaults, "\\") if "$" in base else base

    @cached_property
    def stages(self) -> list[Effects]:
        """What the stages do."""
        scripts = {id(script.line): script for script in self.scripts}
        lines = [(part.line, part.steps) for part in self.parts]
        return walked(self.dockerfile, self.graph, lines, scripts, self.build)

    @cached_property
    def targets(self) -> list[Effects]:
        """The stages that are built; where that is not known, the last one."""
        by_name = {str(index): stage for index, stage in enumerate(self.stages)}
        by_name |= {stage.stage.name: stage for stage in self.stages if stage.stage.name is not None}
        by_name |= {"": self.stages[-1]} if self.stages else {}
        names = dict.fromkeys(name.lower() for name in self.build.targets)
        return [by_name[name] for name in names if name in by_name]

    @cached_property
    def built(self) -> list[Effects]:
        """The stages that are needed for those that are built; where that is not known, all."""
        if not self.build.is_all or not self.targets:
            return self.stages
        reached: dict[int, Effects] = {}
        left = list(self.targets)
        while left:
            stage = left.pop()
            if id(stage) not in reached:
                reached[id(stage)] = stage
                left += self._needed(stage)
        return [stage for stage in self.stages if id(stage) in reached]

    def _needed(self, stage: Effects) -> Iterator[Effects]:
        """Yield the stages that a stage needs, also by a variable in FROM, and for what ONBUILD gave to it."""
        if stage.parent is not None:
            yield stage.parent
        yield from (source.stage for done in stage.transfers() for source in done.sources if source.stage is not None)
        needs = {id(each) for each in self.graph.needs(stage.stage)}
        yield from (each for each in self.stages if id(each.stage) in needs)

    @cached_property
    def layers(self) -> list[Effects]:
        """The stages whose steps are layers of an image that is built."""
        return list({id(stage): stage for target in self.targets for stage in target.chain}.values())

    def named_sources(self) -> Iterator[tuple[Line, Found]]:
        """Yield what COPY, ADD and mounts name in the context, if that is known, and the links that wildcards match."""
        context = self.build.context
        for stage in self.built if context is not None else ():
            for done in stage.steps:
                sources: Sequence[From] = ()
                if isinstance(done, Transfer):
                    sources = done.sources
                elif isinstance(done, Ran):
                    sources = [source for _, source, _ in done.binds]
                yield from ((done.line, each.found) for each in sources if each.found is not None)
                for path in (path for each in sources if each.matches is not None for path in each.matches.sent):
                    if context is not None and context.folder.follow(path, last=False).kind == "link":
                        yield done.line, context.find(path)

    @cached_property
    def graph(self) -> StageGraph:
        """The stages and their dependencies."""
        return self.dockerfile.graph

    @cached_property
    def variables(self) -> list[Variable]:
        """The variables of the model."""
        return variables_of(self.dockerfile)

    @cached_property
    def by_line(self) -> dict[int, Line]:
        """The lines by the number of their first physical line, from 1."""
        return {line.logical.first + 1: line for line in self.lines}

    def copies(self, *keywords: str) -> list[tuple[Line, list[str], str]]:
        """Return each COPY or ADD with its sources and its destination, without those in ONBUILD."""
        return [each for each in self._copies if each[0].keyword in keywords]

    @cached_property
    def _copies(self) -> list[tuple[Line, list[str], str]]:
        found = [(line, line.array() or line.words()) for line in self.steps("ADD", "COPY")]
        return [(line, words[:-1], words[-1]) for line, words in found if words]

    def names(self, line: Line) -> list[str]:
        """Return the names that an ARG, ENV or LABEL gives values to."""
        return [name for name, _ in self.pairs(line)]

    def pairs(self, line: Line) -> list[tuple[str, str | None]]:
        """Return the names and values of an ARG, ENV or LABEL; None where there is no value."""
        found = self._pairs.get(line)
        if found is None:
            found = self._pairs[line] = _pairs(line)
        return found

    def declaration(self, name: str) -> str:
        """Return the ARG that gives a stage the value which a name has elsewhere, as part of a remedy."""
        default = self._defaults_of_stages.get(name)
        if self.defaults.get(name) or not default:
            return f"`ARG {name}`"
        shown = default if len(default) <= _LONGEST_DEFAULT and "`" not in default else "…"
        return (
            f"`ARG {name}={shown}`, since a default counts only in its own stage, below it "
            f"(`ARG {name}` is enough where the default stands before the first stage)"
        )

    @cached_property
    def _defaults_of_stages(self) -> dict[str, str]:
        return {name: value for line in self.steps("ARG") for name, value in self.pairs(line) if value}

    def named_in_from(self, name: str) -> str:
        """Return the remedy for a name in FROM that has no value."""
        declared = {each for line in self.args for each in self.names(line)}
        others = () if name in declared else declared | PREDEFINED
        otherwise = f"declare {name} with a default before the first stage: `ARG {name}=…`"
        return suggestion(name, others, otherwise, least=CLOSE)

    @cached_property
    def defaults(self) -> dict[str, str]:
        """The values of the arguments above the first stage."""
        values = {
            name: "linux" if name.endswith("OS") else "amd64" for name in PREDEFINED if name.endswith(("OS", "ARCH"))
        }
        values |= {"TARGETPLATFORM": "linux/amd64", "BUILDPLATFORM": "linux/amd64"}
        for line in self.args:
            self._declare(line, values, {})
        return values

    def expanded(self, line: Line) -> list[str]:
        """Return the words of an instruction with the values that the file gives to its variables."""
        return self._expanded[id(line)] if id(line) in self._expanded else line.words()

    @cached_property
    def _expanded(self) -> dict[int, list[str]]:
        """The words of the lines that have variables or quotes, in one walk."""
        found: dict[int, list[str]] = {}
        after: dict[int, dict[str, str]] = {}
        for part in self.parts:
            values = dict(after[id(part.parent)]) if part.parent is not None else {}
            for step in part.steps:
                if step.keyword in ("ARG", "ENV"):
                    self._declare(step, values, self.defaults if step.keyword == "ARG" else {})
                elif step.keyword in _WORDS and any(char in step.text for char in "$\"'\\"):
                    words = [step.text] if step.keyword == "WORKDIR" else step.words()
                    found[id(step)] = [_expanded_or_not(word, values, step.escape) for word in words]
            after[id(part)] = values
        return found

    @cached_property
    def _parts_by_step(self) -> dict[int, Part]:
        return {id(step): part for part in self.parts for step in part.steps}

    def _part_of(self, line: Line) -> Part | None:
        return self._parts_by_step.get(id(line))

    def is_on_scratch(self, line: Line) -> bool:
        """Whether nothing but this file sets variables for an instruction."""
        part = self._part_of(line)
        return part is not None and [*part.chain()][-1].base.lower() == "scratch"

    def base_sets(self, line: Line, name: str) -> bool:
        """Whether a variable is one that the image sets with which the stage of an instruction begins."""
        part = self._part_of(line)
        return part is not None and image(self._value([*part.chain()][-1].base)).sets(name)

    def _declare(self, line: Line, values: dict[str, str], otherwise: Mapping[str, str]) -> None:
        # Of one ENV, no value sees those beside it; of one ARG, each sees those before it.
        seen = values if line.keyword == "ARG" else dict(values)
        for name, value in self.pairs(line):
            given = otherwise.get(name) if value is None else expanded(value, seen, line.escape)
            if given is not None:
                values[name] = given


def _pairs(line: Line) -> list[tuple[str, str | None]]:
    words = line.quoted_words()
    if line.keyword != "ARG" and words and "=" not in words[0]:
        return [(words[0], " ".join(words[1:]))]
    parts = [word.partition("=") for word in words]
    return [(name, value if equals else None) for name, equals, value in parts]


def _expanded_or_not(word: str, values: Mapping[str, str], escape: str) -> str:
    found = expanded(word, values, escape)
    return word if found is None else found


def expanded(text: str, values: Mapping[str, str], escape: str = "\\") -> str | None:
    """Return a word as BuildKit expands it; None where it cannot."""
    try:
        return expand.expand(text, values, escape=escape)
    except DockdslError:
        return None


def used(text: str) -> set[str]:
    """Return the names of the variables in a word."""
    if "$" not in text:
        return set()
    try:
        return set(expand.names(text))
    except DockdslError:
        return set()
