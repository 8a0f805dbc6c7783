"""The real builder: the command ``docker buildx build``, whose engine is BuildKit."""
# ruff: noqa: PLC0415 - what is not needed to start a build is imported while the engine works

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import attrs

from dockdsl.engine.builders import secret
from dockdsl.engine.builders.docker_command import DockerCommand, Found
from dockdsl.engine.building import BuildEvent, BuildRequest, BuildResult, Progress
from dockdsl.engine.leftovers import owner
from dockdsl.engine.leftovers.interrupts import ended_by_exception
from dockdsl.errors import EngineError, EngineUnavailable, FileError

if TYPE_CHECKING:
    from dockdsl.engine.builders.progress import Account

SILENCE = 20.0
"""Seconds after which a build that says nothing is looked after."""
_GRACE = 10.0
"""Seconds that the docker command has to end a build when it is told to."""
_ARCHIVE = "image.tar"


class Buildx:
    """Builds with ``docker buildx build``.

    The command finds the engine by itself: ``DOCKER_HOST``, ``DOCKER_CONTEXT``, the context in use and
    ``BUILDX_BUILDER`` mean what they always mean. So a builder on another machine or in a cluster needs its name in
    `BuildRequest.builder` and nothing else.

    `docker`
        The command's name or path.
    `silence`
        Seconds after which a build that says nothing is looked after: it fails if the engine does not answer a
        question within that time either.

    Source: the reference of ``docker buildx build``.
    """

    def __init__(self, docker: str = "docker", *, silence: float = SILENCE) -> None:
        self.docker = docker
        self._silence = silence

    def build(self, request: BuildRequest, progress: Progress | None = None) -> BuildResult:
        """Build, and load the image into the engine.

        Raises `EngineUnavailable` where there is no docker command, no buildx, no engine or no permission;
        `BuildFailed` for a base image that cannot be had, a step that fails, a Dockerfile or an option that is
        refused, and a build that takes too long; `FileError` for a context that is no folder.
        """
        command = DockerCommand(self.docker)
        if not os.path.isdir(request.context):  # noqa: PTH112 - this one never raises
            raise FileError(f"build: the context {request.context} is no folder; check the path", origin=None)
        for name, context in request.contexts:
            if "://" not in context and not context.startswith("git@") and not os.path.isdir(context):  # noqa: PTH112 - as above
                raise FileError(f"build: the context {name}, {context}, is no folder; check the path", origin=None)
        hide = secret.hider(secret.values(request.secrets))
        begin = time.monotonic()
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
                account, status = self._run(command, argv, dockerfile, folder, request, progress, hide, begin)
            finally:
                if progress is not None:
                    progress(BuildEvent("ended", "", "", time.monotonic() - begin))
            if status != 0:
                from dockdsl.engine.failures.diagnosis import failure

                raise failure(request, account, status)
            seconds = time.monotonic() - begin
            if request.reproducible and request.is_loaded:
                # The engine itself cannot rewrite the times of what it keeps.
                command.load(f"{folder}/{_ARCHIVE}", max(request.timeout - (time.monotonic() - begin), _GRACE))
            metadata = _metadata(Path(folder) / "metadata.json")
            ids = [_text(Path(folder) / "image"), *(_str(metadata.get(key)) for key in _DIGESTS), *request.tags[:1]]
        named = [each for each in ids if each]
        image, size, kind = _known(command, named) if request.is_loaded else _elsewhere(named)
        steps, cached = account.counts()
        return BuildResult(
            image=image,
            digest=_str(metadata.get("containerimage.digest")) or None,
            tags=request.tags,
            size=size,
            size_kind=kind,
            seconds=seconds,
            steps=steps,
            cached=cached,
            stages=account.stages(request.dockerfile),
            output=request.output,
            warnings=tuple(account.warnings),
        )

    def load(self, archive: str, image: str, tags: tuple[str, ...], timeout: float) -> Found:
        """Load an image that another builder has made, and tag it; return its id, its size, and which size that is.

        Raises `EngineUnavailable`, and `EngineError` for what the engine does not take.
        """
        command = DockerCommand(self.docker)
        command.load(archive, timeout)
        for tag in tags[1:]:
            command.tag(tags[0], tag)
        return _known(command, [*tags[:1], f"sha256:{image.removeprefix('sha256:')}"])

    def _run(
        self,
        command: DockerCommand,
        argv: list[str],
        dockerfile: IO[bytes],
        folder: str,
        request: BuildRequest,
        progress: Progress | None,
        hide: Callable[[str], str],
        begin: float,
    ) -> tuple[Account, int]:
        """Run the build to its end, or end it: on a timeout, on Ctrl-C, on SIGTERM."""
        # What buildx keeps for a while goes with the folder, however either of them ends.
        with ended_by_exception(), _started(argv, dockerfile, {"TMPDIR": folder}) as (process, lines):
            from dockdsl.engine.builders.progress import Account
            from dockdsl.engine.leftovers import orphans

            account = Account(progress, request.origins, hide)
            import_module("dockdsl.engine.builders.local_socket")
            orphans.sweep()
            try:
                while (line := self._next(command, lines, request.timeout, begin)) is not None:
                    account.feed(line)
                return account, process.wait(_left(request.timeout, begin))
            except (queue.Empty, subprocess.TimeoutExpired):
                from dockdsl.engine.failures.diagnosis import timed_out

                raise timed_out(request, account) from None

    def _next(self, command: DockerCommand, lines: queue.Queue[str | None], timeout: float, begin: float) -> str | None:
        """Return the next line, None at the end; where none comes for long, see that the engine answers at all."""
        while True:
            left = _left(timeout, begin)
            try:
                return lines.get(timeout=min(left, self._silence))
            except queue.Empty:
                if left <= self._silence:
                    raise
            # The docker command itself waits for ever for an engine that accepts and says nothing.
            if not command.answers(min(left, self._silence)):
                raise EngineUnavailable(
                    "build: the container engine does not answer any more; see what holds it up, and build again",
                    origin=None,
                )


