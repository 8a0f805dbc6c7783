"""Whether a text that was changed still means the same, before it replaces a file."""

from __future__ import annotations

from dockdsl.errors import DockdslError, ProofUnavailable, SourceError
from dockdsl.text.parser import parse
from dockdsl.text.proof import prove

UNPROVEN = (
    "not proven: BuildKit's parser is not installed, so only dockdsl's own parser compared the texts; "
    'run: pip install "dockdsl[prove]"'
)


def confirm(before: str, after: str, name: str) -> bool:
    """Return whether BuildKit's parser confirmed that both texts mean the same; False if dockdsl's own did instead.

    `name` is what messages call the new text, with its file. Raises `SourceError` if they differ.
    """
    if before == after:
        return True
    try:
        difference = prove(before, after)
    except ProofUnavailable:
        if parse(before) == parse(after):
            return False
        raise SourceError(f"{name} would be read differently; the file is unchanged") from None
    except DockdslError as error:
        raise SourceError(f"{name} cannot be proven to mean the same; the file is unchanged: {error.message}") from None
    if difference is not None:
        raise SourceError(f"{name} would not mean the same; the file is unchanged: {difference}")
    return True
