"""The mount Cache: a folder that is kept between builds."""

from __future__ import annotations

from typing import ClassVar
from typing import Literal as OneOf

import attrs

from dockdsl.errors import Refused
from dockdsl.instructions.converters import number_or_word
from dockdsl.instructions.mounts.mount import PLAIN_TARGET, Mount, check_target, mode_of
from dockdsl.instructions.sources import Source, source_name
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.words import Word, word, word_or_none


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Cache(Mount):
    """Mount a folder that is kept between builds.

    `target`
        The path in the container.
    `id`
        The name of the cache; by default, the target.
    `readonly`
        Whether the command may only read.
    `sharing`
        What happens if several builds use the cache at once: ``"shared"`` (the default) lets them, ``"private"`` gives
        each its own, ``"locked"`` makes them wait.
    `from_`, `source`
        A `Stage` or the name of an image, and a path in it: the initial content.
    `mode`, `uid`, `gid`
        The permissions (``"0755"`` or ``0o755``) and the owner of a new folder.

    Raises `InvalidValue` for a value that is not valid, `InvalidType` for a wrong type.

    >>> from dockdsl import Run
    >>> modules = Cache("/go/pkg/mod", sharing="locked")
    >>> print(Run("go mod download", mounts=[modules]))
    RUN --mount=type=cache,target=/go/pkg/mod,sharing=locked go mod download

    Source: the Dockerfile reference, "RUN --mount=type=cache".
    """

    TYPE: ClassVar[str] = "cache"

    target: Word = attrs.field(converter=word, metadata=PLAIN_TARGET)
    id: Word | None = attrs.field(default=None, converter=word_or_none, kw_only=True)
    readonly: bool | None = attrs.field(default=None, kw_only=True)
    sharing: OneOf["shared", "private", "locked"] | None = attrs.field(default=None, kw_only=True)
    from_: Source | None = attrs.field(default=None, converter=source_name, kw_only=True)
    source: Word | None = attrs.field(default=None, converter=word_or_none, kw_only=True)
    mode: Word | None = attrs.field(default=None, converter=mode_of, kw_only=True)
    uid: Word | None = attrs.field(default=None, converter=number_or_word, kw_only=True)
    gid: Word | None = attrs.field(default=None, converter=number_or_word, kw_only=True)

    def check(self) -> None:
        check_target(self.target)
        if self.source is not None and self.from_ is None:
            raise Refused("source: this is a path in what `from_` names, and `from_` is not given", "add from_=")
