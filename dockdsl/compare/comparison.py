"""What came of a comparison, as values and as data."""

from __future__ import annotations

from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import attrs

from dockdsl.compare.unneeded import Unneeded
from dockdsl.errors import SourceError

_MOST = 2**63
"""More bytes or seconds than anything has: neither infinity nor what is too big to be drawn."""


@attrs.frozen
class Left:
    """A file that is left on the host."""

    name: str
    bytes: int


@attrs.frozen(kw_only=True)
class Side:
    """What one way costs.

    `commands`
        Those that a person or a script gives.
    `images`
        The names of the images that are left on the engine.
    `image_bytes`
        Bytes of their layers, unpacked; a layer that they share counts once.
    `files`
        The files that are left on the host.
    `layers`, `shipped_bytes`
        Of the image that is shipped; of several, all of them together.
    `cold_seconds`
        How long everything took with nothing from the cache.
    `rebuild_seconds`
        How long it took again, after one line of a file had changed; None where no file was changed.
    `unneeded`
        What the shipped image has and does not need.
    """

    commands: tuple[str, ...] = ()
    images: tuple[str, ...]
    image_bytes: int
    files: tuple[Left, ...] = ()
    layers: int
    shipped_bytes: int
    cold_seconds: float = 0.0
    rebuild_seconds: float | None = None
    unneeded: tuple[Unneeded, ...]

    @property
    def file_bytes(self) -> int:
        """Bytes of the files that are left on the host."""
        return sum(each.bytes for each in self.files)


@attrs.frozen(kw_only=True)
class Comparison:
    """The builder pattern and one Dockerfile of stages, measured in one run.

    `name`
        The folder.
    `changed`
        The file that got a line before the rebuild, or None.
    `notes`
        What was left out.
    """

    name: str
    changed: str | None
    before: Side
    after: Side
    notes: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        """Return it as what JSON can hold; sizes are in bytes, times in seconds."""
        return attrs.asdict(self)


def from_data(data: Any, file: str) -> Comparison:
    """Return what `Comparison.data` has written. Raises `SourceError`, with the key, for anything else."""
    try:
        found: Comparison = _value(Comparison, data, "")
    except _Wrong as wrong:
        raise SourceError(f"{file}: {wrong}; write one with dockdsl compare PATH --json") from None
    return found


class _Wrong(Exception):
    pass


_NAMES = {int: "a whole number", float: "a number", str: "text", NoneType: "null"}


def _value(kind: Any, data: Any, key: str) -> Any:
    """Return the value of a type of this module, as JSON has it."""
    if attrs.has(kind):
        if not isinstance(data, dict):
            raise _Wrong(f"{key} is not an object" if key else "it is not a comparison")
        found = {}
        for name, each in get_type_hints(kind).items():
            where = f"{key}.{name}" if key else name
            if name not in data:
                raise _Wrong(f"it is not a comparison, {where} is missing")
            found[name] = _value(each, data[name], where)
        return kind(**found)
    if get_origin(kind) is tuple:
        if not isinstance(data, list):
            raise _Wrong(f"{key} is not a list")
        return tuple(_value(get_args(kind)[0], each, f"{key}[{number}]") for number, each in enumerate(data))
    if get_origin(kind) is Literal:
        if data in get_args(kind):
            return data
        raise _Wrong(f"{key} is not one of {', '.join(get_args(kind))}")
    kinds = get_args(kind) or (kind,)
    # JSON has no difference between 1 and 1.0; true is an int for Python alone.
    allowed = (*kinds, int) if float in kinds else kinds
    if type(data) not in allowed or (isinstance(data, int | float) and not 0 <= data <= _MOST):
        raise _Wrong(f"{key} is not {' or '.join(_NAMES[each] for each in kinds)}")
    return data
