"""What a builder is: the request it takes, the events it reports, the result it gives, and its protocol."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import attrs

from dockdsl.display import cut, megabytes, printable
from dockdsl.engine.options import ImageOptions, is_address, outputs, stage_names
from dockdsl.engine.specifications import OutputSpec
from dockdsl.errors import FileError
from dockdsl.operands import Pairs, flag, named, optional_text, pairs, seconds
from dockdsl.origins import Origin

BUILD_TIMEOUT = 1800.0
"""Seconds that a build may take by default."""
LOG_LINES = 20
"""How many of the last log lines an error shows."""
_WIDTH = 100
_flags = re.compile(r"([A-Z]+)(?: --[a-z][a-z-]*(?:=\S*)?)+(?= )").match


def _place(value: str | os.PathLike[str]) -> Path | str:
    return value if isinstance(value, str) and is_address(value) else Path(value)


@attrs.frozen(kw_only=True, field_transformer=named)
class BuildRequest(ImageOptions):
    """One build: a Dockerfile's text, the folder it copies from, the options of `ImageOptions`, and those of one build.

    `dockerfile`
        The text itself; it is never written into the context.
    `context`
        A folder. Its ``.dockerignore`` counts, unless `ignore` has the patterns that replace it. Or an address, which
        the engine fetches: of a Git repository, ``https://…/x.git#BRANCH:FOLDER``, or of a tar archive.
    `contexts`
        As the option ``--build-context``: folders, ``docker-image://…``, ``oci-layout://…`` and addresses by name.
    `output`
        ``"load"`` (into the engine, which is the default), ``"push"``, a folder, or as the option ``--output``:
        ``"type=oci,dest=image.tar"``; or `OutputSpec`.
    `builder`
        The name of a builder of ``docker buildx``; None is the one in use.
    `no_cache`, `no_cache_filter`
        Use nothing from the cache, or nothing for these stages or names of stages.
    `pull`
        Ask the registry for newer base images.
    `timeout`
        How many seconds the build may take.
    `files`, `notes`
        For a builder of another dialect: files that were written in place, by their paths in the named context
        ``dockdsl-files``, and what was left out.
    `origins`
        For each line of `dockerfile` the place in the user's file that it comes from; errors point there.

    Source: the reference of ``docker buildx build``.
    """

    dockerfile: str
    context: Path | str = attrs.field(converter=_place)
    contexts: Pairs = attrs.field(default=(), converter=pairs)
    output: tuple[OutputSpec, ...] = attrs.field(default=(), converter=outputs)
    builder: str | None = attrs.field(default=None, converter=optional_text)
    no_cache: bool = attrs.field(default=False, converter=flag)
    no_cache_filter: tuple[str, ...] = attrs.field(default=(), converter=stage_names)
    pull: bool = attrs.field(default=False, converter=flag)
    timeout: float = attrs.field(default=BUILD_TIMEOUT, converter=seconds)
    files: Pairs = attrs.field(default=(), converter=pairs)
    notes: tuple[BuildWarning, ...] = ()
    origins: tuple[Origin | None, ...] = ()

    def write_files(self, folder: Path) -> None:
        """Write ``Dockerfile`` into a folder, and beside it what replaces ``.dockerignore``, if anything does."""
        folder.joinpath("Dockerfile").write_text(self.dockerfile, encoding="utf-8", newline="")
        if self.ignore is not None:
            # An empty file might count as none.
            lines = ["# Instead of .dockerignore", *self.ignore]
            text = "".join(f"{line}\n" for line in lines)
            folder.joinpath("Dockerfile.dockerignore").write_text(text, encoding="utf-8", newline="")

    def check_folders(self) -> None:
        """Raise `FileError` for a context that is not a folder."""
        for name, path in (("", str(self.context)), *self.contexts):
            remote = is_address(path) or (name and "://" in path)
            if not remote and not os.path.isdir(path):
                what = f"{name}, {path}," if name else path
                raise FileError(f"build: the context {what} is not a folder; check the path", origin=None)

    @property
    def place(self) -> str:
        """The context as a builder takes it: an address, or an absolute path."""
        return self.context if isinstance(self.context, str) else str(self.context.absolute())

    def origin_at(self, lines: tuple[int, int] | None) -> Origin | None:
        """Return the origin of the first of some lines of the Dockerfile that has one."""
        first, last = lines or (1, 0)
        return next((origin for origin in self.origins[first - 1 : last] if origin is not None), None)

    @property
    def is_loaded(self) -> bool:
        """Whether the engine has the image afterwards."""
        return not self.output or any(each.is_loaded for each in self.output)


@attrs.frozen
class BuildEvent:
    """Something that happened during a build, as one line of text.

    `kind`
        ``"started"``, ``"done"``, ``"cached"``, ``"failed"`` or ``"canceled"`` (because another one failed) for a
        step; ``"log"`` for a line that it printed; ``"warning"`` for a finding of the engine; ``"status"`` for what the
        engine does besides the steps, such as taking files in, and for the bytes that a step has fetched so far;
        ``"ended"`` when the build has ended, well or not.
    `step`
        The step's number as the engine writes it, ``[build 3/5]``; empty for anything else. Of a
        ``"status"`` the name of what is done.
    `text`
        The instruction, the line, the warning, or the bytes.
    `seconds`
        How long it took; None while it runs.

    >>> print(BuildEvent("done", "[build 3/5]", "RUN go build -o /api .", 12.34))
    [build 3/5] RUN go build -o /api . 12.3s
    >>> print(BuildEvent("cached", "[build 2/5]", "WORKDIR /src"))
    [build 2/5] WORKDIR /src CACHED
    >>> print(BuildEvent("done", "[build 4/5]", "RUN --mount=type=cache,target=/root/.cache go test ./...", 3.2))
    [build 4/5] RUN go test ./... 3.2s
    >>> print(BuildEvent("log", "[build 3/5]", "compiling"))
    [build 3/5] | compiling
    """

    kind: Literal["started", "done", "cached", "failed", "canceled", "log", "warning", "status", "ended"]
    step: str
    text: str
    seconds: float | None = None

    def __str__(self) -> str:
        if self.kind == "log":
            return f"{self.step} | {self.text}".lstrip()
        if self.kind == "warning":
            return f"warning: {self.text}"
        outcome = f"{self.seconds or 0:.1f}s" if self.kind == "done" else self.kind.upper()
        return f"{self.step} {cut(self.label, _WIDTH)} {outcome}".strip()

    @property
    def label(self) -> str:
        """The text without the flags of an instruction, before which no room would be left for the command."""
        return without_flags(self.text)


def without_flags(text: str) -> str:
    """Return an instruction as people are shown it: without its flags."""
    found = _flags(text)
    return text if found is None else found[1] + text[found.end() :]


Progress = Callable[[BuildEvent], None]
"""Is called with each event of a build, in the thread that builds."""


@attrs.frozen(kw_only=True)
class BuildWarning:
    """A finding of the engine about the Dockerfile, and the place in the user's file it is about."""

    text: str
    url: str | None = None
    lines: tuple[int, int] | None = None
    origin: Origin | None = None

    def __str__(self) -> str:
        place = f"{self.origin}: " if self.origin else f"Dockerfile:{self.lines[0]}: " if self.lines else ""
        return f"{place}{self.text}"


