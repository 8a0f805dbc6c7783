"""Whether two Dockerfiles mean the same, with BuildKit's own parser as the judge.

The parser is the package ``dockerfile`` from PyPI, which the extra ``prove`` installs. It reads both texts; what it
finds is compared instruction by instruction. None of dockdsl's own code that reads or writes Dockerfiles takes part,
except for the expansion of words, which BuildKit does after parsing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import attrs

from dockdsl.display import kind_of
from dockdsl.errors import ExpansionError, InvalidType, InvalidValue, ProofUnavailable
from dockdsl.syntax.expand import Options, expand, references, split_words
from dockdsl.syntax.lines import SPACE, continued, lower
from dockdsl.syntax.operators import split_chain

_directive = re.compile(rf"#[{SPACE}]*([A-Za-z][A-Za-z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*").fullmatch
_is_csv = re.compile(r"""(?:"(?:[^"]|"")*"|[^",]*)(?:,(?:"(?:[^"]|"")*"|[^",]*))*""").fullmatch
_heredoc = re.compile(r"\d*<<-?(.+)", re.DOTALL).fullmatch
_tokens = re.compile(r"\0[\0 \t]*|\\.|.", re.DOTALL).findall
_has_protocol = re.compile(r"(.*/)(\w+)", re.ASCII).fullmatch
_surrogate = re.compile("[\ud800-\udfff]")
_tabs = re.compile(r"^\t+", re.MULTILINE)
# A line may be continued before, in and after the keyword, with blank lines and comments in between.
_continued = r"\\[ \t]*\r?\n(?:[^\S\n]*(?:#[^\n]*)?\n)*"
_ONBUILD = re.compile(
    rf"\A(?:\s|{_continued})*{f'(?:{_continued})*'.join('ONBUILD')}(?:\s|{_continued})+",
    re.IGNORECASE,
)
_DIRECTIVES = ("syntax", "escape", "check")
_LEXED = ("chown", "chmod", "checksum", "platform")
_EMPTY_IS_ABSENT = (*_LEXED, "from")
_IN_ORDER = ("mount", "exclude", "device")
# Names that stages should not have, according to BuildKit's own checks; they only serve as a target of the build.
_RESERVED = ("scratch", "context")
_WHOLE = ("WORKDIR", "USER", "STOPSIGNAL")
_OPTIONS = {"dst": "target", "destination": "target", "src": "source", "ro": "readonly", "rw": "readwrite"}
_BREAK = "\0"
"""Marks where a line was continued on the next; no Dockerfile that is judged contains it."""
_LONGEST = 160
"""Characters of an instruction that a difference shows."""


@attrs.frozen
class Side:
    """An instruction of one of the two texts."""

    line: int
    """Its first line, counted from 1."""
    text: str
    """The instruction with its lines joined."""

    def __str__(self) -> str:
        text = self.text.replace("\n", "\\n")
        return f"line {self.line}: {text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}"


@attrs.frozen
class Difference:
    """The first difference between two Dockerfiles; ``str()`` shows it with both instructions.

    >>> prove("FROM a", "FROM b").fact
    "FROM: the operands differ: 'a' and 'b'"

    Source: BuildKit's Dockerfile parser.
    """

    fact: str
    """What differs, and how."""
    before: Side | None
    """The instruction of the first text, or None if it has no more."""
    after: Side | None
    """The instruction of the second text, or None if it has no more."""

    def __str__(self) -> str:
        return f"{self.fact}\n  before: {self.before or 'none'}\n  after:  {self.after or 'none'}"


def prove(before: str, after: str) -> Difference | None:
    r"""Return the first difference between two Dockerfiles, or None if BuildKit reads the same in both.

    The directives are compared, and the keyword, the flags, the operands, the form (JSON or shell) and the heredocs of
    each instruction. These count as the same: ``ENV k v`` and ``ENV k=v``; words that differ only in quotes and escapes
    that have no effect; names of stages and protocols of ports in upper and lower case, and the index of a stage
    instead of its name; flags, and the options of a mount, in another order; a JSON array in another spelling;
    whitespace where a command is continued on the next line, and around an ``&&`` between commands. Comments are not
    compared.

    Raises `ProofUnavailable` if the extra ``prove`` is not installed, `InvalidValue` for a text that BuildKit's
    parser refuses, `InvalidType` for anything but a ``str``.

    >>> prove("FROM a AS B\nENV k v\nCOPY --from=0 x y\n", "FROM a AS b\nENV k=v\nCOPY --from=0 x y\n") is None
    True
    >>> print(prove("FROM a\nENV k 'v w'\n", "FROM a\nENV k='v  w'\n"))
    ENV: the operands differ: 'v w' and 'v  w'
      before: line 2: ENV k 'v w'
      after:  line 2: ENV k='v  w'

    Source: BuildKit's Dockerfile parser.
    """
    one, other = _Reading(before, "before"), _Reading(after, "after")
    for name in _DIRECTIVES:
        if name != "escape" and one.setting(name) != other.setting(name):
            values = " and ".join([str(each.directives.get(name)) for each in (one, other)])
            return Difference(f"the directive {name} differs: {values}", None, None)
    for found, again in zip_longest(one.instructions(), other.instructions()):
        fact = _differ(found, again)
        if fact is not None:
            return Difference(fact, found and found.side, again and again.side)
    return None


class _Said(NamedTuple):
    """What an instruction means: its keyword, and its parts in a normal form."""

    side: Side
    keyword: str
    parts: Mapping[str, Any]


def _differ(one: _Said | None, other: _Said | None) -> str | None:
    """Return how two instructions differ, if they do."""
    if one is None or other is None:
        return "one has an extra instruction"
    if one.keyword != other.keyword:
        return f"{one.keyword} became {other.keyword}"
    for name, value in one.parts.items():
        again = other.parts[name]
        if value != again:
            return f"{one.keyword}: the {name} differ: {_contrast(value, again)}"
    return None


def _contrast(one: Any, other: Any) -> str:
    """Show the first place in which two parts differ."""
    if isinstance(one, tuple) and isinstance(other, tuple) and type(one) is tuple and len(one) == len(other):
        return next(_contrast(left, right) for left, right in zip(one, other, strict=True) if left != right)
    if isinstance(one, _Word) and isinstance(other, _Word):
        return _contrast(one.text, other.text)
    if isinstance(one, str) and isinstance(other, str) and max(len(one), len(other)) > _LONGEST // 2:
        pairs = zip_longest(one, other)
        at = next((index for index, (left, right) in enumerate(pairs) if left != right), 0)
        start, end = max(0, at - 20), at + 40
        return f"…{one[start:end]!r}… and …{other[start:end]!r}…"
    return f"{one!r} and {other!r}"


class _Set(dict[str, str]):
    """An environment in which every variable is set, to a value made of its name."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form

    def get(self, key: str, default: Any = None) -> Any:
        return self.form.format(key)


