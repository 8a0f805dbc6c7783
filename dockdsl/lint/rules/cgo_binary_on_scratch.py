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

from collections.abc import Iterator, Sequence

from dockdsl.context.sending import BuildContext
from dockdsl.lint.effects import Effects, From
from dockdsl.lint.go_sources import Program
from dockdsl.lint.go_steps import GoStep, binaries, go_steps
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_TAGS = {"netgo": ("net", "net/", "log/syslog", "expvar", "crypto/"), "osusergo": ("os/user",)}
"""What the tags of a build switch off: packages, and with a slash at the end all that are below."""
_WITH_CGO = frozenset(
    {"C", "net", "os/user", "runtime/cgo", "plugin", "log/syslog", "expvar", "crypto/tls", "crypto/x509"}
)
"""Packages that use cgo, or one that does."""
_BELOW = ("net/", "github.com/mattn/go-sqlite3")
_WITHOUT = ("net/netip", "net/url", "net/textproto/")
_COMPILERS = ("build-base", "musl-dev", "gcc", "clang")
_UNKNOWN = ("-static", "GOARCH=", "GOFLAGS=", "cgo=0")
_LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-x86_64.so.1")


_libraries = lazy_regex(r"\bldd\b|\blib|/ld-|^/+$")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find programs that need a library which is not there."""
    context = subject.build.context
    linked: dict[int, list[tuple[str, str]]] = {}
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
                used = next((used for path, used in linked[id(source.stage)] if is_copied(path, source.path)), None)
                if used is not None:
                    fact = f"the program uses {used}, which is linked against the C library, and the image has none"
                    yield Fault(transfer.line, fact, "build it with CGO_ENABLED=0")


def _linked(builder: Effects, context: BuildContext) -> Iterator[tuple[str, str]]:
    """Yield the paths of programs that need the library, and a package that does."""
    for step in go_steps(builder) if _may_link(builder) else ():
        for path, program in binaries(builder, step, context) if _uses_cgo(step) else ():
            used = _needs_library(program, (step.option("tags") or "").replace(" ", ",").split(","))
            if used is not None:
                yield path, used


def _may_link(builder: Effects) -> bool:
    """Whether the stage has a C compiler."""
    root = builder.root
    if root is None or root.name != "golang":
        return False
    texts = [run.script.text for every in builder.chain for run in every.runs()]
    if any("go env -w" in text for text in texts):
        return False
    return root.has_compiler or any(each in text for text in texts for each in _COMPILERS)


def _has_library(stage: Effects) -> bool:
    kinds = {stage.look(loader).kind for loader in _LOADERS}
    if kinds <= {"absent", "unknown"}:
        return any(
            "/lib/ld-".startswith(each.destination or "/")
            and not all(_is_of_builder(source) for source in each.sources)
            for every in (stage.chain if "unknown" in kinds else ())
            for each in every.transfers()
        )
    return True


def _is_of_builder(source: From) -> bool:
    """Whether it is a folder of a stage with Go, in which nothing is said of libraries."""
    stage = source.stage
    if stage is None or stage.root is None or stage.root.name != "golang" or _libraries().search(f"{source.path}/"):
        return source.kind == "text"
    return not any(_libraries().search(run.script.text) for every in stage.chain for run in every.runs())


def _uses_cgo(step: GoStep) -> bool:
    values, text = step.run.values, step.run.script.text
    if {"GOARCH", "GOFLAGS"} & values.keys() or any(each in text for each in _UNKNOWN) or "CGO_ENABLED=0" in text:
        return False
    return "CGO_ENABLED=1" in text or values.get("CGO_ENABLED", "1") == "1"


def is_copied(program: str, path: str) -> bool:
    """Whether a program is, or is below, a path that is copied."""
    return f"{program}/".startswith(f"{path.rstrip('/')}/")


def _needs_library(found: Program, tags: Sequence[str]) -> str | None:
    without = tuple([name for tag in tags for name in _TAGS.get(tag, ())])
    for name in sorted(found.imports):
        is_off = name in without or name.startswith(tuple([each for each in without if each.endswith("/")]))
        if not is_off and (name in _WITH_CGO or (name.startswith(_BELOW) and not name.startswith(_WITHOUT))):
            return name
    return None


RULE = Rule("CgoBinaryOnScratch", examine, __doc__ or "", "error", ("cgo-binary-on-scratch",), needs_build=True)
