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
from dockdsl.lint.effects import Ran, joined
from dockdsl.lint.go_steps import seen
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find steps of which only one has the cache."""
    # Few files have mounts, and few of the tools.
    tools = [tool for tool in TOOLS if tool.program in subject.text] if "--mount" in subject.text else []
    for tool in tools:
        fetched: dict[int, Ran | None] = {id(None): None}
        for stage in subject.stages:
            last = fetched[id(stage.parent)]
            for run in stage.runs():
                verbs = {tool.verb(command) for command in run.script.read.commands} - {None}
                if verbs == {"fetch"}:
                    last = run
                elif verbs == {"use"} and last is not None:
                    folder = _unshared(tool, last, run)
                    vendored = joined(run.workdir, "vendor/modules.txt")
                    is_vendored = tool.program == "go" and vendored is not None and seen(stage, run, vendored)
                    if folder is not None and not is_vendored and stage in subject.built:
                        other = f"the one at {subject.place(last.line)}, which fetches"
                        fact = f"this step and {other}, do not see the same {shown(folder)}"
                        yield Fault(run.line, fact, "mount the same cache in both, or in neither")
                        last = None
            fetched[id(stage)] = last


def _unshared(tool: Tool, fetched: Ran, run: Ran) -> str | None:
    """Return the folder of the modules, if two steps do not see the same one."""
    text = f"{run.script.text} {run.values.get('GOFLAGS')}"
    folder = tool.folder(fetched.values, fetched.workdir)
    if folder is None or folder != tool.folder(run.values, run.workdir) or tool.is_vendored(text):
        return None
    return folder if fetched.cache_at(folder) != run.cache_at(folder) else None


RULE = Rule("CacheMountNotShared", examine, __doc__ or "", aliases=("cache-mount-not-shared",))
