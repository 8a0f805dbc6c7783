"""Text for people: the one place that turns values, sizes, names and foreign text into what a message can show.

`shown` and `kind_of`
    A value that a message is about, and its type with an article.
`printable`, `one_line`, `for_terminal`, `for_xml`
    A line that a program printed, a name from outside, a whole message, and text in XML: nothing in them can control a
    terminal.
`argument`
    Text as a word of a command line.
`cut`, `said_by`, `both_ends`, `underlined`, `quoted_log`
    Long text, long lines, a part of a line, and logs.
`megabytes`, `counted`, `short_image`
    A number of bytes, a number of things, and the id of an image.
`suggestion`
    The known name that was probably meant.

Whatever comes through here has no secret in it that the process knows. Every error message does, so that this module
imports nothing heavy.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TextIO

from dockdsl.secrecy import hide, without_sequences

_LONGEST_TEXT = 300
"""Characters of an exception's text that are shown."""
_LONGEST_VALUE = 100
"""Characters of a value that `shown` shows at most."""
_SEARCHED = 1 << 20
"""Bytes of a value in which secrets are looked for: none is longer."""
_END = 1000
"""Characters that `both_ends` keeps of each end of a very long line."""


def shown(value: object) -> str:
    """Return a value as a message shows it: on one line, quoted, safe for a terminal, and cut where it is long.

    It never fails: a value that is refused may be one that cannot even show itself.

    >>> shown("x"), shown(10**5000), shown("x" * 1000)[-3:]
    ("'x'", '<an int of 16610 bits>', "x…'")
    """
    try:
        if type(value) is str:
            text = repr(hide(value, 2 * _LONGEST_VALUE))
        else:
            text = hide(repr(value[:_SEARCHED] if type(value) is bytes else value))
    except Exception:  # noqa: BLE001 - whatever the repr of a stranger's object raises
        # Python writes no int of more than some thousand digits.
        return f"<an int of {value.bit_length()} bits>" if type(value) is int else f"<{kind_of(value)}>"
    text = _all_escaped(text)
    if len(text) <= _LONGEST_VALUE:
        return text
    closing = "" if text[-1].isalnum() else text[-1]
    return f"{text[: _LONGEST_VALUE - 1 - len(closing)]}…{closing}"


def kind_of(value: object) -> str:
    """Return the type of a value with its article. It never fails.

    >>> kind_of(8080), kind_of("x"), kind_of(type("", (), {})())
    ('an int', 'a str', 'an object')
    """
    try:
        name = "class" if isinstance(value, type) else cut(_all_escaped(type(value).__name__), _LONGEST_VALUE)
    except Exception:  # noqa: BLE001 - a metaclass may do anything
        name = ""
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}" if name else "an object"


def _all_escaped(text: str) -> str:
    """Return text with an escape for each character that is not for show, as `repr` writes them."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether what is written can have colours and can be changed afterwards, and is wanted so.

    ``NO_COLOR`` says that it is not, and a terminal that is ``dumb`` cannot.
    """
    if stream is None or not stream.isatty():
        return False
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def short_image(name: str) -> str:
    """Return an id cut to twelve digits, and a tag as it is.

    >>> short_image("sha256:0123456789abcdef")
    '0123456789ab'
    """
    return name.removeprefix("sha256:")[:12] if name.startswith("sha256:") else name


