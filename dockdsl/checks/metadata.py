"""MetadataCheck: what the image says about how it is run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check, asked_by
from dockdsl.checks.judging import judged_names, judged_setting, judged_value
from dockdsl.display import kind_of, shown
from dockdsl.errors import InvalidValue, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject

Value = str | re.Pattern[str] | EllipsisType | None
Values = tuple[tuple[str, Value], ...]
Words = tuple[str, ...]
ValuesLike = Mapping[str, Value] | Values | None
PortsLike = int | str | Iterable[int | str]


def _text(value: str | EllipsisType) -> str | EllipsisType:
    return value if value is ... else operand.any_text(value)


def _argv(value: Iterable[str] | EllipsisType) -> Words | EllipsisType:
    return value if value is ... else operand.argv(value)


def _healthcheck(value: str | Iterable[str] | EllipsisType | None) -> str | Words | EllipsisType | None:
    if value is ... or value is None:
        return value
    return operand.text(value) if isinstance(value, str) else operand.command(value)


def _values(value: ValuesLike) -> Values:
    found = operand.entries(value)
    for key, each in found:
        with operand.part("a name"):
            operand.text(key)
        if isinstance(each, str):
            with operand.part(f"the value of {shown(key)}"):
                operand.any_text(each)
        elif not (each is ... or each is None or isinstance(each, re.Pattern)):
            remedy = "pass a str, a compiled pattern, ... or None"
            raise Refused(f"the value of {shown(key)} is {kind_of(each)}", remedy, wrong_type=True)
    return found


def _ports(value: PortsLike) -> Words:
    return tuple(_port(each) for each in operand.one_or_several(value))


def _port(value: int | str) -> str:
    text = operand.text(value) if isinstance(value, str) else str(operand.whole(value, 1, 65535))
    number, _, protocol = text.partition("/")
    protocol = protocol or "tcp"
    is_number = number.isascii() and number.isdecimal() and 1 <= int(number[:6]) <= 65535
    if not is_number or protocol not in ("tcp", "udp", "sctp"):
        raise Refused(f"{shown(value)} is not a port", 'write 8080 or "53/udp"')
    return f"{number}/{protocol}"


@attrs.frozen(slots=False, repr=False, field_transformer=operand.named)
class MetadataCheck(Check):
    """What the image says about how it is run. The image is not run for it.

    What is left out is not examined.

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

    user: str | EllipsisType = attrs.field(default=..., kw_only=True, converter=_text)
    workdir: str | EllipsisType = attrs.field(default=..., kw_only=True, converter=_text)
    stopsignal: str | EllipsisType = attrs.field(default=..., kw_only=True, converter=_text)
    entrypoint: Words | EllipsisType = attrs.field(default=..., kw_only=True, converter=_argv)
    cmd: Words | EllipsisType = attrs.field(default=..., kw_only=True, converter=_argv)
    env: Values = attrs.field(default=(), kw_only=True, converter=_values)
    labels: Values = attrs.field(default=(), kw_only=True, converter=_values)
    ports: Words = attrs.field(default=(), kw_only=True, converter=_ports)
    no_ports: Words = attrs.field(default=(), kw_only=True, converter=_ports)
    volumes: Words = attrs.field(default=(), kw_only=True, converter=operand.texts)
    no_volumes: Words = attrs.field(default=(), kw_only=True, converter=operand.texts)
    healthcheck: str | Words | EllipsisType | None = attrs.field(default=..., kw_only=True, converter=_healthcheck)
    architecture: str | EllipsisType = attrs.field(default=..., kw_only=True, converter=_text)
    os: str | EllipsisType = attrs.field(default=..., kw_only=True, converter=_text)

    def __attrs_post_init__(self) -> None:
        if not asked_by(self):
            raise InvalidValue("MetadataCheck: it expects nothing; pass at least one thing that the image must say")

    @property
    def title(self) -> str:
        """What is examined."""
        return f"metadata {', '.join(asked_by(self))}"

    def examine(self, subject: Subject) -> CheckResult:
        """Compare what the engine knows about the image."""
        return self.result(self._differences(subject))

    def _differences(self, subject: Subject) -> Iterator[str]:
        facts, config = subject.facts, subject.config
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
            if expected is not ...:
                yield from judged_setting(name, expected, found)
        for name, value in self.env:
            yield from judged_value("variable", name, value, subject.variables.get(name))
        for name, value in self.labels:
            yield from judged_value("label", name, value, (config.get("Labels") or {}).get(name))
        yield from judged_names("port", self.ports, self.no_ports, config.get("ExposedPorts") or ())
        yield from judged_names("volume", self.volumes, self.no_volumes, config.get("Volumes") or ())


def _test(healthcheck: Mapping[str, Any]) -> Any:
    """Return a health check as it is written here."""
    kind, *rest = healthcheck.get("Test") or ["NONE"]
    return {"NONE": None, "CMD-SHELL": " ".join(rest)}.get(kind, tuple(rest))
