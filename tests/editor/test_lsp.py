"""The server for editors, as a real client sees it over stdio."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.lsp.client import LanguageClient

from dockdsl.editor.positions import Positions
from dockdsl.editor.process import Worker
from dockdsl.errors import SourceError

LIMIT = 30.0
COMMAND = [sys.executable, "-m", "dockdsl", "lsp"]
PYTHON = """\
from pathlib import Path

from dockdsl import Cmd, Dockerfile, Expose, Stage

with Path(__file__ + ".ran").open("a") as file:
    file.write("x")
port = "1/Tcp"
dockerfile = Dockerfile(Stage("a:1", steps=["😀" and Expose("80/TCP"), Expose(port)]))
"""


class Editor(LanguageClient):
    """An editor with one server."""

    def __init__(self) -> None:
        super().__init__("editor", "1")
        self.shown: dict[str, asyncio.Queue[types.PublishDiagnosticsParams]] = {}
        self.messages: list[str] = []

        self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda params: self.publish(params))
        self.feature(types.WINDOW_SHOW_MESSAGE)(lambda params: self.show(params))

    def publish(self, params: types.PublishDiagnosticsParams) -> None:
        """Keep what is to be shown in a file."""
        self.shown.setdefault(params.uri, asyncio.Queue()).put_nowait(params)

    def show(self, params: types.ShowMessageParams) -> None:
        """Keep a message."""
        self.messages.append(params.message)

    async def start(
        self, folder: Path | None, *options: str, encoding: str = "utf-16", resolves: bool = True
    ) -> types.InitializeResult:
        """Start a server for a folder."""
        await self.start_io(*COMMAND, *options)
        resolve = types.ClientCodeActionResolveOptions(["edit"]) if resolves else None
        capabilities = types.ClientCapabilities(
            general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind(encoding)]),
            text_document=types.TextDocumentClientCapabilities(
                code_action=types.CodeActionClientCapabilities(resolve_support=resolve)
            ),
        )
        folders = None if folder is None else [types.WorkspaceFolder(folder.as_uri(), "x")]
        found = await self.initialize_async(types.InitializeParams(capabilities, workspace_folders=folders))
        self.initialized(types.InitializedParams())
        return found

    async def finish(self) -> int | None:
        """End the server as an editor does, and return its exit code."""
        await asyncio.wait_for(self.shutdown_async(None), LIMIT)
        self.exit(None)
        assert self._server is not None
        code = await asyncio.wait_for(self._server.wait(), LIMIT)
        await self.stop()  # type: ignore[no-untyped-call]  # pygls gives it no types
        return code

    def open(self, path: Path, text: str | None = None, language: str = "dockerfile") -> str:
        """Open a file; with `text`, it has that and is not written."""
        text = path.read_bytes().decode() if text is None else text
        item = types.TextDocumentItem(path.as_uri(), language, 1, text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return item.uri

    def change(self, uri: str, text: str) -> None:
        """Type."""
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(2, uri), [whole])
        )

    def save(self, uri: str) -> None:
        """Save."""
        self.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))

    async def found(self, uri: str) -> list[types.Diagnostic]:
        """Return what is shown next in a file."""
        queue = self.shown.setdefault(uri, asyncio.Queue())
        return list((await asyncio.wait_for(queue.get(), LIMIT)).diagnostics)

    async def actions(self, uri: str, place: types.Range, *only: str) -> list[types.CodeAction]:
        """Return what is offered at a place."""
        context = types.CodeActionContext([], only=only or None)
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), place, context)
        found = await asyncio.wait_for(self.text_document_code_action_async(params), LIMIT)
        return [each for each in found or () if isinstance(each, types.CodeAction)]

    async def chosen(self, action: types.CodeAction) -> types.CodeAction:
        """Return an action with its edit."""
        return await asyncio.wait_for(self.code_action_resolve_async(action), LIMIT)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run what an editor does."""
    asyncio.run(asyncio.wait_for(scenario, 3 * LIMIT))


