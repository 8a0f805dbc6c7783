"""Dockerfile: the stages that its targets reach, in order, with directives and global arguments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from typing import Literal as OneOf

import attrs

from dockdsl.errors import InvalidType, InvalidValue, StageError, UnknownStage
from dockdsl.instructions._base import External, Instruction, Located
from dockdsl.instructions.arg import Arg
from dockdsl.instructions.comment import Comment
from dockdsl.instructions.verbatim import Verbatim
from dockdsl.model.stage import RESERVED, Stage, Steps, flatten, reached
from dockdsl.origins import Origin, call_site
from dockdsl.syntax.refusal import kind_of, shown
from dockdsl.syntax.versions import SyntaxVersion, highest
from dockdsl.syntax.words import BACKTICK

FRONTEND = "docker/dockerfile"
is_check = re.compile(
    r"(?:skip=(?:all|[A-Za-z]+(?:,[A-Za-z]+)*)|error=(?:true|false)|experimental=(?:all|[A-Za-z]+(?:,[A-Za-z]+)*))"
).fullmatch
_looks_like_stage = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*").fullmatch

_INSTEAD_OF_RESERVED = {
    "scratch": "scratch is empty: pass the Stage that has the files, or external('scratch') where nothing is meant",
    "context": "leave it out for the build context, or write external('context') for a named context of that name",
}
# One-word names that are images far more often than stages. Any other one is most often a misspelled stage.
_OFFICIAL_IMAGES = frozenset(
    # A block of words reads better than a hundred quoted ones.
    """adminer almalinux alpine alt amazoncorretto amazonlinux archlinux bash buildpack-deps busybox caddy cassandra
    centos chronograf clojure composer consul couchbase couchdb crate dart debian docker drupal eclipse-mosquitto
    eclipse-temurin elasticsearch elixir erlang fedora flink fluentd gcc ghost golang gradle groovy haproxy haskell
    haxe hello-world hitch httpd ibmjava influxdb irssi jetty joomla jruby julia kibana kong liquibase logstash
    mariadb matomo maven mediawiki memcached mongo mongo-express monica mono mysql nats neo4j nextcloud nginx node
    odoo openjdk open-liberty oraclelinux orientdb percona perl photon php phpmyadmin postgres pypy python r-base
    rabbitmq rakudo-star redis redmine registry rethinkdb rockylinux ros ruby rust sapmachine silverpeas solr
    sonarqube spark storm swift swipl telegraf tomcat tomee traefik ubuntu unit vault wordpress xwiki yourls znc
    zookeeper""".split()  # noqa: SIM905
)


def is_stage_like(source: str) -> bool:
    """Whether a name is most often that of a stage."""
    return _looks_like_stage(source) is not None and source not in _OFFICIAL_IMAGES


def _targets(value: Stage | Iterable[Stage]) -> tuple[Stage, ...]:
    if isinstance(value, Stage):
        return (value,)
    if isinstance(value, (str, Instruction)) or not isinstance(value, Iterable):
        raise InvalidType(f"Dockerfile: the target {shown(value)} is {kind_of(value)}; pass a Stage or several")
    targets = tuple(value)
    for target in targets:
        if not isinstance(target, Stage):
            raise InvalidType(f"Dockerfile: the target {shown(target)} is {kind_of(target)}; pass a Stage")
    if not targets:
        raise InvalidValue("Dockerfile: no target is given; pass at least one Stage")
    return targets


def _args(value: Steps) -> tuple[Instruction, ...]:
    found = flatten(value, "Dockerfile args")
    for each in found:
        if not isinstance(each, (Arg, Comment)) and not _declares(each):
            raise InvalidType(
                f"Dockerfile args: {each!r} is no Arg or Comment; put it into a stage",
                origin=each.origin,
            )
    return found


def _declares(value: Instruction) -> bool:
    return isinstance(value, Verbatim) and value.keyword == "ARG"


@attrs.frozen(slots=False, repr=False)
class Dockerfile(Located):
    """A Dockerfile: all the stages that its targets reach, each once, from base to final.

    `targets`
        A `Stage` or several; the last one is what is built by default.
    `args`
        `Arg` (and `Comment`) before the first stage: the variables that ``FROM`` lines may use.
    `syntax`
        The image of the frontend for ``# syntax=``, such as ``"docker/dockerfile:1"``; ``"auto"`` picks
        the lowest version that knows all that is used. By default nothing is written, since the line costs
        a look into a registry on every build, and fails where none is reachable.
    `escape`
        The escape character, a backslash or a backtick (for Windows paths).
    `check`
        The ``# check=`` directive, such as ``"skip=StageNameCasing;error=true"``.

    Raises `StageError` for two different stages under one name, a cycle, and a default target that an
    earlier target needs; `UnknownStage` for a string ``from_`` that names no stage and looks like one;
    `InvalidValue` and `InvalidType` for other values.

    >>> print(Dockerfile(Stage("scratch")), end="")
    FROM scratch

    Source: the Dockerfile reference, "Parser directives" and "FROM".
    """

    targets: tuple[Stage, ...] = attrs.field(converter=_targets, eq=False)
    args: tuple[Instruction, ...] = attrs.field(default=(), converter=_args)
    syntax: str | None = attrs.field(default=None, eq=False)
    escape: OneOf["\\", "`"] = "\\"
    check: str | None = None
    stages: tuple[Stage, ...] = attrs.field(init=False, default=())
    """The stages in the order in which they are written."""
    frontend: str | None = attrs.field(init=False, default=None)
    """The image that ``# syntax=`` names, if the line is written."""

    def __attrs_post_init__(self) -> None:
        values = self.__dict__
        values["_origin"] = call_site()
        values["stages"] = self._collect()
        self._check_directives()
        self._check_escapes()
        if self.escape == "`":
            self._spell_with_backtick()
        values["frontend"] = f"{FRONTEND}:{self.minimum_syntax}" if self.syntax == "auto" else self.syntax

    @classmethod
    def made(
        cls,
        origin: Origin,
        targets: Sequence[Stage],
        stages: Sequence[Stage],
        args: Sequence[Instruction],
        *,
        syntax: str | None,
        escape: str,
        check: str | None,
    ) -> Dockerfile:
        """Return a Dockerfile that was read. Unlike one that is written it may have arguments and no stage."""
        made = cls.__new__(cls)
        made.__dict__.update(
            targets=tuple(targets),
            args=tuple(args),
            syntax=syntax,
            escape=escape,
            check=check,
            stages=tuple(stages),
            frontend=syntax,
            _origin=origin,
        )
        return made

    def _collect(self) -> tuple[Stage, ...]:
        order = _merged(reached(self.targets))
        by_name = {stage.name: stage for stage in order if stage.name is not None}
        if any(stage.by_string or (isinstance(stage.base, str) and stage.base in by_name) for stage in order):
            needs = self._named_needs(order, by_name)
            if needs:
                order = _sorted(order, needs)
            self._check_bases(order, by_name)
        last = self.targets[-1]
        if order[-1] is not last and order[-1] != last:
            needed_by = next(stage for stage in reversed(order) if last in _stages_of(stage, by_name))
            raise StageError(
                f"Dockerfile: the last target, {_called(last)}, is built by default and so stands last, but "
                f"{_called(needed_by)} needs it; put it before the others, or leave it out",
                origin=self.origin,
            )
        return tuple(order)

    def _named_needs(self, order: list[Stage], by_name: dict[str, Stage]) -> dict[int, list[Stage]]:
        """Resolve references by string; return what they add to the order."""
        needs: dict[int, list[Stage]] = {}
        above: set[str | None] = set()
        for stage in order:
            sources = [source for source in stage.references() if isinstance(source, str)]
            if type(stage.base) is str and stage.base != stage.name:
                named = by_name.get(str(stage.base))
                if named is not None:
                    needs.setdefault(id(stage), []).append(named)
            for source in sources:
                if isinstance(source, External):
                    # BuildKit takes a stage above; another one it refuses, if it comes to build the copy.
                    if source.lower() in above:
                        raise self._external_stage(stage, source, by_name[source.lower()])
                    continue
                named = by_name.get(source.lower())
                if named is not None:
                    needs.setdefault(id(stage), []).append(named)
                elif is_stage_like(source):
                    raise self._unknown(stage, source, by_name)
            above.add(stage.name)
        return needs

    def _unknown(self, stage: Stage, source: str, by_name: dict[str, Stage]) -> UnknownStage:
        from difflib import get_close_matches  # noqa: PLC0415 - only needed for the message

        step = next(step for step in stage.steps if source in step.references())
        if source in RESERVED:
            remedy = _INSTEAD_OF_RESERVED[source]
        else:
            near = get_close_matches(source, [name for name in by_name if name], 1)
            remedy = (
                f"{f'did you mean {near[0]!r}? ' if near else ''}pass the Stage itself, write an image with its tag "
                f'("{source}:latest"), or external({source!r}) for a context'
            )
        return UnknownStage(
            f"{step.KEYWORD} in {_called(stage)}: from_={source!r} names no stage of this Dockerfile; {remedy}",
            origin=step.origin,
        )

    def _external_stage(self, stage: Stage, source: External, other: Stage) -> StageError:
        return StageError(
            f"{_called(stage)}: external({str(source)!r}) is also the name of the stage at {other.origin}, "
            "which BuildKit would take; rename the stage",
            origin=stage.origin,
        )

    def _check_bases(self, order: list[Stage], by_name: dict[str, Stage]) -> None:
        seen: set[str | None] = set()
        for stage in order:
            if isinstance(stage.base, External) and stage.base in seen:
                other = by_name[str(stage.base)]
                raise StageError(
                    f"{_called(stage)}: the image {stage.base!r} is also the name of the stage at {other.origin}, "
                    "which BuildKit would take; rename the stage",
                    origin=stage.origin,
                )
            seen.add(stage.name)

    def _check_directives(self) -> None:
        if type(self.escape) is not str or self.escape not in ("\\", "`"):
            raise InvalidValue(
                f"Dockerfile: the escape character {shown(self.escape)} is none; use a backslash or a backtick",
                origin=self.origin,
            )
        for name, value in (("syntax", self.syntax), ("check", self.check)):
            if value is None:
                continue
            if type(value) is not str:
                raise InvalidType(
                    f"Dockerfile: {name} is {shown(value)}, {kind_of(value)}; pass a str", origin=self.origin
                )
            if not value or not value.isprintable() or value != value.strip() or not value.isascii():
                raise InvalidValue(
                    f"Dockerfile: {name} is {shown(value)}, which is no value of a directive; write it in one line",
                    origin=self.origin,
                )
        if self.check is not None:
            settings = self.check.split(";")
            if not all(is_check(setting) for setting in settings):
                raise InvalidValue(
                    f"Dockerfile: check is {shown(self.check)}, which BuildKit would not read whole; write "
                    '"skip=RuleOne,RuleTwo;error=true", without blanks',
                    origin=self.origin,
                )

    def _check_escapes(self) -> None:
        for steps in (self.args, *[stage.steps for stage in self.stages]):
            for step in steps:
                if type(step) is Verbatim and not step.fits(self.escape):
                    raise InvalidValue(
                        f"Dockerfile: {shown(step)} is spelled with {step.escape} as the escape character, and the "
                        f"Dockerfile has {self.escape}; spell it with the same",
                        origin=step.origin,
                    )

    def _spell_with_backtick(self) -> None:
        # What one escape character can say the other may not; that shows here, not in rendering.
        for stage in self.stages:
            for step in stage.steps:
                step.spell(BACKTICK)
        for arg in self.args:
            arg.spell(BACKTICK)

    @property
    def minimum_syntax(self) -> SyntaxVersion:
        """The lowest version of the Dockerfile frontend that knows all that is used, and whether labs is needed.

        It is a ``str`` such as ``"1.4"`` or ``"1.14-labs"``, ordered by its numbers, with a property ``labs``.

        >>> from dockdsl import Copy
        >>> Dockerfile(Stage("scratch", steps=[Copy("a", "/a", link=True)])).minimum_syntax
        '1.4'

        Source: the release notes of the ``dockerfile/1.x`` versions of BuildKit.
        """
        versions: list[str] = [stage.minimum_syntax for stage in self.stages]
        versions += [arg.minimum_syntax for arg in self.args]
        if self.check is not None:
            versions.append("1.10" if "experimental=" in self.check else "1.8")
        return highest(versions)

    def __str__(self) -> str:
        from dockdsl.text.rendering import render  # noqa: PLC0415 - rendering stands above the model

        return render(self)

    def __repr__(self) -> str:
        return f"<Dockerfile of {', '.join(_called(stage) for stage in self.stages)}>"


