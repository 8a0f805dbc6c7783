"""Any text against BuildKit: its parser of lines (PyPI ``dockerfile``), and rules for what its next layer refuses.

The rules are written from what the parser finds, and use none of the readers of dockdsl. Where the version of the
parser is known to read something in another way than BuildKit does today, the difference has a name here.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dockdsl import Dockerfile, DockerfileSyntaxError, ExpansionError, InvalidValue, parse, prove, render
from dockdsl.codegen import to_python
from dockdsl.syntax.expand import split_words
from dockdsl.text.formatting import reformat
from dockdsl.text.parser import lines_of
from tests import oracle

BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_TEXTS, _SWITCHES, _LISTS = "text", "switch", "list"
_FLAGS: dict[str, dict[str, str]] = {
    "FROM": {"platform": _TEXTS},
    "COPY": dict.fromkeys(("from", "chown", "chmod"), _TEXTS)
    | dict.fromkeys(("link", "parents"), _SWITCHES)
    | {"exclude": _LISTS},
    "ADD": dict.fromkeys(("chown", "chmod", "checksum"), _TEXTS)
    | dict.fromkeys(("link", "keep-git-dir", "unpack"), _SWITCHES)
    | {"exclude": _LISTS},
    "RUN": {"mount": _LISTS, "device": _LISTS, "network": _TEXTS, "security": _TEXTS},
    "HEALTHCHECK": dict.fromkeys(("interval", "timeout", "start-period", "start-interval", "retries"), _TEXTS),
}
_WORDS = {"network": ("default", "none", "host"), "security": ("sandbox", "insecure")}
_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_is_duration = re.compile(rf"[-+]?(?:(?:{_NUMBER}(?:ns|us|ms|s|m|h))+|0)").fullmatch
_fields = re.compile(r'(?:"((?:[^"]|"")*)"|([^",]*)),')
_HAS_ONE = ("USER", "WORKDIR", "STOPSIGNAL", "MAINTAINER")
_HAS_SOME = ("ENV", "LABEL", "ARG", "EXPOSE", "VOLUME", "SHELL", "HEALTHCHECK", "ONBUILD")
_KEYWORDS = {*_FLAGS, *_HAS_ONE, *_HAS_SOME, "CMD", "ENTRYPOINT"}


_CONTINUED = r"[\\`][ \t]*\r?\n(?:\s*(?:#.*)?\r?\n)*"
_NEVER_BUILT = r"Stage: .*(?:one word|escape character|platform|in a flag|control character|dollar|quote|brace)|Dockerfile: (?:check|syntax) is"


class _Bad(Exception):
    """What BuildKit refuses, and why."""


def lowered(word: str) -> str:
    """Return a word in lower case, as Go has it: letter by letter."""
    return "".join(["i" if char == "\u0130" else char.lower() for char in word])


def keyword_of(word: str) -> str:
    """Return a keyword in capitals; a word with other letters is none."""
    found = lowered(word)
    return found.upper() if found.isascii() else word


def unknown_to_the_parser(text: str) -> str:
    """Return the name of what the parser's version reads in another way than BuildKit does; empty if there is nothing."""
    first = text.removeprefix("\ufeff")
    for name, is_so in (
        ("it takes the text up to the NUL", "\0" in text),
        ("a lone surrogate is not UTF-8", re.search("[\ud800-\udfff]", text)),
        ("blanks after <<, since 1.16", re.search(r"<<[ \t\r]", re.sub(_CONTINUED, "", text))),
        ("a modifier in the name of a heredoc, since 1.16", re.search(r"<<-?\S*\$\{\w+[^\w}]", text)),
        (
            "a base that no build reads: an escape in an open quote or brace",
            re.search(r"(?im)^\s*FROM .*['\"{].*[\\`]\s*$", text),
        ),
        (
            "other blanks behind the last backslash of a trigger, which dockdsl leaves out",
            re.search(rf"(?im)^\s*ONBUILD\s.*[\\`][\v\f{BLANKS[6:]}]+\s*$", text),
        ),
        ("the directive check, since 1.8", re.search(rf"(?im)^[{BLANKS}]*#[{BLANKS}]*check[{BLANKS}]*=", text)),
        ("other blanks than those of ASCII in a directive", re.match(rf"(?a:[\s]*#\s*)[\v{BLANKS[6:]}]", first)),
    ):
        if is_so:
            return name
    return ""