def _known(command: DockerCommand, names: list[str]) -> Found:
    """Return what the engine knows of an image that was put into it."""
    found = command.image(names)
    if found is not None:
        return found
    if not names:
        raise EngineError(
            "build: the docker command ended well and named no image; is it Docker's own buildx?", origin=None
        )
    return _elsewhere(names)


def _elsewhere(names: list[str]) -> tuple[str, None, Literal["unpacked"]]:
    """Return what is known of an image that is not on the engine."""
    return next((name for name in names if name.startswith("sha256:")), ""), None, "unpacked"


_DIGESTS = ("containerimage.digest", "containerimage.config.digest")


def arguments(request: BuildRequest, folder: str) -> list[str]:
    """Return the arguments of buildx: the Dockerfile comes on stdin or is in `folder`, results go there.

    >>> request = BuildRequest(dockerfile="FROM scratch", context="/src", tags=["api:dev"], build_args={"V": "1"})
    >>> " ".join(arguments(request, "/tmp/x")[2:])
    '--metadata-file=/tmp/x/metadata.json --iidfile=/tmp/x/image --load --tag=api:dev --build-arg=V=1 --file=- /src'
    """
    options: list[str] = []
    epoch = _epoch(request)
    for name, values in (
        ("tag", request.tags),
        ("target", [request.target] if request.target is not None else []),
        ("build-arg", [f"{name}={value}" for name, value in request.build_args]),
        ("build-arg", [f"SOURCE_DATE_EPOCH={epoch}"] if epoch is not None else []),
        ("build-context", [f"{name}={value}" for name, value in request.contexts]),
        ("label", [f"{name}={value}" for name, value in request.labels]),
        ("platform", [",".join(request.platforms)] if request.platforms else []),
        ("secret", request.secrets),
        ("ssh", request.ssh),
        ("cache-from", request.cache_from),
        ("cache-to", request.cache_to),
        ("network", [request.network] if request.network is not None else []),
        ("add-host", [f"{name}={address}" for name, address in request.add_hosts]),
        ("allow", request.allow),
        ("shm-size", [request.shm_size] if request.shm_size is not None else []),
        ("ulimit", request.ulimits),
        ("annotation", [f"{name}={value}" for name, value in request.annotations]),
        ("no-cache-filter", request.no_cache_filter),
        ("attest", _attestations(request)),
        ("builder", [request.builder] if request.builder is not None else []),
    ):
        options += [f"--{name}={value}" for value in values]
    return [
        "build",
        "--progress=rawjson",
        *(["--no-cache"] if request.no_cache else []),
        *(["--pull"] if request.pull else []),
        f"--metadata-file={folder}/metadata.json",
        *([] if _is_files(request) else [f"--iidfile={folder}/image"]),
        *_outputs(request, folder),
        *options,
        # What stands in for .dockerignore is looked for beside the file.
        "--file=-" if request.ignore is None else f"--file={folder}/Dockerfile",
        str(request.context.absolute()),
    ]


