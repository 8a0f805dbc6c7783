"""Versions of the Dockerfile frontend, compared as numbers."""

from __future__ import annotations


class SyntaxVersion(str):
    """A version of the Dockerfile frontend, such as ``1.4`` or ``1.14-labs``.

    It is a string that compares by its numbers; of equal numbers, the labs channel is higher, since it has everything
    that the stable channel has.

    >>> SyntaxVersion("1.10") > SyntaxVersion("1.4")
    True
    >>> SyntaxVersion("1.14-labs").labs
    True

    Source: the release tags ``dockerfile/1.x.0`` of BuildKit.
    """

    __slots__ = ()

    @property
    def labs(self) -> bool:
        """Whether the labs channel of the frontend is needed."""
        return self.endswith("-labs")

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version as numbers: ``(1, 14)``."""
        return tuple(int(part) for part in self.removesuffix("-labs").split("."))

    def _key(self) -> tuple[tuple[int, ...], bool]:
        return self.numbers, self.labs

    def __lt__(self, other: str) -> bool:
        return self._key() < SyntaxVersion(other)._key()

    def __gt__(self, other: str) -> bool:
        return self._key() > SyntaxVersion(other)._key()

    def __le__(self, other: str) -> bool:
        return self._key() <= SyntaxVersion(other)._key()

    def __ge__(self, other: str) -> bool:
        return self._key() >= SyntaxVersion(other)._key()

    __hash__ = str.__hash__
    __eq__ = str.__eq__


def highest(versions: list[str]) -> SyntaxVersion:
    """Return the lowest version that is at least each of `versions`; ``1.0`` for an empty list.

    >>> highest(["1.4", "1.14-labs", "1.20"])
    '1.20-labs'
    """
    parsed = [SyntaxVersion(version) for version in versions]
    numbers = max((version.numbers for version in parsed), default=(1, 0))
    labs = "-labs" if any(version.labs for version in parsed) else ""
    return SyntaxVersion(".".join(map(str, numbers)) + labs)
