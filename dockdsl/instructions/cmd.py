"""CMD: the command that a container runs, or the default arguments of its ENTRYPOINT."""

from __future__ import annotations

from typing import ClassVar

from dockdsl.instructions.commands import CommandInstruction


class Cmd(CommandInstruction):
    """Set the command that a container runs by default: ``CMD command``.

    ``Cmd("text")`` passes the text to the shell of the stage. `Cmd.exec` names a program and its arguments; prefer
    it, since signals then reach the program. ``Cmd.exec()`` without arguments clears an inherited command.

    Raises `InvalidValue` for shell text that is empty, has several lines or ends with a backslash;
    `InvalidType` for a wrong type.

    >>> print(Cmd.exec("--port", "8080"))
    CMD ["--port", "8080"]
    >>> print(Cmd("exec ./api --port $PORT"))
    CMD exec ./api --port $PORT

    Source: the Dockerfile reference, "CMD".
    """

    KEYWORD: ClassVar[str] = "CMD"
