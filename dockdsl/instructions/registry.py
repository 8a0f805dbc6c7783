"""TABLE OF CONTENTS: the instructions of a stage by keyword."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TypeVar

from dockdsl.display import shown
from dockdsl.errors import InvalidValue
from dockdsl.instructions.instruction import Instruction
from dockdsl.public import homes

# The class of a keyword is in the module of that name, and public: ADD is `Add` in `dockdsl.instructions.add`.
_WITHOUT_KEYWORD = ("Comment", "Heredoc", "Instruction", "Verbatim")
KEYWORDS = [
    name.upper()
    for name, home in homes().items()
    if home == f"{__package__}.{name.lower()}" and name not in _WITHOUT_KEYWORD
]
_OURS = frozenset(KEYWORDS)
_kinds: dict[str, type[Instruction]] = {}
_K = TypeVar("_K", bound=type[Instruction])


def kind_for(keyword: str) -> type[Instruction] | None:
    """Return the class for a keyword in capitals; it is imported when it is first needed."""
    kind = _kinds.get(keyword)
    if kind is None and keyword in KEYWORDS:
        kind = getattr(import_module(f"dockdsl.instructions.{keyword.lower()}"), keyword.capitalize())
        _kinds[keyword] = kind
    return kind


def register(kind: _K) -> _K:
    """Register an instruction of a frontend that has more instructions than BuildKit's own; usable as a decorator.

    `kind` is a subclass of `Instruction` with a ``KEYWORD`` in capitals; digits, ``_`` and ``-`` may follow the first
    letter, since BuildKit takes all up to a blank for the keyword. From then on, `parse`, `describe`, the JSON Schema,
    `to_python`, `Verbatim` and `Onbuild` support it. A class replaces another one with the same keyword.

    Raises `InvalidValue` if the keyword is not valid.

    >>> import attrs
    >>> from dockdsl import User, parse, register
    >>> from dockdsl.instructions.registry import unregister
    >>> @register
    ... @attrs.frozen(slots=False, repr=False)
    ... class Owner(User):
    ...     KEYWORD = "OWNER"
    >>> parse("FROM scratch\\nOWNER me\\n").stages[0].steps
    (Owner(user='me'),)
    >>> unregister(Owner)

    Source: the Dockerfile reference, "syntax".
    """
    keyword = kind.KEYWORD
    if not re.fullmatch(r"[A-Z][A-Z0-9_-]*", keyword) or keyword == "FROM":
        raise InvalidValue(
            f"register: the keyword {shown(keyword)} of {kind.__name__} is not valid; use capital letters, "
            'and after the first one digits, "_" and "-"'
        )
    _kinds[keyword] = kind
    if keyword not in KEYWORDS:
        KEYWORDS.append(keyword)
    return kind


def unregister(kind: type[Instruction]) -> None:
    """Undo `register`; an instruction that was replaced is back."""
    del _kinds[kind.KEYWORD]
    if kind.KEYWORD not in _OURS:
        KEYWORDS.remove(kind.KEYWORD)
