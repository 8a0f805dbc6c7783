"""What a build has taken a tag from: an image that dockdsl made, and that has no name any more, is removed.

Which image it made under which tag is noted in a file of this user's cache. A label would say so of all that is built
on the image as well, and would be one more thing in the image that its Dockerfile does not have.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dockdsl.engine.leftovers import owner
from dockdsl.errors import EngineError

if TYPE_CHECKING:
    from dockdsl.engine.builders.docker_command import DockerCommand

_MOST = 500
"""How many of the last images are known."""


class Note(NamedTuple):
    """An image, a tag that it was given, and the process that did so, in the form of a temporary tag."""

    tag: str
    image: str
    whose: str

    @property
    def has_ended(self) -> bool:
        """Whether its process needs the image no more; a process replaces its own images."""
        whose = owner.tag_owner(self.whose)
        return whose is not None and (whose == owner.this_process() or whose.is_dead())


def tidy(command: DockerCommand, tags: tuple[str, ...], image: str) -> None:
    """Note the image that now has these tags, and remove those that had them before, unless they are still used.

    One that has another tag stays, and so does one that the engine does not remove, since a container or an image needs
    it, and one of a process that still runs and may be about to use it; the next build tries again.
    """
    names = {tag for tag in tags if image and not owner.tag_owner(tag)}
    if not names:
        return
    before = _read()
    old = {each.image for each in before if each.tag in names} - {image}
    old -= {each.image for each in before if each.image in old and not each.has_ended}
    gone = {each for each in old if _is_gone(command, each)}
    mine = owner.temporary_tag(owner.this_process())
    after = [
        each
        for each in before
        if each.image not in gone and not (each.tag in names and each.image == image and each.has_ended)
    ]
    _write([*after, *(Note(tag, image, mine) for tag in sorted(names))][-_MOST:])


def _is_gone(command: DockerCommand, image: str) -> bool:
    """Remove an image without a name; return whether it is not there any more."""
    # The build has succeeded, whatever comes of this.
    with contextlib.suppress(EngineError):
        found = command.inspect(image)
        return found is None or (not found.get("RepoTags") and command.remove(image))
    return False


def _file() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "dockdsl", "built")


def _read() -> list[Note]:
    try:
        lines = _file().read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    return [Note(*words) for words in map(str.split, lines) if len(words) == len(Note._fields)]


def _write(notes: list[Note]) -> None:
    file = _file()
    beside = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    # Without a place to note it, images stay.
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_text("".join(f"{' '.join(each)}\n" for each in notes), encoding="utf-8")
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
