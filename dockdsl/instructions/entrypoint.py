"""ENTRYPOINT: the program that a container runs."""

from __future__ import annotations

from typing import ClassVar

from dockdsl.instructions.commands import CommandInstruction


class Entrypoint(CommandInstruction):
    """Set the program that a container runs: ``ENTRYPOINT command``.

    ``Entrypoint("text")`` passes the text to the shell of the stage. `Entrypoint.exec` names a program and its
    arguments; prefer it, since signals then reach the program. ``Entrypoint.exec()`` without arguments clears an
    inherited entrypoint.

    Raises `InvalidValue` for shell text that is empty, has several lines or ends with a backslash;
    `InvalidType` for a wrong type.

    >>> print(Entrypoint.exec("/api"))
    ENTRYPOINT ["/api"]

    Source: the Dockerfile reference, "ENTRYPOINT".
    """

    KEYWORD: ClassVar[str] = "ENTRYPOINT"
