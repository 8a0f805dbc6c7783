"""A comparison as a picture, and as a page with that picture, the table and what it is about."""

from __future__ import annotations

from html import escape

from dockdsl.compare.comparison import Comparison
from dockdsl.compare.report import rows
from dockdsl.compare.words import Words
from dockdsl.display import cut, megabytes, printable

_WIDTH, _BAR, _GROUP, _TOP = 400, 230, 66, 34
_LABEL, _VALUE = 52, 22
"""How many characters there is room for above bars, and behind them."""
_FIGURE = 12
"""Characters of a cell that is not divided into lines."""
_COLOURS = (
    ".paper{fill:#fff}.ink{fill:#1f2328}.before{fill:#b3541e}.after{fill:#1a7f64}"
    "@media(prefers-color-scheme:dark){.paper{fill:#0d1117}.ink{fill:#e6edf3}.before{fill:#e8935a}.after{fill:#4cc2a0}}"
)
_STYLE = """\
:root{color-scheme:light dark}
body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1rem;background:#fff;color:#1f2328}
h1{font-size:1.35rem;line-height:1.35;overflow-wrap:anywhere}h2{font-size:1.05rem}
svg{display:block;width:100%;max-width:34rem;height:auto}
table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{padding:.4rem .5rem;border-bottom:1px solid #8886;text-align:right;vertical-align:top;overflow-wrap:anywhere}
th,td,h1{word-break:auto-phrase}
th:first-child{text-align:left;font-weight:normal;width:34%}table{table-layout:fixed}thead th{font-weight:600}
.figure{white-space:nowrap}li{overflow-wrap:anywhere}code{font:.85em ui-monospace,monospace}
@media(max-width:30rem){th,td{padding:.4rem .2rem;font-size:.9rem}th:first-child{width:28%}}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}}
"""


def picture(found: Comparison, words: Words) -> str:
    """Return an SVG picture: two bars for each figure that can be compared so."""
    shown = [row for row in rows(found, words) if row.bars is not None and max(row.bars) > 0]
    height = _TOP + _GROUP * len(shown)
    size = f'width="{_WIDTH * 1.2:g}" height="{height * 1.2:g}"'
    font = 'font-family="system-ui, sans-serif" font-size="13"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {size} role="img" {font}>',
        f"<title>{_safe(words('title', found.name))}</title>",
        f"<style>{_COLOURS}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{height}"/>',
    ]

    def write(x: float, y: float, text: str, more: str = "") -> None:
        parts.append(f'<text class="ink" x="{x:g}" y="{y:g}"{more}>{_safe(text)}</text>')

    for x, side in ((8, "before"), (190, "after")):
        parts.append(f'<rect class="{side}" x="{x}" y="9" width="13" height="13" rx="2"/>')
        write(x + 19, 20, words(side))
    for number, row in enumerate(shown):
        y = _TOP + number * _GROUP
        write(8, y + 16, cut(row.label, _LABEL), ' font-weight="600"')
        assert row.bars is not None
        for index, (side, length, text) in enumerate(
            zip(("before", "after"), row.bars, (row.before, row.after), strict=True)
        ):
            wide = max(length / max(row.bars) * _BAR, 2 if length else 0)
            top = y + 23 + index * 18
            parts.append(f'<rect class="{side}" x="8" y="{top}" width="{wide:.1f}" height="14" rx="2"/>')
            write(8 + wide + (6 if wide else 0), top + 12, cut(text, _VALUE))
    return "\n".join([*parts, "</svg>", ""])


def page(found: Comparison, words: Words) -> str:
    """Return a page of its own: nothing is loaded from elsewhere."""
    title = _safe(words("title", found.name))
    lines = [
        f'<!DOCTYPE html>\n<html lang="{words.language}">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>",
        picture(found, words),
        f"<table>\n<thead><tr><th></th><th>{words('before')}</th><th>{words('after')}</th></tr></thead>",
        "<tbody>",
    ]
    for row in rows(found, words):
        # A figure and its unit stay together.
        ways = ((each, "" if len(each) > _FIGURE else ' class="figure"') for each in (row.before, row.after))
        cells = "".join(f"<td{way}>{_safe(each)}</td>" for each, way in ways)
        lines.append(f'<tr><th scope="row">{_safe(row.label)}</th>{cells}</tr>')
    lines.append("</tbody>\n</table>")
    for key in ("before", "after"):
        side = found.before if key == "before" else found.after
        lines += _list(words("sized", words("given"), words(key)), side.commands, "ol")
        files = [words("sized", each.name, megabytes(each.bytes)) for each in side.files]
        lines += _list(words("sized", words("left"), words(key)), (*side.images, *files))
    lines += _list(words("notes"), found.notes)
    return "\n".join([*lines, f"<p>{words('foot')}</p>\n</body>\n</html>", ""])


def _list(title: str, items: tuple[str, ...], kind: str = "ul") -> list[str]:
    if not items:
        return []
    inner = "".join(f"<li><code>{_safe(each)}</code></li>" for each in items)
    return [f"<h2>{_safe(title)}</h2>\n<{kind}>{inner}</{kind}>"]


def _safe(text: str) -> str:
    return escape(printable(text))
