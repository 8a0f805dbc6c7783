"""The command ``podman build``: buildah's code, with a storage and habits of its own."""

from __future__ import annotations

from dockdsl.engine.builders.buildah import Buildah


class Podman(Buildah):
    """Builds with ``podman build``, version 4.3 or later, and loads the image into the engine.

    All is as with `Buildah`, whose code podman builds with: the dialect, the settings, what is refused. Podman keeps
    the layers of each step, also those of images without a tag, and takes from there what did not change; ``podman
    image prune`` makes room.

    `podman`
        The command's name or path. It builds on this machine: podman on another one writes no archive here.
    `docker`
        The docker command that loads the image.

    Source: the manual page podman-build(1).
    """

    name = "podman"
    listed = "{{.Repository}}:{{.Tag}}"

    def __init__(self, podman: str = "podman", docker: str = "docker") -> None:
        super().__init__(podman, docker)

    def forgetting(self, tag: str) -> list[str]:
        """Return the arguments that take a tag away."""
        # Its images are its cache, so this one stays. Without a name after it, podman would remove all its names.
        return ["untag", tag, tag]
