"""A builder that needs no engine to build: the command ``buildah build``.

The image is handed to the engine afterwards, where the runner finds it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections import deque
from pathlib import Path
from typing import Any, Literal

import attrs

from dockdsl.engine.builders import secret
from dockdsl.engine.builders.buildx import Buildx
from dockdsl.engine.builders.docker_command import QUESTION
from dockdsl.engine.builders.process import Clock, OutOfTime, environment, started
from dockdsl.engine.builders.progress import Step
from dockdsl.engine.building import BuildEvent, BuildRequest, BuildResult, Progress
from dockdsl.engine.failures.diagnosis import build_failed, lines_of, timed_out
from dockdsl.engine.flags import OPTIONS, flags
from dockdsl.engine.leftovers import orphans, owner
from dockdsl.engine.leftovers.interrupts import ended_by_exception
from dockdsl.errors import BuildFailed, EngineUnavailable
from dockdsl.secrecy import hide

_step = re.compile(r"(?:\[\d+/\d+\] )?STEP (\d+/\d+): (.*)").match
_cached = re.compile(r"--> Using cache [0-9a-f]+\Z").match
_error = re.compile(r"[Ee]rror: (.*)").match
_ended = re.compile(r"subprocess exited with status \d+\Z").match
# What buildah says, and what BuildKit would: the causes of failures are known by BuildKit's words.
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
    name = "buildah"
    listed = "{{.Name}}:{{.Tag}}"
    """How it lists an image, so that the tag can be read."""

    def __init__(self, buildah: str = "buildah", docker: str = "docker") -> None:
        self._command = buildah
        self._docker = Buildx(docker)

    def build(self, request: BuildRequest, progress: Progress | None = None) -> BuildResult:
        """Build, and load the image into the engine.

        Raises `EngineUnavailable` where there is no such command, or no engine to load the image into; `BuildFailed`
        for a step that fails, an option that the command lacks and a build that takes too long; `FileError` for a
        context that is not a folder.
        """
        command = shutil.which(self._command)
        if command is None:
            raise EngineUnavailable(
                f"build: there is no {self._command} command on the PATH; install {self.name}, or build with docker "
                "buildx"
            )
        request.check_folders()
        self._check_options(request)
        clock = Clock(request.timeout)
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
            report = progress or (lambda _: None)
            for note in request.notes:
                report(BuildEvent("warning", "", str(note)))
            account = self._run([command, *arguments(named, folder)], request, report, clock)
            try:
                image = place.joinpath("image").read_text(encoding="ascii").strip()
                archive = f"docker-archive:{folder}/image.tar"
                target = f"{archive}:{request.tags[0]}" if request.tags else archive
                self._run([command, "push", "--quiet", image, target], request, None, clock)
                found, size, kind = self._docker.load(f"{folder}/image.tar", image, request.tags, request.timeout)
            finally:
                # The copy in the builder's own storage is a second one.
                for tag in filter(owner.tag_owner, tags):
                    self._run([command, *self.forgetting(tag)], request, None, Clock(request.timeout))
        return BuildResult(
            image=found,
            tags=request.tags,
            size=size,
            size_kind=kind,
            seconds=clock.spent(),
            steps=account.steps,
            cached=account.cached,
            warnings=request.notes,
        )

    def _check_options(self, request: BuildRequest) -> None:
        """Refuse what the command cannot do."""
        for name, option in OPTIONS.items():
            value: Any = getattr(request, name)
            if name == "output":
                value = [str(each) for each in value if not each.is_loaded]
            # The year 1970 is asked for as well; no attestations are what it makes anyway.
            if option.buildah == "none" and (value or (value == 0 and value is not False)):
                what = f"output {value[0]!r}" if name == "output" else name.replace("_", "-")
                raise BuildFailed(
                    f"build: {self.name} has no {what}; leave it out, or build with docker buildx",
                    origin=None,
                    kind="definition",
                )

    def left(self) -> list[str]:
        """Return the temporary tags in its storage that belong to runs of this machine that have ended."""
        found = self._asked("images", "--format", self.listed)
        tags = [line.strip().removeprefix("localhost/") for line in (found or "").splitlines()]
        owners = [(tag, owner.tag_owner(tag)) for tag in tags]
        return [tag for tag, whose in owners if whose is not None and whose.is_dead()]

    def forget(self, tag: str) -> bool:
        """Remove such a tag; return whether that was done."""
        return self._asked(*self.forgetting(tag)) is not None

    def _asked(self, *words: str) -> str | None:
        """Return what the command prints; None where it is missing or fails."""
        command = shutil.which(self._command)
        if command is None:
            return None
        env = environment(_without_config())
        try:
            done = subprocess.run(  # noqa: S603 - a list
                [command, *words], capture_output=True, text=True, timeout=QUESTION, check=False, env=env
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None

    def forgetting(self, tag: str) -> list[str]:
        """Return the arguments that take an image out of the storage, unless it has another name."""
        return ["rmi", tag]

    def _run(self, argv: list[str], request: BuildRequest, progress: Progress | None, clock: Clock) -> _Account:
        """Run a command to its end and return what it reported."""
        account = _Account(progress)
        secret.note(request.secrets)
        status = None
        try:
            # Its steps are on stdout, its errors on stderr.
            with ended_by_exception(), started(argv, None, _without_config(), with_stdout=True) as running:
                # As for docker: a line is in no variable here.
                while account.feed(running.line(clock.left())):
                    pass
                status = running.wait(clock.left())
        except OutOfTime:
            raise timed_out(request) from None
        finally:
            account.end_step("failed" if status else "canceled" if status is None else "done")
            account.report(BuildEvent("ended", "", "", clock.spent()))
        if status:
            raise _failed(request, account.step, f"{self.name} ended with status {status} and said nothing")
        return account


class _Account:
    """What a command has reported: how many steps there were, and the last one."""

    def __init__(self, progress: Progress | None) -> None:
        self.report = progress or (lambda _: None)
        self.step = Step("")
        self.steps = self.cached = 0
        self._begin = 0.0

    def feed(self, line: str | None) -> bool:
        """Take a line in; return False at the end, which is None."""
        if line is None:
            return False
        line = line.rstrip("\n")
        found = _step(line)
        if found:
            self.end_step("done")
            self.step, self._begin = Step(f"[{found[1]}] {hide(found[2])}"), time.monotonic()
            self.report(BuildEvent("started", self.step.label, self.step.text))
        elif _cached(line):
            self.step.cached = True
        else:
            self.step.log.append(hide(line))
            self.report(BuildEvent("log", self.step.label, self.step.log[-1]))
        return True

    def end_step(self, kind: Literal["done", "failed", "canceled"]) -> None:
        """Report that the step has ended, if there is one."""
        step, seconds = self.step, time.monotonic() - self._begin
        if not step.label:
            return
        if not step.is_base:
            self.steps += 1
            self.cached += step.cached
        self.report(BuildEvent("cached" if step.cached and kind == "done" else kind, step.label, step.text, seconds))


def _without_config() -> dict[str, str | None]:
    """Return the changed environment of a command that fails over a DOCKER_CONFIG without a file of credentials."""
    config = os.environ.get("DOCKER_CONFIG")
    return {} if config is None or Path(config, "config.json").exists() else {"DOCKER_CONFIG": None}


def arguments(request: BuildRequest, folder: str) -> list[str]:
    """Return the arguments of the buildah command; the Dockerfile is in `folder`.

    >>> request = BuildRequest(dockerfile="FROM scratch", context="/src", tags=["api:dev"], build_args={"V": "1"})
    >>> " ".join(arguments(request, "/tmp/x"))
    'build --format=docker --layers --file=/tmp/x/Dockerfile --iidfile=/tmp/x/image --tag=api:dev --build-arg=V=1 /src'
    """
    if request.files:
        request = attrs.evolve(request, contexts=(*request.contexts, ("dockdsl-files", f"{folder}/files")))
    return [
        "build",
        # The other format, OCI, has no HEALTHCHECK.
        "--format=docker",
        # Otherwise all steps are one layer, and the history has the last one alone. It is also what podman does.
        "--layers",
        f"--file={folder}/Dockerfile",
        f"--iidfile={folder}/image",
        *([] if request.ignore is None else [f"--ignorefile={folder}/Dockerfile.dockerignore"]),
        *flags(request, "buildah"),
        request.place,
    ]


def _failed(request: BuildRequest, last: Step, silent: str) -> BuildFailed:
    """Return the error of a command that failed in its last step; `silent` is for one that said nothing."""
    errors = [found[1] for found in map(_error, last.log) if found]
    output = [line for line in last.log if not _error(line) and not _ended(line)]
    base = next((word for word in last.text.split()[1:] if not word.startswith("--")), "")
    words = (errors or output or [silent])[-1].replace(f'"{request.place}/', '"/')
    for pattern, plain in _WORDS:
        words = pattern.sub(plain.replace("BASE", base), words)
    step = attrs.evolve(last, log=deque(output)) if last.label else None
    return build_failed(request, step, words, lines_of(step, request.dockerfile), "fix it, or build with docker buildx")
