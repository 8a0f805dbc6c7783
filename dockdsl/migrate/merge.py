"""The images of a recipe as the stages of one Dockerfile: what went over the host goes from stage to stage."""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from dockdsl.display import argument
from dockdsl.errors import DockdslError, FileError, SourceError
from dockdsl.instructions.add import Add
from dockdsl.instructions.arg import Arg
from dockdsl.instructions.copy import Copy, FileInstruction, FileSource
from dockdsl.instructions.heredoc import Heredoc
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.run import Run
from dockdsl.instructions.sources import StageBase, external
from dockdsl.migrate import containers
from dockdsl.migrate.commands import Place
from dockdsl.migrate.draft import Change, Draft, Image
from dockdsl.migrate.files import Origin, below, bound, brought_to, made_before, origins
from dockdsl.migrate.mentions import is_folder, may_have_owners
from dockdsl.migrate.recipe import Artefact, Build, Recipe
from dockdsl.migrate.words import Part, Variable, Word, text
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.stage import Stage
from dockdsl.origins import short_path
from dockdsl.syntax.words import text_in
from dockdsl.text.parser import parse

# The archives that ADD unpacks, and how tar is told: not each one sees it by itself.
_ARCHIVES = {".tar": "", ".tar.gz": "z", ".tgz": "z", ".tar.bz2": "j", ".tbz2": "j", ".tar.xz": "J", ".txz": "J"}
_BUILDERS = ("build", "builder", "compile", "dev", "base")
# They say how one run is to build, not what is built.
_SWITCHES = ("no-cache", "pull")
# What a build gives to all steps, and what has to be known when the result is written.
_OF_STEPS = ("network", "shm-size", "ulimit", "platform")
OF_ALL = ("secret", "ssh", "add-host")
"""What an `Image` is given for the builds of others, too."""
_SETTLED = (*_OF_STEPS, *OF_ALL, "label", "annotation", "cache-from", "cache-to")
_TAKEN = {
    *_SWITCHES,
    *("tag", "file", "build-arg", "target", "label", "secret", "ssh", "add-host", "platform", "cache-from", "cache-to"),
    *("ulimit", "annotation", "network", "shm-size", "output"),
    # They say what is printed, or what the engine does by itself.
    *("quiet", "q", "rm", "force-rm", "load", "progress", "builder", "iidfile", "metadata-file", "layers"),
}


@attrs.frozen(eq=False)
class Merged:
    """The result: one Dockerfile, and what an `Image` of it takes."""

    dockerfile: Dockerfile
    draft: Draft
    finals: list[Image]
    """The images that no other one needs."""
    carried: list[tuple[Artefact, str]]
    """What no longer lands on the host, and the stage where it is now."""


def merged(recipe: Recipe) -> Merged:
    """Return the images of a recipe as one Dockerfile.

    Raises `SourceError` if nothing is built, and what `parse` raises.
    """
    return _Merge(recipe).run()


