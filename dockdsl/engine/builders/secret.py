"""The secrets of a build: whether they are there, and their values, which stay out of what is logged and reported."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from dockdsl.display import one_line
from dockdsl.engine.specifications import SecretSpec
from dockdsl.errors import BuildFailed, Refused
from dockdsl.secrecy import remember

_LONGEST = 500 << 10
"""Bytes that a secret may have for BuildKit."""


def note(specs: Iterable[SecretSpec]) -> None:
    """Note the values of secrets: from now on they are hidden in all that is written.

    Raises `BuildFailed` for a secret whose variable or file is not there: the engine would build with an empty one.
    """
    remember(map(_value, specs))


def _value(spec: SecretSpec) -> str:
    try:
        return value_of(spec)
    except Refused as refused:
        message, fact, remedy = f"build: {refused}", refused.fact, refused.remedy
    raise BuildFailed(message, origin=None, cause=fact, fix=remedy, kind="definition")


def value_of(spec: SecretSpec) -> str:
    """Return what a secret holds; refuse one whose variable or file is not there."""
    kind, name = spec.source
    shown_name = one_line(name)
    try:
        if kind == "env":
            return os.fsencode(os.environ[name]).decode("utf-8", "replace")
        if Path(name).is_file() or Path(name).is_dir() or not Path(name).exists():
            with Path(name).open("rb") as file:
                return file.read(_LONGEST).decode("utf-8", "replace")
        # What is read here to hide it would be gone for the build.
        fact, remedy = f"{shown_name} is a pipe or a device, not a file", "pass the secret with env=NAME"
    except KeyError:
        fact, remedy = f"the environment has no {shown_name}", f"export {shown_name}, or pass the secret with src=FILE"
    except OSError as error:
        fact = f"its file {shown_name} cannot be read ({error.strerror})"
        remedy = "check the path, or pass the secret with env=NAME"
    raise Refused(f"the secret {one_line(spec.id)}: {fact}", remedy)
