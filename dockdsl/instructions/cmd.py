"""CMD: what a container runs, or the default arguments of its ENTRYPOINT."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.instructions.commands import CommandInstruction
from dockdsl.syntax.flags import convert_later


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Cmd(CommandInstruction):
    """What a container runs by default: ``CMD command``.

    ``Cmd("text")`` gives the text to the stage's shell; `Cmd.exec` names a program and its arguments,
    and is the better form: signals reach the program. ``Cmd.exec()`` without arguments clears what was
    inherited.

    Raises `InvalidValue` for shell text that is empty, has several lines or ends in a backslash;
    `InvalidType` for a wrong type.

    >>> print(Cmd.exec("--port", "8080"))
    CMD ["--port", "8080"]
    >>> print(Cmd("exec ./api --port $PORT"))
    CMD exec ./api --port $PORT

    Source: the Dockerfile reference, "CMD".
    """

    KEYWORD: ClassVar[str] = "CMD"
