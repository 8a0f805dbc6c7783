"""Steps that share modules see the same folder.

A cache mount hides what the layers have in its folder. Where the step that fetches has it, and the one that builds has
not, or the other way round, the modules are fetched again, or are missing.

Bad::

    FROM golang:1.27-alpine
    WORKDIR /src
    COPY go.mod go.sum ./
    RUN go mod download
    COPY . .
    RUN --mount=type=cache,target=/go/pkg/mod go build -o /app .

Good::

    FROM golang:1.27-alpine
    WORKDIR /src
    COPY go.mod go.sum ./
    RUN --mount=type=cache,target=/go/pkg/mod go mod download
    COPY . .
    RUN --mount=type=cache,target=/go/pkg/mod go build -o /app .

Fix: mount the same cache in both: ``cache = Cache("/go/pkg/mod")``.

Source: https://docs.docker.com/build/cache/optimize/#use-cache-mounts
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.display import shown
from dockdsl.lint.dependencies import TOOLS, Tool
from dockdsl.lint.effects import Effects, Ran
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find steps of which only one has the cache."""
    for stage in subject.built:
        for tool in TOOLS:
            yield from _differing(stage, tool)


def _differing(stage: Effects, tool: Tool) -> Iterator[Fault]:
    fetched: Ran | None = None
    own = {id(run) for run in stage.runs()}
    for run in (run for every in stage.chain for run in every.runs()):
        verbs = [tool.verb(command) for command in run.script.read.commands]
        if "fetch" in verbs and "use" not in verbs:
            fetched = run
        elif "use" in verbs and "fetch" not in verbs and fetched is not None and id(run) in own:
            folders = [tool.folder(each.values, each.workdir) for each in (fetched, run)]
            if folders[0] is None or folders[0] != folders[1] or tool.is_vendored(run.script.text):
                continue
            if fetched.cache_at(folders[0]) != run.cache_at(folders[0]):
                number = fetched.line.logical.first + 1
                fact = f"this step and the one in line {number}, which fetches, do not see the same {shown(folders[0])}"
                yield Fault(run.line, fact, "mount the same cache in both, or in neither")
                return


RULE = Rule("CacheMountNotShared", examine, __doc__ or "", aliases=("cache-mount-not-shared",))