@attrs.frozen
class StageTime:
    """What the steps of one stage cost: the seconds they took together, how many they were, how many were cached.

    `name` is as the engine writes it: ``build``, ``stage-1`` for a stage without a name, ``linux/arm64 build`` where
    several platforms are built, and empty for the only stage of a Dockerfile. Its base image counts with its seconds
    alone.
    """

    name: str
    seconds: float
    steps: int
    cached: int


SIZES = {
    "unpacked": "its layers unpacked",
    "content": "its layers as they are transferred",
}
"""What the two sizes mean that an engine reports of an image. A third, which ``docker images`` prints where the engine
has containerd's image store, is their sum: the place on the disk."""

SizeKind = Literal["unpacked", "content"]


def size_kind(facts: Mapping[str, Any]) -> SizeKind:
    """Return which size the engine reports of an image, by what ``docker image inspect`` shows of it.

    >>> size_kind({"Size": 1284427, "Descriptor": {"digest": "sha256:c772"}})
    'content'
    """
    # Only containerd's image store keeps a descriptor: that of the manifest.
    return "content" if facts.get("Descriptor") else "unpacked"


def sized(size: int, kind: SizeKind) -> str:
    """Return a size for people, with its meaning.

    >>> sized(6_590_000, "unpacked")
    '6.59 MB (its layers unpacked)'
    """
    return f"{megabytes(size)} ({SIZES[kind]})"


