"""What an `Image` declares: a Dockerfile, how it is built and run, and what is expected of it."""
# ruff: noqa: PLC0415 - writing an Image down needs no engine; what makes requests is imported when it does

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self, Unpack

import attrs

from dockdsl.checks.check import Awaited, Check, checks_of
from dockdsl.checks.http import HttpCheck
from dockdsl.display import shown, suggestion
from dockdsl.engine.options import FileContext, ImageOptions, Tagged, is_address, relative_to_caller
from dockdsl.errors import InvalidType, InvalidValue, Refused, UnknownStage, refuse_type
from dockdsl.operands import (
    Pairs,
    command,
    flag,
    here,
    named_as,
    names_alone,
    pairs,
    repr_of,
    seconds,
    text,
    url_path,
    whole,
)
from dockdsl.origins import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from dockdsl.engine.building import BuildRequest
    from dockdsl.engine.options import BuildKeywords
    from dockdsl.engine.running import RunRequest
    from dockdsl.model.dockerfile import Dockerfile


def _dockerfile(value: Dockerfile) -> Dockerfile:
    # Known by what it has, so that an Image can be written down without importing the model twice.
    if not hasattr(value, "stages"):
        raise refuse_type("", value, "pass Dockerfile(stage)" if hasattr(value, "steps") else "pass a Dockerfile")
    return value


def _context(value: str | os.PathLike[str]) -> str:
    if isinstance(value, FileContext):
        return value
    if not isinstance(value, (str, os.PathLike)):
        raise refuse_type("", value, "pass the path of a folder, or the address of a Git repository")
    context = text(os.fspath(value))
    if is_address(context):
        return context
    if "://" in context or context == "-":
        remedy = "pass a folder's path, or the address of a Git repository such as https://…/x.git#main"
        raise Refused(f"{shown(context)} is not a folder, and not an address that builds support", remedy)
    return relative_to_caller(context)


def _port(value: int | None) -> int | None:
    return None if value is None else whole(value, 1, 65535)


