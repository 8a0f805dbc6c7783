"""Rules of the user's own: functions in a package of theirs."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from dockdsl.display import kind_of, one_line, said_by, shown
from dockdsl.errors import Ended, SourceError
from dockdsl.lint.finding import LEVELS
from dockdsl.lint.rule import Rule


def rule_at(place: str, folder: str) -> Rule:
    """Return the rule at ``package.module:name``; the folder of the project is searched, too.

    It is a `Rule`, or a function, whose name is that of the rule, and whose docstring is its page.
    Raises `SourceError` if there is none.
    """
    module, colon, name = place.partition(":")
    if not module or not colon or not name:
        raise SourceError(f'{shown(place)} names no function; write "package.module:function"')
    try:
        with _importable(folder):
            value: Any = getattr(import_module(module), name)
    except Ended:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a module of the user's may raise anything
        fact = one_line(said_by(error))
        raise SourceError(f"{shown(place)} cannot be imported ({fact}); install its package, or fix it") from None
    return _as_rule(value, place)


@contextmanager
def _importable(folder: str) -> Iterator[None]:
    """Let modules of a project be imported; another project may have others of the same names."""
    known = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in set(sys.modules) - known:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(os.path.join(folder, "")):
                del sys.modules[name]


def _as_rule(value: Any, place: str) -> Rule:
    """Return a function as a rule."""
    if isinstance(value, Rule):
        fault = _wrong(value)
        if fault is not None:
            raise SourceError(f"{shown(place)} is a Rule whose {fault}")
        return value
    if not inspect.isfunction(value):
        raise SourceError(f"{shown(place)} is {kind_of(value)}; name a function, or a Rule")
    page = inspect.getdoc(value)
    if not page:
        raise SourceError(f"{shown(place)} has no docstring; write one, since it is the page of the rule")
    return Rule(value.__name__, value, page)


def _wrong(rule: Rule) -> str | None:
    """Return which field of a rule is wrong, and what to do about it."""
    texts = "a text", lambda value: isinstance(value, str) and value.strip()
    wanted: dict[str, tuple[str, Callable[[Any], object]]] = {
        "name": texts,
        "examine": ("a function", callable),
        "page": texts,
        "level": (", ".join(LEVELS), lambda value: value in LEVELS),
        "aliases": ("a tuple of texts", lambda value: isinstance(value, tuple) and all(map(texts[1], value))),
    }
    for name, (what, is_right) in wanted.items():
        value = getattr(rule, name)
        if not is_right(value):
            return f"{name} is {shown(value)}; write {what}"
    return None
