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

_is_secret = re.compile(
    r"(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)", re.IGNORECASE
).search
_is_public = re.compile(r"(?:_|^)(?:public|file|version)(?:_|$)", re.IGNORECASE).search
# Which key a signature is checked with is no secret.
_is_key = re.compile(r"GPG|PGP", re.IGNORECASE).search
_is_fingerprint = re.compile(r"[\"']?(?:0x)?(?:[0-9A-Fa-f]{8}){1,5}[\"']?").fullmatch


def examine(subject: Subject) -> Iterator[Fault]:
    """Find names with the words of secrets."""
    for line in (*subject.args, *subject.steps("ARG", "ENV")):
        for name, value in subject.pairs(line):
            if _is_secret(name) and not _is_public(name):
                level: Level | None = "hint" if _is_key(name) and _is_fingerprint(value or "") else None
                fact = f"{name} has the name of a secret, and stays in the image"
                yield Fault(line, fact, "mount it as a secret", level, part=name)


RULE = Rule("SecretsUsedInArgOrEnv", examine, __doc__ or "", aliases=("DL3064",))