# The blanks show where a value is split into words.
_ENVIRONMENTS: tuple[Mapping[str, str], ...] = (_Set("\x02 {} \x03"), _Set(""), {})


@attrs.frozen
class _Word:
    """What a word expands to in each environment: quotes and escapes count only by their effect."""

    text: str = attrs.field(eq=False)
    values: tuple[object, ...]
    modified: tuple[object, ...]


def _word(
    text: str,
    escape: str,
    options: Options = Options(),  # noqa: B008 - it is frozen
    read: Callable[..., Any] = expand,
) -> object:
    if not any(char in text for char in "\"'\\`$\ufeff"):
        return text if read is expand else (text,)
    values: list[object] = []
    failed = 0
    for environment in _ENVIRONMENTS:
        try:
            found = read(text, environment, escape=escape, options=options)
            values.append(found if isinstance(found, str) else tuple(found))
        except ExpansionError as error:
            # A variable that must be set is missing.
            values.append((error.reason,))
            failed += 1
    if failed == len(values):
        return text
    if not failed and "$" not in text:
        return values[0]
    # No environment may distinguish one pattern from another, or reach an inner default.
    modified = [each for each in references(text, escape=escape, options=options) if each.modifier]
    return _Word(text, tuple(values), tuple([(each.name, each.modifier, *each.operands) for each in modified]))


