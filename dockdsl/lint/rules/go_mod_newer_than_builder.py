"""The Go image is not older than what go.mod asks for.

Images of Go do not fetch a newer toolchain (``GOTOOLCHAIN=local``), so the first step that reads go.mod or go.work
fails: ``go.mod requires go >= 1.28 (running go 1.27.3; GOTOOLCHAIN=local)``.

Files::

    go.mod: module example.org/app\\n\\ngo 1.28

Bad::

    FROM golang:1.27-alpine
    WORKDIR /src
    COPY go.mod ./
    RUN go mod download

Good::

    FROM golang:1.28-alpine
    WORKDIR /src
    COPY go.mod ./
    RUN go mod download

Fix: take a newer image, or ask for less: ``go mod edit -go=1.27``.

Source: https://go.dev/doc/toolchain
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.context.sending import BuildContext
from dockdsl.display import shown
from dockdsl.lint.effects import Effects
from dockdsl.lint.go_sources import go_line, read
from dockdsl.lint.go_steps import GoStep, go_steps, nearest
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_READING = frozenset({"build", "generate", "get", "install", "list", "run", "test", "tool", "vet"})
_changes = lazy_regex(
    r"GOTOOLCHAIN|\bgo (?:mod|work) (?:edit|init|use)|\bgo@|(?:sed|rm|mv|cp|tee|>)[^&;|\n]*\bgo\.(?:mod|work)\b"
)
"""Whether a command fetches another toolchain, or asks for another version."""
_FIRST = (1, 21)
"""The first version that refuses a newer go line."""


def examine(subject: Subject) -> Iterator[Fault]:
    """Find stages whose Go is too old."""
    context = subject.build.context
    for stage in subject.built if context is not None else ():
        root = stage.root
        if root is None or root.name != "golang" or root.version[:2] < _FIRST or len(root.version) < 2:
            continue
        for step in go_steps(stage):
            found = _asked(stage, step, context) if context is not None and _is_local(stage, step) else None
            if found is None:
                continue
            name, asked = found
            if asked[: len(root.version)] > root.version:
                version = ".".join(map(str, asked))
                line = next(each.line for each in stage.chain)
                yield Fault(
                    line,
                    f"{shown(name)} asks for go {version}, and golang:{root.tag} is older",
                    f"take golang:{version}",
                )
                break


def _is_local(stage: Effects, step: GoStep) -> bool:
    """Whether no newer toolchain is fetched."""
    scripts = [run.script.text for every in stage.chain for run in every.runs()]
    if any(_changes().search(text) for text in scripts):
        return False
    return step.run.values.get("GOTOOLCHAIN", "local") == "local"


def _asked(stage: Effects, step: GoStep, context: BuildContext) -> tuple[str, tuple[int, ...]] | None:
    """Return the file that asks for most, and for which version."""
    if step.verb.split(" ")[0] not in (*_READING, "mod") or any("@" in word for word in step.command.arguments):
        return None
    found = []
    uses_work = "GOWORK" not in step.run.values and "GOWORK" not in step.run.script.text
    for name in ("go.mod", "go.work") if uses_work else ("go.mod",):
        place = nearest(stage, step, name)
        asked = None if place is None else go_line(read(context, place[1]) or "")
        if place is not None and asked is not None:
            found.append((place[1], asked))
    return max(found, key=lambda each: each[1], default=None)


RULE = Rule("GoModNewerThanBuilder", examine, __doc__ or "", "error", ("go-mod-newer-than-builder",), needs_build=True)