def refusal(text: str) -> str | None:
    """Return why BuildKit refuses a text; empty if it accepts it, and None if that cannot be said."""
    try:
        commands = oracle.dockerfile.parse_string(text)
    except oracle.dockerfile.GoParseError as error:
        # Text behind an array was ignored before 1.9, and the array refused for what is in it.
        return None if "JSON array syntax" in str(error) and _has_text_behind_array(text, _escape(text)) else str(error)
    except UnicodeDecodeError:
        # Flags are read byte by byte, and these bytes are no text any more.
        return None
    escape = _escape(text)
    has_stage = False
    for command in commands:
        if not command.cmd:
            return "nothing but an escape character"
        keyword = keyword_of(command.cmd)
        if escape == "`" and "--" in command.original and re.search(r"[\\`]", command.original):
            # The parser's version takes the backslash for the escape character of all flags.
            return None
        if keyword in (
            "RUN",
            "COPY",
            "ADD",
            "CMD",
            "ENTRYPOINT",
            "SHELL",
            "VOLUME",
            "HEALTHCHECK",
            "ONBUILD",
        ) and _has_text_behind_array(command.original, escape):
            return None
        try:
            _check(keyword, command)
        except _Bad as bad:
            return f"{keyword}: {bad}"
        if keyword == "FROM":
            has_stage = True
        elif not has_stage and keyword != "ARG":
            return f"{keyword}: no stage yet"
    return ""


def _escape(text: str) -> str:
    return "`" if re.search(r"(?im)^[ \t]*#[ \t]*escape[ \t]*=[ \t]*`", text) else "\\"


def _has_text_behind_array(text: str, escape: str) -> bool:
    line = re.sub(rf"{re.escape(escape)}[ \t]*\r?\n", "", text)
    for found in re.finditer(r"\[", line):
        try:
            _, end = json.JSONDecoder().raw_decode(line, found.start())
        except (ValueError, RecursionError):
            continue
        if line[end:].partition("\n")[0].strip(BLANKS):
            return True
    return False


def _check(keyword: str, command: Any) -> None:
    if keyword not in _KEYWORDS:
        raise _Bad("unknown instruction")
    words = tuple(command.value)
    flags = _checked_flags(keyword, command.flags)
    if keyword in _HAS_ONE and len(words) != 1:
        raise _Bad("one operand")
    if keyword in _HAS_SOME and not words and not command.sub_cmd:
        raise _Bad("no operand")
    match keyword:
        case "FROM":
            if len(words) not in (1, 3) or (len(words) == 3 and words[1].casefold() != "as"):
                raise _Bad("operands")
            if len(words) == 3 and not re.fullmatch(r"[a-z][a-z0-9_.-]*", lowered(words[2])):
                raise _Bad("name of a stage")
        case "ENV" | "LABEL":
            if "" in words[::2]:
                raise _Bad("blank name")
        case "ARG":
            if any(word.startswith("=") for word in words):
                raise _Bad("blank name")
        case "COPY" | "ADD":
            if len(words) < 2 or _is_heredoc(words[-1]):
                raise _Bad("sources and a destination")
        case "VOLUME":
            if not all(word.strip(BLANKS) for word in words):
                raise _Bad("blank path")
        case "SHELL":
            if not command.json:
                raise _Bad("no array")
        case "HEALTHCHECK":
            _check_health(words, flags)
        case "ONBUILD":
            if keyword_of(command.sub_cmd or "") in ("ONBUILD", "FROM", "MAINTAINER"):
                raise _Bad("no trigger")
        case "RUN":
            for value in flags.get("mount", ()):
                if any(re.match(r"(?i)from=.*\$.", field) for field in _csv(value)):
                    raise _Bad("a variable as a source")
            for value in flags.get("device", ()):
                _check_device(_csv(value))


def _checked_flags(keyword: str, given: Sequence[str]) -> dict[str, list[str]]:
    known = _FLAGS.get(keyword, {})
    flags: dict[str, list[str]] = {}
    for each in given:
        name, equals, value = each.removeprefix("--").partition("=")
        if keyword in ("ARG", "STOPSIGNAL"):
            continue
        kind = known.get(name)
        if kind is None:
            if keyword != "HEALTHCHECK":
                raise _Bad(f"unknown flag {name}")
            flags["?"] = []
        elif name in flags and kind != _LISTS:
            flags["?"] = []
        elif kind == _SWITCHES:
            if equals and value.lower() not in ("true", "false"):
                raise _Bad(f"switch {name}")
        elif not equals:
            flags["?"] = []
        elif name in _WORDS and value not in _WORDS[name]:
            raise _Bad(f"value of {name}")
        flags.setdefault(name, []).append(value)
    if "?" in flags and keyword != "HEALTHCHECK":
        raise _Bad("flags")
    return flags


