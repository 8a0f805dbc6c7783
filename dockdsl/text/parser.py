"""Parsing: from the text of a Dockerfile to values."""

from __future__ import annotations

import gc
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from dockdsl.display import cut, kind_of, one_line, shown, underlined
from dockdsl.errors import DockerfileSyntaxError, InvalidType, InvalidValue, Refused, SyntaxProblem
from dockdsl.instructions.comment import Comment
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.registry import KEYWORDS, kind_for
from dockdsl.instructions.sources import Source, external, no_image
from dockdsl.instructions.verbatim import Verbatim
from dockdsl.model.dockerfile import Dockerfile, automatic_name
from dockdsl.model.order import is_stage_like, targets_of
from dockdsl.model.stage import Stage, read_from
from dockdsl.origins import Origin, short_path
from dockdsl.syntax.directives import Directives, directives_of, settings_of
from dockdsl.syntax.instruction_line import Line, Scope
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.lines import LONGEST_READ, SPACE, logical, lower
from dockdsl.syntax.misread import Misread
from dockdsl.syntax.references import is_image
from dockdsl.syntax.words import BACKTICK

_NONE: list[int] = []
_TEXT = "Dockerfile"
_surrogate = lazy_regex("[\ud800-\udfff]")
_control = lazy_regex("[\x00-\x08\x0a-\x1f\x7f]")
_acts = re.compile(r"\s*check\s*=", re.IGNORECASE).match
# What is a blank in BuildKit's own pattern.
_is_check = lazy_regex(rf"[{SPACE}]*check[\t\n\f\r ]*=", re.IGNORECASE)
_LONGEST_KEYWORD = 40
"""Characters of an unknown instruction by which a message names it."""


def parse(text: str, path: str | None = None) -> Dockerfile:
    """Return the `Dockerfile` that a text represents; `render` turns it into text again.

    What BuildKit accepts is accepted, and what BuildKit refuses is refused. The origin of each value is its line in
    `path`, which defaults to ``Dockerfile``. All stages are kept, in the order of the text.

    Raises `DockerfileSyntaxError` with every problem in the text, `InvalidType` if `text` is not a ``str``.

    >>> file = parse("FROM golang:1.27 AS build\\nRUN go build -o /api .\\nFROM scratch\\nCOPY --from=0 /api /api\\n")
    >>> [stage.name for stage in file.stages]
    ['build', None]
    >>> print(file.stages[1].steps[0], file.stages[1].steps[0].origin)
    COPY --from=build /api /api Dockerfile:4

    Source: the Dockerfile reference, "Format".
    """
    if not isinstance(text, str):
        raise InvalidType(f"parse: the text is {kind_of(text)}; pass a str")
    return parse_with_lines(text, _TEXT if path is None else str(path))[0]


def lines_of(text: str) -> list[Line]:
    """Return the lines of the instructions in a text, as BuildKit splits them; for tools and tests.

    Raises `DockerfileSyntaxError` if a heredoc is never closed.
    """
    return _Parser(text, _TEXT).split()


def parse_with_lines(text: str, path: str) -> tuple[Dockerfile, list[Line]]:
    """Return the `Dockerfile` that a text represents, and the lines of its instructions, of one reading.

    Raises `DockerfileSyntaxError` as `parse` does.
    """
    return _Parser(text, path).run()


