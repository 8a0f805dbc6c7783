"""The two ways in which values are made: by the constructor, and by a function that is generated for a class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partialmethod
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from dockdsl import (
    Arg,
    Cache,
    Copy,
    Dockerfile,
    Env,
    Expose,
    Healthcheck,
    Instruction,
    InvalidType,
    InvalidValue,
    Run,
    Stage,
    Volume,
    Workdir,
    parse,
    render,
)
from dockdsl.errors import Refused
from dockdsl.instructions import constructor
from dockdsl.instructions.constructor import maker_of, plain_if
from dockdsl.instructions.registry import register, unregister
from dockdsl.syntax.words import Spelling, is_plain

OFTEN = 8


@pytest.fixture(autouse=True)
def as_users_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first values be made by the constructor."""
    monkeypatch.setattr(constructor, "often", OFTEN)


class _Said(Instruction):
    """What the classes below share."""

    KEYWORD: ClassVar[str] = "SAY"

    def operands(self, spelling: Spelling) -> Sequence[str]:
        return [spelling.value(getattr(self, "text", "nothing"))]


@attrs.frozen(slots=False, repr=False)
class Plain(_Said):
    """One that is plain if its text is."""

    text: str = attrs.field(metadata=plain_if(is_plain))


@attrs.frozen(slots=False, repr=False)
class Converted(_Said):
    """One whose text is converted at once."""

    text: str = attrs.field(converter=str, metadata=plain_if(is_plain))


@attrs.frozen(slots=False, repr=False)
class Made(_Said):
    """One with a default that is made for each value."""

    text: str
    names: list[str] = attrs.field(factory=list)


@attrs.frozen(slots=False, repr=False)
class Checked(_Said):
    """One that attrs checks."""

    text: str = attrs.field(validator=attrs.validators.instance_of(str))


@attrs.frozen(slots=False, repr=False)
class Hooked(_Said):
    """One that adds something to what it is given."""

    text: str
    length: int = attrs.field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "length", len(self.text))


@attrs.frozen(slots=False, repr=False)
class Private(_Said):
    """One whose parameter has another name than its field."""

    _text: str


@attrs.frozen(slots=False, repr=False)
class Itself(_Said):
    """One whose converter asks the value."""

    text: str = attrs.field(
        converter=attrs.Converter(lambda value, self: f"{type(self).__name__}-{value}", takes_self=True)  # type: ignore[misc]  # mypy does not know the type of a lambda
    )


class Own(Plain):
    """One with a constructor of its own."""

    def __init__(self, *words: str) -> None:
        super().__init__("-".join(words))


class Derived(Plain):
    """One that is not decorated."""


@attrs.frozen(slots=False, repr=False)
class Wider(Plain):
    """One with a field more than its base."""

    more: int = 0


@attrs.frozen(slots=False, repr=False)
class Builtins(Plain):
    """One whose fields have names of functions."""

    len: int = attrs.field(default=0, kw_only=True)
    tuple: str = attrs.field(default="x", kw_only=True)
    type: object = attrs.field(default=None, kw_only=True)


@attrs.frozen(slots=False, repr=False)
class Inner(Plain):
    """One whose field has a name that is used inside."""

    _value: int = attrs.field(default=0, kw_only=True)
    _head: str = attrs.field(default="", kw_only=True)


def made(make: Callable[..., Any], times: int) -> list[str]:
    """Make so many equal values, and return what is known of each."""
    found = []
    for _ in range(times):
        value = make()
        fields = {name: each for name, each in vars(value).items() if name != "_origin"}
        found.append(f"{value!r} {value} {fields} {value.origin.line - value.origin.extent[0]}")
    return found


KINDS = [Plain, Converted, Made, Checked, Hooked, Private, Itself, Own, Derived, Wider, Builtins, Inner]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("text", ["a", "a b", "$A", "x" * 200])
def test_both_ways_are_the_same(kind: Any, text: str) -> None:
    """What is made by the function equals what is made by the constructor, whatever attrs does for the class."""
    first = maker_of(kind)
    found = made(lambda: kind(text), 3 * OFTEN)

    assert 1 == len(set(found))
    assert maker_of(kind) is not first or first.__name__ == "_make"


def call(make: Any, *values: object, **options: object) -> Callable[[], object]:
    """Return a call, without its types."""
    return lambda: make(*values, **options)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param(call(Plain), "Plain: text is missing; write Plain", id="missing"),
        pytest.param(call(Plain, "a", txt="b"), "Plain: it has no option 'txt'; did you mean 'text'", id="misspelled"),
        pytest.param(call(Plain, "a", text="b"), "Plain: text is passed twice", id="twice"),
        pytest.param(call(Plain, "a", "b"), "Plain: it takes 1 value without a name, and is given 2", id="too many"),
        pytest.param(call(Own, text="a"), "Own: it has no option 'text'", id="own constructor"),
        pytest.param(call(Expose, port=1), "Expose: it has no option 'port'; did you mean 'ports'", id="several"),
        pytest.param(call(Run, "a", network="x"), "RUN: --network: the value 'x' is unknown", id="flag"),
        pytest.param(call(Copy, "a\nb", "/"), "COPY: ", id="newline"),
        pytest.param(call(Stage, "A B"), "Stage: 'A B' is not the name of an image", id="stage"),
    ],
)
def test_errors_are_the_same(wrong: Callable[[], object], message: str) -> None:
    """A wrong call and a wrong value are explained in the same words at the same line, the first time and later."""
    found = set()
    for _ in range(3 * OFTEN):
        with pytest.raises((InvalidType, InvalidValue)) as caught:
            wrong()
        assert caught.value.origin is not None
        assert Path(__file__) == Path(caught.value.origin.path)
        found.add((str(caught.value), caught.value.origin.line))

    ((said, _),) = found
    assert message in said


