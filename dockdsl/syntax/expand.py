"""Word expansion: quotes, escapes and variable references, as BuildKit reads them.

A word is read once, from left to right, with a stack of what is still open instead of recursion, since a word may be
nested as deeply as it is long. Patterns are matched by stepping a set of states, kept as the bits of one integer, so
that no pattern can make a match slow.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, NoReturn

import attrs

from dockdsl.display import kind_of, shown
from dockdsl.errors import ExpansionError, InvalidType, InvalidValue, Refused
from dockdsl.syntax.cursor import Cursor, leading_name, run_without
from dockdsl.syntax.lazy_regex import lazy_regex

_BOM = "\ufeff"
# What Go takes for whitespace: unlike Python, not the four separators U+001C to U+001F.
_SPACES = lazy_regex(r"[^\S\x1c-\x1f]+")
_HEREDOC = lazy_regex(r"<<[ \t\r]*")
_GROUP = lazy_regex(r"\$(?:\$|(\w+)|\{(\w+)\})")
_WHOLE_CHARACTERS = lazy_regex(r"\\.|.", re.DOTALL)
_ESCAPABLE = frozenset("*?\\}/")
# The wildcards of a pattern, longer than any of its characters.
_ANY, _STAR = "any", "star"
_WITH_OPERAND = frozenset({"-", ":-", "+", ":+", "?", ":?", "#", "%"})
_MODIFIERS = ":- - :+ + :? ? # ## % %% / //"


@attrs.frozen
class Options:
    """Options for reading a word; each is off by default.

    `raw_quotes` keeps the quotes around quoted text, `raw_escapes` the escape characters.
    `skip_unset_env` leaves a reference to an unset variable as it is written.
    `skip_process_quotes` treats quotes as ordinary characters (as in the body of a heredoc).

    >>> expand("'a' $B", {}, options=Options(raw_quotes=True, skip_unset_env=True))
    "'a' $B"

    Source: the fields of BuildKit's shell lexer.
    """

    raw_quotes: bool = False
    raw_escapes: bool = False
    skip_unset_env: bool = False
    skip_process_quotes: bool = False


_ORDINARY = Options()
_SPECIAL = frozenset("'\"$\\`")


def expand(word: str, env: Mapping[str, str], *, escape: str = "\\", options: Options = _ORDINARY) -> str:
    r"""Return `word` without its quotes and escapes, and with the variables of `env` filled in.

    `escape` is the escape character of the Dockerfile: a backslash or a backtick. An unset variable
    counts as empty. The forms are ``$v``, ``${v}``, ``${v:-w}``, ``${v-w}``, ``${v:+w}``,
    ``${v+w}``, ``${v:?message}``, ``${v?message}``, ``${v#p}``, ``${v##p}``, ``${v%p}``,
    ``${v%%p}``, ``${v/p/r}`` and ``${v//p/r}``; in a pattern `p`, ``*`` and ``?`` are wildcards.

    Raises `ExpansionError` where BuildKit refuses the word: an unclosed quote or brace, an unknown modifier, an invalid
    pattern, a missing mandatory variable. Raises `InvalidValue` for another escape character, `InvalidType` for a word
    or a value that is not a string, and for an `env` that is not a mapping.

    >>> expand("$HOME/'$HOME'/${TAG:-latest}", {"HOME": "/root"})
    '/root/$HOME/latest'
    >>> expand("${FILE%%.*}", {"FILE": "app.tar.gz"})
    'app'
    >>> expand("`$PATH", {}, escape="`")
    '$PATH'

    Source: Dockerfile reference, "Environment replacement".
    """
    _check(word, escape)
    if not isinstance(env, (dict, Mapping)):
        raise InvalidType(f"env={shown(env)}: this is {kind_of(env)}; pass a dict")
    if _is_plain(word, escape):
        return word
    text = _Text()
    _Lexer(word, escape, options, lambda reference: _value(reference, env, options)).read(text)
    return text.get()


def split_words(word: str, env: Mapping[str, str], *, escape: str = "\\", options: Options = _ORDINARY) -> list[str]:
    """Expand `word` as `expand` does, and split the result into words at whitespace.

    Quoted or escaped whitespace does not split words; whitespace in the value of a variable does. BuildKit has a flaw
    here, which is reproduced: at the end of the operand of a ``${v:-w}``, ``${v#p}`` or ``${v/p/r}``, the word that
    began before the reference is lost.

    Raises what `expand` raises.

    >>> split_words("80 $PORTS '1 2'", {"PORTS": "81 82"})
    ['80', '81', '82', '1 2']
    >>> split_words("80 8${X:-1}", {})
    ['80', '1']

    Source: how BuildKit reads the operands of EXPOSE.
    """
    _check(word, escape)
    if word.isascii() and word.isprintable() and _SPECIAL.isdisjoint(word) and "<< " not in word:
        return word.split()
    words = _Words()
    _Lexer(word, escape, options, lambda reference: _value(reference, env, options)).read(words)
    return words.split()


def names(word: str, *, escape: str = "\\", options: Options = _ORDINARY) -> list[str]:
    """Return the names of the variables that `word` refers to, each once, in order.

    Names in operands are included whether or not their text would be used: BuildKit expands all of them.

    Raises `ExpansionError` if no variables could make the word valid; mandatory variables and the validity of patterns
    depend on values, and are not checked. Raises `InvalidValue` and `InvalidType` as `expand` does.

    >>> names("$A/${B:-${C}/$A}/'$D'")
    ['A', 'B', 'C']

    Source: Dockerfile reference, "Environment replacement".
    """
    return list(dict.fromkeys(reference.name for reference in references(word, escape=escape, options=options)))


def references(word: str, *, escape: str = "\\", options: Options = _ORDINARY) -> list[Reference]:
    """Return the references in `word` in order, those in operands included; raise what `names` raises."""
    _check(word, escape)
    if "$" not in word and _is_plain(word, escape):
        return []
    found: list[Reference] = []

    def record(reference: Reference) -> str:
        found.append(reference)
        return reference._replace(braces=True).spell()  # what comes next may be a letter

    _Lexer(word, escape, options, record).read(_Text())
    return sorted(found, key=lambda reference: reference.start)


def _check(word: str, escape: str) -> None:
    if not isinstance(word, str):
        raise InvalidType(f"word={shown(word)}: this is {kind_of(word)}; pass a str")
    if escape not in ("\\", "`"):
        raise InvalidValue(f"escape={shown(escape)}: this is not an escape character; use a backslash or a backtick")


def _is_plain(word: str, escape: str) -> bool:
    return not ("$" in word or escape in word or '"' in word or "'" in word or word.startswith(_BOM))


class _Text:
    """The text of a word, a quotation or an operand so far."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[str] = []

    def add(self, text: str) -> None:
        """Append text in which whitespace separates words."""
        self._parts.append(text)

    add_source = add
    """Append text that is written in the word itself."""
    add_solid = add
    """Append text in which whitespace is quoted or escaped."""

    def lose_word(self) -> None:
        """Note that an operand has ended."""

    def get(self) -> str:
        return "".join(self._parts)


class _Words(_Text):
    """The same for the outermost text of `split_words`; its parts are those of the last word."""

    __slots__ = ("_words",)

    def __init__(self) -> None:
        super().__init__()
        self._words: list[str] = []

    def add_source(self, text: str) -> None:
        start = 0
        if "<<" in text:
            # Since 1.16 these blanks after << belong to the word, for the sake of heredocs; no others do.
            for found in _HEREDOC().finditer(text):
                self.add(text[start : found.start()])
                self._parts.append(found[0])
                start = found.end()
        self.add(text[start:])

    def add(self, text: str) -> None:
        first, *others = _SPACES().split(text)
        self._parts.append(first)
        for other in others:
            self._end_word()
            self._parts.append(other)

    def lose_word(self) -> None:
        self._parts.clear()

    def split(self) -> list[str]:
        self._end_word()
        return self._words

    def _end_word(self) -> None:
        if word := self.get():
            self._words.append(word)
        self._parts.clear()


class Reference(NamedTuple):
    """A variable reference: ``$name``, or name, modifier and operands between braces."""

    name: str
    modifier: str
    start: int
    braces: bool
    operands: list[str]

    def spell(self) -> str:
        """Return the reference as BuildKit writes it back: with a single slash even for ``//``."""
        if not self.braces:
            return f"${self.name}"
        if self.modifier == "//":
            return "${" + "/".join([self.name, *self.operands]) + "}"
        return "${" + self.name + self.modifier + "/".join(self.operands) + "}"


class _Open(NamedTuple):
    """What is not closed yet: the word itself, a double quote, or an operand of a reference."""

    closing: str
    plain: re.Pattern[str]
    text: _Text
    start: int
    raw_escapes: bool
    reference: Reference | None = None


class _Lexer(Cursor):
    """Reads one word; `resolve` returns the text of a reference when it is complete."""

    def __init__(self, word: str, escape: str, options: Options, resolve: Callable[[Reference], str]) -> None:
        super().__init__(word, escape)
        self._options = options
        self._resolve = resolve
        self._special = "$" + escape + ("" if options.skip_process_quotes else "'\"")

    def read(self, text: _Text) -> None:
        """Read the word into `text`."""
        self._text = text
        self._stack = [_Open("", run_without(self._special), text, 0, raw_escapes=self._options.raw_escapes)]
        while True:
            innermost = self._stack[-1]
            if run := self.run(innermost.plain):
                innermost.text.add_source(run)
            if self.at == len(self.word):
                break
            char = self.word[self.at]
            if char == innermost.closing:
                self.at += 1
                self._close()
            elif char == "$":
                self._read_reference()
            elif char == self.escape:
                kept = self.escape if innermost.raw_escapes else ""
                innermost.text.add_solid(kept + self.escaped(in_quotes=innermost.closing == '"'))
            elif char == "'":
                self._read_single_quotes(innermost)
            else:
                plain = run_without('"$' + self.escape)
                self._stack.append(_Open('"', plain, _Text(), self.at, raw_escapes=innermost.raw_escapes))
                self.at += 1
        if len(self._stack) > 1:
            self._fail_open(self._stack[-1])

    def _read_single_quotes(self, innermost: _Open) -> None:
        quoted = self.single_quoted()
        if quoted is None:
            self._fail_quote("single", "'", self.at)
        innermost.text.add_solid(f"'{quoted}'" if self._options.raw_quotes else quoted)

    def _open_operand(self, reference: Reference, closing: str, *, raw_escapes: bool) -> None:
        plain = run_without(self._special + closing)
        self._stack.append(
            _Open(closing, plain, _Text(), reference.start, raw_escapes=raw_escapes, reference=reference)
        )

    def _close(self) -> None:
        closed = self._stack.pop()
        text = closed.text.get()
        reference = closed.reference
        if reference is None:
            self._stack[-1].text.add_solid(f'"{text}"' if self._options.raw_quotes else text)
            return
        self._text.lose_word()
        reference.operands.append(text)
        if closed.closing == "/":
            self._open_operand(reference, "}", raw_escapes=True)
        else:
            self._finish(reference)

    def _finish(self, reference: Reference) -> None:
        try:
            value = self._resolve(reference)
        except Refused as refused:
            self._fail(reference.start, self.at, *refused.args)
        self._stack[-1].text.add(value)

    def _read_reference(self) -> None:
        word = self.word
        start = self.at
        self.at += 1
        if not word.startswith("{", self.at):
            if name := self.name():
                self._finish(Reference(name, "", start, braces=False, operands=[]))
            else:
                self._stack[-1].text.add("$")
            return
        self.at += 1
        if word[self.at : self.at + 1] in {"{", "}", ":"}:
            self._fail(start, self.at + 1, "no name follows the brace", "write ${NAME}, " + self._plain_dollar())
        name = self.name()
        char = word[self.at : self.at + 1]
        self.at += 1
        modifier = char
        if char in {":", "/"}:
            following = word[self.at : self.at + 1]
            if char == ":" or following == "/":
                self.at += 1
                modifier += following
        if not char or modifier == ":":
            self._fail_brace(start)
        reference = Reference(name, "" if char == "}" else modifier, start, braces=True, operands=[])
        if modifier == "}":
            self._finish(reference)
        elif char == "/":
            self._open_operand(reference, "/", raw_escapes=True)
        elif modifier in _WITH_OPERAND or self._defers(modifier):
            self._open_operand(reference, "}", raw_escapes=char in {"#", "%"})
        else:
            self._fail(start, self.at, *_unknown(modifier).args)

    def _defers(self, modifier: str) -> bool:
        # If references to unset variables are left as they are, a wrong modifier matters only when the variable is set.
        return self._options.skip_unset_env and modifier.startswith(":") and modifier not in {":#", ":%"}

    def _fail_open(self, innermost: _Open) -> NoReturn:
        if innermost.closing == '"':
            self._fail_quote("double", '"', innermost.start)
        if innermost.closing == "/":
            self._fail(
                innermost.start, len(self.word), "the replacement is missing", "write ${NAME/PATTERN/REPLACEMENT}"
            )
        self._fail_brace(innermost.start)

    def _fail_quote(self, kind: str, char: str, start: int) -> NoReturn:
        fact = f"the {kind} quote is never closed"
        self._fail(start, len(self.word), fact, f"close it, or write {self.escape}{char} for the character")

    def _fail_brace(self, start: int) -> NoReturn:
        self._fail(start, len(self.word), "the brace is never closed", f"add a }}, {self._plain_dollar()}")

    def _plain_dollar(self) -> str:
        return f"or write {self.escape}$ for a plain dollar"

    def _fail(self, start: int, end: int, fact: str, remedy: str = "") -> NoReturn:
        construct = self.word[start:end]
        place = "" if construct == self.word else f" in {shown(self.word)}"
        reason = f"{fact}; {remedy}" if remedy else fact
        raise ExpansionError(f"{shown(construct)}{place}: {reason}", reason=reason) from None


def _value(reference: Reference, env: Mapping[str, str], options: Options) -> str:
    name, modifier = reference.name, reference.modifier
    value = env.get(name)
    if value is None and options.skip_unset_env:
        return reference.spell()
    if value is not None and not isinstance(value, str):
        raise InvalidType(f"env[{name!r}]={shown(value)}: this is {kind_of(value)}; pass a str")
    if not modifier:
        return value or ""
    if modifier.startswith(":") and modifier not in _WITH_OPERAND:
        raise _unknown(modifier)
    operand = reference.operands[0]
    missing = not value if modifier.startswith(":") else value is None
    match modifier[-1]:
        case "-":
            return operand if missing else value or ""
        case "+":
            return "" if missing else operand
        case "?":
            if missing:
                state = "not set" if value is None else "empty"
                message = f": {operand}" if operand else ""
                raise Refused(f"{name} is {state}{message}", "give it a value with ARG or ENV")
            return value or ""
        case "/":
            return _replace(value or "", *reference.operands, every=modifier == "//")
        case end:
            return _trim(value or "", operand, end)


def _unknown(modifier: str) -> Refused:
    return Refused(f"{modifier!r} is not a modifier", f"use one of {_MODIFIERS}")


def _trim(value: str, pattern: str, end: str) -> str:
    """Return `value` without what matches `pattern` at its front (`end` ``#``) or back (``%``)."""
    longest = pattern.startswith(end)
    if longest:
        pattern = pattern[1:]
    if end == "%":
        # Back to front, with each escape before its character. An escape that ends the pattern ends up before another
        # character: BuildKit takes it for the escape of that one.
        pattern = "".join(reversed(_WHOLE_CHARACTERS().findall(pattern)))
        value = value[::-1]
    ends = _Glob(_tokens(pattern)).ends(value)
    cut = _last(ends) if longest else next(ends, 0)
    return value[cut:][::-1] if end == "%" else value[cut:]


def _replace(value: str, pattern: str, replacement: str, *, every: bool) -> str:
    parts: list[str] = []
    done = 0
    for start, end in _matches(pattern, value):
        # An empty match right after the one before does not count.
        if end > done or start == 0:
            parts.append(value[done:start])
            parts.append(_fill(replacement, value[start:end]) if every else replacement)
            done = end
        if not every:
            break
    parts.append(value[done:])
    return "".join(parts)


def _matches(pattern: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of the leftmost longest matches, none overlapping the one before."""
    tokens = _tokens(pattern)
    glob = _Glob(tokens)
    backwards = _Glob(tokens[::-1]).ends(text[::-1], floating=True)
    free = 0
    for start in reversed([len(text) - end for end in backwards]):
        if start >= free:
            end = _last(glob.ends(text, start))
            yield start, end
            free = max(end, start + 1)


def _fill(template: str, match: str) -> str:
    """Expand ``$0`` in a replacement to the match, and other groups to nothing.

    With ``//``, though surely not on purpose, BuildKit reads the replacement as a template of Go's regular expressions:
    ``$$`` is a dollar, ``$name`` and ``${name}`` are groups.
    """
    if "$" not in template:
        return template

    def group(found: re.Match[str]) -> str:
        text, bare, braced = found[0], found[1] or "", found[2] or ""
        if text == "$$":
            return "$"
        name = leading_name(bare or braced)
        if not name or (braced and name != braced):
            return text
        return (match if name == "0" else "") + bare[len(name) :]

    return _GROUP().sub(group, template)


def _last(ends: Iterator[int]) -> int:
    kept = deque(ends, maxlen=1)
    return kept[0] if kept else 0


def _tokens(pattern: str) -> list[str]:
    """Return the characters of a pattern, without their escapes, and its wildcards."""
    wildcards = {"*": _STAR, "?": _ANY}
    # BuildKit reads the pattern with another scanner, which drops a byte order mark as well.
    chars = iter(pattern.removeprefix(_BOM))
    tokens = []
    for char in chars:
        if char == "\\":
            literal = next(chars, "")
            if literal not in _ESCAPABLE:
                raise Refused(
                    f"the pattern {shown(pattern)} has an invalid escape",
                    r"use \ only before *, ?, \, / or }",
                )
            tokens.append(literal)
        else:
            tokens.append(wildcards.get(char, char))
    return tokens


class _Glob:
    """A pattern of characters, ``?`` and ``*``; neither wildcard matches a newline.

    State i means that i tokens, not counting stars, are matched. A set of states is an integer with their bits; to step
    it over a character of the text takes a few operations, whatever the pattern.
    """

    __slots__ = ("_any", "_literals", "_size", "_stars")

    def __init__(self, tokens: list[str]) -> None:
        self._literals: dict[str, int] = {}
        self._any = 0
        self._stars = 0
        self._size = 0
        for token in tokens:
            bit = 1 << self._size
            if token == _STAR:
                self._stars |= bit
                continue
            if token == _ANY:
                self._any |= bit
            else:
                self._literals[token] = self._literals.get(token, 0) | bit
            self._size += 1

    def ends(self, text: str, start: int = 0, *, floating: bool = False) -> Iterator[int]:
        """Yield every end of a match that starts at `start` (with `floating`: there or later), in order."""
        fresh = 1 if floating else 0
        accepting = 1 << self._size
        states = 1
        for at in range(start, len(text)):
            if states >= accepting:
                yield at
            char = text[at]
            stepping = self._literals.get(char, 0)
            staying = 0
            if char != "\n":
                stepping |= self._any
                staying = self._stars
            states = (states & stepping) << 1 | states & staying | fresh
            if not states:
                return
        if states >= accepting:
            yield len(text)
