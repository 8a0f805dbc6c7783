"""The frame of the pages: two languages that link to each other, and what can be read on a phone.

The Japanese pages in ``ja/`` are built on their own, with ``language = "ja"``, into the folder ``ja`` of the English
ones. So their navigation, search and labels are Japanese. A link to the other language is written as to any other page.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments.lexers.shell import BashSessionLexer
from pygments.token import Generic, Name, Text
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

# Characters that have room on a phone, also beside a bullet.
_LONG = 36

_NO_SPACE_AFTER = ("、", "。", "：", "）")

# What the theme says, and Sphinx has no Japanese for.
_JAPANESE = {
    "Back to top": "先頭へ戻る",
    "Contents": "目次",
    "Copied!": "コピーしました",
    "Copy to clipboard": "コピー",
    "Expand": "開く",
    "Hide navigation sidebar": "メニューを閉じる",
    "Hide table of contents sidebar": "目次を閉じる",
    "Home": "ホーム",
    "Made with ": "使用ツール：",
    "Next": "次へ",
    "Note": "メモ",
    "On this page": "このページの内容",
    "Previous": "前へ",
    "Skip to content": "本文へ移動",
    "Toggle Light / Dark / Auto color theme": "明るい・暗い・自動の配色を切り替える",
    "Toggle site navigation sidebar": "メニューを開く",
    "Toggle table of contents sidebar": "目次を開く",
}


class _Session(BashSessionLexer):
    """Commands and what they print, in which an option is a word of its own: it does not break behind its dashes."""

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        for start, kind, value in super().get_tokens_unprocessed(text):
            if kind not in (Text, Generic.Output):
                yield start, kind, value
                continue
            at = start
            for index, part in enumerate(re.split(r"((?<![\w-])--?[A-Za-z][\w-]*)", value)):
                yield at, Name.Attribute if index % 2 else kind, part
                at += len(part)


class _Japanese(NullTranslations):
    def gettext(self, message: str) -> str:
        return _JAPANESE.get(message, message)


def _translate(app: Sphinx) -> None:
    if app.config.language == "ja":
        app.translator.add_fallback(_Japanese())


def _link_languages(app: Sphinx, doctree: nodes.document) -> None:
    """Let a link to a page of the other language lead to where that page is built."""
    here = Path(app.env.doc2path(app.env.docname)).parent
    for link in list(doctree.findall(pending_xref)):
        page = app.srcdir / f"{link['reftarget']}.md"
        if link.get("refdomain") == "doc" and link["reftarget"] not in app.env.found_docs and page.is_file():
            uri = Path(os.path.relpath(page, here)).with_suffix(".html").as_posix()
            uri += f"#{link['reftargetid']}" if link.get("reftargetid") else ""
            link.replace_self(nodes.reference("", "", *link.children, refuri=uri, internal=False))


def _name_columns(app: Sphinx, doctree: nodes.document, _: str) -> None:
    """Put the title of its column into each cell: on a phone the cells of a row stand one below another."""
    if app.builder.format != "html":
        return
    for table in doctree.findall(nodes.table):
        titles = [entry.astext() for head in table.findall(nodes.thead) for entry in head.findall(nodes.entry)]
        for body in table.findall(nodes.tbody):
            for row in body.findall(nodes.row):
                for title, entry in zip(titles, row.findall(nodes.entry), strict=True):
                    if title and entry.children:
                        entry.insert(0, nodes.inline("", title, classes=["column-title"]))


def _break_code(_: Sphinx, doctree: nodes.document, __: str) -> None:
    """Let a line end before code within a text, and in it only where a word of it does not fit on a phone."""
    for code in doctree.findall(nodes.literal):
        if max(map(len, code.astext().split()), default=0) > _LONG:
            code["classes"].append("long")
        before = code.previous_sibling() if code.parent.index(code) else None
        if isinstance(before, nodes.Text) and before.endswith(_NO_SPACE_AFTER):
            # A line may end here; browsers see that only where a space stands, if a code that does not break follows.
            code.parent.replace(before, nodes.Text(f"{before}\u200b"))


def _other_language(app: Sphinx, page: str, __: str, context: dict[str, Any], ___: object) -> None:
    """Give the template `language.html` the address of the same page in the other language, or of the index."""
    japanese = app.config.language == "ja"
    others = Path(app.confdir) / ("" if japanese else "ja")
    found = page if (others / f"{page}.md").is_file() else "index"
    up = "../" * page.count("/")
    context["other_language"] = f"{up}../{found}.html" if japanese else f"{up}ja/{found}.html"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register all this."""
    app.add_lexer("console", _Session)
    app.connect("builder-inited", _translate)
    app.connect("doctree-read", _link_languages)
    app.connect("doctree-resolved", _name_columns)
    app.connect("doctree-resolved", _break_code)
    app.connect("html-page-context", _other_language)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
