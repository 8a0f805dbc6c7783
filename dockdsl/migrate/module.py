"""The result of a migration as a Python file: the stages, and an `Image` that is built and tested."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from dockdsl.codegen import module as codegen
from dockdsl.codegen.printer import Argument, Expression, Name, Sum, Text, call, listed, mapped
from dockdsl.instructions.expose import Expose
from dockdsl.migrate.draft import Image
from dockdsl.migrate.merge import OF_ALL, Merged, named_in_tag
from dockdsl.migrate.recipe import Recipe
from dockdsl.migrate.words import Variable, Word
from dockdsl.migrate.words import text as words_of
from dockdsl.model.stage import Stage
from dockdsl.origins import short_path

_REPEATED = {"label": "labels", "secret": "secrets", "ssh": "ssh", "add-host": "add_hosts", "platform": "platforms"}
_REPEATED |= {"cache-from": "cache_from", "cache-to": "cache_to", "ulimit": "ulimits", "annotation": "annotations"}
_SINGLE = {"network": "network", "shm-size": "shm_size"}
_PAIRS = {"label": "=", "annotation": "=", "add-host": ":"}
# Folders that are nowhere: of mktemp, of a stream into docker build.
_made_up = re.compile(r"\b(?:mktemp|tar)@\d+/").sub
_not_in_names = re.compile(r"[^A-Za-z0-9]+").sub


def file_name(result: Merged, root: Path) -> str:
    """Return what the Python file is called, by the tag of the image, or by the folder of the project."""
    tags = [str(tag) for image in result.finals for tag in image.build.tags if tag.is_settled]
    wish = tags[0].rpartition("/")[2].partition(":")[0] if tags else root.name
    name = "".join(char if char.isalnum() else "_" for char in wish).strip("_").lower() or "image"
    return f"builds/{name}.py"


def to_module(result: Merged, recipe: Recipe, files: Iterable[str], folder: Path) -> str:
    """Return the Python file; `folder` is where it will be, `files` are what it is made of."""
    tail = []
    several = len(result.finals) > 1
    for image in result.finals:
        assert image.result is not None
        prefix = f"{_not_in_names('_', image.result.name or '')}_" if several else ""
        arguments = _image(result, recipe, image, folder, several=several)
        tail += ["", *call("Image", arguments).lines(f"{prefix}image = ", 0, "")]
    return codegen.module(result.dockerfile, _docstring(result, files), tail)


def _docstring(result: Merged, files: Iterable[str]) -> str:
    names = list(files)
    said = ", ".join(names[:-1]) + " and " * bool(names[:-1]) + names[-1]
    lines = [f"Migrated from {said}."]
    rows = dict.fromkeys(
        f"{_made_up('', short_path(str(artefact.path)))}, from {artefact.inside} of {stage} ({artefact.place})"
        for artefact, stage in result.carried
    )
    if rows:
        lines += ["", "What went from one image to another over the host stays in the build:", ""]
        lines += [f"- {row}" for row in rows]
    return "\n".join(lines)


def _image(result: Merged, recipe: Recipe, image: Image, folder: Path, *, several: bool) -> list[Expression | Argument]:
    arguments: list[Expression | Argument] = [Name("dockerfile"), Text(_from(folder, result.draft.context))]
    build = image.build
    if several and image.result is not None:
        arguments.append(Argument("target", Text(image.result.name or "")))
    tags = [Word.of(named_in_tag(tag)) for tag in build.tags if tag.is_settled]
    if tags:
        arguments.append(Argument("tags", _value(tags[0]) if len(tags) == 1 else listed(map(_value, tags))))
    if image.all_args:
        arguments.append(Argument("build_args", _mapping(image.all_args)))
    options = build.options.options
    shared = [
        each for other in result.draft.images.values() if other is not image for each in other.build.options.options
    ]
    for option, field in _REPEATED.items():
        words = [word for name, word in options if name == option]
        words += [word for name, word in shared if name == option and option in OF_ALL and word not in words]
        settled = [word for word in words if word.is_settled]
        if option == "platform":
            settled = [words_of(each) for word in settled for each in str(word).split(",")]
        if settled and option in _PAIRS:
            pairs = dict(word.partition(_PAIRS[option]) for word in settled)
            arguments.append(Argument(field, _mapping({str(key): value or Word() for key, value in pairs.items()})))
        elif settled:
            arguments.append(Argument(field, listed(map(_value, settled))))
    for option, field in _SINGLE.items():
        word = build.options.last(option)
        if word is not None and word.is_settled:
            arguments.append(Argument(field, _value(word)))
    contexts = {name: Text(_from(folder, path)) for name, path in result.draft.contexts.items()}
    if contexts:
        arguments.append(Argument("contexts", mapped(contexts.items())))
    port = _port(image, recipe)
    if port is not None:
        arguments.append(Argument("port", Name(str(port))))
        if recipe.asked and (build in recipe.served or not any(recipe.served)):
            checks = [call("HttpCheck", [Text("GET"), Text(path)]) for path in dict.fromkeys(recipe.asked)]
            arguments.append(Argument("checks", listed(checks)))
    return arguments


def _port(image: Image, recipe: Recipe) -> int | None:
    """Return where its server listens: the one port that is published, or exposed."""
    exposed = []
    stage: object = image.result
    while isinstance(stage, Stage):
        exposed += [port for step in stage.steps if isinstance(step, Expose) for port in step.ports]
        stage = stage.base
    numbers = [int(port) for each in exposed if (port := str(each).removesuffix("/tcp")).isdecimal()]
    found = [port for port in recipe.ports if port in numbers] or numbers or recipe.ports
    return found[0] if found else None


def _from(folder: Path, path: Path) -> str:
    return os.path.relpath(path, folder)


def _mapping(values: Mapping[str, Word]) -> Expression:
    return mapped([(name, _value(word)) for name, word in values.items()])


def _value(word: Word) -> Expression:
    parts: list[Expression] = [
        call("os.environ.get", [Text(part.name), Text(part.default)]) if isinstance(part, Variable) else Text(str(part))
        for part in word
    ]
    return Text("") if not parts else parts[0] if len(parts) == 1 else Sum(parts)
