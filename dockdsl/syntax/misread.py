"""What is wrong in a line that was read, and where in it."""

from __future__ import annotations


class Misread(Exception):
    """An instruction that BuildKit would refuse: the fact and the remedy, and the place in the logical line.

    `grammar` says that the line cannot even be split into operands: such a line is refused in ONBUILD, too.
    """

    def __init__(
        self, fact: str, remedy: str, start: int = 0, end: int | None = None, *, grammar: bool = False
    ) -> None:
        super().__init__(f"{fact}; {remedy}")
        self.fact = fact
        self.remedy = remedy
        self.start = start
        self.end = end
        self.grammar = grammar
