"""The program of a HEALTHCHECK is in the image.

Otherwise the container never gets healthy: ``scratch`` and distroless images have no programs, and slim images and
alpine no ``curl``.

Bad::

    FROM scratch
    COPY api /api
    HEALTHCHECK CMD ["/usr/bin/curl", "-f", "http://localhost:8080/"]

Good::

    FROM scratch
    COPY api /api
    HEALTHCHECK CMD ["/api", "health"]

Fix: name a program that the image has, or install this one.

Source: https://docs.docker.com/reference/dockerfile/#healthcheck
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename

from dockdsl.display import shown
from dockdsl.instructions.healthcheck import Healthcheck
from dockdsl.lint import shell
from dockdsl.lint.effects import Effects
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject

_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find programs that are not there."""
    bases = {id(stage.parent) for stage in subject.stages}
    for stage in subject.built:
        for done in stage.steps if id(stage) not in bases else ():
            step = done.instruction
            if not isinstance(step, Healthcheck) or step.command is None:
                continue
            names = [step.command[0]] if isinstance(step.command, tuple) else _names(step.command)
            for name in names:
                if _is_absent(stage, name) and not isinstance(step.command, str):
                    yield Fault(
                        done.line, f"the image does not have {shown(name)}", "name a program that it has", "error"
                    )
                elif _is_not_installed(stage, name):
                    remedy = "use wget, which it has" if stage.root and stage.root.has_busybox else f"install {name}"
                    yield Fault(done.line, f"the base image does not have {name}, and no step installs it", remedy)
                else:
                    continue
                break


def _names(text: str) -> list[str]:
    read = shell.read(text)
    return [] if read is None else [command.words[0] for command in read.commands]


def _is_absent(stage: Effects, name: str) -> bool:
    """Whether a program is certain not to be there."""
    if "$" in name or "PATH" in stage.values:
        return False
    paths = [name] if name.startswith("/") else [f"{folder}/{name}" for folder in _FOLDERS] if "/" not in name else []
    return bool(paths) and all(stage.look(path).kind == "absent" for path in paths)


def _is_not_installed(stage: Effects, name: str) -> bool:
    """Whether the base image has no such program, and no step could bring it."""
    root = stage.root
    if root is None or not root.lacks(basename(name)):
        return False
    steps = [each for every in stage.chain for each in every.steps]
    if any(each.instruction.keyword in ("COPY", "ADD") and "bin" in each.line.text for each in steps):
        return False
    mentioned = re.compile(rf"\b{re.escape(basename(name))}\b|\.sh\b|ansible|buildpack").search
    runs = [run for every in stage.chain for run in every.runs()]
    return not any(mentioned(run.script.text) or mentioned(run.line.text) for run in runs)


RULE = Rule("HealthcheckProgramMissing", examine, __doc__ or "")
