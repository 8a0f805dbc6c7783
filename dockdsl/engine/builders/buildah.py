"""Builders that need no engine to build: the commands ``buildah build`` and ``podman build``.

The image is handed to the engine afterwards, where the runner finds it.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import time
from collections import deque
from pathlib import Path
from typing import Literal

import attrs

from dockdsl.engine.builders import secret
from dockdsl.engine.builders.buildx import Buildx, _left, _started
from dockdsl.engine.builders.docker_command import QUESTION
from dockdsl.engine.builders.progress import Step
from dockdsl.engine.building import BuildEvent, BuildRequest, BuildResult, Progress
from dockdsl.engine.failures.diagnosis import Said, build_failed, lines_of
from dockdsl.engine.leftovers import orphans, owner
from dockdsl.engine.leftovers.interrupts import ended_by_exception
from dockdsl.errors import BuildFailed, EngineUnavailable, FileError

_step = re.compile(r"(?:\[\d+/\d+\] )?STEP (\d+/\d+): (.*)").match
_cached = re.compile(r"--> Using cache [0-9a-f]+\Z").match
_error = re.compile(r"[Ee]rror: (.*)").match
_UNKNOWN = (
    "builder",
    "cache_from",
    "cache_to",
    "no_cache_filter",
    "allow",
    "annotations",
    "sbom",
    "provenance",
    "reproducible",
    "source_date_epoch",
)
_LATEST = 200
_ended = re.compile(r"subprocess exited with status \d+\Z").match
# What they say, and what BuildKit would: its words are those that are explained.
_WORDS = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r'^building at STEP ".*?": (?=exit status|checking on|no items|resolving)', ""),
        (r"^exit status (\d+)$", r"did not complete successfully: exit code: \1"),
        (r'^checking on sources .*copier: l?stat: (".*"): no such file or directory$', r"\1: not found"),
        (r'^no items matching glob (".*?") copied .*', r"\1: not found"),
        (r'^(".*": not found)$', r"failed to calculate checksum of ref context: \1"),
        (r"^.*secret required but no secret with id (\S+) found$", r"secret \1: not found"),
        (r"^creating build container: (?:initializing source \S+: )?", "failed to resolve source metadata for BASE: "),
        (r"^COPY --from=(\S+): (?=no stage or image)", r"failed to resolve source metadata for \1: "),
    )
)


class Buildah:
    """Builds with ``buildah build``, version 1.28 or later, and loads the image into the engine.

    `Image.build` and `Image.test` write the Dockerfile in the dialect that it reads; see `dockdsl.text.buildah`. Where
    its storage is and how it isolates steps is set as usual: ``STORAGE_DRIVER``, ``BUILDAH_ISOLATION``,
    ``storage.conf``. The layer of each step is kept there, and what did not change is taken from it; those of an image
    without a tag go with it. ``buildah prune`` makes room.

    `buildah`
        The command's name or path.
    `docker`
        The docker command that loads the image.

    Source: the manual page buildah-build(1).
    """

    dialect: Literal["buildah"] = "buildah"
    """Which Dockerfiles it reads."""
    _name = "buildah"
    _listed = "{{.Name}}:{{.Tag}}"

    def __init__(self, buildah: str = "buildah", docker: str = "docker") -> None:
        self._command = buildah
        self._docker = Buildx(docker)

    def build(self, request: BuildRequest, progress: Progress | None = None) -> BuildResult:
        """Build, and load the image into the engine.

        Raises `EngineUnavailable` where there is no such command, or no engine to load the image into; `BuildFailed`
        for a step that fails, an option that the command lacks and a build that takes too long; `FileError` for a
        context that is no folder.
        """
        command = shutil.which(self._command)
        if command is None:
            raise EngineUnavailable(
                f"build: there is no {self._command} command on the PATH; install {self._name}, or build with docker "
                "buildx",
                origin=None,
            )
        if not os.path.isdir(request.context):  # noqa: PTH112 - this one never raises
            raise FileError(f"build: the context {request.context} is no folder; check the path", origin=None)
        wanted = {name: getattr(request, name) for name in _UNKNOWN}
        # The year 1970 is asked for as well; no attestations are what they make anyway.
        wanted["source_date_epoch"] = request.source_date_epoch is not None
        given = [name for name, value in wanted.items() if value]
        given += [f"output {each!r}" for each in request.output if each not in ("load", "type=docker")]
        if given:
            option = given[0].replace("_", "-")
            raise BuildFailed(
                f"build: {self._name} has no {option}; leave it out, or build with docker buildx",
                origin=None,
                kind="definition",
            )
        begin = time.monotonic()
        orphans.sweep()
        with owner.temporary_folder() as folder:
            place = Path(folder)
            for name, content in request.files:
                place.joinpath("files", name).parent.mkdir(parents=True, exist_ok=True)
                place.joinpath("files", name).write_text(content, encoding="utf-8", newline="")
            request.write_files(place)
            # Without a name of its own, what goes at the end could be an image with a name that has the same content.
            tags = request.tags or (owner.temporary_tag(owner.this_process()),)
            named = attrs.evolve(request, tags=tags)
            if progress is not None:
                for note in request.notes:
                    progress(BuildEvent("warning", "", str(note)))
            account = self._run([command, *arguments(named, folder)], request, progress, begin)
            try:
                image = place.joinpath("image").read_text(encoding="ascii").strip()
                archive = f"docker-archive:{folder}/image.tar"
                target = f"{archive}:{request.tags[0]}" if request.tags else archive
                self._run([command, "push", "--quiet", image, target], request, None, begin)
                found, size, kind = self._docker.load(f"{folder}/image.tar", image, request.tags, request.timeout)
            finally:
                # The copy in the builder's own storage is a second one.
                for tag in filter(owner.tag_owner, tags):
                    self._run([command, *self._forgetting(tag)], request, None, time.monotonic())
        return BuildResult(
            image=found,
            tags=request.tags,
            size=size,
            size_kind=kind,
            seconds=time.monotonic() - begin,
            steps=account.steps,
            cached=account.cached,
            warnings=request.notes,
        )

    def left(self) -> list[str]:
        """Return the tags in its storage that a run of this machine needed for one test alone, and that has ended."""
        found = self._asked("images", "--format", self._listed)
        tags = [line.strip().removeprefix("localhost/") for line in (found or "").splitlines()]
        owners = [(tag, owner.tag_owner(tag)) for tag in tags]
        return [tag for tag, whose in owners if whose is not None and whose.is_dead()]

    def forget(self, tag: str) -> bool:
        """Take such a tag away; return whether that was done."""
        return self._asked(*self._forgetting(tag)) is not None

    def _asked(self, *words: str) -> str | None:
        """Return what the command says; None where there is none, or it fails."""
        command = shutil.which(self._command)
        if command is None:
            return None
        argv = [*_without_config(), command, *words]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=QUESTION, check=False)  # noqa: S603 - a list
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None

    def _forgetting(self, tag: str) -> list[str]:
        """Return the arguments that take an image out of the storage, unless it has another name."""
        return ["rmi", tag]

    def _run(self, argv: list[str], request: BuildRequest, progress: Progress | None, begin: float) -> _Account:
        """Run a command to its end and return what it told."""
        account = _Account(progress)
        hide = secret.hider(secret.values(request.secrets))
        status = None
        try:
            with (
                ended_by_exception(),
                # What it builds with goes to stdout, its errors to stderr.
                _started(["sh", "-c", 'exec "$@" >&2', "sh", *_without_config(), *argv], None) as (process, lines),
            ):
                while (line := lines.get(timeout=_left(request.timeout, begin))) is not None:
                    account.feed(hide(line.rstrip("\n")))
                status = process.wait(_left(request.timeout, begin))
        except (queue.Empty, subprocess.TimeoutExpired):
            raise BuildFailed(
                f"build: it was not done after {request.timeout:g} s; allow it more time, or see what it waits for",
                origin=None,
                kind="timeout",
            ) from None
        finally:
            account.end_step("failed" if status else "canceled" if status is None else "done")
            account.tell(BuildEvent("ended", "", "", time.monotonic() - begin))
        if status:
            raise _failed(request, account, status)
        return account


class _Account:
    """What a command tells: how many steps there were, which is the last one, and what that one printed."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self.step = self.text = ""
        self.steps = self.cached = 0
        self.log: deque[str] = deque(maxlen=_LATEST)
        self._is_cached = False
        self._begin = 0.0

    def feed(self, line: str) -> None:
        """Take a line in."""
        found = _step(line)
        if found:
            self.end_step("done")
            self.step, self.text = f"[{found[1]}]", found[2]
            self._is_cached, self._begin = False, time.monotonic()
            self.log.clear()
            self.tell(BuildEvent("started", self.step, self.text))
        elif _cached(line):
            self._is_cached = True
        else:
            self.log.append(line)
            self.tell(BuildEvent("log", self.step, line))

    def end_step(self, kind: Literal["done", "failed", "canceled"]) -> None:
        """Tell that the step has ended, if there is one."""
        if not self.step:
            return
        # A base image is no step of the user's.
        if not self.text.startswith("FROM "):
            self.steps += 1
            self.cached += self._is_cached
        seconds = time.monotonic() - self._begin
        self.tell(BuildEvent("cached" if self._is_cached and kind == "done" else kind, self.step, self.text, seconds))

    def tell(self, event: BuildEvent) -> None:
        """Hand an event on."""
        if self._progress is not None:
            self._progress(event)


