"""HEALTHCHECK: how the engine finds out whether a container works."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused, refuse_type
from dockdsl.instructions.commands import (
    Command,
    WithCommand,
    argv,
    command,
    exec_form,
    plain_exec,
    read_command,
    shell_form,
)
from dockdsl.instructions.constructor import plain_if
from dockdsl.syntax.flags import Kind, convert_later, declared, flag
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.misread import Misread
from dockdsl.syntax.shell import Layout, is_plain
from dockdsl.syntax.words import Spelling, plain

if TYPE_CHECKING:
    from datetime import timedelta

_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_is_duration = lazy_regex(r"\+?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|ms|s|m|h))+|0")
_is_plain_duration = lazy_regex(r"[1-9][0-9]{0,5}[smh]")
_is_read_duration = lazy_regex(r"[-+]?(?:(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+|0)")
_is_integer = lazy_regex(r"[-+]?[0-9]+")
_parts = lazy_regex(r"([0-9.]+)(ns|us|ms|s|m|h)")
# BuildKit splits it byte by byte, so only ASCII whitespace counts.
_BLANKS = "\t\n\v\f\r "
_first_word = lazy_regex(rf"[^{_BLANKS}]+")
_MOST_RETRIES = 2**31 - 1
# The engine counts nanoseconds in 63 bits.
_LONGEST = 2**63 / 1e9

Duration: TypeAlias = "str | timedelta"


def _duration(value: Duration | None) -> str | None:
    if value is None or (type(value) is str and value.isascii()):
        return value
    from datetime import timedelta  # noqa: PLC0415 - most durations are text

    if isinstance(value, timedelta):
        microseconds = round(value / timedelta(microseconds=1))
        return f"{microseconds // 1_000_000}s" if microseconds % 1_000_000 == 0 else f"{microseconds}us"
    return _in_ascii(plain(value)) if isinstance(value, str) else value


def _in_ascii(value: str) -> str:
    # Two characters are used as the sign for micro, and neither is ASCII.
    return value.replace("\u00b5", "u").replace("\u03bc", "u")


def _check_length(value: str, refuse: type[Refused | Misread]) -> None:
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _parts().findall(value))
    if seconds and (value.startswith("-") or seconds < 0.001):  # BuildKit's own bound
        raise refuse(f"the duration {shown(value)} is shorter than a millisecond", "make it 0 or at least 1ms")
    if seconds >= _LONGEST:
        raise refuse(f"the duration {shown(value)} is longer than the engine allows", "make it shorter")


def _write_duration(_spelling: Spelling, value: Any) -> str:
    if not isinstance(value, str):
        raise refuse_type("duration", value, 'write it as "10s" or a timedelta')
    if not _is_duration().fullmatch(value):
        raise Refused(f"{shown(value)} is not a duration", 'write it as "10s", "1m30s" or "500ms"')
    _check_length(value, Refused)
    return value


def _read_duration(_line: Line, value: str) -> str:
    if _is_read_duration().fullmatch(value) is None:
        raise Misread(f"{value!r} is not a duration", 'write it as "10s", "1m30s" or "500ms"')
    value = _in_ascii(value)
    _check_length(value, Misread)
    return "0" if value.startswith("-") else value


def _read_retries(_line: Line, value: str) -> int:
    digits = value.lstrip("+-").lstrip("0") or "0"
    negative = value.startswith("-") and digits != "0"
    if not _is_integer().fullmatch(value) or negative or len(digits) > 10 or int(digits) > _MOST_RETRIES:
        raise Misread(f"{shown(value)} is not a number, or is out of range", "use 0 or more")
    return int(digits)


def _write_retries(_spelling: Spelling, value: Any) -> str:
    if type(value) is not int:
        raise refuse_type("number", value, "pass an int")
    if not 0 <= value <= _MOST_RETRIES:
        raise Refused(f"the number {shown(value)} is out of range", "use 0 (for the default of three) or more")
    return str(value)


def _plain_duration(value: Any) -> str | None:
    return f"={value}" if type(value) is str and _is_plain_duration().fullmatch(value) else None


_DURATION = Kind(_write_duration, _read_duration, plain=_plain_duration)
_RETRIES = Kind(_write_retries, _read_retries)


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Healthcheck(WithCommand):
    """Set the command that checks whether a container works: ``HEALTHCHECK [flags] CMD command``.

    ``Healthcheck("text")`` passes the text to ``/bin/sh``, whatever `Shell` says. `Healthcheck.exec` names a program
    and its arguments, which works in images without a shell. `Healthcheck.none` disables an inherited check.

    `interval`
        The time between two checks.
    `timeout`
        The time after which a check has failed.
    `start_period`
        The time after the start of the container in which failures do not count.
    `start_interval`
        The time between two checks in the start period.
    `retries`
        The number of failures in a row that make the container unhealthy; 0 for the default of three.

    Times are text such as ``"10s"``, ``"1m30s"`` or ``"500ms"``, or a ``timedelta``: 0 (for the default), or at least a
    millisecond.

    Raises `InvalidValue` for a value that cannot be written in a Dockerfile, `InvalidType` for a wrong type.

    >>> print(Healthcheck.exec("/api", "healthcheck", interval="10s"))
    HEALTHCHECK --interval=10s CMD ["/api", "healthcheck"]
    >>> print(Healthcheck.none())
    HEALTHCHECK NONE

    Source: the Dockerfile reference, "HEALTHCHECK".
    """

    KEYWORD: ClassVar[str] = "HEALTHCHECK"

    command: Command | None = attrs.field(
        converter=attrs.converters.optional(command),
        metadata=plain_if(is_plain, kinds=(str, Layout), write=plain_exec, before=" CMD "),
    )
    interval: str | None = attrs.field(
        default=None, converter=_duration, kw_only=True, metadata=flag("interval", _DURATION)
    )
    timeout: str | None = attrs.field(
        default=None, converter=_duration, kw_only=True, metadata=flag("timeout", _DURATION)
    )
    start_period: str | None = attrs.field(
        default=None, converter=_duration, kw_only=True, metadata=flag("start-period", _DURATION)
    )
    start_interval: str | None = attrs.field(
        default=None, converter=_duration, kw_only=True, metadata=flag("start-interval", _DURATION, since="1.6")
    )
    retries: int | None = attrs.field(default=None, kw_only=True, metadata=flag("retries", _RETRIES))

    @classmethod
    def exec(
        cls,
        *arguments: str,
        interval: Duration | None = None,
        timeout: Duration | None = None,
        start_period: Duration | None = None,
        start_interval: Duration | None = None,
        retries: int | None = None,
    ) -> Self:
        """Check with a program and its arguments, without a shell; the options are those of `Healthcheck`.

        Raises what `Healthcheck` raises; also `InvalidType` for an argument that is not a ``str``.

        >>> print(Healthcheck.exec("/api", "healthcheck", retries=5))
        HEALTHCHECK --retries=5 CMD ["/api", "healthcheck"]

        Source: the Dockerfile reference, "HEALTHCHECK".
        """
        return cls(
            argv(cls, arguments),
            interval=interval,
            timeout=timeout,
            start_period=start_period,
            start_interval=start_interval,
            retries=retries,
        )

    @classmethod
    def none(cls) -> Self:
        """Disable the health check of the base image.

        >>> print(Healthcheck.none())
        HEALTHCHECK NONE

        Source: the Dockerfile reference, "HEALTHCHECK".
        """
        return cls(None)

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        text = line.text
        kind = _first_word().match(text)
        word = kind[0].upper() if kind else ""
        if word == "NONE":
            # BuildKit reads a list without items as no operands.
            if len(text) > len(word) and line.array(start=len(word)) != []:
                raise line.wrong("NONE takes no operands", "remove them", text[len(word) :].strip(_BLANKS))
            # BuildKit takes no notice of the flags.
            line.flags = ()
            return {"command": None}
        if word != "CMD":
            fact = f"{kind[0]!r} is neither CMD nor NONE" if kind else "neither CMD nor NONE is given"
            raise line.wrong(fact, "write HEALTHCHECK CMD command", kind[0] if kind else None)
        start = len(text) - len(text[3:].lstrip(_BLANKS))
        if start == len(text):
            raise line.wrong("no command follows CMD", "write HEALTHCHECK CMD command")
        command = read_command(line, start)
        if not command:
            raise line.wrong("the command is empty", "name the program", "[")
        return {"command": command}

    def operands(self, spelling: Spelling) -> Sequence[str]:
        if self.command is None:
            if declared(type(self)).given(self.__dict__):
                raise Refused("the options have no effect without a command", "leave them out")
            return "NONE"
        if isinstance(self.command, tuple):
            if not self.command:
                raise Refused("the command is empty", "name the program, or use Healthcheck.none()")
            first, *rest = exec_form(self.command)
            return [f"CMD {first}", *rest]
        return f"CMD {shell_form(self.command, 'Healthcheck', spelling.escape)}"
