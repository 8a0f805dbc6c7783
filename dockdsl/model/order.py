"""The stages that targets need: which they are, and their order."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

from dockdsl.display import shown
from dockdsl.errors import StageError, UnknownStage
from dockdsl.instructions.instruction import Instruction
from dockdsl.instructions.located import Located
from dockdsl.instructions.sources import External
from dockdsl.model.stage import RESERVED, Stage, has_variable, reached, walked
from dockdsl.syntax.lazy_regex import lazy_regex

if TYPE_CHECKING:
    from dockdsl.model.variable_bases import Candidates

_looks_like_stage = lazy_regex(r"[A-Za-z][A-Za-z0-9_.-]*")

_INSTEAD_OF_RESERVED = {
    "scratch": "scratch is empty: pass the Stage that has the files, or external('scratch') if nothing is meant",
    "context": "leave it out for the build context, or write external('context') for a named context of that name",
}
# Single words that are far more often images than stages. Any other one is most likely a misspelled stage.
_OFFICIAL_IMAGES = frozenset(
    """adminer almalinux alpine alt amazoncorretto amazonlinux archlinux bash buildpack-deps busybox caddy cassandra
    centos chronograf clojure composer consul couchbase couchdb crate dart debian docker drupal eclipse-mosquitto
    eclipse-temurin elasticsearch elixir erlang fedora flink fluentd gcc ghost golang gradle groovy haproxy haskell
    haxe hello-world hitch httpd ibmjava influxdb irssi jetty joomla jruby julia kibana kong liquibase logstash
    mariadb matomo maven mediawiki memcached mongo mongo-express monica mono mysql nats neo4j nextcloud nginx node
    odoo openjdk open-liberty oraclelinux orientdb percona perl photon php phpmyadmin postgres pypy python r-base
    rabbitmq rakudo-star redis redmine registry rethinkdb rockylinux ros ruby rust sapmachine silverpeas solr
    sonarqube spark storm swift swipl telegraf tomcat tomee traefik ubuntu unit vault wordpress xwiki yourls znc
    zookeeper""".split()
)


def is_stage_like(source: str) -> bool:
    """Whether a name is most likely that of a stage."""
    return _looks_like_stage().fullmatch(source) is not None and source not in _OFFICIAL_IMAGES


def called(stage: Stage) -> str:
    """Return the name of a stage in messages."""
    return f"stage {stage.name!r}" if stage.name else f"the unnamed stage on {shown(stage.base)}"


def collect(targets: Sequence[Stage], args: Sequence[Instruction] | None, dockerfile: Located) -> tuple[Stage, ...]:
    """Return `targets` and all stages that they need, each once, after those that it needs; the last target is last.

    `args` are those above the first stage; None if the variables in bases do not count, because a file has an order.

    Raises `StageError` if they do not fit together, `UnknownStage` if a name looks like a stage and is not one of them.
    """
    order = _merged(reached(targets))
    by_name = {stage.name: stage for stage in order if stage.name is not None}
    needs: dict[int, list[Stage]] = {}
    if any(_names_something(stage, by_name) for stage in order):
        needs = {id(stage): list(_named_needs(stage, by_name)) for stage in order}
        _check_external(order, by_name, bases=False)
        bases: dict[int, Candidates] = {}
        if args is not None and any(has_variable(stage.base) for stage in order):
            from dockdsl.model.variable_bases import candidates_of  # noqa: PLC0415 - few bases have variables

            bases = candidates_of(order, by_name, args)
        order, needs = _ordered(order, targets[-1], needs, bases, by_name)
        _check_external(order, by_name, bases=True)
    last = targets[-1]
    if order[-1] is not last and order[-1] != last:
        user = next(each for each in reversed(order) if last in each.needed_stages() or last in needs.get(id(each), ()))
        is_sure = last in user.needed_stages() or last in _named_needs(user, by_name)
        raise StageError(
            f"Dockerfile: the last target, {called(last)}, is built by default and so must come last, but "
            f"{called(user)} {'needs it' if is_sure else 'may be based on it'}; put it before the others, or leave it "
            "out",
            origin=dockerfile.origin,
        )
    return tuple(order)


def _ordered(
    order: list[Stage],
    last: Stage,
    named: dict[int, list[Stage]],
    bases: dict[int, Candidates],
    by_name: dict[str, Stage],
) -> tuple[list[Stage], dict[int, list[Stage]]]:
    """Return the stages, each after those that it needs by name, and these needs.

    A stage comes after all that its base may mean, whatever the variables are set to. Where that is not possible, it
    comes after those that it is expected to mean; only what is certain can close a cycle.
    """
    for level in range(3 if bases else 0):
        needs = {key: [*needs, *(bases[key][level] if key in bases else ())] for key, needs in named.items()}
        with contextlib.suppress(*[StageError] if level < 2 else []):
            found = _sorted(order, needs, by_name)
            if level or found[-1] is last or found[-1] == last:
                return found, needs
    return (_sorted(order, named, by_name) if any(named.values()) else order), named


def _names_something(stage: Stage, by_name: dict[str, Stage]) -> bool:
    """Whether a stage refers to anything by name, a stage or an image."""
    if (isinstance(stage.base, str) and stage.base in by_name) or has_variable(stage.base):
        return True
    for each in stage.references():  # noqa: SIM110 - a loop is twice as fast as a generator here
        if isinstance(each.source, str):
            return True
    return False


def _named_needs(stage: Stage, by_name: dict[str, Stage]) -> Iterator[Stage]:
    """Yield the stages that a stage refers to by name; refuse a name that looks like a stage and is not one of them."""
    if type(stage.base) is str and stage.base != stage.name and stage.base in by_name:
        yield by_name[stage.base]
    for each in stage.references():
        source = each.source
        if isinstance(source, str) and not isinstance(source, External):
            if source.lower() in by_name:
                yield by_name[source.lower()]
            elif is_stage_like(source):
                raise _unknown(stage, source, by_name)


def _unknown(stage: Stage, source: str, by_name: Iterable[str]) -> UnknownStage:
    from difflib import get_close_matches  # noqa: PLC0415 - only needed for the message

    step = next(step for step in stage.steps if source in [each.source for each in step.references()])
    if source in RESERVED:
        remedy = _INSTEAD_OF_RESERVED[source]
    else:
        near = get_close_matches(source, list(by_name), 1)
        remedy = (
            f"{f'did you mean {near[0]!r}? ' if near else ''}pass the Stage itself, write an image with its tag "
            f'("{source}:latest"), or external({source!r}) for a context'
        )
    return UnknownStage(
        f"{step.keyword} in {called(stage)}: from_={source!r} is not another stage of this Dockerfile; {remedy}",
        origin=step.origin,
    )


def _check_external(order: Sequence[Stage], by_name: dict[str, Stage], *, bases: bool) -> None:
    """Refuse an external name that a stage above has as well, since BuildKit would use the stage."""
    above: set[str | None] = set()
    for stage in order:
        for name in [stage.base] if bases else [each.source for each in stage.references()]:
            if isinstance(name, External):
                known = str(name) if bases else name.lower()
                what = f"the image {name!r}" if bases else f"external({str(name)!r})"
                if known in above:
                    raise StageError(
                        f"{called(stage)}: {what} is also the name of the stage at {by_name[known].origin}, "
                        "which BuildKit would use instead; rename the stage",
                        origin=stage.origin,
                    )
        above.add(stage.name)


def _merged(order: list[Stage]) -> list[Stage]:
    """Keep one of several equal stages with the same name; refuse different ones."""
    by_name: dict[str, Stage] = {}
    kept: list[Stage] = []
    for stage in order:
        other = by_name.get(stage.name) if stage.name is not None else None
        if other is None:
            kept.append(stage)
            if stage.name is not None:
                by_name[stage.name] = stage
        elif other.is_read and stage.is_read:
            # A file may have a name twice: BuildKit uses the stage above or, for a copy, the last one.
            kept.append(stage)
        elif other != stage:
            raise _two_of_a_name(other, stage, order)
    return kept


def _two_of_a_name(one: Stage, other: Stage, order: Sequence[Stage]) -> StageError:
    where, remedy = f"at {one.origin} and at {other.origin}", "rename one"
    users = {id(need): stage for stage in order for need in stage.needed_stages()}
    used, free = (one, other) if id(one) in users else (other, one)
    if id(used) in users:
        where = f"at {free.origin} and at {used.origin}, which {called(users[id(used)])} refers to"
        remedy += (
            ", or, if one is a changed copy of the other, change it with Dockerfile.map, which moves references to it"
        )
    return StageError(
        f"Stage: two different stages are named {one.name!r}, {where}; {remedy}",
        origin=other.origin,
    )


def _sorted(order: list[Stage], needs: dict[int, list[Stage]], by_name: dict[str, Stage]) -> list[Stage]:
    """Sort the stages by all their needs, including those by name; refuse a cycle."""

    def needed(stage: Stage) -> list[Stage]:
        # Of equal stages with the same name, one is kept.
        by_object = [by_name.get(each.name, each) if each.name else each for each in stage.needed_stages()]
        return by_object + needs.get(id(stage), [])

    return walked(order, needed, refuse_cycle)


def refuse_cycle(cycle: list[Stage]) -> NoReturn:
    """Raise the error for stages that depend on each other."""
    places = ", ".join(f"{called(each)} at {each.origin}" for each in cycle)
    message = f"Stage: stages depend on each other in a cycle: {places}; break the cycle"
    raise StageError(message, origin=cycle[-1].origin)


def targets_of(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Return the targets of a file that was read: what no other stage needs, or all if that gives another order."""
    needed = {id(need) for stage in stages for need in stage.needed_stages()}
    if not needed:
        return tuple(stages)
    targets = tuple([stage for stage in stages if id(stage) not in needed or stage is stages[-1]])
    return targets if all(map(operator.is_, reached(targets), stages)) else tuple(stages)
