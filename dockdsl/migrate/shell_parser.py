"""The parser of shell scripts: shfmt, the one of mvdan/sh, which prints its tree as JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from dockdsl.display import one_line
from dockdsl.errors import FileError, SourceError

Node = dict[str, Any]
_SECONDS = 30


def parsed(script: str, name: str, first: int = 1) -> Node:
    """Return the syntax tree of a script.

    Raises `SourceError` if it is not a script, `FileError` if the parser is not installed.
    """
    # The bytes of the file: where they are not UTF-8, the parser names the line.
    written = script.encode("utf-8", "surrogateescape")
    try:
        found = subprocess.run(  # noqa: S603 - the script is its input
            [_program(), "--to-json"], input=written, capture_output=True, timeout=_SECONDS, check=False
        )
    except OSError:
        raise FileError(
            'migrate: scripts are read by shfmt, which is not installed; run pip install "dockdsl[migrate]"'
        ) from None
    except subprocess.TimeoutExpired:
        raise SourceError(f"{one_line(name)}: the script could not be read within {_SECONDS} s; split it") from None
    if found.returncode:
        line, _, fact = found.stderr.decode(errors="replace").strip().partition(":")
        number = first - 1 + int(line) if line.isdigit() else first
        raise SourceError(
            f"{one_line(name)}:{number}: the shell cannot read this: {fact.partition(':')[2].strip()}; correct it"
        )
    tree: Node = json.loads(found.stdout)
    return tree


def is_script(path: Path) -> bool:
    """Whether a file begins as a shell script does, or is called as one."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            first = file.readline(200)
    except OSError:
        return False
    return re.match(rb"#!.*\b(?:ba|da|k|z)?sh\b", first) is not None or (path.suffix == ".sh" and first[:2] != b"#!")


def _program() -> str:
    beside = Path(sys.executable).with_name("shfmt")
    return str(beside) if beside.exists() else "shfmt"
