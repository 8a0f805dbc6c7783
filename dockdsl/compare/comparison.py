"""What came of a comparison, as values and as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from dockdsl.compare.unneeded import Unneeded
from dockdsl.errors import SourceError


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
        The files that are left on the host, with their bytes.
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
    files: tuple[tuple[str, int], ...] = ()
    layers: int
    shipped_bytes: int
    cold_seconds: float = 0.0
    rebuild_seconds: float | None = None
    unneeded: tuple[Unneeded, ...]

    @property
    def file_bytes(self) -> int:
        """Bytes of the files that are left on the host."""
        return sum(size for _, size in self.files)


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
        found = attrs.asdict(self)
        for side in (found["before"], found["after"]):
            side["files"] = [{"name": name, "bytes": size} for name, size in side["files"]]
        return found


def from_data(data: Any, file: str) -> Comparison:
    """Return what `Comparison.data` has written. Raises `SourceError` for anything else."""
    try:
        sides = {
            name: Side(
                **{
                    **_tuples(data[name]),
                    "files": tuple((each["name"], int(each["bytes"])) for each in data[name]["files"]),
                    "unneeded": tuple(Unneeded(**each) for each in data[name]["unneeded"]),
                }
            )
            for name in ("before", "after")
        }
        return Comparison(name=data["name"], changed=data["changed"], notes=tuple(data["notes"]), **sides)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise SourceError(f"{file}: it is not a comparison; write one with dockdsl compare PATH --json") from None


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(each) if isinstance(each, list) else each for name, each in data.items()}
