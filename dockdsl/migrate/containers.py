"""A container that worked on files, as a stage: ``docker run`` becomes a step."""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Collection, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Literal

from dockdsl.instructions.arg import Arg
from dockdsl.instructions.cmd import Cmd
from dockdsl.instructions.copy import Copy
from dockdsl.instructions.entrypoint import Entrypoint
from dockdsl.instructions.env import Env
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.mounts.cache import Cache
from dockdsl.instructions.mounts.mount import Mount
from dockdsl.instructions.mounts.tmpfs import Tmpfs
from dockdsl.instructions.run import Run
from dockdsl.instructions.sources import external
from dockdsl.instructions.user import User
from dockdsl.instructions.workdir import Workdir
from dockdsl.migrate.docker_options import Arguments
from dockdsl.migrate.draft import Draft
from dockdsl.migrate.files import bound
from dockdsl.migrate.recipe import Artefact, Container, Execution
from dockdsl.migrate.words import Unknown, Variable, Word, text
from dockdsl.model.stage import Stage


def stage_of(draft: Draft, container: Container) -> Stage:
    """Return a stage that has the files that a container had."""
    if id(container) not in draft.made:
        draft.made[id(container)] = _made(draft, container)
    return draft.made[id(container)]


def note_unused(draft: Draft) -> None:
    """Name the containers that have worked on files of the host or of volumes, and that the result does without."""
    for container in draft.recipe.containers:
        if container.executions and container.mounts and id(container) not in draft.made:
            fact = "the result does without what this container ran"
            draft.recipe.note(container.place, fact, "if a file depends on it, make its command a Run of a stage")


def _made(draft: Draft, container: Container) -> Stage:
    base: Stage | str
    if container.build is not None:
        base = draft.stage_of(container.build)
        if not container.executions or _is_idle(draft, container, base):
            return base
    else:
        base = container.image.likely or "scratch"
        if container.image.likely is None:
            fact = f"the image {container.image} is not known"
            draft.recipe.note(container.place, fact, "write the name of the base into the result")
        elif container.image.text is None:
            fact = f"the image {container.image} is taken as {base}"
            draft.recipe.note(container.place, fact, "write another name into the result, if it is to be another one")
    steps = list(_steps(draft, container, base)) if container.executions else []
    wish = f"{base.name}-run" if isinstance(base, Stage) else "build" if container.executions else "files"
    platform = container.options.last("platform")
    given = None if platform is None or isinstance(base, Stage) else platform.text
    name = draft.fresh(wish)
    if container.executions:
        fact = f"nothing proves that the stage {name} makes what this container made"
        draft.recipe.note(container.place, fact, "build it and look at its files")
    return Stage(base, name, platform=given, steps=steps)


def _is_idle(draft: Draft, container: Container, base: Stage) -> bool:
    """Whether a container runs nothing that is known, and nobody but its image can have made its files."""
    [*others, last] = container.executions
    words = [*last.command, *_last(base, Entrypoint), *_last(base, Cmd)]
    is_idle = not (others or words or container.mounts or last.output or container.options.last("entrypoint"))
    if is_idle:
        fact = f"the image {container.image} says no command, and its container is taken as the image is"
        remedy = "if the command of its base makes the file, write that as a Run of the stage"
        draft.recipe.note(container.place, fact, remedy)
    return is_idle


def _copied(
    draft: Draft, container: Container, path: Path, to: str, before: tuple[int, int, int]
) -> Iterator[Instruction]:
    """``docker cp`` into a container is a COPY."""
    found = list(_found(draft, container, path, to, before))
    if path.exists() or not found:
        context = draft.context
        is_outside = path != context and context not in path.parents
        folder = path if path.is_dir() else path.parent
        origin = external(draft.context_name(folder)) if is_outside else None
        yield Copy(os.path.relpath(path, folder if is_outside else context), to, from_=origin)
    yield from found


