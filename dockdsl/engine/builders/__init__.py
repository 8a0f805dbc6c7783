"""The builders: one module each, and what they share: processes, progress, secrets.

A new one is a module here and a line in `BUILDERS`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from dockdsl.engine.building import Builder

BUILDERS = {"buildx": "Buildx", "buildah": "Buildah", "podman": "Podman"}
"""The name of each builder, which is that of its module, and its class."""


class CommandBuilder(Builder, Protocol):
    """A builder that stands on a command of this machine; most have no storage of their own."""

    def left(self) -> list[str]:
        """Return the temporary tags in a storage of its own that belong to runs of this machine that have ended."""
        return []

    def forget(self, tag: str) -> bool:
        """Remove such a tag; return whether that was done."""
        return False


def make_builder(name: str) -> CommandBuilder:
    """Return the builder of this name, with its defaults."""
    return cast(CommandBuilder, getattr(import_module(f"{__name__}.{name}"), BUILDERS[name])())
