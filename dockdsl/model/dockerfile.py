"""Dockerfile: its stages in order, its directives and its global arguments."""

from __future__ import annotations

import operator
from collections.abc import Callable, Container, Iterable, Sequence
from typing import TYPE_CHECKING
from typing import Literal as OneOf

import attrs

from dockdsl.display import kind_of, shown
from dockdsl.errors import InvalidType, InvalidValue, Refused
from dockdsl.instructions.comment import Comment
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.located import Located, put
from dockdsl.model.order import called, collect, targets_of
from dockdsl.model.stage import Stage, Steps, flatten
from dockdsl.origins import Origin
from dockdsl.syntax.directives import settings_of
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.versions import SyntaxVersion, highest
from dockdsl.syntax.words import BACKSLASH, BACKTICK, Spelling

if TYPE_CHECKING:
    from dockdsl.model.graph import StageGraph

FRONTEND = "docker/dockerfile"
_bound_to: Callable[[Instruction], str | None] = operator.attrgetter("bound_to")
_text: Callable[[Instruction], str] = operator.attrgetter("_text")
looks_like_directive = lazy_regex(r"#\s*[A-Za-z][A-Za-z0-9]*\s*=")


def _targets(value: Stage | Iterable[Stage]) -> tuple[Stage, ...]:
    if isinstance(value, Stage):
        return (value,)
    if isinstance(value, (str, Instruction)) or not isinstance(value, Iterable):
        raise InvalidType(f"Dockerfile: the target {shown(value)} is {kind_of(value)}; pass a Stage or several")
    targets = tuple(value)
    for target in targets:
        if not isinstance(target, Stage):
            raise InvalidType(f"Dockerfile: the target {shown(target)} is {kind_of(target)}; pass a Stage")
    if not targets:
        raise InvalidValue("Dockerfile: no target is given; pass at least one Stage")
    return targets


def checked(value: object, function: str) -> Dockerfile:
    """Return the `Dockerfile` that was passed to a function; refuse anything else."""
    if not isinstance(value, Dockerfile):
        hint = "pass Dockerfile(stage)" if isinstance(value, Stage) else "pass a Dockerfile"
        raise InvalidType(f"{function}: {shown(value)} is {kind_of(value)}; {hint}")
    return value


def _args(value: Steps) -> tuple[Instruction, ...]:
    if isinstance(value, Stage):
        raise InvalidType(
            f"Dockerfile args: {shown(value)} is a Stage; pass several targets as a list: Dockerfile([a, b])"
        )
    if type(value) is tuple and not value:
        return ()
    found = flatten(value, "Dockerfile args")
    for each in found:
        if each.keyword not in ("ARG", ""):
            raise InvalidType(
                f"Dockerfile args: {each!r} is neither an Arg nor a Comment; put it into a stage",
                origin=each.origin,
            )
    return found


