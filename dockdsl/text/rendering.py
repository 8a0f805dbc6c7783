"""From values to text, and to the place in the user's file that each line comes from."""

from __future__ import annotations

import re
from typing import NamedTuple

from dockdsl.errors import InvalidType
from dockdsl.instructions._base import Instruction, StageBase
from dockdsl.instructions.comment import Comment
from dockdsl.model.dockerfile import Dockerfile
from dockdsl.model.stage import Stage
from dockdsl.origins import Origin
from dockdsl.syntax.refusal import kind_of, shown
from dockdsl.syntax.words import BACKSLASH, BACKTICK, Spelling

_looks_like_directive = re.compile(r"#\s*[A-Za-z][A-Za-z0-9]*\s*=").match

Piece = tuple[str, Instruction | Stage | Dockerfile | None]


class Rendered(NamedTuple):
    """A Dockerfile's text, and where each of its lines comes from."""

    text: str
    origins: tuple[Origin | None, ...]
    """A line's origin, or None for a blank line; line 1 is ``origins[0]``."""


def render(dockerfile: Dockerfile, *, header: str | None = None) -> str:
    """Return the Dockerfile as text: deterministic, with ``\\n`` line ends and one newline at the end.

    `header` is a remark at the top, below the directives.

    Raises `InvalidType` for what is no `Dockerfile`.

    >>> from dockdsl import Dockerfile, Stage, User
    >>> print(render(Dockerfile(Stage("alpine:3.22", steps=[User("1000")]), escape="`")), end="")
    # escape=`
    <BLANKLINE>
    FROM alpine:3.22
    USER 1000

    Source: the Dockerfile reference, "Format" and "Parser directives".
    """
    return "\n".join([text for text, _ in pieces(dockerfile, header)]) + "\n"


def render_with_map(dockerfile: Dockerfile, *, header: str | None = None) -> Rendered:
    """Return the text as `render` does, and for each line the place in the user's file it comes from.

    >>> from dockdsl import Dockerfile, Stage, User
    >>> rendered = render_with_map(Dockerfile(Stage("alpine:3.22", steps=[User("1000")])))
    >>> len(rendered.origins) == rendered.text.count("\\n") == 2
    True

    Raises `InvalidType` for what is no `Dockerfile`.

    Source: the Dockerfile reference, "Format".
    """
    lines: list[str] = []
    origins: list[Origin | None] = []
    for text, value in pieces(dockerfile, header):
        lines.append(text)
        origins.extend([None if value is None else value.origin] * (text.count("\n") + 1))
    return Rendered("\n".join(lines) + "\n", tuple(origins))


def pieces(dockerfile: Dockerfile, header: str | None = None) -> list[Piece]:
    """Return the text of each instruction, in order, with its value."""
    if not isinstance(dockerfile, Dockerfile):
        hint = "pass Dockerfile(stage)" if isinstance(dockerfile, Stage) else "pass a Dockerfile"
        raise InvalidType(f"render: {shown(dockerfile)} is {kind_of(dockerfile)}; {hint}")
    spelling = _spelling(dockerfile)
    found: list[Piece] = []
    blank: Piece = ("", None)
    if dockerfile.frontend is not None:
        found.append((f"# syntax={dockerfile.frontend}", dockerfile))
    if dockerfile.escape != "\\":
        found.append((f"# escape={dockerfile.escape}", dockerfile))
    if dockerfile.check is not None:
        found.append((f"# check={dockerfile.check}", dockerfile))
    directives = len(found)
    if header is not None:
        if found:
            found.append(blank)
        found.append((Comment(header).rendered(spelling), dockerfile))
    if dockerfile.args:
        if found:
            found.append(blank)
        found += [(arg.rendered(spelling), arg) for arg in dockerfile.args]
    for stage in dockerfile.stages:
        if found:
            found.append(blank)
        if stage.comment is not None:
            found.append((stage.comment.rendered(spelling), stage))
        if spelling.names is None:
            found.append((stage.__dict__["_from"], stage))
        else:
            found.append((stage.from_line(spelling), stage))
        found += [(step.rendered(spelling), step) for step in stage.steps]
    if not directives and _looks_like_directive(found[0][0]):
        # A remark on the first line would be taken for a directive.
        found.insert(0, blank)
    return found


def _spelling(dockerfile: Dockerfile) -> Spelling:
    """Decide how stages without a name are referred to: by index, or by a name where an index will not do."""
    if not any(stage.by_place for stage in dockerfile.stages):
        return BACKSLASH if dockerfile.escape == "\\" else BACKTICK
    by_index: set[int] = set()
    by_name: set[int] = set()
    for stage in dockerfile.stages:
        if isinstance(stage.base, StageBase) and stage.base.name is None:
            by_name.add(id(stage.base))
        for step in stage.steps:
            for source in step.references():
                if isinstance(source, StageBase) and source.name is None:
                    (by_index if step.KEYWORD == "COPY" else by_name).add(id(source))
    taken = {stage.name for stage in dockerfile.stages}
    names: dict[int, str] = {}
    for index, stage in enumerate(dockerfile.stages):
        if id(stage) in by_name:
            names[id(stage)] = automatic_name(index, taken)
        elif stage.name is None:
            names[id(stage)] = str(index)
    return Spelling(dockerfile.escape, names)


def automatic_name(index: int, taken: set[str | None]) -> str:
    """Return the name that is written for a stage without one, where it cannot be referred to by its index."""
    name = f"stage-{index}"
    while name in taken:
        name += "-unnamed"
    return name
