"""Image: what is built of a Dockerfile, and how to see that it works."""
# ruff: noqa: PLC0415 - writing an Image down needs no engine; what builds and asks is imported when it does

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Unpack

import attrs

from dockdsl.checks.check import Check, checks_of
from dockdsl.display import kind_of
from dockdsl.errors import BuildFailed, FileError, InvalidType, InvalidValue, RunFailed
from dockdsl.image.declaration import Declaration
from dockdsl.operands import checked, seconds

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult, SmokeReport
    from dockdsl.engine.building import Builder, BuildRequest, BuildResult, Progress
    from dockdsl.engine.options import BuildKeywords
    from dockdsl.engine.running import Runner
    from dockdsl.image.built import BuiltImage
    from dockdsl.image.size import SizeReport


class Image(Declaration):
    """What is built of a `Dockerfile`, how it is run, and what is expected of it.

    It has all options of `dockdsl.engine.options.ImageOptions`, and:

    `context`
        The folder that ``Copy`` and ``Add`` take files from; relative to the file in which the Image is written. Or an
        address, which the engine fetches: of a Git repository, ``https://…/x.git#BRANCH:FOLDER``, or of a tar archive.
    `port`
        The TCP port that the image's server listens on, 1 to 65535. None for an image that is not a server, or a worker
        that listens on nothing: its `ready` is then `Printed` or `Healthy`.
    `env`, `command`
        For the run: variables, and the arguments instead of the image's own ``CMD``.
    `checks`
        What is expected of the image, in this order: `HttpCheck`, `CommandCheck`, `FileCheck` and so on.
    `healthcheck`
        Whether the image's own ``HEALTHCHECK`` must pass as well, if it has one: see `Healthy`.
    `ready`
        The image is ready when this path gives an answer that is not a server error (below 500), or when this
        `HttpCheck` passes; without HTTP, when `Healthy` or `Printed` passes: ``ready=Printed("connected")``.
    `timeout`
        Seconds until it must be ready.

    Raises `InvalidValue`, `InvalidType`, and `UnknownStage` for a target that the Dockerfile does not have.

    >>> from dockdsl import Dockerfile, Stage
    >>> image = Image(Dockerfile(Stage("scratch", name="api")), tags="api:dev", port=8080)
    >>> image.tags, image.ready, image.timeout
    (('api:dev',), '/', 30.0)

    Source: the references of ``docker buildx build`` and ``docker run``.
    """

    def build(
        self,
        builder: Builder | str | None = None,
        *,
        request: BuildRequest | None = None,
        progress: Progress | None = None,
        **options: Unpack[BuildKeywords],
    ) -> BuildResult:
        """Build it: by ``docker buildx build``, where no other builder is given.

        `builder`
            A `Builder`, or the name of a builder of ``docker buildx``.
        `request`
            What `Image.request` returned; `options` are then not taken.
        `progress`
            Is called with each `BuildEvent`; see `dockdsl.engine.builders.live.watch` and
            `dockdsl.engine.building.plain`.
        `options`
            See `dockdsl.engine.building.BuildRequest`: ``image.build(platforms="linux/arm64", output="push")``.

        Raises `EngineUnavailable` and `BuildFailed`; the latter's `origin` is the place of the failing instruction.
        `InvalidValue` and `InvalidType` for an option that is not valid.
        """
        if request is not None and options:
            raise InvalidValue("Image: a build has a request and options; pass the options to request(…)")
        image, rest = self.changed(options)
        if image is not self:
            # Its contexts and its place may be others.
            keywords: Any = rest
            return image.build(builder, progress=progress, **keywords)
        if request is None:
            request = self.own_request({**rest, "builder": builder if isinstance(builder, str) else None})
        maker, request = self._prepared(None if isinstance(builder, str) else builder, request, progress)
        with self._errors_point_here():
            return maker.build(request, progress)

    def test(
        self,
        builder: Builder | None = None,
        runner: Runner | None = None,
        *,
        request: BuildRequest | None = None,
        progress: Progress | None = None,
        report: Callable[[CheckResult], object] | None = None,
        report_build: Callable[[BuildResult], object] | None = None,
        timeout: float | None = None,
        checks: Iterable[Check] | None = None,
    ) -> SmokeReport:
        """Build it, run it, wait until it is ready, run the checks, and remove the container.

        An image that has neither a port nor a check that says when it is ready is not started: only the checks that run
        it do so. An image without a tag is removed, too. What killed processes left behind is removed first.

        `report`
            Is called with each result at once.
        `report_build`
            Is called with the result of the build, before anything is run.
        `timeout`
            Seconds until it must be ready, instead of the image's own.
        `checks`
            Instead of the image's own, and of that of its ``HEALTHCHECK``.

        Raises `CheckFailed` if a check fails, `RunFailed` if the container does not start, ends, or does not get ready;
        besides what `build` raises; `InvalidValue` for an image without port and checks.
        """
        limit = self.timeout if timeout is None else checked("Image: timeout", seconds, timeout)
        from dockdsl.image.health import health_check

        own = (*self.checks, *health_check(self))
        wanted = own if checks is None else checked("Image: checks", checks_of, checks)
        if not self.starts and not wanted:
            raise InvalidValue(
                "Image: there is nothing to test; pass port=…, where its server listens, or checks=…",
                origin=self.origin,
            )
        from dockdsl.checks.smoke import build_and_smoke

        with _open_runner(runner) as engine:
            builder, request = self._prepared(builder, request, progress, engine)
            with self._errors_point_here():
                found = build_and_smoke(
                    builder,
                    engine,
                    request,
                    self.run_request(),
                    wanted,
                    ready=self.ready,
                    timeout=limit,
                    progress=progress,
                    report=report,
                    report_build=report_build,
                )
        found.raise_for_failures()
        return found

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

        An image without a tag is removed again, also after Ctrl-C and SIGTERM. What killed processes left behind is
        removed first.

        `compressed`
            Whether the layers are compressed as well, to say what a registry transfers; that reads them all.

        Raises what `build` raises; `RunFailed` where the image is not on the engine that was built for, where its
        layers cannot be read, and where its history does not have the steps of the Dockerfile; `FileError` where the
        layers must be read and there is no room for them.
        """
        from dockdsl.checks.subject import Subject
        from dockdsl.image.size import SizeReport, divide

        wanted = self.request() if request is None else request
        with (
            _open_runner(runner) as engine,
            self.built(builder, engine, request=wanted, progress=progress) as built,
            self._errors_point_here(),
            Subject(engine, self.run_request(built.id), build=built.result) as subject,
        ):
            # The history of containerd's store counts blocks of its disk, and nothing of other platforms.
            is_read = built.result.size_kind == "content"
            history = subject.files.history if is_read else engine.history(built.id)
            return SizeReport(
                image=wanted.tags[0] if wanted.tags else built.id,
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
        from dockdsl.checks.smoke import built
        from dockdsl.engine.leftovers.interrupts import ended_by_exception
        from dockdsl.image.built import BuiltImage

        with contextlib.ExitStack() as stack:
            engine = stack.enter_context(_open_runner(runner))
            stack.enter_context(ended_by_exception())
            builder, request = self._prepared(builder, request, progress, engine)
            with self._errors_point_here():
                result, name = stack.enter_context(built(builder, engine, request, progress))
            found = BuiltImage(self, name, result, engine)
            stack.callback(found.close)
            yield found

    def _prepared(
        self,
        builder: Builder | None,
        request: BuildRequest | None,
        progress: Progress | None,
        runner: Runner | None = None,
    ) -> tuple[Builder, BuildRequest]:
        """Return what builds and what it is to build, when the images that the build takes as contexts are built."""
        _check_part("builder", builder, "build", "a builder, as Buildx()")
        _check_part("runner", runner, "start", "a runner, as DockerSdk()")
        _check_part("progress", progress, "__call__", "a function, as watch()")
        if builder is None:
            from dockdsl.engine.builders.buildx import Buildx

            builder = Buildx()
        request = self._translated(builder, self.request() if request is None else request)
        for (_, other), context in zip(self.contexts, self.named_contexts(), strict=True):
            # Their tags are to name what they are now.
            if isinstance(other, Image) and context in request.contexts:
                theirs = other.request(
                    builder=request.builder,
                    no_cache=request.no_cache,
                    pull=request.pull,
                    timeout=request.timeout,
                    platforms=request.platforms or other.platforms,
                )
                other.build(builder, request=theirs, progress=progress)
        return builder, request

    def _translated(self, builder: Builder, request: BuildRequest) -> BuildRequest:
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

    @contextlib.contextmanager
    def _errors_point_here(self) -> Iterator[None]:
        """Let errors that are about the image as a whole point to where it was written."""
        try:
            yield
        except FileError as error:
            error.origin = self.origin
            raise
        except RunFailed as error:
            from dockdsl.image.place import place_of

            error.origin = place_of(self, error)
            raise
        except BuildFailed as error:
            # A step has a place of its own; options and tags are the image's.
            if error.origin is None and error.kind in ("definition", "registry"):
                error.origin = self.origin
            raise


def _open_runner(runner: Runner | None) -> contextlib.AbstractContextManager[Runner]:
    """Return the runner, or the usual one, which is closed at the end of the block."""
    if runner is not None:
        return contextlib.nullcontext(runner)
    from dockdsl.engine.runners.docker_sdk import DockerSdk

    return DockerSdk()


def _check_part(name: str, value: Any, method: str, wanted: str) -> None:
    """Refuse what does not have the method, and a class, which has the method but is not the object itself."""
    if isinstance(value, type) or not (value is None or callable(getattr(value, method, None))):
        kind = f"the class {value.__name__}" if isinstance(value, type) else kind_of(value)
        raise InvalidType(f"Image: {name} is {kind}; pass {wanted}")
