"""A frontend from elsewhere is pinned by its digest.

``# syntax=`` names the image that reads the file. It decides what is built, and sees the build arguments: whoever can
replace it under its tag can replace the build. Docker's own frontends, and names without a registry, which an engine
may have itself, need none. The first line of a Python file counts as well.

Bad::

    # syntax=registry.test/frontend:1
    FROM scratch

Good::

    # syntax=registry.test/frontend:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    FROM scratch

Fix: add the digest that ``docker buildx imagetools inspect`` prints: ``# syntax=NAME:TAG@sha256:…``.

Source: https://docs.docker.com/build/buildkit/frontend/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.directives import directives_of
from dockdsl.syntax.lazy_regex import lazy_regex

_is_syntax = lazy_regex(r"#\s*syntax\s*=", re.IGNORECASE)
_is_trusted = lazy_regex(r"(?:docker\.io/)?(?:docker/|library/)?[^/]+")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find a frontend of a registry that has no digest."""
    lines = subject.text.removeprefix("\ufeff").split("\n")
    directives = directives_of(lines)
    if directives.syntax is None:
        return
    name = directives.syntax.split()[0]
    if "@" not in name and not _is_trusted().fullmatch(name):
        at = next(index for index in directives.lines if _is_syntax().match(lines[index]))
        fact = f"the frontend {name!r} may be another program with the next build"
        yield Fault(subject.lines[0], fact, "add its digest, @sha256:…", at=at)


RULE = Rule("UnpinnedFrontend", examine, __doc__ or "")
