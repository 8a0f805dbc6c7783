"""Chains: the commands that a text joins by ``&&``, with their lines and the comments above them."""

from __future__ import annotations

from typing import NamedTuple

from dockdsl.errors import DockdslError
from dockdsl.instructions.comment import Comment
from dockdsl.instructions.run import Run
from dockdsl.syntax import shell
from dockdsl.syntax.layout import INDENT
from dockdsl.syntax.lines import continued
from dockdsl.syntax.operators import operators

Link = str | Comment
_BLANKS = " \t"


class _Piece(NamedTuple):
    """What a physical line adds to the joined text, and its place there."""

    start: int
    text: str


def links(command: str, *, exact: bool) -> list[Link] | None:
    """Return the arguments of a `Run.chain` that is equivalent to a text; None if there is none, as without ``&&``.

    With `exact`, it also has the same layout; otherwise, it has the usual one.
    """
    if shell.has_heredoc(command) or "&&" not in command:
        return None
    try:
        found = _links(command)
        if found is None or len(found) < 2:
            return None
        chained = Run.chain(*found).command
    except DockdslError:
        return None
    if exact:
        return found if chained == command else None
    # Run.chain would group a command with ||, and put one that looks like an array into a heredoc.
    return None if _grouped(found) or shell.has_heredoc(str(chained)) else found


def _grouped(found: list[Link]) -> bool:
    joined = [shell.unbroken(each) or each for each in found if isinstance(each, str)]
    inside = [operator.text for each in joined for operator in operators(each, compound=True) or ()]
    return any(text in ("||", ";", "&") for text in inside)


def _links(command: str) -> list[Link] | None:
    read = _pieces(command)
    if read is None:
        return None
    pieces, remarks = read
    joined = "".join([piece.text for piece in pieces])
    control = operators(joined, [piece.start for piece in pieces[1:]], compound=True)
    if control is None or any(operator.text == "#" for operator in control):
        return None
    found: list[Link] = []
    start = number = noted = done = 0
    for end in [*[operator.start for operator in control if operator.text == "&&"], len(joined)]:
        inside: list[_Piece] = []
        while number < len(pieces) and pieces[number].start < end:
            inside.append(pieces[number])
            number += 1
        # A line may have the end of a command and the start of the next one.
        number -= 1 if number and pieces[number - 1].start + len(pieces[number - 1].text) > end else 0
        lines = _lines(inside, start, end)
        if lines is None:
            return None
        text = joined[start:end]
        above: list[str] = []
        while noted < len(remarks) and remarks[noted][0] <= end - len(text.lstrip(_BLANKS)):
            place, remark = remarks[noted]
            if place < done:
                # It is inside the command before.
                return None
            above.append(remark)
            noted += 1
        done = start + len(text.rstrip(_BLANKS))
        if above:
            found.append(Comment("\n".join(above)))
        found.append(" \\\n".join([lines[0], *_indented(lines[1:])]))
        start = end + 2
    return found if noted == len(remarks) else None


def _pieces(command: str) -> tuple[list[_Piece], list[tuple[int, str]]] | None:
    """Return what the physical lines add to the joined text, and the comments with their places."""
    pieces: list[_Piece] = []
    remarks: list[tuple[int, str]] = []
    length = 0
    lines = command.split("\n")
    for number, line in enumerate(lines):
        bare = line.strip()
        if number and not bare:
            continue
        if number and bare.startswith("#"):
            text = bare[1:]
            remarks.append((length, text.removeprefix(" ")))
            continue
        is_open = continued(line, "\\")
        if is_open != (number < len(lines) - 1):
            return None
        text = line.rstrip(_BLANKS + "\r")[:-1] if is_open else line
        pieces.append(_Piece(length, text))
        length += len(text)
    return pieces, remarks


def _lines(inside: list[_Piece], start: int, end: int) -> list[str] | None:
    """Return the lines of a command; None where one ends in quotes or in the middle of a word."""
    lines: list[str] = []
    for piece in inside:
        text = piece.text[max(start - piece.start, 0) : end - piece.start]
        if lines and text.strip(_BLANKS) and not (lines[-1][-1:] in _BLANKS or text[:1] in _BLANKS):
            return None
        if text.strip(_BLANKS):
            lines.append(text)
        elif lines and text:
            lines[-1] += " "
    if not lines or not all(shell.is_outside(line) for line in lines):
        return None
    return [lines[0].strip(_BLANKS), *[line.rstrip(_BLANKS) for line in lines[1:]]]


def _indented(lines: list[str]) -> list[str]:
    """Indent the further lines of a command, and keep their indentation relative to each other."""
    found = list(map(untabbed, lines))
    margin = min([len(line) - len(line.lstrip(" ")) for line in found], default=0)
    return [INDENT + line[margin:] for line in found]


def untabbed(line: str) -> str:
    """Return a line with spaces instead of tabs in its indentation."""
    text = line.lstrip(_BLANKS)
    return line[: len(line) - len(text)].expandtabs(4) + text
