"""The commands of a script, taken into a recipe one pipeline after the other."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from dockdsl.migrate import tar
from dockdsl.migrate.commands import Command, Pipeline
from dockdsl.migrate.docker_options import arguments, verb_of
from dockdsl.migrate.docker_verbs import CLEANING, REMEDIES, VERBS, unfollowed_options
from dockdsl.migrate.host_files import HOST, packed, path_of, written
from dockdsl.migrate.recipe import Archive, Artefact, Given, Recipe, words_of
from dockdsl.migrate.shell import Shell
from dockdsl.migrate.shell_builtins import BUILTINS
from dockdsl.migrate.words import Word, text

ENGINES = ("docker", "podman", "nerdctl", "buildah")
"""The commands that build and run."""
# They build images, too; the program of kaniko is called executor.
_OTHER_BUILDERS = ("docker-compose", "podman-compose", "executor", "img", "earthly", "skaffold", "pack", "ko", "werf")
_OPERAND_ENDS = ("run", "create", "exec")
# They change no file of the project, or tidy up what a build of stages does not leave.
_HARMLESS = {
    *("cat", "grep", "egrep", "awk", "cut", "head", "tail", "tr", "sort", "uniq", "wc", "ls", "find", "xargs", "date"),
    *("git", "uname", "id", "whoami", "hostname", "env", "tput", "rmdir", "ps", "df", "du", "jq", "tee", "echo"),
    *("kubectl", "helm", "aws", "gcloud", "az", "ssh", "seq", "nproc", "stat", "sha256sum", "md5sum", "file"),
    # What an expression of a CI file becomes.
    "expression",
    *("printf", ":", "docker-credential-helper", "getent", "basename", "dirname"),
}


def shell(recipe: Recipe, folder: Path) -> Shell:
    """Return what follows scripts for a recipe."""
    return Shell(folder, lambda pipeline: handle(recipe, pipeline), recipe.note, BUILTINS)


def handle(recipe: Recipe, pipeline: Pipeline) -> Word | None:
    """Take in one pipeline; return what it prints, where that is known."""
    pipeline = _with_input(recipe, _with_output([_with_values(command) for command in pipeline]))
    if not pipeline:
        return None
    said = _taken(recipe, pipeline)
    recipe.given.append(Given(pipeline, said))
    return said


def _taken(recipe: Recipe, pipeline: Pipeline) -> Word | None:
    first = pipeline[0]
    if first.name in HOST and len(pipeline) == 1:
        said = HOST[first.name](recipe, first)
        if first.writes is not None:
            written(recipe, first, first.writes)
        return said
    if first.name not in ENGINES:
        _note_unfollowed(recipe, pipeline)
        return None
    verb, words = verb_of(first.words[1:])
    if verb in CLEANING:
        _note_files(recipe, pipeline)
        return None
    action = VERBS.get(verb)
    if action is None:
        remedy = REMEDIES.get(verb, "see whether the result depends on it")
        recipe.note(first.place, f"{first.name} {verb} is not followed", remedy)
        return None
    if first.condition is not None:
        fact = f"whether {first.name} {verb} runs is decided at {first.condition}"
        recipe.note(first.place, fact, "it was read as if it always runs: check that this is what you want")
    given = arguments(verb, words, first_operand_ends=verb in _OPERAND_ENDS)
    if verb in _OPERAND_ENDS:
        for option in unfollowed_options(given):
            fact = f"{'--' if len(option) > 1 else '-'}{option} of docker {verb} is left out"
            recipe.note(first.place, fact, "see whether what the container makes depends on it")
    result = action(recipe, first, given)
    if isinstance(result, Archive):
        _unpack(recipe, result, pipeline)
        return None
    _note_unfollowed(recipe, pipeline[1:])
    if result is not None and first.writes is not None and first.writes.text is not None:
        # The id, in a file of its own.
        recipe.texts[path_of(first, first.writes.text)] = result
    return result


def _note_unfollowed(recipe: Recipe, pipeline: Pipeline) -> None:
    """Name what may change a file that a Dockerfile copies."""
    for command in pipeline:
        if command.name in ENGINES:
            _note_piped(recipe, command)
        is_harmless = command.name in _HARMLESS or command.name in HOST
        if not is_harmless and command.name not in ENGINES:
            fact = f"{command.name or command.words[0]} is not followed"
            remedy = "if it changes what a Dockerfile copies, make it a Run of the stage"
            recipe.note(command.place, fact, REMEDIES["compose"] if command.name in _OTHER_BUILDERS else remedy)
    _note_files(recipe, pipeline)


def _note_piped(recipe: Recipe, command: Command) -> None:
    """Name what docker reads from a pipe, as far as that counts."""
    verb, _ = verb_of(command.words[1:])
    if verb == "build":
        fact = "what is piped into docker build is not known, and its image is left out"
        recipe.note(command.place, fact, "give it a folder as its context, and -f for its Dockerfile")
    elif verb in REMEDIES:
        recipe.note(command.place, f"{command.name} {verb} is not followed", REMEDIES[verb])
    elif verb not in CLEANING:
        recipe.note(command.place, "what is piped into it is not known", "write it to a file that stays")


def _note_files(recipe: Recipe, pipeline: Pipeline) -> None:
    for command in pipeline:
        if command.writes is not None:
            written(recipe, command, command.writes)


def _with_values(command: Command) -> Command:
    """``--build-arg NAME`` takes what the script has set."""
    words = list(command.words) if command.name in ENGINES else []
    for index, (before, word) in enumerate(pairwise(words), start=1):
        option, _, name = (word.text or "").rpartition("=")
        value = command.variables.get(name)
        if (option or before.text) in ("--build-arg", "--env", "-e") and value is not None:
            words[index] = Word.of([str(word), "=", *value])
    return command._replace(words=tuple(words)) if words else command


def _with_output(pipeline: Pipeline) -> Pipeline:
    """``… | cat > file`` and ``… | tee file`` are redirects."""
    if len(pipeline) < 2:
        return pipeline
    *before, last = pipeline
    operands = [word for word in last.words[1:] if not (word.text or "").startswith("-")]
    if last.name == "cat" and not operands and last.output is not None:
        output, appends = last.output, last.appends
    elif last.name == "tee" and len(operands) == 1:
        output, appends = operands[0], any(word.text in ("-a", "--append") for word in last.words)
    else:
        return pipeline
    return _with_output([*before[:-1], before[-1]._replace(output=output, appends=appends)])


def _with_input(recipe: Recipe, pipeline: Pipeline) -> Pipeline:
    """A pipeline into docker: a Dockerfile that ``cat`` or ``echo`` gives becomes what the command is given."""
    if len(pipeline) < 2 or pipeline[0].name in ENGINES:
        return pipeline
    first, last = pipeline[0], pipeline[-1]
    if first.name == "tar" and last.name in ENGINES and len(pipeline) == 2:
        return _with_context(recipe, first, last) or pipeline
    if last.name in ENGINES and len(pipeline) == 2 and first.name in ("cat", "echo", "printf"):
        is_file = first.name == "cat" and len(first.words) == 2
        given = _content(recipe, first) if is_file else first.given
        if given is not None:
            return [last._replace(given=given)]
    return pipeline


def _with_context(recipe: Recipe, packing: Command, build: Command) -> Pipeline | None:
    """``tar c … | docker build -``: what is packed is the context."""
    made = packed(packing)
    words = [text(".") if word.text == "-" else word for word in build.words]
    if made is None or made[0] != "-" or tuple(words) == build.words:
        return None
    whole = [path for path, name in made[1] if not name]
    folder = whole[0] if whole else recipe.root / f"tar@{packing.place.line}"
    recipe.folders.add(folder)
    recipe.moves += [(path, folder / name) for path, name in made[1] if path != folder]
    if not whole:
        recipe.streams[folder] = made[1]
    return [build._replace(words=tuple(words), folder=folder)]


def _content(recipe: Recipe, command: Command) -> Word | None:
    """Return what the one file of a ``cat`` has."""
    if command.words[1].text is None:
        return None
    path = path_of(command, command.words[1].text)
    recipe.writers.pop(path, None)
    try:
        content = recipe.read(path)
    except OSError:
        return None
    return None if content is None else text(content)


def _unpack(recipe: Recipe, archive: Archive, pipeline: Pipeline) -> None:
    """A stream of files goes into ``tar``, or into a file."""
    place, last = pipeline[0].place, pipeline[-1]
    folder = folder_of_tar(last) if len(pipeline) == 2 and last.name in ("tar", "bsdtar") else None
    output = last.writes if len(pipeline) == 1 else None
    if folder is None and last.name in ENGINES and len(pipeline) > 1:
        _note_piped(recipe, last)
        return
    if folder is None and (output is None or output.text is None):
        recipe.note(place, "where its files go is not known", "copy them with docker cp CONTAINER:PATH PATH")
        return
    for inside, name in archive.entries:
        is_folder = True if name == "." else None
        if folder is not None:
            path = path_of(last._replace(folder=folder), name)
            recipe.make(Artefact(place, path, archive.source, inside, is_folder))
            if is_folder:
                recipe.folders.add(path)
        elif output is not None:
            path = path_of(last, output.text or "")
            recipe.make(Artefact(place, path, archive.source, inside, is_folder, archived=name))


def folder_of_tar(command: Command) -> Path | None:
    """Return where ``tar`` unpacks what it is given; None where that is not known."""
    said = tar.read(words_of(command.words[1:]))
    if said is None or said.action != "x" or said.file != "-" or said.operands:
        return None
    return path_of(command, said.folder or ".")
