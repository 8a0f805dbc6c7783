"""STOPSIGNAL: the signal that stops a container."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused
from dockdsl.instructions.converters import number_or_word
from dockdsl.instructions.single import SingleOperand
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.lazy_regex import lazy_regex
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
_is_number = lazy_regex(r"[+-]?[0-9]{1,18}")


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Stopsignal(SingleOperand):
    """Set the signal that stops a container: ``STOPSIGNAL signal``.

    The name of a Linux signal with or without ``SIG`` (``"SIGQUIT"``, ``"RTMIN+3"``), its number (not 0), or
    ``"$NAME"``.

    Raises `InvalidValue` for an unknown signal, `InvalidType` for a wrong type.

    >>> print(Stopsignal("SIGQUIT"))
    STOPSIGNAL SIGQUIT

    Source: the Dockerfile reference, "STOPSIGNAL".
    """

    KEYWORD: ClassVar[str] = "STOPSIGNAL"
    OPERAND: ClassVar[str] = "signal"
    READS_FLAGS: ClassVar[bool] = False

    signal: Word = attrs.field(converter=number_or_word)

    def operands(self, spelling: Spelling) -> Sequence[str]:
        signal = self.signal
        if isinstance(signal, Literal) or (isinstance(signal, str) and signal and "$" not in signal):
            text = str(signal) if isinstance(signal, str) else ""
            if not (int(text) != 0 if _is_number().fullmatch(text) else text.upper().removeprefix("SIG") in _NAMES):
                fact = f"the signal {shown(signal)} is unknown"
                raise Refused(fact, 'write a name such as "SIGTERM", or a number', by_build=True)
        return super().operands(spelling)
