"""The secrets of a build: whether they are there, and how to keep them out of what is logged and reported."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from dockdsl.display import printable
from dockdsl.engine.specifications import SecretSpec
from dockdsl.errors import BuildFailed

_SHORTEST = 4
"""Characters of what is hidden at least: to hide less would hide ordinary words, and less is no secret."""
_LONGEST = 500 << 10
"""Bytes that a secret may have for BuildKit."""
HIDDEN = "***"


def values(specs: Iterable[SecretSpec]) -> list[str]:
    """Return what must not be logged.

    Raises `BuildFailed` for a secret whose variable or file is not there: the engine would build with an empty one.
    """
    return [_value(spec) for spec in specs]


def _value(spec: SecretSpec) -> str:
    kind, name = spec.source
    try:
        if kind == "env":
            return os.environ[name]
        if Path(name).is_file() or Path(name).is_dir() or not Path(name).exists():
            with Path(name).open("rb") as file:
                return file.read(_LONGEST).decode("utf-8", "replace")
        # What is read here to hide it would be gone for the build.
        fact, remedy = f"{name} is a pipe or a device, not a file", "pass the secret with env=NAME"
    except KeyError:
        fact, remedy = f"the environment has no {name}", f"export {name}, or pass the secret with src=FILE"
    except OSError as error:
        fact = f"its file {name} cannot be read ({error.strerror})"
        remedy = "check the path, or pass the secret with env=NAME"
    raise BuildFailed(
        f"build: the secret {spec.id}: {fact}; {remedy}", origin=None, cause=fact, fix=remedy, kind="definition"
    )


def hider(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return a function that replaces secrets, and each line of one that has several, with asterisks.

    >>> hider(["hunter22", "-----BEGIN KEY-----\\nabcdef"])("password hunter22, key abcdef")
    'password ***, key ***'
    >>> hider(["hunter22"])("password hunt\\x1b[0mer22")
    'password ***'
    """
    parts = {part for secret in secrets for part in (secret, secret.strip(), *map(str.strip, secret.splitlines()))}
    # A longer one goes first: it may have a shorter one in it.
    kept = sorted((part for part in parts if len(part) >= _SHORTEST), key=len, reverse=True)
    if not kept:
        return str
    words = re.compile("|".join(map(re.escape, kept)))

    def hide(text: str) -> str:
        text = words.sub(HIDDEN, text)
        # What a terminal does not show may stand within a secret; it is taken out later, and would leave the secret.
        bare = printable(text)
        return words.sub(HIDDEN, bare) if words.search(bare) else text

    return hide
