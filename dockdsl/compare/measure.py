"""The measurement: the script's commands and the merged Dockerfile, in turn, in copies of the project."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

import attrs

from dockdsl.checks.image_files import ImageFiles
from dockdsl.checks.subject import afterwards
from dockdsl.compare.belongings import Belongings
from dockdsl.compare.comparison import Comparison, Left, Side
from dockdsl.compare.replay import Replay
from dockdsl.compare.unneeded import Unneeded, unneeded
from dockdsl.display import shown
from dockdsl.engine.builders import secret
from dockdsl.engine.builders.buildx import Buildx
from dockdsl.engine.leftovers import orphans, owner
from dockdsl.engine.leftovers.interrupts import ended_by_exception
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.errors import FileError, RunFailed, SourceError
from dockdsl.image import Image
from dockdsl.instructions.copy import FileInstruction
from dockdsl.migrate.merge import Merged
from dockdsl.migrate.module import to_module
from dockdsl.migrate.recipe import Build, Recipe

_SLASHES = (".go", ".c", ".h", ".cc", ".cpp", ".hpp", ".rs", ".java", ".kt", ".scala", ".swift", ".cs", ".js", ".ts")
_HASHES = (".py", ".rb", ".sh", ".pl", ".ex", ".r", ".jl")
_COMMENTS = {**dict.fromkeys(_SLASHES, "//"), **dict.fromkeys(_HASHES, "#")}
_FIRST = ("main", "app", "index", "server", "lib")
_NOT_LOOKED_INTO = ("node_modules", "vendor", "target", "dist", "build", "builds")

Report = Callable[[str], object]


class _Way(Protocol):
    """One of the two ways to build, in a copy of the project."""

    folder: Path

    def again(self, *, no_cache: bool = False) -> tuple[str, ...]:
        """Build, and return the commands that it takes."""
        ...

    def made(self) -> dict[str, str]:
        """Return what the images that were built are called, by the tags of this run."""
        ...

    def shipped(self) -> list[str]:
        """Return the tags of those that are shipped."""
        ...


class _Before(Replay):
    finals: tuple[Build, ...] = ()

    def made(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, tag in self.images.items():
            found[tag] = found.get(tag, "") if name.startswith("image@") else name
        return found

    def shipped(self) -> list[str]:
        return [self.images[f"image@{self.recipe.builds.index(build) + 1}"] for build in self.finals]


@attrs.define(eq=False)
class _After:
    own: Belongings
    folder: Path
    images: list[Image]
    command: str
    report: Report
    tags: dict[str, Image] = attrs.field(factory=dict)

    def again(self, *, no_cache: bool = False) -> tuple[str, ...]:
        """Build as ``dockdsl build`` does."""
        self.tags = {self.own.tag(): image for image in self.images}
        begin = time.monotonic()
        for tag, image in self.tags.items():
            image.build(Buildx(), request=image.request(tags=tag, no_cache=no_cache, cache_to=()))
        self.report(f"{self.command} {time.monotonic() - begin:.1f}s")
        return (self.command,)

    def made(self) -> dict[str, str]:
        return {tag: image.tags[0].removesuffix(":latest") if image.tags else "" for tag, image in self.tags.items()}

    def shipped(self) -> list[str]:
        return list(self.tags)


def compare(
    recipe: Recipe, result: Merged, file: str, report: Report, *, change: str | None = None, repeat: int = 1
) -> Comparison:
    """Build both ways on the engine, and return what each costs; nothing of it is left there or here.

    `file`
        What the migrated Python file is called, in the project.
    `report`
        Is called with a line for each command.
    `change`
        The file that gets a line before the rebuild, as seen from the current folder or from the project; None chooses.
    `repeat`
        How many times each way is measured, in turn; the shortest times count.

    Raises `SourceError` for a script that cannot be replayed, `EngineError` where a build fails.
    """
    root = recipe.root
    if not recipe.given:
        raise SourceError("compare: no script says what was done before; name the script, with its Dockerfiles")
    changed = _changeable(result, recipe) if change is None else source_file(root, change)
    if changed is None:
        report("no source file that is copied has comments of a known kind, so no rebuild is measured; see --change")
    with DockerSdk() as engine, ended_by_exception():
        orphans.sweep()
        engine.sweep()
        own = Belongings(engine)
        with ExitStack() as stack:
            work = stack.enter_context(owner.temporary_folder())
            stack.enter_context(afterwards(own.remove))
            folders = [Path(work, side, root.name) for side in ("before", "after")]
            before = _Before(recipe, own, folders[0], work, lambda line: report(f"before: {line}"))
            stack.enter_context(afterwards(lambda: before.regain(os.geteuid() if hasattr(os, "geteuid") else 0)))
            for folder in folders:
                for path in _copy(root, folder):
                    before.notes[str(path.relative_to(root))] = None
            before.finals = tuple(image.build for image in result.finals)
            images = _images(folders[1] / file, to_module(result, recipe, [file], (root / file).parent))
            for image in images:
                secret.note(image.secrets)
            command = f"dockdsl build {file}" if len(images) == 1 else f"dockdsl build '{file}:*'"
            after = _After(own, folders[1], images, command, lambda line: report(f"after: {line}"))
            old, new = _sides((before, after), engine, changed, repeat)
    return Comparison(name=root.name, changed=changed, before=old, after=new, notes=tuple(before.notes))


def _sides(ways: tuple[_Way, _Way], engine: DockerSdk, changed: str | None, repeat: int) -> list[Side]:
    sides: list[Side] = []
    for turn in range(repeat):
        for number, way in enumerate(ways):
            present = {} if turn else _files(way.folder)
            begin = time.monotonic()
            commands = way.again(no_cache=True)
            seconds = time.monotonic() - begin
            if not turn:
                left = tuple(
                    Left(name, facts[0]) for name, facts in _files(way.folder).items() if present.get(name) != facts
                )
                costs = _costs(engine, way.made(), way.shipped())
                sides.append(attrs.evolve(costs, commands=commands, files=left, cold_seconds=seconds))
            sides[number] = attrs.evolve(sides[number], cold_seconds=min(seconds, sides[number].cold_seconds))
    for _ in range(repeat if changed is not None else 0):
        for number, way in enumerate(ways):
            _append_line(way.folder / str(changed))
            begin = time.monotonic()
            way.again()
            seconds = min(time.monotonic() - begin, sides[number].rebuild_seconds or float("inf"))
            sides[number] = attrs.evolve(sides[number], rebuild_seconds=seconds)
    return sides


def _images(path: Path, module: str) -> list[Image]:
    """Return the images of the migrated Python file, as if it were at this path."""
    names: dict[str, object] = {}
    exec(compile(module, str(path), "exec"), names)  # noqa: S102 - it was made of literals
    return [each for each in names.values() if isinstance(each, Image)]


def _costs(engine: DockerSdk, made: Mapping[str, str], shipped: list[str]) -> Side:
    """Return what the images cost that are left on the engine, and those that are shipped."""
    layers: dict[str, int] = {}
    left: dict[str, str] = {}
    count, size, extra = 0, 0, list[Unneeded]()
    for tag, name in made.items():
        try:
            facts = engine.inspect(tag)
        except RunFailed:
            if tag in shipped:
                fact = "the script removes the image that it ships, so that it cannot be measured"
                raise SourceError(f"compare: {fact}; leave out the line that does") from None
            continue
        if facts["Id"] in left and tag not in shipped:
            continue
        left.setdefault(facts["Id"], name)
        with ImageFiles(engine.save(tag)) as files:
            layers.update(zip(facts["RootFS"].get("Layers") or (), files.sizes, strict=True))
            if tag in shipped:
                count, size = count + len(files.sizes), size + sum(files.sizes)
                extra += unneeded(files.walk())
    return Side(
        images=tuple(left.values()),
        image_bytes=sum(layers.values()),
        layers=count,
        shipped_bytes=size,
        unneeded=tuple(extra),
    )


# Files.


def _copy(root: Path, to: Path) -> list[Path]:
    """Copy a project; return what stays behind: special files, and links that lead out of it."""
    stayed: list[Path] = []

    def left_out(folder: str, names: list[str]) -> list[str]:
        paths = [path for path in (Path(folder, name) for name in names) if not _belongs(path, root)]
        stayed.extend(paths)
        return [path.name for path in paths]

    try:
        shutil.copytree(root, to, symlinks=True, ignore=left_out)
    except (shutil.Error, OSError) as error:
        raise FileError(f"compare: {root} cannot be copied ({error}); set TMPDIR to a folder with room") from None
    return stayed


def _belongs(path: Path, root: Path) -> bool:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return root in path.resolve().parents
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the size and the time of each file."""
    paths = sorted(Path(where, name) for where, _, names in os.walk(folder) for name in names)
    found = [(path.relative_to(folder).as_posix(), path.lstat()) for path in paths]
    return {name: (facts.st_size, facts.st_mtime_ns) for name, facts in found}