def _check_health(words: Sequence[str], flags: dict[str, list[str]]) -> None:
    kind = words[0].upper()
    if kind == "NONE":
        # It has no flags, and takes no notice of any.
        if len(words) > 1:
            raise _Bad("operands of NONE")
        return
    if kind != "CMD" or len(words) < 2 or "?" in flags:
        raise _Bad("type, command or flags")
    for name, (value,) in flags.items():
        if name == "retries":
            if value and not (re.fullmatch(r"[-+]?[0-9]+", value) and 0 <= int(value) < 2**31):
                raise _Bad("retries")
        elif value:
            if not _is_duration(value):
                raise _Bad("duration")
            seconds = sum(float(number) * _UNITS[unit] for number, unit in re.findall(rf"({_NUMBER})([a-z]+)", value))
            if (seconds and (value[0] == "-" or seconds < 0.001)) or seconds >= 2**63 / 1e9:
                raise _Bad("duration")


def _csv(value: str) -> list[str]:
    found = list(_fields.finditer(f"{value},"))
    if not value or "".join([each[0] for each in found]) != f"{value},":
        raise _Bad("CSV")
    return [(each[1] or "").replace('""', '"') or each[2] or "" for each in found]


def _check_device(fields: Sequence[str]) -> None:
    named = False
    for field in fields:
        key, equals, value = field.partition("=")
        if key.lower() == "required":
            if equals and value not in (
                "1",
                "t",
                "T",
                "TRUE",
                "true",
                "True",
                "0",
                "f",
                "F",
                "FALSE",
                "false",
                "False",
            ):
                raise _Bad("required")
        elif named:
            raise _Bad("name of a device")
        else:
            named = bool(value if key.lower() == "name" and equals else field)


def _is_heredoc(word: str) -> bool:
    match = re.fullmatch(r"[0-9]*<<-?([^<]+)", word, re.DOTALL)
    if match is None:
        return False
    try:
        return len(split_words(match[1], {})) == 1
    except ExpansionError:
        return False


def check_text(text: str) -> None:
    """Assert that a text is read or refused as BuildKit does, and that nothing that is made of it means anything else."""
    name = unknown_to_the_parser(text)
    why = None if name else refusal(text)
    dockerfile, refused = _read(text)
    if dockerfile is None:
        assert why != "", f"refused, and BuildKit accepts it: {refused}"
        return
    assert not why, f"accepted, and BuildKit refuses it: {why}"
    once = render(dockerfile)
    assert dockerfile == parse(once)
    assert once == render(parse(once))
    if why is None:
        return
    _check_pieces(text)
    assert prove(text, once) is None
    formatted = reformat(text)
    assert formatted == reformat(formatted)
    assert prove(text, formatted) is None
    if dockerfile.stages:
        imported = _imported(to_python(dockerfile, relaid=True))
        # BuildKit refuses what Python cannot say as well, when it builds.
        assert imported is None or prove(text, imported) is None


def _read(text: str) -> tuple[Dockerfile | None, str]:
    try:
        return parse(text), ""
    except DockerfileSyntaxError as error:
        return None, str(error)


def _imported(source: str) -> str | None:
    """Return the Dockerfile of a Python file; None where it has a base, a platform or a check that no build reads."""
    names: dict[str, Any] = {}
    try:
        exec(compile(source, "<imported>", "exec"), names)
    except InvalidValue as error:
        if re.search(_NEVER_BUILT, str(error)) is None:
            raise
        return None
    return render(names["dockerfile"])


def _check_pieces(text: str) -> None:
    """Assert that the instructions have the lines, flags and heredocs that the parser finds."""
    try:
        commands = oracle.read(text)
    except UnicodeDecodeError:
        return
    found = lines_of(text)
    assert [(each.keyword, each.start, each.end) for each in commands] == [
        (line.head, line.logical.first + 1, line.last + 1) for line in found
    ]
    for each, line in zip(commands, found, strict=True):
        if keyword_of(each.keyword) != "ONBUILD" and "`" not in text:
            flags = [f"--{flag.name}" if flag.value is None else f"--{flag.name}={flag.value}" for flag in line.flags]
            assert list(each.flags) == flags
            assert list(each.heredocs) == [(document.word.name, document.content) for document in line.documents]


# Generated texts

_LONGEST = 5_000
_MOST_TRIES = 2_000

