"""A container that worked on files, as a stage: ``docker run`` becomes a step."""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Iterator

from dockdsl.instructions.arg import Arg
from dockdsl.instructions.cmd import Cmd
from dockdsl.instructions.copy import Copy
from dockdsl.instructions.entrypoint import Entrypoint
from dockdsl.instructions.env import Env
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.mounts.cache import Cache
from dockdsl.instructions.mounts.mount import Mount
from dockdsl.instructions.run import Run
from dockdsl.instructions.sources import external
from dockdsl.instructions.user import User
from dockdsl.instructions.workdir import Workdir
from dockdsl.migrate.draft import Draft
from dockdsl.migrate.files import bound
from dockdsl.migrate.recipe import Container
from dockdsl.migrate.words import Unknown, Variable, Word, text
from dockdsl.model.stage import Stage


def stage_of(draft: Draft, container: Container) -> Stage:
    """Return a stage that has the files that a container had."""
    base: Stage | str
    if container.build is not None:
        base = draft.stage_of(container.build)
        if not container.runs:
            return base
    else:
        base = str(container.image)
        if container.image.text is None:
            fact = f"the image {container.image} is not known"
            draft.recipe.note(container.place, fact, "write the name of the base into the result")
            base = "scratch"
    steps = list(_steps(draft, container, base)) if container.runs else []
    wish = f"{base.name}-run" if isinstance(base, Stage) else "build" if container.runs else "files"
    return Stage(base, draft.fresh(wish), steps=steps)


def _steps(draft: Draft, container: Container, base: Stage | str) -> Iterator[Instruction]:
    for name, value in container.options.options:
        if name == "env":
            yield _variable(draft, container, value)
        elif name == "user" and value.text is not None:
            yield User(value.text)
    folders = bound(draft.recipe, container)
    for folder, target in folders.items():
        if folder == draft.context:
            yield Copy(".", target)
        elif draft.context in folder.parents and folder.is_dir():
            yield Copy(os.path.relpath(folder, draft.context), target)
        elif folder.is_dir():
            yield Copy(".", target, from_=external(draft.context_name(folder)))
    mounts: list[Mount] = []
    for source, target in container.mounts:
        if target in folders.values():
            continue
        mounts.append(Cache(target))
        if "/" in (source.text or "/"):
            fact = f"{source} is a folder of the host outside of the project"
            draft.recipe.note(container.place, fact, f"{target} is a cache mount now: copy there what has to be in it")
    where = container.options.last("workdir")
    if where is not None and where.text is not None:
        yield Workdir(where.text)
    made = [target for folder, target in folders.items() if not folder.is_dir()]
    line = _line(draft, container, base)
    if container.output is not None:
        made.append(posixpath.dirname(container.output))
        line = f"{line} > {shlex.quote(container.output)}"
    yield Run(f"mkdir -p {shlex.join(made)} && {line}" if made else line, mounts=mounts)


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
    return f"the {kind} {name} has the output of a command, {value}", remedy


def _line(draft: Draft, container: Container, base: Stage | str) -> str:
    """Return what the container runs, as shell text."""
    words = list(container.command)
    entry = container.options.last("entrypoint")
    if entry is not None:
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
    is_shell = len(words) == 3 and known[0] in ("sh", "/bin/sh") and known[1] in ("-c", "-ec")
    if is_shell and known[2] is not None:
        return known[2]
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
