"""Stage: what it takes, what it refuses, when two are equal."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import (
    Bind,
    Comment,
    Copy,
    Dockerfile,
    Env,
    InvalidType,
    InvalidValue,
    Run,
    Stage,
    User,
    Workdir,
    literal,
)
from tests.refusals import check_refused


@pytest.mark.parametrize(
    ("stage", "line"),
    [
        pytest.param(Stage("scratch"), "FROM scratch", id="scratch"),
        pytest.param(Stage("golang:1.27-alpine", "build"), "FROM golang:1.27-alpine AS build", id="name"),
        pytest.param(Stage("a", platform="linux/arm64/v8"), "FROM --platform=linux/arm64/v8 a", id="platform"),
        pytest.param(Stage("a", platform="$BUILDPLATFORM"), "FROM --platform=$BUILDPLATFORM a", id="platform variable"),
        pytest.param(
            Stage("a", platform="windows(10.0.17763)/amd64"),
            "FROM --platform=windows(10.0.17763)/amd64 a",
            id="os version",
        ),
        pytest.param(
            Stage("localhost:5000/a/b:1@sha256:" + "0" * 64), "FROM localhost:5000/a/b:1@sha256:" + "0" * 64, id="full"
        ),
        pytest.param(Stage("python:${V}-slim"), "FROM python:${V}-slim", id="variable in a name"),
        pytest.param(Stage("${IMAGE:-alpine:3}"), "FROM ${IMAGE:-alpine:3}", id="variable with a default"),
        pytest.param(Stage(Stage("a", "base"), "b"), "FROM base AS b", id="another stage"),
    ],
)
def test_from_line(stage: Stage, line: str) -> None:
    """A stage starts with the FROM line that says its base, name and platform."""
    text = str(Dockerfile(stage))

    assert line == text.rstrip("\n").rsplit("\n", 1)[-1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: Stage(None), "the base None is a NoneType; pass", id="no base"),  # type: ignore[arg-type]
        pytest.param(lambda: Stage("a", platform=5), "the platform 5 is an int", id="platform"),  # type: ignore[arg-type]
        pytest.param(lambda: Workdir(10**20), "has more than 20 digits", id="number"),  # type: ignore[arg-type]
        pytest.param(lambda: Stage(""), "not the name of an image", id="empty base"),
        pytest.param(lambda: Stage("Debian"), "lower case", id="capital in an image"),
        pytest.param(lambda: Stage("debian 12"), "not the name of an image", id="blank in an image"),
        pytest.param(lambda: Stage("a\nRUN evil"), "newline", id="newline in an image"),
        pytest.param(lambda: Stage("a", name="a\nRUN evil"), "not a valid stage name", id="newline in a name"),
        pytest.param(lambda: Stage(literal("a$b")), "cannot be part", id="literal dollar"),
        pytest.param(lambda: Stage("a", "Build"), "write 'build'", id="capital in a name"),
        pytest.param(lambda: Stage("a", "1st"), "starting with a letter", id="digit first"),
        pytest.param(lambda: Stage("a", ""), "not a valid stage name", id="empty name"),
        pytest.param(lambda: Stage("a", "scratch"), "reserved", id="scratch"),
        pytest.param(lambda: Stage("a", "context"), "reserved", id="context"),
        pytest.param(lambda: Stage("a", platform="linux amd64"), "platform", id="blank in a platform"),
        pytest.param(lambda: Stage("a", platform=""), "platform is empty", id="empty platform"),
        pytest.param(lambda: Stage(5), "is an int", id="number"),  # type: ignore[arg-type]
        pytest.param(lambda: Stage("a", 5), "is an int", id="number as a name"),  # type: ignore[arg-type]
        pytest.param(lambda: Stage("a", steps="RUN x"), "pass a list of instructions", id="text as steps"),
        pytest.param(lambda: Stage("a", steps=["RUN x"]), "pass an instruction", id="text as a step"),
        pytest.param(lambda: Stage("a", steps=Run("x")), "put it into a list", id="bare step"),  # type: ignore[arg-type]
        pytest.param(lambda: Stage("a", steps=[Stage("b")]), "pass an instruction", id="stage as a step"),  # type: ignore[list-item]
        pytest.param(lambda: Stage("a", comment="check=skip=all"), "build checks", id="acting comment"),
        pytest.param(lambda: Stage("a", [Run("x")]), r"write steps=\[…\]", id="steps in the place of the name"),  # type: ignore[arg-type]
        pytest.param(lambda: Stage("a", steps={Run("x")}), "pass a list", id="set, which has no order"),
        pytest.param(lambda: Stage("a", steps=[{Run("x"): 1}]), "pass an instruction", id="mapping among steps"),
        pytest.param(
            lambda: Stage("a", steps=nested()), "nested too deeply, or contain themselves", id="list in itself"
        ),
    ],
)
def test_refused(make: Callable[[], Any], message: str) -> None:
    """What BuildKit would refuse is refused by the constructor, at the line of the caller."""
    check_refused(make, (InvalidValue, InvalidType), message, __file__)


def nested() -> list[Any]:
    """Return a list that holds itself."""
    steps: list[Any] = []
    steps.append(steps)
    return steps


def test_steps_compose_with_plain_python() -> None:
    """Lists, functions, comprehensions and conditions make steps; None is dropped."""

    def tools(*names: str) -> list[Run]:
        return [Run(f"install {name}") for name in names]

    debug = False
    stage = Stage(
        "a", steps=[tools("x", "y"), *tools("z"), Run("debug") if debug else None, (User(f"{n}") for n in range(2))]
    )

    assert ["RUN install x", "RUN install y", "RUN install z", "USER 0", "USER 1"] == [
        str(step) for step in stage.steps
    ]


def test_neighbouring_comments_are_one() -> None:
    """Comments that stand together are one comment, as they are when a Dockerfile is read."""
    stage = Stage("a", steps=[Comment("one"), Comment("two"), Run("x"), Comment("three")])

    assert (Comment("one\ntwo"), Run("x"), Comment("three")) == stage.steps


def test_equal_stages_are_equal_by_value() -> None:
    """Two stages that say the same are equal, have one hash and can be pickled; others are not."""

    def make(user: str = "1000") -> Stage:
        base = Stage("a", "base", steps=[Run("x")])
        return Stage(base, "b", steps=[Copy("/x", "/y", from_=base), User(user)])

    assert make() == make()
    assert hash(make()) == hash(make())
    assert make() != make("2000")
    assert make() != "b"
    assert make() == pickle.loads(pickle.dumps(make()))


def test_origin_is_the_line_of_the_call() -> None:
    """A value knows the file and line where it was made, and that does not count in equality."""
    first = Stage("a")
    second = Stage("a")

    assert first.origin.path == __file__
    assert first.origin.line + 1 == second.origin.line
    assert first == second


def test_a_chain_of_many_stages_is_no_deeper_than_one() -> None:
    """Five thousand stages, each on the one before and copying from two, collect and compare in linear time."""

    def make() -> Stage:
        stage = before = Stage("a", "s0")
        for number in range(1, 5000):
            stage, before = Stage(stage, f"s{number}", steps=[Copy("/x", "/x", from_=before)]), stage
        return stage

    start = time.process_time()
    last = make()
    dockerfile = Dockerfile(last)

    assert 5000 == len(dockerfile.stages)
    assert last == make()
    # Quadratic work would take minutes; this is no measure of speed.
    assert time.process_time() - start < 30


def test_repr_shows_stages_by_name() -> None:
    """The repr of a value with a reference stays short."""
    base = Stage("a", "base", steps=[Env({"A": "1"})])

    assert "Copy(sources=('/x',), destination='/y', from_=<stage base>)" == repr(Copy("/x", "/y", from_=base))
    assert "Bind(target='/x', from_=<stage base>)" == repr(Bind("/x", from_=base))
    assert "Stage(<stage base>, name='b', steps=[])" == repr(Stage(base, "b"))
