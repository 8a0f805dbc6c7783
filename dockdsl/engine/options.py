"""The options of a build: what each accepts.

An option is a field of `ImageOptions`, or of `BuildRequest` if it is about one build alone: its type, and the function
that checks and normalizes it. `dockdsl.engine.flags` has how it is passed on. `Image`, `BuildRequest`, the argument
lists of the builders and the command line are derived from these two. `BuildKeywords` repeats the types for type
checkers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

import attrs

from dockdsl.display import kind_of, shown
from dockdsl.errors import Refused, refuse_type
from dockdsl.misuse import Explained
from dockdsl.operands import (
    Pairs,
    PairsLike,
    TextsLike,
    entries,
    flag,
    here,
    one_of,
    pairs,
    part,
    text,
    texts,
    whole,
)
from dockdsl.syntax.references import is_platform, is_tag

if TYPE_CHECKING:
    from dockdsl.engine.specifications import (
        CachesLike,
        CacheSpec,
        OutputsLike,
        OutputSpec,
        SecretsLike,
        SecretSpec,
        SshLike,
        SshSpec,
    )

# A word alone is one of these, with the machine's own architecture or operating system.
_GATEWAY = "host-gateway"
_LEVELS = 'pass True, False, "min", "max" or "mode=max,version=v1"'
_PROVENANCE = {
    "mode": ("min", "max"),
    "version": ("v0.2", "v1"),
    "builder-id": (),
    "reproducible": (),
    "inline-only": (),
}
"""What can be said of a provenance, with the values that each part may have; none are any."""
_REMOTE = ("http://", "https://", "git://", "ssh://", "git@")


class Named(Protocol):
    """What has a name, as a `Stage` has."""

    @property
    def name(self) -> str | None:
        """The name, if it has one."""
        ...


class Tagged(Protocol):
    """What has tags and can be built, as an `Image`."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags."""
        ...


Contexts = tuple[tuple[str, "str | Tagged"], ...]
ContextsLike = Mapping[str, "str | os.PathLike[str] | Tagged"] | Contexts | None
StagesLike = str | Named | Iterable[str | Named] | None


class FileContext(str):
    """A folder, with the file that it is relative to: a changed copy made elsewhere keeps it."""

    __slots__ = ("base",)
    base: str


def is_address(context: str) -> bool:
    """Return whether a context is fetched by the engine: from a Git repository, or as a tar archive."""
    return context.startswith(_REMOTE)


def relative_to_caller(path: str) -> FileContext:
    """Return a path that is relative to the file of the nearest caller outside dockdsl."""
    found = FileContext(path)
    found.base = here().path
    return found


# --- how an option is checked


def _tags(value: TextsLike) -> tuple[str, ...]:
    tags = texts(value)
    for tag in tags:
        if "@" in tag:
            raise Refused(f"{shown(tag)} has a digest, which only the build can give", "leave it out")
        if not is_tag(tag) or len(tag) > 255:
            raise Refused(f"{shown(tag)} is not a tag", "write [registry/]name[:tag], the name in lower case")
    return tags


def _platforms(value: TextsLike) -> tuple[str, ...]:
    platforms = texts(value)
    for platform in platforms:
        if not is_platform(platform) and platform.lower() != "local":
            raise Refused(f"{shown(platform)} is not a platform", "write linux/arm64, several as a list")
    return platforms


def _stage(value: str | Named | None) -> str | None:
    return None if value is None else _stage_name(value)


def stage_names(value: StagesLike) -> tuple[str, ...]:
    """Return the names of one stage or several."""
    several = value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    return tuple(_stage_name(each) for each in several if each is not None)


def _stage_name(value: str | Named) -> str:
    if isinstance(value, str):
        return text(value)
    name = getattr(value, "name", None)
    if not isinstance(name, str):
        raise Refused(f"{kind_of(value)} has no name", "name the stage, or pass a str", wrong_type=True)
    return name


