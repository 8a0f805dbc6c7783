"""Dependencies are fetched before the whole context is copied.

A step runs again when anything changes that was copied above it: every edit of any file fetches all dependencies
again.

Bad::

    FROM node:24.1-alpine
    WORKDIR /app
    COPY . .
    RUN npm ci

Good::

    FROM node:24.1-alpine
    WORKDIR /app
    COPY package.json package-lock.json ./
    RUN npm ci
    COPY . .

Fix: copy the manifest, fetch, and copy the rest then.

Source: https://docs.docker.com/build/cache/optimize/
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from dockdsl.context.sending import BuildContext, cleaned
from dockdsl.lint.dependencies import fetches, is_trivial
from dockdsl.lint.effects import Ran, Transfer
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_FEW = 20
_MANIFESTS = frozenset(
    """build.gradle bun.lock bun.lockb Cargo.lock Cargo.toml composer.json composer.lock Gemfile Gemfile.lock
    go.mod go.sum go.work mix.exs mix.lock package.json package-lock.json pnpm-lock.yaml poetry.lock pom.xml
    pyproject.toml requirements.txt uv.lock yarn.lock .npmrc .dockerignore Dockerfile""".split()
)


def examine(subject: Subject) -> Iterator[Fault]:
    """Find steps that only fetch, behind the whole context."""
    wholes = {
        id(done) for stage in subject.stages for done in stage.transfers() if _is_whole(done, subject.build.context)
    }
    before: dict[int, tuple[Transfer | None, frozenset[str]]] = {id(None): (None, frozenset())}
    said: set[int] = set()
    for stage in subject.stages if wholes else ():
        copied, known = before[id(stage.parent)]
        for done in stage.steps:
            if isinstance(done, Transfer):
                copied = copied or (done if id(done) in wholes else None)
            elif isinstance(done, Ran):
                names = {fetches(command) for command in done.script.read.commands if not is_trivial(command)}
                tools = {name for name in names if name is not None}
                programs = {name.partition(" ")[0] for name in tools}
                if copied is None:
                    known |= programs
                elif tools and None not in names and not programs & known and id(copied) not in said:
                    if stage in subject.built:
                        fact = f"every change of a file repeats {' and '.join(sorted(tools))}"
                        yield Fault(copied.line, fact, "copy the manifest first, and the rest behind that step")
                    said.add(id(copied))
        before[id(stage)] = copied, known


def _is_whole(transfer: Transfer, context: BuildContext | None) -> bool:
    """Whether a step copies the whole context, which has more than manifests."""
    if not any(
        each.kind == "context" and each.text is not None and cleaned(each.text) in ("", "*")
        for each in transfer.sources
    ):
        return False
    if context is None:
        return True
    sent = [
        path for path, kind in (each for each, _ in zip(context.walk(), range(_FEW), strict=False)) if kind != "folder"
    ]
    return any(basename(path) not in _MANIFESTS for path in sent)


RULE = Rule("CacheBrokenByCopy", examine, __doc__ or "", aliases=("cache-broken-by-copy",), needs_build=True)