def _found(
    draft: Draft,
    container: Container,
    folder: Path,
    target: str,
    before: tuple[int, int, int],
    since: tuple[int, int, int] = (0, 0, 0),
) -> Iterator[Instruction]:
    """Put what the script has made in a folder of the host before to where a container has that folder."""
    artefacts, moves, made = map(slice, since, before)

    def inside(path: Path) -> str | None:
        if path == folder:
            return target
        return posixpath.join(target, path.relative_to(folder).as_posix()) if folder in path.parents else None

    here: dict[Path, Artefact | Path] = {each.path: each for each in draft.recipe.artefacts[artefacts]}
    here |= {to: here.get(source, source) for source, to in draft.recipe.moves[moves]}
    for path, source in here.items():
        place = inside(path)
        if place is None or path in draft.recipe.gone:
            continue
        if isinstance(source, Path):
            if draft.context in source.parents and source.exists():
                yield Copy(os.path.relpath(source, draft.context), place)
        elif source.archived is None:
            origin = source.source
            stage = stage_of(draft, origin) if isinstance(origin, Container) else draft.stage_of(origin)
            yield Copy(source.inside, place, from_=stage, chmod=source.mode)
        else:
            fact = f"the container has the archive {draft.recipe.shown(path)}, which its stage does not get"
            draft.recipe.note(container.place, fact, "copy the files of the archive into the stage, if it needs them")
    new = [to for path in dict.fromkeys(draft.recipe.new_folders[made]) if (to := inside(path)) is not None]
    if new:
        yield Run(f"mkdir -p {shlex.join(new)}")


def _steps(draft: Draft, container: Container, base: Stage | str) -> Iterator[Instruction]:
    yield from _settings(draft, container, container.options)
    folders = bound(draft.recipe, container)
    for folder, target in folders.items():
        earlier = _worked_before(draft, container, folder)
        if earlier is not None:
            # It goes on with what the other one has left in the folder.
            yield Copy(bound(draft.recipe, earlier)[folder], target, from_=stage_of(draft, earlier))
        elif folder == draft.context:
            yield Copy(".", target)
        elif draft.context in folder.parents and folder.is_dir():
            yield Copy(os.path.relpath(folder, draft.context), target)
        elif folder.is_dir():
            yield Copy(".", target, from_=external(draft.context_name(folder)))
        since = (0, 0, 0) if earlier is None else earlier.before
        yield from _found(draft, container, folder, target, container.before, since)
    for other, volume in container.shared:
        yield Copy(volume, volume, from_=stage_of(draft, other))
    where = container.options.last("workdir")
    if where is not None and where.text is not None:
        yield Workdir(where.text)
    mounts = list(_mounts(draft, container, set(folders.values())))
    made = [target for folder, target in folders.items() if not folder.is_dir()]
    for execution in container.executions:
        yield from _settings(draft, container, execution.options)
        inner = execution.options.last("workdir")
        if inner is not None and inner.text is not None and inner != where:
            yield Workdir(inner.text)
            where = inner
        if execution.copied is not None:
            yield from _copied(draft, container, *execution.copied)
            continue
        line = _line(draft, container, execution, base)
        if execution.output is not None:
            made.append(posixpath.dirname(execution.output))
            line = f"{line} > {shlex.quote(execution.output)}"
        network = _network(draft, container)
        yield Run(f"mkdir -p {shlex.join(made)} && {line}" if made else line, mounts=mounts, network=network)
        made = []


def _worked_before(draft: Draft, container: Container, folder: Path) -> Container | None:
    """Return the container that has worked in a folder last before another one."""
    containers = draft.recipe.containers
    before = containers[: containers.index(container)]
    return next((each for each in reversed(before) if folder in bound(draft.recipe, each)), None)


def _settings(draft: Draft, container: Container, options: Arguments) -> Iterator[Instruction]:
    """Return the variables and the user of a container, or of a command in it."""
    for name, value in options.options:
        if name == "env":
            yield _variable(draft, container, value)
        elif name == "user" and value.text is not None:
            yield User(value.text)
        elif name == "user":
            fact = f"the user {value} is settled on the host, and is left out"
            draft.recipe.note(container.place, fact, "add User(…) to the stage if its command depends on it")


