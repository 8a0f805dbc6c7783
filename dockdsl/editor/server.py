"""The server: what an editor tells it and asks it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import attrs
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol
from pygls.uris import from_fs_path, to_fs_path

from dockdsl import __version__
from dockdsl.editor.findings import Found, found_in, text_of
from dockdsl.editor.positions import Positions
from dockdsl.editor.process import Worker
from dockdsl.errors import SourceError
from dockdsl.lint.checking import UNREADABLE
from dockdsl.linting import GUARD, LONGEST, is_build_file, is_in
from dockdsl.syntax.filenames import is_dockerfile

_PAUSE = 0.15
"""Seconds without a change after which a Dockerfile is checked."""
_LONGEST = 10.0
"""Seconds that the check of a Dockerfile may take, with rules of the project's own."""


class Protocol(LanguageServerProtocol):
    """Answers each request, even one that is not as the protocol has it."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Return an object of a message as a value. Raises `JsonRpcException` where it is not one of the protocol."""
        method = data.get("method") if "jsonrpc" in data else None
        if method is not None and self.get_message_type(method) is None:
            # pygls wants params in a message that it does not know.
            data.setdefault("params", None)
        try:
            return super().structure_message(data)
        except JsonRpcException:
            if method is not None and "id" in data:
                self._send_response(data["id"], error=JsonRpcInvalidParams().to_response_error())
            raise


