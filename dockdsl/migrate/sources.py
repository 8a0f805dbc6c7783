"""Which files a migration reads: those named, or those of a folder that build images."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from dockdsl.display import argument, one_line
from dockdsl.errors import FileError, SourceError
from dockdsl.instructions.copy import FileInstruction
from dockdsl.instructions.run import Run
from dockdsl.instructions.workdir import Workdir
from dockdsl.migrate.commands import Place
from dockdsl.migrate.docker_options import Arguments
from dockdsl.migrate.following import shell as shell_for
from dockdsl.migrate.makefile import Makefile
from dockdsl.migrate.mentions import words_of
from dockdsl.migrate.pipeline import WORKSPACES, scripts
from dockdsl.migrate.recipe import Artefact, Build, Recipe
from dockdsl.migrate.shell import Shell
from dockdsl.migrate.shell_parser import is_script
from dockdsl.migrate.words import text
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.origins import short_path
from dockdsl.syntax.filenames import is_dockerfile
from dockdsl.text.parser import parse

_builds = re.compile(
    r"\b(?:docker|podman)[\s-]+(?:(?:image|buildx|builder|compose|container)\s+)?(?:build|run|create|bake)\b"
    r"|\bbuildah\s+(?:bud|build|from)\b|(?:build-push|bake)-action"
).search
_BUILDERS = ("build", "builder", "dev", "compile")
# Where a variable has the name of the program: ENGINE ?= docker, ${DOCKER:-docker}.
_names_engine = re.compile(r"(?:[=-]|command -v|which)\s*[\"']?(?:docker|podman)\b").search
_builds_by_variable = re.compile(r"\$[({]?\w+(?::?-\w+)?[)}]?[\"']? (?:image |buildx )?(?:build|run|create)\b").search
# Files that may build images, and are not read.
_UNREAD = (
    *("Jenkinsfile", "justfile", "Justfile", "Taskfile.yml", "Taskfile.yaml", "Rakefile", "package.json", "build.py"),
    *(".circleci/config.yml", ".travis.yml", "bitbucket-pipelines.yml", "azure-pipelines.yml", ".drone.yml"),
)
_OTHER_SHELLS = ("*.ps1", "*.bat", "*.cmd")
_LARGEST = 16 << 20


class Found(NamedTuple):
    """The files of a migration."""

    root: Path
    """The folder in which the scripts run."""
    scripts: list[Path]
    dockerfiles: list[Path]
    unread: list[tuple[Path, int]]
    """Lines of other files that build images."""


def found(names: Sequence[str]) -> Found:
    """Return what is to be read: the files of one folder, or those named; a folder before them is where they run.

    Raises `FileError` for a name that is neither, `SourceError` for a folder without such files, or with several.
    """
    for name in names:
        _check(name)
    paths = [Path(name) for name in names]
    root = paths.pop(0) if paths[0].is_dir() else None
    if root is not None and not paths:
        return _in_folder(root)
    for path in paths:
        if path.is_dir():
            fact = f"{one_line(str(path))} is a folder"
            raise SourceError(f"{fact}; name one folder, and behind it the files of it that count")
    dockerfiles = [path for path in paths if is_dockerfile(path.name) or _begins_with_from(path)]
    scripts = [path for path in paths if path not in dockerfiles]
    return Found(_folder(paths[0]) if root is None else root.resolve(), scripts, dockerfiles, [])


def _begins_with_from(path: Path) -> bool:
    """Whether a file of any name is a Dockerfile: no script begins so."""
    text = path.read_text(errors="replace")
    return re.match(r"(?i)(?:\s*#.*\n)*\s*(?:ARG\s+\w+(?:=\S*)?\s+)*FROM\s+\S", text) is not None


def _check(path: str) -> None:
    """Raise `FileError` for what is neither a folder nor a file that a script may be."""
    name = one_line(path) or repr(path)
    try:
        found = os.stat(path)
    except FileNotFoundError:
        raise FileError(f"{name}: there is no such file or folder; check the path") from None
    except OSError as error:
        raise FileError(f"{name}: it cannot be read ({error.strerror}); check the path") from None
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise FileError(
            f"{name}: it is neither a file nor a folder; name a script, a Makefile, a CI file or a Dockerfile"
        )
    if found.st_size > _LARGEST:
        raise FileError(f"{name}: it is larger than {_LARGEST >> 20} MiB; is it the right file?")


def _folder(path: Path) -> Path:
    folder = path.resolve().parent
    return folder.parent.parent if folder.parts[-2:] == (".github", "workflows") else folder


def _in_folder(folder: Path) -> Found:
    candidates = [
        *sorted(folder.glob("*.sh")),
        *(folder / name for name in ("Makefile", "makefile", "GNUmakefile", "build", ".gitlab-ci.yml")),
        *(
            path
            for name in ("scripts", "script", "hack", "ci", "bin", "tools")
            for path in sorted(folder.glob(f"{name}/*"))
            if path.suffix == ".sh" or (not path.suffix and is_script(path))
        ),
        *sorted(folder.glob(".github/workflows/*.y*ml")),
    ]
    candidates += [path for path in sorted(folder.iterdir()) if not path.suffix and is_script(path)]
    texts = {path: path.read_text(errors="replace") for path in candidates if path.is_file()}
    chosen = {path: text for path, text in texts.items() if _is_builder(text)}
    # A script that another one calls is read with that one.
    called = {path for path in chosen for other, text in texts.items() if other != path and path.name in text}
    callers = {path: text for path, text in texts.items() if any(each.name in text for each in called)}
    outer = {path: text for path, text in {**chosen, **callers}.items() if path not in called}
    chosen = outer or chosen
    if len(chosen) > 1:
        names = ", ".join(os.path.relpath(path, folder) for path in chosen)
        shown = argument(str(folder))
        fact = f"{one_line(str(folder))}: several files build images: {names}"
        raise SourceError(f"{fact}; name the folder and the one to migrate: dockdsl migrate {shown} FILE")
    dockerfiles = sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and is_dockerfile(path.name) and path.suffix != ".dockerignore"
    )
    others = [folder / name for name in _UNREAD] + [path for end in _OTHER_SHELLS for path in folder.glob(end)]
    unread = [] if chosen else [each for path in others for each in _lines_that_build(path)]
    if not chosen and len(dockerfiles) < 2:
        if unread:
            fact = f"{one_line(short_path(str(unread[0][0])))}:{unread[0][1]}: such a file is not read"
            raise SourceError(f"{fact}; write its docker commands into a shell script, and name that")
        fact = "no script here builds images, and there are not two Dockerfiles"
        raise SourceError(
            f"{one_line(str(folder))}: {fact}; name the files, or use dockdsl migrate --single for one Dockerfile"
        )
    return Found(folder.resolve(), list(chosen), [] if chosen else dockerfiles, unread)


def _is_builder(text: str) -> bool:
    """Whether a script builds images, as far as that is seen without following it."""
    return bool(_builds(text) or (_names_engine(text) and _builds_by_variable(text)))


def _lines_that_build(path: Path) -> list[tuple[Path, int]]:
    """Return the first line of a file that builds an image."""
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
    return [(path, number) for number, line in enumerate(lines, start=1) if _builds(line)][:1]


def follow(files: Found, artefacts: Iterable[tuple[str, str]] = ()) -> Recipe:
    """Return what the files do.

    Raises `SourceError` for a file that cannot be read as what it is.
    """
    recipe = Recipe(files.root)
    for path, number in files.unread:
        fact = "it builds images, and such a file is not read"
        recipe.note(
            Place(short_path(str(path)), number), fact, "write its docker commands into a script, and name that"
        )
    for path in files.scripts:
        _follow(recipe, path, files.root)
    recipe.note_written()
    for path, place in recipe.unmarked.items():
        name = short_path(str(path))
        fact = f"{name} is printed, so that nobody may run it on the host; from a stage it keeps its mode"
        recipe.note(place, fact, "give the Copy chmod= if it has to be as before")
    given = dict(artefacts)
    if not files.scripts:
        _pair(recipe, files.dockerfiles, given)
    elif recipe.builds:
        source = recipe.builds[max(len(recipe.builds) - 2, 0)]
        for name, inside in given.items():
            path = Path(os.path.normpath(files.root / name))
            recipe.told.append(Artefact(source.place, path, source, inside))
        built = {str(build.dockerfile) for build in recipe.builds}
        for path in files.dockerfiles:
            if str(path.resolve()) not in built:
                recipe.note(Place(short_path(str(path)), 1), "no script builds it", "leave it out, or name its script")
    return recipe


def _follow(recipe: Recipe, path: Path, root: Path) -> None:
    shown = short_path(str(path))
    shell = shell_for(recipe, root)
    if path.suffix in (".yml", ".yaml"):
        _follow_pipeline(recipe, path, shown, shell)
    elif path.name.lower() in ("makefile", "gnumakefile") or path.suffix == ".mk":
        makefile = Makefile(path, shown, recipe.note)
        goal = makefile.goal(lambda line: _builds(line) is not None or ".sh" in line)
        if goal is not None:
            makefile.set_variables(shell)
            makefile.follow(goal, shell)
    else:
        shell.run_file(path.resolve(), shown)


def _follow_pipeline(recipe: Recipe, path: Path, shown: str, shell: Shell) -> None:
    for script in scripts(path, shown, recipe.note):
        before = shell.variables.copy()
        kept = {}
        with shell.process():
            shell.folder = Path(os.path.normpath(shell.folder / script.folder))
            shell.variables |= {name: text(str(recipe.root)) for name in WORKSPACES}
            try:
                for name, value in script.variables.items():
                    quoted = value.replace("\\", r"\\").replace('"', r"\"").replace("`", r"\`")
                    shell.run_text(f'{name}="{quoted}"', shown, script.line)
                shell.run_text(script.text, shown, script.line)
            finally:
                kept = {name: word for name, word in shell.variables.items() if name not in script.variables}
        # What a step sets, a later one of the same job may use.
        shell.variables = before | kept


# Two Dockerfiles without a script.


def _pair(recipe: Recipe, paths: Sequence[Path], given: dict[str, str]) -> None:
    """Take the files in their order: what compiles first; what is copied and does not exist comes from there."""
    ordered = sorted(
        paths, key=lambda path: not any(part in _BUILDERS for part in re.split(r"[.\-_]", path.name.lower()))
    )
    earlier: list[tuple[Build, Dockerfile]] = []
    for path in ordered:
        shown = short_path(str(path))
        name = path.name.lower().replace("dockerfile", "").strip(".-_")
        options = (
            (("tag", text(f"{recipe.root.name}:{name}")),)
            if path != ordered[-1] and name
            else (("tag", text(recipe.root.name.lower())),)
        )
        build = Build(Place(shown, 1), path.resolve().parent, path.resolve(), Arguments(options, ()))
        dockerfile = parse(recipe.read(path) or "", shown)
        for source, place in _missing(dockerfile, build):
            _trace(recipe, source, place, earlier, given)
        recipe.builds.append(build)
        earlier.append((build, dockerfile))


def _missing(dockerfile: Dockerfile, build: Build) -> Iterable[tuple[str, Place]]:
    """Yield what a Dockerfile copies from its context and is not there."""
    for stage in dockerfile.stages:
        for step in stage.steps:
            if not isinstance(step, FileInstruction) or getattr(step, "from_", None) is not None:
                continue
            for source in step.sources:
                is_path = isinstance(source, str) and not any(char in source for char in "$*?[") and "://" not in source
                if is_path and not (Path(build.context) / str(source).lstrip("/")).exists():
                    yield str(source), Place(build.place.path, step.origin.line)


def _trace(
    recipe: Recipe, source: str, place: Place, earlier: Sequence[tuple[Build, Dockerfile]], given: dict[str, str]
) -> None:
    path = Path(os.path.normpath(recipe.root / source.lstrip("/")))
    name = os.path.normpath(source.lstrip("/"))
    inside: set[str] = set()
    if name in given:
        inside = {given[name]}
    elif earlier:
        inside = _written(earlier[-1][1], path.name)
    if len(inside) == 1 and earlier:
        where = inside.pop()
        recipe.artefacts.append(Artefact(place, path, earlier[-1][0], where))
        if name not in given:
            fact = f"no script says where {source} comes from; {where} of {earlier[-1][0].place.path} has its name"
            recipe.note(place, fact, f"pass --artefact {argument(name)}=PATH if that is not the file")
        return
    fact = f"{source} is not in the context, and no script says where it comes from"
    recipe.note(place, fact, f"pass --artefact {argument(name)}=PATH, its path in the image of the first Dockerfile")


def _written(dockerfile: Dockerfile, name: str) -> set[str]:
    """Return the paths with this name in the commands of the last stage."""
    folder, found = "/", set()
    for step in dockerfile.stages[-1].steps:
        if isinstance(step, Workdir):
            folder = posixpath.join(folder, str(step.path))
        elif isinstance(step, Run):
            words = words_of(step)
            # A name that is only listed, as a package is, is not an output.
            outputs = [after for before, after in pairwise(words) if before in ("-o", "--output", "-out")]
            outputs += [word for word in words if "/" in word]
            paths = {posixpath.normpath(posixpath.join(folder, word)) for word in outputs}
            found |= {path for path in paths if posixpath.basename(path) == name}
    return found
