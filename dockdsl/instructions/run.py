"""RUN: a command that runs while the image is built."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self
from typing import Literal as OneOf

import attrs

from dockdsl.display import shown
from dockdsl.errors import Refused, refuse_type
from dockdsl.instructions.commands import PLAIN_COMMAND, Command, WithCommand, argv, exec_form, read_command
from dockdsl.instructions.comment import Comment
from dockdsl.instructions.converters import tuple_of
from dockdsl.instructions.instruction import beside_text
from dockdsl.instructions.mounts.mount import Mount, csv_fields, plain_mount, switch
from dockdsl.instructions.sources import Reference
from dockdsl.syntax import shell
from dockdsl.syntax.flags import Kind, convert_later, flag, one_of
from dockdsl.syntax.guard import LONGEST_LINE
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lazy_regex import lazy_regex
from dockdsl.syntax.misread import Misread
from dockdsl.syntax.words import BACKSLASH, Spelling, plain

_is_device = lazy_regex(r"[!#-&(-+\--\[\]-_a-~]+(?:,required(?:=(?:true|false))?)?")


def _command(value: Command) -> Command:
    if isinstance(value, tuple):
        return tuple([plain(each) for each in value])
    if isinstance(value, shell.Layout):
        return value
    try:
        return shell.normal(plain(value))
    except Refused as refused:
        raise refused.error("RUN") from None


def _remark(command: str | Comment) -> str | shell.Remark:
    if not isinstance(command, Comment):
        return command
    if command.acts:
        raise Refused("a build check is turned off between commands, where that has no effect", "do it above the step")
    return shell.Remark(str(command))


def _mounts(value: Mount | Iterable[Mount | None]) -> tuple[Mount, ...]:
    if isinstance(value, Mount):
        return (value,)
    return tuple([each for each in found if each is not None]) if (found := tuple_of(value)) else ()


def _write_mount(spelling: Spelling, value: Any) -> str:
    if not isinstance(value, Mount):
        raise refuse_type("mount", value, "pass Bind, Cache, Secret, Ssh or Tmpfs")
    return value.write(spelling)


def _read_device(_line: Line, value: str) -> str:
    name = ""
    for field in csv_fields(value):
        key, equals, given = field.partition("=")
        key = key.lower()
        if key == "required":
            try:
                switch(given if equals else None)
            except Refused as refused:
                raise Misread(refused.fact, refused.remedy) from None
        elif equals and key == "name" and not name:
            name = given
        elif not name and key != "name":
            name = field
        else:
            raise Misread(f"the device has {field!r} after its name", "write name or name,required")
    return value


def _write_device(_spelling: Spelling, value: Any) -> str:
    if not isinstance(value, str):
        raise refuse_type("device", value, "pass a str")
    if not _is_device().fullmatch(value):
        raise Refused(f"{shown(value)} is not a device", 'write it as "vendor.example/class=name[,required]"')
    return value


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Run(WithCommand):
    """Run a command while the image is built: ``RUN [flags] command``.

    ``Run("text")`` passes the text to the shell of the stage. A long line is broken at its ``&&``. Text that has
    several lines, or that the Dockerfile syntax would change, is written as a heredoc, so that the shell gets it
    exactly as it is. The other forms are `Run.chain`, `Run.script` and `Run.exec`.

    `mounts`
        One or more of `Bind`, `Cache`, `Secret`, `Ssh` and `Tmpfs`; None among them is ignored.
    `network`
        ``"default"``, ``"none"`` or ``"host"``.
    `security`
        ``"sandbox"`` or ``"insecure"``.
    `device`
        CDI devices: ``"vendor.example/class=name"``, optionally followed by ``,required``. Requires the labs channel
        of the frontend.

    Raises `InvalidValue` for an empty command and for one that ends with a backslash, `InvalidType` for a wrong type.

    >>> print(Run("go mod download", network="none"))
    RUN --network=none go mod download
    >>> print(Run("set -e\\necho two lines"))
    RUN <<EOF
    set -e
    echo two lines
    EOF

    Source: the Dockerfile reference, "RUN".
    """

    KEYWORD: ClassVar[str] = "RUN"
    RUNS_AT_BUILD: ClassVar[bool] = True

    command: Command = attrs.field(converter=_command, metadata=PLAIN_COMMAND)
    device: tuple[str, ...] = attrs.field(
        default=(),
        converter=tuple_of,
        kw_only=True,
        metadata=flag("device", Kind(_write_device, _read_device), since="1.14-labs", repeatable=True),
    )
    mounts: tuple[Mount, ...] = attrs.field(
        default=(),
        converter=_mounts,
        kw_only=True,
        metadata=flag("mount", Kind(_write_mount, Mount.read, plain=plain_mount), since="1.2", repeatable=True),
    )
    network: OneOf["default", "none", "host"] | None = attrs.field(
        default=None, kw_only=True, metadata=flag("network", one_of("default", "none", "host"), since="1.3")
    )
    security: OneOf["sandbox", "insecure"] | None = attrs.field(
        default=None, kw_only=True, metadata=flag("security", one_of("sandbox", "insecure"), since="1.20")
    )

    @classmethod
    def exec(
        cls,
        *arguments: str,
        device: str | Iterable[str] = (),
        mounts: Mount | Iterable[Mount | None] = (),
        network: OneOf["default", "none", "host"] | None = None,
        security: OneOf["sandbox", "insecure"] | None = None,
    ) -> Self:
        """Run a program without a shell: each argument is passed exactly as it is. The options are those of `Run`.

        Raises `InvalidValue` if no program is given or an argument has a NUL character, `InvalidType` for a wrong type.

        >>> print(Run.exec("printf", "%s\\\\n", "a $b"))
        RUN ["printf", "%s\\\\n", "a $b"]

        Source: the Dockerfile reference, "Exec form".
        """
        return cls(argv(cls, arguments), device=device, mounts=mounts, network=network, security=security)

    @classmethod
    def chain(
        cls,
        *commands: str | Comment,
        device: str | Iterable[str] = (),
        mounts: Mount | Iterable[Mount | None] = (),
        network: OneOf["default", "none", "host"] | None = None,
        security: OneOf["sandbox", "insecure"] | None = None,
    ) -> Self:
        """Run commands joined by ``&&``, each on its own line: the first one that fails ends the step.

        A command with ``;``, ``||`` or ``&`` is put in braces, so that it counts as one; a complete ``if … fi``, loop
        or ``case`` does so anyway. A command may have several lines if all but the last end with a backslash; they are
        indented to match the chain. A `Comment` is written above the command that follows it. The options are those
        of `Run`.

        Raises `InvalidValue` for a command that would break the chain: one that is incomplete (an open quote, an
        ``if`` without its ``fi``), that ends with a shell comment or an operator, or that has lines which are not
        continued; `InvalidType` for a wrong type.

        >>> print(Run.chain("apt-get update", "apt-get install -y curl", "rm -rf /var/lib/apt/lists/*"))
        RUN apt-get update && \\
            apt-get install -y curl && \\
            rm -rf /var/lib/apt/lists/*

        Source: the Dockerfile reference, "Shell form".
        """
        try:
            text = shell.chain([*map(_remark, commands)])
        except Refused as refused:
            raise refused.error("RUN") from None
        return cls(text, device=device, mounts=mounts, network=network, security=security)

    @classmethod
    def script(
        cls,
        text: str,
        *,
        device: str | Iterable[str] = (),
        mounts: Mount | Iterable[Mount | None] = (),
        network: OneOf["default", "none", "host"] | None = None,
        security: OneOf["sandbox", "insecure"] | None = None,
    ) -> Self:
        """Run the lines of a script; the first one that fails ends the step.

        The common indentation is removed, and ``set -e`` is added at the top. A script that starts with ``#!`` is run
        by that program; ``set -e`` is then added only if it is a shell. The options are those of `Run`.

        Raises `InvalidValue` for an empty script and for one that ends with a backslash, `InvalidType` for a wrong
        type.

        >>> print(Run.script('''
        ...     echo one
        ...     echo two
        ... '''))
        RUN <<EOF
        set -e
        echo one
        echo two
        EOF

        Source: the Dockerfile reference, "Here-Documents".
        """
        try:
            shell.check_text(text)
            body = shell.script(text)
        except Refused as refused:
            raise refused.error("RUN") from None
        return cls(body, device=device, mounts=mounts, network=network, security=security)

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        return {"command": read_command(line)}

    def operands(self, spelling: Spelling) -> Sequence[str]:
        if isinstance(self.command, tuple):
            if not self.command:
                raise Refused("the command is empty", "name the program to run", by_build=True)
            return exec_form(self.command)
        return shell.under(self.command, spelling.escape)

    def laid_out(self, flags: str, operands: str) -> str | None:
        is_broken = type(self.command) is str and "&&" in operands and "\n" not in operands
        if is_broken or len(operands) > LONGEST_LINE // 2:
            return None
        return beside_text(self.KEYWORD, flags.split(), operands[1:], BACKSLASH.escape)

    def references(self) -> tuple[Reference, ...]:
        found: tuple[Reference, ...] = ()
        for mount in self.mounts:
            found += mount.references()
        return found

    def expanded(self) -> Iterable[object]:
        """The options of its mounts."""
        return [value for mount in self.mounts for value in mount.expanded()]

    def features(self) -> list[str]:
        needed = super().features()
        for mount in self.mounts:
            needed += mount.features()
        if isinstance(self.command, str) and shell.has_heredoc(self.command):
            needed.append("1.4")
        return needed