def at(line: int, start: int, end: int) -> types.Range:
    """Return a range in one line."""
    return types.Range(types.Position(line, start), types.Position(line, end))


EVERYWHERE = types.Range(types.Position(0, 0), types.Position(99, 0))


def edited(text: str, action: types.CodeAction, encoding: str = "utf-16-le") -> str:
    """Return a text with the edits of an action made, as an editor makes them."""
    assert action.edit is not None
    assert action.edit.changes is not None
    (edits,) = action.edit.changes.values()
    size = {"utf-8": 1, "utf-16-le": 2, "utf-32-le": 4}[encoding]
    lines = [line.encode(encoding) for line in text.split("\n")]
    starts = [sum(len(each) + size for each in lines[:index]) for index in range(len(lines))]
    data = text.encode(encoding)
    for edit in sorted(edits, key=lambda each: each.range.start, reverse=True):
        start, end = [starts[place.line] + size * place.character for place in (edit.range.start, edit.range.end)]
        data = data[:start] + edit.new_text.encode(encoding) + data[end:]
    return data.decode(encoding)


def test_a_dockerfile_is_checked_while_it_is_typed(tmp_path: Path) -> None:
    """Findings have their place, rule and page; a file that cannot be read has its error; a closed one has nothing."""

    async def scenario() -> None:
        editor = Editor()
        await editor.start(tmp_path)
        uri = editor.open(tmp_path / "Dockerfile", "FROM a:1 AS B\n")
        (one,) = await editor.found(uri)
        assert one == types.Diagnostic(
            at(0, 9, 13),
            "the stage name 'B' has capitals; write 'b'",
            severity=types.DiagnosticSeverity.Warning,
            code="StageNameCasing",
            code_description=types.CodeDescription("https://docs.docker.com/reference/build-checks/stage-name-casing/"),
            source="dockdsl",
        )
        for text in ("FROM a:1 AS", "FROM a:1 AS b\nRUNN x", "FROM a:1 AS b\n  RUNN x\n"):
            editor.change(uri, text)
        (one,) = await editor.found(uri)
        assert (one.range, one.severity) == (at(1, 2, 6), types.DiagnosticSeverity.Error)
        assert one.message == "RUNN: the instruction 'RUNN' is unknown; did you mean RUN?"
        editor.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
        assert await editor.found(uri) == []
        untitled = types.TextDocumentItem("untitled:Untitled-1", "dockerfile", 1, "FROM a:1 AS B\n")
        editor.text_document_did_open(types.DidOpenTextDocumentParams(untitled))
        assert len(await editor.found(untitled.uri)) == 1
        assert await editor.finish() == 0

    run(scenario())


@pytest.mark.parametrize(("encoding", "width"), [("utf-8", 4), ("utf-16", 2), ("utf-32", 1)])
def test_places_are_counted_as_the_editor_counts(encoding: str, width: int, tmp_path: Path) -> None:
    """Characters outside the basic plane, carriage returns and a byte order mark move nothing."""
    text = "\ufeffFROM a:1 AS B\r\n# 😀\r\nENV 😀 x\r\nFROM scratch\r\nCOPY --chown=😀 --from=B x /😀\r\n"
    coding = encoding if encoding == "utf-8" else f"{encoding}-le"

    async def scenario() -> None:
        editor = Editor()
        result = await editor.start(tmp_path, encoding=encoding)
        assert result.capabilities.position_encoding == encoding
        uri = editor.open(tmp_path / "Dockerfile", text)
        shown = {each.code: each.range for each in await editor.found(uri)}
        mark = 3 if encoding == "utf-8" else 1
        assert shown["StageNameCasing"] == at(0, mark + 9, mark + 13)
        assert shown["LegacyKeyValueFormat"] == at(2, 0, 6 + width)
        actions = {
            each.diagnostics[0].code: each
            for each in await editor.actions(uri, EVERYWHERE, "quickfix")
            if each.diagnostics
        }
        assert edited(text, actions["StageNameCasing"], coding) == text.replace("B", "b")
        assert edited(text, actions["LegacyKeyValueFormat"], coding) == text.replace("😀 x\r", "😀=x\r")
        (action,) = await editor.actions(uri, EVERYWHERE, "source.fixAll")
        whole = edited(text, await editor.chosen(action), coding)
        assert whole == text.replace("B", "b").replace("😀 x\r", "😀=x\r")
        assert await editor.finish() == 0

    run(scenario())


