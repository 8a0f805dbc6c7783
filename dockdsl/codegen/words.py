"""Operands as Python expressions: text, and calls of `literal`."""

from __future__ import annotations

import re

from dockdsl.codegen.printer import Expression, Sum, Text, call
from dockdsl.syntax import patterns
from dockdsl.syntax.words import Literal, Word, literal, text_in

_in_brackets = re.compile(r"\[([\[\\*?])\1?\]").sub
_dollars = re.compile(r"(\$+)").split


def word(value: Word) -> Expression:
    """Return the expression of an operand."""
    if isinstance(value, str):
        return Text(value)
    parts = [call("literal", [Text(text)]) if exact else Text(text) for exact, text in value.parts]
    return parts[0] if len(parts) == 1 else Sum(parts)


def source(value: Word) -> Expression:
    """Return the expression of a source of COPY or ADD: a pattern, or text that names that very file."""
    if isinstance(value, str) and "[" not in value:
        return Text(value)
    if isinstance(value, Literal) or "$" not in value:
        # The pattern for a file name is written as that name.
        exact = literal(_in_brackets(r"\1", text_in(value)))
        if patterns.source(exact) == value:
            return word(exact)
    if isinstance(value, str) or patterns.source(value) == value:
        return word(value)
    # Only the dollars are literal: the rest may be a pattern.
    parts: list[tuple[bool, str]] = []
    for is_exact, text in value.parts:
        parts += [(each[0] == "$", each) for each in _dollars(text) if each] if is_exact else [(False, text)]
    return word(Literal(tuple(parts)))
