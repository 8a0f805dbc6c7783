"""VOLUME: paths whose content is stored outside the container."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import attrs

from dockdsl.errors import Refused
from dockdsl.instructions.constructor import plain_if
from dockdsl.instructions.converters import tuple_of
from dockdsl.instructions.instruction import Instruction
from dockdsl.syntax.instruction_line import Line
from dockdsl.syntax.lines import SPACE
from dockdsl.syntax.patterns import is_plain_path
from dockdsl.syntax.words import Spelling, Word, array, json_text, word


@attrs.frozen(slots=False, repr=False, init=False)
class Volume(Instruction):
    """Mark paths as volumes, whose content is stored outside the container: ``VOLUME path …``.

    With ``paths=[…]``, they can also be given as a list.

    Raises `InvalidValue` if no path is given, or one is empty or has a newline; `InvalidType` for a wrong type.

    >>> print(Volume("/data", "/var/log/my app"))
    VOLUME ["/data", "/var/log/my app"]

    Source: the Dockerfile reference, "VOLUME".
    """

    KEYWORD: ClassVar[str] = "VOLUME"

    paths: tuple[Word, ...] = attrs.field(metadata=plain_if(is_plain_path, several=True))

    # The keyword is what attrs.evolve passes.
    def __init__(self, *each: Word, paths: Word | Iterable[Word] = ()) -> None:
        self.__attrs_init__(paths=tuple([word(path) for path in (*each, *tuple_of(paths))]))

    @classmethod
    def read_operands(cls, line: Line) -> dict[str, Any]:
        elements = line.array()
        paths = [each.strip(SPACE) for each in (line.words() if elements is None else elements)]
        if not paths or not all(paths):
            raise line.wrong("no path is given, or the path is empty", "write VOLUME /path")
        return {"paths": tuple([line.word(each) for each in paths])}

    def operands(self, spelling: Spelling) -> Sequence[str]:
        if not self.paths:
            raise Refused("no path is given", "name at least one")
        for path in self.paths:
            if isinstance(path, str) and not path:
                raise Refused("a path is empty", "name a folder", by_build=True)
        bare = [piece for piece in map(spelling.path, self.paths) if piece is not None]
        if len(bare) == len(self.paths):
            return bare
        return array([_element(spelling, path) for path in self.paths])


def _element(spelling: Spelling, path: Word) -> str:
    spelled = spelling.lexed(path)
    # BuildKit strips the whitespace around an element before it reads the quotes in it.
    return json_text(spelled if spelled == spelled.strip() else spelling.value(path))
