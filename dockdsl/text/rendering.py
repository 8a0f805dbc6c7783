"""Rendering: from values to text, and to the place in the user's file that each line comes from."""

from __future__ import annotations

from operator import itemgetter
from typing import NamedTuple

from dockdsl.model.dockerfile import Dockerfile, checked, joined
from dockdsl.origins import Origin


class Rendered(NamedTuple):
    """The text of a Dockerfile, and the origins of its lines."""

    text: str
    origins: tuple[Origin | None, ...]
    """The origin of each line, None for a blank line; that of line 1 is ``origins[0]``."""


def render(dockerfile: Dockerfile, *, header: str | None = None) -> str:
    """Return the text of a Dockerfile, with ``\\n`` line ends and one newline at the end; equal values give equal text.

    `header` is a comment at the top, below the directives.

    Raises `InvalidType` if `dockerfile` is not a `Dockerfile`.

    >>> from dockdsl import Dockerfile, Stage, User
    >>> print(render(Dockerfile(Stage("alpine:3.22", steps=[User("1000")]), escape="`")), end="")
    # escape=`
    <BLANKLINE>
    FROM alpine:3.22
    USER 1000

    Source: the Dockerfile reference, "Format" and "Parser directives".
    """
    return "\n".join(map(itemgetter(0), checked(dockerfile, "render").pieces(header))) + "\n"


def render_with_map(dockerfile: Dockerfile, *, header: str | None = None) -> Rendered:
    """Return the text as `render` does, and for each line the place in the user's file that it comes from.

    >>> from dockdsl import Dockerfile, Stage, User
    >>> rendered = render_with_map(Dockerfile(Stage("alpine:3.22", steps=[User("1000")])))
    >>> len(rendered.origins) == rendered.text.count("\\n") == 2
    True

    Raises `InvalidType` if `dockerfile` is not a `Dockerfile`.

    Source: the Dockerfile reference, "Format".
    """
    return Rendered(*joined(checked(dockerfile, "render").pieces(header)))
