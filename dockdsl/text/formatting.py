"""Formatting: a Dockerfile in the layout of `render`, with the blank lines of its author."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockdsl.instructions.comment import Comment
from dockdsl.instructions.instruction import Instruction
from dockdsl.model.dockerfile import Piece
from dockdsl.syntax.lines import SPACE
from dockdsl.text.parser import parse

Unit = tuple[str, int]
"""An instruction or a line of a comment, and the number of its first line; 0 if blank lines before it are ignored."""


def reformat(text: str, path: str | None = None) -> str:
    r"""Return a Dockerfile as `render` writes it; one or more blank lines between instructions become one.

    `path` is the name of the file in errors. Text that is already formatted is returned unchanged.

    Raises `DockerfileSyntaxError` for text that BuildKit would refuse, `InvalidType` if `text` is not a ``str``.

    >>> print(reformat("from alpine:3.22 as app\nenv  A  b c\n\n\nWORKDIR   /srv"), end="")
    FROM alpine:3.22 AS app
    ENV A="b c"
    <BLANKLINE>
    WORKDIR /srv

    Source: the Dockerfile reference, "Format".
    """
    found = parse(text, path).pieces()
    source = text.removeprefix("\ufeff").split("\n")
    lines: list[str] = []
    before = 0
    for written, number in _with_comments(list(_units(found, source))):
        parted = number > 1 and number != before and not source[number - 2].strip(SPACE)
        if parted and lines and lines[-1]:
            lines.append("")
        lines.append(written)
        before = number
    return "\n".join(lines) + "\n"


def _units(found: Sequence[Piece], source: Sequence[str]) -> Iterator[Unit]:
    for text, value in found:
        if isinstance(value, Comment):
            number = value.origin.line
            for line in text.split("\n"):
                while not source[number - 1].lstrip(SPACE).startswith("#"):
                    number += 1
                yield line, number
                number += 1
        else:
            # Between stages, the blank lines are those of `render`.
            yield text, value.origin.line if isinstance(value, Instruction) else 0


def _with_comments(units: Sequence[Unit]) -> list[Unit]:
    """Give comments that were inside an instruction, and are now above it, the line of that instruction."""
    found: list[Unit] = []
    below = 0
    for text, number in reversed(units):
        if text.startswith("#") and 0 < below < number:
            found.append((text, below))
        else:
            found.append((text, number))
            below = 0 if text.startswith("#") else number
    found.reverse()
    return found
