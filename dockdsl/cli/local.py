"""What options name on this machine: whether it is there is seen before anything is built."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dockdsl.cli.files import descriptor
from dockdsl.display import shown
from dockdsl.errors import Refused

if TYPE_CHECKING:
    from dockdsl.engine.specifications import OutputSpec, SecretSpec, SshSpec

_AGENT = "SSH_AUTH_SOCK"
_WRITE = os.W_OK | os.X_OK


def check_local(option: str, values: Any) -> None:
    """Raise an error with the name of an option whose value names what is not there, or cannot be written to."""
    for each in values:
        if type(each).__name__ in _CHECKS:
            _check(option, _CHECKS[type(each).__name__], each)


def check_file(option: str, path: str | None) -> None:
    """Raise an error with the name of an option unless a file can be written to this path."""
    if path is not None:
        _check(option, _writable_file, path)


def _check(option: str, check: Callable[[Any], object], value: Any) -> None:
    try:
        check(value)
    except Refused as refused:
        raise refused.error(option, None) from None


def _secret(spec: SecretSpec) -> None:
    from dockdsl.engine.builders.secret import value_of

    value_of(spec)


def _ssh(spec: SshSpec) -> None:
    for path in spec.paths:
        if not os.access(path, os.R_OK):
            raise Refused(f"{spec.id}: {shown(path)} cannot be read", "name the socket of an agent, or a key")
    if not spec.paths and not os.path.exists(os.environ.get(_AGENT, "")):
        raise Refused(
            f"{spec.id}: there is no SSH agent at {_AGENT}", "start one (eval $(ssh-agent); ssh-add), or name a key"
        )


def _output(spec: OutputSpec) -> None:
    if spec.dest is not None:
        (_writable_file if spec.is_archive else _writable_folder)(spec.dest)


def _writable_file(path: str) -> None:
    if not path:
        raise Refused("the path is empty", "name a file")
    if os.path.isdir(path):
        raise Refused(f"{shown(path)} is a folder", "name a file in it")
    if descriptor(path) is not None:
        return
    place = os.path.realpath(path)
    is_there = os.path.lexists(place)
    folder = os.path.dirname(place)
    # A link that is left leads in a circle; a device or a pipe is written to in place.
    is_writable = os.path.isdir(folder) and os.access(folder, _WRITE)
    if is_there and not os.path.isfile(place):
        is_writable = os.access(place, os.W_OK)
    if not is_writable:
        raise Refused(f"{shown(path)} cannot be written", "name a file in a folder that is there and writable")


def _writable_folder(path: str) -> None:
    place = os.path.abspath(path)
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        raise Refused(f"{shown(path)} is not a folder: {shown(place)} is a file", "name a folder")
    if not os.access(place, _WRITE):
        raise Refused(f"{shown(path)} cannot be written", "name a folder that is writable")


_CHECKS: dict[str, Any] = {"SecretSpec": _secret, "SshSpec": _ssh, "OutputSpec": _output}
