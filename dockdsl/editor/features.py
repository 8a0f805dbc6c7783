"""What the server does at each message of the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import BinaryIO

from lsprotocol import types
from pygls.capabilities import get_capability

from dockdsl.display import one_line
from dockdsl.editor.findings import Found, as_markdown
from dockdsl.editor.server import Server
from dockdsl.errors import DockdslError

_FIX_ALL = "source.fixAll.dockdsl"
_QUICK_FIX = types.CodeActionKind.QuickFix.value
_KINDS = [_QUICK_FIX, _FIX_ALL]


def start(stream: BinaryIO, *, runs: bool) -> int:
    """Serve on stdin and this stream until the editor goes; return 1 if it did not say so before."""
    server = Server(runs=runs)
    is_shut_down = False

    @server.feature(types.SHUTDOWN)
    def shutdown(_: Server, __: None) -> None:
        nonlocal is_shut_down
        is_shut_down = True

    _add_documents(server)
    _add_requests(server)
    try:
        server.start_io(stdout=stream)
    finally:
        server.end()
    return 0 if is_shut_down else 1


def _add_documents(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(_: Server, params: types.DidOpenTextDocumentParams) -> None:
        server.changed(params.text_document.uri)
        server.saved(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(_: Server, params: types.DidChangeTextDocumentParams) -> None:
        server.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(_: Server, params: types.DidSaveTextDocumentParams) -> None:
        server.saved(params.text_document.uri)
        if PurePath(params.text_document.uri).suffix in (".py", ".toml"):
            server.settings_changed()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(_: Server, params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)


def _add_requests(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(_: Server, params: types.HoverParams) -> types.Hover | None:
        place = types.Range(params.position, params.position)
        rules = dict.fromkeys(each.rule for each in server.found(params.text_document.uri, place))
        pages = [page for rule in rules if (page := as_markdown(rule))]
        content = types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(pages))
        return types.Hover(content) if pages else None

    options = types.CodeActionOptions(_KINDS, resolve_provider=True)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)
    async def actions(_: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        if server.is_dockerfile(uri) and not server.is_current(uri):
            await server.check_now(uri)
        wanted = [kind for kind in _KINDS if _asks_for(kind, params.context.only)]
        found: list[types.CodeAction] = []
        if _QUICK_FIX in wanted:
            found += [_quick_fix(uri, each) for each in server.found(uri, params.range) if each.is_fixable]
        if _FIX_ALL in wanted and any(each.is_fixed_with_all for each in server.found(uri)):
            found.append(types.CodeAction("Fix all that means the same to BuildKit", kind=_FIX_ALL, data={"uri": uri}))
        if _resolves(server):
            return found
        # What takes a run of a Python file is not done unasked.
        return [await resolved(server, each) for each in found if each.edit or server.is_dockerfile(uri)]

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolved(_: Server, action: types.CodeAction) -> types.CodeAction:
        if isinstance(action.data, dict) and action.edit is None:
            uri = action.data["uri"]
            try:
                edits = await server.fixed(uri, action.data.get("only"))
            except DockdslError as error:
                text = f"not fixed: {one_line(error.message)}"
                server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, text))
            else:
                action.edit = types.WorkspaceEdit(changes={uri: edits})
        return action


def _asks_for(kind: str, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether an editor that asks for some kinds of actions, or for all, wants this one."""
    asked = [each.value if isinstance(each, types.CodeActionKind) else each for each in only or ()]
    return only is None or any(f"{kind}.".startswith(f"{each}.") for each in asked)


def _quick_fix(uri: str, found: Found) -> types.CodeAction:
    effect = f" ({found.effect})" if found.effect else ""
    return types.CodeAction(
        f"Fix: {found.remedy}{effect}",
        kind=_QUICK_FIX,
        diagnostics=[found.diagnostic],
        is_preferred=not found.effect,
        edit=types.WorkspaceEdit(changes={uri: found.edits}) if found.edits else None,
        data=None if found.edits else {"uri": uri, "only": found.key},
    )


def _resolves(server: Server) -> bool:
    """Whether the editor asks for the edits of an action when it is chosen."""
    support = get_capability(server.client_capabilities, "text_document.code_action.resolve_support")
    return support is not None and "edit" in support.properties
