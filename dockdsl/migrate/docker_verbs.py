"""What the commands of docker (and podman) do to a recipe."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from pathlib import Path

from dockdsl.migrate import tar
from dockdsl.migrate.commands import Command
from dockdsl.migrate.docker_options import Arguments
from dockdsl.migrate.host_files import path_of
from dockdsl.migrate.recipe import Archive, Artefact, Build, Container, Execution, Recipe, words_of
from dockdsl.migrate.words import Variable, Word, text

# Of a container, they do not change the files that it makes.
_HARMLESS_IN_RUN = {
    *("rm", "name", "interactive", "i", "tty", "t", "detach", "d", "publish", "publish-all", "P", "init", "label"),
    *("pull", "quiet", "q", "cidfile", "log-driver", "log-opt", "restart", "memory", "cpus", "cpu-shares", "attach"),
    *("health-cmd", "health-interval", "health-retries", "health-timeout", "no-healthcheck", "stop-signal"),
    *(
        "volumes-from",
        "stop-timeout",
        "memory-swap",
        "pids-limit",
        "hostname",
        "sig-proxy",
        "cap-drop",
        "read-only",
        "replace",
    ),
}
FOLLOWED_IN_RUN = {"volume", "mount", "env", "user", "workdir", "entrypoint", "network", "tmpfs", "platform"}
"""What the stage of a container has as well."""


def _build(recipe: Recipe, command: Command, given: Arguments) -> Word | Archive | None:
    given = _without_empty(recipe, command, given)
    operand = given.operands[0] if given.operands else text(".")
    if operand.text is None:
        recipe.note(command.place, f"the context {operand} is not known", "write the folder")
        return None
    is_address = "://" in operand.text or operand.text.startswith(("git@", "github.com/"))
    named = given.last("file")
    if is_address:
        fact = f"the context {operand.text} is not on this machine"
        recipe.note(command.place, fact, "clone it, and name the folder")
        return None
    context = command.folder if operand.text == "-" else path_of(command, operand.text)
    dockerfile: Path | str
    if operand.text == "-" or (named is not None and named.text == "-"):
        content = _piped(recipe, command)
        if content is None:
            recipe.note(command.place, "the Dockerfile comes from a pipe and is not known", "write it to a file")
            return None
        dockerfile = content
    elif named is not None and named.text is None:
        recipe.note(command.place, f"the Dockerfile {named} is not known", "write its name")
        return None
    else:
        dockerfile = context / "Dockerfile" if named is None else path_of(command, named.text or "")
        if dockerfile in recipe.writers and recipe.texts.get(dockerfile, Word()).text:
            recipe.writers.pop(dockerfile)
            dockerfile = recipe.texts[dockerfile].text or ""
        elif not dockerfile.exists():
            dockerfile = recipe.before(dockerfile)
    build = Build(command.place, context, dockerfile, given, recipe.stand())
    build = _taken(recipe, build)
    identity = text(f"image@{recipe.builds.index(build) + 1}")
    for name in (*build.tags, identity):
        recipe.images[str(name).removesuffix(":latest")] = build
    _keep_id(recipe, command, given.last("iidfile"), identity)
    streams = [_exported(recipe, command, build, word) for word in given.all("output")]
    return next((each for each in streams if each is not None), identity)


def _taken(recipe: Recipe, build: Build) -> Build:
    """Return the build, or the one that was the same before, if no file has come from elsewhere since."""
    made = [each.source for each in recipe.artefacts if each.path in recipe.fresh]
    for before in recipe.builds:
        if before.is_same(build) and all(source is before for source in made):
            before.tags += [tag for tag in build.tags if tag not in before.tags]
            return before
    recipe.builds.append(build)
    recipe.fresh.clear()
    return build


def _without_empty(recipe: Recipe, command: Command, given: Arguments) -> Arguments:
    """Leave out ``$FLAGS`` among the operands, where the script does not set it and the context is another word."""
    kept = [word for word in given.operands if not (len(word) == 1 and isinstance(word[0], Variable))]
    if len(given.operands) == len(kept) or not kept:
        return given
    for word in given.operands:
        if word not in kept:
            recipe.note(command.place, f"{word} is not set, and taken as empty", "pass what it has when you build")
    return given._replace(operands=tuple(kept))


def _piped(recipe: Recipe, command: Command) -> str | None:
    """Return what a command reads, where that is known."""
    if command.given is not None:
        return command.given.text
    if command.source is None or command.source.text is None:
        return None
    path = path_of(command, command.source.text)
    recipe.writers.pop(path, None)
    try:
        return recipe.read(path)
    except OSError:
        return None


def _keep_id(recipe: Recipe, command: Command, file: Word | None, identity: Word) -> None:
    if file is not None and file.text is not None:
        recipe.texts[path_of(command, file.text)] = identity


def _exported(recipe: Recipe, command: Command, build: Build, word: Word) -> Archive | None:
    """Take in where a build writes its files; return them as a stream if it is one."""
    fields = dict(part.partition("=")[::2] for part in str(word).split(",") if "=" in part)
    kind = fields.get("type", "local")
    to = fields.get("dest") if fields else str(word)
    if (to == "-" or kind == "tar") and word.text is not None:
        if to not in (None, "-"):
            artefact = Artefact(command.place, path_of(command, to or ""), build, "/", is_folder=True, archived=".")
            recipe.make(artefact)
            return None
        return Archive(build, (("/", "."),))
    if kind == "local" and to is not None and word.text is not None:
        path = path_of(command, to)
        recipe.folders.add(path)
        recipe.make(Artefact(command.place, path, build, "/", is_folder=True))
    elif kind not in ("docker", "image", "registry"):
        recipe.note(command.place, f"--output {word} is not followed", "write --output type=local,dest=FOLDER")
    return None


def _create(recipe: Recipe, command: Command, given: Arguments) -> Word | Archive | None:
    container = _container(recipe, command, given)
    return None if container is None else _known_as(recipe, command, container)


def _container(recipe: Recipe, command: Command, given: Arguments) -> Container | None:
    if not given.operands:
        recipe.note(command.place, "it has no image", "write the image behind its options")
        return None
    image, *words = given.operands
    container = Container(
        command.place,
        image,
        given,
        tuple(words),
        command.folder,
        build=recipe.built(image),
        before=recipe.stand(),
    )
    for name in given.all("volumes-from"):
        other = _known(recipe, command, name.partition(":")[0])
        volumes = [] if other is None else other.volumes
        if other is not None and not volumes:
            fact = f"which volumes {name} has cannot be seen"
            recipe.note(command.place, fact, "give them to docker create with -v FOLDER")
        for folder in volumes:
            before = container if other is None else other.holder(folder)
            container.shared.append((before, folder))
            before.heir = container
    recipe.containers.append(container)
    return container


def _known_as(recipe: Recipe, command: Command, container: Container) -> Word:
    identity = text(f"container@{len(recipe.containers)}")
    name = container.options.last("name")
    for each in (identity, name):
        if each is not None:
            recipe.named[str(each)] = container
    _keep_id(recipe, command, container.options.last("cidfile"), identity)
    return identity


def _run(recipe: Recipe, command: Command, given: Arguments) -> Word | Archive | None:
    container = _container(recipe, command, given)
    if container is None:
        return None
    if given.all("publish"):
        recipe.served.append(container.build)
    for word in given.all("publish"):
        inside = (word.text or "").rpartition(":")[2].partition("/")[0]
        if inside.isdecimal() and int(inside) not in recipe.ports:
            recipe.ports.append(int(inside))
    if any(key in ("d", "detach") for key, _ in given.options):
        # A service that is tried out, or a container to copy from.
        container.is_started = True
        return _known_as(recipe, command, container)
    entry = given.last("entrypoint")
    words = [*([] if entry is None else [entry]), *container.command]
    stream = _outcome(recipe, command, container, words, Execution(container.command))
    if stream is not None:
        return stream
    _known_as(recipe, command, container)
    return None


def _exec(recipe: Recipe, command: Command, given: Arguments) -> Archive | None:
    name, *words = given.operands or (Word(),)
    container = _known(recipe, command, name)
    if container is None or not words:
        return None
    return _outcome(recipe, command, container, words, Execution(tuple(words), given, is_own=False))


def _outcome(
    recipe: Recipe, command: Command, container: Container, words: list[Word], execution: Execution
) -> Archive | None:
    """Take in what a container has run: files that it prints, or files that it makes."""
    entries = _printed(container, execution, words)
    if entries and entries[0][1]:
        return Archive(container, entries)
    if command.output is not None and str(command.output) != "/dev/null":
        if command.output.text is None:
            recipe.note(command.place, f"the file {command.output} is not known", "write its name")
            return None
        path = path_of(command, command.output.text)
        if entries:
            recipe.unmarked[path] = command.place
            inside = entries[0][0]
        else:
            inside = f"/artefact/{path.name}"
            container.executions.append(execution._replace(output=inside))
        if command.appends:
            fact = f"it adds to {recipe.shown(path)}, whose earlier lines are not followed"
            recipe.note(command.place, fact, "if a Dockerfile copies that file, make it in a Run of the stage")
        recipe.make(Artefact(command.place, path, container, inside, is_folder=False))
        return None
    if entries:
        # It is printed for people alone.
        return None
    container.executions.append(execution)
    for source, _ in container.mounts:
        if source.text is not None and source.text.startswith(("/", ".", "~")):
            path = Path(os.path.normpath(container.folder / source.text))
            recipe.folders.add(path)
            made = [each.path.name for each in recipe.artefacts if path in each.path.parents]
            if made:
                fact = f"the container may change {', '.join(dict.fromkeys(made))}, which an image has made"
                recipe.note(command.place, fact, "if it does, make its command a Run of the stage that makes the file")
    return None


def _printed(container: Container, execution: Execution, given: list[Word]) -> tuple[tuple[str, str], ...]:
    """Return the file that ``cat`` prints, without a name, or those of ``tar``."""
    words = words_of(given)
    where = execution.options.last("workdir") or container.options.last("workdir") or Word()
    folder = where.text or ""
    known = [word for word in words if word is not None]
    if len(known) < len(words) or len(known) < 2:
        return ()
    is_absolute = known[-1].startswith("/") or folder.startswith("/")
    if known[0] == "cat" and len(known) == 2 and is_absolute:
        return ((posixpath.normpath(posixpath.join(folder, known[-1])), ""),)
    if known[0] == "tar":
        said = tar.read(known[1:])
        base = posixpath.join("/", folder, said.folder) if said is not None else ""
        if said is not None and said.action == "c" and said.file == "-" and (said.folder[:1] == "/" or is_absolute):
            return tuple((posixpath.normpath(posixpath.join(base, each)), each.lstrip("/")) for each in said.operands)
    return ()


def _started(recipe: Recipe, command: Command, given: Arguments) -> None:
    """``docker start``: with ``-a`` it waits until the command of the container has ended."""
    for name in given.operands:
        container = recipe.named.get(str(name))
        if container is not None:
            container.is_started = True
            if {"a", "attach", "ai", "i", "interactive"} & {key for key, _ in given.options}:
                _wait(recipe, command, given)


def _wait(recipe: Recipe, _: Command, given: Arguments) -> None:
    for name in given.operands:
        container = recipe.named.get(str(name))
        if container is not None and container.is_started:
            container.is_started = False
            container.executions.append(Execution(container.command))


def _known(recipe: Recipe, command: Command, name: Word) -> Container | None:
    container = recipe.named.get(str(name))
    if container is None and name.text is None:
        recipe.note(command.place, f"which container {name} is cannot be seen", "give it --name, and use that name")
    elif container is None:
        recipe.note(command.place, f"the container {name} was not made here", "add the line that makes it")
    return container


def _cp(recipe: Recipe, command: Command, given: Arguments) -> Word | Archive | None:
    if len(given.operands) != 2:
        recipe.note(command.place, "it has not two operands", "write CONTAINER:PATH PATH")
        return None
    name, inside = given.operands[0].partition(":")
    target = given.operands[1]
    if inside is None or target.partition(":")[1] is not None:
        _copied_into(recipe, command, given)
        return None
    container = _known(recipe, command, name)
    if container is None:
        return None
    container = container.holder(posixpath.normpath(posixpath.join("/", inside.text or "")))
    if container.is_started and not container.executions:
        fact = f"the container of {container.place} runs in the background, and is taken as its image is"
        recipe.note(command.place, fact, "if its command makes the file, run it without -d, or add docker wait")
    if inside.text is None or target.text is None:
        unknown = inside if inside.text is None else target
        recipe.note(command.place, f"the path {unknown} is not known", "write it out")
        return None
    path = posixpath.join("/", inside.text)
    inner = posixpath.normpath(path)
    if target.text == "-":
        return Archive(container, ((inner, posixpath.basename(path.rstrip("/.")) or "."),))
    is_contents = path.endswith("/.")
    to = path_of(command, target.text)
    if not is_contents and (target.text.endswith(("/", "/.")) or target.text in (".", "..") or recipe.is_folder(to)):
        to /= posixpath.basename(path.rstrip("/"))
    is_folder = True if is_contents or path.endswith("/") else None
    if is_folder:
        recipe.folders.add(to)
    recipe.make(Artefact(command.place, to, container, inner, is_folder))
    return None


def _copied_into(recipe: Recipe, command: Command, given: Arguments) -> None:
    """Take in that a container gets files of the host."""
    source, target = given.operands
    name, to = target.partition(":")
    container = None if to is None else _known(recipe, command, name)
    if container is None or to is None or to.text is None or source.text in (None, "-"):
        recipe.note(command.place, "what it copies into a container is not known", "write out both paths")
        return
    whole = posixpath.join("/", to.text)
    path = path_of(command, source.text or "")
    is_contents = (source.text or "").endswith("/.") or source.text == "."
    if recipe.is_folder(path) and not is_contents:
        if whole.endswith("/"):
            whole += path.name
        else:
            fact = f"whether {whole} is there in the container cannot be seen, and it was taken as a new folder"
            recipe.note(command.place, fact, f"if it is there, add /{path.name} to the destination of the Copy")
    container = container.holder(posixpath.normpath(whole))
    container.executions.append(Execution((), is_own=False, copied=(path, whole, recipe.stand())))


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
    container = _known(recipe, command, given.operands[0]) if given.operands else None
    return None if container is None else Archive(container, (("/", "."),))


def _mount(recipe: Recipe, command: Command, given: Arguments) -> Word | None:
    """``podman mount`` prints the folder that has the files of a container."""
    container = _known(recipe, command, given.operands[0]) if given.operands else None
    if container is None:
        return None
    identity = f"mount@{len(recipe.named)}"
    recipe.named[identity] = container
    return text(identity)


def _nothing(recipe: Recipe, command: Command, given: Arguments) -> None:
    """Cleaning and looking: what a build of stages leaves nothing of, or has no part in."""


VERBS: dict[str, Callable[[Recipe, Command, Arguments], Word | Archive | None]] = {
    "build": _build,
    "bud": _build,
    "create": _create,
    "run": _run,
    "exec": _exec,
    "start": _started,
    "wait": _wait,
    "cp": _cp,
    "tag": _tag,
    "push": _push,
    "export": _export,
    "mount": _mount,
}
CLEANING = {
    *("rm", "rmi", "stop", "kill", "logs", "inspect", "images", "ps", "ls", "prune", "login", "logout", "pull"),
    *("version", "info", "history", "port", "umount", "unmount", "builder prune"),
    *(f"buildx {verb}" for verb in ("create", "use", "inspect", "ls", "rm", "stop", "du", "prune", "version")),
}
"""They clean or look: a build of stages leaves nothing to clean, and looking changes nothing."""
REMEDIES = {
    "compose": "write docker build for each image that it builds, and name that script",
    "bake": "write docker build for each target, or see the page about coming from bake",
    "commit": "write a Dockerfile that is based on the image and does the same",
    "load": "build the image in the script, or name it as a base",
    "import": "write a Dockerfile that does the same",
    **dict.fromkeys(("from", "copy", "add", "config"), "write a Dockerfile that does the same"),
    "save": "see where the archive of the image is used",
}
"""What to do about others."""


def unfollowed_options(given: Arguments) -> list[str]:
    """Return the options of a container that its stage does not have."""
    names = dict.fromkeys(name for name, _ in given.options)
    return [name for name in names if name not in _HARMLESS_IN_RUN and name not in FOLLOWED_IN_RUN]