@attrs.frozen(slots=False, repr=False)
class Dockerfile(Located):
    """A Dockerfile: its targets and all the stages that they need, each once, after the stages that it needs itself.

    `targets`
        A `Stage` or several; the last one is built by default.
    `args`
        `Arg` (and `Comment`) before the first stage: the variables that ``FROM`` lines may use.
    `syntax`
        The image of the frontend for ``# syntax=``, such as ``"docker/dockerfile:1"``; ``"auto"`` selects the lowest
        version that supports everything that is used. By default, the line is not written, because it makes every
        build query a registry, and fail if that cannot be reached.
    `escape`
        The escape character: a backslash, or a backtick (for Windows paths).
    `check`
        The value of ``# check=``, such as ``"skip=StageNameCasing;error=true"``.

    Raises `StageError` for different stages with the same name, for a cycle, and for a default target that another
    target needs; `UnknownStage` if a string in ``from_`` looks like a stage and is not one of them; `InvalidValue` and
    `InvalidType` for other values that are not valid.

    >>> print(Dockerfile(Stage("scratch")), end="")
    FROM scratch

    Source: the Dockerfile reference, "Parser directives" and "FROM".
    """

    targets: tuple[Stage, ...] = attrs.field(converter=_targets, eq=False)
    args: tuple[Instruction, ...] = attrs.field(default=(), converter=_args)
    syntax: str | None = attrs.field(default=None, eq=False)
    escape: OneOf["\\", "`"] = "\\"
    check: str | None = None
    stages: tuple[Stage, ...] = attrs.field(init=False, default=())
    """The stages in the order of the Dockerfile."""
    frontend: str | None = attrs.field(init=False, default=None)
    """The image in the ``# syntax=`` line, if there is one."""
    is_read: bool = attrs.field(init=False, default=False, eq=False)
    """Whether the Dockerfile was read from text."""

    def complete(self, *, is_normal: bool = False) -> None:
        """Collect the stages, and refuse values that do not fit together."""
        if self.is_read:
            # Unlike one written in Python, it may have arguments only, or stages with the same name.
            return
        try:
            self._check_directives()
        except Refused as refused:
            raise refused.error("Dockerfile", self.origin) from None
        self.settle(self.targets)

    def settle(self, targets: Sequence[Stage]) -> None:
        """Collect the stages; refuse those that do not fit together."""
        put(self, "stages", collect(targets, None if self.is_read else self.args, self))
        self._check_escapes()
        if self.escape == "`":
            self._write_with_backtick()
        if not self.is_read:
            put(self, "frontend", f"{FRONTEND}:{self.minimum_syntax}" if self.syntax == "auto" else self.syntax)

    def _check_directives(self) -> None:
        if type(self.escape) is not str or self.escape not in ("\\", "`"):
            raise Refused(f"{shown(self.escape)} is not an escape character", "use a backslash or a backtick")
        for name, value in (("syntax", self.syntax), ("check", self.check)):
            if value is None:
                continue
            if type(value) is not str:
                raise Refused(f"{name} is {shown(value)}, {kind_of(value)}", "pass a str", wrong_type=True)
            if not value or not value.isprintable() or value != value.strip():
                raise Refused(f"{name} is {shown(value)}, which is not valid in a directive", "write it on one line")
        if self.check is not None and self.check != settings_of(self.check):
            raise Refused(
                f"check is {shown(self.check)}, which BuildKit refuses, or reads in part",
                'write "skip=RuleOne,RuleTwo;error=true", without whitespace, each setting once',
            )

    def _check_escapes(self) -> None:
        for steps in (self.args, *[stage.steps for stage in self.stages]):
            for step in filter(_bound_to, steps):
                if _bound_to(step) != self.escape:
                    raise InvalidValue(
                        f"Dockerfile: {shown(step)} is written with {_bound_to(step)} as the escape character, and the "
                        f"Dockerfile uses {self.escape}; use the same one",
                        origin=step.origin,
                    )

    def _write_with_backtick(self) -> None:
        # What can be written with one escape character may be impossible with the other; find out now.
        for stage in self.stages:
            for step in stage.steps:
                step.spell(BACKTICK)
        for arg in self.args:
            arg.spell(BACKTICK)

    @property
    def minimum_syntax(self) -> SyntaxVersion:
        """The lowest version of the Dockerfile frontend that supports everything that is used.

        It is a ``str`` such as ``"1.4"`` or ``"1.14-labs"`` that compares by its numbers. Its property ``labs`` tells
        whether the labs channel is needed.

        >>> from dockdsl import Copy
        >>> Dockerfile(Stage("scratch", steps=[Copy("a", "/a", link=True)])).minimum_syntax
        '1.4'

        Source: the release notes of the ``dockerfile/1.x`` versions of BuildKit.
        """
        versions: list[str] = [stage.minimum_syntax for stage in self.stages]
        versions += [arg.minimum_syntax for arg in self.args]
        if self.check is not None:
            versions.append("1.10" if "experimental=" in self.check else "1.8")
        return highest(versions)

    @property
    def graph(self) -> StageGraph:
        """The stages and their dependencies."""
        from dockdsl.model.graph import StageGraph  # noqa: PLC0415 - few programs ask for it

        return StageGraph(self.stages)

    def map(self, change: Callable[[Stage], Stage]) -> Dockerfile:
        """Return the Dockerfile with each stage replaced by what a function returns for it.

        The function is called once for each stage, and returns it as it is or a changed one, most often made by
        ``attrs.evolve(stage, base=…, name=…)`` or `Stage.map`. Whatever referred to a stage refers to the new one: a
        base, ``from_`` of `Copy` and of mounts, a target, and names that are those of a stage. Names in `Onbuild`
        follow if a stage of this Dockerfile is based on it; otherwise they belong to another build. What does not
        change stays as it is, with its origin.

        Raises `InvalidType` if the function does not return a `Stage`; `StageError` if the stages do not fit together
        any more, or a `Verbatim` step names a stage that has got another name.

        >>> import attrs
        >>> from dockdsl import Copy
        >>> build = Stage("golang:1.26", name="build")
        >>> file = Dockerfile(Stage("scratch", steps=[Copy("/api", "/", from_=build)]))
        >>> newer = attrs.evolve(build, base="golang:1.27", name="compile")
        >>> print(file.map(lambda stage: newer if stage is build else stage), end="")
        FROM golang:1.27 AS compile
        <BLANKLINE>
        FROM scratch
        COPY --from=compile /api /

        Source: the Dockerfile reference, "FROM" and "COPY --from".
        """
        from dockdsl.model.mapping import mapped  # noqa: PLC0415 - few programs change a model

        new = mapped(self.stages, change)
        stages = [new(stage) for stage in self.stages]
        if all(map(operator.is_, stages, self.stages)):
            return self
        changed = self.with_origin(self._origin)
        if self.is_read:
            # Of what was read, all stages are kept, whether or not another one needs them.
            changed.settle(stages)
            put(changed, "targets", targets_of(changed.stages))
        else:
            put(changed, "targets", tuple([new(target) for target in self.targets]))
            changed.settle(changed.targets)
        return changed

    def pieces(self, header: str | None = None) -> list[Piece]:
        """Return the text and the value of each instruction, in order; `header` is a comment below the directives."""
        spelling = self.spelling()
        # Most are written as their constructors did.
        rendered = _text if spelling is BACKSLASH else operator.methodcaller("rendered", spelling)
        blank: Piece = ("", None)
        directives = (("syntax", self.frontend), ("escape", self.escape if self.escape != "\\" else None))
        found: list[Piece] = [
            (f"# {name}={value}", self) for name, value in (*directives, ("check", self.check)) if value is not None
        ]
        above = len(found)
        if header is not None:
            found += [*([blank] if found else []), (Comment(header).rendered(spelling), self)]
        if self.args:
            found += [*([blank] if found else []), *[(arg.rendered(spelling), arg) for arg in self.args]]
        for stage in self.stages:
            if found:
                found.append(blank)
            if stage.comment is not None:
                found.append((stage.comment.rendered(spelling), stage))
            found.append((stage.rendered(spelling), stage))
            found += zip(map(rendered, stage.steps), stage.steps, strict=True)
        if not above and looks_like_directive().match(found[0][0]):
            # A comment on the first line would be taken for a directive.
            found.insert(0, blank)
        return found

    def spelling(self) -> Spelling:
        """Return the escape character, and the index or name by which each unnamed stage is referred to."""
        unnamed = [
            (id(each.source), each.by)
            for stage in self.stages
            for each in stage.references()
            if each.source is not None and isinstance(each.source, Stage) and each.source.name is None
        ]
        if not unnamed:
            return BACKSLASH if self.escape == "\\" else BACKTICK
        by_name = {stage for stage, by in unnamed if by != "copy"}
        taken = {stage.name for stage in self.stages}
        names: dict[int, str] = {}
        for index, stage in enumerate(self.stages):
            if id(stage) in by_name:
                names[id(stage)] = automatic_name(index, taken)
            elif stage.name is None:
                names[id(stage)] = str(index)
        return Spelling(self.escape, names)

    def __str__(self) -> str:
        return "\n".join([text for text, _ in self.pieces()]) + "\n"

    def __repr__(self) -> str:
        return f"<Dockerfile of {', '.join(called(stage) for stage in self.stages)}>"


Piece = tuple[str, "Instruction | Stage | Dockerfile | None"]
"""A piece of a Dockerfile's text, and the value that it comes from; None for a blank line."""


def joined(pieces: Iterable[Piece]) -> tuple[str, tuple[Origin | None, ...]]:
    """Return the text of pieces, and the origin of each of its lines."""
    lines: list[str] = []
    origins: list[Origin | None] = []
    stage: Origin | None = None
    for text, value in pieces:
        origin = None if value is None else value.origin
        if isinstance(value, Stage):
            stage = origin
        elif stage is not None and origin is not None:
            origin = origin.within(stage)
        lines.append(text)
        origins.extend([origin] * (text.count("\n") + 1))
    return "\n".join(lines) + "\n", tuple(origins)


def automatic_name(index: int, taken: Container[str | None]) -> str:
    """Return the name that an unnamed stage gets if it cannot be referred to by its index."""
    name = f"stage-{index}"
    while name in taken:
        name += "-unnamed"
    return name
