"""The first line of a Python file that is built in the place of a Dockerfile: it names the frontend that reads it."""

from __future__ import annotations

import re

from dockdsl.cli.files import compare, write
from dockdsl.display import argument, shown
from dockdsl.errors import InvalidValue
from dockdsl.loading import read_text
from dockdsl.origins import short_path
from dockdsl.syntax.references import is_image

_DIRECTIVE = r"#[ \t]*syntax[ \t]*="


def frontend(image: str) -> str:
    """Return the name of a frontend's image; raise `InvalidValue` for what is not one."""
    if not is_image(image):
        remedy = "write [registry/]name[:tag][@sha256:…], the name in lower case"
        raise InvalidValue(f"--as-frontend: {shown(image)} is not the name of an image; {remedy}", origin=None)
    return image


def put_first(path: str, image: str, *, compares: bool, diff: bool) -> int:
    """Let a Python file name its frontend, or compare it with what it would be; return the exit code."""
    text = read_text(path, "Python file")
    named = _with_frontend(text, image)
    if not compares:
        write(path, named)
        return 0
    remedy = f"run python -m dockdsl {argument(short_path(path))} --as-frontend {argument(image)}"
    return compare(path, path, named, remedy, made="with its frontend", diff=diff)


def _with_frontend(text: str, image: str) -> str:
    """Return the text of a Python file with the line; it stands first, below a ``#!`` line and a byte order mark."""
    mark = text[: len(text) - len(text.removeprefix("\ufeff"))]
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    at = 1 if lines and lines[0].startswith("#!") else 0
    is_there = at < len(lines) and re.match(_DIRECTIVE, lines[at], re.IGNORECASE)
    lines[at : at + bool(is_there)] = [f"# syntax={image}{end}"]
    return mark + "".join(lines)
