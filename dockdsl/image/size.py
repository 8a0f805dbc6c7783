"""Where the bytes of an image come from: its layers, divided among the lines that made them."""
# ruff: noqa: PLC0415 - an Image is written down in places where nothing of this is needed

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import attrs

from dockdsl.errors import RunFailed
from dockdsl.image.place import stage_of
from dockdsl.model.stage import Stage
from dockdsl.origins import Origin, short_path

if TYPE_CHECKING:
    from dockdsl.model.dockerfile import Dockerfile

_LONGEST = 72
_ROW, _BAR, _WIDTH = 22, 320, 960
_COLOURS = {"base": "#8c9aa8", "copied": "#2f7d5b", "made": "#3a6ea5"}
_MEANINGS = {"base": "base image", "copied": "files copied in", "made": "made by other steps"}


@attrs.frozen
class Share:
    """What one line contributes to an image.

    `kind`
        ``"base"`` for what the base image brings, ``"copied"`` for ``COPY`` and ``ADD``, ``"made"`` for the rest.
    `text`
        The instruction as the image's own history has it, or the name of the base image.
    `size`
        Bytes of the files of its layers, unpacked. A file that a later line changes or removes still counts here.
    `origin`
        Where it was written; None where the history names a step that the Dockerfile does not have, as those of
        ``ONBUILD``.
    """

    kind: Literal["base", "copied", "made"]
    text: str
    size: int
    origin: Origin | None = None


@attrs.frozen(kw_only=True)
class SizeReport:
    """The size of an image and its parts.

    `shares`
        The base image first, then the lines in their order.
    `compressed`
        Bytes of its layers, each compressed with gzip: about what a registry transfers. None where it was not measured.

    >>> copied = Share("copied", "COPY /out/api /api", 6_000_000, Origin("api.py", 9))
    >>> report = SizeReport(image="api:dev", shares=(Share("base", "busybox:1.37", 2_000_000), copied))
    >>> report.unpacked, report.floor, round(report.ratio or 0, 2)
    (8000000, 6000000, 1.33)
    """

    image: str
    shares: tuple[Share, ...]
    compressed: int | None = None

    @property
    def unpacked(self) -> int:
        """Bytes of the files of all layers, unpacked."""
        return sum(share.size for share in self.shares)

    @property
    def floor(self) -> int | None:
        """Bytes of the files that are copied in, below which no image with them can be; None if no files are."""
        return sum(share.size for share in self.shares if share.kind == "copied") or None

    @property
    def ratio(self) -> float | None:
        """How many times its floor the image is."""
        return self.unpacked / self.floor if self.floor else None

    def text(self) -> str:
        """Return the report for people: a line for each share that has bytes, and a summary.

        >>> copied = Share("copied", "COPY /out/api /api", 6_000_000, Origin("api.py", 9))
        >>> empty = Share("made", "USER 65532", 0, Origin("api.py", 10))
        >>> print(SizeReport(image="api:dev", shares=(Share("base", "scratch", 0), copied, empty)).text())
          6 MB  100 %  api.py:9  COPY /out/api /api
        api:dev: 6 MB unpacked (the files of its layers)
        floor: 6 MB, the files that COPY and ADD bring in; the image is 1.00 times that
        no bytes: base scratch, 1 other line
        """
        from dockdsl.display import counted, cut, megabytes, printable

        full = [share for share in self.shares if share.size]
        rows = [
            (megabytes(share.size), f"{_percent(share.size, self.unpacked)} %", *_described(share)) for share in full
        ]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
        lines = [
            f"{size:>{widths[0] + 2}}  {share:>{widths[1]}}  {place:{widths[2]}}  {cut(printable(what), _LONGEST)}"
            for size, share, place, what in rows
        ]
        lines.append(f"{self.image}: {megabytes(self.unpacked)} unpacked (the files of its layers)")
        if self.compressed is not None:
            lines[-1] += f", {megabytes(self.compressed)} compressed (gzip, about what a registry transfers)"
        if self.floor is None:
            lines.append("floor: none, since COPY and ADD bring no files in")
        else:
            floor = f"{megabytes(self.floor)}, the files that COPY and ADD bring in"
            lines.append(f"floor: {floor}; the image is {self.ratio:.2f} times that")
        empty = [share for share in self.shares if not share.size]
        names = [f"base {share.text}" for share in empty if share.kind == "base"]
        others = len(empty) - len(names)
        if others:
            names.append(counted(others, "other line"))
        if names:
            lines.append(f"no bytes: {', '.join(names)}")
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """Return the report as what JSON can hold; sizes are in bytes."""
        return {
            "image": self.image,
            "unpacked": self.unpacked,
            "compressed": self.compressed,
            "floor": self.floor,
            "ratio": None if self.ratio is None else round(self.ratio, 4),
            "shares": [
                {
                    "kind": share.kind,
                    "text": share.text,
                    "size": share.size,
                    "file": None if share.origin is None else short_path(share.origin.path),
                    "line": None if share.origin is None else share.origin.line,
                }
                for share in self.shares
            ],
        }

    def svg(self) -> str:
        """Return the report as a picture: a bar for each share that has bytes."""
        from html import escape

        from dockdsl.display import cut, megabytes, printable

        full = [share for share in self.shares if share.size]
        largest = max((share.size for share in full), default=1)
        height = _ROW * (len(full) + 4)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" font-family="sans-serif">',
            "<style>text { font-size: 12px }</style>",
            f"<title>{escape(printable(self.image))}: where its bytes come from</title>",
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        ]

        def write(x: float, row: float, text: str, **options: str) -> None:
            given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in options.items())
            parts.append(f'<text x="{x:g}" y="{row * _ROW - 6:g}"{given}>{escape(printable(text))}</text>')

        floor = "" if self.ratio is None else f"; {self.ratio:.2f} times the files copied in"
        write(10, 1, f"{self.image}: {megabytes(self.unpacked)} unpacked{floor}", font_weight="bold")
        for row, share in enumerate(full, start=2):
            length = max(share.size / largest * _BAR, 1)
            parts.append(
                f'<rect x="10" y="{(row - 1) * _ROW + 3:g}" width="{length:.1f}" height="{_ROW - 6}" '
                f'fill="{_COLOURS[share.kind]}"/>'
            )
            place, what = _described(share)
            write(_BAR + 90, row, megabytes(share.size), text_anchor="end")
            write(_BAR + 100, row, cut(f"{place}  {what}", 84))
        for index, (kind, meaning) in enumerate(_MEANINGS.items()):
            x, y = 10 + index * 180, (len(full) + 2) * _ROW
            parts.append(f'<rect x="{x}" y="{y + 5}" width="12" height="12" fill="{_COLOURS[kind]}"/>')
            write(x + 18, len(full) + 3, meaning)
        return "\n".join([*parts, "</svg>", ""])


