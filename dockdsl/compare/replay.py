"""The commands of a script, given again in a copy of the project, with names of dockdsl's own on the engine.

No shell is involved, and nothing runs on the host but docker and what makes, copies and removes files.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import shutil
import tarfile
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import attrs

from dockdsl.compare.belongings import Belongings
from dockdsl.display import quoted_log
from dockdsl.engine.builders.docker_command import USUAL, DockerCommand
from dockdsl.engine.builders.process import Clock, OutOfTime, started
from dockdsl.engine.building import BUILD_TIMEOUT, LOG_LINES
from dockdsl.errors import RunFailed, SourceError
from dockdsl.migrate.commands import Command
from dockdsl.migrate.docker_options import Arguments, arguments, verb_of
from dockdsl.migrate.following import ENGINES, folder_of_tar
from dockdsl.migrate.host_files import content_of, packed, path_of
from dockdsl.migrate.recipe import Given, Recipe
from dockdsl.migrate.words import Unknown, Word
from dockdsl.secrecy import hide

# File commands, and the options with which they touch no other paths than their operands.
_FILES = {"mkdir": "pv", "cp": "rRafpvLPd", "mv": "fv", "chmod": "Rv", "rm": "rRfv", "rmdir": "pv", "touch": ""}
# What may fail as a script that is run again sees it fail: it is there already, or gone.
_TOLERANT = ("mkdir", "rm", "rmdir")
_LOOKING = ("images", "ps", "ls", "inspect", "logs", "version", "info", "history", "port")
# Options of a build that say where things go which dockdsl names itself, or what is printed.
_NOT_IN_BUILD = ("tag", "file", "quiet", "q", "progress", "load", "iidfile", "metadata-file", "cache-to", "push")
_NOT_IN_RUN = ("name", "i", "t", "interactive", "tty", "publish", "p", "P", "publish-all", "label", "cidfile", "pull")
_IN_RUN = ("detach", "rm", "env", "workdir", "user", "entrypoint", "platform", "network", "tmpfs", "init", "memory")
_KNOWN = ("rm", "rmi", "start", "stop", "kill", "wait")
_VERBS = {"build": "_build", "create": "_start", "run": "_start", "cp": "_cp", "export": "_export", "tag": "_tag"}
_VERBS |= {"exec": "_exec"}
_VERBS |= dict.fromkeys(_KNOWN, "_known")
_OWNERS = 60.0
"""Seconds that changing the owner of files may take."""
_is_name = re.compile(r"[\w./:-]+").fullmatch
_ids = re.compile(r"\b(?:image|container)@\d+\b").sub
_Give = Callable[[Given, Arguments, "IO[bytes] | None"], bool]


@attrs.define(eq=False)
class Replay:
    """Gives the commands of a recipe in `folder`, a copy of its project. `work` is for files that nobody is to see."""

    recipe: Recipe
    own: Belongings
    folder: Path
    work: str
    report: Callable[[str], object]
    images: dict[str, str] = attrs.field(factory=dict)
    """The tag of dockdsl's own for each name that an image has in the script."""
    containers: dict[str, str] = attrs.field(factory=dict)
    volumes: dict[str, str] = attrs.field(factory=dict)
    notes: dict[str, None] = attrs.field(factory=dict)
    """What was left out."""
    worker: str | None = None
    """An image whose containers have worked in the copy."""
    _no_cache: bool = False
    _clock: Clock = attrs.field(factory=lambda: Clock(BUILD_TIMEOUT))

    def again(self, *, no_cache: bool = False) -> tuple[str, ...]:
        """Give the commands, and return them as they are written; with `no_cache`, each build runs all of its steps.

        Raises `SourceError` for a command that cannot be given again, `RunFailed` for one that fails.
        """
        self.images.clear()
        self.containers.clear()
        self._no_cache, self._clock = no_cache, Clock(BUILD_TIMEOUT)
        done = []
        for given in self.recipe.given:
            begin = self._clock.spent()
            if self._give(given):
                first = given.pipeline[0]
                done += [self._shown(command) for command in given.pipeline]
                self.report(f"{first.place}: {done[-len(given.pipeline)]} {self._clock.spent() - begin:.1f}s")
        return tuple(done)

    def _shown(self, command: Command) -> str:
        """Return a command as it is written, with the folder of the project as $PWD."""
        words = [str(word) for word in command.words]
        line = " ".join(shlex.quote(word) if any(map(str.isspace, word)) else word for word in words)
        return _ids("ID", re.sub(rf"{re.escape(str(self.recipe.root))}(?![\w.-])", "$PWD", line))

    def regain(self, user: int) -> None:
        """Give this user what a container has left in the copy as root, who alone could remove it."""
        if self.worker is None or user == 0:
            return
        name = self.own.container()
        argv = [USUAL, "run", "--detach", f"--name={name}", *self.own.marks(name), f"--volume={self.folder}:/project"]
        argv += ["--user=0", "--network=none", "--entrypoint=chown", self.worker, "-R", str(user), "/project"]
        for each in (argv, [USUAL, "wait", name]):
            with suppress(OutOfTime), started(each) as running:
                running.wait(_OWNERS)

    def _give(self, given: Given) -> bool:
        """Give one; return whether it counts, as what only looks at things does not."""
        command, *rest = given.pipeline
        if command.name in ENGINES:
            verb, words = verb_of(command.words[1:])
            found = arguments(verb, words, first_operand_ends=verb in ("run", "create", "exec"))
            if verb not in _VERBS:
                return verb not in _LOOKING and self._left_out(command)
            give: _Give = getattr(self, _VERBS[verb])
            if rest and rest[0].name in ("tar", "bsdtar"):
                return self._unpacked(give, given, found)
            for other in rest:
                self._left_out(other)
            return give(given, found, None)
        if not rest and command.writes is not None and content_of(command) is not None:
            return self._on_host(command)
        if not rest and command.name == "mktemp" and given.identity is not None:
            return self._temporary(command, given.identity)
        if command.name == "cat" and given.identity is not None:
            # What it prints is known, and stands where the script uses it.
            return False
        if not rest and command.name == "tar" and (made := packed(command)) is not None and made[0] != "-":
            return self._packed(command, *made)
        if rest or command.name not in _FILES:
            for each in given.pipeline:
                self._left_out(each)
            return False
        return self._on_host(command)

    def _left_out(self, command: Command, what: str = "") -> bool:
        output = [] if command.output is None else [">>" if command.appends else ">", command.output]
        self.notes[f"{command.place}: {what or ' '.join(map(str, (*command.words, *output)))}"] = None
        return False

    def _run(
        self,
        command: Command,
        argv: list[str],
        *,
        stdin: str | None = None,
        stdout: IO[bytes] | None = None,
        is_tolerant: bool = False,
    ) -> bool:
        """Run a program to its end. Raises `RunFailed` where it fails, or takes too long."""
        name = f"{command.place}: {' '.join(map(str, command.words[:2]))}"
        log: deque[str] = deque(maxlen=LOG_LINES)
        with tempfile.TemporaryFile(dir=self.work) as given:
            given.write((stdin or "").encode())
            given.seek(0)
            output = stdout
            if command.output is not None and stdout is None and str(command.output) != "/dev/null":
                output = self._opened(command, self._text(command, command.output))
            folder = self._inside(command, ".")
            try:
                with started(argv, given, {"TMPDIR": self.work}, stdout=output, folder=folder) as running:
                    while (line := running.line(self._clock.left())) is not None:
                        log.append(hide(line.rstrip()))
                    status = running.wait(self._clock.left())
            except OutOfTime:
                fact = f"{name} was not done within {BUILD_TIMEOUT:g} s"
                raise RunFailed(f"{fact}; see what holds it up", origin=None) from None
            finally:
                if output is not None and output is not stdout:
                    output.close()
        if status and not is_tolerant:
            fact = f"{name} ended with exit code {status}; fix what it says"
            raise RunFailed(fact + quoted_log(log, "its last output"), log=tuple(log), origin=None)
        return True

    def _opened(self, command: Command, path: str) -> IO[bytes]:
        try:
            return Path(self._inside(command, path)).open("ab" if command.appends else "wb")
        except OSError as error:
            fact = f"{command.place}: {path} cannot be written ({error.strerror})"
            raise RunFailed(f"{fact}; create its folder before", origin=None) from None

    # Words.

    def _text(self, command: Command, word: Word) -> str:
        found = ""
        for part in word:
            if isinstance(part, Unknown):
                raise SourceError(f"{command.place}: only running the script could tell {part}; write it out")
            found += part if isinstance(part, str) else os.environ.get(part.name, part.default)
        return found

    def _inside(self, command: Command, path: str) -> str:
        """Return where a path of the project is in the copy."""
        root = self.recipe.root
        whole = Path(os.path.normpath(command.folder / path))
        if whole != root and root not in whole.parents:
            raise SourceError(f"{command.place}: {path} is outside of {root}; name the folder that has both")
        there = self.folder / whole.relative_to(root)
        real, copy = Path(os.path.realpath(there)), Path(os.path.realpath(self.folder))
        if real != copy and copy not in real.parents:
            raise SourceError(f"{command.place}: {path} leads out of the project by a link; name the file itself")
        return str(there) + ("/." if path.endswith("/.") else "/" if path.endswith("/") else "")

    def _key(self, command: Command, word: Word) -> str:
        """Return what a thing of the engine is called in the script."""
        return (self._text(command, word) if word.is_settled else str(word)).removesuffix(":latest")

    def _image(self, command: Command, word: Word) -> str:
        return self.images.get(self._key(command, word)) or self._text(command, word)

    # Docker.

    def _build(self, given: Given, found: Arguments, stdout: IO[bytes] | None) -> bool:
        command = given.pipeline[-1]
        if given.identity is None:
            raise SourceError(f"{command.place}: it is not known what is built here; see the note on this line")
        argv = [*DockerCommand(USUAL).buildx(), "build", "--load", "--progress=plain", f"--iidfile={self.work}/image"]
        argv += ["--no-cache"] if self._no_cache else []
        # The names of what was built before mean what this run has built.
        argv += [f"--build-context={name}=docker-image://{tag}" for name, tag in self.images.items() if _is_name(name)]
        settings = dict(command.settings)
        for name, value in found.options:
            if name == "push":
                self._left_out(command, "--push")
            elif name == "output":
                raise SourceError(f"{command.place}: a build with --output is not compared; load the image")
            elif name == "build-context" and "://" not in str(value):
                key, _, path = self._text(command, value).partition("=")
                argv.append(f"--{name}={key}={self._inside(command, path)}")
            elif name not in _NOT_IN_BUILD:
                if any(isinstance(part, Unknown) for part in value):
                    # The migrated file leaves it out as well.
                    self._left_out(command, f"--{name} {value}")
                    continue
                key, separator, given_text = self._text(command, value).partition("=")
                if name == "build-arg" and not separator and key in settings:
                    separator, given_text = "=", self._text(command, settings[key])
                if given_text.startswith("image@"):
                    given_text = self.images.get(given_text, given_text)
                argv.append(f"--{name}={key}{separator}{given_text}")
        context = self._text(command, found.operands[0]) if found.operands else "."
        file = found.last("file")
        if file is not None:
            name = self._text(command, file)
            argv.append(f"--file={name if name == '-' else self._inside(command, name)}")
        tag = self.own.tag()
        argv += [f"--tag={tag}", context if context == "-" else self._inside(command, context)]
        text = None if command.given is None else self._text(command, command.given)
        if text is None and command.source is not None:
            text = Path(self._inside(command, self._text(command, command.source))).read_text(errors="surrogateescape")
        with self._streamed(command):
            self._run(command, argv, stdin=text, stdout=stdout)
        for word in (given.identity, *found.all("tag")):
            self.images[self._key(command, word)] = tag
        return True

    @contextmanager
    def _streamed(self, command: Command) -> Iterator[None]:
        """Have the files that ``tar`` would give to a build in a folder, as long as it runs."""
        packed_files = self.recipe.streams.get(command.folder)
        if packed_files is None:
            yield
            return
        folder = Path(self._inside(command, "."))
        try:
            for path, name in packed_files:
                source, target = Path(self._inside(command, str(path))), folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(source, target, symlinks=True) if source.is_dir() else shutil.copy2(source, target)
            yield
        except OSError as error:
            raise RunFailed(
                f"{command.place}: {error.filename}: {error.strerror}; see what tar packs", origin=None
            ) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self, given: Given, found: Arguments, stdout: IO[bytes] | None) -> bool:
        command = given.pipeline[0]
        verb, _ = verb_of(command.words[1:])
        is_detached = any(name in ("d", "detach") for name, _ in found.options)
        is_server = any(name in ("publish", "p", "P", "publish-all") for name, _ in found.options)
        if not found.operands or (verb == "run" and is_server and not is_detached):
            return self._left_out(command)
        name = self.own.container()
        # A base image that is fetched would stay.
        argv = [USUAL, verb, "--pull=never", f"--name={name}", *self.own.marks(name)]
        for key, value in found.options:
            option = "detach" if key == "d" else key
            if option in ("volume", "mount"):
                argv.append(f"--{option}={self._mount(command, option, self._text(command, value))}")
            elif option == "volumes-from":
                other, mode = value.partition(":")
                argv.append(f"--{option}={self._container(command, other)}{'' if mode is None else f':{mode}'}")
            elif option == "env-file":
                argv.append(f"--env-file={self._inside(command, self._text(command, value))}")
            elif option in _IN_RUN:
                argv.append(f"--{option}={self._text(command, value)}")
            elif option not in _NOT_IN_RUN:
                self._left_out(command, f"--{option}")
        image, *words = found.operands
        if any(str(self.folder) in word for word in argv):
            self.worker = self._image(command, image)
        argv += [self._image(command, image), *(self._text(command, word) for word in words)]
        self._run(command, argv, stdout=stdout)
        for word in (given.identity, found.last("name"), self._kept(command, found, name)):
            if word is not None:
                self.containers[self._key(command, word)] = name
        return True

    def _kept(self, command: Command, found: Arguments, name: str) -> Word | None:
        """Write the file that has the id of a container; return what the script calls that id."""
        file = found.last("cidfile")
        if file is None:
            return None
        path = self._text(command, file)
        with self._opened(command, path) as written:
            written.write(name.encode())
        return self.recipe.texts.get(path_of(command, path))

    def _exec(self, given: Given, found: Arguments, stdout: IO[bytes] | None) -> bool:
        command = given.pipeline[0]
        argv = [USUAL, "exec"]
        for key, value in found.options:
            if key in _IN_RUN:
                argv.append(f"--{key}={self._text(command, value)}")
            elif key not in _NOT_IN_RUN:
                self._left_out(command, f"--{key}")
        name, *words = found.operands or (Word(),)
        argv += [self._container(command, name), *(self._text(command, word) for word in words)]
        return self._run(command, argv, stdout=stdout)

    def _mount(self, command: Command, option: str, value: str) -> str:
        """Return a mount with its place in the copy; what is not of the project is a volume of dockdsl's own."""
        if option == "volume":
            source, separator, rest = value.partition(":")
            return f"{self._source(command, source)}:{rest}" if separator else value
        fields = dict(part.partition("=")[::2] for part in value.split(","))
        key = "source" if "source" in fields else "src"
        if key in fields:
            fields[key] = self._source(command, fields[key])
            fields["type"] = "bind" if fields[key].startswith("/") else "volume"
        return ",".join(f"{name}={each}" if each else name for name, each in fields.items())

    def _source(self, command: Command, source: str) -> str:
        if "/" in source or source in (".", ".."):
            try:
                return self._inside(command, source)
            except SourceError:
                self._left_out(command, f"-v {source}")
        if source not in self.volumes:
            self.volumes[source] = name = self.own.volume()
            self._run(command, [USUAL, "volume", "create", *self.own.marks(name), name])
        return self.volumes[source]

    def _cp(self, given: Given, found: Arguments, stdout: IO[bytes] | None) -> bool:
        command = given.pipeline[0]
        argv = [USUAL, "cp", *(f"{'-' * min(len(name), 2)}{name}" for name, _ in found.options)]
        for word in found.operands:
            name, inside = word.partition(":")
            if inside is not None:
                argv.append(f"{self._container(command, name)}:{self._text(command, inside)}")
            else:
                path = self._text(command, word)
                # docker copies what is in ".", and a folder as such.
                argv.append(path if path == "-" else self._inside(command, "./." if path == "." else path))
        return self._run(command, argv, stdout=stdout)

    def _export(self, given: Given, found: Arguments, stdout: IO[bytes] | None) -> bool:
        command = given.pipeline[0]
        name = self._container(command, found.operands[0] if found.operands else Word())
        return self._run(command, [USUAL, "export", name], stdout=stdout)

    def _container(self, command: Command, name: Word) -> str:
        key = self._key(command, name)
        if key not in self.containers:
            raise SourceError(f"{command.place}: the container {key} was not made here; add the line that does")
        return self.containers[key]

    def _known(self, given: Given, found: Arguments, stdout: IO[bytes] | None) -> bool:
        """Do something to containers or images: to those of dockdsl's own that have these names, and to no others."""
        command = given.pipeline[0]
        verb, _ = verb_of(command.words[1:])
        is_image = verb == "rmi" or (verb == "rm" and str(command.words[1]) == "image")
        ours = self.images if is_image else self.containers
        names = [self._key(command, word) for word in found.operands]
        known = [ours[name] for name in names if name in ours]
        switches = {"rm": ("f", "force", "v", "volumes"), "rmi": ("f", "force"), "start": ("a", "attach")}.get(verb, ())
        options = [f"{'-' * min(len(name), 2)}{name}" for name, _ in found.options if name in switches]
        if known:
            argv = [USUAL, "rmi" if is_image else verb, *options, *known]
            self._run(command, argv, stdout=stdout, is_tolerant=verb in ("rm", "rmi"))
        return True

    def _tag(self, given: Given, found: Arguments, stdout: IO[bytes] | None) -> bool:
        command = given.pipeline[0]
        if len(found.operands) != 2 or self._key(command, found.operands[0]) not in self.images:
            return self._left_out(command)
        tag = self.own.tag()
        self._run(command, [USUAL, "tag", self._image(command, found.operands[0]), tag], stdout=stdout)
        self.images[self._key(command, found.operands[1])] = tag
        return True

    # Files.

    def _unpacked(self, give: _Give, given: Given, found: Arguments) -> bool:
        """Give a command whose output goes into ``tar``."""
        tar = given.pipeline[1]
        folder = folder_of_tar(tar)
        if folder is None:
            raise SourceError(f"{tar.place}: where tar unpacks is not known; write tar -xC FOLDER")
        with tempfile.TemporaryFile(dir=self.work) as archive:
            give(given, found, archive)
            archive.seek(0)
            try:
                with tarfile.open(fileobj=archive) as files:
                    files.extractall(self._inside(tar, str(folder)), filter="data")
            except tarfile.TarError as error:
                fact = f"{tar.place}: what tar is given cannot be unpacked ({error})"
                raise RunFailed(f"{fact}; copy the files themselves", origin=None) from None
        return True

    def _packed(self, command: Command, file: str, entries: Sequence[tuple[Path, str]]) -> bool:
        """Make the archive that ``tar`` makes."""
        kind = {".gz": "gz", ".tgz": "gz", ".bz2": "bz2", ".tbz2": "bz2", ".xz": "xz", ".txz": "xz"}
        mode: Any = f"w:{kind.get(Path(file).suffix, '')}"
        try:
            with tarfile.open(self._inside(command, file), mode) as archive:
                for path, name in entries:
                    archive.add(self._inside(command, str(path)), name or ".")
        except OSError as error:
            fact = f"{command.place}: {error.filename}: {error.strerror}"
            raise RunFailed(f"{fact}; see what tar packs", origin=None) from None
        return True

    def _on_host(self, command: Command) -> bool:
        """Give a file command; what it does outside of the project is left out where nothing can depend on it."""
        try:
            return self._file(command)
        except SourceError:
            if command.name in ("cp", "mv"):
                raise
            return self._left_out(command)

    def _temporary(self, command: Command, name: Word) -> bool:
        """Make what ``mktemp`` makes in the copy."""
        place = Path(self._inside(command, self._text(command, name)))
        place.mkdir(exist_ok=True) if Path(str(name)) in self.recipe.folders else place.touch()
        return True

    def _file(self, command: Command) -> bool:
        content = content_of(command)
        if content is not None and command.writes is not None:
            with self._opened(command, self._text(command, command.writes)) as file:
                file.write(self._text(command, content).encode("utf-8", "surrogateescape"))
            return False
        words = [self._text(command, word) for word in command.words[1:]]
        options = [word for word in words if word.startswith("-")]
        paths = [word for word in words if not word.startswith("-")]
        if any(not set(word[1:]) <= set(_FILES[command.name]) for word in options):
            return self._left_out(command)
        first = [paths.pop(0)] if command.name == "chmod" and paths else []
        places = [place for path in paths for place in self._matching(self._inside(command, path))]
        argv = [command.name, *options, *first, *places]
        return self._run(command, argv, is_tolerant=command.name in _TOLERANT)

    def _matching(self, path: str) -> Sequence[str]:
        found = glob.glob(path) if any(char in path for char in "*?[") else []
        return sorted(found) or [path]