def _ignore(value: TextsLike) -> tuple[str, ...] | None:
    if value is None:
        return None
    patterns = texts(value)
    for each in patterns:
        if each != each.strip() or "\n" in each or "\r" in each:
            raise Refused(f"{shown(each)} has line ends, or spaces around it", "pass each pattern without them")
        if each.startswith("#"):
            raise Refused(f"{shown(each)} would be a comment", "write [#] for the first character")
        if each == "!":
            raise Refused(f"{shown(each)} takes nothing back in", "write the path after it")
    return patterns


# Few images have these, and making the classes takes its time.


def _secrets(value: SecretsLike) -> tuple[SecretSpec, ...]:
    if value is None or value == ():
        return ()
    from dockdsl.engine.specifications import SecretSpec, parsed  # noqa: PLC0415 - see above

    return parsed(value, SecretSpec)


def _ssh(value: SshLike) -> tuple[SshSpec, ...]:
    if value is None or value == ():
        return ()
    from dockdsl.engine.specifications import SshSpec, parsed  # noqa: PLC0415 - see above

    return parsed(value, SshSpec)


def outputs(value: OutputsLike) -> tuple[OutputSpec, ...]:
    """Return where the result goes."""
    from dockdsl.engine.specifications import OutputSpec, parsed  # noqa: PLC0415 - see above

    found = parsed(value, OutputSpec)
    for each in found:
        if found.count(each) > 1:
            raise Refused(f"{shown(str(each))} is given twice", "give it once")
    return found


def _cache_from(value: CachesLike) -> tuple[CacheSpec, ...]:
    found = _cache_to(value, "src")
    if any(each.type == "inline" for each in found):
        raise Refused("an inline cache comes with its image", "write the name of the image")
    return found


def _cache_to(value: CachesLike, path: str = "dest") -> tuple[CacheSpec, ...]:
    if value is None or value == ():
        return ()
    from dockdsl.engine.specifications import CacheSpec, parsed  # noqa: PLC0415 - see above

    found = parsed(value, CacheSpec)
    for each in found:
        needed, noun = {"local": (path, "folder"), "registry": ("ref", "image")}.get(each.type, ("", ""))
        if needed and not dict(each.attributes).get(needed):
            raise Refused(f"{shown(str(each))} has no {noun}", f"add {needed}=…")
    return found


def _contexts(value: ContextsLike) -> Contexts:
    found = []
    for name, each in entries(value):
        with part("a name"):
            if "=" in text(name) or len(name.split()) != 1:
                raise Refused(f"{shown(name)} is not the name of a context", "write it as Copy or Stage names it")
        with part(name):
            found.append((name, _context(each)))
    return tuple(found)


def _context(value: Any) -> str | Tagged:
    if isinstance(value, FileContext):
        return value
    if hasattr(value, "dockerfile") and hasattr(value, "tags"):
        tagged: Tagged = value
        if not tagged.tags:
            raise Refused("the Image has no tag, by which the build could find it", "give it one")
        return tagged
    if not isinstance(value, (str, os.PathLike)):
        hint = "; make an Image of it" if hasattr(value, "steps") else ""
        raise refuse_type(
            "", value, f"pass the path of a folder, docker-image://…, oci-layout://…, an address, or an Image{hint}"
        )
    path = text(os.fspath(value))
    if path.startswith("target:"):
        raise Refused(f"only bake knows {shown(path)}", "pass the Image of that target")
    if path in ("docker-image://", "oci-layout://"):
        raise Refused(f"{shown(path)} has no name", "write what comes after it")
    if path.startswith(("docker-image://", "oci-layout://", *_REMOTE)):
        return path
    if "://" in path:
        raise Refused(
            f"builds do not support {shown(path)}", "pass a folder, docker-image://…, oci-layout://… or https://…"
        )
    return relative_to_caller(path)


def _network(value: str | None) -> str | None:
    return None if value is None else one_of(value, ("default", "none", "host"))


def _add_hosts(value: PairsLike) -> Pairs:
    found = pairs(value)
    for name, address in found:
        import ipaddress  # noqa: PLC0415 - few images need it

        if ":" in name or len(name.split()) != 1:
            raise Refused(f"{shown(name)} is not the name of a host", "write it as a step asks for it")
        try:
            if address != _GATEWAY:
                ipaddress.ip_address(address)
        except ValueError:
            raise Refused(f"{shown(address)} of {name} is not an address", f"write 10.0.0.1, or {_GATEWAY}") from None
    return found


