"""The real builder: the command ``docker buildx build``, whose engine is BuildKit."""
# ruff: noqa: PLC0415 - what is not needed to start a build is imported while the engine works

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import attrs

from dockdsl.engine.builders import CommandBuilder, secret
from dockdsl.engine.builders.docker_command import DockerCommand, Found
from dockdsl.engine.builders.process import GRACE, Clock, OutOfTime, Running, started
from dockdsl.engine.building import BuildEvent, BuildRequest, BuildResult, Progress
from dockdsl.engine.flags import flags
from dockdsl.engine.leftovers import owner, replaced
from dockdsl.engine.leftovers.interrupts import ended_by_exception
from dockdsl.engine.specifications import OutputSpec
from dockdsl.errors import EngineError, EngineUnavailable

if TYPE_CHECKING:
    from dockdsl.engine.builders.progress import Account

SILENCE = 20.0
"""Seconds of silence after which it is checked that the engine still answers."""
_ATTEMPTS = 3
_REMOVED_MEANWHILE = re.compile(r"failed to get digest sha256:\w+: open \S+: no such file or directory").search
"""What the classic image store says where the last tag of an equal image goes at the moment that it stores this one."""
_ARCHIVE = "image.tar"
_DIGESTS = ("containerimage.digest", "containerimage.config.digest")


class Buildx(CommandBuilder):
    """Builds with ``docker buildx build``.

    The command finds the engine by itself: ``DOCKER_HOST``, ``DOCKER_CONTEXT``, the context in use and
    ``BUILDX_BUILDER`` mean what they always mean. So a builder on another machine or in a cluster needs its name in
    `BuildRequest.builder` and nothing else.

    `docker`
        The command's name or path.
    `silence`
        Seconds of silence after which it is checked that the engine still answers: the build fails if the engine does
        not answer within that time either.

    Source: the reference of ``docker buildx build``.
    """

    def __init__(self, docker: str = "docker", *, silence: float = SILENCE) -> None:
        self.docker = docker
        self._silence = silence

    def build(self, request: BuildRequest, progress: Progress | None = None) -> BuildResult:
        """Build, and load the image into the engine.

        Raises `EngineUnavailable` where there is no docker command, no buildx, no engine or no permission;
        `BuildFailed` for a base image that cannot be had, a step that fails, a Dockerfile or an option that is
        refused, and a build that takes too long; `FileError` for a context that is not a folder.
        """
        command = DockerCommand(self.docker)
        request.check_folders()
        secret.note(request.secrets)
        clock = Clock(request.timeout)
        with (
            owner.temporary_folder() as folder,
            _whole_archives(request, folder) as written,
            tempfile.TemporaryFile(dir=folder) as dockerfile,
        ):
            if request.ignore is None:
                dockerfile.write(request.dockerfile.encode())
                dockerfile.seek(0)
            else:
                request.write_files(Path(folder))
            try:
                argv = [*command.buildx(), *arguments(written, folder)]
                for _ in range(_ATTEMPTS):
                    account, status = self._run(command, argv, dockerfile, folder, request, progress, clock)
                    if status == 0 or not any(map(_REMOVED_MEANWHILE, account.text)):
                        break
                    dockerfile.seek(0)
            finally:
                if progress is not None:
                    progress(BuildEvent("ended", "", "", clock.spent()))
            if status != 0:
                from dockdsl.engine.failures.diagnosis import failure

                raise failure(request, account, status)
            seconds = clock.spent()
            if request.reproducible and request.is_loaded:
                # The engine itself cannot rewrite the times of what it keeps.
                command.load(f"{folder}/{_ARCHIVE}", max(request.timeout - clock.spent(), GRACE))
            metadata = _metadata(folder)
        named = [each for each in (*map(metadata.get, ("id", *_DIGESTS)), *request.tags[:1]) if each]
        image, size, kind = _known(command, named) if request.is_loaded else _elsewhere(named)
        if request.is_loaded:
            replaced.tidy(command, request.tags, image)
        stages = account.stages(request.dockerfile)
        return BuildResult(
            image=image,
            digest=metadata.get(_DIGESTS[0]) or None,
            tags=request.tags,
            size=size,
            size_kind=kind,
            seconds=seconds,
            steps=sum(stage.steps for stage in stages),
            cached=sum(stage.cached for stage in stages),
            stages=stages,
            output=tuple(map(str, request.output)),
            warnings=tuple(account.warnings),
        )

    def load(self, archive: str, image: str, tags: tuple[str, ...], timeout: float) -> Found:
        """Load an image that another builder has made, and tag it; return its id, its size, and which size that is.

        Raises `EngineUnavailable`, and `EngineError` for what the engine does not accept.
        """
        command = DockerCommand(self.docker)
        command.load(archive, timeout)
        for tag in tags[1:]:
            command.tag(tags[0], tag)
        found = _known(command, [*tags[:1], f"sha256:{image.removeprefix('sha256:')}"])
        replaced.tidy(command, tags, found[0])
        return found

    def _run(
        self,
        command: DockerCommand,
        argv: list[str],
        dockerfile: IO[bytes],
        folder: str,
        request: BuildRequest,
        progress: Progress | None,
        clock: Clock,
    ) -> tuple[Account, int]:
        """Run the build to its end, or end it: on a timeout, on Ctrl-C, on SIGTERM."""
        variables = {
            # What buildx keeps for a while goes with the folder, however either of them ends.
            "TMPDIR": folder,
            "DOCKER_CLI_HINTS": "false",
            # Nothing here asks for the provenance, and it costs a round trip.
            "BUILDX_METADATA_PROVENANCE": os.environ.get("BUILDX_METADATA_PROVENANCE", "disabled"),
        }
        with ended_by_exception(), started(argv, dockerfile, variables) as running:
            from dockdsl.engine.builders.progress import Account
            from dockdsl.engine.leftovers import orphans

            account = Account(progress, request.origin_at)
            import_module("http.client")
            orphans.sweep()
            try:
                # A line is in no variable here: a secret may be in it, and a traceback may show the variables.
                while account.feed(self._next(command, running, clock)):
                    pass
                return account, running.wait(clock.left())
            except OutOfTime:
                from dockdsl.engine.failures.diagnosis import timed_out

                raise timed_out(request, account.running()) from None

    def _next(self, command: DockerCommand, running: Running, clock: Clock) -> str | None:
        """Return the next line, None at the end; where none comes for long, see that the engine answers at all."""
        while True:
            left = clock.left()
            try:
                return running.line(min(left, self._silence))
            except OutOfTime:
                if left <= self._silence:
                    raise
            # The docker command itself waits forever for an engine that accepts and stays silent.
            if not command.answers(min(left, self._silence)):
                raise EngineUnavailable(
                    "build: the container engine does not answer any more; see what holds it up, and build again"
                )