def divide(history: Sequence[tuple[str, int]], dockerfile: Dockerfile, target: str | None = None) -> tuple[Share, ...]:
    """Return what each line of the image's stage contributes.

    `history`
        What the engine reports of the image, oldest first: the words of each step, and the bytes of its layer.
    `target`
        The stage that was built, by its name or number; None is the last one.

    >>> from dockdsl import Copy, Dockerfile, Env, Stage
    >>> api = Dockerfile(Stage("busybox:1.37", steps=[Copy("api", "/"), Env({"A": "1"})]))
    >>> history = [("BusyBox 1.37", 4_000_000), ("COPY api / # buildkit", 6_000_000), ("ENV A=1", 0)]
    >>> [(share.kind, share.text, share.size) for share in divide(history, api)]
    [('base', 'busybox:1.37', 4000000), ('copied', 'COPY api /', 6000000), ('made', 'ENV A=1', 0)]

    The engine writes one step for each instruction, so they are matched from the end. What comes before the first
    instruction is the base image's.

    Raises `RunFailed` where the history does not have the steps of the Dockerfile.
    """
    stage = stage_of(dockerfile, target)
    chain = [stage]
    while isinstance(chain[0].base, Stage):
        chain.insert(0, chain[0].base)
    base = chain[0]
    steps = [step for each in chain for step in each.steps if step.keyword]
    shares: list[Share] = []
    rest = list(history)
    # What ONBUILD of a base image adds stands between that image's steps and ours, and is neither's.
    while steps and rest:
        words, size = rest.pop()
        text = _clean(words)
        keyword = text.partition(" ")[0]
        step = steps.pop() if keyword == steps[-1].keyword else None
        kind: Literal["copied", "made"] = "copied" if keyword in ("COPY", "ADD") else "made"
        shares.append(Share(kind, text, size, None if step is None else step.origin))
    if steps:
        raise RunFailed(
            f"size: the history of the image does not have the step {steps[-1].keyword}, so which line brings how "
            "many bytes is not known; build it with docker buildx, and with a layer for each step"
        )
    from_base = sum(size for _, size in rest)
    return (Share("base", str(base.base), from_base, base.origin), *reversed(shares))


def _clean(words: str) -> str:
    """Return a step of the history as it was written, without what the engine adds.

    >>> _clean("RUN |1 VERSION=1 /bin/sh -c go build # buildkit")
    'RUN |1 VERSION=1 /bin/sh -c go build'
    >>> _clean("/bin/sh -c #(nop)  CMD [\\"sh\\"]"), _clean("|1 VERSION=1 /bin/sh -c go build")
    ('CMD ["sh"]', 'RUN |1 VERSION=1 /bin/sh -c go build')
    """
    words = " ".join(words.split()).removesuffix(" # buildkit")
    without = words.removeprefix("/bin/sh -c #(nop) ")
    # buildah writes a RUN without its keyword.
    return f"RUN {words}" if without == words and words.startswith(("/bin/sh -c ", "|")) else without


def _described(share: Share) -> tuple[str, str]:
    place = "" if share.origin is None else str(share.origin)
    return place, f"FROM {share.text}" if share.kind == "base" else share.text


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole
    return "<1" if 0 < share < 1 else f"{share:.0f}"
