"""The shell form needs a shell in the image.

``RUN``, ``CMD``, ``ENTRYPOINT`` and ``HEALTHCHECK CMD`` without brackets are run by ``/bin/sh``, which ``scratch`` and
distroless images do not have: ``exec: "/bin/sh": stat /bin/sh: no such file or directory``.

Bad::

    FROM scratch
    COPY api /api
    ENTRYPOINT /api

Good::

    FROM scratch
    COPY api /api
    ENTRYPOINT ["/api"]

Fix: write the exec form: ``Entrypoint.exec("/api")``.

Source: https://docs.docker.com/reference/dockerfile/#shell-form
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.display import shown
from dockdsl.instructions.cmd import Cmd
from dockdsl.instructions.commands import WithCommand
from dockdsl.instructions.entrypoint import Entrypoint
from dockdsl.instructions.run import Run
from dockdsl.lint.effects import Done, Ran
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find commands that nothing can run."""
    bases = {id(stage.parent) for stage in subject.stages}
    for stage in subject.built:
        shell = stage.parent.shell if stage.parent else ()
        passes_cmd = any(
            isinstance(each.instruction, Entrypoint) and not each.instruction.shell_text() for each in stage.steps
        )
        for done in stage.steps:
            if done.instruction.keyword == "SHELL":
                shell = done.line.array() or ()
                continue
            # What a container runs is looked for when it starts; of a base, in an image that is not known here.
            at = done if isinstance(done.instruction, Run) else None
            if not _needs_shell(done, passes_cmd=passes_cmd) or (at is None and id(stage) in bases):
                continue
            # An engine runs the health check by /bin/sh, whatever SHELL says.
            program = stage.lacks_shell(done, () if done.instruction.keyword == "HEALTHCHECK" else shell, at)
            if program is not None:
                fact = f"{done.instruction.keyword} is in the shell form, and the image has no {shown(program)}"
                head = "HEALTHCHECK CMD" if done.instruction.keyword == "HEALTHCHECK" else done.instruction.keyword
                yield Fault(done.line, fact, f'write the exec form: `{head} ["program", "argument"]`')


def _needs_shell(done: Done, *, passes_cmd: bool) -> bool:
    step = done.instruction
    if isinstance(step, Cmd) and passes_cmd:
        # It is passed to the program as its arguments.
        return False
    if isinstance(done, Ran) and done.script.is_heredoc and done.script.text.startswith("#!"):
        return False
    return (isinstance(step, (Run, WithCommand))) and bool(step.shell_text())


RULE = Rule("ShellFormWithoutShell", examine, __doc__ or "", "error", ("shell-form-without-shell",))
