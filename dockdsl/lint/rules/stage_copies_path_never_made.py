"""What is copied or mounted from a stage is made there.

This is only certain for stages on ``scratch`` in which nothing runs: they have what was copied to them. The build
fails: ``"/srv/public": not found``.

Files::

    public/index.html

Bad::

    FROM scratch AS site
    COPY public /srv/www

    FROM alpine:3.22
    COPY --from=site /srv/public /www

Good::

    FROM scratch AS site
    COPY public /srv/www

    FROM alpine:3.22
    COPY --from=site /srv/www/index.html /www/

Fix: correct the path.

Source: https://docs.docker.com/build/building/multi-stage/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.display import shown
from dockdsl.lint.effects import From, Ran, Transfer
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find paths that no step of the stage made."""
    for stage in subject.built:
        for done in stage.steps:
            sources: tuple[From, ...] = ()
            if isinstance(done, Transfer):
                sources = done.sources
            elif isinstance(done, Ran):
                sources = tuple([source for _, source, _ in done.binds])
            for source in sources:
                # One without steps is there to be replaced by a named context.
                if (
                    source.stage is None
                    or not source.stage.steps
                    or source.text is None
                    or (isinstance(done, Transfer) and source.is_pattern)
                ):
                    continue
                if source.stage.look(source.path).kind == "absent":
                    name = source.stage.stage.name
                    where = f"the stage {shown(name)}" if name else "that stage"
                    yield Fault(done.line, f"no step of {where} makes {shown(source.path)}", "correct the path")


RULE = Rule(
    "StageCopiesPathNeverMade", examine, __doc__ or "", "error", ("stage-copies-path-never-made",), needs_build=True
)