def _called(stage: Stage) -> str:
    return f"stage {stage.name!r}" if stage.name else f"the stage without a name on {shown(stage.base)}"


def _merged(order: list[Stage]) -> list[Stage]:
    """Keep one of several equal stages under one name; refuse different ones."""
    by_name: dict[str, Stage] = {}
    kept: list[Stage] = []
    for stage in order:
        other = by_name.get(stage.name) if stage.name is not None else None
        if other is None:
            kept.append(stage)
            if stage.name is not None:
                by_name[stage.name] = stage
        elif other.is_read and stage.is_read:
            # A file may bear a name twice: BuildKit takes the stage above or, for a copy, the last one.
            kept.append(stage)
        elif other != stage:
            raise StageError(
                f"Stage: two different stages are named {stage.name!r}, at {other.origin} and at {stage.origin}; "
                "rename one",
                origin=stage.origin,
            )
    return kept


def _stages_of(stage: Stage, by_name: dict[str, Stage]) -> list[Stage]:
    found = [source for source in stage.references() if isinstance(source, Stage)]
    found += [by_name[source] for source in stage.references() if type(source) is str and source in by_name]
    if type(stage.base) is str and stage.base in by_name and stage.base != stage.name:
        found.append(by_name[stage.base])
    return found


def _sorted(order: list[Stage], needs: dict[int, list[Stage]]) -> list[Stage]:
    """Sort again with the needs that are said by name; refuse a cycle."""
    done: dict[int, bool] = {}
    by_name = {stage.name: stage for stage in order if stage.name is not None}
    result: list[Stage] = []
    for target in order:
        if id(target) in done:
            continue
        path = [(target, iter(_needed(target, needs, by_name)))]
        done[id(target)] = False
        while path:
            stage, rest = path[-1]
            for need in rest:
                if id(need) not in done:
                    done[id(need)] = False
                    path.append((need, iter(_needed(need, needs, by_name))))
                    break
                if not done[id(need)]:
                    names = [each for each, _ in path]
                    cycle = names[[id(each) for each in names].index(id(need)) :]
                    places = ", ".join(f"{_called(each)} at {each.origin}" for each in cycle)
                    message = f"Stage: stages need each other in a circle: {places}; break it"
                    raise StageError(message, origin=stage.origin)
            else:
                done[id(stage)] = True
                result.append(stage)
                path.pop()
    return result


def _needed(stage: Stage, needs: dict[int, list[Stage]], by_name: dict[str, Stage]) -> list[Stage]:
    by_object: list[Any] = [source for source in stage.references() if isinstance(source, Stage)]
    # Of equal stages under one name, one is kept.
    kept = [by_name.get(source.name, source) if source.name else source for source in by_object]
    return kept + needs.get(id(stage), [])
