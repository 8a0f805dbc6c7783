"""Several objects in one call: which they are, and where the product of each goes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from dockdsl.cli.streams import report
from dockdsl.errors import DockdslError, SourceError
from dockdsl.selection import Selected, select

T = TypeVar("T")
HOLDERS = ("{file}", "{name}", "{key}")
"""What stands in a path or a tag for an object: its file without ``.py``, its name, its keys alone."""


class Chosen(NamedTuple, Generic[T]):
    """An object as it was asked for: what names it on the command line, and the object."""

    spec: str
    selected: Selected[T]

    @property
    def value(self) -> T:
        """The object itself."""
        return self.selected.value

    def filled(self, pattern: str) -> str:
        """Return a path or a tag with this object's names in the place of `HOLDERS`.

        >>> one = Chosen("builds/app.py:*", Selected("builds/app.py", "matrix[3.12,slim]", None))
        >>> one.filled("{file}.{name}.Dockerfile"), one.filled("app:{key}")
        ('builds/app.matrix-3.12-slim.Dockerfile', 'app:3.12-slim')
        """
        if "{" not in pattern:
            return pattern
        name, _, keys = self.selected.name.partition("[")
        key = re.sub(r"[^\w.]+", "-", keys).strip("-") or name
        values = (self.selected.file.removesuffix(".py"), f"{name}-{key}" if keys else name, key)
        for holder, value in zip(HOLDERS, values, strict=True):
            pattern = pattern.replace(holder, value)
        return pattern


class Choice(NamedTuple, Generic[T]):
    """All objects that were asked for, whether several were asked for, and whether some could not be loaded."""

    objects: list[Chosen[T]]
    is_plural: bool
    is_failed: bool


def choose(specs: Sequence[str], want: type[T]) -> Choice[T]:
    """Return the objects that several ``FILE[:NAME]`` mean, each once; report the errors of those that mean none."""
    found: dict[tuple[str, str], Chosen[T]] = {}
    files: dict[str, dict[str, Any]] = {}
    plural = failed = 0
    for spec in specs:
        try:
            selection = select(spec, want, files=files)
        except DockdslError as error:
            report(error)
            failed += 1
            continue
        plural += selection.is_plural
        for each in selection.objects:
            found.setdefault((each.file, each.name), Chosen(each.spec if selection.is_plural else spec, each))
    return Choice(list(found.values()), bool(plural or len(specs) > 1), bool(failed))


def check_distinct(option: str, places: Iterable[tuple[Chosen[T], str | None]], remedy: str | None = None) -> None:
    """Refuse two objects that would be written to one place, or have one tag; None is none."""
    taken: dict[str, str] = {}
    for one, place in places:
        if place is not None and taken.setdefault(place, one.spec) != one.spec:
            shown = os.path.relpath(place) if os.path.isabs(place) else place  # noqa: PTH117 - pathlib is slow
            raise SourceError(
                f"{option}: {taken[place]} and {one.spec} would both be {shown}; "
                f"{remedy or 'put {name}, {key} or {file} into it'}"
            )
