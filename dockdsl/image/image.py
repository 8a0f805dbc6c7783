"""Image: what is built of a Dockerfile, and how to see that it works."""
# ruff: noqa: PLC0415 - writing an Image down needs no engine; what builds and asks is imported when it does

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Unpack

import attrs

from dockdsl.checks.check import Check, checks_of
from dockdsl.checks.http import HttpCheck
from dockdsl.display import kind_of, shown
from dockdsl.errors import BuildFailed, FileError, InvalidType, InvalidValue, RunFailed, UnknownStage
from dockdsl.image import operands as operand
from dockdsl.image import options as option
from dockdsl.image.options import BuildOptions, Contexts, FileContext, Named, RequestOptions, Tagged, relative_to_caller
from dockdsl.operands import Pairs, PairsLike, TextsLike, checked, here
from dockdsl.origins import Origin
from dockdsl.syntax.references import is_platform, is_tag

if TYPE_CHECKING:
    from pathlib import Path

    from dockdsl.checks.report import CheckResult, SmokeReport
    from dockdsl.engine.building import Builder, BuildRequest, BuildResult, Progress
    from dockdsl.engine.running import Runner, RunRequest
    from dockdsl.image.built import BuiltImage
    from dockdsl.image.size import SizeReport
    from dockdsl.model.dockerfile import Dockerfile

_OF_IMAGE = (
    "tags",
    "target",
    "build_args",
    "labels",
    "platforms",
    "ignore",
    "secrets",
    "ssh",
    "contexts",
    "cache_from",
    "cache_to",
    "network",
    "add_hosts",
    "allow",
    "shm_size",
    "ulimits",
    "annotations",
    "sbom",
    "provenance",
    "reproducible",
    "source_date_epoch",
)
"""The fields of an image that its request has under the same names."""
_PARTS = {
    "builder": ("build", "a builder, as Buildx()"),
    "runner": ("start", "a runner, as DockerSdk()"),
    "progress": ("__call__", "a function, as watch()"),
}
"""What does the work: the method by which it is known, and what to pass."""


def _dockerfile(value: Dockerfile) -> Dockerfile:
    # Known by what it has, so that an Image can be written down without importing the model twice.
    if not hasattr(value, "stages"):
        hint = "pass Dockerfile(stage)" if hasattr(value, "steps") else "pass a Dockerfile"
        raise InvalidType(f"Image: the dockerfile is {kind_of(value)}; {hint}")
    return value


def _context(value: str | os.PathLike[str]) -> str:
    if isinstance(value, FileContext):
        return value
    if not isinstance(value, (str, os.PathLike)):
        raise InvalidType(f"Image: context is {kind_of(value)}; pass the path of a folder")
    context = operand.text("Image: context", os.fspath(value))
    if "://" in context or context == "-":
        raise InvalidValue(f"Image: context {shown(context)} is no folder; check it out, and pass the folder's path")
    return relative_to_caller(context)


def _check_parts(**parts: object) -> None:
    """Refuse what is no such thing: a class of it, too, which has the method all the same."""
    for name, value in parts.items():
        method, wanted = _PARTS[name]
        if isinstance(value, type) or not (value is None or callable(getattr(value, method, None))):
            kind = f"the class {value.__name__}" if isinstance(value, type) else kind_of(value)
            raise InvalidType(f"Image: {name} is {kind}; pass {wanted}")


def _target(value: str | Named | None) -> str | None:
    return None if value is None else option.stage_name("Image: target", value)


def _tags(value: TextsLike) -> tuple[str, ...]:
    tags = operand.texts("Image: a tag", value)
    for tag in tags:
        if "@" in tag:
            raise InvalidValue(f"Image: the tag {shown(tag)} has a digest, which only the build can give; leave it out")
        if not is_tag(tag) or len(tag) > 255:
            raise InvalidValue(f"Image: {shown(tag)} is no tag; write [registry/]name[:tag] with a name in lower case")
    return tags


def _platforms(value: TextsLike) -> tuple[str, ...]:
    platforms = operand.texts("Image: a platform", value)
    for platform in platforms:
        if not is_platform(platform):
            raise InvalidValue(f"Image: {shown(platform)} is no platform; write it as linux/arm64, several as a list")
    return platforms


def _port(value: int | None) -> int | None:
    return None if value is None else operand.whole("Image: port", value, 1, 65535)


def _build_args(value: PairsLike) -> Pairs:
    return operand.pairs("Image: build_args", value)


def _labels(value: PairsLike) -> Pairs:
    return operand.pairs("Image: labels", value)


def _env(value: PairsLike) -> Pairs:
    return operand.pairs("Image: env", value)


