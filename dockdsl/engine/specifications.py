"""What the options ``--secret``, ``--ssh``, ``--output``, ``--cache-from`` and ``--cache-to`` say, each as a value.

A text is parsed here and nowhere else, and builders are given the value as it is spelled here. So a secret that is
hidden is the one that the build reads.

Source: the reference of ``docker buildx build``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self, TypeVar

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused
from dockdsl.operands import Pairs, text

CACHES = ("registry", "local", "inline", "gha", "s3", "azblob")
OUTPUTS = ("local", "tar", "oci", "docker", "image", "registry", "cacheonly")


@attrs.frozen
class SecretSpec:
    """A secret: the id by which steps mount it, and the variable or the file that it comes from.

    Without both, it is the variable of the name of the id where there is one, else the file of that name.

    >>> SecretSpec.parse("id=token,Src=/run/token")
    SecretSpec(id='token', env=None, src='/run/token')
    >>> str(SecretSpec.parse("type=env,id=token,src=TOKEN"))
    'id=token,env=TOKEN'
    """

    id: str
    env: str | None = None
    src: str | None = None

    @classmethod
    def parse(cls, spec: str) -> Self:
        """Read ``id=token,env=TOKEN`` or ``id=token,src=FILE``. Refuses what is not one."""
        # No message shows it: it may be the secret itself.
        fields = pairs_in(spec, "it")
        if not fields.keys() <= {"id", "env", "src", "source", "type"}:
            name = shown(fields["id"]) if fields.get("id") else "it"
            raise Refused(f"{name} has an unknown key", "use id, env and src")
        if not fields.get("id"):
            raise Refused("it has no id", "write id=token,env=TOKEN or id=token,src=FILE")
        empty = [key for key in ("env", "src", "source") if fields.get(key) == ""]
        if empty:
            raise Refused(f"{shown(fields['id'])} has nothing after {empty[0]}=", "write env=NAME or src=FILE")
        kind = fields.get("type", "file")
        if kind not in ("file", "env"):
            raise Refused(f"{shown(fields['id'])} has the type {shown(kind)}", "leave it out, and write env= or src=")
        env, src = fields.get("env"), fields.get("src", fields.get("source"))
        return cls(fields["id"], src, None) if kind == "env" and env is None else cls(fields["id"], env, src)

    @property
    def source(self) -> tuple[Literal["env", "src"], str]:
        """Where it comes from: ``("env", "TOKEN")`` or ``("src", "FILE")``. A variable counts before a file."""
        if self.env is None and self.src is None:
            return "env" if self.id in os.environ else "src", self.id
        return ("env", self.env) if self.env is not None else ("src", self.src or "")

    def __str__(self) -> str:
        return spelled([("id", self.id), ("env", self.env), ("src", self.src)])


@attrs.frozen
class SshSpec:
    """An SSH agent, or keys: the id by which steps mount it, and the paths of a socket or of keys.

    Without paths, it is the agent of ``SSH_AUTH_SOCK``.

    >>> SshSpec.parse("default"), str(SshSpec.parse("git=key1,key2"))
    (SshSpec(id='default', paths=()), 'git=key1,key2')
    """

    id: str
    paths: tuple[str, ...] = ()

    @classmethod
    def parse(cls, spec: str) -> Self:
        """Read ``default`` or ``ID=PATH``; it is the one option that is not comma-separated pairs."""
        name, equals, paths = spec.partition("=")
        return cls(name, tuple(paths.split(",")) if equals else ())

    def __str__(self) -> str:
        return f"{self.id}={','.join(self.paths)}" if self.paths else self.id


@attrs.frozen
class OutputSpec:
    """Where the result of a build goes.

    `type`
        ``"load"`` (into the engine), ``"push"``, or a type of the option ``--output``.
    `dest`
        The file or folder, where there is one.
    `attributes`
        What else the option says.

    >>> OutputSpec.parse("out")
    OutputSpec(type='local', dest='out', attributes=())
    >>> str(OutputSpec.parse("dest=api.tar,Type=oci,tar=false"))
    'type=oci,dest=api.tar,tar=false'
    """

    type: str
    dest: str | None = None
    attributes: Pairs = ()

    @classmethod
    def parse(cls, spec: str) -> Self:
        """Read ``load``, ``push``, a folder, or ``type=…,dest=…``. Refuses what is not one."""
        if spec in ("load", "push"):
            return cls(spec)
        fields = {"type": "local", "dest": spec} if "=" not in spec else _typed(spec, OUTPUTS)
        if fields.get("dest") == "-":
            raise Refused(f"{shown(spec)} is stdout, where the id goes", "name a file")
        if fields["type"] in ("local", "tar", "oci") and not fields.get("dest"):
            raise Refused(f"{shown(spec)} has no destination", "add dest=…")
        return cls(fields.pop("type"), fields.pop("dest", None), tuple(fields.items()))

    @property
    def is_loaded(self) -> bool:
        """Whether the engine has the image afterwards."""
        return self.type == "load" or (self.type == "docker" and self.dest is None)

    @property
    def is_files(self) -> bool:
        """Whether files come out instead of an image."""
        return self.type in ("local", "tar")

    @property
    def is_archive(self) -> bool:
        """Whether it is one file, where it has a destination."""
        return self.type in ("tar", "oci", "docker") and dict(self.attributes).get("tar") != "false"

    def __str__(self) -> str:
        if self.type in ("load", "push"):
            return self.type
        return spelled([("type", self.type), ("dest", self.dest), *self.attributes])


@attrs.frozen
class CacheSpec:
    """A cache that a build reads or writes.

    >>> CacheSpec.parse("registry.test/api:cache")
    CacheSpec(type='registry', attributes=(('ref', 'registry.test/api:cache'),))
    >>> str(CacheSpec.parse("type=local,src=cache"))
    'type=local,src=cache'
    """

    type: str
    attributes: Pairs = ()

    @classmethod
    def parse(cls, spec: str) -> Self:
        """Read the name of an image, or ``type=…`` with what that type needs. Refuses what is not one."""
        fields = {"type": "registry", "ref": spec} if "=" not in spec else _typed(spec, CACHES)
        return cls(fields.pop("type"), tuple(fields.items()))

    def __str__(self) -> str:
        return spelled([("type", self.type), *self.attributes])


SecretsLike = str | SecretSpec | Iterable[str | SecretSpec] | None
SshLike = str | SshSpec | Iterable[str | SshSpec] | None
CachesLike = str | CacheSpec | Iterable[str | CacheSpec] | None
OutputsLike = str | OutputSpec | Iterable[str | OutputSpec] | None
_T = TypeVar("_T", SecretSpec, SshSpec, OutputSpec, CacheSpec)


def parsed(value: _T | str | Iterable[_T | str] | None, kind: type[_T]) -> tuple[_T, ...]:
    """Return one specification or several as values."""
    if value is None:
        return ()
    several: Iterable[Any] = (value,)
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
        several = value
    return tuple(each if isinstance(each, kind) else kind.parse(text(each)) for each in several)


def _typed(spec: str, kinds: tuple[str, ...]) -> dict[str, str]:
    fields = pairs_in(spec)
    kind = fields.get("type")
    if kind is None:
        raise Refused(f"{shown(spec)} has no type", f"add type=…, one of {', '.join(kinds)}")
    if kind not in kinds:
        raise Refused(f"{shown(spec)} has the type {shown(kind)}", f"use one of {', '.join(kinds)}")
    return fields


def pairs_in(spec: str, name: str | None = None) -> dict[str, str]:
    """Read pairs as BuildKit does: separated by commas as CSV is, with keys in any case. Messages call it `name`."""
    name = shown(spec) if name is None else name
    parts = spec.split(",")
    if '"' in spec:
        import csv  # noqa: PLC0415 - few values are quoted

        try:
            parts = next(csv.reader([spec], strict=True))
        except csv.Error as error:
            raise Refused(f"{name} cannot be read ({error})", "close each quote") from None
    found = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not (key.strip() and equals):
            raise Refused(f"{name} has a part without a key and an equals sign", "write each as key=value")
        found[key.strip().lower()] = value
    return found


def spelled(pairs: Iterable[tuple[str, str | None]]) -> str:
    """Return pairs as `pairs_in` reads them; those without a value are left out."""
    parts = [f"{key}={value}" for key, value in pairs if value is not None]
    return ",".join('"' + part.replace('"', '""') + '"' if set(part) & set(',"\r\n') else part for part in parts)