def _network(draft: Draft, container: Container) -> Literal["none", "host"] | None:
    named = container.options.last("network")
    if named is None or named.text in ("default", "bridge"):
        return None
    if named.text == "none":
        return "none"
    if named.text == "host":
        return "host"
    fact = f"the network {named} is left out"
    draft.recipe.note(container.place, fact, "see what of it the command needs: a step of a build has none but host")
    return None


def _mounts(draft: Draft, container: Container, taken: Collection[str]) -> Iterator[Mount]:
    for source, target in container.mounts:
        if target in taken:
            continue
        yield Cache(target)
        others = [each for each in draft.recipe.containers if each is not container]
        if any(source == other for each in others for other, _ in each.mounts) and "/" not in (source.text or "/"):
            fact = f"the volume {source} is a cache mount now, and may be empty"
            draft.recipe.note(container.place, fact, f"copy what others put there to {target} with Copy(…, from_=…)")
        if "/" in (source.text or "/"):
            fact = f"{source} is a folder of the host outside of the project"
            draft.recipe.note(container.place, fact, f"{target} is a cache mount now: copy there what has to be in it")
    for word in container.options.all("tmpfs"):
        if word.text is not None:
            yield Tmpfs(word.text.partition(":")[0])


def _variable(draft: Draft, container: Container, value: Word) -> Instruction:
    name, given = value.partition("=")
    key = str(name)
    if given is not None and given.text is not None:
        return Env({key: given.text})
    if given is None or given.is_settled:
        draft.build_args.setdefault(key, given or Word.of([Variable(key)]))
    else:
        draft.recipe.note(container.place, *unsettled("variable", key, given))
    return Arg(key)


def unsettled(kind: str, name: str, value: Word) -> tuple[str, str]:
    """Return the words for a value that only running the script could tell."""
    remedy = f"pass it: python -m dockdsl build FILE --build-arg {name}=…"
    return f"the {kind} {name} is settled only when it runs, {value}", remedy


def _line(draft: Draft, container: Container, execution: Execution, base: Stage | str) -> str:
    """Return what the container runs, as shell text."""
    words = list(execution.command)
    entry = container.options.last("entrypoint")
    if not execution.is_own:
        entry = None
    elif entry is not None:
        words.insert(0, entry)
    elif isinstance(base, Stage):
        words = [*_last(base, Entrypoint), *(words or _last(base, Cmd))]
    if not words:
        fact = f"what the image {container.image} runs is not known"
        draft.recipe.note(container.place, fact, "write its command as the Run of the stage")
        return "false"
    for part in (part for word in words for part in word if not isinstance(part, str)):
        where = "that only running the script could tell" if isinstance(part, Unknown) else "from the environment"
        fact = f"the command has {part}, {where}"
        draft.recipe.note(container.place, fact, "declare it with Arg(…) in the stage, and pass it as a build argument")
    known = [word.text for word in words]
    is_shell = len(words) == 3 and known[0] in ("sh", "/bin/sh") and known[1] == "-c" and execution.output is None
    if is_shell and known[2] is not None:
        return dedent(known[2]).strip()
    return " ".join(_quoted(word) for word in words)


def _quoted(word: Word) -> str:
    known = word.text
    return shlex.quote(known) if known is not None else '"' + str(word).replace('"', '\\"') + '"'


def _last(stage: Stage, kind: type[Cmd | Entrypoint]) -> list[Word]:
    """Return what a stage, or the one that it is based on, says last."""
    current: object = stage
    while isinstance(current, Stage):
        for step in reversed(current.steps):
            if isinstance(step, kind):
                command = step.command
                return [text(each) for each in (("sh", "-c", str(command)) if isinstance(command, str) else command)]
        current = current.base
    return []