class _Reading:
    """A Dockerfile as BuildKit's parser reads it."""

    def __init__(self, text: str, which: str) -> None:
        if not isinstance(text, str):
            raise InvalidType(f"prove: {which}: the text is {kind_of(text)}; pass a str")
        if "\0" in text:
            raise InvalidValue(
                f"prove: {which}: the text has a NUL character, at which BuildKit's parser stops; remove it"
            )
        try:
            text.encode()
        except UnicodeEncodeError:
            # The parser would take the whole process down.
            raise InvalidValue(f"prove: {which}: the text has a lone surrogate; decode it first") from None
        self.which = which
        self.lines = text.removeprefix("\ufeff").split("\n")
        self.directives: dict[str, str] = {}
        top = self._read_directives()
        self.escape = self.directives.get("escape", "\\")
        # The parser does not know the newer directives, and looks for none after one that it does not know.
        judged = [f"# escape={self.escape}", *[""] * top, *self.lines[top:]]
        self.commands = _parsed("\n".join(judged), which)
        self.indexes: dict[str, int] = {}
        self.stage = -1
        self.last = _last_of_each_name(self.commands)

    def _read_directives(self) -> int:
        """Note the directives; return how many lines the parser of lines takes for them."""
        top = 0
        for line in self.lines:
            name, value = _named(line.lstrip(SPACE))
            if name not in _DIRECTIVES or (name == "escape" and name in self.directives):
                break
            top += 1
            if name == "escape":
                self.directives[name] = value
        # The other two are looked for in the first column, and after a line with the name of a program.
        for line in self.lines[1:] if self.lines[0].startswith("#!") else self.lines:
            name, value = _named(line)
            if name not in _DIRECTIVES or (name != "escape" and name in self.directives):
                break
            if name != "escape":
                self.directives[name] = value
        return top

    def instructions(self) -> Iterator[_Said]:
        """Yield what each instruction says."""
        end = 0
        for command in self.commands:
            # The line that was put in front is counted.
            start, last = command.start_line - 2, command.end_line - 1
            checks = _checks(self.lines[end:start])
            end = last
            side = Side(start + 1, command.original.rstrip("\n"))
            yield _Said(side, _keyword(command), {"checks": checks, **self._parts(command, start, last)})

    def setting(self, name: str) -> object:
        """Return what a directive says."""
        value = self.directives.get(name)
        return _settings(value) if name == "check" and value is not None else value

    def _parts(self, command: Any, start: int, end: int) -> dict[str, Any]:
        keyword = _keyword(command)
        words = tuple(command.value)
        heredocs = tuple([(each.name, each.content) for each in command.heredocs])
        # BuildKit ignores flags where an instruction has none.
        kind = "".join(words[:1]).upper() if keyword == "HEALTHCHECK" else ""
        ignored = keyword in ("ARG", "STOPSIGNAL") or kind == "NONE"
        flags = () if ignored else self._flags(keyword, command.flags)
        escape = self.escape
        operands: Any = tuple([_word(each, escape) for each in words])
        match keyword:
            case "FROM":
                operands = self._from(words)
            case "ARG":
                found = [each.partition("=") for each in words]
                operands = tuple([(name, _word(value, escape) if equals else None) for name, equals, value in found])
            case "COPY" | "ADD":
                operands, heredocs = self._files(words, heredocs)
            case "VOLUME":
                operands = tuple([_word(each.strip(SPACE), escape) for each in words])
            case "EXPOSE":
                operands = tuple([_word(_protocol(each), escape, read=split_words) for each in words])
            case "ENV" | "LABEL":
                pass
            case "HEALTHCHECK" if kind == "NONE":
                return {"flags": flags, "kind": kind, "form": "", "operands": words[1:], "heredocs": heredocs}
            case "RUN" | "CMD" | "ENTRYPOINT" | "HEALTHCHECK":
                given = self._command(command, start, end, words[bool(kind) :], heredocs)
                return {"flags": flags, "kind": kind, **given}
            case "ONBUILD":
                return {"triggers": self._trigger(command.original, start, end)}
            case "SHELL" | "MAINTAINER":
                operands = words
            case other if other not in _WHOLE:
                operands = (command.original.strip(SPACE),)
        return {"flags": flags, "operands": operands, "heredocs": heredocs}

    # FROM, and references to stages

    def _from(self, words: Sequence[str]) -> tuple[Any, ...]:
        base = _word(words[0], self.escape)
        known = self.indexes.get(base) if isinstance(base, str) else None
        self.stage += 1
        name = lower(words[2]) if len(words) > 2 else None
        if name is not None:
            self.indexes[name] = self.stage
        if name in _RESERVED or self.last.get(name or "") != self.stage or _is_automatic(self.stage, name or ""):
            name = None
        return (base if known is None else ("stage", known), *words[3:], name)

    def _source(self, name: str, *, index: bool) -> object:
        """Return what ``from`` names: the index of a stage, or the name itself."""
        known = self.last.get(lower(name))
        if known is None and index and name.isdecimal() and int(name) < self.stage:
            known = int(name)
        return name if known is None else ("stage", known)

    # Flags

    def _flags(self, keyword: str, found: Sequence[str]) -> tuple[Any, ...]:
        flags: list[tuple[str, Any]] = []
        for each in found:
            name, equals, value = each.removeprefix("--").partition("=")
            if equals and not value and name in _EMPTY_IS_ABSENT:
                continue
            meant: Any = value
            if name == "retries" and value.isdecimal():
                meant = int(value)
            elif not equals or value.lower() in ("true", "false"):
                meant = value.lower() != "false"
            elif name in _LEXED:
                meant = _word(value, self.escape)
            elif name == "from" and keyword == "COPY":
                meant = self._source(value, index=True)
            elif name == "mount":
                meant = self._mount(value)
            flags.append((name, meant))
        # Flags that may be repeated keep their order.
        single = sorted([each for each in flags if each[0] not in _IN_ORDER], key=lambda each: each[0])
        return (*single, *[each for name in _IN_ORDER for each in flags if each[0] == name])

    def _mount(self, text: str) -> object:
        if not text or not _is_csv(text):
            return text
        (fields,) = csv.reader([text], strict=True)
        options: dict[str, Any] = {}
        for field in fields:
            given, equals, value = field.partition("=")
            name = _OPTIONS.get(given.lower(), given.lower())
            if name in options or (name in ("required", "size") and "type" not in options):
                # Their order counts, and BuildKit may refuse it: it is left alone.
                return text
            if name == "from":
                options[name] = self._source(value, index=False) if value else None
            elif name in ("readonly", "readwrite", "required"):
                options[name] = True if not equals else _switch(value)
            else:
                meant = _word(value, self.escape)
                options[name] = meant.lower() if name in ("type", "sharing") and isinstance(meant, str) else meant
        options.setdefault("type", "bind")
        if options["type"] == "secret" and "id" not in options and "source" in options:
            options["id"] = options.pop("source")
        if {"readonly", "readwrite"} <= set(options):
            return text
        _normalize_access(options)
        return tuple(sorted([each for each in options.items() if each[1] is not None], key=lambda each: each[0]))

    # Files

    def _files(self, words: Sequence[str], heredocs: Sequence[tuple[str, str]]) -> tuple[Any, Any]:
        names = [name for name, _ in heredocs]
        operands: list[Any] = []
        bodies: list[Any] = []
        for each in words:
            start = _heredoc(each.rstrip(SPACE))
            if start is None or len(bodies) == len(names) or _name_of(start[1]) != names[len(bodies)]:
                operands.append(_word(each, self.escape))
                continue
            content = heredocs[len(bodies)][1]
            content = _tabs.sub("", content) if "<<-" in each else content
            exact = "'" in start[1] or '"' in start[1]
            options = Options(skip_process_quotes=True)
            bodies.append(content if exact else _word(content, "\\", options))
            operands.append(("heredoc", names[len(bodies) - 1]))
        return tuple(operands), tuple(bodies) if len(bodies) == len(names) else heredocs

    # Commands

    def _command(
        self, command: Any, start: int, end: int, words: tuple[str, ...], heredocs: tuple[tuple[str, str], ...]
    ) -> dict[str, Any]:
        text = _behind_array(command.original, words).rstrip(SPACE) if command.json else "".join(words)
        if command.json and not text:
            return {"form": "exec", "operands": words, "heredocs": heredocs}
        if heredocs:
            return {"form": "shell", **_with_heredocs(text, heredocs)}
        joined = self._with_breaks(command.original, start, end)
        if joined is not None:
            text = _behind(joined, len(text))
        return {
            "form": "shell",
            "operands": _shell_text(text, chains=self.escape == "\\"),
            "heredocs": (),
        }

    def _with_breaks(self, original: str, start: int, end: int) -> str | None:
        """Return the joined lines of an instruction with a mark at each place where they were joined."""
        parts: list[str] = []
        ends = re.compile(rf"{re.escape(self.escape)}[ \t]*$")
        for line in self.lines[start:end]:
            stripped = line.strip(SPACE)
            if parts and (not stripped or stripped.startswith("#")):
                continue
            parts.append(ends.sub("", line.rstrip("\r")))
        # The parser strips the ends.
        joined = _BREAK.join(parts).lstrip(SPACE + _BREAK).rstrip(SPACE)
        return joined if joined.replace(_BREAK, "") == original.strip(SPACE) else None

    def _trigger(self, original: str, start: int, end: int) -> object:
        """Return what the instruction after ONBUILD means: the parser keeps only its keyword."""
        lines = self.lines[start:end]
        if self.escape != "\\":
            # The build that runs it has its own escape character, by default the backslash; a heredoc has none.
            joined = (at for at, line in enumerate(lines) if line.strip(SPACE)[:1] not in ("", "#") or not at)
            size = next((at + 1 for at in joined if not continued(lines[at], self.escape)), len(lines))
            head = "\n".join(lines[:size])
            lines[:size] = [original if "\\" in head else re.sub(r"(?m)(?<!`)`[ \t]*(?=\r?$)", "\\\\", head)]
        whole = "\n".join(lines)
        text, found = _ONBUILD.subn("", whole)
        if not found:
            return original.strip(SPACE)
        try:
            inner = _Reading(f"# escape=\\\n{text}", f"{self.which}, in ONBUILD")
        except InvalidValue:
            # Only the build that runs it would refuse it.
            return original.rstrip(SPACE)
        return tuple([(said.keyword, *said.parts.items()) for said in inner.instructions()])


