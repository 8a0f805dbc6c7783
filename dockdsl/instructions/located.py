"""The origin that each value of a model has: the place in the user's file where it was written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar, Self

from dockdsl.misuse import Explained, misused
from dockdsl.origins import MODULE, OUTER, Origin, Site, call_site, call_sites, origin_of

_getframe = sys._getframe  # noqa: SLF001 - the public ways build a list of all frames
_new = object.__new__
put = object.__setattr__
"""Sets a declared attribute of a frozen value while it is being made."""


class _Located(Explained):
    """The type of classes whose values know where they were made."""

    if not TYPE_CHECKING:
        # Type checkers and editors know the parameters of `__init__`.

        def __call__(cls, *values: Any, **options: Any) -> Any:  # noqa: N805 - of a metaclass
            value = _new(cls)
            try:
                value.__init__(*values, **options)
            except TypeError as error:
                misuse = misused(cls, error, values, options)
                if misuse is None:
                    raise
                raise misuse from None
            # What is below is done for each value of a model: it is written so that it takes least.
            frame = _getframe(1)
            code = frame.f_code
            if code.co_filename in OUTER and (not cls.KNOWS_CALLERS or code.co_name == MODULE):
                site: Site = (code, frame.f_lasti)
            else:
                site = call_sites() if cls.KNOWS_CALLERS else call_site()
            value.__dict__["_origin"] = site
            value.complete(options)
            return value


class Located(metaclass=_Located):
    """A value that knows where in the user's file it was written.

    The place has no effect on equality, hash and repr. Subclasses are frozen attrs classes; what this class and other
    bases without a constructor declare are not fields, but computed when a value is made.
    """

    KNOWS_CALLERS: ClassVar[bool] = False
    """Whether it is noted, too, who called the function that made the value, which takes longer."""

    _origin: Origin | Site

    def complete(self, options: object, *, is_normal: bool = False) -> None:
        """Check the fields, which are converted already if `is_normal`, and compute what is stored beside them.

        Where `options` is empty, no option is given by its name.
        """

    @classmethod
    def from_parsed(cls, origin: Origin | Site, fields: dict[str, Any], options: object = True) -> Self:
        """Return the value with fields that are already what the constructor would convert them to.

        The dict of the fields becomes that of the value.
        """
        value = _new(cls)
        fields["_origin"] = origin
        put(value, "__dict__", fields)
        value.complete(options, is_normal=True)
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
        value.complete(True, is_normal=True)
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
