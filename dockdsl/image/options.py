"""What a build takes besides a Dockerfile and a folder: named contexts, caches, outputs, secrets, attestations."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from dockdsl.display import kind_of, shown
from dockdsl.errors import InvalidType, InvalidValue
from dockdsl.image import operands as operand
from dockdsl.operands import Pairs, PairsLike, TextsLike, here

if TYPE_CHECKING:
    from dockdsl.engine.building import BuildRequest

CACHES = ("registry", "local", "inline", "gha", "s3", "azblob")
OUTPUTS = ("local", "tar", "oci", "docker", "image", "registry", "cacheonly")
_NEEDS_DEST = ("local", "tar", "oci")
_GATEWAY = "host-gateway"
_SIZE = re.compile(r"\d+(?:\.\d+)? ?(?:[bkmgtBKMGT]|[kmgtKMGT]i?[bB])?").fullmatch
_LIMIT = re.compile(r"[a-z]+=-?\d+(?::-?\d+)?").fullmatch
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

    def request(self) -> BuildRequest:
        """Return the request to build it."""
        ...


Contexts = tuple[tuple[str, "str | Tagged"], ...]
ContextsLike = Mapping[str, "str | os.PathLike[str] | Tagged"] | Contexts | None


class BuildOptions(TypedDict, total=False):
    """The options of `Image.build`, each for this build alone.

    They mean what they mean in an `Image`. Besides: `output` is ``"load"`` (into the engine, which is what a build does
    if nothing is said), ``"push"``, or as the option ``--output``, such as ``"type=oci,dest=image.tar"``; `no_cache`
    takes nothing from the cache, and `no_cache_filter` nothing for these stages or names of stages; `pull` asks for
    newer base images; `timeout` is how many seconds the build may take.
    """

    tags: TextsLike
    target: str | Named | None
    build_args: PairsLike
    labels: PairsLike
    platforms: TextsLike
    ignore: TextsLike
    secrets: TextsLike
    ssh: TextsLike
    contexts: ContextsLike
    cache_from: TextsLike
    cache_to: TextsLike
    network: str | None
    add_hosts: PairsLike
    allow: TextsLike
    shm_size: str | None
    ulimits: TextsLike
    annotations: PairsLike
    sbom: bool | str | None
    provenance: bool | str | None
    reproducible: bool
    source_date_epoch: int | None
    output: TextsLike
    no_cache: bool
    no_cache_filter: TextsLike | Named | Iterable[Named]
    pull: bool
    timeout: float


class RequestOptions(BuildOptions, total=False):
    """The same, and `builder`, the name of a builder of ``docker buildx``: the options of `Image.request`."""

    builder: str | None


class FileContext(str):
    """A folder, with the file that it is relative to: a changed copy made elsewhere keeps it."""

    __slots__ = ("base",)
    base: str


def relative_to_caller(path: str) -> FileContext:
    """Return a path that is relative to the file of the nearest caller outside dockdsl."""
    found = FileContext(path)
    found.base = here().path
    return found


def contexts(value: Any) -> Contexts:
    """Return named contexts as pairs: a folder, an image, a layout, an address, or another `Image`."""
    return tuple(
        (_context_name(name), _context(name, each)) for name, each in operand.entries("Image: contexts", value)
    )


def _context_name(name: Any) -> str:
    found = operand.text("Image: contexts: a name", name)
    if "=" in found or len(found.split()) != 1:
        raise InvalidValue(
            f"Image: contexts: {shown(found)} is no name of a context; write it as Copy or Stage names it"
        )
    return found


def _context(name: str, value: Any) -> str | Any:
    what = f"Image: the context {name}"
    if isinstance(value, FileContext):
        return value
    if hasattr(value, "dockerfile") and hasattr(value, "tags"):
        if not value.tags:
            raise InvalidValue(f"{what} is an Image without a tag, by which the build could find it; give it one")
        return value
    if not isinstance(value, (str, os.PathLike)):
        hint = "; make an Image of it" if hasattr(value, "steps") else ""
        raise InvalidType(
            f"{what} is {kind_of(value)}; pass the path of a folder, docker-image://…, oci-layout://…, "
            f"an address, or an Image{hint}"
        )
    text = operand.text(what, os.fspath(value))
    if text.startswith("target:"):
        raise InvalidValue(f"{what} is {shown(text)}, which only bake knows; pass the Image of that target")
    if text in ("docker-image://", "oci-layout://"):
        raise InvalidValue(f"{what} is {shown(text)} and names nothing; write what comes after it")
    if text.startswith(("docker-image://", "oci-layout://", *_REMOTE)):
        return text
    if "://" in text:
        raise InvalidValue(
            f"{what} is {shown(text)}, which no build knows; pass a folder, docker-image://…, oci-layout://… or https://…"
        )
    return relative_to_caller(text)


def fields_of(what: str, spec: str) -> dict[str, str]:
    """Return the ``key=value`` parts of an option such as ``type=local,dest=out``; refuse what is no such part."""
    found = {}
    for part in spec.split(","):
        key, equals, value = part.partition("=")
        if not (key.strip() and equals):
            raise InvalidValue(f"{what} {shown(spec)} has the part {shown(part)}; write each as key=value")
        found[key.strip().lower()] = value
    return found


def _typed(what: str, spec: str, kinds: tuple[str, ...]) -> dict[str, str]:
    found = fields_of(what, spec)
    kind = found.get("type")
    if kind is None:
        raise InvalidValue(f"{what} {shown(spec)} has no type; begin with type={kinds[0]}, one of {', '.join(kinds)}")
    if kind not in kinds:
        raise InvalidValue(f"{what} {shown(spec)} has the type {shown(kind)}; take one of {', '.join(kinds)}")
    return found


def cache_from(value: Any) -> tuple[str, ...]:
    """Return where caches come from; an image name alone is a cache in a registry."""
    return tuple(_cache("Image: cache_from", each, "src") for each in operand.texts("Image: cache_from", value))


def cache_to(value: Any) -> tuple[str, ...]:
    """Return where the cache goes to."""
    return tuple(_cache("Image: cache_to", each, "dest") for each in operand.texts("Image: cache_to", value))


def _cache(what: str, spec: str, path: str) -> str:
    if "=" not in spec:
        return spec
    found = _typed(what, spec, CACHES)
    if found["type"] == "inline" and path == "src":
        raise InvalidValue(
            f"{what} {shown(spec)} names no image; an inline cache comes from its image: write the image's name"
        )
    if found["type"] == "local" and not found.get(path):
        raise InvalidValue(f"{what} {shown(spec)} has no folder; add {path}=…")
    if found["type"] == "registry" and not found.get("ref"):
        raise InvalidValue(f"{what} {shown(spec)} has no image; add ref=…")
    return spec


def outputs(value: Any) -> tuple[str, ...]:
    """Return what becomes of the image: ``load``, ``push``, or options as ``--output`` takes them.

    >>> outputs(["load", "type=oci,dest=api.tar", "out"])
    ('load', 'type=oci,dest=api.tar', 'type=local,dest=out')
    """
    found = tuple(_output(each) for each in operand.texts("Image: output", value))
    if len(set(found)) < len(found):
        raise InvalidValue(f"Image: output has {shown(found[0])} twice; say it once")
    return found


def _output(spec: str) -> str:
    what = "Image: output"
    if spec in ("load", "push"):
        return spec
    if spec == "-" or "dest=-" in spec.split(","):
        raise InvalidValue(f"{what} {shown(spec)} is stdout, where the id goes; name a file")
    if "=" not in spec:
        return f"type=local,dest={spec}"
    found = _typed(what, spec, OUTPUTS)
    if found["type"] in _NEEDS_DEST and not found.get("dest"):
        raise InvalidValue(f"{what} {shown(spec)} says not where to; add dest=…")
    return spec


def secrets(value: Any) -> tuple[str, ...]:
    """Return secrets as ``--secret`` takes them; each has an id, and comes from a variable or a file."""
    found = operand.texts("Image: a secret", value)
    for spec in found:
        parts = fields_of("Image: the secret", spec)
        if not parts.get("id"):
            raise InvalidValue(
                f"Image: the secret {shown(spec)} has no id; write id=token,env=TOKEN or id=token,src=FILE"
            )
        empty = [key for key in ("env", "src", "source") if parts.get(key) == ""]
        if empty:
            raise InvalidValue(
                f"Image: the secret {shown(parts['id'])} has nothing behind {empty[0]}=; write env=NAME or src=FILE"
            )
        unknown = [key for key in parts if key not in ("id", "env", "src", "source", "type")]
        if unknown:
            raise InvalidValue(
                f"Image: the secret {shown(parts['id'])} has the part {unknown[0]}; take id, env and src"
            )
    return found


def ignore(value: Any) -> tuple[str, ...] | None:
    """Return patterns as a ``.dockerignore`` has them, one a line; None is the context's own file.

    >>> ignore(["*", "!src"])
    ('*', '!src')
    """
    if value is None:
        return None
    found = operand.texts("Image: a pattern of ignore", value)
    for each in found:
        what = f"Image: ignore: the pattern {shown(each)}"
        if each != each.strip() or "\n" in each or "\r" in each:
            raise InvalidValue(f"{what} has line ends, or blanks around it, which get lost; pass each without them")
        if each.startswith("#"):
            raise InvalidValue(f"{what} would be a comment; write [#] for the first character")
        if each == "!":
            raise InvalidValue(f"{what} takes nothing back in; write the path behind it")
    return found


def network(value: Any) -> str | None:
    """Return the network of the steps: ``default``, ``none`` or ``host``."""
    if value is None:
        return None
    found = operand.text("Image: network", value)
    if found not in ("default", "none", "host"):
        raise InvalidValue(
            f"Image: network is {shown(found)}; take default, none or host (others belong to the builder)"
        )
    return found


def add_hosts(value: Any) -> Pairs:
    """Return the addresses of hosts, each with the name that the steps know it by.

    >>> add_hosts({"mirror.test": "10.0.0.1"})
    (('mirror.test', '10.0.0.1'),)
    """
    import ipaddress  # noqa: PLC0415 - few images need it

    found = operand.pairs("Image: add_hosts", value)
    for name, address in found:
        if ":" in name or len(name.split()) != 1:
            raise InvalidValue(f"Image: add_hosts: {shown(name)} is no name of a host; write it as a step asks for it")
        if address != _GATEWAY:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise InvalidValue(
                    f"Image: add_hosts: {shown(address)} of {name} is no address; write 10.0.0.1, or {_GATEWAY}"
                ) from None
    return found


def annotated(value: Any) -> Pairs:
    """Return what is written about the image into its manifest or index."""
    return operand.pairs("Image: annotations", value)


def shm_size(value: Any) -> str | None:
    """Return the size of ``/dev/shm``: ``"128m"``."""
    if value is None:
        return None
    found = operand.text("Image: shm_size", value)
    if not _SIZE(found):
        raise InvalidValue(f"Image: shm_size is {shown(found)}, which is no size; write it as 128m or 1g")
    return found


def ulimits(value: Any) -> tuple[str, ...]:
    """Return limits of the steps: ``"nofile=1024"``, ``"nofile=1024:4096"``."""
    found = operand.texts("Image: ulimits", value)
    for each in found:
        if not _LIMIT(each):
            raise InvalidValue(f"Image: ulimits has {shown(each)}; write nofile=1024, or nofile=1024:4096")
    return found


def stages(value: Any) -> tuple[str, ...]:
    """Return names of stages: of each stage its own."""
    several = value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    return tuple(stage_name("Image: no_cache_filter", each) for each in several)


def stage_name(what: str, value: Any) -> str:
    """Return the name of a stage, or a name as it is."""
    if isinstance(value, str):
        return operand.text(what, value)
    name = getattr(value, "name", None)
    if not isinstance(name, str):
        raise InvalidType(f"{what} is {kind_of(value)} without a name; name the stage, or pass a str")
    return name


def allow(value: Any) -> tuple[str, ...]:
    """Return what a build may: ``network.host``, ``security.insecure``, ``device=…``."""
    found = operand.texts("Image: allow", value)
    for each in found:
        if each not in ("network.host", "security.insecure") and each.partition("=")[0] != "device":
            raise InvalidValue(f"Image: allow has {shown(each)}; take network.host, security.insecure or device=…")
    return found


def sbom(value: Any) -> bool | str | None:
    """Return whether there is a bill of materials; a text is the image that makes it."""
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise InvalidType(f"Image: sbom is {kind_of(value)}; pass True, or the name of the image that makes it")
    found = operand.text("Image: sbom", value)
    if set(found) & set(", \t\n"):
        raise InvalidValue(f"Image: sbom is {shown(found)}, which is no name of an image; pass True, or such a name")
    return found


def provenance(value: Any) -> bool | str | None:
    """Return whether there is a provenance: True, False, ``"min"`` or ``"max"``."""
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise InvalidType(f'Image: provenance is {kind_of(value)}; pass True, False, "min" or "max"')
    if value not in ("min", "max"):
        raise InvalidValue(f'Image: provenance is {shown(value)}; pass True, False, "min" or "max"')
    return value


def reproducible(value: Any) -> bool:
    """Return whether the same build gives the same digest."""
    return operand.flag("Image: reproducible", value)


def epoch(value: Any) -> int | None:
    """Return the time that the image is given, in seconds since 1970."""
    return None if value is None else operand.whole("Image: source_date_epoch", value, 0, 1 << 40)


def this_build(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are no fields of an `Image`, each in its own form."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if name == "output":
            found[name] = outputs(value)
        elif name == "no_cache_filter":
            found[name] = stages(value)
        elif name in ("no_cache", "pull"):
            found[name] = operand.flag(f"Image: {name}", value)
        elif name == "timeout":
            found[name] = operand.seconds("Image: timeout", value)
        elif name == "builder":
            found[name] = None if value is None else operand.text("Image: builder", value)
        else:
            raise InvalidType(f"Image: a build takes no option {shown(name)}{_hint(name)}")
    return found


def _hint(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - needed for a mistake alone

    near = get_close_matches(name, RequestOptions.__annotations__, 1)
    return f"; did you mean {near[0]!r}?" if near else "; take those of BuildOptions"


def check_names(contexts: Contexts, stages: Iterable[Named]) -> None:
    """Refuse a named context that bears the name of a stage: the build would take it in the place of that stage."""
    names = {stage.name.lower(): stage.name for stage in stages if stage.name is not None}
    for name, _ in contexts:
        if name.lower() in names:
            raise InvalidValue(
                f"Image: the context {shown(name)} bears the name of the stage {shown(names[name.lower()])}, and would "
                "be taken in its place; name one of them otherwise"
            )


def check_together(
    *, reproducible: bool, epoch: int | None, sbom: Any, provenance: Any, build_args: Iterable[Any]
) -> None:
    """Refuse what contradicts each other."""
    if reproducible and (sbom or provenance):
        name = "sbom" if sbom else "provenance"
        raise InvalidValue(
            f"Image: it is reproducible and has {name}, which tells when it was made, so that no two are alike; "
            "leave one of them out"
        )
    if (reproducible or epoch is not None) and "SOURCE_DATE_EPOCH" in dict(build_args):
        raise InvalidValue("Image: SOURCE_DATE_EPOCH stands in build_args; pass it as source_date_epoch=…")
