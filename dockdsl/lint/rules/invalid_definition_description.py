"""A comment above FROM or ARG that is there for ``--call=outline`` begins with the name.

BuildKit shows it as the description of the stage or the argument. This check is experimental: it runs where
``# check=experimental=InvalidDefinitionDescription`` says so.

Bad::

    # check=experimental=InvalidDefinitionDescription

    # The compiler
    FROM scratch AS build

Good::

    # check=experimental=InvalidDefinitionDescription

    # build The compiler
    FROM scratch AS build

Fix: begin the comment with the name, or leave a blank line below it.

Source: https://docs.docker.com/reference/build-checks/invalid-definition-description/
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject


def examine(subject: Subject) -> Iterator[Fault]:
    """Find comments without the name."""
    for line in subject.lines:
        above = line.logical.lines[line.logical.first - 1] if line.logical.first else ""
        text = above.strip().lstrip("#").strip()
        if line.keyword not in ("FROM", "ARG") or not above.strip().startswith("#") or not text:
            continue
        words = line.words()
        name = words[2] if line.keyword == "FROM" and len(words) > 2 else words[0].partition("=")[0] if words else ""
        if line.keyword == "FROM" and len(words) < 3:
            continue
        if text.split()[0] != name:
            yield Fault(line, f"the comment above {line.keyword} does not begin with {name!r}", f"write `# {name} …`")


RULE = Rule("InvalidDefinitionDescription", examine, __doc__ or "", is_experimental=True)
