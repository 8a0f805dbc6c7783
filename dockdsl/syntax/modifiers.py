"""Variable references with a modifier (``${NAME:-default}``), and the frontend versions that introduced them."""

from __future__ import annotations

from dockdsl.syntax.words import Literal, split

# The modifiers that were introduced after 1.0, by their first characters.
_MODIFIERS = (("#", "1.7"), ("%", "1.7"), ("/", "1.7"), (":?", "1.1"), ("?", "1.1"), ("-", "1.6"), ("+", "1.6"))


def references_in(value: object) -> list[str]:
    """Return the variable references of an operand or of several."""
    if isinstance(value, str) and "$" not in value:
        return []
    if isinstance(value, tuple):
        return [each for part in value for each in references_in(part)]
    parts = ((False, value),) if isinstance(value, str) else value.parts if isinstance(value, Literal) else ()
    return [text for exact, part in parts if not exact and "$" in part for reference, text in split(part) if reference]


def modifier_versions(text: str) -> list[str]:
    """Return the frontend versions that introduced the modifiers in `text`."""
    if "${" not in text:
        return []
    found: list[str] = []
    for piece in text.split("${")[1:]:
        rest = piece.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
        found.extend(version for start, version in _MODIFIERS if rest.startswith(start))
    return found