def _named(line: str) -> tuple[str, str]:
    """Return the name and the value of a directive; the name is empty if the line is not a directive."""
    found = _directive(line.removesuffix("\r"))
    return ("", "") if found is None else (found[1].lower(), found[2])


def _settings(value: str) -> object:
    """Return what a ``check`` says; the text itself where BuildKit refuses it, None where it changes nothing."""
    value = value.strip(SPACE).partition(" ")[0]
    if not value:
        return None
    rules: dict[str, frozenset[str]] = {}
    error: object = False
    for each in value.split(";", 2):
        name, equals, said = [part.strip(SPACE) for part in each.partition("=")]
        if name in ("skip", "experimental") and equals:
            found = frozenset(["all"] if said == "all" else [rule.strip(SPACE) for rule in said.split(",")]) - {""}
            rules[name] = found if "all" not in rules.get(name, ()) else rules[name]
        elif name == "error" and isinstance(_switch(said), bool):
            error = _switch(said)
        else:
            return value
    meant = (frozenset(rules.get("skip", ())), frozenset(rules.get("experimental", ())), error)
    return meant if any(meant) else None


def _checks(lines: Sequence[str]) -> object:
    """Return what the comments above an instruction say to the checks: the first of them, if BuildKit can read it."""
    found: object = None
    for line in lines:
        name, value = _named(line)
        if line.strip(SPACE) == "#":
            found = None
        elif name == "check" and found is None:
            meant = _settings(value)
            found = () if meant is None or isinstance(meant, str) else meant
    return found or None