class _Parser:
    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self.text = text
        self.lines = text.removeprefix("\ufeff").split("\n")
        if self.lines[-1] == "" and len(self.lines) > 1:
            del self.lines[-1]
        self.problems: list[SyntaxProblem] = []

    def split(self) -> list[Line]:
        """Return the lines of the instructions."""
        directives = self._directives()
        found, _ = self._split(directives)
        if self.problems:
            raise self._error()
        return found

    def run(self) -> tuple[Dockerfile, list[Line]]:
        """Return the Dockerfile, and the lines of its instructions."""
        # What is made here is kept. The collector would go over all of it again and again, for nothing.
        is_enabled = gc.isenabled()
        try:
            gc.disable()
            directives = self._directives()
            # Lines refer to the parser, which must not refer to them: only the collector would free such a circle.
            lines, below = self._split(directives)
            dockerfile = self._read(directives, lines, below)
        finally:
            if is_enabled:
                gc.enable()
        if self.problems:
            raise self._error()
        assert dockerfile is not None  # else there are problems
        return dockerfile, lines

    def _directives(self) -> Directives:
        self._check_characters()
        if self.problems:
            raise self._error()
        directives = directives_of(self.lines)
        for number, misread in directives.misread:
            self._report("Dockerfile", misread, number, 0, len(self.lines[number].rstrip("\r")))
        # An escape character that is not valid is ignored in the lines below.
        return directives if directives.escape in ("\\", "`") else directives._replace(escape="\\")

    def _error(self) -> DockerfileSyntaxError:
        problems = tuple(sorted(self.problems, key=lambda each: (each.line, each.column)))
        first = problems[0]
        shown_path = one_line(short_path(self.path))
        blocks = []
        for each in problems:
            line = self.lines[each.line - 1].rstrip("\r")
            blocks.append(f"{shown_path}:{each.line}:{each.column}: {each.message}{_excerpt(line, each)}")
        return DockerfileSyntaxError("\n".join(blocks), origin=Origin(self.path, first.line), errors=problems)

    def _report(self, construct: str, misread: Misread, line: int, column: int, length: int) -> None:
        message = f"{construct}: {misread.fact}; {misread.remedy}"
        self.problems.append(SyntaxProblem(line + 1, column + 1, max(length, 1), message, misread.remedy))

    def _misread(self, line: Line, misread: Misread) -> None:
        text = line.logical.text
        number, column = line.logical.place(misread.start)
        end = len(text) if misread.end is None else misread.end
        shown_line = self.lines[number].rstrip("\r")
        length = min(end - misread.start, len(shown_line.rstrip()) - column)
        self._report(cut(line.keyword, _LONGEST_KEYWORD) or "Dockerfile", misread, number, column, length)

    def _split(self, directives: Directives) -> tuple[list[Line], Sequence[int]]:
        """Split the text into instructions, each with the comments above it; return also those below the last."""
        lines = self.lines
        escape = directives.escape
        found: list[Line] = []
        above: list[int] = _NONE
        tight = 0
        index = 0
        scope = Scope(self.path, self._source)
        if len(self.text) > LONGEST_READ // 4:
            self._check_lengths()
        while index < len(lines):
            raw = lines[index]
            bare = raw.strip(SPACE)
            if not bare:
                tight = len(above)
            elif bare[0] == "#":
                if index not in directives.lines:
                    if above is _NONE:
                        above = []
                    above.append(index)
            else:
                line = Line(logical(lines, index, escape, bare), 0, scope)
                index = line.logical.last
                if "<<" in line.logical.text:
                    try:
                        index = line.read_documents()
                    except Misread as misread:
                        # The rest of the text would be part of the heredoc.
                        self._misread(line, misread)
                        break
                if above:
                    line.above, line.tight = above, tight
                    above, tight = _NONE, 0
                found.append(line)
            index += 1
        return found, above

    def _check_characters(self) -> None:
        if self.text.isascii() or not _surrogate().search(self.text):
            return
        for number, line in enumerate(self.lines):
            found = _surrogate().search(line)
            if found is not None:
                fact = "the text has a lone surrogate, which is not a Unicode character"
                self._report("Dockerfile", Misread(fact, "decode the file as UTF-8"), number, found.start(), 1)

    def _check_lengths(self) -> None:
        for number, line in enumerate(self.lines):
            length = len(line.encode()) if len(line) > LONGEST_READ // 4 else 0
            if length > LONGEST_READ:
                fact = f"a line is {length:,} bytes long, and BuildKit reads at most {LONGEST_READ:,}"
                self._report("Dockerfile", Misread(fact, "break it"), number, 0, 1)

    def _read(self, directives: Directives, lines: list[Line], below: Sequence[int]) -> Dockerfile | None:
        self.stages: list[Stage] = []
        self.by_name: dict[str, Stage] = {}
        all_names, unnamed = _names(lines)
        names = [name for name in all_names if name is not None]
        self.count = len(all_names)
        self.last = {name: index for index, name in enumerate(all_names) if name is not None}
        self.names = self.last.keys()
        is_unique = len(names) == len(self.last)
        self.repeated = () if is_unique else {name for name, count in Counter(names).items() if count > 1}
        args: list[Instruction] = []
        steps = args
        begun: _Begun | None = None
        for line in lines:
            if line.keyword == "FROM":
                if line.tight:
                    steps += self._comments(line.above[: line.tight])
                self._close(begun, steps)
                begun = self._begin(line, line.above[line.tight :], unnamed)
                steps = []
            elif begun is None and line.keyword != "ARG":
                value = self._instruction(line)
                if value is not None:
                    fact = "there is no stage yet"
                    self._misread(line, Misread(fact, "write FROM image before it"))
                elif _near(line.keyword) == ["FROM"]:
                    # A misspelled FROM: do not report that the instructions below have no stage.
                    begun = _Begun(line, "scratch", None, None, None)
                    steps = []
            else:
                value = self._instruction(line)
                inside = line.comment_lines() if line.logical.parts is not None else ()
                if line.above or inside:
                    steps += self._comments(line.above, inside)
                if value is not None:
                    steps.append(value)
        steps += self._comments(below)
        self._close(begun, steps)
        if not lines and not self.problems:
            self._report("Dockerfile", Misread("the file has no instructions", "write FROM image"), 0, 0, 1)
        return None if self.problems else self._dockerfile(directives, args)

    def _instruction(self, line: Line) -> Instruction | None:
        """Read an instruction; None if it is not valid, which is then reported."""
        kind = kind_for(line.keyword)
        if kind is None:
            self._misread(line, _unknown(line))
            return None
        try:
            value = kind.read(line)
            if line.escape != "\\":
                value.spell(BACKTICK)
        except Misread as misread:
            self._misread(line, misread)
            return None
        except (Refused, InvalidValue, InvalidType) as error:
            line.refuse(error)
            return self._verbatim(line)
        return value

    def _verbatim(self, line: Line) -> Instruction | None:
        try:
            return Verbatim.of(line)
        except InvalidValue:
            # Some problems, such as a line that is too long, are reported already.
            if not self.problems:
                raise
            return None

    def _source(self, name: str, *, by_index: bool) -> Source:
        """Return what a name in ``from`` means."""
        low = name.lower()
        if low in self.names:
            # Of several, the last one is meant. BuildKit refuses this stage, and one further down, when it builds.
            stage = self.by_name.get(low) if self.last[low] < len(self.stages) else None
            return external(low) if stage is None else stage
        if by_index and name.isdecimal():
            index = name.lstrip("0") or "0"
            if len(index) < 10 and int(index) >= self.count:
                raise Refused(f"no stage has the index {name}", "name a stage", by_build=True)
            stage = self.stages[int(index)] if len(index) < 10 and int(index) < len(self.stages) else None
            if stage is None or stage.name in self.repeated:
                raise Refused(f"no earlier stage has the index {name}, or its name is used twice", "use another index")
            return stage
        if not is_image(name) and is_image(low):
            raise no_image(name)
        return external(name) if is_stage_like(name) else name

    def _begin(self, line: Line, above: Sequence[int], unnamed: frozenset[str]) -> _Begun | None:
        try:
            base, name, platform = read_from(line, self.by_name, self.names)
        except Misread as misread:
            self._misread(line, misread)
            return _Begun(line, "scratch", None, None, None)
        inside = line.comment_lines()
        comment = None
        if above or inside:
            read = [*map(self._remark, above)]
            read += [each for number in inside if (each := self._remark(number, inside=True))[0]]
            texts, acting = zip(*read, strict=True) if read else ((), ())
            comment = self._made_comment(texts, acts=any(acting), line=(above or inside)[0])
        return _Begun(line, base, name, platform, comment, nameless=name in unnamed)

    def _close(self, begun: _Begun | None, steps: list[Instruction]) -> None:
        if begun is None:
            return
        name = None if begun.nameless else begun.name
        stage = Stage.from_parsed(
            begun.line.site,
            {
                "base": begun.base,
                "name": name,
                "platform": begun.platform,
                "steps": tuple(steps),
                "comment": begun.comment,
                "is_read": True,
            },
        )
        self.stages.append(stage)
        if begun.name is not None:
            self.by_name[begun.name] = stage

    def _remark(self, number: int, *, inside: bool = False) -> tuple[str, bool]:
        """Return the text of a comment, and whether it has an effect."""
        raw = self.lines[number]
        written = raw.strip(SPACE)[1:].removeprefix(" ")
        text = (written if written.isprintable() else _control().sub(" ", written)).rstrip()
        acts = _acts(text) is not None
        if acts and (inside or not raw.startswith("#") or not _is_check().match(written)):
            # It has an effect only above an instruction, with the number sign in the first column, as it is written.
            return f"# {text}", False
        return text, acts

    def _comments(self, above: Sequence[int], inside: Sequence[int] = ()) -> list[Instruction]:
        """Return the comments above an instruction, and those among its lines."""
        found: list[Instruction] = []
        texts: list[str] = []
        first = 0
        for index, number in enumerate((*above, *inside)):
            text, acts = self._remark(number, inside=index >= len(above))
            if not text and index >= len(above):
                # Above the instruction, it would end the effect of the comments above itself.
                continue
            if acts:
                if texts:
                    found.append(self._made_comment(texts, acts=False, line=first))
                    texts = []
                found.append(self._made_comment([text], acts=True, line=number))
                continue
            if not texts:
                first = number
            texts.append(text)
        if texts:
            found.append(self._made_comment(texts, acts=False, line=first))
        return found

    def _made_comment(self, texts: Sequence[str], *, acts: bool, line: int) -> Comment:
        return Comment.from_parsed((self.path, line + 1), {"remark": "\n".join(texts), "acts": acts})

    def _dockerfile(self, directives: Directives, args: list[Instruction]) -> Dockerfile:
        check = directives.check
        if check is not None:
            settings = settings_of(check)
            # What BuildKit refuses there, it refuses when it builds: that text is kept.
            check = check if settings is None else settings or None
        syntax = directives.syntax
        return Dockerfile.from_parsed(
            Origin(self.path, 1),
            {
                "targets": targets_of(self.stages),
                "args": tuple(args),
                "syntax": syntax,
                "escape": directives.escape,
                "check": check,
                "stages": tuple(self.stages),
                "frontend": syntax,
                "is_read": True,
            },
        )


