"""The operands of the package, with the construct named by the caller."""

from __future__ import annotations

from typing import Any

from dockdsl import operands as operand
from dockdsl.operands import Pairs


def text(what: str, value: Any, *, empty: bool = False) -> str:
    """Return a string."""
    return operand.checked(what, operand.any_text if empty else operand.text, value)


def texts(what: str, value: Any) -> tuple[str, ...]:
    """Return one string or several as a tuple."""
    return operand.checked(what, operand.texts, value)


def pairs(what: str, value: Any) -> Pairs:
    """Return a mapping of strings as pairs."""
    return operand.checked(what, operand.pairs, value)


def entries(what: str, value: Any) -> tuple[tuple[Any, Any], ...]:
    """Return the pairs of a mapping, or pairs as they are."""
    return operand.checked(what, operand.entries, value)


def flag(what: str, value: Any) -> bool:
    """Return True or False."""
    return operand.checked(what, operand.flag, value)


def seconds(what: str, value: Any) -> float:
    """Return a number of seconds."""
    return operand.checked(what, operand.seconds, value)


def whole(what: str, value: Any, lowest: int, highest: int) -> int:
    """Return an integer from `lowest` to `highest`."""
    return operand.checked(what, lambda each: operand.whole(each, lowest, highest), value)


def url_path(what: str, value: Any) -> str:
    """Return the path and query of a URL."""
    return operand.checked(what, operand.url_path, value)
