"""What a script does to files of the host: which of them an image has made, where they are then, what it writes."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable
from pathlib import Path

from dockdsl.migrate import tar
from dockdsl.migrate.commands import Command
from dockdsl.migrate.recipe import Artefact, Recipe, words_of
from dockdsl.migrate.words import Word, text

_CHANGES = "if it changes what a Dockerfile copies, make it a Run of the stage"
_COMPRESSED = {"zip": ".zip", "gzip": ".gz", "bzip2": ".bz2", "xz": ".xz"}
_is_octal = re.compile(r"0?[0-7]{3}").fullmatch
_executable = re.compile(r"([ua]*)\+r?x").fullmatch


def path_of(command: Command, word: str) -> Path:
    """Return what a word names, from the folder in which a command runs."""
    return Path(os.path.normpath(command.folder / word))


def content_of(command: Command) -> Word | None:
    """Return what a command writes, where the script itself says that."""
    if command.name in ("echo", "printf") or (command.name == "cat" and len(command.words) == 1):
        return command.given
    return Word() if command.name == ":" else None


def written(recipe: Recipe, command: Command, word: Word) -> None:
    """Take in that a command writes a file."""
    if word.text is None:
        fact = f"{command.name} writes {word}, which is not known"
        recipe.note(command.place, fact, "write the name of the file")
        return
    path = path_of(command, word.text)
    recipe.writers[path] = (command.place, "a redirect" if command.name == ":" else command.name)
    content = content_of(command)
    if command.appends and any(each.path == path for each in recipe.artefacts):
        content = None
    elif command.appends:
        before = recipe.texts.get(path) or (text(path.read_text(errors="replace")) if path.is_file() else Word())
        content = None if content is None else Word.of([*before, *content])
    if content is None:
        recipe.texts.pop(path, None)
    else:
        recipe.texts[path] = content


def _mkdir(recipe: Recipe, command: Command) -> None:
    for word in command.words[1:]:
        if word.text is not None and not word.text.startswith("-"):
            path = path_of(command, word.text)
            recipe.folders.add(path)
            recipe.new_folders.append(path)


def _moved(recipe: Recipe, command: Command) -> None:
    """``mv`` and ``cp`` on the host: the artefact is somewhere else, too."""
    words = words_of(command.words[1:])
    if None in words:
        unknown = next(word for word in command.words[1:] if word.text is None)
        recipe.note(command.place, f"the path {unknown} is not known", "write it out")
        return
    paths = [word for word in words if word is not None and not word.startswith("-")]
    if len(paths) < 2:
        recipe.note(command.place, f"{' '.join(map(str, command.words))} is not followed", _CHANGES)
        return
    target = path_of(command, paths[-1])
    for source in paths[:-1]:
        path = path_of(command, source.removesuffix("."))
        made = _mounted_artefact(recipe, command, source, path)
        is_contents = source.endswith("/.") or source == "."
        is_into = not is_contents and (paths[-1].endswith("/") or recipe.is_folder(target))
        into = target / path.name if is_into else target
        if any(each.path == into for each in recipe.artefacts):
            fact = f"{command.name} replaces {into.name}, which an image has made"
            recipe.note(command.place, fact, "if that counts, copy the other file into the stage")
        if made is None:
            recipe.moves.append((path, into))
        else:
            recipe.make(made._replace(path=into))


def _mounted_artefact(recipe: Recipe, command: Command, source: str, path: Path) -> Artefact | None:
    """Return a file of a container that ``podman mount`` has made visible."""
    found = re.fullmatch(r"(mount@\d+)(/.*)?", source)
    container = recipe.named.get(found[1]) if found is not None else None
    if found is None or container is None:
        return None
    inside = posixpath.normpath(found[2] or "/")
    return Artefact(command.place, path, container, inside)


def _chmod(recipe: Recipe, command: Command) -> None:
    words = [word for word in command.words[1:] if word.text not in ("-v", "-f", "-c")]
    mode = (words[0].text or "") if words else ""
    for word in words[1:]:
        path = path_of(command, word.text or "")
        places = {path, recipe.before(path)}
        is_printed = {recipe.unmarked.pop(each, None) for each in places} != {None}
        indexes = [index for index, each in enumerate(recipe.artefacts) if each.path in places]
        if not indexes:
            continue
        artefact = recipe.artefacts[indexes[-1]]
        added = _executable(mode) if is_printed or artefact.is_output else None
        if added or _is_octal(mode):
            # What a shell writes has the mode 0644 before.
            given = mode.zfill(4) if added is None else "0744" if added[1] == "u" else "0755"
            recipe.artefacts[indexes[-1]] = artefact._replace(mode=given)
        else:
            fact = f"chmod {mode} changes {path.name}, which an image has made"
            recipe.note(command.place, fact, "from a stage it keeps its mode: if that differs, give the Copy chmod=")


def packed(command: Command) -> tuple[str, list[tuple[Path, str]]] | None:
    """Return the archive that ``tar`` makes, and what is in it; None where that is not known."""
    said = tar.read(words_of(command.words[1:]))
    if said is None or said.action != "c" or not said.operands:
        return None
    folder = path_of(command, said.folder or ".")
    return said.file, [(folder / each, os.path.normpath(each).lstrip("/").removeprefix(".")) for each in said.operands]


def _tar(recipe: Recipe, command: Command) -> None:
    made = packed(command)
    if made is None or made[0] == "-":
        recipe.note(command.place, "tar is not followed", _CHANGES)
        return
    recipe.packed[path_of(command, made[0])] = made[1]


def _compressed(recipe: Recipe, command: Command) -> None:
    """``zip`` and ``gzip`` make a file of their own."""
    words = words_of(command.words[1:])
    operands = [word for word in words if word is not None and not word.startswith("-")]
    suffix = _COMPRESSED[command.name]
    if not operands or {None, "-d", "-c", "-dc", "--decompress", "--stdout"} & set(words):
        recipe.note(command.place, f"{command.name} is not followed", _CHANGES)
        return
    for name in operands[:1] if command.name == "zip" else operands:
        path = path_of(command, name if name.endswith(suffix) else name + suffix)
        recipe.writers[path] = (command.place, command.name)


def _nothing(_: Recipe, __: Command) -> None:
    """Whose a file is on the host does not come into an image."""


def _asked(recipe: Recipe, command: Command) -> None:
    for word in command.words[1:]:
        before, separator, rest = (word.text or str(word)).partition("://")
        if separator and before in ("http", "https") and "/" in rest:
            path = "/" + rest.partition("/")[2]
            if "$" not in path:
                recipe.asked.append(path)


def _removed(recipe: Recipe, command: Command) -> None:
    """What an image has made and is removed again is not there for what is built afterwards."""
    for word in command.words[1:]:
        if word.text is not None and not word.text.startswith("-"):
            recipe.remove(path_of(command, word.text), command.place)


def _read(recipe: Recipe, command: Command) -> Word | None:
    """``cat``: of files that the script has written, what they have is known."""
    if len(command.words) != 2 or command.words[1].text is None:
        return command.given if len(command.words) == 1 else None
    return recipe.texts.get(path_of(command, command.words[1].text))


def _mktemp(recipe: Recipe, command: Command) -> Word:
    """Give a folder of its own a place in the project, where nothing is."""
    path = recipe.root / f"mktemp@{command.place.line}"
    if any((word.text or "").startswith("-") and "d" in (word.text or "") for word in command.words[1:]):
        recipe.folders.add(path)
    return text(str(path))


def _git(recipe: Recipe, command: Command) -> Word | None:
    """The folder of the project is the one that is migrated."""
    words = words_of(command.words[1:])
    return text(str(recipe.root)) if words == ["rev-parse", "--show-toplevel"] else None


HOST: dict[str, Callable[[Recipe, Command], Word | None]] = {
    "mkdir": _mkdir,
    "mv": _moved,
    "cp": _moved,
    "install": _moved,
    "chmod": _chmod,
    "chown": _nothing,
    "chgrp": _nothing,
    "tar": _tar,
    **dict.fromkeys(_COMPRESSED, _compressed),
    "curl": _asked,
    "wget": _asked,
    "rm": _removed,
    "cat": _read,
    "mktemp": _mktemp,
    "git": _git,
}