class Liar(str):
    """A text that says of itself that it is another one."""

    __slots__ = ()
    __class__ = str  # type: ignore[assignment]  # that is the lie

    def __format__(self, spec: str) -> str:
        return "a\nUSER 0"

    __str__ = __repr__ = lambda self: self.__format__("")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda text: Workdir(text), id="operand"),
        pytest.param(lambda text: Copy(text, text), id="several"),
        pytest.param(lambda text: Run(text), id="command"),
        pytest.param(lambda text: Run.exec(text), id="arguments"),
        pytest.param(lambda text: Run("a", mounts=[Cache(text)], network=text), id="flags"),
        pytest.param(lambda text: Copy("a", "b", chown=text, chmod=text), id="words in flags"),
        pytest.param(lambda text: Healthcheck("a", interval=text), id="duration"),
        pytest.param(lambda text: Env({text: text}), id="pair"),
        pytest.param(lambda text: Arg(text, text), id="default"),
        pytest.param(lambda text: Stage(text, text), id="stage"),
        pytest.param(lambda text: Expose(text), id="port"),
        pytest.param(lambda text: Volume(text), id="path"),
    ],
)
def test_a_text_that_lies(make: Callable[[Any], Instruction | Stage]) -> None:
    """No text becomes an instruction of its own, whatever it says when it is written."""
    for _ in range(3 * OFTEN):
        for text in ("a", "10s", "8080", "0755", "none"):
            try:
                value = make(Liar(text))
            except (InvalidType, InvalidValue):
                continue
            steps = value if isinstance(value, Stage) else Stage("scratch", steps=[value])
            assert "USER" not in render(Dockerfile(steps))


def overridden(name: str, kind: Any) -> Any:
    """Return a subclass that refuses in one of the methods of its base."""

    def refuse(*_: object, **__: object) -> None:
        raise Refused("it is not wanted here", "leave it out")

    return type(f"No{kind.__name__}", (kind,), {name: refuse})


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        *[(name, Workdir, ("/a",)) for name in ("operands", "write", "prove", "complete")],
        *[(name, Copy, ("a", "b")) for name in ("operands", "write")],
        *[(name, Run, ("a",)) for name in ("operands", "write")],
        *[(name, Cache, ("/a",)) for name in ("check", "_written", "complete")],
        *[(name, Stage, ("alpine",)) for name in ("from_line", "complete")],
    ],
)
def test_what_a_subclass_refuses(name: str, kind: Any, values: tuple[str, ...]) -> None:
    """A subclass that writes or checks values in its own way does so each time."""
    kind = overridden(name, kind)
    for _ in range(3 * OFTEN):
        with pytest.raises((InvalidType, InvalidValue, Refused), match="it is not wanted here"):
            kind(*values)


def test_what_a_subclass_refuses_with_flags() -> None:
    """The same of what is only checked where a flag is given."""
    kind = overridden("check_together", Copy)
    for _ in range(3 * OFTEN):
        assert "COPY a b" == str(kind("a", "b"))
        with pytest.raises(InvalidValue, match="it is not wanted here"):
            kind("a", "b", chown="1")


def test_what_a_subclass_reads() -> None:
    """The same of what is read."""
    text = "FROM scratch\n" + "WORKDIRX /a\n" * (3 * OFTEN)

    class Loud(Workdir):
        KEYWORD: ClassVar[str] = "WORKDIRX"

        def operands(self, spelling: Spelling) -> Sequence[str]:
            return [f"{next(iter(super().operands(spelling)))}/x"]

    register(Loud)
    try:
        assert text.replace("/a", "/a/x") == render(parse(text))
    finally:
        unregister(Loud)


@pytest.mark.parametrize("keyword", ["USER 0\nRUN", "RUN --network=none", "RUN <<EOF", "", " RUN"])
def test_a_keyword_that_is_none(keyword: str) -> None:
    """A class whose keyword is no word has its values proven, or refused, each time."""
    kind = type("Odd", (Run,), {"KEYWORD": keyword})
    found = set()
    for _ in range(3 * OFTEN):
        try:
            found.add(str(kind("make")))
        except InvalidValue as error:
            found.add(str(error))

    assert 1 == len(found)
    assert not any("\nRUN" in each and "refused" not in each and "separate" not in each for each in found)


def test_a_constructor_that_is_no_function() -> None:
    """It is called each time."""

    class Partly(Plain):
        __init__ = partialmethod(Plain.__init__, "a")

    for _ in range(3 * OFTEN):
        assert "SAY a" == str(Partly())
