"""The mount Secret: a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from dockdsl.errors import Refused
from dockdsl.instructions.converters import number_or_word
from dockdsl.instructions.mounts.mount import Mount, mode_of
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.words import Word, word_or_none


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Secret(Mount):
    """Give a command access to a secret, which does not become part of a layer or of the history.

    `id`
        The name under which the build is given the secret.
    `target`
        The file in the container; by default ``/run/secrets/<id>``.
    `env`
        The environment variable that has the secret, instead of a file.
    `required`
        Whether the build fails if it is not given the secret.
    `mode`, `uid`, `gid`
        The permissions (``"0400"`` or ``0o400``) and the owner of the file.

    Raises `InvalidValue` for a value that is not valid, `InvalidType` for a wrong type.

    >>> from dockdsl import Run
    >>> print(Run("./fetch", mounts=[Secret("token", env="TOKEN", required=True)]))
    RUN --mount=type=secret,id=token,env=TOKEN,required=true ./fetch

    Source: the Dockerfile reference, "RUN --mount=type=secret".
    """

    TYPE: ClassVar[str] = "secret"
    ALIASES: ClassVar[Mapping[str, str]] = {"source": "id"}

    id: Word | None = attrs.field(default=None, converter=word_or_none)
    target: Word | None = attrs.field(default=None, converter=word_or_none, kw_only=True)
    env: Word | None = attrs.field(default=None, converter=word_or_none, kw_only=True)
    required: bool | None = attrs.field(default=None, kw_only=True)
    mode: Word | None = attrs.field(default=None, converter=mode_of, kw_only=True)
    uid: Word | None = attrs.field(default=None, converter=number_or_word, kw_only=True)
    gid: Word | None = attrs.field(default=None, converter=number_or_word, kw_only=True)

    def check(self) -> None:
        if self.id is None and self.target is None:
            raise Refused("neither an id nor a target is given", "give the secret an id", by_build=True)

    def features(self) -> list[str]:
        return [*super().features(), *([] if self.env is None else ["1.10"])]
