"""The shell form and the exec form of RUN, CMD, ENTRYPOINT and HEALTHCHECK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused, refuse_type
from dockdsl.instructions.constructor import Written, are_all, plain_if
from dockdsl.instructions.instruction import Instruction
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lines import continued
from dockdsl.syntax.shell import Layout, begun, check_text, is_plain, layout_only, one_line_trap, relaid
from dockdsl.syntax.words import Spelling, array, is_bare_json, json_text, plain

Command = str | tuple[str, ...]
"""Shell text, or the arguments of the exec form."""


_LONGEST_ARRAY = 500
"""The length in characters from which an array is broken between its elements; a shorter one reads better whole."""


def command(value: Command) -> Command:
    """Return shell text without the whitespace around it, which BuildKit strips."""
    if isinstance(value, tuple):
        return tuple([plain(each) for each in value])
    if isinstance(value, Layout):
        return value
    value = plain(value)
    if not isinstance(value, str) or value.rstrip(" \t\n").endswith("\\"):
        return value
    return begun(value.strip(" \t\n"))


def argv(kind: type[Instruction], arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the arguments of an exec form; explain the common slip of passing a list."""
    if len(arguments) == 1 and isinstance(arguments[0], (list, tuple)):
        remedy = f"pass each argument separately: {kind.__name__}.exec(*arguments)"
        raise refuse_type("argument", arguments[0], remedy).error(kind.KEYWORD)
    return arguments


def exec_form(arguments: tuple[str, ...]) -> list[str]:
    """Return the exec form: one piece, or one for each element if it is so long that it must be broken."""
    if not arguments:
        return ["[]"]
    elements = [json_text(argument) for argument in arguments]
    whole = f"[{', '.join(elements)}]"
    if len(whole) <= _LONGEST_ARRAY:
        return [whole]
    return array(elements)


def plain_exec(value: Any) -> Written:
    """Write arguments that need no escapes in an array."""
    if type(value) is not tuple or not are_all(is_bare_json, value):
        return None
    return value, f"""["{'", "'.join(value)}"]"""


PLAIN_COMMAND = plain_if(is_plain, kinds=(str, Layout), write=plain_exec)
"""The metadata of a command."""


def shell_form(text: str, name: str, escape: str) -> str:
    """Return shell text for an instruction that cannot have a heredoc: as it is, or refused."""
    if isinstance(text, Layout):
        return relaid(text, escape)
    check_text(text, name)
    stripped = text.strip(" \t\n")
    remedy = f'use {name}.exec("/bin/sh", "-c", …)'
    if "\n" in stripped and not layout_only(stripped):
        raise Refused(f"the command {shown(text)} has several lines, and the shell form takes only one", remedy)
    trap = one_line_trap(stripped.replace("\\\n", ""))
    if trap is not None:
        raise Refused(f"the command {shown(text)} has {trap}", remedy)
    return stripped if escape == "\\" else stripped.replace("\\\n", f"{escape}\n")


def read_command(line: Line, start: int = 0) -> Command:
    """Read the exec form, or shell text in its layout."""
    array = line.array(start=start)
    if array is not None:
        return tuple(array)
    text = Layout(line.layout(start))
    if not text:
        raise Refused("the command is empty", "give it a command")
    if text[-1] == line.escape and not line.documents and continued(text.rpartition("\n")[2], line.escape):
        # The whitespace between it and the end of the line is not part of the text.
        raise Refused("the command ends with a backslash, which would join the next line to it", "remove it")
    return text


class WithCommand(Instruction):
    """An instruction with a command, which is shell text or the arguments of a program."""

    EXPANDED: ClassVar[bool] = False

    command: Command | None

    def shell_text(self) -> str:
        """The command, if it is in the shell form."""
        return self.command if isinstance(self.command, str) else ""


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class CommandInstruction(WithCommand):
    """What CMD and ENTRYPOINT share."""

    command: Command = attrs.field(converter=command, metadata=PLAIN_COMMAND)

    @classmethod
    def exec(cls, *arguments: str) -> Self:
        """Run a program without a shell: each argument is passed to it exactly as it is.

        Raises `InvalidType` for an argument that is not a ``str``, `InvalidValue` for one with a NUL character.

        >>> from dockdsl import Cmd
        >>> print(Cmd.exec("/api", "--name", 'say "hi"'))
        CMD ["/api", "--name", "say \\"hi\\""]

        Source: the Dockerfile reference, "Exec form".
        """
        return cls(argv(cls, arguments))

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        return {"command": read_command(line)}

    def operands(self, spelling: Spelling) -> Sequence[str]:
        if isinstance(self.command, tuple):
            return exec_form(self.command)
        return shell_form(self.command, type(self).__name__, spelling.escape)
