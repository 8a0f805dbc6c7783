"""MetadataCheck: what the image says of how it is run."""
# ruff: noqa: PLC0415 - writing a check down needs no engine; what it looks with is imported when it looks

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check
from dockdsl.errors import InvalidType, InvalidValue
from dockdsl.operands import TextsLike, kind_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject

Value = str | re.Pattern[str] | EllipsisType | None
Values = tuple[tuple[str, Value], ...]
Words = tuple[str, ...]


ValuesLike = Mapping[str, Value] | Values | None
PortsLike = int | str | Iterable[int | str]


def _one(name: str, value: str | EllipsisType) -> str | EllipsisType:
    return value if value is ... else operand.text(f"MetadataCheck: {name}", value, empty=True)


def _user(value: str | EllipsisType) -> str | EllipsisType:
    return _one("user", value)


def _workdir(value: str | EllipsisType) -> str | EllipsisType:
    return _one("workdir", value)


def _stopsignal(value: str | EllipsisType) -> str | EllipsisType:
    return _one("stopsignal", value)


def _architecture(value: str | EllipsisType) -> str | EllipsisType:
    return _one("architecture", value)


def _os(value: str | EllipsisType) -> str | EllipsisType:
    return _one("os", value)


def _entrypoint(value: Iterable[str] | EllipsisType) -> Words | EllipsisType:
    return value if value is ... else operand.argv("MetadataCheck: entrypoint", value, empty=True)


def _cmd(value: Iterable[str] | EllipsisType) -> Words | EllipsisType:
    return value if value is ... else operand.argv("MetadataCheck: cmd", value, empty=True)


def _healthcheck(value: str | Iterable[str] | EllipsisType | None) -> str | Words | EllipsisType | None:
    if value is ... or value is None:
        return value
    if isinstance(value, str):
        return operand.text("MetadataCheck: healthcheck", value)
    return operand.argv("MetadataCheck: healthcheck", value)


def _values(name: str, value: ValuesLike) -> Values:
    found = operand.entries(f"MetadataCheck: {name}", value)
    for key, each in found:
        operand.text(f"MetadataCheck: {name}: a name", key)
        if not (each is ... or each is None or isinstance(each, (str, re.Pattern))):
            raise InvalidType(
                f"MetadataCheck: {name}: the value of {key} is of the type {kind_of(each)}; "
                "pass a str, a compiled pattern, ... or None"
            )
    return found


def _env(value: ValuesLike) -> Values:
    return _values("env", value)


def _labels(value: ValuesLike) -> Values:
    return _values("labels", value)


def _several_ports(name: str, value: PortsLike) -> Words:
    several = (value,) if isinstance(value, (int, str)) else value
    if not isinstance(several, Iterable):
        raise InvalidType(f"MetadataCheck: {name} is of the type {kind_of(value)}; pass ports")
    return tuple(_port(name, each) for each in several)


def _ports(value: PortsLike) -> Words:
    return _several_ports("ports", value)


def _no_ports(value: PortsLike) -> Words:
    return _several_ports("no_ports", value)


def _volumes(value: TextsLike) -> Words:
    return operand.texts("MetadataCheck: volumes", value)


def _no_volumes(value: TextsLike) -> Words:
    return operand.texts("MetadataCheck: no_volumes", value)


