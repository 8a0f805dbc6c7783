"""What fixing makes of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dockdsl.display import one_line
from dockdsl.errors import SourceError
from dockdsl.fixing.faults import Faults, Key
from dockdsl.lint.finding import Finding
from dockdsl.lint.fixing import fix_text
from dockdsl.loading import read_text
from dockdsl.selection import split


class Mended(NamedTuple):
    """What fixing makes of a file."""

    before: str
    after: str
    made: tuple[Finding, ...]
    """The findings that are fixed, as they were found."""
    is_proven: bool
    """Whether BuildKit's parser confirmed the fixes that have no effect."""
    kept: Mapping[Key, str]
    """Why something is not fixed."""


def mend(spec: str, faults: Faults) -> Mended:
    """Return what fixing makes of a Dockerfile or a Python file, which is run; nothing is written.

    Raises `DockdslError` for a file that cannot be read, and where a fix does not do what it should.
    """
    path, _ = split(spec)
    if not path.endswith(".py"):
        before = read_text(path)
        return Mended(before, *fix_text(before, one_line(path), faults.in_text), {})
    try:
        from dockdsl.fixing.python import fix_python  # noqa: PLC0415 - LibCST comes with an extra
    except ModuleNotFoundError:
        fact = "LibCST is not installed, which Python files are fixed with"
        raise SourceError(f'{one_line(path)}: {fact}; run: pip install "dockdsl[fix]"') from None
    before = read_text(path, "Python file")
    return Mended(before, *fix_python(spec, before, faults))
