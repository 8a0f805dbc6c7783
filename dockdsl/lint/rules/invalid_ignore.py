"""A comment that ignores a rule names one that exists, and says why.

A misspelled name ignores nothing. Comments of BuildKit and hadolint need no reason.

Bad::

    FROM alpine:3.22
    # dockdsl: ignore=JSONArgsRecomended a shell is wanted here
    CMD run me

Good::

    FROM alpine:3.22
    # dockdsl: ignore=JSONArgsRecommended a shell is wanted here
    CMD run me

Fix: correct the name; ``dockdsl check --rules`` lists them. Write the reason after it.

Source: https://docs.docker.com/reference/dockerfile/#check
"""

from __future__ import annotations

from dockdsl.lint.rule import Rule

RULE = Rule("InvalidIgnore", None, __doc__ or "")
