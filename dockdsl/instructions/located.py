"""The origin that each value of a model has: the place in the user's file where it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from dockdsl.origins import Origin, call_site, origin_of

if TYPE_CHECKING:
    from types import CodeType

put = object.__setattr__
"""Sets a declared attribute of a frozen value while it is being made."""


class Located:
    """A value that knows where in the user's file it was written.

    The place has no effect on equality, hash and repr. Subclasses are frozen attrs classes; what this class and other
    bases without a constructor declare are not fields, but computed when a value is made.
    """

    _origin: Origin | tuple[CodeType, int]

    def __attrs_post_init__(self) -> None:
        put(self, "_origin", call_site())
        self.complete()

    def complete(self, *, is_normal: bool = False) -> None:
        """Check the fields, which are converted already if `is_normal`, and compute what is stored beside them."""

    @classmethod
    def from_parsed(cls, origin: Origin, fields: dict[str, Any]) -> Self:
        """Return the value with fields that are already what the constructor would convert them to."""
        value = cls.__new__(cls)
        fields["_origin"] = origin
        value.__dict__.update(fields)
        value.complete(is_normal=True)
        return value

    def with_origin(self, origin: Origin | tuple[CodeType, int]) -> Self:
        """Return the same value with another origin."""
        value = type(self).__new__(type(self))
        value.__dict__.update(self.__dict__, _origin=origin)
        return value

    def changed(self, **changes: Any) -> Self:
        """Return the value with other fields, given as the constructor would convert them, and the same origin."""
        value = self.with_origin(self._origin)
        value.__dict__.update(changes)
        value.complete(is_normal=True)
        return value

    @property
    def origin(self) -> Origin:
        """The file and line where the value was written."""
        origin = self._origin
        if not isinstance(origin, Origin):
            origin = origin_of(origin)
            put(self, "_origin", origin)
        return origin

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_origin": self.origin}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