def megabytes(size: int) -> str:
    """Return a number of bytes as the engine's own listings show it, in powers of ten.

    >>> megabytes(6_590_000), megabytes(229_000_000), megabytes(12_300)
    ('6.59 MB', '229 MB', '12.3 kB')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            number = size / unit
            return f"{number:.0f} {name}" if number >= 100 else f"{number:.3g} {name}"
    return f"{size} B"


def counted(number: int, what: str) -> str:
    """Return how many there are of something.

    >>> counted(1, "step"), counted(2, "step")
    ('1 step', '2 steps')
    """
    return f"{number} {what}{'s' * (number != 1)}"


_UNSAFE = (
    # Control characters; marks that change the direction, break lines or take no room; halves of surrogate pairs, which
    # cannot be encoded; and the characters with which text is hidden in other text.
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def for_terminal(text: str, keep: str = "\n\t") -> str:
    r"""Return text that cannot control a terminal: an escape stands for each character that could, and for bidi marks.

    It may have several lines; `keep` are the control characters that stay as they are.

    >>> print(for_terminal("a\x1b[31m\u202e\nb\ud800"))
    a\x1b[31m\u202e
    b\ud800
    """
    text = hide(text)
    return text if text.isprintable() else re.sub(_UNSAFE, lambda found: _escape(found[0], keep), text)


def _escape(character: str, keep: str) -> str:
    return character if character in keep else repr(character)[1:-1]


def one_line(name: str) -> str:
    r"""Return a name from outside, as that of a file, on one line.

    >>> print(one_line("a\nok  all is well"))
    a\nok  all is well
    """
    return for_terminal(name, keep="")


def argument(text: str) -> str:
    r"""Return text as a word of a command line, in a form that Bash and its like read back.

    >>> print(argument("my app.py"), argument("a\x1b'.py"))
    'my app.py' $'a\x1b\'.py'
    """
    from shlex import quote  # noqa: PLC0415 - only needed for the message

    return quote(text) if text.isprintable() else f"$'{''.join(map(_in_ansi_c, text))}'"


def _in_ansi_c(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    number = ord(char)
    if 0xDC80 <= number <= 0xDCFF:
        # A byte of a name that is not UTF-8.
        return f"\\x{number - 0xDC00:02x}"
    if char.isprintable():
        return char
    return f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def printable(text: str) -> str:
    r"""Return a line that a program printed. What it meant for a terminal, such as colours, is left out.

    >>> print(printable("\x1b[31mred\x1b[0m\a\r"))
    red\x07
    """
    return for_terminal(without_sequences(hide(text)).rstrip("\r\n"), keep="\t")


_NOT_IN_XML = "[\ufffe\uffff]"
"""Characters that XML does not allow, besides those that control a terminal."""


def for_xml(text: str) -> str:
    r"""Return text without the characters that XML does not allow.

    >>> for_xml("a\x00b\nc\uffff")
    'a\\x00b\nc\ufffd'
    """
    return "\n".join([re.sub(_NOT_IN_XML, "\ufffd", printable(line)) for line in text.split("\n")])


def cut(text: str, longest: int) -> str:
    """Return text of `longest` characters at most, with an ellipsis where something is left out.

    >>> cut("0123456789", 5)
    '0123…'
    """
    text = hide(text, longest + 1)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def said_by(error: BaseException) -> str:
    """Return the name of an exception and its text in one line, cut to a readable length.

    >>> said_by(ValueError("first\\n  second")), said_by(KeyError())
    ('ValueError: first second', 'KeyError')
    """
    try:
        text = cut(" ".join([line.strip() for line in str(error).strip().splitlines()]), _LONGEST_TEXT)
    except Exception:  # noqa: BLE001 - even the text of an unknown exception may raise
        text = ""
    return f"{type(error).__name__}: {text}".rstrip(": ")


def both_ends(line: str) -> str:
    """Return a line of a log as it is reported and searched: of a very long one, the beginning and the end.

    >>> len(both_ends("x" * 100_000))
    2001
    """
    line = hide(line)
    return line if len(line) <= 2 * _END else f"{line[:_END]}…{line[-_END:]}"


def suggestion(name: str, known: Iterable[str], otherwise: str, *, least: float = 0.6) -> str:
    """Return which of the known names was probably meant, or the other remedy where none is as near as `least` of 1.

    >>> suggestion("biuld", ["build", "test"], "see the list"), suggestion("x", ["build"], "see the list")
    ("did you mean 'build'?", 'see the list')
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only needed for the message

    near = get_close_matches(name, list(known), 1, least)
    return f"did you mean {near[0]!r}?" if near else otherwise


def underlined(line: str, begin: int, length: int) -> tuple[str, str]:
    """Return a line, shortened if it is long, and below it what underlines a part of it.

    >>> print(*underlined("FROM scratch AS B", 16, 1), sep="\\n")
    FROM scratch AS B
                    ^
    """
    start = max(0, begin - 60) if len(line) > 120 else 0
    end = min(begin + length, start + 120)
    # Escapes are longer than what they stand for.
    before, about, after = map(for_terminal, (line[start:begin], line[begin:end], line[end : start + 120]))
    under = "".join("\t" if char == "\t" else " " for char in before)
    return f"{before}{about}{after}", f"{under}^{'~' * (len(about) - 1)}"


def quoted_log(lines: Iterable[str], title: str) -> str:
    """Return log lines under a title, indented, to go below a message; nothing for no lines."""
    body = "".join(f"\n  {printable(both_ends(line))}" for line in lines)
    return f"\n{title}:{body}" if body else ""