def source_file(root: Path, change: str) -> str:
    """Return the file that is to be changed, relative to the project; it is named as seen from here, or from there."""
    places = (Path(change).resolve(), Path(root, change).resolve())
    path = next((each for each in places if each.is_file() and root in each.parents), None)
    if path is None:
        raise SourceError(f"--change: {shown(change)} is not a file of {shown(str(root))}; name one of its files")
    if path.suffix not in _COMMENTS:
        fact = f"how {shown(change)} has comments is not known"
        raise SourceError(f"--change: {fact}; name a file that ends in one of these: {', '.join(_COMMENTS)}")
    return path.relative_to(root).as_posix()


def _changeable(result: Merged, recipe: Recipe) -> str | None:
    """Return a source file that a COPY takes from the context: what has the main function, if a name says so."""
    root, context = recipe.root, result.draft.context
    scripts = {Path(command.place.path).resolve() for given in recipe.given for command in given.pipeline}
    if context != root and root not in context.parents:
        return None
    patterns = [
        os.path.normpath(str(source).lstrip("/"))
        for stage in result.dockerfile.stages
        for step in stage.steps
        if isinstance(step, FileInstruction) and getattr(step, "from_", None) is None
        for source in step.sources
        if isinstance(source, str)
    ]
    found = []
    for where, folders, names in os.walk(context):
        folders[:] = [each for each in folders if not each.startswith(".") and each not in _NOT_LOOKED_INTO]
        for path in (Path(where, name) for name in names):
            inside = path.relative_to(context).as_posix()
            if path.suffix in _COMMENTS and path.is_file() and any(_takes(each, inside) for each in patterns):
                is_test = "test" in path.stem.lower()
                found.append((path.resolve() in scripts, is_test, inside.count("/"), path.stem not in _FIRST, inside))
    return (context / min(found)[-1]).relative_to(root).as_posix() if found else None


def _takes(pattern: str, name: str) -> bool:
    return pattern == "." or name.startswith(f"{pattern}/") or fnmatchcase(name, pattern)


def _append_line(path: Path) -> None:
    """Append a comment line that no build has seen, so that no cache has it."""
    text = path.read_bytes()
    line = f"{_COMMENTS[path.suffix]} {secrets.token_hex(8)}\n".encode()
    path.write_bytes(text + (b"" if text.endswith(b"\n") or not text else b"\n") + line)
