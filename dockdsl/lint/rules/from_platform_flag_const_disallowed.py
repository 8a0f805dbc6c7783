"""FROM names no platform of its own.

An image with a fixed platform is built for that one, whatever ``--platform`` says. A stage whose name has the
architecture or system is not
reported: it says what it is.

Bad::

    FROM --platform=linux/amd64 alpine:3.22

Good::

    FROM --platform=$BUILDPLATFORM alpine:3.22

Fix: leave the flag out, or write ``$BUILDPLATFORM`` for a stage that compiles for another platform.

Source: https://docs.docker.com/reference/build-checks/from-platform-flag-const-disallowed/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_NAMES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm", "armel": "arm", "i386": "386"}


def examine(subject: Subject) -> Iterator[Fault]:
    """Find platforms without a variable."""
    for part in subject.parts:
        platform = part.platform
        if not platform or "$" in platform:
            continue
        parts = [_NAMES.get(each, each) for each in platform.lower().split("/")[:2]]
        if not any(each in (part.name or "").lower() for each in parts):
            fact, remedy = f"the platform {platform!r} is fixed", "leave `--platform` out, or write $BUILDPLATFORM"
            yield Fault(part.line, fact, remedy, part=f"--platform={platform}")


RULE = Rule("FromPlatformFlagConstDisallowed", examine, __doc__ or "", aliases=("DL3029",))
