"""The operands of Image and the checks: whose they are stands in the message, and what may be secret does not."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from dockdsl import CommandCheck, Dockerfile, HttpCheck, Image, InvalidType, InvalidValue, Stage
from dockdsl import operands as operand


@attrs.frozen(slots=False, field_transformer=operand.named)
class Base:
    """A class with an operand."""

    limit: float = attrs.field(default=1.0, converter=operand.seconds)


@attrs.frozen(slots=False, field_transformer=operand.named)
class Derived(Base):
    """A class with one more."""

    names: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=operand.texts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"limit": 0}, "Derived: limit: 0 is out of range; pass seconds above 0, at most 604800 (a week)", id="0"
        ),
        pytest.param({"names": ["a", ""]}, "Derived: names: '' is empty; leave it out, or give it a value", id="empty"),
        pytest.param({"names": 1}, "Derived: names: 1 is an int; pass a str or several", id="type"),
    ],
)
def test_class_and_field_are_named(options: dict[str, Any], message: str) -> None:
    """The class is the one that is made, also where a base class declares the field; the place is the caller's."""
    with pytest.raises((InvalidValue, InvalidType)) as caught:
        Derived(**options)

    assert message == caught.value.message
    assert caught.value.__cause__ is None
    assert caught.value.origin is not None
    assert __file__ == caught.value.origin.path


def test_a_changed_copy_is_read_again() -> None:
    """What is read is taken again as it is, also by a converter of a base class."""
    value = Derived(2, names="a")

    assert Derived(2, names=("a",)) == value == attrs.evolve(value)
    assert (3, ("a",)) == attrs.astuple(attrs.evolve(value, limit=3))
    with pytest.raises(InvalidValue, match="Derived: limit: -1 is out of range"):
        attrs.evolve(value, limit=-1)


@pytest.mark.parametrize("value", [b"s3cret", "s3cret\0", ["s3cret"]])
def test_values_of_variables_and_headers_are_not_shown(value: Any) -> None:
    """They may be secret: the message names them, and no more."""
    for attempt in (
        lambda: CommandCheck(["x"], env={"TOKEN": value}),
        lambda: HttpCheck("GET", "/", send_headers={"TOKEN": value}),
    ):
        with pytest.raises((InvalidValue, InvalidType), match="the value of TOKEN ") as caught:
            attempt()
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"env": {"A": "\ud800"}},
        {"command": ["\ud800"]},
        {"build_args": {"A": "\ud800"}},
        {"labels": {"\ud800": "a"}},
        {"context": "\ud800"},
        {"ignore": ["\ud800"]},
        {"contexts": {"a": "\ud800"}},
        {"cache_from": "\ud800"},
        {"secrets": "id=a,src=\ud800"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_has_no_encoding_is_refused_where_it_is_written(options: dict[str, Any]) -> None:
    """A lone surrogate would become other bytes in the container, or an error of Python's when it is built."""
    with pytest.raises(InvalidValue, match="a lone surrogate is not a Unicode character; decode the text first"):
        Image(Dockerfile(Stage("scratch")), **{"context": ".", **options})