def test_ends_of_lines_are_those_of_the_protocol() -> None:
    """A carriage return alone ends a line of the protocol; a form feed and other separators do not."""
    places = Positions("a\rb\x0c\u2028\x85c\nFROM x\r\nd")

    assert places.range(2, 8) == types.Range(types.Position(1, 0), types.Position(2, 0))
    assert places.in_line(2, (6, 7), in_python=False) == at(2, 5, 6)
    assert places.in_line(3, (1, 2), in_python=True) == at(2, 0, 1)
    assert places.in_line(2, (6, 99), in_python=False) == at(2, 5, 6)
    assert places.in_line(9, (1, 2), in_python=True) == at(3, 1, 1)
    assert places.change(places.text) == []
    assert places.change("a\rb\x0c\u2028\x85c\nFROM y\r\nd") == [
        types.TextEdit(types.Range(types.Position(2, 0), types.Position(3, 0)), "FROM y\r\n")
    ]


def test_quick_fixes_and_pages(tmp_path: Path) -> None:
    """A fix says what it does to the image, and is then not the preferred one; hovering shows the page of the rule."""
    text = "FROM a:1 AS B\nCMD run  me\n"

    async def scenario() -> None:
        editor = Editor()
        await editor.start(tmp_path, resolves=False)
        uri = editor.open(tmp_path / "Dockerfile", "FROM a:1 AS B\n")
        editor.change(uri, text)
        # What was typed last is checked before something is offered.
        (action,) = await editor.actions(uri, at(0, 0, 99), "quickfix")
        assert (action.title, action.is_preferred) == ("Fix: write 'b'", True)
        (action,) = await editor.actions(uri, at(1, 3, 3), "quickfix")
        assert action.title.startswith('Fix: write CMD ["program", "argument"] (the program runs without a shell, and')
        assert action.is_preferred is False
        assert edited(text, action) == 'FROM a:1 AS B\nCMD ["run", "me"]\n'
        (action,) = await editor.actions(uri, EVERYWHERE, "source")
        # What changes the image is not changed with all others.
        assert edited(text, action) == "FROM a:1 AS b\nCMD run  me\n"
        assert await editor.actions(uri, EVERYWHERE, "refactor") == []
        where = types.TextDocumentIdentifier(uri)
        page = await editor.text_document_hover_async(types.HoverParams(where, types.Position(0, 10)))
        assert isinstance(page, types.Hover)
        assert isinstance(page.contents, types.MarkupContent)
        assert page.contents.value.startswith("**StageNameCasing**\n\nNames of stages are in lower case.\n")
        assert "\nBad:\n\n    FROM scratch AS Build\n" in page.contents.value
        assert await editor.text_document_hover_async(types.HoverParams(where, types.Position(0, 2))) is None
        assert await editor.finish() == 0

    run(scenario())


