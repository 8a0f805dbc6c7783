"""The bytes of a file as text."""

from __future__ import annotations

from dockdsl.errors import FileError
from dockdsl.origins import Origin


def decoded(data: bytes, name: str) -> str:
    """Return the text of a file. Raises `FileError`, with the first line that is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        place = Origin(name, data.count(b"\n", 0, error.start) + 1)
        raise FileError("it is not UTF-8 text; is it the right file?", origin=place) from None
