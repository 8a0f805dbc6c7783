"""A rule is ignored only where it finds something.

A comment that is left over hides the next mistake of its kind. For a comment of hadolint this is a hint, since that
tool may find what is not found here.

Bad::

    FROM alpine:3.22
    # dockdsl: ignore=JSONArgsRecommended a shell is wanted here
    CMD ["run", "me"]

Good::

    FROM alpine:3.22
    # dockdsl: ignore=JSONArgsRecommended a shell is wanted here
    CMD run me

Fix: remove the comment, or the rule from it; in pyproject.toml, the entry under ``ignore``.

Source: https://docs.docker.com/reference/dockerfile/#check
"""

from __future__ import annotations

from dockdsl.lint.rule import Rule

RULE = Rule("UnusedIgnore", None, __doc__ or "")