def test_a_python_file_is_run_when_it_is_opened_and_saved(tmp_path: Path) -> None:
    """It is not when it is changed; what is found has its place; a fix is worked out when it is chosen."""
    path = tmp_path / "app.py"
    path.write_text(PYTHON, encoding="utf-8")
    ran = tmp_path / "app.py.ran"

    async def scenario() -> None:
        editor = Editor()
        await editor.start(tmp_path)
        uri = editor.open(path, language="python")
        found = await editor.found(uri)
        assert [each.range for each in found] == [at(7, 53, 69), at(7, 71, 83)]
        assert ran.read_text() == "x"
        editor.change(uri, f"\n{PYTHON}")
        changed = await editor.actions(uri, EVERYWHERE, "quickfix")
        await editor.chosen(changed[0])
        assert editor.messages == ["not fixed: the file is not as it was checked; save it first"]
        assert ran.read_text() == "x"
        path.write_text(f"{PYTHON}#", encoding="utf-8")
        editor.change(uri, PYTHON)
        await editor.chosen(changed[0])
        assert editor.messages.pop() == editor.messages[0]
        path.write_text(f"\ufeff{PYTHON}", encoding="utf-8")
        first, second = await editor.actions(uri, EVERYWHERE, "quickfix")
        assert first.edit is None
        assert edited(PYTHON, await editor.chosen(first)) == PYTHON.replace("80/TCP", "80/tcp")
        assert (await editor.chosen(second)).edit is None
        assert editor.messages[1:] == ["not fixed: its argument is not a literal there; change it where it is computed"]
        (every,) = await editor.actions(uri, EVERYWHERE, "source.fixAll.dockdsl")
        assert edited(PYTHON, await editor.chosen(every)) == PYTHON.replace("80/TCP", "80/tcp")
        path.write_text(PYTHON.replace("TCP", "tcp").replace("Tcp", "tcp"), encoding="utf-8")
        editor.change(uri, path.read_text(encoding="utf-8"))
        editor.save(uri)
        assert await editor.found(uri) == []
        path.write_text(f"{PYTHON}raise KeyError(1)\n", encoding="utf-8")
        editor.save(uri)
        (one,) = await editor.found(uri)
        assert one.range.start.line == 8
        assert one.message == "the file raised KeyError: 1; fix the file"
        assert await editor.finish() == 0

    run(scenario())


def test_what_is_found_in_a_helper_is_shown_there(tmp_path: Path) -> None:
    """A file that another one imports has the findings of what it makes, until the other one is closed."""
    helper = tmp_path / "made_here.py"
    helper.write_text("from dockdsl import Cmd\n\n\ndef cmd():\n    return Cmd('x y')\n")
    path = tmp_path / "app.py"
    path.write_text(
        "from dockdsl import Dockerfile, Stage\nfrom made_here import cmd\n\ndockerfile = Dockerfile(Stage('a:1', steps=[cmd()]))\n"
    )

    async def scenario() -> None:
        editor = Editor()
        await editor.start(tmp_path)
        uri = editor.open(path, language="python")
        (one,) = await editor.found(helper.as_uri())
        assert one.range == at(4, 11, 21)
        assert await editor.actions(helper.as_uri(), EVERYWHERE, "quickfix") == []
        editor.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
        assert await editor.found(helper.as_uri()) == []
        assert await editor.finish() == 0

    run(scenario())