def _command(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if value is None else command(value)


def _ready(value: str | HttpCheck | Awaited) -> str | HttpCheck | Awaited:
    if isinstance(value, (HttpCheck, Awaited)):
        return value
    if not isinstance(value, str):
        raise refuse_type("", value, "pass a path, HttpCheck(…), Healthy() or Printed(…)")
    return url_path(value)


_OR_READY = ", or ready=Printed(…) if it listens on none"


@attrs.frozen(slots=False, repr=False, field_transformer=named_as("Image"))
class Declaration(ImageOptions):
    """The fields of an `Image`, and the requests that follow from them."""

    dockerfile: Dockerfile = attrs.field(converter=_dockerfile)
    context: str = attrs.field(default=".", converter=_context)
    port: int | None = attrs.field(default=None, kw_only=True, converter=_port)
    env: Pairs = attrs.field(default=(), kw_only=True, converter=pairs, repr=names_alone)
    command: tuple[str, ...] | None = attrs.field(default=None, kw_only=True, converter=_command)
    checks: tuple[Check, ...] = attrs.field(default=(), kw_only=True, converter=checks_of)
    healthcheck: bool = attrs.field(default=True, kw_only=True, converter=flag)
    ready: str | HttpCheck | Awaited = attrs.field(default="/", kw_only=True, converter=_ready)
    timeout: float = attrs.field(default=30.0, kw_only=True, converter=seconds)
    origin: Origin = attrs.field(init=False, factory=here, eq=False, repr=False)
    """Where the image was written."""

    __repr__ = repr_of

    def __attrs_post_init__(self) -> None:
        if self.port is None:
            asking = [each for each in self.checks if each.needs_port or (each.needs_server and not self.starts)]
            if asking:
                raise InvalidValue(
                    f"Image: its check {asking[0].title} needs a server, but no port is given; "
                    f"pass port=…, where its server listens{'' if asking[0].needs_port else _OR_READY}"
                )
        self._check_saved()
        self._check_context_names()
        self._check_together()
        if self.target is not None:
            self._check_stage(self.target, "the target")

    def _check_saved(self) -> None:
        """Refuse a check that uses what no check before it saves."""
        saved: set[str] = set()
        for check in self.checks:
            if isinstance(check, HttpCheck):
                unknown = [name for name in check.uses if name not in saved]
                if unknown:
                    raise InvalidValue(
                        f"Image: the check {check.title} uses {shown(unknown[0])}, which no check before it "
                        f'saves; give one of them save={{"{unknown[0]}": "/…"}}'
                    )
                saved.update(name for name, _ in check.save)
        if isinstance(self.ready, HttpCheck) and self.ready.uses:
            raise InvalidValue("Image: ready is asked before all checks, so it cannot use what they save")

    def _check_context_names(self) -> None:
        """Refuse a named context with the name of a stage: the build would take it in the place of that stage."""
        stages = {stage.name.lower(): stage.name for stage in self.dockerfile.stages if stage.name is not None}
        for name, _ in self.contexts:
            if name.lower() in stages:
                raise InvalidValue(
                    f"Image: contexts: {shown(name)} has the same name as the stage {shown(stages[name.lower()])}, and "
                    "would replace it; rename one of them"
                )

    def _check_together(self) -> None:
        """Refuse what contradicts each other."""
        if self.ignore is not None and is_address(self.context):
            raise InvalidValue(
                f"Image: ignore: the context is {shown(self.context)}, which the engine fetches as a whole; leave "
                "ignore out"
            )
        if self.reproducible and (self.sbom or self.provenance):
            name = "sbom" if self.sbom else "provenance"
            raise InvalidValue(
                f"Image: it is reproducible and has {name}, which says when it was made, so that no two are alike; "
                "leave one of them out"
            )
        if (self.reproducible or self.source_date_epoch is not None) and "SOURCE_DATE_EPOCH" in dict(self.build_args):
            raise InvalidValue("Image: SOURCE_DATE_EPOCH is in build_args; pass it as source_date_epoch=…")

    def _check_stage(self, target: str, what: str) -> None:
        stages = self.dockerfile.stages
        names = [stage.name for stage in stages if stage.name is not None]
        if target.lower() in [name.lower() for name in names] or (target.isdecimal() and int(target) < len(stages)):
            return
        hint = suggestion(target, names, f"its stages are {', '.join(names) or 'without names'}")
        raise UnknownStage(f"Image: the Dockerfile has no stage {shown(target)} for {what}; {hint}")

    @property
    def starts(self) -> bool:
        """Whether a container is started for its checks: a server, or a worker, which has no port."""
        return self.port is not None or isinstance(self.ready, Awaited)

    def check_starts(self) -> None:
        """Raise `InvalidValue` for an image that has neither a port nor a check that says when it is ready."""
        if not self.starts:
            raise InvalidValue(
                "Image: it has no port, so there is no server to start; pass port=…, where its server "
                f"listens{_OR_READY}",
                origin=self.origin,
            )

    @property
    def folder(self) -> Path | str:
        """The context: the absolute path of a folder, or an address."""
        from pathlib import Path

        return self.context if is_address(self.context) else Path(self.place)

    @property
    def place(self) -> str:
        """The context: an absolute path, or an address."""
        return self.context if is_address(self.context) else self._absolute(self.context)

    def _absolute(self, folder: str) -> str:
        base = folder.base if isinstance(folder, FileContext) else self.origin.path
        # What is typed into Python has no file; there the current folder counts.
        beside = "" if base.startswith("<") else os.path.dirname(base)
        return os.path.realpath(os.path.join(beside, folder))

    def named_contexts(self) -> Pairs:
        """Return the named contexts as a build takes them."""
        return tuple((name, self._spelled(each)) for name, each in self.contexts)

    def _spelled(self, context: str | Tagged) -> str:
        if not isinstance(context, str):
            return f"docker-image://{context.tags[0]}"
        return self._absolute(context) if isinstance(context, FileContext) else context

    def request(self, *, builder: str | None = None, **options: Unpack[BuildKeywords]) -> BuildRequest:
        """Return the request to build it; `options` replace what the image says, or add to it, for this build.

        `builder` is the name of a builder of ``docker buildx``; None is the one in use.

        Raises `InvalidValue` and `InvalidType` for an option that is not valid.

        >>> from dockdsl import Dockerfile, Image, Stage
        >>> image = Image(Dockerfile(Stage("scratch")), tags="api:dev")
        >>> request = image.request(no_cache=True, platforms="linux/arm64", output="type=oci,dest=api.tar")
        >>> request.tags, request.platforms, str(request.output[0])
        (('api:dev',), ('linux/arm64',), 'type=oci,dest=api.tar')
        """
        image, rest = self.changed(options)
        return image.own_request({**rest, "builder": builder})

    def changed(self, options: Any) -> tuple[Self, dict[str, Any]]:
        """Return a copy with the options that belong to an image, and the other options."""
        given: dict[str, Any] = {**options}
        names = ("context", *(field.name for field in attrs.fields(ImageOptions)))
        mine = {name: given.pop(name) for name in names if name in given}
        return attrs.evolve(self, **mine) if mine else self, given

    def own_request(self, options: dict[str, Any]) -> BuildRequest:
        """Return the request to build it with options that do not belong to an image."""
        from dockdsl.engine.building import BuildRequest
        from dockdsl.engine.flags import OPTIONS
        from dockdsl.text.rendering import render_with_map

        for name in options:
            if name not in OPTIONS:
                others = ", ".join(each for each in OPTIONS if not hasattr(attrs.fields(ImageOptions), each))
                hint = suggestion(name, OPTIONS, f"it has those of the Image that say how it is built, and {others}")
                raise InvalidType(f"Image: a build has no option {shown(name)}; {hint}")
        rendered = render_with_map(self.dockerfile)
        own = {field.name: getattr(self, field.name) for field in attrs.fields(ImageOptions)}
        request = BuildRequest(
            dockerfile=rendered.text,
            origins=rendered.origins,
            context=self.folder,
            **{**own, "contexts": self.named_contexts(), **options},
        )
        for name in request.no_cache_filter:
            self._check_stage(name, "no_cache_filter")
        return request

    def run_request(self, image: str = "") -> RunRequest:
        """Return the request to run it; `image` is its id or tag."""
        from dockdsl.engine.running import RunRequest

        ports = () if self.port is None else (self.port,)
        return RunRequest(image=image, ports=ports, env=self.env, command=self.command)


# Python names it where a keyword is unknown, and the class that users know is Image.
Declaration.__init__.__qualname__ = "Image.__init__"
