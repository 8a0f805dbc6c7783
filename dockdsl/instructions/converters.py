"""Converters that several instructions share; they refuse nothing, which is left to the writing of the operand."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from dockdsl.syntax.words import TOO_LARGE, Literal, word_or_none


def number_or_word(value: Any) -> Any:
    """Return a number as its digits, and any other operand in its normal form.

    A bool and a number of more than 20 digits are left as they are, and refused when they are written.
    """
    if isinstance(value, int):
        return value if isinstance(value, bool) or abs(value) >= TOO_LARGE else str(int(value))
    return word_or_none(value)


def tuple_of(value: Any) -> tuple[Any, ...]:
    """Return one operand or several as a tuple."""
    if type(value) is tuple or type(value) is list:
        return tuple(value)
    if isinstance(value, (str, Literal, bytes, Mapping, AbstractSet)):
        # Bytes and mappings are refused as they are, and so are sets: they have no order.
        return (value,)
    try:
        return tuple(value)
    except TypeError:
        return (value,)
