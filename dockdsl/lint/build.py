"""What is known of how a Dockerfile is built: its context, its targets and its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dockdsl.context.sending import BuildContext
from dockdsl.errors import Refused


class Build(NamedTuple):
    """How a Dockerfile is built, as far as that is known.

    `context`
        The build context; None where it is not known.
    `missing`
        The path of the context, if it is not a folder.
    `refused`
        Why BuildKit refuses its ignore file, if it does.
    `targets`
        Stages that are built, by name or index; an empty name is the last one.
    `is_all`
        Whether no other stages are built.
    `args`
        The build arguments.
    `port`
        The port that a container is expected to serve.
    """

    context: BuildContext | None = None
    missing: str | None = None
    refused: Refused | None = None
    targets: tuple[str, ...] = ("",)
    is_all: bool = False
    args: Mapping[str, str] = {}
    port: int | None = None


UNKNOWN = Build()