def _known(command: DockerCommand, names: list[str]) -> Found:
    """Return what the engine knows of an image that was put into it."""
    found = command.image(names)
    if found is not None:
        return found
    if not names:
        raise EngineError(
            "build: the docker command succeeded without naming an image; is it Docker's own buildx?", origin=None
        )
    return _elsewhere(names)


def _elsewhere(names: list[str]) -> tuple[str, None, Literal["unpacked"]]:
    """Return what is known of an image that is not on the engine."""
    return next((name for name in names if name.startswith("sha256:")), ""), None, "unpacked"


def arguments(request: BuildRequest, folder: str) -> list[str]:
    """Return the arguments of buildx: the Dockerfile comes on stdin or is in `folder`, results go there.

    >>> request = BuildRequest(dockerfile="FROM scratch", context="/src", tags=["api:dev"], build_args={"V": "1"})
    >>> " ".join(arguments(request, "/tmp/x")[2:])
    '--metadata-file=/tmp/x/metadata.json --iidfile=/tmp/x/image --load --tag=api:dev --build-arg=V=1 --file=- /src'
    """
    epoch = _epoch(request)
    if epoch is not None:
        request = attrs.evolve(request, build_args=(*request.build_args, ("SOURCE_DATE_EPOCH", epoch)))
    if request.reproducible and request.provenance is None:
        # It says when and where the image was made.
        request = attrs.evolve(request, provenance=False)
    is_files = any(each.is_files for each in request.output)
    return [
        "build",
        "--progress=rawjson",
        f"--metadata-file={folder}/metadata.json",
        # Files have no id.
        *([] if is_files else [f"--iidfile={folder}/image"]),
        *(f"--{each}" if each.type in ("load", "push") else f"--output={each}" for each in _outputs(request, folder)),
        *flags(request, "buildx"),
        # What replaces .dockerignore is looked for beside the file.
        "--file=-" if request.ignore is None else f"--file={folder}/Dockerfile",
        request.place,
    ]


def _epoch(request: BuildRequest) -> str | None:
    """Return the time of the image; None leaves it to the command, which knows SOURCE_DATE_EPOCH itself."""
    if request.source_date_epoch is not None:
        return str(request.source_date_epoch)
    return os.environ.get("SOURCE_DATE_EPOCH") or "0" if request.reproducible else None


def _outputs(request: BuildRequest, folder: str) -> Iterator[OutputSpec]:
    """Yield where the image goes; one with rewritten times goes into the engine by way of an archive."""
    for each in request.output or (OutputSpec("load"),):
        if not request.reproducible or each.is_files or each.type == "cacheonly":
            yield each
            continue
        rewritten = ("rewrite-timestamp", "true")
        if each.type == "load":
            yield OutputSpec("docker", f"{folder}/{_ARCHIVE}", (rewritten,))
        elif each.type == "push":
            yield OutputSpec("image", None, (("push", "true"), rewritten))
        else:
            yield attrs.evolve(each, attributes=(*each.attributes, rewritten))


@contextlib.contextmanager
def _whole_archives(request: BuildRequest, folder: str) -> Iterator[BuildRequest]:
    """Yield the request with each archive written beside its place, where it is put when the block has ended well.

    buildx empties the file before anything is built, so that a build that fails would leave nothing of what it held.
    """
    places: dict[Path, Path] = {}
    outputs = []
    for each in request.output:
        place = Path(os.path.realpath(each.dest or "/"))
        if each.is_archive and (place.is_file() or not place.exists()) and os.access(place.parent, os.W_OK):
            beside = place.with_name(f".{place.name}.{os.urandom(4).hex()}")
            owner.remember(folder, beside)
            places[beside] = place
            outputs.append(attrs.evolve(each, dest=str(beside)))
        else:
            outputs.append(each)
    try:
        yield attrs.evolve(request, output=outputs)
        for beside, place in places.items():
            if place.exists():
                shutil.copymode(place, beside)
            beside.replace(place)
    finally:
        for beside in places:
            with contextlib.suppress(OSError):
                beside.unlink()


def _metadata(folder: str) -> dict[str, str]:
    """Return what the command wrote down of the image, with its id as ``id``; what is missing or odd is left out."""
    found: Any = {}
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(Path(folder, "metadata.json").read_bytes())
    kept = {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}
    with contextlib.suppress(OSError, ValueError):
        kept["id"] = Path(folder, "image").read_text(encoding="ascii").strip()
    return kept
