"""The check that an image has without being given one: that its own HEALTHCHECK passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockdsl.checks.healthy import Healthy
from dockdsl.image.place import settings_of

if TYPE_CHECKING:
    from dockdsl.checks.check import Check
    from dockdsl.image.declaration import Declaration


def health_check(image: Declaration) -> tuple[Check, ...]:
    """Return that check; none for an image that starts no container, leaves it out, or has one of its own.

    Its place is that of the instruction, or that of the image where a base image has it.
    """
    if (
        not image.starts
        or not image.healthcheck
        or any(isinstance(each, Healthy) for each in (image.ready, *image.checks))
    ):
        return ()
    place = next((origin for keyword, origin in settings_of(image) if keyword == "HEALTHCHECK"), image.origin)
    return (Healthy(required=False, origin=place),)
