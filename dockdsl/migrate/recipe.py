"""What a script of the builder pattern does: images built, containers made, files carried over the host."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import attrs

from dockdsl.migrate.docker_options import Arguments, arguments, verb_of
from dockdsl.migrate.shell import Command, Pipeline, Place, Shell
from dockdsl.migrate.words import Unknown, Word, text

ENGINES = ("docker", "podman", "nerdctl", "buildah")
"""The commands that build and run."""


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
    """The folder, or the address of what is no folder."""
    dockerfile: Path | str
    """The file, or the text where the script holds it."""
    options: Arguments
    tags: list[Word] = attrs.field(init=False)
    """Its names."""

    def __attrs_post_init__(self) -> None:
        self.tags = self.options.all("tag")


@attrs.define(eq=False)
class Container:
    """A container that the script makes: of an image, with what has been run in it."""

    place: Place
    image: Word
    options: Arguments
    command: tuple[Word, ...] = ()
    folder: Path = Path()
    runs: bool = False
    output: str | None = None
    """The file that takes its output, where that is the artefact."""
    build: Build | None = None
    """The image, where the script has built it before."""

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


class Archive(NamedTuple):
    """A stream of files out of a container."""

    container: Container
    inside: str
    name: str
    """What it is called in the archive."""


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
    containers: list[Container] = attrs.field(factory=list)
    notes: list[Note] = attrs.field(factory=list)
    ports: list[int] = attrs.field(factory=list)
    asked: list[str] = attrs.field(factory=list)
    """Paths that the script asks the running service for."""
    images: dict[str, Build] = attrs.field(factory=dict)
    named: dict[str, Container] = attrs.field(factory=dict)
    moves: list[tuple[Path, Path]] = attrs.field(factory=list)
    """What ``mv`` and ``cp`` do on the host: from where, to where."""
    folders: set[Path] = attrs.field(factory=set)
    unmarked: dict[Path, Place] = attrs.field(factory=dict)
    """Files that were printed, so that nobody may run them, and where."""

    def note(self, place: Place, fact: str, remedy: str) -> None:
        """Keep what has to be said."""
        note = Note(place, fact, remedy)
        if note not in self.notes:
            self.notes.append(note)

    def shell(self, folder: Path) -> Shell:
        """Return what follows scripts for this recipe."""
        return Shell(folder, self.handle, self.note)

    def built(self, name: Word) -> Build | None:
        """Return the build of an image that the script has built before."""
        found = str(name)
        return self.images.get(found) or self.images.get(found.removesuffix(":latest"))

    # Commands.

    def handle(self, pipeline: Pipeline) -> Word | None:
        """Take in one pipeline."""
        if len(pipeline) > 1 and pipeline[0].name not in ENGINES:
            pipeline = self._fed(pipeline)
        if not pipeline:
            return None
        said = self._taken(pipeline)
        self.given.append(Given(pipeline, said))
        return said

    def _taken(self, pipeline: Pipeline) -> Word | None:
        first = pipeline[0]
        if first.name not in ENGINES and (first.name not in _HOST or len(pipeline) > 1):
            self._note_unfollowed(pipeline)
            return None
        if first.name not in ENGINES:
            _HOST[first.name](self, first)
            return None
        verb, words = verb_of(first.words[1:])
        action = _VERBS.get(verb)
        if action is None:
            self.note(first.place, f"{first.name} {verb} is not followed", "see whether the result depends on it")
            return None
        if first.condition is not None and action is not _nothing:
            fact = f"whether {first.name} {verb} runs is decided at {first.condition}"
            self.note(first.place, fact, "it was read as if it always runs: check that this is what you want")
        given = arguments("build" if verb == "bake" else verb, words, first_operand_ends=verb in ("run", "create"))
        result = action(self, first, given)
        if isinstance(result, Archive):
            self._unpack(result, pipeline)
            return None
        return result

    def _note_unfollowed(self, pipeline: Pipeline) -> None:
        """Name what may change a file that a Dockerfile copies."""
        for command in pipeline:
            is_harmless = command.name in _HARMLESS or _is_expression(command.name) is not None
            if not is_harmless and command.name not in ENGINES:
                fact = f"{command.name or command.words[0]} is not followed"
                self.note(command.place, fact, "if it changes what a Dockerfile copies, make it a Run of the stage")
            note_written(command, self.note)

    def _fed(self, pipeline: Pipeline) -> Pipeline:
        """A pipeline into docker: a Dockerfile that ``cat`` gives becomes what the command is given."""
        last = pipeline[-1]
        if last.name in ENGINES and pipeline[0].name == "cat" and len(pipeline) == 2:
            given = pipeline[0].given
            operands = pipeline[0].words[1:]
            if given is None and len(operands) == 1 and operands[0].text is not None:
                path = pipeline[0].folder / operands[0].text
                given = text(path.read_text()) if path.is_file() else None
            if given is not None:
                return [last._replace(given=given)]
        for command in pipeline:
            if command.name in ENGINES:
                self.note(command.place, "what is piped into it is not known", "write it to a file that stays")
        return pipeline

    def _unpack(self, archive: Archive, pipeline: Pipeline) -> None:
        """A stream of files goes into ``tar``, or into a file."""
        place, container = pipeline[0].place, archive.container
        last = pipeline[-1]
        if len(pipeline) > 1 and last.name in ("tar", "bsdtar"):
            folder = folder_of_tar(last)
            if folder is not None:
                path = Path(os.path.normpath(folder / archive.name))
                self.artefacts.append(Artefact(place, path, container, archive.inside))
                return
        self.note(place, "where its files go is not known", "copy them with docker cp CONTAINER:PATH PATH")

    def is_folder(self, path: Path) -> bool:
        """Whether something is a folder on the host, before the script or through it."""
        return path in self.folders or path.is_dir()


def note_written(command: Command, note: Callable[[Place, str, str], None]) -> None:
    """Name the file that a command of the host writes."""
    if command.output is not None and not str(command.output).startswith("/dev/"):
        fact = f"{command.name} writes {command.output}, which is not followed"
        note(command.place, fact, "if a Dockerfile copies that file, make it in a Run of the stage")


def folder_of_tar(command: Command) -> Path | None:
    """Return where ``tar`` unpacks what it is given; None where that is not known."""
    words = [word.text for word in command.words[1:]]
    folder = command.folder
    for index, word in enumerate(words):
        if word is None:
            return None
        if word in ("-C", "--directory") or (word.endswith("C") and set(word) <= set("-xvfpzC")):
            target = words[index + 1] if index + 1 < len(words) else None
            if target is None:
                return None
            folder = folder / target
    return Path(os.path.normpath(folder)) if any("x" in (word or "") for word in words[:1]) else None


# What docker does.


def _build(recipe: Recipe, command: Command, given: Arguments) -> Word | None:
    context: Path | str
    operand = given.operands[0] if given.operands else text(".")
    if operand.text is None:
        recipe.note(command.place, f"the context {operand} is not known", "write the folder")
        return None
    is_address = "://" in operand.text or operand.text.startswith(("git@", "github.com/"))
    context = operand.text if is_address else Path(os.path.normpath(command.folder / operand.text))
    named = given.last("file")
    dockerfile: Path | str
    if operand.text == "-" or (named is not None and named.text == "-"):
        if command.given is None or command.given.text is None:
            recipe.note(command.place, "the Dockerfile comes from a pipe and is not known", "write it to a file")
            return None
        dockerfile = command.given.text
        context = command.folder if operand.text == "-" else context
    elif named is not None and named.text is None:
        recipe.note(command.place, f"the Dockerfile {named} is not known", "write its name")
        return None
    elif is_address:
        recipe.note(
            command.place, f"the context {operand.text} is not on this machine", "clone it, and name the folder"
        )
        return None
    else:
        dockerfile = (
            Path(os.path.normpath(command.folder / named.text))
            if named and named.text
            else Path(context) / "Dockerfile"
        )
    build = Build(command.place, context, dockerfile, given)
    recipe.builds.append(build)
    identity = text(f"image@{len(recipe.builds)}")
    for name in (*build.tags, identity):
        recipe.images[str(name).removesuffix(":latest")] = build
    for word in given.all("output"):
        _exported(recipe, command, build, word)
    return identity


def _exported(recipe: Recipe, command: Command, build: Build, word: Word) -> None:
    fields = dict(part.partition("=")[::2] for part in str(word).split(",") if "=" in part)
    to = fields.get("dest") if fields.get("type", "local") == "local" else None
    to = str(word) if not fields else to
    if to is not None and word.text is not None:
        path = Path(os.path.normpath(command.folder / to))
        recipe.folders.add(path)
        recipe.artefacts.append(Artefact(command.place, path, build, "/", is_folder=True))


def _create(recipe: Recipe, command: Command, given: Arguments) -> Word | Archive | None:
    container = _container(recipe, command, given)
    return None if container is None else _known_as(recipe, container)


def _container(recipe: Recipe, command: Command, given: Arguments) -> Container | None:
    if not given.operands:
        recipe.note(command.place, "it names no image", "write it")
        return None
    image, *words = given.operands
    container = Container(
        command.place, image, given, tuple(words), command.folder, runs=False, build=recipe.built(image)
    )
    recipe.containers.append(container)
    return container


def _known_as(recipe: Recipe, container: Container) -> Word:
    identity = text(f"container@{len(recipe.containers)}")
    name = container.options.last("name")
    for each in (identity, name):
        if each is not None:
            recipe.named[str(each)] = container
    return identity


def _run(recipe: Recipe, command: Command, given: Arguments) -> Word | Archive | None:
    container = _container(recipe, command, given)
    if container is None:
        return None
    container.runs = True
    for word in given.all("publish"):
        inside = (word.text or "").rpartition(":")[2].partition("/")[0]
        if inside.isdecimal() and int(inside) not in recipe.ports:
            recipe.ports.append(int(inside))
    if any(key in ("d", "detach") for key, _ in given.options):
        # A service that is tried out, or a container to copy from.
        container.runs = False
        return _known_as(recipe, container)
    printed = _printed(container)
    if printed is not None and printed.name:
        container.runs = False
        return printed
    if printed is not None and command.output is not None:
        container.runs = False
    if command.output is not None:
        if command.output.text is None:
            recipe.note(command.place, f"the file {command.output} is not known", "write its name")
            return None
        path = Path(os.path.normpath(command.folder / command.output.text))
        inside = f"/artefact/{path.name}" if printed is None else printed.inside
        if printed is None:
            container.output = inside
        elif str(path) != "/dev/null":
            recipe.unmarked[path] = command.place
        if str(path) != "/dev/null":
            recipe.artefacts.append(Artefact(command.place, path, container, inside, is_folder=False))
            return None
    for source, _ in container.mounts:
        if source.text is not None and source.text.startswith(("/", ".", "~")):
            path = Path(os.path.normpath(command.folder / source.text))
            recipe.folders.add(path)
            made = [each.path.name for each in recipe.artefacts if path in each.path.parents]
            if made:
                fact = f"the container may change {', '.join(dict.fromkeys(made))}, which an image has made"
                recipe.note(command.place, fact, "if it does, make its command a Run of the stage that makes the file")
    _known_as(recipe, container)
    return None


def _printed(container: Container) -> Archive | None:
    """Return what ``cat`` prints, without a name, or what ``tar`` does."""
    words = [word.text for word in container.command]
    entry = container.options.last("entrypoint")
    if entry is not None:
        words.insert(0, entry.text)
    known = [word for word in words if word is not None]
    if len(known) < len(words) or len(known) < 2:
        return None
    last = known[-1]
    if known[0] == "cat" and len(known) == 2 and last.startswith("/"):
        return Archive(container, last, "")
    if known[0] == "tar":
        folder = known[known.index("-C") + 1] if "-C" in known else "/"
        return Archive(container, os.path.normpath(posixpath.join(folder, last)), last.lstrip("/"))
    return None


def _cp(recipe: Recipe, command: Command, given: Arguments) -> Word | Archive | None:
    if len(given.operands) != 2:
        recipe.note(command.place, "it has not two operands", "write CONTAINER:PATH PATH")
        return None
    name, inside = given.operands[0].partition(":")
    target = given.operands[1]
    if inside is None or given.operands[1].partition(":")[1] is not None:
        recipe.note(command.place, "it copies into a container", "write a COPY into the Dockerfile of its image")
        return None
    container = recipe.named.get(str(name))
    if container is None:
        recipe.note(command.place, f"the container {name} was not made here", "add the line that makes it")
        return None
    if inside.text is None or target.text is None:
        unknown = inside if inside.text is None else target
        recipe.note(command.place, f"the path {unknown} is not known", "write it out")
        return None
    path = posixpath.join("/", inside.text)
    if target.text == "-":
        return Archive(container, os.path.normpath(path), posixpath.basename(path.rstrip("/.")) or ".")
    is_contents = path.endswith("/.")
    to = Path(os.path.normpath(command.folder / target.text))
    if not is_contents and (target.text.endswith(("/", "/.")) or target.text in (".", "..") or recipe.is_folder(to)):
        to /= posixpath.basename(path.rstrip("/"))
    inner = os.path.normpath(path)
    recipe.artefacts.append(
        Artefact(command.place, to, container, inner, True if is_contents or path.endswith("/") else None)
    )
    return None


def _tag(recipe: Recipe, command: Command, given: Arguments) -> None:
    if len(given.operands) == 2:
        build = recipe.built(given.operands[0])
        if build is None:
            recipe.note(command.place, f"the image {given.operands[0]} was not built here", "tag it by hand")
            return
        build.tags.append(given.operands[1])
        recipe.images[str(given.operands[1]).removesuffix(":latest")] = build


def _push(recipe: Recipe, command: Command, given: Arguments) -> None:
    name = given.operands[0] if given.operands else "the image"
    recipe.note(command.place, f"it pushes {name}", "run python -m dockdsl build FILE --push")


def _export(recipe: Recipe, command: Command, given: Arguments) -> Archive | None:
    container = recipe.named.get(str(given.operands[0])) if given.operands else None
    if container is None:
        recipe.note(command.place, "the container was not made here", "add the line that makes it")
        return None
    return Archive(container, "/", ".")


def _nothing(recipe: Recipe, command: Command, given: Arguments) -> None:
    """Cleaning and looking: what a build of stages leaves nothing of, or has no part in."""


_VERBS: dict[str, Callable[[Recipe, Command, Arguments], Word | Archive | None]] = {
    "build": _build,
    "create": _create,
    "run": _run,
    "cp": _cp,
    "tag": _tag,
    "push": _push,
    "export": _export,
    **dict.fromkeys(
        [
            "rm",
            "rmi",
            "stop",
            "kill",
            "wait",
            "start",
            "logs",
            "inspect",
            "images",
            "ps",
            "ls",
            "prune",
            "login",
            "logout",
            "pull",
            "version",
            "info",
            "history",
            "port",
        ],
        _nothing,
    ),
}


# What happens to files on the host.


def _mkdir(recipe: Recipe, command: Command) -> None:
    for word in command.words[1:]:
        if word.text is not None and not word.text.startswith("-"):
            recipe.folders.add(Path(os.path.normpath(command.folder / word.text)))


def _moved(recipe: Recipe, command: Command) -> None:
    """``mv`` and ``cp`` on the host: the artefact is somewhere else, too."""
    words = [word.text for word in command.words[1:]]
    paths = [word for word in words if word is not None and not word.startswith("-")]
    if None in words or len(paths) < 2:
        return
    target = Path(os.path.normpath(command.folder / paths[-1]))
    if any(each.path == target for each in recipe.artefacts):
        fact = f"{command.name} replaces {target.name}, which an image has made"
        recipe.note(command.place, fact, "if that counts, copy the other file into the stage")
    for source in paths[:-1]:
        path = Path(os.path.normpath(command.folder / source.rstrip("/.")))
        into = target / path.name if paths[-1].endswith("/") or recipe.is_folder(target) else target
        recipe.moves.append((path, into))


def _chmod(recipe: Recipe, command: Command) -> None:
    for word in command.words[2:]:
        recipe.unmarked.pop(Path(os.path.normpath(command.folder / (word.text or ""))), None)


def _asked(recipe: Recipe, command: Command) -> None:
    for word in command.words[1:]:
        before, separator, rest = (word.text or str(word)).partition("://")
        if separator and before in ("http", "https") and "/" in rest:
            path = "/" + rest.partition("/")[2]
            if "$" not in path:
                recipe.asked.append(path)


# They change no file of the project, or tidy up what a build of stages does not leave.
_HARMLESS = {
    *("cat", "grep", "egrep", "awk", "cut", "head", "tail", "tr", "sort", "uniq", "wc", "ls", "find", "xargs", "date"),
    *(
        "git",
        "uname",
        "id",
        "whoami",
        "hostname",
        "which",
        "env",
        "tput",
        "sleep",
        "rm",
        "rmdir",
        "ps",
        "df",
        "du",
        "jq",
    ),
    *("kubectl", "helm", "aws", "gcloud", "az", "ssh", "seq", "nproc", "stat", "sha256sum", "md5sum", "file"),
}
# Of a CI file: it stands for a value.
_is_expression = re.compile(r"(?:github|secrets|matrix|steps|inputs|vars|needs|runner|job)\..*").fullmatch
_HOST: dict[str, Callable[[Recipe, Command], None]] = {
    "mkdir": _mkdir,
    "mv": _moved,
    "cp": _moved,
    "install": _moved,
    "chmod": _chmod,
    "curl": _asked,
    "wget": _asked,
}


def unknown_parts(words: Iterable[Word]) -> Sequence[Unknown]:
    """Return what only a run of the script could tell."""
    return [part for word in words for part in word if isinstance(part, Unknown)]
