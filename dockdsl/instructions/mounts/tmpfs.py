"""The mount Tmpfs: an empty folder in memory."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.instructions.converters import number_or_word
from dockdsl.instructions.mounts.mount import PLAIN_TARGET, Mount, check_target
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.words import Word, word


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Tmpfs(Mount):
    """Mount an empty folder in memory.

    `target` is the path in the container, `size` the maximum size: ``"64m"``, ``"1GiB"`` or a number of bytes.

    Raises `InvalidValue` for a value that is not valid, `InvalidType` for a wrong type.

    >>> from dockdsl import Run
    >>> print(Run("make test", mounts=[Tmpfs("/tmp", size="64m")]))
    RUN --mount=type=tmpfs,target=/tmp,size=64m make test

    Source: the Dockerfile reference, "RUN --mount=type=tmpfs".
    """

    TYPE: ClassVar[str] = "tmpfs"

    target: Word = attrs.field(converter=word, metadata=PLAIN_TARGET)
    size: Word | None = attrs.field(default=None, converter=number_or_word, kw_only=True)

    def check(self) -> None:
        check_target(self.target)

    def features(self) -> list[str]:
        return [*super().features(), *([] if self.size is None else ["1.4"])]