def _keyword(command: Any) -> str:
    """Return the keyword in capitals."""
    return lower(command.cmd).upper()


def _last_of_each_name(commands: Any) -> dict[str, int]:
    """Return the index of the last stage of each name: it hides earlier ones of the same name."""
    stages = [tuple(command.value) for command in commands if _keyword(command) == "FROM"]
    return {lower(words[2]): index for index, words in enumerate(stages) if len(words) > 2}


def _is_automatic(index: int, name: str) -> bool:
    """Whether a name is one that an unnamed stage is given where it needs a name."""
    return re.fullmatch(rf"stage-{index}(-unnamed)*", name) is not None


def _protocol(port: str) -> str:
    """Return an operand of EXPOSE with the protocol in lower case, as BuildKit reads it."""
    found = _has_protocol(port)
    return port if found is None else f"{found[1]}{found[2].lower()}"


def _name_of(delimiter: str) -> str:
    """Return the name of a heredoc, given its delimiter as it is written."""
    try:
        words = split_words(delimiter, {})
    except ExpansionError:
        # There is whitespace in its quotes, and the parser has split it there.
        return delimiter
    return words[0] if len(words) == 1 else delimiter


def _normalize_access(options: dict[str, Any]) -> None:
    """Leave one option that says whether a mount is writable."""
    for name, other in (("readonly", "readwrite"), ("readwrite", "readonly")):
        if options.get(name) is False:
            del options[name]
            options.setdefault(other, True)
    default = {"bind": "readonly", "cache": "readwrite", "tmpfs": "readwrite"}.get(str(options["type"]))
    if default in options and len({"readonly", "readwrite"} & set(options)) == 1:
        del options[default]


