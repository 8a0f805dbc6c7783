"""No ARG and no ENV has the name of a secret.

Their values stay in the image and its history, where everybody who has the image can read them. The
fingerprint of a key that signatures are checked with is a hint.

Bad::

    FROM scratch
    ARG API_TOKEN

Good::

    FROM alpine:3.22
    RUN --mount=type=secret,id=api_token cat /run/secrets/api_token

Fix: mount the secret in the RUN that needs it: ``Run(…, mounts=[Secret("api_token")])``.

Source: https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockdsl.lint.finding import Level
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_SECRET = frozenset("apikey auth credential credentials key password pword passwd secret token".split())
_PUBLIC = frozenset({"public", "file", "version"})
_is_fingerprint = lazy_regex(r"[\"']?(?:0x)?(?:[0-9A-Fa-f]{8}){1,5}[\"']?")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find names with the words of secrets."""
    for line in (*subject.args, *subject.steps("ARG", "ENV")):
        for name, value in subject.pairs(line):
            words = {*name.lower().split("_")}
            if words & _SECRET and not words & _PUBLIC:
                # Which key a signature is checked with is no secret.
                is_public = re.search("(?i)GPG|PGP", name) and _is_fingerprint().fullmatch(value or "")
                level: Level | None = "hint" if is_public else None
                fact = f"{name} has the name of a secret, and stays in the image"
                yield Fault(line, fact, "mount it as a secret", level, part=name)


RULE = Rule("SecretsUsedInArgOrEnv", examine, __doc__ or "", aliases=("DL3064",))