@pytest.mark.parametrize(
    ("name", "opened", "text", "options"),
    [
        pytest.param("app.py", "elsewhere", PYTHON, [], id="outside the folder of the editor"),
        pytest.param("app.py", None, PYTHON, [], id="no folder"),
        pytest.param("app.py", ".", PYTHON, ["--no-run"], id="switched off"),
        pytest.param("test_app.py", ".", PYTHON, [], id="a test"),
        pytest.param(".venv/lib/app.py", ".", PYTHON, [], id="a package of others"),
        pytest.param(
            "app.py",
            ".",
            PYTHON.replace("from dockdsl import", "from nothing import"),
            [],
            id="dockdsl is not imported",
        ),
    ],
)
def test_python_that_is_not_run(name: str, opened: str | None, text: str, options: list[str], tmp_path: Path) -> None:
    """A file is run only in a folder that the editor works in, if it imports dockdsl, and unless that is switched off."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

    async def scenario() -> None:
        editor = Editor()
        await editor.start(None if opened is None else tmp_path / opened, *options)
        uri = editor.open(path, language="python")
        editor.save(uri)
        assert len(await editor.found(editor.open(tmp_path / "Dockerfile", "FROM a:1 AS B\n"))) == 1
        assert uri not in editor.shown
        assert await editor.finish() == 0

    run(scenario())
    assert not list(tmp_path.rglob("*.ran"))


def test_settings_and_rules_of_a_project(tmp_path: Path) -> None:
    """They count in the folder of the editor, as they are when they are saved; outside of it no code is run."""
    tmp_path.joinpath("pyproject.toml").write_text('[tool.dockdsl.check]\nrules = ["house_rules:no_b"]\n')
    tmp_path.joinpath("house_rules.py").write_text(
        'from dockdsl import Fault\n\n\ndef no_b(subject):\n    """No b."""\n    yield Fault(subject.lines[0], "b", "write a")\n'
    )
    tmp_path.joinpath("empty").mkdir()

    async def scenario() -> None:
        editor = Editor()
        await editor.start(tmp_path)
        uri = editor.open(tmp_path / "Dockerfile", "FROM a:1\n")
        assert ["no_b"] == [each.code for each in await editor.found(uri)]
        settings = tmp_path / "pyproject.toml"
        settings.write_text('[tool.dockdsl.check]\nrules = ["house_rules:nothing"]\n')
        editor.save(editor.open(settings, language="toml"))
        (one,) = await editor.found(uri)
        assert "nothing" in one.message
        settings.write_text("")
        editor.save(settings.as_uri())
        assert await editor.found(uri) == []
        assert await editor.finish() == 0
        settings.write_text('[tool.dockdsl.check]\nrules = ["house_rules:no_b"]\n')
        other = Editor()
        await other.start(tmp_path / "empty")
        assert await other.found(other.open(tmp_path / "Dockerfile", "FROM a:1 AS b\n")) == []
        assert await other.finish() == 0

    run(scenario())


def is_there(process: int) -> bool:
    """Whether a process is there, and not only waits for its parent to hear of its end."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(done: Any) -> None:
    """Wait until something is so."""
    end = time.monotonic() + LIMIT
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


ENDLESS = """\
import os, subprocess, time
import dockdsl
child = subprocess.Popen(["sleep", "600"])
with open(__file__ + ".ids", "w") as file:
    file.write(f"{os.getpid()} {child.pid}\\n")
time.sleep(600)
"""


def test_a_file_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """So is what it started; one that ends the process by itself is named; the next question is answered."""
    path = tmp_path / "app.py"
    ids = tmp_path / "app.py.ids"

    async def scenario() -> None:
        worker = Worker(4, "do less")
        request: dict[str, Any] = {"path": str(path), "text": None, "is_trusted": True, "fixes": False, "only": None}
        for text, message in (
            (ENDLESS, "the check did not end within 4 s; do less"),
            (
                "import os, dockdsl\nos.kill(os.getpid(), 9)\n",
                "the file ended the program before it was checked; do less",
            ),
        ):
            path.write_text(text)
            with pytest.raises(SourceError, match=message):
                await worker.ask(**request)
        assert (await worker.ask(**request | {"text": "FROM a:1 AS b\n"})) == {"found": []}
        process = worker._process
        assert process is not None
        worker.end()
        assert await asyncio.wait_for(process.wait(), LIMIT) == -9

    run(scenario())
    wait_for(lambda: not any(map(is_there, map(int, ids.read_text().split()))))


@pytest.mark.parametrize("how", ["the client is gone", "the server is killed", "exit without shutdown", "shutdown"])
def test_nothing_is_left_behind(how: str, tmp_path: Path) -> None:
    """However it ends, a file that runs is ended with it; the exit code says whether the editor took leave."""
    path = tmp_path / "app.py"
    path.write_text(ENDLESS)
    ids = tmp_path / "app.py.ids"
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as server:
        code = ended(server, how, path)
    wait_for(lambda: not any(map(is_there, map(int, ids.read_text().split()))))
    assert code == {"shutdown": 0, "the server is killed": -9}.get(how, 1)


