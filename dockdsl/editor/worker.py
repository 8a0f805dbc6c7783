"""The process that checks for the server: what a user's files do, or do not stop doing, happens here.

Requests and answers are lines of JSON. When there are no more requests, or the server is gone, the process ends with
all that it started, whatever it is doing.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import Any, TextIO

from dockdsl.errors import DockdslError
from dockdsl.fixing.faults import Faults, Key
from dockdsl.fixing.files import mend
from dockdsl.lint.checking import Checking, problem
from dockdsl.lint.data import to_row
from dockdsl.lint.finding import Finding
from dockdsl.lint.fixing import fix_text
from dockdsl.lint.settings import NOTHING_SET, Settings, settings_for
from dockdsl.linting import NOTHING, Given, check_file


def serve(answers: TextIO) -> None:
    """Answer what comes from stdin, which is closed to the user's files, until its end."""
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    given = os.fdopen(os.dup(0), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_read, args=(given, requests), daemon=True).start()
    while True:
        answers.write(json.dumps(_answer(json.loads(requests.get()))) + "\n")
        answers.flush()


def _read(given: TextIO, requests: queue.SimpleQueue[str]) -> None:
    for line in given:
        requests.put(line)
    if sys.platform == "win32":
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        # The server has given this process a group of its own.
        os.killpg(0, signal.SIGKILL)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return what is found in a file, or its fixed text, or why it cannot be fixed.

    What is fixed is one finding, or all that do not change what BuildKit reads.
    """
    path, text, only = request["path"], request["text"], request["only"]
    settings = None if request["is_trusted"] else NOTHING_SET
    if not request["fixes"]:
        return {"found": [_row(each) for each in _found(path, text, settings)]}
    if only is None:
        faults = Faults(path, "warning", settings, is_quiet=True)
    else:
        faults = Faults(path, "hint", settings, only=Key(*only))
    try:
        if text is not None:
            return {"text": fix_text(text, path, faults.in_text).text, "reasons": []}
        mended = mend(path, faults)
    except DockdslError as error:
        return {"text": None, "reasons": [error.message]}
    return {"text": mended.after, "reasons": sorted(set(mended.kept.values()))}


def _found(path: str, text: str | None, settings: Settings | None) -> list[Finding]:
    """Return what is found in the text of a Dockerfile, or, without one, in a Python file, which is run."""
    try:
        if text is None:
            found = check_file(f"{path}:*", {}, Given()) or []
        else:
            settings = settings or settings_for(path, {})
            checking = Checking(path, settings)
            found = settings.applied([*checking.text(text), *checking.unused()])
    except DockdslError as error:
        found = [problem(error, path)]
    return [each for each in found if each.reason is None and each.rule != NOTHING]


def _row(finding: Finding) -> dict[str, Any]:
    fix = finding.fix
    return {
        **to_row(finding),
        "path": finding.origin.path,
        "edits": [] if fix is None else fix.edits,
    }
