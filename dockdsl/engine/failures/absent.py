"""Why a file is not there to be copied or mounted: what the folder has that the build was sent, link by link."""

from __future__ import annotations

import glob
import os
import posixpath
import re
from ast import literal_eval
from pathlib import Path

from dockdsl.context.folder import Folder
from dockdsl.context.globs import is_pattern
from dockdsl.context.sending import cleaned
from dockdsl.display import argument
from dockdsl.engine.building import BuildRequest
from dockdsl.engine.failures.causes import Explanation

_from = re.compile(r"(?:^--|[=,])from=([^\s,]+)").search
_source = re.compile(r"[=,](?:source|src)=([^\s,]+)").search
_special = re.compile(r"([*?\[\\])").sub


def absent(request: BuildRequest, step: str, said: str) -> Explanation:
    """Return why a path is not there that a step does not find.

    `step` is the text of the instruction, `said` what the engine says is not there, quoted or not; empty where it says
    that links lead in a circle, and not which.
    """
    path = literal_eval(said) if said.startswith('"') else said
    said = said.strip('"')
    place = _folder(request, step, path)
    if not path and place is not None:
        path = "/" + next((each for each in _sources(step) if Folder(place[0]).follow(each).is_circle), "")
    fact = f'"{said or path}" is not there to be {"mounted" if "--mount=" in step else "copied"}'
    if place is None:
        return Explanation(fact, "check the path in the stage, image or context that it is taken from")
    known = _explained(*place, step, cleaned(path))
    return Explanation(f"{fact}: {known.cause}", known.fix)


def _folder(request: BuildRequest, step: str, path: str) -> tuple[Path, str] | None:
    """Return the folder on this machine that a step takes a path from, and what leaves files out of it."""
    places = []
    for word in step.split():
        source = _source(word)
        is_it = not path or source is None or cleaned(source[1]) == cleaned(path)
        if word.startswith("--from=") or (word.startswith("--mount=") and is_it):
            found = _from(word)
            places.append(found[1].lower() if found else None)
    if not places or None in places:
        if isinstance(request.context, str):
            return None
        return request.context, ".dockerignore" if request.ignore is None else "ignore="
    folder = {name.lower(): where for name, where in request.contexts}.get(str(places[0]), "")
    return (Path(folder), ".dockerignore") if os.path.isdir(folder) else None


def _explained(root: Path, ignoring: str, step: str, path: str) -> Explanation:
    name, pattern = path, ""
    here = Folder(root)
    for word in [] if "--mount=" in step else _sources(step):
        source = cleaned(word)
        folder = posixpath.dirname(source)
        # Of a pattern, the engine names the folder alone, and what a link to it leads to.
        if is_pattern(source) and folder and not is_pattern(folder) and path in (folder, here.follow(folder).end):
            name, pattern = folder, source
    way = here.follow(name)
    last = posixpath.basename(pattern)
    if way.is_there and pattern and not glob.glob(last, root_dir=root / way.end, include_hidden=True):
        return Explanation(f"nothing in the context folder fits the pattern {pattern!r}", "check the pattern")
    if way.is_there and ignoring == ".dockerignore" and not root.joinpath(ignoring).exists():
        return Explanation("it is in the context folder now, and was not sent", "build again")
    if way.is_there:
        needed = dict.fromkeys([*(link for link, _ in way.links), way.end])
        exceptions = ["!" + _special(r"\\\1", each) for each in needed]
        if pattern:
            exceptions[-1] = f"!{posixpath.join(way.end, last)}"
        lines = " and ".join(f'"{each}"' if ignoring == "ignore=" else each for each in exceptions)
        cause = f"it is in the context folder, and {ignoring} leaves it out"
        if way.links:
            cause = f"it leads by a link to {way.end!r}, and {ignoring} leaves one of them out"
        return Explanation(cause, f"add {lines} at the end of {ignoring}")
    if not way.links:
        given = next((word for word in _sources(step) if word.startswith("../") and cleaned(word) == path), None)
        if given is not None and root.joinpath(given).exists():
            return _outside(f"{given!r} is", root.joinpath(given).resolve())
        return Explanation(f"the context folder {str(root)!r} does not have it", "check the path")
    if way.is_circle:
        return Explanation(f"the link {way.links[0][0]!r} leads in a circle", "correct the link")
    link, target = way.links[-1]
    says = f"the link {link!r} leads to {target!r}"
    real, top = Path(os.path.realpath(root / name)), os.path.realpath(root)
    if real.is_relative_to(top) and real.exists():
        linked = os.path.relpath(os.path.realpath(root / link), os.path.dirname(os.path.join(top, link)))
        return Explanation(
            f"{says}, and in a build the context folder is /, where that does not exist",
            f"link it within the folder: ln -sfn {argument(linked)} {argument(str(root / link))}",
        )
    if real.is_relative_to(top) or (here.follow(link).is_there and not real.exists()):
        return Explanation(f"{says}, and {way.end!r} does not exist", "correct the link, or check the path")
    return _outside(f"{says},", real)


def _outside(what: str, real: Path) -> Explanation:
    """Return what to do about a file that is not in the folder."""
    context = f'contexts={{"other": {str(real.parent)!r}}}'
    return Explanation(
        f"{what} outside the context folder, where the build sees nothing",
        f"put the file itself into the folder, or pass the other folder as a context of its own, {context}, and take "
        f'{real.name!r} from_=external("other")',
    )


def _sources(step: str) -> list[str]:
    """Return what could be the sources of a step: its words, and what a mount names."""
    words = [word.strip('",').removeprefix('["').removesuffix('"]') for word in step.split()]
    return [found[1] if (found := _source(word)) else word for word in words]