class _Merge:
    def __init__(self, recipe: Recipe) -> None:
        folders = [build.context for build in recipe.builds if isinstance(build.context, Path)]
        folders += [folder for container in recipe.containers for folder in bound(recipe, container)]
        self.recipe = recipe
        self.draft = Draft(recipe, folders[0] if folders else recipe.root)
        self.args: dict[str, Arg] = {}
        self.carried: list[tuple[Artefact, str]] = []

    def run(self) -> Merged:
        read = [(build, *_read(build, self.recipe)) for build in self.recipe.builds]
        parsed = [(build, given, parse(given, name)) for build, given, name in read]
        self.draft.taken |= {name for build, _, original in parsed for name in self._outside(build, original)}
        for build, given, original in parsed:
            self._take(build, given, original)
        containers.note_unused(self.draft)
        images = self.draft.images.values()
        finals = [image for image in images if id(image.build) not in self.draft.needed]
        if not finals:
            raise SourceError("no docker build was found; name the script that builds the images")
        targets = [image.result for image in finals if image.result is not None]
        for image in images:
            self._note_options(image, finals)
        for image in finals:
            self._gather_args(image)
        dockerfile = Dockerfile(targets, list(self.args.values()), **self._directives())
        return Merged(dockerfile, self.draft, finals, self.carried)

    def _directives(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for image in self.draft.images.values():
            file = image.original
            for name, value in (("syntax", file.frontend), ("escape", file.escape), ("check", file.check)):
                if value not in (None, "\\") and found.setdefault(name, value) != value:
                    fact = f"the Dockerfiles have different lines # {name}=, and {found[name]} is kept"
                    self.recipe.note(image.build.place, fact, f"see what needs {value}")
        return found

    # Builds.

    def _outside(self, build: Build, original: Dockerfile) -> Iterator[str]:
        """Yield the images of others that a Dockerfile names: a stage of that name would take their place."""
        earlier = self.recipe.builds[: self.recipe.builds.index(build)]
        for stage in original.stages:
            names = [] if isinstance(stage.base, StageBase) else [text_in(stage.base)]
            names += [step.from_ for step in stage.steps if isinstance(step, Copy) and isinstance(step.from_, str)]
            yield from (name for name in names if self.recipe.built(text(name)) not in earlier)

    def _take(self, build: Build, given: str, original: Dockerfile) -> None:
        target = build.options.last("target")
        if target is not None:
            original = _up_to(original, target, build)
        image = self.draft.images[id(build)] = Image(build, original, given, _name(build))
        self._take_args(image)
        if isinstance(build.dockerfile, Path):
            ignore = build.dockerfile.with_name(f"{build.dockerfile.name}.dockerignore")
            if ignore.is_file():
                fact = f"it is for {build.dockerfile.name} alone, and the result does not read it"
                remedy = "give the Image ignore=[…] with the lines of it and of .dockerignore that count for both"
                self.recipe.note(Place(short_path(str(ignore)), 1), fact, remedy)
        numbers = {id(stage): index for index, stage in enumerate(original.stages)}
        last = len(original.stages) - 1

        def change(stage: Stage) -> Stage:
            index = numbers[id(stage)]
            wish = stage.name or (image.name if index == last else f"{image.name}-{index}")
            image.names[index] = self.draft.fresh(wish)
            steps = self._steps(image, stage, index)
            return attrs.evolve(stage, base=self._base(stage.base, image), name=image.names[index], steps=steps)

        result = original.map(change)
        image.result = next(stage for stage in result.stages if stage.name == image.names[last])

    def _take_args(self, image: Image) -> None:
        build = image.build
        for arg in image.original.args:
            if isinstance(arg, Arg) and self.args.setdefault(arg.name, arg) != arg:
                fact = f"ARG {arg.name} has different defaults before FROM, and that of {self.args[arg.name]} is kept"
                self.recipe.note(build.place, fact, "give one of them another name")
        for word in build.options.all("build-arg"):
            name, value = word.partition("=")
            key = str(name)
            value = Word.of([Variable(key)]) if value is None else value
            if not value.is_settled:
                self.recipe.note(build.place, *containers.unsettled("build argument", key, value))
            else:
                image.build_args[key] = value
        for option in dict.fromkeys(name for name, _ in build.options.options if name not in _TAKEN):
            dashes = "--" if len(option) > 1 else "-"
            self.recipe.note(build.place, f"{dashes}{option} is left out", "pass it when you build, if it counts")
        for switch in _SWITCHES:
            if build.options.last(switch) is not None:
                remedy = f"pass it: python -m dockdsl build FILE --{switch}"
                self.recipe.note(build.place, f"--{switch} is for one run", remedy)

    def _note_options(self, image: Image, finals: Sequence[Image]) -> None:
        """Name what an `Image` of the result is not given."""
        build, is_final = image.build, image in finals
        for tag in build.tags if is_final else ():
            self._note_tag(build, tag)
        for name, word in build.options.options:
            is_given = is_final or name in OF_ALL
            if name in _SETTLED and is_given and not word.is_settled:
                fact = f"--{name} {word} is settled only when it runs, and is left out"
                self.recipe.note(build.place, fact, f"pass it: python -m dockdsl build FILE --{name} …")
            elif name in _OF_STEPS and not any(word in each.build.options.all(name) for each in finals):
                fact = f"--{name} {word} is for the image {image.name} alone, and is left out"
                remedy = f"pass it for all of them, if the steps of {image.name} need it"
                self.recipe.note(build.place, fact, f"{remedy}: python -m dockdsl build FILE --{name} {word}")

    def _gather_args(self, final: Image) -> None:
        """Give an image the arguments of those that its stages come from."""
        assert final.result is not None
        stages = {stage.name for stage in Dockerfile(final.result).stages}
        for image in self.draft.images.values():
            if image.result is None or image.result.name not in stages:
                continue
            for key, value in image.build_args.items():
                if final.all_args.setdefault(key, value) != value:
                    fact = f"the build argument {key} has another value for an earlier image, which is kept"
                    self.recipe.note(image.build.place, fact, f"give one of the two another name than {key}")
        final.all_args |= {key: value for key, value in self.draft.build_args.items() if key not in final.all_args}

    def _note_tag(self, build: Build, tag: Word) -> None:
        if not tag.is_settled:
            fact = f"the tag {tag} is settled only when it runs, and is left out"
            self.recipe.note(build.place, fact, "pass it: python -m dockdsl build FILE --tag …")
            return
        for part, named in zip(tag, named_in_tag(tag), strict=True):
            if isinstance(part, Variable) and isinstance(named, Variable) and not part.default:
                fact = f"the tag takes ${part.name} from the environment, and {named.default!r} where it is not set"
                self.recipe.note(build.place, fact, "set it when you build")

    def _base(self, base: Any, image: Image) -> Any:
        if isinstance(base, StageBase):
            return base
        return self._image_of(_expanded(text_in(base), image), image) or base

    def _image_of(self, name: str, image: Image) -> Stage | None:
        """Return the stage of an image that the recipe has built before."""
        build = self.recipe.built(text(name))
        if build is None or id(build) not in self.draft.images or build is image.build:
            return None
        return self.draft.stage_of(build)

    # Steps.

    def _steps(self, image: Image, stage: Stage, index: int) -> list[Instruction]:
        steps: list[Instruction] = []
        for step in stage.steps:
            after = tuple(self._step(image, step))
            if after != (step,):
                image.changes.setdefault(index, []).append(Change(step, after))
            steps.extend(after)
        return steps

    def _step(self, image: Image, step: Instruction) -> Iterator[Instruction]:
        if isinstance(step, Copy) and step.from_ is not None:
            found = self._image_of(str(step.from_), image) if isinstance(step.from_, str) else None
            yield step if found is None else attrs.evolve(step, from_=found)
        elif isinstance(step, FileInstruction) and isinstance(image.build.context, Path):
            yield from self._files(image, step, image.build.context)
        else:
            yield step

    def _files(self, image: Image, step: FileInstruction, context: Path) -> Iterator[Instruction]:
        """Copy what the host had from where it came, and the rest from the context."""
        kept: list[FileSource] = []
        moved: list[tuple[Origin, str]] = []
        staged: list[tuple[Path, str]] = []
        for source in step.sources:
            name = "" if isinstance(source, Heredoc) else text_in(source)
            if not name or "://" in name:
                kept.append(source)
                continue
            archive = self.recipe.before(Path(os.path.normpath(context / name.lstrip("/"))))
            if archive in self.recipe.packed:
                if isinstance(step, Add) and step.unpack is not False:
                    yield from self._packed(image, step, archive, context)
                    continue
                fact = f"{step.keyword} takes {name}, which tar makes on the host"
                self.recipe.note(
                    image.build.place, fact, "make it with tar in a Run of a stage, and copy it from there"
                )
            known = _expanded(name, image)
            path = Path(os.path.normpath(context / known.lstrip("/")))
            found = [(each, "") for each in origins(self.recipe, image.build, path)]
            if "$" in name and found:
                fact = f"{step.keyword} takes {name}, and it was read as {known}, as this build has it"
                self.recipe.note(image.build.place, fact, "for another value, build another image in the script")
            elif "$" in name and made_before(self.recipe, image.build):
                fact = f"{step.keyword} takes {name}, which is settled in the build, so it was left with the context"
                self.recipe.note(image.build.place, fact, "write out the name if the script makes that file")
            if not found:
                behind = below(self.recipe, image.build, path)
                found = [(each, os.path.relpath(each.artefact.path, path)) for each in behind]
                brought = [] if path.exists() else brought_to(self.recipe, path)
                staged.extend(brought)
                if path.exists() or not (found or brought):
                    kept.append(source)
                    self._note_missing(image, step, path, name)
            moved.extend(found)
        if kept:
            rest = step if len(kept) == len(step.sources) else attrs.evolve(step, sources=kept)
            yield from self._from_context(image, rest, context)
        for source_path, rest_of_path in staged:
            yield from self._staged(step, source_path, rest_of_path)
        for origin, rest_of_path in moved:
            yield self._carried(step, origin, rest_of_path)

    def _packed(self, image: Image, step: FileInstruction, archive: Path, context: Path) -> Iterator[Instruction]:
        """Copy what the script has packed into an archive, which ADD would unpack."""
        for path, name in self.recipe.packed[archive]:
            to = posixpath.join(text_in(step.destination), name)
            yield from self._files(image, _copy(step, [os.path.relpath(path, context)], to, None), context)

    def _staged(self, step: FileInstruction, path: Path, rest: str) -> Iterator[Instruction]:
        """Copy what the script has put into the folder that is built from where it was before."""
        to = text_in(step.destination)
        is_into = bool(rest) and (path.is_dir() or posixpath.basename(rest) != path.name)
        destination = posixpath.join(to, rest) if is_into else text_in(step.destination)
        if rest and not is_into:
            destination = posixpath.join(to, posixpath.dirname(rest), "")
        context = self.draft.context
        if path == context or context in path.parents:
            yield attrs.evolve(step, sources=[os.path.relpath(path, context)], destination=destination)
            return
        folder = path if path.is_dir() else path.parent
        name = "." if path.is_dir() else path.name
        yield _copy(step, [name], destination, external(self.draft.context_name(folder)))

    def _note_missing(self, image: Image, step: FileInstruction, path: Path, name: str) -> None:
        """Say that a file is neither there nor made by the script."""
        build = image.build
        if path in self.recipe.gone:
            fact = f"rm removes {name}, and no image has been built with it before"
            self.recipe.note(self.recipe.gone[path], fact, "move that line behind the docker build that copies it")
            return
        if path.exists() or path in {*self.recipe.writers, *self.recipe.packed} or any(char in name for char in "$*?["):
            return
        is_file = isinstance(build.dockerfile, Path)
        place = Place(short_path(str(build.dockerfile)), step.origin.line) if is_file else build.place
        fact = f"{name} is not in the context, and nothing that was read puts it there"
        self.recipe.note(place, fact, f"create it, or pass --artefact {argument(name)}=PATH if the image before has it")

    def _from_context(self, image: Image, step: FileInstruction, context: Path) -> Iterator[Instruction]:
        """Take files from the context of the image, which may be another one than that of the result."""
        local = [text_in(each) for each in step.sources if not isinstance(each, Heredoc)]
        if context == self.draft.context or not local or all("://" in name for name in local):
            yield step
            return
        if not isinstance(step, Copy):
            fact = f"ADD takes {', '.join(local)} from another context, {short_path(str(context))}"
            self.recipe.note(image.build.place, fact, "it is a COPY now, which unpacks no archive")
        yield _copy(step, step.sources, step.destination, external(self.draft.context_name(context)))

    def _carried(self, step: FileInstruction, origin: Origin, rest: str) -> Instruction:
        """Copy an artefact from its stage to where the original put it; `rest` is its path in the folder copied."""
        artefact, inside = origin.artefact, origin.inside
        stage = self._stage_of(artefact)
        destination: object = step.destination
        to = text_in(step.destination)
        if artefact.archived is not None:
            destination = posixpath.join(to, artefact.archived.removeprefix("."))
            if not isinstance(step, Add) or step.unpack is False:
                fact = f"{step.keyword} takes {artefact.path.name} as the archive that it is, and gets its files here"
                self.recipe.note(artefact.place, fact, "make the archive with tar in a Run of that stage")
        elif isinstance(step, Add) and artefact.path.name.endswith(tuple(_ARCHIVES)) and step.unpack is not False:
            stage, inside = self._unpacked(stage, artefact), "/unpacked/"
        elif rest:
            destination = posixpath.join(to, rest)
        elif len(step.sources) > 1 or to.endswith(("/", "/.")) or to in (".", ".."):
            name = artefact.path.name
            is_renamed = origin.is_whole and posixpath.basename(inside) != name
            if is_renamed and not self._is_folder(artefact, stage, inside):
                destination = posixpath.join(to, name)
        self.carried.append((artefact, stage.name or ""))
        made = _copy(step, [inside], destination, stage)
        if artefact.mode is not None and made.chmod is None:
            made = attrs.evolve(made, chmod=artefact.mode)
        if made.chown is None and may_have_owners(stage):
            # On the host it belonged to nobody in the image, and so to root.
            made = attrs.evolve(made, chown="0:0")
        return made

    def _is_folder(self, artefact: Artefact, stage: Stage, inside: str) -> bool:
        """Whether an artefact that has another name on the host is a folder: it decides what COPY calls it."""
        if artefact.is_folder is not None or artefact.is_output:
            return bool(artefact.is_folder)
        found = is_folder(stage, inside)
        if found is None:
            fact = f"whether {inside} is a file or a folder cannot be seen, and it was taken for a file"
            remedy = f"of a folder, leave /{artefact.path.name} out of the destination of the Copy"
            self.recipe.note(artefact.place, fact, remedy)
        return bool(found)

    def _stage_of(self, artefact: Artefact) -> Stage:
        source = artefact.source
        if isinstance(source, Build):
            return self.draft.stage_of(source)
        return containers.stage_of(self.draft, source)

    def _unpacked(self, stage: Stage, artefact: Artefact) -> Stage:
        name = self.draft.fresh(f"{stage.name}-unpacked")
        fact = f"ADD unpacks {artefact.path.name}, and COPY from a stage does not"
        self.recipe.note(artefact.place, fact, f"the stage {name} does it with tar: check that its image has tar")
        packed = next(how for end, how in reversed(_ARCHIVES.items()) if artefact.path.name.endswith(end))
        line = f"mkdir /unpacked && tar -x{packed}f {shlex.quote(artefact.inside)} -C /unpacked"
        return Stage(stage, name, steps=[Run(line)])


def _copy(step: FileInstruction, sources: Sequence[object], destination: object, origin: object) -> Copy:
    shared = {name: getattr(step, name) for name in ("chmod", "chown", "link", "exclude") if getattr(step, name)}
    parents = {"parents": step.parents} if isinstance(step, Copy) and step.parents else {}
    return Copy(sources, destination, from_=origin, **shared, **parents)  # type: ignore[arg-type]


def named_in_tag(tag: Word) -> list[Part]:
    """Return a tag that is one even where a variable is not set."""
    return [
        part._replace(default="localhost" if index == 0 and str(after).startswith("/") else "latest")
        if isinstance(part, Variable) and not part.default
        else part
        for index, (part, after) in enumerate(zip(tag, (*tag[1:], ""), strict=True))
    ]


def _name(build: Build) -> str:
    """Return what an image is called as a stage: by its Dockerfile, or by its tag."""
    file = build.dockerfile.name if isinstance(build.dockerfile, Path) else ""
    lower = file.lower()
    suffix = lower.removeprefix("dockerfile") if lower.startswith("dockerfile") else lower.removesuffix("dockerfile")
    if suffix.strip(".-_"):
        return suffix.strip(".-_")
    settled = [tag for tag in build.tags if tag.is_settled]
    name, _, version = str(settled[0] if settled else "image").rpartition("/")[2].partition(":")
    return version if version in _BUILDERS else name


def _expanded(name: str, image: Image) -> str:
    """Return the name of a base with the arguments that are known."""
    from dockdsl.syntax.expand import expand  # noqa: PLC0415 - few names have variables

    if "$" not in name:
        return name
    steps = [step for stage in image.original.stages for step in stage.steps]
    args = [each for each in (*image.original.args, *steps) if isinstance(each, Arg)]
    values = {arg.name: text_in(arg.default) for arg in args if arg.default}
    values |= {key: str(value) for key, value in image.build_args.items()}
    try:
        return expand(name, values)
    except DockdslError:
        return name


def _read(build: Build, recipe: Recipe) -> tuple[str, str]:
    """Return the text of a Dockerfile, and its name for messages."""
    if isinstance(build.dockerfile, str):
        return build.dockerfile, str(build.place)
    name = short_path(str(build.dockerfile))
    try:
        found = recipe.read(build.dockerfile)
    except FileError:
        # It is there, and is no text.
        raise
    except OSError as error:
        writer = recipe.writers.get(build.dockerfile)
        fact = f"it builds {name}: {error.strerror or 'it cannot be read'}"
        remedy = "name the folder in which it runs before the script, or write that file"
        if writer is not None:
            fact = f"it builds {name}, which {writer[1]} writes at {writer[0]}, and which is not there"
            remedy = "run that line, and then migrate again"
        raise FileError(f"{build.place}: {fact}; {remedy}") from None
    recipe.writers.pop(build.dockerfile, None)
    if found is None:
        fact = f"it builds {name}, and only running the script could tell what that has"
        raise FileError(f"{build.place}: {fact}; run the line that writes it, and name that file")
    return found, name


def _up_to(dockerfile: Dockerfile, target: Word, build: Build) -> Dockerfile:
    """Return the part of a Dockerfile that one target needs."""
    name = (target.text or "").lower()
    for index, stage in enumerate(dockerfile.stages):
        if name in (str(index), (stage.name or "").lower()):
            return dockerfile if stage is dockerfile.stages[-1] else Dockerfile(stage, dockerfile.args)
    raise SourceError(f"{build.place}: the Dockerfile has no stage {target}; correct --target")
