"""Shell text: passed on unchanged, and protected from the traps of the Dockerfile grammar.

The text of ``RUN`` belongs to the shell. Only its layout is changed here: a line is broken where a person would break
it, and text that the Dockerfile grammar would damage is put into a heredoc, which passes it to the same shell
character for character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from dockdsl.display import kind_of, shown
from dockdsl.errors import InvalidType, Refused, refuse_type
from dockdsl.syntax.arrays import array_in, begins_array
from dockdsl.syntax.guard import heredoc_bodies, heredoc_words
from dockdsl.syntax.layout import INDENT, WIDTH, pick_delimiter
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.lines import SPACE, continued, heredocs_in, logical
from dockdsl.syntax.operators import GRAMMAR, Operator, Scanner, ends_open, operators, split_chain, trimmed
from dockdsl.syntax.words import check_characters


class Layout(str):
    """Shell text that is laid out as in a Dockerfile, made by `layout`."""

    __slots__ = ()

    @property
    def needed(self) -> bool:
        """Whether a plain ``str`` of the same text would be written in another way."""
        try:
            return normal(str(self)) != self
        except Refused:
            return True

    def __repr__(self) -> str:
        return f"layout({str.__repr__(self)})" if self.needed else str.__repr__(self)


def layout(text: str) -> Layout:
    r"""Return shell text that is laid out as in a Dockerfile, and stays so.

    The lines are joined before the shell gets them: a backslash at the end of a line continues it, and comment lines in
    between are dropped. A plain ``str`` is text for the shell, which would read such a comment differently. `parse`
    makes text of this kind. If the text starts with a newline, as it does in triple quotes, its first and last line and
    the common indentation are removed.

    Raises `InvalidType` if `text` is not a ``str``; text that is not a single instruction is refused where it is used.

    >>> from dockdsl import Run
    >>> print(Run(layout("make && \\\n# slow\n    make test")))
    RUN make && \
    # slow
        make test

    Source: the Dockerfile reference, "Format".
    """
    if not isinstance(text, str):
        raise InvalidType(f"layout(): the text is {kind_of(text)}; pass a str")
    if text.startswith("\n"):
        lines = text[1:].split("\n")
        text = _dedent(lines if lines[-1].strip(SPACE) else lines[:-1])
    text = text.strip(" \t")
    lines = text.split("\n")
    if not lines[0].strip(SPACE) or one_line_trap(text) == _BLANK_ENDS:
        # It is refused where it is used.
        return Layout(text)
    line = logical(lines, 0, "\\")
    if line.is_open:
        return Layout(text)
    # Text that is read has no blank lines, no whitespace after a line break, and nothing before the first word.
    start = len(line.text) - len(line.text.lstrip(SPACE))
    return Layout("\n".join([line.layout(start, len(line.text)), *lines[line.last + 1 :]]))


def relaid(text: str, escape: str) -> str:
    """Return a layout with the given escape character; refuse one that is not in the shell form."""
    check_text(text)
    if text[0] in SPACE or text[-1] in SPACE:
        raise Refused(f"the command {shown(text)} has {_BLANK_ENDS}", "remove it")
    if escape == "\\" and text[0] not in "[\\":
        return text
    lines = text.split("\n")
    line = logical(lines, 0, "\\")
    if array_in(line.text) is not None:
        raise Refused(f"the command {shown(text)} is not in the shell form", "use the exec form for an array")
    if escape == "\\":
        return text
    head = line.layout(0, len(line.text), escape)
    rest = lines[line.last + 1 :]
    return "\n".join([head, *rest])


def under(text: str, escape: str) -> str:
    """Return the text of a command, from `normal` or `layout`, with the given escape character."""
    if isinstance(text, Layout):
        return relaid(text, escape)
    return text if escape == "\\" else under_backtick(text)


_nothing = lazy_regex(r"(?:\\\n[ \t]*)*")
_tokens = lazy_regex(r"\\.|.", re.DOTALL)
_BLANK_ENDS = "whitespace at its start or end, which BuildKit strips"
_BREAK = f" && \\\n{INDENT}"
# A command that consists of words only.
_CHARACTERS = r"[\w.,/=:@%+*?~^$-]"
_WORDS = rf"(?=[A-Za-z0-9_./$]){_CHARACTERS}++(?: {_CHARACTERS}++)*+"
_GRAMMAR = "|".join(sorted(filter(str.isalpha, GRAMMAR)))
_is_plain_command = lazy_regex(rf"(?!(?:{_GRAMMAR})(?![^ ])){_WORDS}", re.ASCII)
# One line that is nothing but text for every reader, with no escape character, no heredoc and no array; or a chain of
# commands that consist of words, in its layout.
is_plain = re.compile(
    rf"[A-Za-z0-9_./$][ -;=-\[\]-~]*+(?<! )|{_WORDS}(?: && \\\n{INDENT}{_WORDS})++", re.ASCII
).fullmatch
_shells = lazy_regex(r"#![ \t]*(?:\S*/env[ \t]+(?:-\S+[ \t]+)*)?(?:\S*/)?(?:ba|da|a|k|z)?sh(?:[ \t]|$)")


class Remark(NamedTuple):
    """A comment between the commands of a chain: its lines, including the number signs."""

    text: str


def chain(commands: Sequence[str | Remark]) -> str:
    """Join commands, each on its own lines, so that each runs only if the one before it succeeded."""
    if not commands:
        raise Refused("the chain has no commands", "give it at least one")
    texts = [each for each in commands if type(each) is str]
    if len(texts) == len(commands) and all(map(_is_plain_command().fullmatch, texts)):
        return _BREAK.join(texts)
    if isinstance(commands[0], Remark) or isinstance(commands[-1], Remark):
        place = "before the first" if isinstance(commands[0], Remark) else "after the last"
        raise Refused(f"a comment stands {place} command of the chain", "make it a step of its own")
    pieces: list[str] = []
    has_remarks = False
    for command in commands:
        if isinstance(command, Remark):
            has_remarks = True
            pieces += [f"{INDENT}{line}\n" for line in command.text.split("\n")]
        else:
            # A comment is not continued: what is continued is the command above it.
            pieces.append(f"{INDENT if pieces else ''}{_chained(command)} && \\\n")
    text = "".join(pieces).removesuffix(" && \\\n")
    return Layout(text) if has_remarks else text


def _chained(command: str) -> str:
    if not isinstance(command, str):
        raise refuse_type("command", command, "pass each command as a str")
    if _is_plain_command().fullmatch(command):
        return command
    text = trimmed(trimmed(command.strip("\n")).strip("\n"))
    if not text:
        raise Refused("a command of the chain is empty", "leave it out")
    laid_out = ""
    if "\n" in text:
        laid_out = _under_its_head(text)
        text = unbroken(text) or ""
        if not text:
            raise Refused(
                f"the command {shown(command)} has several lines",
                "end all but the last with a backslash, outside quotes, or use Run.script()",
            )
    scanner = Scanner(text, compound=True)
    if not scanner.run():
        raise Refused(
            f"the command {shown(text)} is not complete: it leaves a quote, a bracket, an if, a loop or a "
            "case open, closes something that it did not open, or starts a heredoc",
            "put what belongs together into one command, or use Run.script()",
        )
    found = scanner.found
    if found and found[-1].text == "#":
        raise Refused(
            f"the command {shown(text)} ends with a shell comment, which would hide the commands after it",
            "use Comment(…), or Run.script()",
        )
    if found and found[-1].text == ";" and found[-1].start == len(text) - 1:
        text = trimmed(text[:-1])
        laid_out = laid_out[:-1]
        del found[-1]
    last = found[-1] if found else Operator(0, "")
    at_end = bool(found) and last.start + len(last.text) == len(text)
    if not text or ends_open(text) or (at_end and last.text != "&"):
        raise Refused(f"the command {shown(command)} ends with an operator or a backslash", "remove it")
    text = laid_out or text
    if any(operator.text in ("||", ";", "&") for operator in found):
        # `a && b || c` would not mean a && (b || c): a group keeps each command one command.
        return f"{{ {text}{'' if at_end else ';'} }}"
    return text


def unbroken(text: str) -> str | None:
    """Join lines that are continued outside quotes; None if there are others."""
    if not layout_only(text):
        return None
    lines = [line.removesuffix("\\") for line in text.split("\n")]
    return "".join(lines) if all(is_outside(line) for line in lines[:-1]) else None


def is_outside(text: str) -> bool:
    """Whether the end of a text is outside its quotes."""
    quote = ""
    for each in _tokens().findall(text):
        if each == quote or (quote == "'" and each == "\\'"):
            quote = ""
        elif each in ("'", '"') and not quote:
            quote = each
    return not quote


def _under_its_head(text: str) -> str:
    """Indent the lines after the first, keeping their indentation relative to each other."""
    head, *rest = text.split("\n")
    return "\n".join([head, *[f"{INDENT}{INDENT}{line}" for line in _dedent(rest).split("\n")]])


def script(text: str) -> str:
    """Return a heredoc that runs `text`, which is not blank, and stops at the first failing line."""
    lines = text.split("\n")
    while not lines[0].strip(SPACE):
        del lines[0]
    while not lines[-1].strip(SPACE):
        del lines[-1]
    if ends_open(lines[-1]):
        raise Refused("the script ends with a backslash", "remove it")
    body = _dedent(lines)
    if not body.startswith("#!"):
        body = f"set -e\n{body}"
    elif _shells().match(body.split("\n", 1)[0]):
        first, _, rest = body.partition("\n")
        body = f"{first}\nset -e\n{rest}"
    return wrap(body)


def _dedent(lines: list[str]) -> str:
    # textwrap would empty whitespace-only lines, which may be part of a here-document.
    margin: str | None = None
    for line in lines:
        if line.strip(SPACE):
            blank = line[: len(line) - len(line.lstrip(" \t"))]
            while margin is not None and not blank.startswith(margin):
                margin = margin[:-1]
            margin = blank if margin is None else margin
    return "\n".join([line.removeprefix(margin or "") if line.strip(SPACE) else line.lstrip(" \t") for line in lines])


def wrap(text: str) -> str:
    """Return the heredoc that passes `text` to the shell as it is."""
    body = text.removesuffix("\n")
    delimiter = pick_delimiter(body)
    return f"<<{delimiter}\n{body}\n{delimiter}"


def check_text(text: str, name: str = "Run") -> None:
    """Refuse what is not shell text at all; `name` is that of the class."""
    if not isinstance(text, str):
        is_exec = isinstance(text, list) and text and all(isinstance(each, str) for each in text)
        remedy = f"write {name}.exec({', '.join(map(shown, text))})" if is_exec else "pass a str"
        raise refuse_type("command", text, remedy)
    if not text.strip(SPACE):
        raise Refused("the command is empty", "give it a command")
    if "\0" in text:
        raise Refused(f"the command {shown(text)} has a NUL character", "remove it")
    check_characters(text, control=True)


def one_line_trap(text: str) -> str | None:
    """Return what the Dockerfile grammar would misread in a one-line text, if anything."""
    if text.endswith("\\"):
        return "a backslash at its end"
    if text != text.strip(SPACE):
        return _BLANK_ENDS
    if begins_array(text):
        return "a JSON array at its start, which BuildKit may read as the exec form"
    return None


def layout_only(text: str) -> bool:
    """Whether every newline of `text` is a continuation that the shell would join as BuildKit does."""
    lines = text.split("\n")
    if lines[-1].endswith("\\"):
        return False
    parts: list[str] = []
    breaks: list[int] = []
    length = 0
    for index, line in enumerate(lines[:-1]):
        # With whitespace after the backslash the line is continued for BuildKit, but not for the shell.
        if line[-1:] != "\\" or not continued(line, "\\"):
            return False
        following = lines[index + 1].strip(SPACE)
        if not following or following.startswith("#"):
            return False
        parts.append(line[:-1])
        length += len(line) - 1
        breaks.append(length)
    joined = "".join([*parts, lines[-1]])
    # In single quotes the shell would keep what BuildKit joins, and a shell comment cannot be continued.
    return joined == joined.strip(SPACE) and operators(joined, breaks) is not None


def has_heredoc(text: str) -> bool:
    """Whether a text that `normal` returned starts a heredoc."""
    if isinstance(text, Layout):
        return "<<" in text and bool(heredocs_in(logical(text.split("\n"), 0, "\\").text))
    return "\n" in text and not text.partition("\n")[0].endswith("\\")


def begun(text: str) -> str:
    """Return a text without any continued lines before its first word, which have no effect."""
    nothing = _nothing().match(text)
    return text[nothing.end() :] if nothing else text


def normal(text: str) -> str:
    """Return the text of a ``RUN`` in the shell form: laid out, and safe in the Dockerfile grammar."""
    if type(text) is str and (len(text) <= WIDTH - len("RUN ") or "\n" in text) and is_plain(text):
        return text
    check_text(text)
    stripped = begun(text.strip(" \t\n"))
    if ends_open(stripped):
        # A space that the backslash escapes belongs to the text.
        escaped = text[text.index(stripped) + len(stripped) :][:1]
        if escaped not in (" ", "\t"):
            raise Refused(
                f"the command {shown(text)} ends with a backslash, which would join the next line to it",
                "remove it, or use Run.exec()",
            )
        return wrap(stripped + escaped)
    if "\n" not in stripped:
        if one_line_trap(stripped) is not None or heredoc_words(stripped) != []:
            return wrap(stripped)
        return _broken(stripped)
    if layout_only(stripped):
        joined = stripped.replace("\\\n", "")
        if heredoc_words(joined) == [] and not begins_array(joined):
            return stripped
    elif _is_heredoc(stripped):
        return stripped
    return wrap(text.strip("\n"))


def _is_heredoc(text: str) -> bool:
    """Whether the text is one command with its heredocs, which BuildKit passes on as they are."""
    first, _, rest = text.partition("\n")
    words = heredoc_words(first)
    if not words or continued(first, "\\") or first != first.strip(SPACE) or begins_array(first):
        return False
    lines = rest.split("\n")
    names = {word.name for word in words}
    if any(line.endswith("\r") and line.strip("\t\r") in names for line in lines):
        # BuildKit ends the heredoc at such a line, and a shell does not.
        return False
    return heredoc_bodies(words, lines, 0) == len(lines)


def under_backtick(text: str) -> str:
    """Return a text that `normal` returned for a Dockerfile in which the escape character is a backtick."""
    if has_heredoc(text):
        return text
    turned = text.replace("\\\n", "`\n")
    lines = turned.split("\n")
    if lines[-1].endswith("`") or not all(continued(line, "`") for line in lines[:-1]) or continued(lines[-1], "`"):
        return wrap(text)
    return turned


def _broken(text: str) -> str:
    if len(text) + len("RUN ") <= WIDTH or "&&" not in text:
        return text
    parts = split_chain(text)
    return text if parts is None or len(parts) < 2 else _BREAK.join(parts)
