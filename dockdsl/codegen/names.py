"""Names of variables: for a stage, its name or its role in the build; for a mount, its purpose."""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from dockdsl.instructions.mounts.bind import Bind
from dockdsl.instructions.mounts.cache import Cache
from dockdsl.instructions.mounts.mount import Mount
from dockdsl.instructions.mounts.secret import Secret
from dockdsl.instructions.mounts.ssh import Ssh
from dockdsl.instructions.sources import Source, StageBase
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.stage import RESERVED, Stage
from dockdsl.syntax.words import text_in

_LONGEST = 60
_not_in_names = re.compile(r"[^A-Za-z0-9]+").sub
# Names that the site module adds to the builtins, and one that looks like a digit.
_TAKEN = {"copyright", "credits", "exit", "license", "quit", "l"}
_OURS = {"dedent", "dockerfile", "external", "image", "layout", "literal", "os"}
_VAGUE = {"archives", "cache", "git", "lib", "lists", "mod", "registry", "repository", "src", "tmp"}
_KNOWN = {"/go/pkg/mod": "go_modules", "/root/.cache/go-build": "go_objects"}


class Names:
    """The names of the variables of a module, each used once."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.taken = {*dir(builtins), *keyword.kwlist, *_TAKEN, *_OURS}

    def pick(self, wish: str, kind: str) -> str:
        """Return an unused name based on `wish`, with `kind` added if Python uses it already."""
        name = _not_in_names("_", wish).strip("_").lower()[:_LONGEST].rstrip("_")
        if not name or name[0].isdigit():
            name = f"{kind}_{name}".rstrip("_")
        if name in self.taken and not name.endswith(kind):
            name = f"{name}_{kind}"
        first = name
        while name in self.taken:
            self.numbers[first] = self.numbers.get(first, 1) + 1
            name = f"{first}_{self.numbers[first]}"
        self.taken.add(name)
        return name


def stage_names(dockerfile: Dockerfile) -> dict[int, str]:
    """Return the names of the named stages by id; in a file, a name may be reserved, or that of several stages."""
    last = {stage.name: stage for stage in dockerfile.stages}
    return {id(stage): name for name, stage in last.items() if name is not None and name not in RESERVED}


def of_stages(dockerfile: Dockerfile, names: Names) -> dict[int, str]:
    """Return the names of the variables of a Dockerfile's stages, by the stage's id."""
    known = stage_names(dockerfile)
    stages = dockerfile.stages
    variables = {id(stage): names.pick(known[id(stage)], "stage") for stage in stages if id(stage) in known}
    roles = _roles(dockerfile)
    for stage in stages:
        if id(stage) not in variables:
            variables[id(stage)] = names.pick(roles[id(stage)], "stage")
    return variables


def _roles(dockerfile: Dockerfile) -> Mapping[int, str]:
    """Return for each stage what it does in the build."""
    last = dockerfile.stages[-1]
    found = {id(stage): _image(stage) for stage in dockerfile.stages}
    found |= {id(need): "build" for stage in dockerfile.stages for need in stage.needed_stages()}
    found |= {id(stage.base): "base" for stage in dockerfile.stages if isinstance(stage.base, Stage)}
    return found | {id(last): "final" if len(dockerfile.stages) > 1 else "stage"}


def _image(stage: Stage) -> str:
    """Return the short name of a stage's base image."""
    if isinstance(stage.base, StageBase):
        return "stage"
    return re.split("[:@]", text_in(stage.base).rpartition("/")[2])[0]


def of_mount(mount: Mount, stages: Mapping[int, str], names: Names) -> str:
    """Return the name of the variable of a mount."""
    return names.pick(_purpose(mount, stages), "mount")


def _purpose(mount: Mount, stages: Mapping[int, str]) -> str:
    match mount:
        case Ssh(id=None):
            return "ssh_agent"
        case Ssh():
            return f"{text_in(mount.id or '')}_ssh"
        case Secret():
            name = text_in(mount.id) if mount.id is not None else _last(text_in(mount.target or ""))
            return name if "secret" in name.lower() else f"{name}_secret"
    target = text_in(getattr(mount, "target", None) or ".")
    if isinstance(mount, Cache):
        name = _last(text_in(mount.id) if mount.id is not None else target)
        return _KNOWN.get(target) or (name if "cache" in name.lower() else f"{name}_cache")
    if isinstance(mount, Bind):
        return _of_bind(mount, target, stages)
    return f"{_last(target)}_tmpfs"


def _of_bind(mount: Bind, target: str, stages: Mapping[int, str]) -> str:
    name = _last(target)
    source: Source | None = mount.from_
    if isinstance(source, Stage):
        return f"{name}_from_{stages.get(id(source), source.name)}"
    return name if "." in name.strip(".") else f"{name}_files".lstrip("_")


def _last(path: str) -> str:
    """Return the last folder of a path that is not vague, and the vague ones after it."""
    parts = [part for part in path.split("/") if part.strip("._-")]
    kept: list[str] = []
    for part in reversed(parts):
        kept.insert(0, part)
        if part not in _VAGUE:
            break
    return "_".join(kept)


def repeated(mounts: Iterable[Mount]) -> list[Mount]:
    """Return the mounts that occur more than once, in the order of their first occurrence.

    Equal mounts may be of two stages that are equal: such are not one mount.
    """
    of_stages: dict[Mount, set[int]] = {}
    counts: Counter[Mount] = Counter()
    for mount in mounts:
        counts[mount] += 1
        sources = [each.source for each in mount.references()]
        of_stages.setdefault(mount, set()).update(id(source) for source in sources if isinstance(source, StageBase))
    return [mount for mount, count in counts.items() if count > 1 and len(of_stages[mount]) < 2]
