"""Calls that do not fit a constructor: the message says what to write, at the user's line, and editors see the parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

import dockdsl
from dockdsl import (
    Bind,
    Cache,
    Cmd,
    CommandCheck,
    Copy,
    Dockerfile,
    Env,
    FileCheck,
    Healthcheck,
    Heredoc,
    HttpCheck,
    Image,
    Instruction,
    InvalidType,
    Label,
    Onbuild,
    Run,
    Secret,
    Shell,
    Stage,
    Volume,
    Workdir,
)
from dockdsl.misuse import Explained

COPY_OPTIONS = "sources, destination, from_, chmod, chown, link, parents, exclude"
CACHE_OPTIONS = "id, readonly, sharing, from_, source, mode, uid, gid"
Call = Callable[..., Any]


def wrong(make: Call, *values: object, **options: object) -> tuple[Call, tuple[object, ...], dict[str, object]]:
    """Return a call, without its types."""
    return make, values, options


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (wrong(Copy, "a", "b", form_="x"), "Copy: it has no option 'form_'; did you mean 'from_'?"),
        (wrong(Copy, "a", "b", nmae="x"), f"Copy: it has no option 'nmae'; its options are {COPY_OPTIONS}"),
        (
            wrong(Copy, "a", "b", "c", chown="1"),
            "Copy: it takes 2 values without a name, and is given 3; write Copy(['a', 'b'], 'c', chown='1')",
        ),
        (wrong(Copy, "a"), "Copy: destination is missing; write Copy(sources, destination)"),
        (wrong(Copy), "Copy: sources and destination are missing; write Copy(sources, destination)"),
        (wrong(Copy, "a", "b", sources="c"), "Copy: sources is passed twice; pass it once"),
        (wrong(Cmd, "a", "b"), "Cmd: it takes 1 value without a name, and is given 2; write Cmd.exec('a', 'b')"),
        (
            wrong(Healthcheck, "curl", "-f"),
            "Healthcheck: it takes 1 value without a name, and is given 2; write Healthcheck.exec('curl', '-f')",
        ),
        (wrong(Run, "x", comand="y"), "Run: it has no option 'comand'; did you mean 'command'?"),
        (wrong(Shell, "a", "b"), "Shell: it takes 1 value without a name, and is given 2; write Shell(['a', 'b'])"),
        (wrong(Env, A="b"), "Env: it has no option 'A'; write Env({'A': 'b'})"),
        (wrong(Env, "A", "b"), "Env: it takes 1 value without a name, and is given 2; write Env({'A': 'b'})"),
        (
            wrong(Env, ["A"], "b"),
            "Env: it takes 1 value without a name, and is given 2; leave out the others",
        ),
        (wrong(Env, a=1), "Env: it has no option 'a'; its options are pairs"),
        (wrong(Label, maintainer="me"), "Label: it has no option 'maintainer'; write Label({'maintainer': 'me'})"),
        (wrong(Workdir, "a", "b"), "Workdir: it takes 1 value without a name, and is given 2; leave out the others"),
        (wrong(Volume, path="/a"), "Volume: it has no option 'path'; did you mean 'paths'?"),
        (wrong(Onbuild), "Onbuild: instruction is missing; write Onbuild(instruction)"),
        (wrong(Heredoc), "Heredoc: content is missing; write Heredoc(content)"),
        (wrong(Bind, "/a", form_="b"), "Bind: it has no option 'form_'; did you mean 'from_'?"),
        (
            wrong(Secret, src="a"),
            "Secret: it has no option 'src'; its options are id, target, env, required, mode, uid, gid",
        ),
        (
            wrong(Cache, "/a", "b"),
            f"Cache: it takes 1 value without a name, and is given 2; pass the others by name: {CACHE_OPTIONS}",
        ),
        (wrong(Stage, nmae="x"), "Stage: it has no option 'nmae'; did you mean 'name'?"),
        (
            wrong(Stage, "a", "b", None, [], "c"),
            "Stage: it takes 4 values without a name, and is given 5; pass the others by name: comment",
        ),
        (wrong(Dockerfile), "Dockerfile: targets is missing; write Dockerfile(targets)"),
        (wrong(Dockerfile, Stage("a"), sintax="auto"), "Dockerfile: it has no option 'sintax'; did you mean 'syntax'?"),
        (wrong(Image, Dockerfile(Stage("a")), tagz="x"), "Image: it has no option 'tagz'; did you mean 'tags'?"),
        (wrong(HttpCheck, "/x"), "HttpCheck: path is missing; write HttpCheck(method, path)"),
        (wrong(FileCheck, "/x", exist=True), "FileCheck: it has no option 'exist'; did you mean 'exists'?"),
        (
            wrong(CommandCheck, "a", "b"),
            "CommandCheck: it takes 1 value without a name, and is given 2; write CommandCheck(['a', 'b'])",
        ),
    ],
    ids=lambda value: None if isinstance(value, tuple) else value[:60],
)
def test_a_wrong_call(call: tuple[Call, tuple[object, ...], dict[str, object]], message: str) -> None:
    """The message has the class, what is wrong and what to write; it points to the call."""
    make, values, options = call
    with pytest.raises(InvalidType) as caught:
        make(*values, **options)  # the call

    assert message == str(caught.value)
    assert caught.value.origin is not None
    assert Path(__file__) == Path(caught.value.origin.path)
    assert "# the call" in Path(__file__).read_text().splitlines()[caught.value.origin.line - 1]
    advised = re.search(r"write (\w+(?:\.exec)?\(.*['}\]]\))$", message)
    if advised is not None:
        # What is advised is accepted.
        eval(advised[1], {name: getattr(dockdsl, name) for name in dir(dockdsl)})


def test_what_is_raised_inside_stays() -> None:
    """A TypeError of another kind is not taken for a wrong call."""

    class Odd:
        def __str__(self) -> str:
            raise TypeError("from inside")

    @attrs.frozen(slots=False)
    class Own(Instruction):
        text: str = attrs.field(converter=str)

    with pytest.raises(TypeError, match=r"^from inside$"):
        Own(Odd())
    with pytest.raises(InvalidType, match=r"^Own: text is missing; write Own"):
        Own()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"takes exactly one argument|takes no arguments"):
        Instruction("x")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "make", [Copy, Stage, Dockerfile, Image, HttpCheck, Cache, Run], ids=lambda make: make.__name__
)
def test_signatures(make: Any) -> None:
    """The signature of a class is that of its constructor."""
    assert isinstance(make, Explained)
    kind: Any = make
    expected = [each.name for each in attrs.fields(kind) if each.init]

    assert set(expected) == set(inspect.signature(make).parameters)
