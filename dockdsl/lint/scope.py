"""The variables of a stage, and what they were before each of its steps."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Mapping
from operator import itemgetter

_number = itemgetter(0)
Values = Mapping[str, str | None]
"""The variables that are set; None where the value is not known."""


class Scope:
    """Variables that change from step to step; what they were at any time costs nothing to keep."""

    def __init__(self, inherited: Values) -> None:
        """Begin with those of the stage below."""
        self.changes: dict[str, list[tuple[int, str | None]]] = {name: [(0, inherited[name])] for name in inherited}
        """For each name, the number of each change, and the value."""
        self._now = 0

    def set(self, name: str, value: str | None) -> None:
        """Set a variable; None is a value that is not known."""
        self._now += 1
        self.changes.setdefault(name, []).append((self._now, value))

    def view(self) -> Values:
        """Return the variables as they are now."""
        return _View(self, self._now)


class _View(Values):
    """The variables of a scope at one time."""

    def __init__(self, scope: Scope, at: int) -> None:
        self._scope = scope
        self._at = at

    def __getitem__(self, name: str) -> str | None:
        changes = self._scope.changes[name]
        index = bisect(changes, self._at, key=_number)
        if not index:
            raise KeyError(name)
        return changes[index - 1][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, changes in self._scope.changes.items() if changes[0][0] <= self._at)

    def __len__(self) -> int:
        return sum(1 for _ in self)