def ended(server: subprocess.Popen[bytes], how: str, path: Path) -> int:
    """Open an endless file, end the server in some way, and return its exit code."""
    assert server.stdin is not None
    ids = path.with_name("app.py.ids")
    folder = {"uri": path.parent.as_uri(), "name": "x"}
    document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": ENDLESS}
    server.stdin.write(message(id=1, method="initialize", params={"capabilities": {}, "workspaceFolders": [folder]}))
    server.stdin.write(message(method="initialized", params={}))
    server.stdin.write(message(method="textDocument/didOpen", params={"textDocument": document}))
    server.stdin.flush()
    wait_for(lambda: ids.exists() and ids.read_text().endswith("\n"))
    assert all(map(is_there, map(int, ids.read_text().split())))
    if how == "the server is killed":
        server.kill()
    elif how == "the client is gone":
        server.stdin.close()
    else:
        server.stdin.write(message(id=2, method="shutdown") if how == "shutdown" else b"")
        server.stdin.write(message(method="exit"))
        server.stdin.flush()
    return server.wait(LIMIT)


def message(**content: Any) -> bytes:
    """Return a message of the protocol."""
    data = json.dumps({"jsonrpc": "2.0", **content}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(data), data)


def test_messages_that_are_wrong(tmp_path: Path) -> None:
    """A request is answered with the error that it is, a notification is passed over, and the next one is answered."""
    wrong = [
        b"Content-Length: 9\r\n\r\nnot JSON!",
        message(id=2, method="textDocument/nothing", params={}),
        message(id=3, method="textDocument/hover", params={"textDocument": 7}),
        message(method="textDocument/didChange", params={}),
        message(method="textDocument/didSave", params={"textDocument": {"uri": "file:///nowhere/app.py"}}),
        message(
            id=4,
            method="textDocument/codeAction",
            params={
                "textDocument": {"uri": "file:///nowhere/Dockerfile"},
                "range": at_json(),
                "context": {"diagnostics": []},
            },
        ),
        message(id=5, method="codeAction/resolve", params={"title": "x", "data": {"uri": "file:///nowhere/app.py"}}),
        message(id=6, method="codeAction/resolve", params={"title": "x", "data": "y"}),
        message(id="8", method="textDocument/hover"),
        message(id=9, method="textDocument/hover", params=[1]),
        message(id=10, method="textDocument/hover", params={"x": 1, "method": "a", "id": 11}),
        message(id=12, method="$/nothing"),
        message(method="$/nothing"),
    ]
    data = b"".join(
        [
            message(id=1, method="initialize", params={"capabilities": {}, "rootUri": tmp_path.as_uri()}),
            *wrong,
            message(id=7, method="shutdown"),
            message(method="exit"),
        ]
    )
    done = subprocess.run(COMMAND, input=data, capture_output=True, timeout=LIMIT, check=False)
    answers = [json.loads(each.partition(b"\r\n\r\n")[2]) for each in done.stdout.split(b"Content-Length: ")[1:]]
    by_id = {each["id"]: each for each in answers if "id" in each and "method" not in each}

    assert done.returncode == 0
    errors = {key: each["error"]["code"] for key, each in by_id.items() if "error" in each}
    assert {2: -32601, 3: -32602, 4: -32603, 5: -32603, "8": -32602, 9: -32602, 10: -32602, 12: -32601} == errors
    assert {1, 4, 5, 6, 7} | errors.keys() == by_id.keys()
    assert by_id[7]["result"] is None


def at_json() -> dict[str, dict[str, int]]:
    """Return a range as JSON."""
    return {name: {"line": 0, "character": 0} for name in ("start", "end")}


def test_without_the_extra(tmp_path: Path) -> None:
    """What is to be installed is said."""
    tmp_path.joinpath("pygls.py").write_text("raise ModuleNotFoundError(name='pygls')\n")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=LIMIT, check=False, env=environment)

    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == 'error: pygls is not installed, which speaks with editors; run: pip install "dockdsl[editor]"\n'
    )
