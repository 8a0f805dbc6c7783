"""The origin that each value of a model has: the place in the user's file where it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from dockdsl.instructions.constructor import maker_of, reader_of
from dockdsl.misuse import Explained, misused
from dockdsl.origins import Origin, Site, origin_of

_new = object.__new__
put = object.__setattr__
"""Sets a declared attribute of a frozen value while it is being made."""


class _Located(Explained):
    """The type of classes whose values know where they were made."""

    if not TYPE_CHECKING:
        # Type checkers and editors know the parameters of `__init__`.

        def __call__(cls, *values: Any, **options: Any) -> Any:  # noqa: N805 - of a metaclass
            try:
                return maker_of(cls)(*values, **options)
            except TypeError:
                misuse = misused(cls, values, options)
                if misuse is None:
                    raise
                raise misuse from None


class Located(metaclass=_Located):
    """A value that knows where in the user's file it was written.

    The place has no effect on equality, hash and repr. Subclasses are frozen attrs classes; what this class and other
    bases without a constructor declare are not fields, but computed when a value is made.
    """

    KEYWORD: ClassVar[str] = ""
    KNOWS_CALLERS: ClassVar[bool] = False
    """Whether it is noted, too, who called the function that made the value, which takes longer."""

    _origin: Origin | Site

    def complete(self, *, is_normal: bool = False) -> None:
        """Check the fields, which are converted already if `is_normal`, and compute what is stored beside them."""

    @classmethod
    def head(cls) -> str | None:
        """Return what the text of a plain value begins with; None if no value of the class is plain."""
        return cls.KEYWORD or None

    def laid_out(self, flags: str, operands: str) -> str | None:
        """Return the text of a plain value that needs more than one line; None if that depends on what it consists of.

        Each flag and the operands begin with a blank.
        """

    @classmethod
    def from_parsed(cls, origin: Origin | Site, fields: dict[str, Any], *, has_flags: bool = True) -> Self:
        """Return the value with fields that are already what the constructor would convert them to.

        The dict of the fields becomes that of the value. Without `has_flags`, no field that is a flag is given.
        """
        value = _new(cls)
        fields["_origin"] = origin
        put(value, "__dict__", fields)
        if has_flags:
            value.complete(is_normal=True)
        else:
            reader_of(cls)(value, fields)
        return value

    def with_origin(self, origin: Origin | Site) -> Self:
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
