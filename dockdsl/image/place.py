"""Which line of the user's file is at fault where a container does not start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dockdsl.model.stage import Stage

if TYPE_CHECKING:
    from dockdsl.errors import RunFailed
    from dockdsl.image.declaration import Declaration
    from dockdsl.model.dockerfile import Dockerfile
    from dockdsl.origins import Origin

_REFUSED = ": the engine refused: "
_NO_PROGRAM = (126, 127)
"""Exit codes of a shell that cannot run what it is to run."""
_PROGRAM = "ENTRYPOINT"
_SETTINGS = (
    (re.compile(r"unable to find (?:user|group)|no matching entries|invalid user").search, "USER"),
    (re.compile(r"Cannot mkdir|chdir|mkdir ").search, "WORKDIR"),
    (re.compile(r"mount volume").search, "VOLUME"),
    (re.compile(r"exec: |exec /").search, _PROGRAM),
)


def place_of(image: Declaration, error: RunFailed) -> Origin:
    """Return the line of the setting that a container cannot start with, else that of the image."""
    head = error.message.partition("\n")[0]
    keyword = None
    if _REFUSED in head:
        keyword = next((keyword for says, keyword in _SETTINGS if says(head)), None)
    elif error.exit_code in _NO_PROGRAM or any(line.startswith("exec ") for line in error.log):
        keyword = _PROGRAM
    if keyword is None:
        return image.origin
    found: dict[str, Origin] = {}
    for name, origin in settings_of(image):
        found.setdefault(name, origin)
    # What the Image runs is in the place of CMD.
    if keyword == _PROGRAM and _PROGRAM not in found and image.command is None:
        keyword = "CMD"
    return found.get(keyword, image.origin)


def settings_of(image: Declaration) -> Iterator[tuple[str, Origin]]:
    """Yield the instructions of the stage that is run, and of those that it is made from, the last one first."""
    stage: object = stage_of(image.dockerfile, image.target)
    while isinstance(stage, Stage):
        for step in reversed(stage.steps):
            if step.origin is not None:
                yield step.keyword, step.origin
        stage = stage.base


def stage_of(dockerfile: Dockerfile, target: str | None) -> Stage:
    """Return the stage that is built; None is the last one."""
    stages = dockerfile.stages
    named = [stage for stage in stages if target is not None and (stage.name or "").lower() == target.lower()]
    if named:
        return named[0]
    return stages[int(target)] if target is not None and target.isdecimal() else stages[-1]
