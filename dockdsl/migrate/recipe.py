"""What a script of the builder pattern does: images built, containers made, files carried over the host."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import attrs

from dockdsl.migrate.commands import Pipeline, Place
from dockdsl.migrate.docker_options import Arguments
from dockdsl.migrate.words import Word, text
from dockdsl.origins import short_path
from dockdsl.text.utf8 import decoded

# Options that say where an image goes and how it is built, not what it is.
_AROUND = ("tag", "output", "quiet", "q", "progress", "no-cache", "pull", "load", "iidfile", "cache-from", "cache-to")


class Note(NamedTuple):
    """What could not be followed, or is done another way now: where, the fact, and what to do."""

    place: Place
    fact: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.fact}; {self.remedy}"


@attrs.define(eq=False)
class Build:
    """An image that the script builds."""

    place: Place
    context: Path | str
    """The folder, or an address."""
    dockerfile: Path | str
    """The file, or the text where the script holds it."""
    options: Arguments
    before: tuple[int, int, int] | None = None
    """How many artefacts, moves and new folders the host had before it, where a script tells."""
    tags: list[Word] = attrs.field(init=False)
    """Its names."""

    def __attrs_post_init__(self) -> None:
        self.tags = self.options.all("tag")

    def is_same(self, other: Build) -> bool:
        """Whether it builds the same Dockerfile in the same way."""
        mine, theirs = ((each.context, each.dockerfile, each.counting()) for each in (self, other))
        return mine == theirs

    def counting(self) -> list[tuple[str, Word]]:
        """Return the options that say what is built."""
        return [(name, value) for name, value in self.options.options if name not in _AROUND]


class Execution(NamedTuple):
    """A command that a container has run."""

    command: tuple[Word, ...]
    options: Arguments = Arguments((), ())
    """Those of ``docker exec``: its folder, variables and user."""
    is_own: bool = True
    """Whether it is the container's own command, before which its entry point stands."""
    output: str | None = None
    """The file that takes its output, where that is the artefact."""
    copied: tuple[Path, str, tuple[int, int, int]] | None = None
    """What ``docker cp`` brings into the container instead: from where, to where, and what the host had before."""


@attrs.define(eq=False)
class Container:
    """A container that the script makes: of an image, with what has been run in it."""

    place: Place
    image: Word
    options: Arguments
    command: tuple[Word, ...] = ()
    folder: Path = Path()
    executions: list[Execution] = attrs.field(factory=list)
    is_started: bool = False
    """Whether it runs in the background, so that nobody has waited for its own command."""
    build: Build | None = None
    """The image, where the script has built it before."""
    before: tuple[int, int, int] = (0, 0, 0)
    """How many artefacts, moves and new folders the host had before it."""
    shared: list[tuple[Container, str]] = attrs.field(factory=list)
    """The volumes of another container that it has: who had them before, and where they are."""
    heir: Container | None = None
    """The container that has its volumes now."""

    @property
    def volumes(self) -> list[str]:
        """The folders that are volumes without a name."""
        own = [word.text for word in self.options.all("volume") if word.text is not None and ":" not in word.text]
        return [*own, *(folder for _, folder in self.shared)]

    def holder(self, path: str) -> Container:
        """Return the container that has worked on a path of this one last."""
        is_shared = any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in self.volumes)
        return self.heir.holder(path) if is_shared and self.heir is not None else self

    @property
    def mounts(self) -> list[tuple[Word, str]]:
        """What is mounted: the place on the host or the name of a volume, and the folder."""
        found = []
        for word in self.options.all("volume"):
            source, target = word.partition(":")
            if target is not None and target.text is not None:
                found.append((source, target.text.partition(":")[0]))
        for word in self.options.all("mount"):
            fields = dict(part.partition("=")[::2] for part in str(word).split(","))
            where = fields.get("target", fields.get("dst", fields.get("destination", "")))
            given = fields.get("source", fields.get("src"))
            if where and given is not None:
                found.append((text(given), where))
        return found


class Artefact(NamedTuple):
    """A file or folder that lands on the host, and is used from there."""

    place: Place
    path: Path
    """Where on the host."""
    source: Build | Container
    inside: str
    """Where in the image."""
    is_folder: bool | None = None
    mode: str | None = None
    """What ``chmod`` has given to it."""
    archived: str | None = None
    """What it is called in the archive that lands on the host in its place."""

    @property
    def is_output(self) -> bool:
        """Whether it is what a command has printed, and no file of the image."""
        return isinstance(self.source, Container) and any(each.output == self.inside for each in self.source.executions)


class Archive(NamedTuple):
    """A stream of files out of an image."""

    source: Build | Container
    entries: tuple[tuple[str, str], ...]
    """Where each file is in the image, and what it is called in the archive."""