def _port(name: str, value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    number, _, protocol = operand.text(f"MetadataCheck: {name}", text).partition("/")
    if not (number.isascii() and number.isdecimal() and 1 <= int(number[:6]) <= 65535) or protocol not in (
        "",
        "tcp",
        "udp",
        "sctp",
    ):
        raise InvalidValue(f'MetadataCheck: {name}: {shown(value)} is no port; write 8080 or "53/udp"')
    return f"{number}/{protocol or 'tcp'}"


@attrs.frozen(slots=False)
class MetadataCheck(Check):
    """What the image says of how it is run. The image is not run for it.

    What is left out is not looked at.

    `user`, `workdir`, `stopsignal`
        As the image has them; ``""`` for none.
    `entrypoint`, `cmd`
        Lists of arguments; ``[]`` for none. A command in shell form has the shell in front: ``["/bin/sh", "-c", "…"]``.
    `env`, `labels`
        Names, each with its value; ``...`` stands for any, None for a name that must not be there. A value of
        ``re.compile("…")`` must be found.
    `ports`, `volumes`
        Ports that must be exposed, as ``8080`` or ``"53/udp"``, and volumes that must be there.
    `no_ports`, `no_volumes`
        Those that must not.
    `healthcheck`
        The command: a list for the exec form, a str for the shell form; None for none.
    `architecture`, `os`
        ``"arm64"``, ``"linux"``.

    Raises `InvalidValue` and `InvalidType`.

    >>> MetadataCheck(user="65532:65532", ports=8080, env={"PATH": ...}).title
    'metadata user, env, ports'

    Source: the image specification of the Open Container Initiative, and the Docker Engine API.
    """

    user: str | EllipsisType = attrs.field(default=..., kw_only=True, converter=_user)
    workdir: str | EllipsisType = attrs.field(default=..., kw_only=True, converter=_workdir)
    stopsignal: str | EllipsisType = attrs.field(default=..., kw_only=True, converter=_stopsignal)
    entrypoint: Words | EllipsisType = attrs.field(default=..., kw_only=True, converter=_entrypoint)
    cmd: Words | EllipsisType = attrs.field(default=..., kw_only=True, converter=_cmd)
    env: Values = attrs.field(default=(), kw_only=True, converter=_env)
    labels: Values = attrs.field(default=(), kw_only=True, converter=_labels)
    ports: Words = attrs.field(default=(), kw_only=True, converter=_ports)
    no_ports: Words = attrs.field(default=(), kw_only=True, converter=_no_ports)
    volumes: Words = attrs.field(default=(), kw_only=True, converter=_volumes)
    no_volumes: Words = attrs.field(default=(), kw_only=True, converter=_no_volumes)
    healthcheck: str | Words | EllipsisType | None = attrs.field(default=..., kw_only=True, converter=_healthcheck)
    architecture: str | EllipsisType = attrs.field(default=..., kw_only=True, converter=_architecture)
    os: str | EllipsisType = attrs.field(default=..., kw_only=True, converter=_os)

    def __attrs_post_init__(self) -> None:
        if not self._asked():
            raise InvalidValue("MetadataCheck: it expects nothing; name what the image must say")

    def _asked(self) -> list[str]:
        fields = [each for each in attrs.fields(MetadataCheck) if each.name != "origin"]
        return [each.name for each in fields if getattr(self, each.name) not in (each.default, ...)]

    @property
    def title(self) -> str:
        """What is looked at."""
        return f"metadata {', '.join(self._asked())}"

    def examine(self, subject: Subject) -> CheckResult:
        """Compare what the engine knows of the image."""
        from dockdsl.checks.report import CheckResult

        wrong = list(self._differences(subject.facts, subject.config))
        return CheckResult(title=self.title, mismatches=wrong, origin=self.origin)

    def _differences(self, facts: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
        for name, expected, found in (
            ("user", self.user, config.get("User") or ""),
            ("workdir", self.workdir, config.get("WorkingDir") or ""),
            ("stopsignal", self.stopsignal, config.get("StopSignal") or ""),
            ("entrypoint", self.entrypoint, tuple(config.get("Entrypoint") or ())),
            ("cmd", self.cmd, tuple(config.get("Cmd") or ())),
            ("healthcheck", self.healthcheck, _test(config.get("Healthcheck") or {})),
            ("architecture", self.architecture, facts.get("Architecture") or ""),
            ("os", self.os, facts.get("Os") or ""),
        ):
            if expected is not ... and expected != found:
                yield f"expected {name} {_said(expected)}, got {_said(found)}"
        env = dict(each.partition("=")[::2] for each in config.get("Env") or ())
        yield from _unlike("the variable", self.env, env)
        yield from _unlike("the label", self.labels, config.get("Labels") or {})
        ports, volumes = config.get("ExposedPorts") or {}, config.get("Volumes") or {}
        yield from _presence("port", self.ports, self.no_ports, ports)
        yield from _presence("volume", self.volumes, self.no_volumes, volumes)


def _test(healthcheck: Mapping[str, Any]) -> Any:
    """Return a health check as it is written here."""
    kind, *rest = healthcheck.get("Test") or ["NONE"]
    return {"NONE": None, "CMD-SHELL": " ".join(rest)}.get(kind, tuple(rest))


def _unlike(what: str, expected: Any, found: Mapping[str, str]) -> Iterator[str]:
    for name, value in expected:
        there = found.get(name)
        if value is None:
            if there is not None:
                yield f"expected no {what.removeprefix('the ')} {name}, got {_said(there)}"
        elif there is None:
            yield f"expected {what} {name}, got none"
        elif isinstance(value, re.Pattern):
            if value.search(there) is None:
                yield f"expected {name} with a match of {_said(value.pattern)}, got {_said(there)}"
        elif value is not ... and there != value:
            yield f"expected {name}={_said(value)}, got {_said(there)}"


def _presence(what: str, expected: Any, absent: Any, found: Iterable[str]) -> Iterator[str]:
    there = set(found)
    told = ", ".join(sorted(there)) or "none"
    yield from (f"expected the {what} {each}, got {told}" for each in expected if each not in there)
    yield from (f"expected no {what} {each}, got {told}" for each in absent if each in there)


def _said(value: Any) -> str:
    if value is None or value in ("", ()):
        return "none"
    return shown(list(value) if isinstance(value, tuple) else value)