def _ssh(value: TextsLike) -> tuple[str, ...]:
    return operand.texts("Image: ssh", value)


def _timeout(value: float) -> float:
    return operand.seconds("Image: timeout", value)


def _command(value: Iterable[str] | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidType(f"Image: command is {kind_of(value)}; pass a list of arguments")
    command = tuple(operand.text("Image: an argument of command", each, empty=True) for each in value)
    if not command:
        raise InvalidValue("Image: command is empty; leave it out to run the image's own")
    return command


def _checks(value: Check | Iterable[Check]) -> tuple[Check, ...]:
    return checked("Image: checks", checks_of, value)


def _ready(value: str | HttpCheck) -> str | HttpCheck:
    return value if isinstance(value, HttpCheck) else operand.url_path("Image: ready", value)


@attrs.frozen(slots=False)
class Image:
    """What is built of a `Dockerfile`, how it is run, and what is expected of it.

    `context`
        The folder that ``Copy`` and ``Add`` take files from; relative to the file in which the Image is written.
    `tags`
        A tag or several: ``"api:dev"``.
    `target`
        A stage or its name; None is the Dockerfile's last target.
    `build_args`, `labels`
        As the options ``--build-arg`` and ``--label`` of the build.
    `platforms`
        ``"linux/arm64"``, or several. None is the engine's own.
    `ignore`
        What of the context is left out: patterns as a ``.dockerignore`` has them, ``["*", "!src"]``. They stand in for
        that file, as ``NAME.dockerignore`` beside a Dockerfile does; ``[]`` leaves nothing out. None is the context's
        own ``.dockerignore``.
    `secrets`, `ssh`
        As the options ``--secret`` and ``--ssh``: ``"id=token,env=TOKEN"``, ``"default"``. What a secret holds
        stands in no message and no log, each line of it from four characters on.
    `contexts`
        What ``Copy(from_=…)`` and base images find under a name: a folder (relative as `context`), ``docker-image://…``,
        ``oci-layout://…``, an address, or another `Image`, which is built first and needs a tag.
    `cache_from`, `cache_to`
        As the options of these names: ``"type=local,src=cache"``, ``"registry.test/api:cache"``.
    `network`, `allow`
        The network of the steps, ``"default"``, ``"none"`` or ``"host"``; and what they may: ``"network.host"``,
        ``"security.insecure"``.
    `add_hosts`
        Addresses of hosts by the names that the steps know them by: ``{"mirror.test": "10.0.0.1"}``. They do not become
        part of the image. ``"host-gateway"`` is the engine's own machine.
    `shm_size`, `ulimits`
        The size of ``/dev/shm`` of the steps, ``"128m"``, and their limits, ``"nofile=1024:4096"``.
    `annotations`
        As the option ``--annotation``: what stands in the manifest, or with ``"index:NAME"`` in the index.
    `sbom`, `provenance`
        Attestations: True or False; the image that makes the bill of materials; ``"min"`` or ``"max"``.
    `reproducible`
        Whether the same build gives the same digest, wherever and whenever it is made: all times in the image are
        those of `source_date_epoch`, and no attestation is added. What the steps do is theirs.
    `source_date_epoch`
        The time that the image is given, in seconds since 1970. None is the variable ``SOURCE_DATE_EPOCH``, and 0 where
        that is not set and the image is to be reproducible.
    `port`
        The TCP port that the image's server listens on, 1 to 65535. None for an image that is no server.
    `env`, `command`
        For the run: variables, and the arguments instead of the image's own ``CMD``.
    `checks`
        What is expected of the image, in this order: `HttpCheck`, `CommandCheck`, `FileCheck` and so on.
    `ready`
        The image is ready when this path gives an answer that is no server error (below 500), or when this `HttpCheck`
        passes.
    `timeout`
        Seconds until it must be ready.

    Raises `InvalidValue`, `InvalidType`, and `UnknownStage` for a target that the Dockerfile does not have.

    >>> from dockdsl import Dockerfile, Stage
    >>> image = Image(Dockerfile(Stage("scratch", name="api")), tags="api:dev", port=8080)
    >>> image.tags, image.ready, image.timeout
    (('api:dev',), '/', 30.0)

    Source: the references of ``docker buildx build`` and ``docker run``; for `ignore` Docker's manual, "Build context".
    """

    dockerfile: Dockerfile = attrs.field(converter=_dockerfile)
    context: str = attrs.field(default=".", converter=_context)
    tags: tuple[str, ...] = attrs.field(default=(), converter=_tags)
    target: str | None = attrs.field(default=None, kw_only=True, converter=_target)
    build_args: Pairs = attrs.field(default=(), kw_only=True, converter=_build_args)
    platforms: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_platforms)
    labels: Pairs = attrs.field(default=(), kw_only=True, converter=_labels)
    ignore: tuple[str, ...] | None = attrs.field(default=None, kw_only=True, converter=option.ignore)
    secrets: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=option.secrets)
    ssh: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_ssh)
    contexts: Contexts = attrs.field(default=(), kw_only=True, converter=option.contexts)
    cache_from: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=option.cache_from)
    cache_to: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=option.cache_to)
    network: str | None = attrs.field(default=None, kw_only=True, converter=option.network)
    add_hosts: Pairs = attrs.field(default=(), kw_only=True, converter=option.add_hosts)
    allow: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=option.allow)
    shm_size: str | None = attrs.field(default=None, kw_only=True, converter=option.shm_size)
    ulimits: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=option.ulimits)
    annotations: Pairs = attrs.field(default=(), kw_only=True, converter=option.annotated)
    sbom: bool | str | None = attrs.field(default=None, kw_only=True, converter=option.sbom)
    provenance: bool | str | None = attrs.field(default=None, kw_only=True, converter=option.provenance)
    reproducible: bool = attrs.field(default=False, kw_only=True, converter=option.reproducible)
    source_date_epoch: int | None = attrs.field(default=None, kw_only=True, converter=option.epoch)
    port: int | None = attrs.field(default=None, kw_only=True, converter=_port)
    env: Pairs = attrs.field(default=(), kw_only=True, converter=_env)
    command: tuple[str, ...] | None = attrs.field(default=None, kw_only=True, converter=_command)
    checks: tuple[Check, ...] = attrs.field(default=(), kw_only=True, converter=_checks)
    ready: str | HttpCheck = attrs.field(default="/", kw_only=True, converter=_ready)
    timeout: float = attrs.field(default=30.0, kw_only=True, converter=_timeout)
    origin: Origin = attrs.field(init=False, factory=here, eq=False, repr=False)
    """Where the image was written."""

    def __attrs_post_init__(self) -> None:
        asking = [each for each in self.checks if each.needs_server]
        if asking and self.port is None:
            raise InvalidValue(
                f"Image: its check {asking[0].title} needs a server, and it has no port; "
                "pass port=…, where its server listens"
            )
        self._check_saved()
        option.check_names(self.contexts, self.dockerfile.stages)
        option.check_together(
            reproducible=self.reproducible,
            epoch=self.source_date_epoch,
            sbom=self.sbom,
            provenance=self.provenance,
            build_args=self.build_args,
        )
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
            raise InvalidValue("Image: ready is asked before all checks, and so can use nothing that they save")

    def _check_stage(self, target: str, what: str) -> None:
        stages = self.dockerfile.stages
        names = [stage.name for stage in stages if stage.name is not None]
        if target.lower() in [name.lower() for name in names] or (target.isdecimal() and int(target) < len(stages)):
            return
        from difflib import get_close_matches

        near = get_close_matches(target, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"its stages are {', '.join(names) or 'without names'}"
        raise UnknownStage(f"Image: the Dockerfile has no stage {shown(target)} for {what}; {hint}")

    @property
    def folder(self) -> Path:
        """The context as an absolute path."""
        return self._absolute(self.context)

    def _absolute(self, folder: str) -> Path:
        from pathlib import Path

        base = folder.base if isinstance(folder, FileContext) else self.origin.path
        # What is typed into Python has no file; there the current folder counts.
        return ((Path.cwd() if base.startswith("<") else Path(base).parent) / folder).resolve()

    def _named(self) -> Pairs:
        """The named contexts as a build takes them."""
        return tuple((name, self._spelled(each)) for name, each in self.contexts)

    def _spelled(self, context: str | Tagged) -> str:
        if not isinstance(context, str):
            return f"docker-image://{context.tags[0]}"
        return str(self._absolute(context)) if isinstance(context, FileContext) else context

    def request(self, **options: Unpack[RequestOptions]) -> BuildRequest:
        """Return the request to build it; `options` say for this build what the image does not, or something else.

        >>> from dockdsl import Dockerfile, Stage
        >>> image = Image(Dockerfile(Stage("scratch")), tags="api:dev")
        >>> request = image.request(no_cache=True, platforms="linux/arm64", output="type=oci,dest=api.tar")
        >>> request.tags, request.platforms, request.output
        (('api:dev',), ('linux/arm64',), ('type=oci,dest=api.tar',))
        """
        given: dict[str, Any] = {**options}
        mine = {name: given.pop(name) for name in _OF_IMAGE if name in given}
        if mine:
            return attrs.evolve(self, **mine).request(**given)
        of_build = option.this_build(given)
        for name in of_build.get("no_cache_filter", ()):
            self._check_stage(name, "no_cache_filter")
        from dockdsl.engine.building import BuildRequest
        from dockdsl.text.rendering import render_with_map

        rendered = render_with_map(self.dockerfile)
        return BuildRequest(
            dockerfile=rendered.text,
            origins=rendered.origins,
            context=self.folder,
            contexts=self._named(),
            **{name: getattr(self, name) for name in _OF_IMAGE if name != "contexts"},
            **of_build,
        )

    def build(
        self,
        builder: Builder | str | None = None,
        *,
        request: BuildRequest | None = None,
        progress: Progress | None = None,
        **options: Unpack[BuildOptions],
    ) -> BuildResult:
        """Build it: by ``docker buildx build``, where no other builder is given.

        `builder`
            A `Builder`, or the name of a builder of ``docker buildx``.
        `request`
            What `Image.request` returned; `options` are then not taken.
        `progress`
            Is called with each `BuildEvent`; see `dockdsl.engine.builders.live.watch` and `dockdsl.engine.base.plain`.
        `options`
            See `dockdsl.image.options.BuildOptions`: ``image.build(platforms="linux/arm64", output="push")``.

        Raises `EngineUnavailable` and `BuildFailed`; the latter's `origin` is the place of the failing instruction.
        `InvalidValue` and `InvalidType` for an option that means nothing.
        """
        given: dict[str, Any] = {**options}
        if request is not None and given:
            raise InvalidValue("Image: a build has a request and options; pass the options to request(…)")
        mine = {name: given.pop(name) for name in _OF_IMAGE if name in given}
        if mine:
            return attrs.evolve(self, **mine).build(builder, progress=progress, **given)
        if request is None:
            request = self.request(builder=builder if isinstance(builder, str) else None, **given)
        if builder is None or isinstance(builder, str):
            from dockdsl.engine.builders.buildx import Buildx

            builder = Buildx()
        _check_parts(builder=builder, progress=progress)
        request = self._fitted(builder, request)
        self._build_contexts(builder, request, progress)
        with self._told():
            return builder.build(request, progress)

    def _fitted(self, builder: Builder, request: BuildRequest) -> BuildRequest:
        """Return the request in the dialect of a builder that knows less of the language."""
        if getattr(builder, "dialect", None) != "buildah":
            return request
        from dockdsl.engine.building import BuildWarning
        from dockdsl.text.buildah import for_buildah

        translated = for_buildah(self.dockerfile)
        notes = tuple(BuildWarning(text=text, origin=origin) for text, origin in translated.notes)
        return attrs.evolve(
            request, dockerfile=translated.text, origins=translated.origins, files=translated.files, notes=notes
        )

    def _build_contexts(self, builder: Builder, request: BuildRequest, progress: Progress | None) -> None:
        """Build the images that the build takes as contexts, so that their tags name what they are now."""
        for (_, other), named in zip(self.contexts, self._named(), strict=True):
            if isinstance(other, Image) and named in request.contexts:
                theirs = other.request(
                    builder=request.builder,
                    no_cache=request.no_cache,
                    pull=request.pull,
                    timeout=request.timeout,
                    platforms=request.platforms or other.platforms,
                )
                other.build(builder, request=theirs, progress=progress)

    def test(
        self,
        builder: Builder | None = None,
        runner: Runner | None = None,
        *,
        request: BuildRequest | None = None,
        progress: Progress | None = None,
        tell: Callable[[CheckResult], object] | None = None,
        tell_build: Callable[[BuildResult], object] | None = None,
        timeout: float | None = None,
        checks: Iterable[Check] | None = None,
    ) -> SmokeReport:
        """Build it, run it, wait until it is ready, run the checks, and remove the container.

        An image without a port is no server: it is not run but by the checks that do so. An image without a tag is
        removed too. What processes that were killed left behind is removed first.

        `tell`
            Is called with each result at once.
        `tell_build`
            Is called with what came of the build, before anything is run.
        `timeout`
            Seconds until it must be ready, instead of the image's own.
        `checks`
            Instead of the image's own.

        Raises `CheckFailed` if a check fails, `RunFailed` if the container does not start, ends, or does not get ready;
        besides what `build` raises; `InvalidValue` for an image without port and checks.
        """
        limit = self.timeout if timeout is None else operand.seconds("Image: timeout", timeout)
        wanted = self.checks if checks is None else _checks(checks)
        if self.port is None and not wanted:
            raise InvalidValue(
                "Image: there is nothing to test; pass port=…, where its server listens, or checks=…",
                origin=self.origin,
            )
        if runner is None:
            from dockdsl.engine.runners.docker_sdk import DockerSdk

            with DockerSdk() as sdk:
                return self.test(
                    builder,
                    sdk,
                    request=request,
                    progress=progress,
                    tell=tell,
                    tell_build=tell_build,
                    timeout=timeout,
                    checks=wanted,
                )
        if builder is None:
            from dockdsl.engine.builders.buildx import Buildx

            builder = Buildx()
        _check_parts(builder=builder, runner=runner, progress=progress)
        request = self._fitted(builder, self.request() if request is None else request)
        self._build_contexts(builder, request, progress)
        from dockdsl.checks.smoke import build_and_smoke

        with self._told():
            report = build_and_smoke(
                builder,
                runner,
                request,
                self.run_request(),
                wanted,
                ready=self.ready,
                timeout=limit,
                progress=progress,
                report=tell,
                report_build=tell_build,
            )
        report.raise_for_failures()
        return report

    def size(
        self,
        builder: Builder | None = None,
        runner: Runner | None = None,
        *,
        request: BuildRequest | None = None,
        progress: Progress | None = None,
        compressed: bool = False,
    ) -> SizeReport:
        """Build it, and return which line of the Python file brings how many bytes.

        An image without a tag is removed again, also after Ctrl-C and SIGTERM. What processes that were killed left
        behind is removed first.

        `compressed`
            Whether the layers are compressed as well, to tell what a registry transfers; that reads them all.

        Raises what `build` raises; `RunFailed` where the image is not on the engine that was built for, where its
        layers cannot be read, and where its history does not have the steps of the Dockerfile; `FileError` where the
        layers must be read and there is no room for them.
        """
        from dockdsl.checks.subject import Subject
        from dockdsl.image.size import SizeReport, divide

        if runner is None:
            from dockdsl.engine.runners.docker_sdk import DockerSdk

            with DockerSdk() as sdk:
                return self.size(builder, sdk, request=request, progress=progress, compressed=compressed)
        wanted = self.request() if request is None else request
        with self.built(builder, runner, request=wanted, progress=progress) as made, self._told():
            result = made.result
            with Subject(runner, self.run_request(result.image), build=result) as subject:
                # The history of containerd's store tells blocks of its disk, and nothing of other platforms.
                read = result.size_kind == "content"
                history = subject.files.history if read else runner.history(result.image)
                return SizeReport(
                    image=wanted.tags[0] if wanted.tags else result.image,
                    shares=divide(history, self.dockerfile, wanted.target),
                    compressed=subject.files.compressed() if compressed else None,
                )

    @contextlib.contextmanager
    def built(
        self,
        builder: Builder | None = None,
        runner: Runner | None = None,
        *,
        request: BuildRequest | None = None,
        progress: Progress | None = None,
    ) -> Iterator[BuiltImage]:
        """Build it for the time of the block, to run checks one by one and to start servers of it.

        An image without a tag is removed at the end of the block. The image's own checks are not run.

        Raises what `build` raises.
        """
        with contextlib.ExitStack() as stack:
            if runner is None:
                from dockdsl.engine.runners.docker_sdk import DockerSdk

                runner = stack.enter_context(DockerSdk())
            if builder is None:
                from dockdsl.engine.builders.buildx import Buildx

                builder = Buildx()
            from dockdsl.checks.smoke import built
            from dockdsl.engine.leftovers.interrupts import ended_by_exception
            from dockdsl.image.built import BuiltImage

            stack.enter_context(ended_by_exception())
            _check_parts(builder=builder, runner=runner, progress=progress)
            request = self._fitted(builder, self.request() if request is None else request)
            self._build_contexts(builder, request, progress)
            with self._told():
                made = built(builder, runner, request, progress)
                result, name = stack.enter_context(made)
            found = BuiltImage(self, name, result, runner)
            stack.callback(found.close)
            yield found

    def run_request(self, image: str = "") -> RunRequest:
        """Return the request to run it; `image` is its id or tag."""
        from dockdsl.engine.running import RunRequest

        ports = () if self.port is None else (self.port,)
        return RunRequest(image=image, ports=ports, env=self.env, command=self.command)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Let errors that are about the image as a whole point to where it was written."""
        try:
            yield
        except (RunFailed, FileError) as error:
            error.origin = self.origin
            raise
        except BuildFailed as error:
            # A step has a place of its own; options and tags are the image's.
            if error.origin is None and error.kind in ("definition", "registry"):
                error.origin = self.origin
            raise
