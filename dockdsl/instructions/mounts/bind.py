"""The mount Bind: files of the build context, of a stage or of an image."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dockdsl.instructions.mounts.mount import PLAIN_TARGET, Mount, check_target
from dockdsl.instructions.sources import Reference, Source, source_name
from dockdsl.syntax.flags import convert_later
from dockdsl.syntax.words import Word, word_or_none


@attrs.frozen(slots=False, repr=False, field_transformer=convert_later)
class Bind(Mount):
    """Mount files of the build context, a stage or an image while a command runs.

    `target`
        The path in the container; by default, the working directory. It must not be the root.
    `source`
        The path in `from_`; by default, its root.
    `from_`
        A `Stage`, or the name of an image or a named context; by default, the build context.
    `readwrite`
        Whether the command may write; what it writes is discarded.

    Raises `InvalidValue` for a value that is not valid, `InvalidType` for a wrong type.

    >>> from dockdsl import Run
    >>> print(Run("go build .", mounts=[Bind("/src")]))
    RUN --mount=type=bind,target=/src go build .

    Source: the Dockerfile reference, "RUN --mount=type=bind".
    """

    TYPE: ClassVar[str] = "bind"

    target: Word | None = attrs.field(default=None, converter=word_or_none, metadata=PLAIN_TARGET)
    source: Word | None = attrs.field(default=None, converter=word_or_none, kw_only=True)
    from_: Source | None = attrs.field(default=None, converter=source_name, kw_only=True)
    readwrite: bool | None = attrs.field(default=None, kw_only=True)

    def references(self) -> tuple[Reference, ...]:
        """The stage, image or context that is mounted: by default, the build context."""
        return (Reference(self.from_, "mount"),)

    def check(self) -> None:
        if self.target is not None:
            check_target(self.target)