def _epoch(request: BuildRequest) -> str | None:
    """Return the time of the image; None leaves it to the command, which knows SOURCE_DATE_EPOCH itself."""
    if request.source_date_epoch is not None:
        return str(request.source_date_epoch)
    return os.environ.get("SOURCE_DATE_EPOCH") or "0" if request.reproducible else None


def _attestations(request: BuildRequest) -> list[str]:
    found = []
    if request.sbom is not None:
        generator = f",generator={request.sbom}" if isinstance(request.sbom, str) else ""
        found.append(f"type=sbom{generator}" if request.sbom else "type=sbom,disabled=true")
    # It says when and where the image was made.
    provenance = False if request.provenance is None and request.reproducible else request.provenance
    if provenance is not None:
        mode = f",mode={provenance}" if isinstance(provenance, str) else ""
        found.append(f"type=provenance{mode}" if provenance else "type=provenance,disabled=true")
    return found


def _is_files(request: BuildRequest) -> bool:
    """Whether files without an image come out, which have no id."""
    return any({"type=local", "type=tar"} & set(each.split(",")) for each in request.output)


def _outputs(request: BuildRequest, folder: str) -> list[str]:
    """Return where the image goes to; one with rewritten times goes into the engine by way of an archive."""
    outputs = request.output or ("load",)
    if not request.reproducible:
        return [f"--{each}" if each in ("load", "push") else f"--output={each}" for each in outputs]
    spelled = {"load": f"type=docker,dest={folder}/{_ARCHIVE}", "push": "type=image,push=true"}
    outputs = tuple(spelled.get(each, each) for each in outputs)
    images = ("type=docker", "type=oci", "type=image", "type=registry")
    return [
        f"--output={each},rewrite-timestamp=true" if set(images) & set(each.split(",")) else f"--output={each}"
        for each in outputs
    ]


@contextlib.contextmanager
def _whole_archives(request: BuildRequest, folder: str) -> Iterator[BuildRequest]:
    """Yield the request with each archive written beside its place, where it is put when the block has ended well.

    buildx empties the file before anything is built, so that a build that fails would leave nothing of what it held.
    """
    places: dict[Path, Path] = {}
    outputs = []
    for each in request.output:
        fields = dict(part.partition("=")[::2] for part in each.split(","))
        place = Path(os.path.realpath(fields.get("dest") or "/"))
        if (
            fields.get("type") in ("tar", "oci", "docker")
            and fields.get("tar") != "false"
            and (place.is_file() or not place.exists())
            and os.access(place.parent, os.W_OK)
        ):
            beside = place.with_name(f".{place.name}.{os.urandom(4).hex()}")
            owner.remember(folder, beside)
            places[beside] = place
            fields["dest"] = str(beside)
            outputs.append(",".join(f"{key}={value}" for key, value in fields.items()))
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


@contextlib.contextmanager
def _started(
    argv: list[str], stdin: IO[bytes] | None, variables: Mapping[str, str] = {}
) -> Iterator[tuple[subprocess.Popen[bytes], queue.Queue[str | None]]]:
    """Start the docker command, and leave nothing of it running whatever ends the block.

    The queue gets each line of its stderr, and None at the end.
    """
    environment = {**os.environ, **variables}
    # The provenance is asked for by nobody here, and costs a round trip.
    environment.setdefault("BUILDX_METADATA_PROVENANCE", "disabled")
    environment["DOCKER_CLI_HINTS"] = "false"
    try:
        process = subprocess.Popen(  # noqa: S603 - a list of arguments, no shell
            argv,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            # The plugin is a process of its own: with a group they can be ended together.
            process_group=0,
        )
    except OSError as error:
        raise EngineUnavailable(
            f"build: the docker command cannot be run ({error.strerror}: {argv[0]}); check its installation",
            origin=None,
        ) from None
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, lines), name="dockdsl-buildx", daemon=True)
    reader.start()
    try:
        yield process, lines
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            # A plugin that waits for an engine that says nothing does not see that the command is gone.
            reader.join(_GRACE / 10)
            _kill_group(process.pid)
        reader.join(_GRACE)


def _kill_group(leader: int) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def _read(process: subprocess.Popen[bytes], lines: queue.Queue[str | None]) -> None:
    assert process.stderr is not None
    with process.stderr as stderr:
        for line in stderr:
            lines.put(line.decode("utf-8", "replace"))
    lines.put(None)


def _left(timeout: float, begin: float) -> float:
    """Return how many seconds are left; raise `queue.Empty` if none are."""
    left = timeout - (time.monotonic() - begin)
    if left <= 0:
        raise queue.Empty
    return min(left, threading.TIMEOUT_MAX)


def _metadata(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""
