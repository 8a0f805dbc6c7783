"""What a comparison has on the engine, under names by which the next run, or ``dockdsl gc``, knows whose it was."""

from __future__ import annotations

import secrets

import attrs

from dockdsl.engine.leftovers import owner
from dockdsl.engine.runners.docker_sdk import DockerSdk, Owned
from dockdsl.errors import EngineError


@attrs.define
class Belongings:
    """Containers, volumes and images of this process; each is noted before it is made."""

    engine: DockerSdk
    things: list[Owned] = attrs.field(factory=list)

    def tag(self) -> str:
        """Return a tag for an image that is about to be built."""
        return self._noted("image", self.engine.temporary_tag())

    def container(self) -> str:
        """Return a name for a container."""
        return self._noted("container", f"dockdsl-{secrets.token_hex(8)}")

    def volume(self) -> str:
        """Return a name for a volume."""
        return self._noted("volume", f"dockdsl-{secrets.token_hex(8)}")

    def marks(self, name: str) -> list[str]:
        """Return the options by which the docker command says whose the container or the volume of this name is."""
        labels = self.engine.labels() | {owner.NAME: name}
        return [f"--label={key}={value}" for key, value in labels.items()]

    def remove(self) -> None:
        """Remove everything: containers first, since they keep volumes and images."""
        failed: EngineError | None = None
        for kind in ("container", "volume", "image"):
            for thing in [each for each in self.things if each.kind == kind]:
                try:
                    self.engine.discard(thing)
                except EngineError as error:
                    failed = error
        if failed is not None:
            raise failed

    def _noted(self, kind: str, name: str) -> str:
        self.things.append(Owned(kind, name, "", None))  # type: ignore[arg-type]
        return name
