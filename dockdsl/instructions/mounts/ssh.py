"""The mount Ssh: an SSH agent."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.instructions.converters import number_or_word
from dockdsl.instructions.mounts.mount import Mount, mode_of
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.words import Word, word_or_none


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Ssh(Mount):
    """Give a command access to an SSH agent of the machine that starts the build.

    `target`
        The path of the socket in the container; by default, BuildKit chooses one.
    `id`
        The name of the agent; by default ``default``.
    `required`
        Whether the build fails if it is not given an agent.
    `mode`, `uid`, `gid`
        The permissions (``"0600"`` or ``0o600``) and the owner of the socket.

    Raises `InvalidValue` for a value that is not valid, `InvalidType` for a wrong type.

    >>> from dockdsl import Run
    >>> print(Run("git clone git@example.com:a/b.git", mounts=[Ssh()]))
    RUN --mount=type=ssh git clone git@example.com:a/b.git

    Source: the Dockerfile reference, "RUN --mount=type=ssh".
    """

    TYPE: ClassVar[str] = "ssh"

    target: Word | None = attrs.field(default=None, converter=word_or_none)
    id: Word | None = attrs.field(default=None, converter=word_or_none, kw_only=True)
    required: bool | None = attrs.field(default=None, kw_only=True)
    mode: Word | None = attrs.field(default=None, converter=mode_of, kw_only=True)
    uid: Word | None = attrs.field(default=None, converter=number_or_word, kw_only=True)
    gid: Word | None = attrs.field(default=None, converter=number_or_word, kw_only=True)