def _allow(value: TextsLike) -> tuple[str, ...]:
    found = texts(value)
    for each in found:
        if each not in ("network.host", "security.insecure") and each.partition("=")[0] != "device":
            raise Refused(f"{shown(each)} is unknown", "use network.host, security.insecure or device=NAME")
    return found


def _shm_size(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"\d+(\.\d+)? ?([bkmgtBKMGT]|[kmgtKMGT]i?[bB])?", text(value)):
        raise Refused(f"{shown(value)} is not a size", "write 128m or 1g")
    return value


def _ulimits(value: TextsLike) -> tuple[str, ...]:
    found = texts(value)
    for each in found:
        if not re.fullmatch(r"[a-z]+=-?\d+(:-?\d+)?", each):
            raise Refused(f"{shown(each)} is not a limit", "write nofile=1024, or nofile=1024:4096")
    return found


def _sbom(value: bool | str | None) -> bool | str | None:
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise refuse_type("", value, "pass True, or the name of the image that generates it")
    parts = _parts(value, "generator")
    if set(parts.get("generator", "")) & set(", \t\n"):
        raise Refused(f"{shown(value)} is not the name of an image", "pass True, or such a name")
    return _attestation(parts, "generator")


def _provenance(value: bool | str | None) -> bool | str | None:
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise refuse_type("", value, _LEVELS)
    parts = _parts(value, "mode")
    for key, each in parts.items():
        if key not in (*_PROVENANCE, "disabled"):
            raise Refused(f"{shown(value)} has the unknown part {shown(key)}", f"use {', '.join(_PROVENANCE)}")
        if each not in (_PROVENANCE.get(key) or (each,)):
            raise Refused(f"{shown(each)} is unknown", _LEVELS)
    return _attestation(parts, "mode")


def _parts(value: str, first: str) -> dict[str, str]:
    """Return what an attestation says; a value alone is that of its first part."""
    from dockdsl.engine.specifications import pairs_in  # noqa: PLC0415 - few images have attestations

    return pairs_in(value) if "=" in text(value) else {first: value}


def _attestation(parts: dict[str, str], first: str) -> bool | str:
    from dockdsl.engine.specifications import spelled  # noqa: PLC0415 - few images have attestations

    if parts.pop("disabled", "false").lower() in ("1", "t", "true"):
        return False
    return parts[first] if set(parts) == {first} else spelled(parts.items()) or True


def _epoch(value: int | None) -> int | None:
    return None if value is None else whole(value, 0, 1 << 40)


# --- the table


