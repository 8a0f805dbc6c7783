"""EXPOSE: the ports on which the image listens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused, refuse_type
from dockdsl.instructions.constructor import plain_if
from dockdsl.instructions.converters import number_or_word, tuple_of
from dockdsl.instructions.instruction import Instruction
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.words import Spelling, Word, atoms_of

_is_port = lazy_regex(
    r"(?:(?:\[[0-9a-fA-F:.]*\]|[0-9.]*):)?(?:[0-9-]*:)?([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(?:tcp|udp|sctp))?",
    re.IGNORECASE,
)
_is_plain_port = re.compile(r"[0-9]{1,4}(?:/(?:tcp|udp))?", re.ASCII).fullmatch
_is_read = lazy_regex(r"(?:[0-9A-Fa-f:.\[\]+-]*:)?\+?[0-9]+(?:-\+?[0-9]+)?(?:/(?:tcp|udp|sctp)?)?", re.IGNORECASE)
"""What BuildKit may read as a port, too."""
_is_range = lazy_regex(r"\+?([0-9]{1,9})(?:-\+?([0-9]{1,9}))?")
_is_between = lazy_regex(r"[0-9A-Za-z:./-]*")
_HIGHEST = 65_535


@attrs.frozen(slots=False, repr=False, init=False)
class Expose(Instruction):
    """Document the ports on which the image listens: ``EXPOSE port[-port][/protocol] …``.

    A port is an ``int`` from 0 to 65535, or text: ``"53/udp"``, ``"8000-8010/tcp"``, ``"$PORT"``. The protocols are
    tcp (the default), udp and sctp. No port is published: that is done when the image is run. With ``ports=[…]``,
    they can also be given as a list.

    Raises `InvalidValue` if no port is given or one is out of range, `InvalidType` for a wrong type.

    >>> print(Expose(8080, "53/udp"))
    EXPOSE 8080 53/udp

    Source: the Dockerfile reference, "EXPOSE".
    """

    KEYWORD: ClassVar[str] = "EXPOSE"

    ports: tuple[Word, ...] = attrs.field(metadata=plain_if(_is_plain_port, several=True))

    # The keyword is what attrs.evolve passes.
    def __init__(self, *each: int | Word, ports: int | Word | Iterable[int | Word] = ()) -> None:
        self.__attrs_init__(ports=tuple([number_or_word(port) for port in (*each, *tuple_of(ports))]))

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        words = line.words()
        if not words:
            raise line.wrong("no port is given", "write EXPOSE 8080")
        if any("$" in each and any(char in each for char in ("'", '"', line.escape)) for each in words):
            raise Refused("quotes keep the value of a variable from being split into several ports", "remove them")
        return {"ports": tuple([line.word(each) for each in words])}

    def operands(self, spelling: Spelling) -> Sequence[str]:
        if not self.ports:
            raise Refused("no port is given", "name at least one")
        return [_write(port) for port in self.ports]


def _write(port: Word) -> str:
    if isinstance(port, int) and not isinstance(port, bool):
        raise Refused(f"the port {shown(port)} is out of range", f"use 0 to {_HIGHEST}")
    if not isinstance(port, str):
        raise refuse_type("port", port, "pass an int or a str")
    if "$" in port:
        return _with_variables(port)
    if ":" in port:
        _check_host(port)
    match = _is_port().fullmatch(port)
    if match is None:
        raise Refused(
            f"{shown(port)} is not a port",
            'write 8080, "53/udp" or "8000-8010/tcp"',
            by_build=_is_read().fullmatch(port) is None,
        )
    first, last = int(match[1]), int(match[2] or match[1])
    if first > _HIGHEST or last > _HIGHEST:
        raise Refused(f"the port {port} is out of range", "use 0 to 65535", by_build=True)
    if last < first:
        raise Refused(f"the range {port} runs backwards", f"write {last}-{first}", by_build=True)
    return port


def _check_host(port: str) -> None:
    """Refuse an address and a port of the host that BuildKit refuses, though it ignores them."""
    head, _, own = port.rpartition(":")
    address, _, host = head.rpartition(":")
    own = own.partition("/")[0]
    fact = None
    if host and (ports := _range(host)) is None:
        fact = f"{shown(host)} is not a port of the host"
    elif host and ports != (here := _range(own)) and here is not None and here > 1:
        fact = f"the ranges {host} and {own} differ in length"
    elif address and not _is_address(address):
        fact = f"{shown(address)} is not an IP address"
    if fact is not None:
        alone = port.rpartition(":")[2]
        remedy = f"write {alone}" if _is_port().fullmatch(alone) else "write the port of the container alone"
        raise Refused(f"{fact}, before the port", remedy, by_build=True)


def _range(text: str) -> int | None:
    """Return how many ports a text names; None if it names none."""
    found = _is_range().fullmatch(text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    return last - first + 1 if first <= last <= _HIGHEST else None


def _is_address(text: str) -> bool:
    from ipaddress import ip_address  # noqa: PLC0415 - few files have addresses

    try:
        ip_address(text[1:-1] if text[0] == "[" and text[-1] == "]" else text)
    except ValueError:
        return False
    return True


def refusal(port: str) -> Refused | None:
    """Return why BuildKit refuses a port when it builds; None if it does not."""
    try:
        _write(port)
    except Refused as refused:
        return refused if refused.by_build else None
    return None


def _with_variables(port: str) -> str:
    if port.startswith("--"):
        raise Refused(f"the port {shown(port)} starts with two dashes, and would be a flag", "remove them")
    before = ""
    for reference, text in atoms_of(port):
        if not (_is_between().fullmatch(text) if not reference else not any(char.isspace() for char in text)):
            raise Refused(f"the port {shown(port)} is neither a number nor a variable", 'write "8080/tcp" or "$PORT"')
        if reference and before and not re.fullmatch(r"\$\{?\w+\}?", text):
            # BuildKit loses the text before a reference with a modifier here, and no quoting helps.
            raise Refused(
                f"the port {shown(port)} has {shown(before)} before {shown(text)}, which BuildKit drops",
                "give the variable its default with Arg(…), and write $NAME",
            )
        before += text
    return port