def _switch(value: str) -> object:
    """Read a Boolean as Go does; anything else, such as a variable, stays as it is."""
    if value in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    return False if value in ("0", "f", "F", "false", "FALSE", "False") else value


def _behind_array(original: str, elements: Sequence[str]) -> str:
    """Return what follows the array of an instruction: the parser ignores it. There may be brackets in its flags."""
    import json  # noqa: PLC0415 - only arrays need it

    at = original.find("[")
    while at >= 0:
        try:
            found, end = json.JSONDecoder().raw_decode(original, at)
        except (ValueError, RecursionError):
            found = end = None
        if isinstance(found, list) and [_surrogate.sub("\ufffd", str(each)) for each in found] == list(elements):
            return original[at:] if original[end:].strip(SPACE) else ""
        at = original.find("[", at + 1)
    return original


def _with_heredocs(text: str, heredocs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return what the shell is given of a command with heredocs."""
    if "<<-" in text:
        # The shell strips the tabs.
        heredocs = [(name, _tabs.sub("", content)) for name, content in heredocs]
    start = _heredoc(text.strip(SPACE))
    if len(heredocs) == 1 and start is not None and not re.search(r"\s", start[1]):
        # It is the whole command: its name does not matter.
        return {"operands": heredocs[0][1].removesuffix("\n"), "heredocs": ()}
    return {"operands": text, "heredocs": tuple(heredocs)}


def _behind(joined: str, length: int) -> str:
    """Return the last `length` characters of a text, not counting marks."""
    at = len(joined)
    while length:
        at -= 1
        length -= joined[at] != _BREAK
    return joined[at:]


def _shell_text(text: str, *, chains: bool) -> str:
    """Return shell text without its layout: one space where a line was continued, and around an ``&&``."""
    pieces: list[str] = []
    quote = ""
    for token in _tokens(text):
        if token[0] == _BREAK and not quote:
            blank = len(token) > 1
            while pieces and pieces[-1] in " \t":
                pieces.pop()
                blank = True
            pieces.append(" " if blank else "")
            continue
        pieces.append(token.replace(_BREAK, ""))
        if token == quote:
            quote = ""
        elif token in ("'", '"') and not quote:
            quote = token
        elif quote == "'" and token[0] == "\\":
            # A backslash escapes nothing there, not even the quote.
            quote = "" if token[1:] == "'" else quote
    joined = "".join(pieces)
    parts = split_chain(joined) if chains else None
    return joined if parts is None else " && ".join(parts)


def _parsed(text: str, which: str) -> Any:
    """Return what BuildKit's parser finds."""
    try:
        import dockerfile  # noqa: PLC0415 - an extra brings it
    except ImportError:
        raise ProofUnavailable(
            'prove: BuildKit\'s parser is not installed; run: pip install "dockdsl[prove]"'
        ) from None
    try:
        commands = dockerfile.parse_string(text)
    except dockerfile.GoParseError as error:
        raise InvalidValue(f"prove: {which}: BuildKit's parser refuses the text: {error}; fix it") from None
    if not all(each.cmd for each in commands):
        raise InvalidValue(f"prove: {which}: an instruction is nothing but an escape character; remove it")
    return commands