@attrs.frozen(kw_only=True, eq=False, repr=False, slots=False)
class ImageOptions(metaclass=Explained):
    """The options of a build that belong to an image: those of `Image`, which `Image.build` takes as well.

    `tags`
        A tag or several: ``"api:dev"``.
    `target`
        A stage or its name; None is the Dockerfile's last target.
    `build_args`, `labels`
        As the options ``--build-arg`` and ``--label``.
    `platforms`
        ``"linux/arm64"``, or several. None is the engine's own.
    `ignore`
        What of the context is left out: patterns as a ``.dockerignore`` has them, ``["*", "!src"]``. They replace that
        file, as ``NAME.dockerignore`` beside a Dockerfile does; ``[]`` leaves nothing out. None is the context's own
        ``.dockerignore``.
    `secrets`, `ssh`
        As the options ``--secret`` and ``--ssh``: ``"id=token,env=TOKEN"``, ``"default"``; or `SecretSpec` and
        `SshSpec`. The value of a secret is in no message, log and report; so is each of its lines.
    `contexts`
        What ``Copy(from_=…)`` and base images find under a name: a folder (relative as `Image.context`),
        ``docker-image://…``, ``oci-layout://…``, an address, or another `Image`, which is built first and needs a tag.
    `cache_from`, `cache_to`
        As the options of these names: ``"type=local,src=cache"``, ``"registry.test/api:cache"``; or `CacheSpec`.
    `network`, `allow`
        The network of the steps, ``"default"``, ``"none"`` or ``"host"``; and what they may do: ``"network.host"``,
        ``"security.insecure"``.
    `add_hosts`
        Addresses of hosts by the names that the steps know them by: ``{"mirror.test": "10.0.0.1"}``. They do not become
        part of the image. ``"host-gateway"`` is the engine's own machine.
    `shm_size`, `ulimits`
        The size of ``/dev/shm`` of the steps, ``"128m"``, and their limits, ``"nofile=1024:4096"``.
    `annotations`
        As the option ``--annotation``: for the manifest, or with ``"index:NAME"`` for the index.
    `sbom`, `provenance`
        Attestations: True or False; the image that generates the bill of materials; ``"min"`` or ``"max"``; or as the
        options of these names: ``"mode=max,version=v1"``.
    `reproducible`
        Whether the same build gives the same digest, wherever and whenever it is made: all times in the image are
        those of `source_date_epoch`, and no attestation is added. What the steps do is up to them.
    `source_date_epoch`
        The time that the image is given, in seconds since 1970. None is the variable ``SOURCE_DATE_EPOCH``, and 0 where
        that is not set and the image is to be reproducible.

    Source: the reference of ``docker buildx build``; for `ignore` Docker's manual, "Build context".
    """

    tags: tuple[str, ...] = attrs.field(default=(), converter=_tags)
    target: str | None = attrs.field(default=None, converter=_stage)
    build_args: Pairs = attrs.field(default=(), converter=pairs)
    platforms: tuple[str, ...] = attrs.field(default=(), converter=_platforms)
    secrets: tuple[SecretSpec, ...] = attrs.field(default=(), converter=_secrets)
    labels: Pairs = attrs.field(default=(), converter=pairs)
    ignore: tuple[str, ...] | None = attrs.field(default=None, converter=_ignore)
    contexts: Contexts = attrs.field(default=(), converter=_contexts)
    cache_from: tuple[CacheSpec, ...] = attrs.field(default=(), converter=_cache_from)
    cache_to: tuple[CacheSpec, ...] = attrs.field(default=(), converter=_cache_to)
    network: str | None = attrs.field(default=None, converter=_network)
    add_hosts: Pairs = attrs.field(default=(), converter=_add_hosts)
    allow: tuple[str, ...] = attrs.field(default=(), converter=_allow)
    ssh: tuple[SshSpec, ...] = attrs.field(default=(), converter=_ssh)
    shm_size: str | None = attrs.field(default=None, converter=_shm_size)
    ulimits: tuple[str, ...] = attrs.field(default=(), converter=_ulimits)
    annotations: Pairs = attrs.field(default=(), converter=pairs)
    sbom: bool | str | None = attrs.field(default=None, converter=_sbom)
    provenance: bool | str | None = attrs.field(default=None, converter=_provenance)
    reproducible: bool = attrs.field(default=False, converter=flag)
    source_date_epoch: int | None = attrs.field(default=None, converter=_epoch)


class BuildKeywords(TypedDict, total=False):
    """The keywords of `Image.build` and `Image.request`: the options of a `BuildRequest`, but for the builder."""

    context: str | os.PathLike[str]
    tags: TextsLike
    target: str | Named | None
    build_args: PairsLike
    platforms: TextsLike
    secrets: SecretsLike
    labels: PairsLike
    ignore: TextsLike
    contexts: ContextsLike
    cache_from: CachesLike
    cache_to: CachesLike
    network: str | None
    add_hosts: PairsLike
    allow: TextsLike
    ssh: SshLike
    shm_size: str | None
    ulimits: TextsLike
    annotations: PairsLike
    sbom: bool | str | None
    provenance: bool | str | None
    reproducible: bool
    source_date_epoch: int | None
    output: OutputsLike
    no_cache: bool
    no_cache_filter: StagesLike
    pull: bool
    timeout: float