class Given(NamedTuple):
    """A command, or several that are piped, as the script gives it; for what does the same again."""

    pipeline: Pipeline
    identity: Word | None
    """The id that it prints, as far as words know it: of the image built, or of the container made."""


@attrs.define(eq=False)
class Recipe:
    """All that the scripts do, in their order."""

    root: Path
    given: list[Given] = attrs.field(factory=list)
    builds: list[Build] = attrs.field(factory=list)
    artefacts: list[Artefact] = attrs.field(factory=list)
    told: list[Artefact] = attrs.field(factory=list)
    """Those that no script makes, but the user names."""
    containers: list[Container] = attrs.field(factory=list)
    notes: list[Note] = attrs.field(factory=list)
    ports: list[int] = attrs.field(factory=list)
    served: list[Build | None] = attrs.field(factory=list)
    """The images that are run with a published port, where the script has built them."""
    asked: list[str] = attrs.field(factory=list)
    """Paths that the script asks the running service for."""
    images: dict[str, Build] = attrs.field(factory=dict)
    named: dict[str, Container] = attrs.field(factory=dict)
    moves: list[tuple[Path, Path]] = attrs.field(factory=list)
    """What ``mv`` and ``cp`` do on the host: from where, to where."""
    folders: set[Path] = attrs.field(factory=set)
    new_folders: list[Path] = attrs.field(factory=list)
    """Those that ``mkdir`` makes."""
    unmarked: dict[Path, Place] = attrs.field(factory=dict)
    """Files that were printed, so that nobody may run them, and where."""
    fresh: set[Path] = attrs.field(factory=set)
    """The artefacts that no image has been built with."""
    gone: dict[Path, Place] = attrs.field(factory=dict)
    """Artefacts that were removed before, and where."""
    texts: dict[Path, Word] = attrs.field(factory=dict)
    """What the script itself writes into files."""
    packed: dict[Path, list[tuple[Path, str]]] = attrs.field(factory=dict)
    """The archives that ``tar`` makes on the host: each file, and what it is called there."""
    streams: dict[Path, list[tuple[Path, str]]] = attrs.field(factory=dict)
    """What ``tar`` gives to a build, by the folder that stands for it."""
    writers: dict[Path, tuple[Place, str]] = attrs.field(factory=dict)
    """Which command writes another file, and where."""

    def note(self, place: Place, fact: str, remedy: str) -> None:
        """Keep what has to be said."""
        note = Note(place, fact, remedy)
        if note not in self.notes:
            self.notes.append(note)

    def stand(self) -> tuple[int, int, int]:
        """Return how many artefacts, moves and new folders the host has."""
        return len(self.artefacts), len(self.moves), len(self.new_folders)

    def make(self, artefact: Artefact) -> None:
        """Take in that a file of an image lands on the host."""
        self.artefacts.append(artefact)
        self.fresh.add(artefact.path)
        self.gone.pop(artefact.path, None)

    def remove(self, path: Path, place: Place) -> None:
        """Take in that a file or folder of the host is removed."""
        for each in [each for each in self.fresh if each == path or path in each.parents]:
            self.fresh.remove(each)
            self.gone[each] = place

    def built(self, name: Word) -> Build | None:
        """Return the build of an image that the script has built before."""
        found = str(name)
        return self.images.get(found) or self.images.get(found.removesuffix(":latest"))

    def is_folder(self, path: Path) -> bool:
        """Whether something is a folder on the host, before the script or through it."""
        return path in self.folders or path.is_dir()

    def before(self, path: Path) -> Path:
        """Return where a file of the host was before the script copied or moved it there."""
        found = path
        for source, target in reversed(self.moves):
            if found == target or target in found.parents:
                found = source / found.relative_to(target)
        return found

    def read(self, path: Path) -> str | None:
        """Return the text of a file as it is when the script has come here; None where that is not known.

        Raises `OSError` for a file that cannot be read; if it is not UTF-8, that is a `FileError`.
        """
        if path in self.texts:
            return self.texts[path].text
        return decoded(path.read_bytes(), short_path(str(path))).removeprefix("\ufeff")

    def note_written(self) -> None:
        """Name the files that are written and that nothing has read."""
        for path, (place, name) in self.writers.items():
            content = self.texts.get(path)
            remedy = "if a Dockerfile copies that file, run this line before each build"
            if content is None or content.text is not None:
                fact = f"{name} writes {self.shown(path)}, which is not followed"
                self.note(place, fact, f"{remedy}, or make it in a Run of the stage")
            else:
                fact = f"what {name} writes into {self.shown(path)} is known only when it runs"
                self.note(place, fact, f"{remedy}, since the result takes it from the context as well")

    def shown(self, path: Path) -> str:
        """Return a path as the script has it."""
        return str(path.relative_to(self.root)) if self.root in path.parents else str(path)


def words_of(words: Iterable[Word]) -> list[str | None]:
    """Return the text of each word, where that is known."""
    return [word.text for word in words]
