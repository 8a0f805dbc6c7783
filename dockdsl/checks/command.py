"""CommandCheck: a program that is run in the image, and what must be its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check
from dockdsl.checks.judging import judged_text
from dockdsl.checks.searching import Searches
from dockdsl.operands import Pairs

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject


def _exit_code(value: int | None) -> int | None:
    return None if value is None else operand.whole(value, 0, 255)


@attrs.frozen(slots=False, repr=False, field_transformer=operand.named)
class CommandCheck(Check):
    """A program that is run in a fresh container of the image, and what must be its result.

    `argv`
        The program and its arguments, run instead of the image's entrypoint. A shell runs only if you name it:
        ``["sh", "-c", "…"]``.
    `entrypoint`
        True lets the image's own entrypoint run with `argv` as its arguments.
    `exit_code`
        The code that it must end with; None for any.
    `stdout`, `stderr`
        A regular expression that must be found in what it prints, or several. ``^`` and ``$`` stand for lines.
    `no_stdout`, `no_stderr`
        A regular expression that must not be found, or several.
    `stdout_text`, `stderr_text`
        What it must print, character for character.
    `env`, `user`
        For this run: variables besides the image's, and the user instead of its own.
    `timeout`
        Seconds that the command may take, and as many again for searching what it prints.

    The first MiB of each stream is examined. Raises `InvalidValue` and `InvalidType`.

    >>> CommandCheck(["/api", "version"], stdout=r'"go":"go1\\.27').title
    'run /api version'
    >>> CommandCheck(["healthcheck"], entrypoint=True, exit_code=1).title
    'run entrypoint healthcheck'
    """

    argv: tuple[str, ...] = attrs.field(converter=operand.argv)
    entrypoint: bool = attrs.field(default=False, kw_only=True, converter=operand.flag)
    exit_code: int | None = attrs.field(default=0, kw_only=True, converter=_exit_code)
    stdout: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=operand.patterns)
    stderr: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=operand.patterns)
    no_stdout: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=operand.patterns)
    no_stderr: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=operand.patterns)
    stdout_text: str | None = attrs.field(default=None, kw_only=True, converter=operand.optional_any_text)
    stderr_text: str | None = attrs.field(default=None, kw_only=True, converter=operand.optional_any_text)
    env: Pairs = attrs.field(default=(), kw_only=True, converter=operand.pairs, repr=operand.names_alone)
    user: str | None = attrs.field(default=None, kw_only=True, converter=operand.optional_text)
    timeout: float = attrs.field(default=30.0, kw_only=True, converter=operand.seconds)

    def __attrs_post_init__(self) -> None:
        if not self.entrypoint:
            operand.checked("CommandCheck: argv", operand.command, self.argv)

    @property
    def title(self) -> str:
        """The command as a shell would show it."""
        import shlex  # noqa: PLC0415 - a check is light until it is run

        return shlex.join(["run", *(["entrypoint"] if self.entrypoint else []), *self.argv])

    def examine(self, subject: Subject) -> CheckResult:
        """Run the command in a container of its own."""
        done = subject.run(
            timeout=self.timeout,
            entrypoint=None if self.entrypoint else self.argv[:1],
            command=self.argv if self.entrypoint else self.argv[1:],
            env=(*subject.request.env, *self.env),
            user=self.user,
        )
        wrong = []
        find = Searches(self.timeout).in_lines
        if self.exit_code is not None and done.exit_code != self.exit_code:
            wrong.append(f"expected exit code {self.exit_code}, got {done.exit_code}")
        for name, found, text, patterns, absent in (
            ("stdout", done.stdout, self.stdout_text, self.stdout, self.no_stdout),
            ("stderr", done.stderr, self.stderr_text, self.stderr, self.no_stderr),
        ):
            wrong += judged_text(name, found, patterns, absent, find, text)
        return self.result(
            wrong, detail=f"exit code {done.exit_code}", seconds=done.seconds, log=done.lines() if wrong else ()
        )