class _Begun(NamedTuple):
    """A stage that has begun."""

    line: Line
    base: Any
    name: str | None
    platform: Any
    comment: Comment | None
    nameless: bool = False


def _names(lines: Sequence[Line]) -> tuple[list[str | None], frozenset[str]]:
    """Return the name of each stage, and those that were made up for an unnamed stage."""
    froms = [line for line in lines if line.keyword == "FROM"]
    names: list[str | None] = []
    for line in froms:
        words = line.words()
        names.append(lower(words[2]) if len(words) == 3 else None)
    alike = [(index, name) for index, name in enumerate(names) if name is not None and name.startswith("stage-")]
    automatic = set()
    counts = Counter(names) if alike else {}
    for index, name in alike:
        if counts[name] == 1:
            # The stage does not count as one that has taken its own name.
            del counts[name]
            if name == automatic_name(index, counts):
                automatic.add(name)
            counts[name] = 1
    if automatic:
        automatic &= {line.words()[0] for line in froms if line.text} | {
            name for line in lines for name in _mounted(line)
        }
    return names, frozenset(automatic)


def _mounted(line: Line) -> list[str]:
    values = [each.value for each in line.flags if each.name == "mount" and each.value]
    return [option[5:].lower() for value in values for option in value.split(",") if option.startswith("from=")]


@lru_cache(1000)
def _near(keyword: str) -> list[str]:
    from difflib import get_close_matches  # noqa: PLC0415 - only needed for the message

    return get_close_matches(keyword[:_LONGEST_KEYWORD], [*KEYWORDS, "FROM"], 1)


def _unknown(line: Line) -> Misread:
    near = _near(line.keyword)
    remedy = (
        f"did you mean {near[0]}?" if near else "begin the line with a keyword, or end the line above with a backslash"
    )
    at = line.logical.text.find(line.head)
    return Misread(f"the instruction {shown(line.head)} is unknown", remedy, at, at + len(line.head))


def _excerpt(line: str, problem: SyntaxProblem) -> str:
    """Return the line with the place underlined."""
    return "".join([f"\n    {each}" for each in underlined(line, problem.column - 1, problem.length)])
