"""Several objects in one call: which they are, and where the product of each goes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from dockdsl.cli.streams import report
from dockdsl.errors import DockdslError, SourceError
from dockdsl.origins import short_path
from dockdsl.selection import Selected, select

T = TypeVar("T")
HOLDERS = ("{file}", "{name}", "{key}")
"""What stands in a path or a tag for an object: its file without ``.py``, its name, its keys alone."""


def filled(one: Selected[Any], pattern: str) -> str:
    """Return a path or a tag with an object's names in the place of `HOLDERS`.

    >>> one = Selected("builds/app.py:matrix[3.12,slim]", "builds/app.py", "matrix[3.12,slim]", None)
    >>> filled(one, "{file}.{name}.Dockerfile"), filled(one, "app:{key}")
    ('builds/app.matrix-3.12-slim.Dockerfile', 'app:3.12-slim')
    """
    if "{" not in pattern:
        return pattern
    name, _, keys = one.name.partition("[")
    key = re.sub(r"[^\w.]+", "-", keys).strip("-") or name
    values = (one.file.removesuffix(".py"), f"{name}-{key}" if keys else name, key)
    for holder, value in zip(HOLDERS, values, strict=True):
        pattern = pattern.replace(holder, value)
    return pattern


def choose(specs: Sequence[str], want: type[T]) -> tuple[list[Selected[T]], bool, bool]:
    """Return the objects that several ``FILE[:NAME]`` mean, each once.

    The flags say whether several are meant, and whether one of them means none; that error is reported.
    """
    found: dict[tuple[str, str], Selected[T]] = {}
    files: dict[str, dict[str, Any]] = {}
    is_plural, is_failed = len(specs) > 1, False
    for spec in specs:
        try:
            objects, means_several = select(spec, want, files=files)
        except DockdslError as error:
            report(error)
            is_failed = True
            continue
        is_plural |= means_several
        for each in objects:
            found.setdefault((each.file, each.name), each)
    return list(found.values()), is_plural, is_failed


def check_files(places: Iterable[tuple[Selected[Any], str | None]]) -> None:
    """Refuse two objects that would be written to the same file; None stands for stdout."""
    check_distinct("-o", ((one, None if path is None else os.path.realpath(path)) for one, path in places))


def check_distinct(option: str, places: Iterable[tuple[Selected[Any], str | None]], remedy: str | None = None) -> None:
    """Refuse two objects that would share a place or a tag; None stands for neither."""
    taken: dict[str, str] = {}
    for one, place in places:
        if place is not None and taken.setdefault(place, one.spec) != one.spec:
            raise SourceError(
                f"{option}: {taken[place]} and {one.spec} would both be {short_path(place)}; "
                f"{remedy or 'put {name}, {key} or {file} into it'}"
            )