class Podman(Buildah):
    """Builds with ``podman build``, version 4.3 or later, and loads the image into the engine.

    All is as with `Buildah`, whose code podman builds with: the dialect, the settings, what is refused. Podman keeps
    the layers of each step, also those of images without a tag, and takes from there what did not change; ``podman
    image prune`` makes room.

    `podman`
        The command's name or path. It builds on this machine: podman on another one writes no archive here.
    `docker`
        The docker command that loads the image.

    Source: the manual page podman-build(1).
    """

    _name = "podman"
    _listed = "{{.Repository}}:{{.Tag}}"

    def __init__(self, podman: str = "podman", docker: str = "docker") -> None:
        super().__init__(podman, docker)

    def _forgetting(self, tag: str) -> list[str]:
        # Its images are its cache, so this one stays; it would lose all its names if none stood behind it.
        return ["untag", tag, tag]


def _without_config() -> list[str]:
    """Return what goes before a command that fails over a DOCKER_CONFIG without a file of credentials."""
    config = os.environ.get("DOCKER_CONFIG")
    return [] if config is None or Path(config, "config.json").exists() else ["env", "-u", "DOCKER_CONFIG"]


def _failed(request: BuildRequest, account: _Account, status: int) -> BuildFailed:
    errors = [found[1] for found in map(_error, account.log) if found]
    output = [line for line in account.log if not _error(line) and not _ended(line)]
    said = (errors or output or [""])[-1]
    step = Step(f"{account.step} {account.text}", log=deque(output)) if account.step else None
    lines = lines_of(step, request.dockerfile) if step is not None else None
    base = next((word for word in account.text.split()[1:] if not word.startswith("--")), "")
    words = said.replace(f'"{request.context.absolute()}/', '"/')
    for pattern, plain in _WORDS:
        words = pattern.sub(plain.replace("BASE", base), words)
    return build_failed(request, step, Said(words, lines), status, "mend it, or build with docker buildx")


