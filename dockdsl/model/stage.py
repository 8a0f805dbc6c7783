"""Stage: a base and the steps on it; the FROM instruction."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from itertools import groupby
from typing import Any, ClassVar, NoReturn, TypeGuard

import attrs

from dockdsl.display import kind_of, shown
from dockdsl.errors import InvalidType, Refused, refuse_type
from dockdsl.instructions.comment import Comment
from dockdsl.instructions.constructor import Written, plain_if
from dockdsl.instructions.instruction import Instruction, brief
from dockdsl.instructions.located import put
from dockdsl.instructions.sources import External, Reference, StageBase
from dockdsl.syntax.flags import BESIDE, OPERAND, convert, convert_later, declared, flag, read_flags
from dockdsl.syntax.guard import guard
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.lines import SPACE, continued, lower
from dockdsl.syntax.modifiers import modifier_versions
from dockdsl.syntax.references import is_image, is_platform
from dockdsl.syntax.versions import SyntaxVersion, highest
from dockdsl.syntax.words import (
    BACKSLASH,
    Literal,
    Spelling,
    Word,
    atoms_of,
    check_characters,
    refuse_word,
    text_in,
    word,
    word_or_none,
)

Steps = Iterable["Instruction | Steps | None"]
"""Instructions in order; nested lists are flattened, and None is ignored."""

RESERVED = ("scratch", "context")
_is_name = re.compile(r"[a-z][a-z0-9_.-]*").fullmatch
# A name without a port and a digest, which is not the id of an image.
_is_plain_image = re.compile(
    r"(?![0-9a-f]{64}$)[a-z0-9]++(?:[._/-][a-z0-9]++)*+(?::[A-Za-z0-9_][A-Za-z0-9_.-]*+)?"
).fullmatch
_PLAIN_PLATFORMS = {each: f"={each}" for each in ("$BUILDPLATFORM", "$TARGETPLATFORM", "linux/amd64", "linux/arm64")}
_PLATFORM = flag(
    "platform", OPERAND._replace(plain=lambda value: _PLAIN_PLATFORMS.get(value) if type(value) is str else None)
)
_is_image_part = lazy_regex(r"[A-Za-z0-9_.:/@+-]*")
# One word that stands for itself: blanks other than these may be in it, but not at its ends.
_is_written = lazy_regex(rf"""[^\0{SPACE}"'$\\`](?:[^\0\t\n\v\f\r "'$\\`]*[^\0{SPACE}"'$\\`])?""")


@cache
def _refers(kind: type[Instruction]) -> bool:
    """Whether an instruction may take files from anywhere."""
    return kind.references is not Instruction.references


_KINDS: set[type[Instruction]] = set()
"""Classes of instructions that were met, but for comments: with a metaclass, ``isinstance`` takes longer than this."""
_LISTS = (list, tuple)
# What is iterable, but not a list of steps: text, and what has no order.
_NO_LISTS = (str, bytes, Instruction, Mapping, AbstractSet)


def flatten(steps: Any, owner: str) -> tuple[Instruction, ...]:
    """Return `steps` as a tuple: nested lists are flattened, None is dropped, adjacent comments are joined."""
    if type(steps) in _LISTS and _KINDS.issuperset(map(type, steps)):
        return tuple(steps)
    flat: list[Instruction] = []
    try:
        _collect(steps, flat, owner)
    except RecursionError:
        raise InvalidType(
            f"{owner}: the steps are nested too deeply, or contain themselves; pass a flat list"
        ) from None
    if Comment not in map(type, flat):
        return tuple(flat)
    merged: list[Instruction] = []
    for remarks, group in groupby(flat, lambda step: isinstance(step, Comment) and not step.acts):
        found = list(group)
        if remarks and len(found) > 1:
            joined = Comment("\n".join([step.remark for step in found if isinstance(step, Comment)]))
            found = [joined.with_origin(found[0].origin)]
        merged += found
    return tuple(merged)


def _collect(steps: Any, flat: list[Instruction], owner: str) -> None:
    if not isinstance(steps, (list, tuple)) and (isinstance(steps, _NO_LISTS) or not isinstance(steps, Iterable)):
        if isinstance(steps, Instruction):
            raise InvalidType(f"{owner}: the steps are one instruction, {steps!r}; put it into a list")
        raise InvalidType(f"{owner}: the steps {shown(steps)} are {kind_of(steps)}; pass a list of instructions")
    for step in steps:
        if isinstance(step, Instruction):
            if not isinstance(step, Comment):
                _KINDS.add(type(step))
            flat.append(step)
        elif isinstance(step, (list, tuple)) or (isinstance(step, Iterable) and not isinstance(step, _NO_LISTS)):
            _collect(step, flat, owner)
        elif step is not None:
            raise InvalidType(f"{owner}: the step {shown(step)} is {kind_of(step)}; pass an instruction")


def _steps(value: Steps) -> tuple[Instruction, ...]:
    return flatten(value, "Stage")


def _base(value: Word | StageBase) -> Word | StageBase:
    return value if isinstance(value, (StageBase, External)) else word(value)


def _platform(value: Word | None) -> Word | None:
    return value if isinstance(value, External) else word_or_none(value)


def _plain_base(value: Any) -> Written:
    return (value, value.name) if type(value) is Stage and value.name is not None else None


def _is_plain_name(text: str) -> bool:
    return _is_name(text) is not None and text not in RESERVED


def _comment(value: Comment | str | None) -> Comment | None:
    if isinstance(value, str):
        return Comment(value)
    if value is not None and not isinstance(value, Comment):
        raise InvalidType(f"Stage: the comment {shown(value)} is {kind_of(value)}; pass a str")
    return value


def check_base(base: Word) -> str:
    """Return the name of an image as it is written; raise `Refused` for a value that is not one."""
    if isinstance(base, External):
        if not _is_written().fullmatch(base):
            raise Refused(f"{shown(base)} is not one word without quotes, dollars and escapes", 'write "name:tag"')
        return str(base)
    if type(base) is str and is_image(base):
        return base
    if not isinstance(base, (str, Literal)):
        raise refuse_word("base", base, 'pass "name:tag", or a Stage')
    atoms = atoms_of(base)
    if isinstance(base, str) and base.startswith("-"):
        fact = f"the base {shown(base)} starts with a dash"
        raise Refused(fact, 'write "name:tag", or pass a Stage', by_build=True)
    has_reference = any(reference for reference, _ in atoms)
    for reference, text in atoms:
        if not _is_image_part().fullmatch(text) if not reference else any(char.isspace() for char in text):
            raise Refused(
                f"{shown(base)} is not the name of an image: {shown(text)} cannot be part of one",
                'write "name:tag", or pass a Stage',
                by_build=not has_reference,
            )
    if not has_reference:
        remedy = 'write "name:tag" in lower case, or pass a Stage'
        raise Refused(f"{shown(base)} is not the name of an image", remedy, by_build=True)
    return text_in(base)


def has_variable(base: Word | StageBase) -> TypeGuard[Word]:
    """Whether variables tell what a base means."""
    return isinstance(base, Literal) or (isinstance(base, str) and "$" in base and not isinstance(base, External))


def _read_platform(line: Line) -> Word | None:
    if not line.flags:
        return None
    try:
        platform: Word | None = read_flags(Stage, line)["platform"]
        if platform is not None:
            check_platform(platform)
    except Refused as refused:
        line.refuse(refused)
        (token,) = line.flags
        # BuildKit does not check it until it builds the stage.
        platform = External(line.logical.text[token.start : token.end].partition("=")[2])
    return platform


def check_platform(platform: Word) -> None:
    """Refuse a value that is not a platform."""
    if not isinstance(platform, (str, Literal)):
        raise refuse_word("platform", platform, 'pass "linux/amd64" or "$BUILDPLATFORM"')
    if isinstance(platform, str) and not platform:
        raise Refused("the platform is empty", "leave it out")
    if isinstance(platform, str) and not has_variable(platform) and not is_platform(platform):
        fact = f"{shown(platform)} is not a platform"
        raise Refused(fact, 'write "linux/amd64" or "$BUILDPLATFORM"', by_build=True)
    BACKSLASH.flag(BACKSLASH.lexed(platform))


def read_from(line: Line, by_name: Mapping[str, Stage], names: AbstractSet[str]) -> tuple[Any, str | None, Any]:
    """Read a FROM line: base, name and platform. `by_name` are the stages above, `names` the names of all stages."""
    platform = _read_platform(line)
    words = line.words()
    name = None
    if len(words) == 3 and words[1].casefold() == "as":
        name = lower(words[2])
        if not _is_name(name):
            raise line.wrong(
                f"{words[2]!r} is not a valid stage name",
                "use lower-case letters, digits, _ . and -, starting with a letter",
                words[2],
            )
    elif len(words) != 1:
        remedy = "write FROM image, or FROM image AS name"
        raise line.wrong(f"the instruction has {len(words)} operands" if words else "no base is given", remedy)
    text = words[0]
    if text[-1] == line.escape and continued(text, line.escape):
        # At the end it has no effect, but would join the next line. White space before it is part of the base.
        text = text[:-1]
        if not text or text[-1] in SPACE:
            text += "''"
    if text in by_name:
        return by_name[text], name, platform
    if text in names:
        # The stage is further down, so BuildKit looks for an image of that name.
        return External(text), name, platform
    try:
        base = line.word(text)
        check_base(base)
    except Refused as refused:
        # In a file there is no Stage to pass.
        line.refuse(Refused(refused.fact, "write name:tag, the name in lower case", by_build=refused.by_build))
        base = External(text)
    if isinstance(base, str) and base in names:
        # BuildKit removes quotes and escapes before it looks for a stage.
        return by_name.get(base, External(text)), name, platform
    return base, name, platform


# Stages are compared by a digest of all that they need.
@attrs.frozen(slots=False, repr=False, eq=False, field_transformer=convert_later)
class Stage(StageBase):
    """A stage of a build: a base, and the steps on top of it.

    `base`
        The name of an image, ``"scratch"`` for an empty base, or another `Stage`. Variables in a name are those of
        ``Dockerfile(args=…)``. `external` makes any one word a base, such as a placeholder.
    `name`
        Lower-case letters, digits, ``_``, ``.`` and ``-``, starting with a letter; not ``scratch`` or ``context``. It
        is optional: other stages refer to the object.
    `platform`
        A platform such as ``"linux/arm64"``, or ``"$BUILDPLATFORM"`` for that of the machine that builds.
    `steps`
        Instructions in order. Nested lists are flattened and None is ignored, so that a step can be written as
        ``Run(…) if debug else None``.
    `comment`
        A comment above the ``FROM`` line.

    Stages are equal if their content is equal, including the stages that they need.

    Raises `InvalidValue` for a name or an image that BuildKit refuses, `InvalidType` for a step that is not an
    instruction.

    >>> from dockdsl import Copy, Dockerfile, Run
    >>> build = Stage("golang:1.27", name="build", steps=[Copy(".", "."), Run("go build -o /api .")])
    >>> print(Dockerfile(Stage("scratch", steps=[Copy("/api", "/api", from_=build)])), end="")
    FROM golang:1.27 AS build
    COPY . .
    RUN go build -o /api .
    <BLANKLINE>
    FROM scratch
    COPY --from=build /api /api

    Source: the Dockerfile reference, "FROM".
    """

    KEYWORD: ClassVar[str] = "FROM"
    KNOWS_CALLERS: ClassVar[bool] = True

    base: Word | StageBase = attrs.field(converter=_base, metadata=plain_if(_is_plain_image, write=_plain_base))
    name: str | None = attrs.field(default=None, metadata=plain_if(_is_plain_name, before=" AS "))
    platform: Word | None = attrs.field(default=None, converter=_platform, metadata=_PLATFORM)
    steps: tuple[Instruction, ...] = attrs.field(default=(), converter=_steps, metadata=BESIDE)
    comment: Comment | None = attrs.field(default=None, converter=_comment, kw_only=True, metadata=BESIDE)

    def complete(self, *, is_normal: bool = False) -> None:
        """Convert what is not in its normal form, and write the FROM line."""
        kind = declared(type(self))
        if not is_normal:
            convert(self.__dict__, kind.operands, kind.given(self.__dict__))
        try:
            if self.is_read:
                # Its name and base are words of one line, so they cannot break out of it.
                line = self.from_line(BACKSLASH)
            else:
                self._check_name()
                if isinstance(self.base, External):
                    check_characters(self.base)
                line = guard(self.from_line(BACKSLASH), "\\")
        except Refused as refused:
            raise refused.error("Stage", self.origin) from None
        self.__dict__.update(_text=line, _fingerprint="", _references=None)

    def _check_name(self) -> None:
        name = self.name
        if name is None:
            return
        if not isinstance(name, str):
            remedy = "write steps=[…]" if isinstance(name, (list, tuple)) else "pass a str"
            raise refuse_type("name", name, remedy)
        if not _is_name(name):
            remedy = "use lower-case letters, digits, _ . and -, starting with a letter"
            if _is_name(name.lower()):
                remedy = f"write {name.lower()!r}"
            raise Refused(f"{shown(name)} is not a valid stage name", remedy)
        if name in RESERVED:
            raise Refused(f"the name {name!r} is reserved", "use another name")

    def from_line(self, spelling: Spelling) -> str:
        """Return the FROM line."""
        pieces = ["FROM"]
        if self.platform is not None:
            pieces.append(f"--platform={self._written_platform(spelling)}")
        base = self._written_base(spelling)
        # Two dashes would start a flag.
        pieces += ["--", base] if base.startswith("--") else [base]
        name = self.name
        if name is None and spelling.names is not None:
            # A stage that is a base or is mounted can only be referred to by name.
            known_as = spelling.names.get(id(self), "")
            name = known_as if not known_as.isdecimal() else None
        if name:
            pieces += ["AS", name]
        return " ".join(pieces)

    def _written_platform(self, spelling: Spelling) -> str:
        if self.is_read and isinstance(self.platform, External):
            return str(self.platform)
        assert self.platform is not None  # checked by the caller; for the type checker
        check_platform(self.platform)
        return spelling.flag(spelling.lexed(self.platform))

    def _written_base(self, spelling: Spelling) -> str:
        base = self.base
        if isinstance(base, StageBase):
            return base.name or ("stage" if spelling.names is None else spelling.names[id(base)])
        if self.is_read and isinstance(base, str):
            # It was one word of a file, and was checked when it was read.
            return str.__str__(base)
        return check_base(base)

    def rendered(self, spelling: Spelling) -> str:
        """Return the FROM line: what the constructor made, unless unnamed stages have names or indexes."""
        return self._text if spelling.names is None else self.from_line(spelling)

    def references(self) -> tuple[Reference, ...]:
        """What the stage takes files from, in order: its base if that is a stage, then what its steps refer to."""
        return self._references if self._references is not None else self._refer()[0]

    def _refer(self) -> tuple[tuple[Reference, ...], tuple[Stage, ...]]:
        """Collect the references, and the stages among them."""
        found = [Reference(self.base, "base")] if isinstance(self.base, StageBase) else []
        for step in self.steps:
            if _refers(type(step)):
                found += step.references()
        # Most references are to the build context, and that is None.
        needed = tuple([each.source for each in found if each.source is not None and isinstance(each.source, Stage)])
        self.__dict__.update(_references=tuple(found), _needed=needed)
        return tuple(found), needed

    def needed_stages(self) -> tuple[Stage, ...]:
        """The stages that the stage refers to as objects, in order."""
        return self._needed if self._references is not None else self._refer()[1]

    def map(self, change: Callable[[Instruction], Instruction | Steps | None]) -> Stage:
        """Return the stage with each step replaced by what a function returns for it.

        The function returns an instruction (the same one if nothing changes), several in a list, or None for a step
        that is left out. `Dockerfile.map` puts the new stage in its place.

        Raises `InvalidType` for a step that is not an instruction.

        >>> from dockdsl import Maintainer, User
        >>> stage = Stage("alpine:3.22", steps=[Maintainer("me"), User("1000")])
        >>> stage.map(lambda step: None if isinstance(step, Maintainer) else step).steps
        (User(user='1000'),)

        Source: the Dockerfile reference, "Format".
        """
        steps = [change(step) for step in self.steps]
        if all(map(operator.is_, steps, self.steps)):
            return self
        return self.changed(steps=flatten(steps, "Stage.map"))

    @property
    def minimum_syntax(self) -> SyntaxVersion:
        """The lowest version of the Dockerfile frontend that supports everything in the stage."""
        remarks = () if self.comment is None else (self.comment,)
        used = [step.minimum_syntax for step in (*remarks, *self.steps)]
        return highest([*modifier_versions(self._text), *used])

    @property
    def fingerprint(self) -> str:
        """A digest of the stage, including the stages that it needs."""
        if not self._fingerprint:
            for stage in reached([self], but=lambda each: bool(each._fingerprint)):  # noqa: SLF001 - of this class
                put(stage, "_fingerprint", _digest(stage))
        return self._fingerprint

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Stage) and self.name == other.name and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        name = "" if self.name is None else f", name={self.name!r}"
        platform = "" if self.platform is None else f", platform={self.platform!r}"
        return f"Stage({brief(self.base)}{name}{platform}, steps={list(self.steps)!r})"


def _digest(stage: Stage) -> str:
    # Different stages have different texts if the stages in them are replaced by their fingerprints. That keeps
    # comparison linear if stages share stages.
    from hashlib import blake2b  # noqa: PLC0415 - most programs never compare stages

    needs = stage.needed_stages()
    spelling = Spelling("\\", {id(need): f"={need.fingerprint}" for need in needs})
    parts = [stage.from_line(spelling), *[step.rendered(spelling) for step in stage.steps]]
    parts += [need.fingerprint for need in needs]
    parts.append("" if stage.comment is None else str(stage.comment))
    return blake2b("\n\0".join(parts).encode(), digest_size=20).hexdigest()


def reached(targets: Iterable[Stage], but: Callable[[Stage], bool] | None = None) -> list[Stage]:
    """Return `targets` and the stages that they need by object, each once, after those that it needs.

    Stages for which `but` is true are left out, with what they need.
    """
    if but is None:
        return walked(targets, Stage.needed_stages)
    return walked(targets, lambda stage: [need for need in stage.needed_stages() if not but(need)])


def walked(
    targets: Iterable[Stage],
    needed: Callable[[Stage], Iterable[Stage]],
    refuse: Callable[[list[Stage]], NoReturn] | None = None,
) -> list[Stage]:
    """Return `targets` and what they need, each once, after what it needs itself; `refuse` is given any cycle.

    There is no recursion, so that a chain of thousands of stages is not too deep.
    """
    order: list[Stage] = []
    is_done: dict[int, bool] = {}
    for target in targets:
        path = [(target, iter(needed(target)))] if id(target) not in is_done else []
        is_done.setdefault(id(target), False)
        while path:
            stage, rest = path[-1]
            for need in rest:
                if id(need) not in is_done:
                    is_done[id(need)] = False
                    path.append((need, iter(needed(need))))
                    break
                if refuse is not None and not is_done[id(need)]:
                    stages = [each for each, _ in path]
                    refuse(stages[[id(each) for each in stages].index(id(need)) :])
            else:
                is_done[id(stage)] = True
                order.append(stage)
                path.pop()
    return order