@attrs.frozen(kw_only=True)
class BuildResult:
    """A build that succeeded.

    `image`
        The id by which the engine runs it: ``sha256:…``. Of an image that went elsewhere its digest; empty where files
        were written instead of an image.
    `digest`
        The digest of its manifest, where the engine has one.
    `size`, `size_kind`
        Bytes of the image as the engine counts them, and what it counts: ``"unpacked"`` layers, or ``"content"``, the
        layers as they are transferred, where it has containerd's image store. None where the image is not on the
        engine.
    `steps`, `cached`
        How many numbered steps the build had besides its base images, and how many of them came from the cache.
    `stages`
        The same for each stage, with its time, in the order of the Dockerfile.
    `output`
        Where it went, as the request said.
    """

    image: str
    digest: str | None = None
    tags: tuple[str, ...] = ()
    size: int | None = None
    size_kind: SizeKind = "unpacked"
    seconds: float = 0.0
    steps: int = 0
    cached: int = 0
    stages: tuple[StageTime, ...] = ()
    output: tuple[str, ...] = ()
    warnings: tuple[BuildWarning, ...] = ()

    def summary(self) -> str:
        """Return some lines for people: what was built, the stages with their times, the size, the digest.

        >>> stages = (StageTime("build", 11.84, 4, 1), StageTime("api", 0.06, 2, 0))
        >>> result = BuildResult(
        ...     image="sha256:4b60", digest="sha256:9a41", tags=("api:dev",), size=6_590_000, seconds=12.3, steps=6,
        ...     cached=1, stages=stages,
        ... )
        >>> print(result.summary())
        built api:dev in 12.3 s (1 of 6 steps cached), 6.59 MB (its layers unpacked)
          stage build  11.8 s (1 of 4 steps cached)
          stage api     0.1 s (0 of 2 steps cached)
          digest sha256:9a41
        """
        name = ", ".join(self.tags) or "the image"
        cached = f"{self.cached} of {self.steps} steps cached"
        size = "" if self.size is None else f", {sized(self.size, self.size_kind)}"
        lines = [f"built {name} in {self.seconds:.1f} s ({cached}){size}"]
        named = [stage for stage in self.stages if stage.name]
        width = max((len(stage.name) for stage in named), default=0)
        times = [f"{stage.seconds:.1f}" for stage in named]
        for stage, took in zip(named, times, strict=True):
            counts = f"{stage.cached} of {stage.steps} steps cached"
            lines.append(f"  stage {stage.name:{width}}  {took:>{max(map(len, times))}} s ({counts})")
        lines += [f"  output {each}" for each in self.output if each != "load"]
        if self.digest is not None:
            lines.append(f"  digest {self.digest}")
        return "\n".join(lines)


class Builder(Protocol):
    """Builds images."""

    def build(self, request: BuildRequest, progress: Progress | None = None) -> BuildResult:
        """Build, and put the image where the runner finds it.

        Raises `EngineUnavailable` where there is nothing to build with, `BuildFailed` where the build fails.
        """
        ...


def plain(write: Callable[[str], Any]) -> Progress:
    """Return a callback that hands each event to `write` as one line.

    What only a display that changes can show is left out: that a step started, how many bytes it has fetched.

    >>> plain(print)(BuildEvent("cached", "[api 1/2]", "COPY . ."))
    [api 1/2] COPY . . CACHED
    """

    def report(event: BuildEvent) -> None:
        if event.kind not in ("started", "status", "ended"):
            write(printable(str(event)))

    return report
