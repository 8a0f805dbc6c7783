"""A Go program on an empty image needs no C library.

Where the builder has a C compiler, packages such as ``net`` and ``os/user`` are linked against the C library.
``scratch`` has none: the container ends with ``exec /app: no such file or directory``, though the file is there.

Files::

    go.mod: module example.org/app\\n\\ngo 1.27
    main.go: package main\\n\\nimport "net"\\n\\nfunc main() { println(net.IPv4len) }

Bad::

    FROM golang:1.27 AS build
    WORKDIR /src
    COPY . .
    RUN go build -o /app .

    FROM scratch
    COPY --from=build /app /app

Good::

    FROM golang:1.27 AS build
    WORKDIR /src
    COPY . .
    RUN CGO_ENABLED=0 go build -o /app .

    FROM scratch
    COPY --from=build /app /app

Fix: build with ``CGO_ENABLED=0``: ``Env(CGO_ENABLED="0")`` in the stage that builds.

Source: https://pkg.go.dev/cmd/cgo
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.context.sending import BuildContext
from dockdsl.lint.effects import Effects
from dockdsl.lint.go_sources import Program
from dockdsl.lint.go_steps import GoStep, built, go_steps
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_WITH_CGO = frozenset(
    {"C", "net", "os/user", "runtime/cgo", "plugin", "log/syslog", "expvar", "crypto/tls", "crypto/x509"}
)
"""Packages that use cgo, or one that does."""
_BELOW = ("net/", "github.com/mattn/go-sqlite3")
_WITHOUT = ("net/netip", "net/url", "net/textproto/")
_COMPILERS = ("build-base", "musl-dev", "gcc", "clang")
_STATIC = ("CGO_ENABLED=0", "-static", "netgo", "osusergo", "GOARCH=", "cgo=0")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find programs that need a library which is not there."""
    context = subject.build.context
    linked: dict[int, list[tuple[GoStep, str]]] = {}
    for stage in subject.built if context is not None else ():
        root = stage.root
        if root is None or not (root.is_scratch or (root.is_distroless and "/static" in root.name)):
            continue
        for transfer in stage.transfers() if not _has_library(stage) else ():
            for source in transfer.sources:
                if source.stage is None or context is None:
                    continue
                if id(source.stage) not in linked:
                    linked[id(source.stage)] = [*_linked(source.stage, context)]
                used = next((used for step, used in linked[id(source.stage)] if is_copied(step, source.path)), None)
                if used is not None:
                    fact = f"the program uses {used}, which is linked against the C library, and the image has none"
                    yield Fault(transfer.line, fact, "build it with CGO_ENABLED=0")


def _linked(builder: Effects, context: BuildContext) -> Iterator[tuple[GoStep, str]]:
    """Yield the steps that build programs which need the library, and a package that does."""
    for step in go_steps(builder) if _may_link(builder) else ():
        used = _needs_library(built(builder, step, context)) if _uses_cgo(step) else None
        if used is not None:
            yield step, used


def _may_link(builder: Effects) -> bool:
    """Whether the stage has a C compiler."""
    root = builder.root
    if root is None or root.name != "golang":
        return False
    texts = [run.script.text for every in builder.chain for run in every.runs()]
    return root.has_compiler or any(each in text for text in texts for each in _COMPILERS)


def _has_library(stage: Effects) -> bool:
    return any(stage.look(folder).kind != "absent" for folder in ("/lib", "/lib64", "/usr/lib"))


def _uses_cgo(step: GoStep) -> bool:
    values = step.run.values
    is_on = values.get("CGO_ENABLED", "1") == "1" and not {"GOARCH", "GOFLAGS"} & values.keys()
    return is_on and not any(each in step.run.script.text for each in _STATIC)


def is_copied(step: GoStep, path: str) -> bool:
    """Whether what a step builds is copied."""
    output = step.output
    if output is None:
        folder = step.folder if step.verb == "build" else "/go/bin"
        return folder is not None and f"{path}/".startswith(f"{folder}/")
    if output.endswith("/") and path.startswith(output):
        return True
    return output != "" and f"{output}/".startswith(f"{path.rstrip('/')}/")


def _needs_library(found: Program | None) -> str | None:
    for name in sorted(found.imports) if found is not None else ():
        if name in _WITH_CGO or (name.startswith(_BELOW) and not name.startswith(_WITHOUT)):
            return name
    return None


RULE = Rule("CgoBinaryOnScratch", examine, __doc__ or "", "error", ("cgo-binary-on-scratch",), needs_build=True)
