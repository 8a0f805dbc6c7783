"""Plain values, whose text is joined without conversion, a writer and a proof."""

from __future__ import annotations

import enum

import pytest

from dockdsl import (
    Add,
    Arg,
    Bind,
    Cache,
    Cmd,
    Comment,
    Copy,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Instruction,
    Label,
    Run,
    Secret,
    Stage,
    Tmpfs,
    User,
    Volume,
    Workdir,
    layout,
    parse,
)
from dockdsl.instructions.located import Located
from dockdsl.syntax.words import BACKSLASH
from tests import laws


class Name(enum.StrEnum):
    """Names of files, as a project may have them."""

    MODULE = "go.mod"


BUILD = Stage("golang:1.27", "build")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(Workdir("/src"), id="an operand"),
        pytest.param(User("$UID"), id="a variable"),
        pytest.param(Arg("A"), id="an operand that may be left out"),
        pytest.param(Arg("A", "b"), id="an operand with a default"),
        pytest.param(Copy("go.mod", "./"), id="one of several"),
        pytest.param(Copy(["go.mod", "go.sum"], "./"), id="a list"),
        pytest.param(Copy(("go.mod",), "./"), id="a tuple"),
        pytest.param(Copy("a", "/" + "b" * 120), id="too long for a line"),
        pytest.param(Copy("a", "b", link=True, chown="1:1", chmod="0644", exclude=["c", "d"]), id="flags"),
        pytest.param(Copy("a", "b", link=False), id="a switch that is off"),
        pytest.param(Copy("a", "/" + "b" * 90, chown="1:1"), id="too long for a line with its flag"),
        pytest.param(Add("a", "b", keep_git_dir=True), id="flags that are checked together"),
        pytest.param(Run("go build ."), id="a command"),
        pytest.param(Run("go " + "a" * 120), id="a long command"),
        pytest.param(Run("go " + "a" * 120 + " && b"), id="a long command that is broken"),
        pytest.param(Run("go build .", mounts=[Cache("/a"), Cache("/b")], network="none"), id="a command with flags"),
        pytest.param(Run("go " + "a" * 90, mounts=[Cache("/a"), Cache("/b")]), id="a long command with flags"),
        pytest.param(Run("go build .", mounts=Cache("/my folder")), id="a mount in quotes"),
        pytest.param(Run("go build .", mounts=[None, Cache("/a")]), id="no mount among others"),
        pytest.param(Run("go build .", device="vendor.example/class=name"), id="a device"),
        pytest.param(Run.exec("go", "build", ""), id="arguments"),
        pytest.param(Run.exec("go", *["a"] * 30), id="many arguments"),
        pytest.param(Run.chain("apt-get update", "apt-get install --yes curl"), id="a chain"),
        pytest.param(Run.chain("a" * 200, "d"), id="a long chain"),
        pytest.param(Run.chain("if x; then y; fi", "d"), id="a chain with a compound command"),
        pytest.param(Run.chain("a", "b", mounts=[Cache("/c")]), id="a chain below a flag"),
        pytest.param(Run(layout("a && \\\n    b")), id="a layout"),
        pytest.param(Run(layout("a " + "b" * 100 + " && c")), id="a long layout"),
        pytest.param(Cmd("a && \\\n    b"), id="a chain as the command"),
        pytest.param(Entrypoint("exec a"), id="an entrypoint"),
        pytest.param(Entrypoint.exec(), id="no arguments"),
        pytest.param(Healthcheck("a", interval="10s", retries=3), id="a check"),
        pytest.param(Healthcheck.exec("/a", interval="1h", timeout="999999h"), id="durations"),
        pytest.param(Healthcheck.none(), id="no check"),
        pytest.param(Env({"A": "b", "C": "$D"}), id="pairs"),
        pytest.param(Env({"A": "b c"}), id="a pair in quotes"),
        pytest.param(Label((("a", "b"),)), id="a pair in a tuple"),
        pytest.param(Expose(8080, "53/udp"), id="ports"),
        pytest.param(Expose(8080, "8000-8010"), id="a range of ports"),
        pytest.param(Volume("/a", "/b"), id="paths"),
        pytest.param(Volume("/a b"), id="a path with a space"),
    ],
)
def test_plain(value: Instruction) -> None:
    """The text and the fields are what the writer and the converters give, and the text is read as the value."""
    laws.check_made(value)
    assert value.spell(BACKSLASH) == str(value)
    assert (value,) == parse(f"FROM scratch\n{value}\n").stages[0].steps


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(Cache("/a"), id="a cache"),
        pytest.param(Cache("/a", id="b", mode=0o755), id="a cache with options"),
        pytest.param(Cache("a b"), id="a target in quotes"),
        pytest.param(Bind(), id="no target"),
        pytest.param(Bind("/a"), id="a bind"),
        pytest.param(Bind("/a", from_=BUILD), id="a bind from a stage"),
        pytest.param(Tmpfs("/a"), id="a tmpfs"),
        pytest.param(Secret("token"), id="a secret"),
        pytest.param(Copy("a", "b", from_=BUILD), id="a copy from a stage"),
        pytest.param(Copy("a", "b", from_=Stage("alpine:3.22")), id="a copy from a stage without a name"),
        pytest.param(Stage("golang:1.27-alpine", "build", steps=[User("1"), Comment("x")]), id="a stage"),
        pytest.param(Stage("images.example:5000/a/b__c@sha256:" + "0" * 64), id="a digest"),
        pytest.param(Stage("scratch", platform="$BUILDPLATFORM", comment="x"), id="a platform"),
        pytest.param(Stage("scratch", platform="linux/riscv64"), id="a rare platform"),
        pytest.param(Stage(BUILD, "test"), id="a stage on another"),
        pytest.param(Stage(Stage("alpine:3.22")), id="a stage on one without a name"),
        pytest.param(Stage("$BASE"), id="a variable as the base"),
    ],
)
def test_plain_parts(value: Located) -> None:
    """The same of mounts and stages."""
    laws.check_made(value)


def test_members_of_enumerations() -> None:
    """A member of an enumeration of texts becomes plain text, alone and in a list."""
    found = [Copy(Name.MODULE, "./"), Copy([Name.MODULE], "./"), Copy((Name.MODULE,), "./")]

    assert ["Copy(sources=('go.mod',), destination='./')"] * 3 == [repr(each) for each in found]
