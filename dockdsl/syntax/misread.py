"""A problem in a line of a file, and its place."""

from __future__ import annotations


class Misread(Exception):
    """The refusal of an instruction that BuildKit would refuse: fact, remedy and the place in the logical line.

    `grammar` means that the line cannot be split into operands, so that it is refused in ONBUILD as well.
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
