"""STOPSIGNAL: the signal that stops a container."""

from __future__ import annotations

import re
from typing import ClassVar, Self

import attrs

from dockdsl.instructions._base import Instruction, number_or_word
from dockdsl.instructions.workdir import nonblank, read_operand
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.refusal import Refused, shown
from dockdsl.syntax.words import Literal, Spelling, Word

_LINUX = """
    ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM
    TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX
"""
_NAMES = (
    frozenset(_LINUX.split())
    | {f"RTMIN+{number}" for number in range(1, 16)}
    | {f"RTMAX-{number}" for number in range(1, 15)}
)
_is_number = re.compile(r"[+-]?[0-9]{1,10}").fullmatch


@attrs.frozen(slots=False, repr=False, eq=False)
class Stopsignal(Instruction):
    """The signal that ``docker stop`` sends: ``STOPSIGNAL signal``.

    A Linux signal's name with or without ``SIG`` (``"SIGQUIT"``, ``"RTMIN+3"``), its number (not 0), or ``"$NAME"``.

    Raises `InvalidValue` for an unknown signal, `InvalidType` for a wrong type.

    >>> print(Stopsignal("SIGQUIT"))
    STOPSIGNAL SIGQUIT

    Source: the Dockerfile reference, "STOPSIGNAL".
    """

    KEYWORD: ClassVar[str] = "STOPSIGNAL"

    signal: Word = attrs.field(converter=number_or_word)

    @classmethod
    def read(cls, line: Line) -> Self:
        """Read the operand, which is the rest of the line. BuildKit takes no notice of flags here."""
        return line.made(cls, *read_operand(cls, line, "signal"))

    def write(self, spelling: Spelling) -> str:
        """Return the instruction's text."""
        signal = self.signal
        if isinstance(signal, Literal) or (isinstance(signal, str) and signal and "$" not in signal):
            text = str(signal) if isinstance(signal, str) else ""
            if not (int(text) != 0 if _is_number(text) else text.upper().removeprefix("SIG") in _NAMES):
                raise Refused(f"the signal {shown(signal)} is unknown", 'write a name such as "SIGTERM", or a number')
        return f"STOPSIGNAL {nonblank(spelling, signal, 'signal')}"