class Server(LanguageServer):
    """Knows what was found in the files that are open.

    All checks are made by other processes: a lasting one for Dockerfiles, and one for each run of a Python file.
    """

    def __init__(self, *, runs: bool) -> None:
        """Serve; with `runs`, run the Python files, and the rules of a project's own, in the folders of the editor."""
        kind = types.TextDocumentSyncKind.Full
        super().__init__("dockdsl", __version__, text_document_sync_kind=kind, protocol_cls=Protocol)
        self._runs = runs
        self._found: dict[str, dict[str, list[Found]]] = {}
        """What was found by the check of each open file, in that and in the files that it imports."""
        self._checked: dict[str, str] = {}
        """The texts of the open files when they were checked."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._worker = Worker(_LONGEST, "look at the rules of your own")

    def text(self, uri: str) -> str:
        """Return the text of an open file as the editor has it."""
        return self.workspace.get_text_document(uri).source

    def _positions(self, text: str) -> Positions:
        return Positions(text, self.workspace.position_encoding)

    def is_trusted(self, uri: str) -> bool:
        """Whether code may be run for a file: it is in a folder that the editor works in, and not of others."""
        folders = [_path(each) for each in self.workspace.folders] or [self.workspace.root_path or ""]
        path = to_fs_path(uri)
        return self._runs and path is not None and any(each and is_in(each, path) for each in folders)

    # Checking

    def changed(self, uri: str) -> None:
        """Check a Dockerfile once nothing more is typed."""
        if self.is_dockerfile(uri):
            self._start(uri, self._check_dockerfile(uri))

    def saved(self, uri: str) -> None:
        """Run a Python file, as it is on disk; what other files are checked by may be in it."""
        if self.is_trusted(uri) and is_build_file(_path(uri)):
            self._start(uri, self._check_python(uri))

    def settings_changed(self) -> None:
        """Check all Dockerfiles with the settings and rules that there are now."""
        self._worker.end()
        for uri in self.workspace.text_documents:
            self.changed(uri)

    def closed(self, uri: str) -> None:
        """Forget a file."""
        self._stop(uri)
        self._checked.pop(uri, None)
        self._show(uri, {})

    def end(self) -> None:
        """End all processes."""
        for uri in list(self._tasks):
            self._stop(uri)
        self._worker.end()

    def _start(self, uri: str, check: Any) -> None:
        self._stop(uri)
        self._tasks[uri] = asyncio.ensure_future(check)

    def _stop(self, uri: str) -> None:
        task = self._tasks.pop(uri, None)
        if task is not None:
            task.cancel()

    async def _check_dockerfile(self, uri: str) -> None:
        await asyncio.sleep(_PAUSE)
        await self.check_now(uri)

    async def check_now(self, uri: str) -> None:
        """Check a Dockerfile as the editor has it."""
        text = self.text(uri)
        rows = await self._ask(self._worker, uri, text)
        self._checked[uri] = text
        positions = self._positions(text)
        self._show(uri, {uri: [found_in(row, positions, in_python=False) for row in rows]})

    async def _check_python(self, uri: str) -> None:
        text = self.text(uri)
        worker = Worker(LONGEST, GUARD)
        try:
            rows = await self._ask(worker, uri, None)
        finally:
            worker.end()
        self._checked[uri] = text
        found: dict[str, list[Found]] = {}
        places = {uri: self._positions(text)}
        for row in rows:
            here = self._uri(row["path"], uri)
            if here not in places:
                places[here] = self._positions(text_of(row["path"]))
            one = found_in(row, places[here], in_python=True)
            # The file alone that makes the Dockerfile is fixed.
            found.setdefault(here, []).append(one if here == uri else attrs.evolve(one, is_fixable=False))
        self._show(uri, found)

    async def _ask(self, worker: Worker, uri: str, text: str | None) -> list[dict[str, Any]]:
        """Return what is found; what keeps a file from being checked is found in its first line."""
        try:
            answer = await worker.ask(**self._request(uri, text))
        except SourceError as error:
            where = {"path": _path(uri), "line": 1, "columns": None, "edits": [], "effect": ""}
            return [{"rule": UNREADABLE, "severity": "error", "message": error.message, "remedy": "", **where}]
        found: list[dict[str, Any]] = answer["found"]
        return found

    def _request(self, uri: str, text: str | None) -> dict[str, Any]:
        trusted = self.is_trusted(uri)
        return {"path": _path(uri), "text": text, "is_trusted": trusted, "fixes": False, "only": None}

    def _uri(self, path: str, uri: str) -> str:
        """Return the name that the editor has for a path; `uri` is likely."""
        known = (each for each in (uri, *self.workspace.text_documents) if _path(each) == path)
        return next(known, None) or from_fs_path(path) or uri

    def _show(self, uri: str, found: dict[str, list[Found]]) -> None:
        """Show what the check of a file found, in place of what it found before."""
        before = self._found.pop(uri, {})
        self._found[uri] = found
        for each in {*before, *found}:
            diagnostics = [one.diagnostic for one in self.found(each)]
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(each, diagnostics))

    # What was found

    def found(self, uri: str, place: types.Range | None = None) -> list[Found]:
        """Return what was found in a file, or in a part of it."""
        every = [one for found in self._found.values() for one in found.get(uri, ())]
        return [one for one in every if place is None or one.touches(place)]

    def is_dockerfile(self, uri: str) -> bool:
        """Whether an open file is a Dockerfile."""
        name = os.path.basename(_path(uri))
        return is_dockerfile(name) or self.workspace.get_text_document(uri).language_id == "dockerfile"

    def is_current(self, uri: str) -> bool:
        """Whether what was found in a file is about the text that it has now."""
        return self._checked.get(uri) == self.text(uri)

    async def fixed(self, uri: str, only: Sequence[str | int] | None) -> list[types.TextEdit]:
        """Return the edits that fix all in a file, or what a rule found in a line.

        Raises `SourceError` where that cannot be done.
        """
        is_python = not self.is_dockerfile(uri)
        text = self.text(uri)
        is_saved = self.is_current(uri) and text_of(_path(uri)).removeprefix("\ufeff") == text.removeprefix("\ufeff")
        if is_python and not (self.is_trusted(uri) and is_saved):
            raise SourceError("the file is not as it was checked; save it first")
        worker = Worker(LONGEST, GUARD) if is_python else self._worker
        request = self._request(uri, None if is_python else text)
        try:
            answer = await worker.ask(**request | {"fixes": True, "only": only})
        finally:
            if is_python:
                worker.end()
        if self.text(uri) != text:
            raise SourceError("the file was changed meanwhile; try again")
        new = answer["text"] or text
        # Some editors keep the byte order mark of a file to themselves.
        edits = self._positions(text).change(new if text.startswith("\ufeff") else new.removeprefix("\ufeff"))
        if not edits:
            raise SourceError("; ".join(answer["reasons"]) or "nothing is left to fix; save the file")
        return edits


def _path(uri: str) -> str:
    """Return the path of a file; for one that has none, what its URI says."""
    return to_fs_path(uri) or uri