def arguments(request: BuildRequest, folder: str) -> list[str]:
    """Return the arguments of the buildah command; the Dockerfile is in `folder`.

    >>> request = BuildRequest(dockerfile="FROM scratch", context="/src", tags=["api:dev"], build_args={"V": "1"})
    >>> " ".join(arguments(request, "/tmp/x"))
    'build --format=docker --layers --file=/tmp/x/Dockerfile --iidfile=/tmp/x/image --tag=api:dev --build-arg=V=1 /src'
    """
    contexts = list(request.contexts)
    if request.files:
        contexts.append(("dockdsl-files", f"{folder}/files"))
    options: list[str] = []
    for name, values in (
        ("tag", request.tags),
        ("target", [request.target] if request.target is not None else []),
        ("build-arg", [f"{name}={value}" for name, value in request.build_args]),
        ("label", [f"{name}={value}" for name, value in request.labels]),
        ("build-context", [f"{name}={value}" for name, value in contexts]),
        ("platform", [",".join(request.platforms)] if request.platforms else []),
        ("secret", request.secrets),
        ("ssh", request.ssh),
        ("network", [request.network] if request.network is not None else []),
        ("add-host", [f"{name}:{address}" for name, address in request.add_hosts]),
        ("shm-size", [request.shm_size] if request.shm_size is not None else []),
        ("ulimit", request.ulimits),
    ):
        options += [f"--{name}={value}" for value in values]
    return [
        "build",
        # The other format, OCI, has no HEALTHCHECK.
        "--format=docker",
        # Otherwise all steps are one layer, and the history has the last one alone. It is also what podman does.
        "--layers",
        f"--file={folder}/Dockerfile",
        f"--iidfile={folder}/image",
        *([] if request.ignore is None else [f"--ignorefile={folder}/Dockerfile.dockerignore"]),
        *(["--no-cache"] if request.no_cache else []),
        *(["--pull"] if request.pull else []),
        *options,
        str(request.context.absolute()),
    ]
