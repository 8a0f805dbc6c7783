"""Why a file is not there to be copied or mounted: what the folder has that the build was sent, link by link.

BuildKit follows links inside that folder, as if it were the root: nothing leads out of it.
"""

from __future__ import annotations

import glob
import os
import posixpath
import re
from ast import literal_eval
from pathlib import Path

import attrs

from dockdsl.engine.building import BuildRequest
from dockdsl.engine.failures.causes import Explanation

_MOST_LINKS = 255
"""Links that BuildKit follows in one path."""
_from = re.compile(r"(?:^--|[=,])from=([^\s,]+)").search
_source = re.compile(r"[=,](?:source|src)=([^\s,]+)").search
_is_pattern = re.compile(r"[*?]|\[.+\]").search
_special = re.compile(r"([*?\[\\])").sub


@attrs.frozen
class _Way:
    """A path in a folder, followed as BuildKit does.

    `links`
        The links on the way, and what each says.
    `end`
        Where they lead to.
    `is_there`
        Whether that is there; None for links that lead in a circle.
    """

    links: tuple[tuple[str, str], ...]
    end: str
    is_there: bool | None


def _follow(root: Path, path: str) -> _Way:
    rest, at = path.split("/")[::-1], list[str]()
    links: dict[str, str] = {}
    for _ in range(_MOST_LINKS):
        while rest:
            part = rest.pop()
            at = at[:-1] if part == ".." else at if part in ("", ".") else [*at, part]
            if os.path.islink(root.joinpath(*at)):  # noqa: PTH114 - this one never raises
                break
        else:
            end = "/".join(at)
            return _Way(tuple(links.items()), end, os.path.exists(root / end))  # noqa: PTH110 - as above
        link = "/".join(at)
        links[link] = target = str(root.joinpath(link).readlink())
        at = [] if target.startswith("/") else at[:-1]
        rest += target.split("/")[::-1]
    return _Way(tuple(links.items()), "", None)


def absent(request: BuildRequest, step: str, said: str) -> Explanation:
    """Return why a path is not there that a step does not find.

    `step` is the text of the instruction, `said` what the engine says is not there, quoted or not; empty where it says
    that links lead in a circle, and not which.
    """
    path = literal_eval(said) if said.startswith('"') else said
    said = said.strip('"')
    place = _folder(request, step, path)
    if not path and place is not None:
        sources = [found[1] if (found := _source(word)) else word for word in step.split()]
        path = "/" + next((each for each in sources if _follow(place[0], each).is_there is None), "")
    fact = f'"{said or path}" is not there to be {"mounted" if "--mount=" in step else "copied"}'
    if place is None:
        return Explanation(fact, "check the path in the stage, image or context that it is taken from")
    known = _explained(*place, step, _clean(path))
    return Explanation(f"{fact}: {known.cause}", known.fix)


def _folder(request: BuildRequest, step: str, path: str) -> tuple[Path, str] | None:
    """Return the folder on this machine that a step takes a path from, and what leaves files out of it."""
    places = []
    for word in step.split():
        source = _source(word)
        is_it = not path or source is None or _clean(source[1]) == _clean(path)
        if word.startswith("--from=") or (word.startswith("--mount=") and is_it):
            found = _from(word)
            places.append(found[1].lower() if found else None)
    if not places or None in places:
        if isinstance(request.context, str):
            return None
        return request.context, ".dockerignore" if request.ignore is None else "ignore="
    folder = {name.lower(): where for name, where in request.contexts}.get(str(places[0]), "")
    return (Path(folder), ".dockerignore") if os.path.isdir(folder) else None  # noqa: PTH112 - this one never raises


def _explained(root: Path, ignoring: str, step: str, path: str) -> Explanation:
    name, pattern = path, ""
    for word in [] if "--mount=" in step else step.split():
        source = _clean(word.strip('",').removeprefix('["').removesuffix('"]'))
        folder = posixpath.dirname(source)
        # Of a pattern, the engine names the folder alone, and what a link to it leads to.
        if _is_pattern(source) and folder and not _is_pattern(folder) and path in (folder, _follow(root, folder).end):
            name, pattern = folder, source
    way = _follow(root, name)
    last = posixpath.basename(pattern)
    if way.is_there and pattern and not glob.glob(last, root_dir=root / way.end, include_hidden=True):  # noqa: PTH207
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
        return Explanation(f"the context folder {str(root)!r} does not have it", "check the path")
    if way.is_there is None:
        return Explanation(f"the link {way.links[0][0]!r} leads in a circle", "correct the link")
    link, target = way.links[-1]
    real = Path(os.path.realpath(root / name))
    if _follow(root, link).is_there or real.is_relative_to(os.path.realpath(root)):
        cause = f"the link {link!r} leads to {target!r}, and {way.end!r} does not exist"
        return Explanation(cause, "correct the link, or check the path")
    context = f'contexts={{"other": {str(real.parent)!r}}}'
    return Explanation(
        f"the link {link!r} leads to {target!r}, outside the context folder, where the build sees nothing",
        f"put the file itself into the folder, or pass the other folder as a context of its own, {context}, and take "
        f'{real.name!r} from_=external("other")',
    )


def _clean(path: str) -> str:
    """Return a path as it is seen from the root of the folder."""
    return posixpath.normpath("/" + path.lstrip("/"))[1:]
