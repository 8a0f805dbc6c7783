"""Plain values, whose text the constructor joins without a writer."""

from __future__ import annotations

import enum

import pytest

from dockdsl import Cache, Cmd, Copy, Entrypoint, Env, Instruction, Run, User, Workdir, layout, parse
from dockdsl.syntax.words import BACKSLASH


class Name(enum.StrEnum):
    """Names of files, as a project may have them."""

    MODULE = "go.mod"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(Workdir("/src"), id="an operand"),
        pytest.param(User("$UID"), id="a variable"),
        pytest.param(Copy(["go.mod", "go.sum"], "./"), id="a list"),
        pytest.param(Copy(("go.mod",), "./"), id="a tuple"),
        pytest.param(Copy("a", "/" + "b" * 120), id="too long for a line"),
        pytest.param(Copy("a", "b", link=True), id="a flag"),
        pytest.param(Run("go build ."), id="a command"),
        pytest.param(Run.chain("apt-get update", "apt-get install --yes curl"), id="a chain"),
        pytest.param(Run.chain("a" * 200, "d"), id="a long chain"),
        pytest.param(Run.chain("a", "b", mounts=[Cache("/c")]), id="a chain below a flag"),
        pytest.param(Run(layout("a && \\\n    b")), id="a layout"),
        pytest.param(Cmd("a && \\\n    b"), id="a chain as the command"),
        pytest.param(Entrypoint("exec a"), id="an entrypoint"),
        pytest.param(Env({"A": "b"}), id="a pair"),
    ],
)
def test_plain(value: Instruction) -> None:
    """The text is what the writer gives, and is read as the value."""
    assert value.spell(BACKSLASH) == str(value)
    assert (value,) == parse(f"FROM scratch\n{value}\n").stages[0].steps


def test_members_of_enumerations() -> None:
    """A member of an enumeration of texts becomes plain text, alone and in a list."""
    found = [Copy(Name.MODULE, "./"), Copy([Name.MODULE], "./"), Copy((Name.MODULE,), "./")]

    assert ["Copy(sources=('go.mod',), destination='./')"] * 3 == [repr(each) for each in found]
