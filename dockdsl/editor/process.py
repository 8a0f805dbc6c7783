"""A process that checks, as the server sees it: started when it is asked, ended when it takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from typing import Any

from dockdsl.errors import SourceError
from dockdsl.loading import environment

_LONGEST_LINE = 1 << 28
"""Bytes of an answer."""


class Worker:
    """Asks a process of its own, one question at a time."""

    def __init__(self, longest: float, remedy: str) -> None:
        """Wait so many seconds for an answer; `remedy` says what to do where none comes."""
        self._longest = longest
        self._remedy = remedy
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Return the answer to a request. Raises `SourceError` if the process ends, or takes too long."""
        async with self._lock:
            if self._process is None:
                self._process = await _started()
            try:
                return await self._answer(self._process, request)
            except BaseException:
                # It may still be busy with this one.
                self.end()
                raise

    async def _answer(self, process: asyncio.subprocess.Process, request: dict[str, Any]) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            line = await asyncio.wait_for(process.stdout.readline(), self._longest)
            answer: dict[str, Any] = json.loads(line)
        except TimeoutError:
            raise SourceError(f"the check did not end within {self._longest:g} s; {self._remedy}") from None
        except (ValueError, OSError):
            raise SourceError(f"the file ended the program before it was checked; {self._remedy}") from None
        return answer

    def end(self) -> None:
        """End the process, and all that it started."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                if sys.platform == "win32":
                    process.kill()
                else:
                    os.killpg(process.pid, signal.SIGKILL)


async def _started() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "dockdsl", "lsp", "--worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
        limit=_LONGEST_LINE,
        start_new_session=True,
    )
