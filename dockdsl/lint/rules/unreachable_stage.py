"""Each stage is needed for something that is built.

A stage that no target is based on, copies from or mounts is never built. It is most often left over. This is only known
where all targets are: ``dockdsl check --target test --target api``.

Options::

    target=api

Bad::

    FROM alpine:3.22 AS tools
    RUN apk add --no-cache curl=8.14.1-r2

    FROM scratch AS api
    COPY api /api

Good::

    FROM alpine:3.22 AS tools
    RUN apk add --no-cache curl=8.14.1-r2

    FROM scratch AS api
    COPY --from=tools /usr/bin/curl /usr/bin/curl

Fix: remove it, or name it as a target.

Source: https://docs.docker.com/build/building/multi-stage/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.display import shown, suggestion
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find stages that no target reaches, and targets that are no stages."""
    names = [stage.stage.name for stage in subject.stages if stage.stage.name is not None]
    known = {"", *names, *map(str, range(len(subject.stages)))}
    for target in subject.build.targets:
        if target.lower() not in known and subject.lines:
            remedy = suggestion(target, names, "name a stage")
            yield Fault(subject.lines[0], f"the target {shown(target)} is not a stage", remedy, "error")
    built = {id(stage) for stage in subject.built}
    for index, stage in enumerate(subject.stages):
        if id(stage) not in built:
            name = f"the stage {shown(stage.stage.name)}" if stage.stage.name else f"stage {index}"
            yield Fault(stage.line, f"no target needs {name}", "remove it, or name it as a target")


RULE = Rule("UnreachableStage", examine, __doc__ or "", "hint", ("unreachable-stage",), needs_build=True)
