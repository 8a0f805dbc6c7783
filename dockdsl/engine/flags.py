"""How each build option is passed on: to the builders, and from the command line.

The options themselves are the fields of `ImageOptions` and `BuildRequest`; a test compares both lists.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, Literal

import attrs

from dockdsl.display import shown
from dockdsl.engine.building import BuildRequest
from dockdsl.engine.options import is_address
from dockdsl.engine.specifications import pairs_in, spelled
from dockdsl.errors import Refused
from dockdsl.operands import LONGEST_TIME, seconds

Way = Literal["flag", "other", "none"]


def _spelled(value: Any) -> str:
    return "=".join(value) if isinstance(value, tuple) else str(value)


def _attested(key: str) -> Callable[[bool | str], str]:
    return lambda value: str(value).lower() if isinstance(value, bool) else value if "=" in value else f"{key}={value}"


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise Refused(f"{shown(text)} is not of the form NAME=VALUE", "write it so")
    return name, value


def _argument(text: str) -> Any:
    """Read a build argument. A name alone takes its value from the environment; as for docker, unset is not given."""
    if text and "=" not in text:
        return (text, os.environ[text]) if text in os.environ else []
    return _pair(text)


def _context(text: str) -> tuple[str, str]:
    # A path on the command line is relative to the current folder.
    name, value = _pair(text)
    return name, value if ":" in value or not value else os.path.abspath(value)


def _folder(text: str) -> str:
    return text if is_address(text) or not text else os.path.abspath(text)


def _platforms(text: str) -> list[str]:
    return text.split(",")


def _attestation(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)


def read_attest(text: str) -> tuple[str, bool | str]:
    """Read ``--attest type=provenance,mode=max``, which is ``--provenance mode=max``: the option, and its value."""
    parts = pairs_in(text)
    kind = parts.pop("type", "")
    if kind not in ("sbom", "provenance"):
        raise Refused(f"{shown(text)} has no known type", "write type=sbom or type=provenance")
    return kind, spelled(parts.items()) or True


def read_seconds(text: str) -> float:
    """Read a number of seconds above 0."""
    try:
        return seconds(float(text))
    except (ValueError, Refused):
        raise Refused(f"{shown(text)} is not a number of seconds above 0", f"write at most {LONGEST_TIME}") from None


@attrs.frozen(eq=False)
class Option:
    """How an option is passed on.

    `usage`
        Its flags and what stands for its value on the command line: ``"-t --tag TAG"``. The last flag is also the
        builders'. A value with an equals sign is a pair; no value is a switch; no flag is an option in Python alone.
    `help`
        What the command line's help says.
    `buildx`, `buildah`
        ``"flag"``: the builder is given the flag. ``"other"``: it is given in another way, by the builder's own module.
        ``"none"``: it cannot do this, and refuses it. podman is as buildah.
    `spell`
        Returns how one value stands after the flag.
    `read`
        Reads one value from the command line, or a list of them.
    `replaces`
        Whether several on the command line replace those of the file, to which they are added otherwise.
    `verb`
        Which verb alone has it.
    """

    usage: str = ""
    help: str = ""
    buildx: Way = "flag"
    buildah: Way = "flag"
    spell: Callable[[Any], str] = _spelled
    read: Callable[[str], Any] = str
    replaces: bool = False
    verb: str | None = None

    @property
    def names(self) -> list[str]:
        """The flags."""
        return [word for word in self.usage.split() if word.startswith("-")]

    @property
    def metavar(self) -> str | None:
        """What stands for its value; None for a switch."""
        return next((word for word in self.usage.split() if not word.startswith("-")), None)


_for_build = functools.partial(Option, buildah="none", verb="build")
OPTIONS = {
    "tags": Option("-t --tag TAG", "tag the image with this, instead of the tags in the file", replaces=True),
    "target": Option("--target STAGE", "build this stage"),
    "context": Option(
        "--context FOLDER", "build with this folder or Git address, not the file's", "other", "other", read=_folder
    ),
    "build_args": Option(
        "--build-arg NAME[=VALUE]", "set a build argument; NAME alone: from the environment", read=_argument
    ),
    "platforms": Option("--platform OS/ARCH", "build for this platform", read=_platforms, replaces=True),
    "secrets": Option("--secret SPEC", "pass a secret, id=token,env=TOKEN; it replaces that of the file with this id"),
    "labels": Option("--label NAME=VALUE", "add a label to the image", read=_pair),
    "ignore": Option(buildx="other", buildah="other"),
    "contexts": Option("--build-context NAME=VALUE", "add a named context: a folder, docker-image://…", read=_context),
    # Caches, filters, entitlements and attestations are BuildKit's own.
    "cache_from": Option("--cache-from SPEC", "read a cache: type=local,src=FOLDER", buildah="none"),
    "cache_to": Option("--cache-to SPEC", "write the cache: type=local,dest=FOLDER", buildah="none"),
    "network": Option("--network MODE", "the network of the steps: default, none or host"),
    "add_hosts": Option(
        "--add-host NAME=ADDRESS", "add a host for the steps: mirror.test=10.0.0.1", spell=":".join, read=_pair
    ),
    "allow": Option("--allow WHAT", "grant the steps a privilege: network.host", buildah="none"),
    "ssh": Option("--ssh SPEC", "pass an SSH agent, default; it replaces that of the file with this id"),
    "builder": Option("--builder NAME", "build with this builder of docker buildx", buildah="none"),
    "no_cache": Option("--no-cache", "do not use the cache"),
    "no_cache_filter": Option("--no-cache-filter STAGE", "do not use the cache for this stage", buildah="none"),
    "shm_size": Option("--shm-size SIZE", "the size of /dev/shm of the steps: 128m"),
    "ulimits": Option("--ulimit SPEC", "set a limit for the steps: nofile=1024:4096"),
    "pull": Option("--pull", "ask the registry for newer base images"),
    # buildx has no flags for these two: times are those of the outputs, and the epoch is a build argument.
    "reproducible": Option("--reproducible", "give the same digest in each build", buildx="other", buildah="none"),
    "source_date_epoch": Option(
        "--source-date-epoch SECONDS", "the timestamp of the image, in seconds since 1970", "other", "none", read=int
    ),
    "timeout": Option("--timeout SECONDS", "how long the build may take (1800)", "other", "other", read=read_seconds),
    "output": _for_build(
        "-o --output SPEC", "where the image goes: type=oci,dest=FILE; a folder for its files", "other"
    ),
    "annotations": _for_build("--annotation NAME=VALUE", "add an annotation to the image's manifest", read=_pair),
    "sbom": _for_build("--sbom true|IMAGE", "add a bill of materials", spell=_attested("generator"), read=_attestation),
    "provenance": _for_build(
        "--provenance true|false|min|max|SPEC", "record how it was built", spell=_attested("mode"), read=_attestation
    ),
}


def flags(request: BuildRequest, builder: Literal["buildx", "buildah"]) -> list[str]:
    """Return the arguments for all that a builder is given as flags."""
    arguments = []
    for name, option in OPTIONS.items():
        value = getattr(request, name)
        if getattr(option, builder) != "flag" or value is None:
            continue
        flag = option.names[-1]
        if option.metavar is None:
            arguments += [flag] if value else []
        else:
            arguments += [f"{flag}={option.spell(each)}" for each in (value if isinstance(value, tuple) else (value,))]
    return arguments
