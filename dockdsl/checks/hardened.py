"""Hardened: whether the image runs with the fewest possible privileges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dockdsl import operands as operand
from dockdsl.checks.check import Check
from dockdsl.display import shown
from dockdsl.errors import Refused, RunFailed
from dockdsl.operands import TextsLike

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult
    from dockdsl.checks.subject import RunChanges, Subject


def _tmpfs(value: TextsLike) -> tuple[str, ...]:
    found = operand.texts(value)
    for each in found:
        if not each.startswith("/"):
            remedy = 'write the folder from the root on, and options after a colon: "/tmp:size=64m"'
            raise Refused(f"{shown(each)} is not an absolute path", remedy)
    return found


@attrs.frozen(slots=False, repr=False, field_transformer=operand.named)
class Hardened(Check):
    """The image runs as a user other than root, on a read-only file system, with no capabilities and no new privileges.

    A server or a worker must get ready under these conditions; any other image must end with exit code 0.

    `tmpfs`
        Folders that may be written to, as with ``docker run --tmpfs``: ``"/tmp"``, or with options
        ``"/tmp:size=64m,mode=1777"``.
    `cap_add`
        Capabilities that it may keep: ``"NET_BIND_SERVICE"``.
    `timeout`
        Seconds that an image may take that must end. Any other has the time that its `Image` gives it to get ready.

    Raises `InvalidValue` and `InvalidType`.

    >>> Hardened(tmpfs=["/tmp", "/run:size=64m,mode=755"]).tmpfs
    ('/tmp', '/run:size=64m,mode=755')

    Source: the options ``--read-only``, ``--cap-drop=ALL`` and ``--security-opt=no-new-privileges`` of ``docker run``.
    """

    title = "hardened"
    tmpfs: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_tmpfs)
    cap_add: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=operand.texts)
    timeout: float = attrs.field(default=30.0, kw_only=True, converter=operand.seconds)

    def examine(self, subject: Subject) -> CheckResult:
        """Look at the user, and run the image with these privileges."""
        from dockdsl.engine.failures.diagnosis import in_short  # noqa: PLC0415 - a check is light until it is run

        isolation: RunChanges = {
            "read_only": True,
            "cap_drop": ("ALL",),
            "cap_add": self.cap_add,
            "security_opt": ("no-new-privileges",),
            "tmpfs": self.tmpfs,
        }
        wrong: list[str] = []
        log: tuple[str, ...] = ()
        user = str(subject.config.get("User") or "")
        if _is_root(user, subject):
            wrong.append(f'expected a user other than root, got {user or "none"}; add User("65532:65532") to the stage')
        try:
            if subject.starts:
                with subject.serving(**isolation):
                    pass
            else:
                done = subject.run(timeout=self.timeout, **isolation)
                if done.exit_code != 0:
                    wrong.append(f"expected exit code 0, got {done.exit_code}")
                    log = done.lines()
        except RunFailed as error:
            wrong += in_short(error)
            log = error.log
        kept = f" but {', '.join(self.cap_add)}" if self.cap_add else ""
        return self.result(wrong, detail=f"user {user}, read-only, no capabilities{kept}", log=log)


def _is_root(user: str, subject: Subject) -> bool:
    name = user.partition(":")[0]
    if name and not name.isdecimal():
        name = subject.files.ids("/etc/passwd").get(name, name)
    return not name or name == "root" or (name.isdecimal() and int(name) == 0)
