"""BuildKit's own parser as a judge: what it reads in a Dockerfile, and what the words it reads mean.

The parser (PyPI ``dockerfile``) is imported here and nowhere else: it ships for some platforms
alone, and it hangs in a forked child, so nothing may fork without starting another program.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from dockdsl.syntax.expand import Options, expand, split_words

dockerfile = pytest.importorskip("dockerfile", reason="BuildKit's parser has no wheel for this platform")

EXPANDED_FLAGS = ("chown", "chmod", "checksum", "platform")
LEXED_WHOLE = ("WORKDIR", "USER", "STOPSIGNAL")
KEYWORDS = {
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
    *("ONBUILD", "RUN", "SHELL", "VOLUME", *LEXED_WHOLE),
}
"""What the parser knows. Of any other keyword it reads the flags, and leaves the operands alone."""


@attrs.frozen
class Read:
    """An instruction as BuildKit reads it: quotes of flags removed, words as they are written."""

    keyword: str
    flags: tuple[str, ...]
    json: bool
    words: tuple[str, ...]
    heredocs: tuple[tuple[str, str], ...]
    """(name, content)"""
    start: int
    end: int
    original: str


def read(text: str) -> list[Read]:
    """Return the instructions that BuildKit finds in a Dockerfile; the test fails where it finds an error."""
    try:
        commands = dockerfile.parse_string(text)
    except dockerfile.GoParseError as error:
        raise AssertionError(f"BuildKit refuses: {error}\n{text}") from error
    return [
        Read(
            each.cmd or "",  # it gives None for an empty keyword
            tuple(each.flags),
            bool(each.json),
            tuple(each.value),
            tuple((heredoc.name, heredoc.content) for heredoc in each.heredocs),
            each.start_line,
            each.end_line,
            each.original,
        )
        for each in commands
    ]


def read_one(text: str, escape: str = "\\") -> Read:
    """Return the one instruction that `text` is; the test fails if BuildKit reads another number of them."""
    lines = "" if escape == "\\" else f"# escape={escape}\n"
    first, *rest = read(f"{lines}FROM scratch\n{text}\nSTOPSIGNAL 9\n")
    assert "FROM" == first.keyword
    assert ["STOPSIGNAL"] == [each.keyword for each in rest[1:]], text
    return rest[0]


@attrs.frozen
class Meaning:
    """What an instruction says, whatever its spelling."""

    keyword: str
    operands: Any
    flags: Mapping[str, Any] = attrs.Factory(dict)
    heredocs: tuple[tuple[str, str], ...] = ()
    json: bool | None = None


def meaning(found: Read, env: Mapping[str, str], escape: str = "\\") -> Meaning:
    """Return what BuildKit makes of an instruction that it has read, where the variables are `env`."""

    def lexed(word: str) -> str:
        return expand(word, env, escape=escape)

    flags = _flags(found.flags, lexed)
    words = found.words
    form: bool | None = None
    operands: Any
    match found.keyword:
        case "ENV" | "LABEL":
            operands = [(lexed(key), lexed(value)) for key, value in zip(words[::2], words[1::2], strict=True)]
        case "ARG":
            operands = []
            for word in words:
                name, equals, default = word.partition("=")
                operands.append((name, lexed(default) if equals else None))
        case "COPY" | "ADD":
            names = {name for name, _ in found.heredocs}
            starts = [re.fullmatch(r"<<-?(['\"]?)(.*)\1", word) for word in words]
            operands = [
                ("heredoc", start[2]) if start is not None and start[2] in names else lexed(word)
                for word, start in zip(words, starts, strict=True)
            ]
        case "VOLUME":
            operands = [lexed(word.strip()) for word in words]
        case "EXPOSE":
            operands = [each for word in words for each in split_words(word, env, escape=escape)]
        case "FROM":
            operands = [lexed(words[0]), *words[1:]]
        case keyword if keyword in LEXED_WHOLE:
            operands = [lexed(word) for word in words]
        case keyword if keyword not in KEYWORDS:
            # What stands behind the flags is read as if it were the operand of an instruction that has one.
            _, _, behind = found.original.partition(keyword)
            operands = meaning(read_one(f"WORKDIR{behind}", escape), env, escape).operands
        case _:
            operands = list(words)
            form = found.json
    heredocs = found.heredocs
    if found.keyword in ("COPY", "ADD"):
        heredocs = tuple((name, _body(name, body, words, env)) for name, body in heredocs)
    return Meaning(found.keyword, operands, flags, heredocs, form)


def _body(name: str, body: str, words: tuple[str, ...], env: Mapping[str, str]) -> str:
    return expand(body, env, options=Options(skip_process_quotes=True)) if f"<<{name}" in words else body


def _flags(found: tuple[str, ...], lexed: Any) -> dict[str, list[Any]]:
    flags: dict[str, list[Any]] = {}
    for each in found:
        name, equals, value = each.removeprefix("--").partition("=")
        said: Any = value if equals else True
        if equals and name in EXPANDED_FLAGS:
            said = lexed(value)
        elif name == "mount":
            said = mount(value, lexed)
        flags.setdefault(name, []).append(said)
    return flags


def mount(value: str, lexed: Any) -> dict[str, str]:
    """Return the options of a ``--mount``: fields of CSV, each with a value that is a word."""
    (fields,) = csv.reader([value], strict=True)
    options = {}
    for field in fields:
        name, _, text = field.partition("=")
        options[name] = text if name == "from" else lexed(text)
    return options