PIECES = [
    *["\\\n", "\\ \n", "`\n", "\n", "\r\n", "# c\n", "  # c\n", "<<EOF", "<<-EOF", "<<'EOF'", "EOF\n", "\tEOF\n", "<<", "<< "],
    *["\\", "`", '"', "'", "$", "${", "}", "$1", "${A:-b}", "$A", "[", "]", '["a"]', ",", "=", "A=b", "#", "--", "--x", "--link"],
    *["--from=0", "--mount=type=cache,target=/x ", " ", "\t", "\v", "\xa0", "\u3000", "\ufeff", "é", "\x85", "\x1c", "\\\\", '\\"'],
    *["# escape=`\n", "# syntax=x\n", "# check=skip=all\n", "FROM x\n", "FROM x AS y\n", "RUN ", "COPY ", "ADD a b\n"],
    *["ENV a b\n", 'ENV A=b C="d e"\n', "ONBUILD ", "HEALTHCHECK NONE\n", "CMD []\n", "ARG A=\n", 'LABEL "a b"=c\n'],
    *['VOLUME ["a"]\n', 'SHELL ["a"]\n', "EXPOSE 80\n", "USER ", "STOPSIGNAL 9\n", "MAINTAINER x\n", "a b\n"],
    *["# check=", "skip=A,B", "error=", ";", "&&", "?m}", "${A:?", "${A/", "\f", "\u2028", "\u0130", "[1e400]", "NaN", "#!x\n", "AS ", "--platform="],
    *["--mount=", "type=secret,id=s", ",required", ",ro", "from=y", "--device=", "`\n", "ONBUILD LABEL a=b", 'EXPOSE "$A"\n', "\\"],
]  # fmt: skip
WORDS = [
    *["a", "b", "=b", "a=b", "A=${", "$A", "${A:-b}", "${A:?b}", "<<EOF", "'", '"', "\\", "'a b'", '"$A"', "$", "A=$5", "A=b\\", "#"],
    *["--from=5", "--from=b", "--from=$X", "--chmod=${", "--chmod=755", "--chown=a", "--link", "--link=1", "--x", "--", "--exclude=a"],
    *["--mount=", "--mount=type=x", "--mount=from=$x", "--mount=from=x", "--mount=target=/a", "--mount=type=cache,target=/c,ro,rw"],
    *["--mount=type=secret,id=a,required", "--network=none", "--network=", "--device=a", "--interval=3s", "--retries=x", "--platform=a?"],
    *["[1]", '["a"]', '["a","b"]', "[]", "[NaN]", "CMD", "NONE", "AS", "b", "RUN", "COPY", "LABEL", "80", "80-90/udp", "80/x", "SIGHUP"],
]  # fmt: skip
FILES = [
    *[path.read_text() for path in sorted(Path(__file__).parents[2].joinpath("builds").glob("*.Dockerfile"))],
    "# escape=`\nFROM a AS b\nRUN x `\n  y\nCOPY c:`\n d\n",
    'FROM a\nRUN <<EOF\necho a\nEOF\nCOPY <<-"A" <<B /x/\n\t$a\n\tA\n$b\nB\n',
    'ARG A=1\nFROM a:$A\nENV a b\nLABEL a=\'b "c\' d="e\\"f"\nRUN a \\\n # b\n\n c\n',
    'FROM a\nONBUILD COPY --chown=1 ["a b", "c"]\nHEALTHCHECK --interval=3s CMD ["a", "\\u0041"]\n',
]


def texts(number: int, seed: int, more: Sequence[str] = ()) -> Iterator[str]:
    """Yield damaged files, and files made of pieces; `more` are files to damage as well."""
    source = random.Random(seed)
    given = [each for each in (*FILES, *more) if len(each) < _LONGEST]
    for _ in range(number):
        kind = source.random()
        if kind < 0.4:
            text = source.choice(given)
            count = source.randint(0, 3)
        elif kind < 0.7:
            words = source.choices(WORDS, k=source.randint(0, 4))
            text = f"FROM x\n{' '.join([source.choice(sorted(_KEYWORDS)), *words])}\n"
            count = source.choice([0, 0, 1])
        else:
            text = "FROM x\n" + "".join(source.choices(PIECES, k=source.randint(1, 8)))
            count = source.randint(0, 2)
        for _ in range(count):
            start = source.randint(0, len(text))
            end = start + source.choice([0, 0, 0, 1, 5])
            text = text[:start] + source.choice(["", *PIECES]) + text[end:]
        yield text


def smallest(text: str, law: Callable[[str], None]) -> str:
    """Return a shorter text that breaks the law as well."""
    tries = 0

    def breaks(shorter: str) -> bool:
        nonlocal tries
        tries += 1
        if tries > _MOST_TRIES:
            return False
        try:
            law(shorter)
        except Exception:  # noqa: BLE001 - whatever it is that is to be shown
            return True
        return False

    size = len(text) // 2
    while size:
        at = 0
        while at < len(text):
            shorter = text[:at] + text[at + size :]
            if breaks(shorter):
                text = shorter
            else:
                at += size
        size //= 2
    return text
