"""CommandCheck: a program that is run in the image, and what must come of it."""
# ruff: noqa: PLC0415 - writing a check down needs no engine; what it looks with is imported when it looks

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check
from dockdsl.operands import Pairs, PairsLike, TextsLike

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import Subject


def _argv(value: Iterable[str]) -> tuple[str, ...]:
    return operand.argv("CommandCheck: argv", value, empty=True)


def _entrypoint(value: bool) -> bool:
    return operand.flag("CommandCheck: entrypoint", value)


def _exit_code(value: int | None) -> int | None:
    return None if value is None else operand.whole("CommandCheck: exit_code", value, 0, 255)


def _stdout(value: TextsLike) -> tuple[str, ...]:
    return operand.patterns("CommandCheck: stdout", value)


def _stderr(value: TextsLike) -> tuple[str, ...]:
    return operand.patterns("CommandCheck: stderr", value)


def _no_stdout(value: TextsLike) -> tuple[str, ...]:
    return operand.patterns("CommandCheck: no_stdout", value)


def _no_stderr(value: TextsLike) -> tuple[str, ...]:
    return operand.patterns("CommandCheck: no_stderr", value)


def _stdout_text(value: str | None) -> str | None:
    return None if value is None else operand.text("CommandCheck: stdout_text", value, empty=True)


def _stderr_text(value: str | None) -> str | None:
    return None if value is None else operand.text("CommandCheck: stderr_text", value, empty=True)


def _env(value: PairsLike) -> Pairs:
    return operand.pairs("CommandCheck: env", value)


def _user(value: str | None) -> str | None:
    return None if value is None else operand.text("CommandCheck: user", value)


def _timeout(value: float) -> float:
    return operand.seconds("CommandCheck: timeout", value)


@attrs.frozen(slots=False)
class CommandCheck(Check):
    """A program that is run in a fresh container of the image, and what must come of it.

    `argv`
        The program and its arguments, run instead of the image's entrypoint. There is no shell but one that you name:
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
        Seconds that the command may take.

    The first MiB of each stream is looked at. Raises `InvalidValue` and `InvalidType`.

    >>> CommandCheck(["/api", "version"], stdout=r'"go":"go1\\.27').title
    'run /api version'
    >>> CommandCheck(["healthcheck"], entrypoint=True, exit_code=1).title
    'run entrypoint healthcheck'
    """

    argv: tuple[str, ...] = attrs.field(converter=_argv)
    entrypoint: bool = attrs.field(default=False, kw_only=True, converter=_entrypoint)
    exit_code: int | None = attrs.field(default=0, kw_only=True, converter=_exit_code)
    stdout: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_stdout)
    stderr: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_stderr)
    no_stdout: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_no_stdout)
    no_stderr: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_no_stderr)
    stdout_text: str | None = attrs.field(default=None, kw_only=True, converter=_stdout_text)
    stderr_text: str | None = attrs.field(default=None, kw_only=True, converter=_stderr_text)
    env: Pairs = attrs.field(default=(), kw_only=True, converter=_env)
    user: str | None = attrs.field(default=None, kw_only=True, converter=_user)
    timeout: float = attrs.field(default=30.0, kw_only=True, converter=_timeout)

    def __attrs_post_init__(self) -> None:
        if not self.entrypoint:
            operand.argv("CommandCheck: argv", self.argv)

    @property
    def title(self) -> str:
        """The command as a shell would show it."""
        import shlex

        return shlex.join(["run", *(["entrypoint"] if self.entrypoint else []), *self.argv])

    def examine(self, subject: Subject) -> CheckResult:
        """Run the command in a container of its own."""
        from dockdsl.checks.judging import judged_text
        from dockdsl.checks.report import CheckResult

        first, *rest = [None] if self.entrypoint else self.argv
        done = subject.run(
            timeout=self.timeout,
            entrypoint=None if first is None else (first,),
            command=self.argv if self.entrypoint else tuple(str(each) for each in rest),
            env=(*subject.request.env, *self.env),
            user=self.user,
        )
        wrong = []
        if self.exit_code is not None and done.exit_code != self.exit_code:
            wrong.append(f"expected exit code {self.exit_code}, got {done.exit_code}")
        wrong += judged_text(
            "stdout", done.stdout, text=self.stdout_text, patterns=self.stdout, absent=self.no_stdout
        ) + judged_text("stderr", done.stderr, text=self.stderr_text, patterns=self.stderr, absent=self.no_stderr)
        return CheckResult(
            title=self.title,
            detail=f"exit code {done.exit_code}",
            seconds=done.seconds,
            mismatches=wrong,
            log=done.lines() if wrong else (),
            origin=self.origin,
        )
