"""Verbatim and layout(): text that is kept as it is spelled, and proven to be one instruction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import (
    Cmd,
    Copy,
    DockdslError,
    Dockerfile,
    Healthcheck,
    InvalidType,
    InvalidValue,
    Layout,
    Onbuild,
    Run,
    Stage,
    Verbatim,
    layout,
    render,
)
from tests import laws, oracle
from tests.laws import anything


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("EXPOSE http", id="port"),
        pytest.param("run --mount=type=x y", id="mount"),
        pytest.param("COPY <<A <<A /d/\na\nA\nb\nA", id="heredocs of one name"),
        pytest.param("RUN a \\\n# b\n c", id="continuation"),
        pytest.param("ONBUILD FOO", id="unknown trigger"),
        pytest.param("STOPSIGNAL `", id="backtick"),
    ],
)
def test_text(text: str) -> None:
    """The text is written as it is, and BuildKit reads one instruction in it."""
    value = Verbatim(text)

    assert text == str(value)
    assert text.split(maxsplit=1)[0].upper() == oracle.read_one(str(value)).keyword.upper()
    laws.check_value(value, __file__)
    assert f"FROM scratch\n{text}\n" == render(Dockerfile(Stage("scratch", steps=[value])))


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Verbatim("USER a\nUSER root"), InvalidValue, "more than one", id="two instructions"),
        pytest.param(lambda: Verbatim("USER a\n"), InvalidValue, "more than one", id="newline"),
        pytest.param(lambda: Verbatim("RUN a \\"), InvalidValue, "ends with the escape", id="backslash"),
        pytest.param(lambda: Verbatim("RUN a `", escape="`"), InvalidValue, "ends with the escape", id="backtick"),
        pytest.param(lambda: Verbatim("RUN a \\\n# b"), InvalidValue, "ends with", id="comment last"),
        pytest.param(lambda: Verbatim("RUN <<E\na"), InvalidValue, "never closed", id="open heredoc"),
        pytest.param(lambda: Verbatim("RUN <<E\na\nE\nUSER root"), InvalidValue, "more than one", id="behind a heredoc"),
        pytest.param(lambda: Verbatim("COPY << E /x\na\nE\nUSER root"), InvalidValue, "more than one", id="blank in it"),
        pytest.param(lambda: Verbatim("FROM x"), InvalidValue, "not begin with an instruction of a stage", id="stage"),
        pytest.param(lambda: Verbatim("FOO x"), InvalidValue, "not begin with an instruction of a stage", id="unknown"),
        pytest.param(lambda: Verbatim("# x"), InvalidValue, "not begin with an instruction of a stage", id="comment"),
        pytest.param(lambda: Verbatim(""), InvalidValue, "not begin with an instruction of a stage", id="nothing"),
        pytest.param(lambda: Verbatim("RUN " + "a" * 70_000), InvalidValue, "bytes long", id="long line"),
        pytest.param(lambda: Verbatim(anything(b"RUN x")), InvalidType, "is a bytes", id="bytes"),
        pytest.param(lambda: Verbatim("RUN x", escape=anything("/")), InvalidValue, "not an escape character", id="escape character"),
        pytest.param(
            lambda: Dockerfile(Stage("a", steps=[Verbatim("USER `a", escape="`")])), InvalidValue, "use the same one", id="other file"
        ),
        pytest.param(
            lambda: Dockerfile(Stage("a", steps=[Verbatim("USER \\a")]), escape="`"), InvalidValue, "escape", id="other way"
        ),
        pytest.param(lambda: Run(layout("a\nUSER root")), InvalidValue, "a separate instruction", id="layout of two"),
        pytest.param(lambda: Run(layout("a \\\n# b\n c\nUSER root")), InvalidValue, "a separate instruction", id="behind a layout"),
        pytest.param(lambda: Run(layout("a \\")), InvalidValue, "continuation|escape", id="open layout"),
        pytest.param(lambda: Run(layout('["a"]')), InvalidValue, "not in the shell form", id="layout of an array"),
        pytest.param(lambda: Run(layout("[[1]]")), InvalidValue, "not in the shell form", id="layout of another array"),
        pytest.param(lambda: Run(layout(" \n ")), InvalidValue, "empty", id="blank layout"),
        pytest.param(lambda: Run(layout("cat <<E\na")), InvalidValue, "does not end", id="layout of an open heredoc"),
        pytest.param(lambda: Cmd(layout("a\nUSER root")), InvalidValue, "a separate instruction", id="layout of a CMD"),
        pytest.param(lambda: Healthcheck(layout("a\nUSER root")), InvalidValue, "a separate instruction", id="layout of a probe"),
    ],
)  # fmt: skip
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """What is not one instruction is refused at the line of the caller."""
    laws.check_refused(make, kind, message, __file__)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        pytest.param("a && \\\n  # why\n  b", "a &&   b", id="comment"),
        pytest.param("a \\\n\n b", "a  b", id="empty line"),
        pytest.param("echo 'a \\\nb'", "echo 'a b'", id="in single quotes"),
        pytest.param("\\\n a", "a", id="break before it"),
        pytest.param("--x \\\n y", "--x  y", id="dashes"),
        pytest.param("[ -f x ] && y", "[ -f x ] && y", id="bracket"),
        pytest.param("a" * 60 + " && " + "b" * 60, "a" * 60 + " && " + "b" * 60, id="long line"),
    ],
)
def test_layout(text: str, given: str) -> None:
    """The shell is given the joined lines without the comments, with both escape characters."""
    value = Run(layout(text))

    assert (given,) == oracle.read_one(str(value)).words
    file = Dockerfile(Stage("scratch", steps=[value]), escape="`")
    assert (given,) == oracle.read(render(file))[1].words
    assert value == Run(layout(str(value.command)))
    assert str(value) == f"ONBUILD {value}".removeprefix("ONBUILD ") == str(Onbuild(value)).removeprefix("ONBUILD ")
    laws.check_back(value, str(value), "\\")


def test_layout_with_heredoc() -> None:
    """A heredoc behind broken lines is kept, and needs the frontend that knows it."""
    value = Run(layout("a \\\n && cat <<E\n$b\nE"))

    assert (("E", "$b\n"),) == oracle.read_one(str(value)).heredocs
    assert "1.4" == value.minimum_syntax
    assert "1.0" == Run(layout("a \\\n# b\n c")).minimum_syntax


def test_a_layout_shows_itself_only_where_it_matters() -> None:
    """Text that a plain str would be written as is equal to it, and its repr is the same."""
    assert Run("a && \\\n b") == Run(layout("a && \\\n b"))
    assert repr(Run("a && \\\n b")) == repr(Run(layout("a && \\\n b")))
    assert "Run(command=layout('a \\\\\\n# b\\n c'))" == repr(Run(layout("a \\\n# b\n c")))
    assert not Layout("a").needed
    assert Layout("a \\\n# b\n c").needed
    with pytest.raises(InvalidType, match="the text is a bytes; pass a str"):
        layout(anything(b"a"))


def test_verbatim_is_no_reference() -> None:
    """What a Verbatim takes files from is not looked at: it stands for itself."""
    assert () == Verbatim("COPY --from=x a b").references()
    assert (Copy("a", "b"),) == Stage("a", steps=[Copy("a", "b")]).steps
