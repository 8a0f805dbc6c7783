"""ONBUILD: an instruction that is kept for another build."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import (
    Add,
    Arg,
    Bind,
    Cmd,
    Comment,
    Copy,
    DockdslError,
    Dockerfile,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    InvalidType,
    InvalidValue,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stage,
    Stopsignal,
    User,
    Volume,
    Workdir,
)
from tests import laws
from tests.laws import anything


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Onbuild(Add("https://example.com/a", "/a")), "ONBUILD ADD https://example.com/a /a", id="ADD"),
        pytest.param(Onbuild(Arg("A", "b c")), 'ONBUILD ARG A="b c"', id="ARG"),
        pytest.param(Onbuild(Cmd.exec("a")), 'ONBUILD CMD ["a"]', id="CMD"),
        pytest.param(Onbuild(Cmd("cat <<EOF")), "ONBUILD CMD cat <<EOF", id="CMD knows no heredoc"),
        pytest.param(Onbuild(Copy("a b", "/c", chown="1:1")), 'ONBUILD COPY --chown=1:1 ["a b", "/c"]', id="COPY"),
        pytest.param(
            Onbuild(Copy("/a", "/b", from_="tools")), "ONBUILD COPY --from=tools /a /b", id="COPY from a name"
        ),
        pytest.param(
            Onbuild(Copy.text("x\n", "/a")), "ONBUILD COPY <<'EOF' /a\nx\nEOF", id="COPY of a file written in place"
        ),
        pytest.param(Onbuild(Entrypoint("a")), "ONBUILD ENTRYPOINT a", id="ENTRYPOINT"),
        pytest.param(Onbuild(Env({"A": 'b"c'})), r'ONBUILD ENV A="b\"c"', id="ENV"),
        pytest.param(Onbuild(Expose(80)), "ONBUILD EXPOSE 80", id="EXPOSE"),
        pytest.param(Onbuild(Healthcheck.none()), "ONBUILD HEALTHCHECK NONE", id="HEALTHCHECK"),
        pytest.param(Onbuild(Label({"a": "b"})), "ONBUILD LABEL a=b", id="LABEL"),
        pytest.param(Onbuild(Run("make && make install")), "ONBUILD RUN make && make install", id="RUN"),
        pytest.param(Onbuild(Run.script("a\nb")), "ONBUILD RUN <<EOF\nset -e\na\nb\nEOF", id="RUN of a script"),
        pytest.param(
            Onbuild(Run.chain("a", "b", mounts=[Bind("/src")])),
            "ONBUILD RUN --mount=type=bind,target=/src \\\n    a && \\\n    b",
            id="RUN over several lines",
        ),
        pytest.param(Onbuild(Shell(["sh", "-c"])), 'ONBUILD SHELL ["sh", "-c"]', id="SHELL"),
        pytest.param(Onbuild(Stopsignal(9)), "ONBUILD STOPSIGNAL 9", id="STOPSIGNAL"),
        pytest.param(Onbuild(User("--a")), 'ONBUILD USER "--a"', id="USER"),
        pytest.param(Onbuild(Volume("/a", "/b c")), 'ONBUILD VOLUME ["/a", "/b c"]', id="VOLUME"),
        pytest.param(Onbuild(Workdir("/a")), "ONBUILD WORKDIR /a", id="WORKDIR"),
    ],
)
def test_text(value: Onbuild, text: str) -> None:
    """The instruction is kept in the text that it has elsewhere."""
    laws.check_row(value, text, __file__)


STAGE = Stage("a", "build")


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Onbuild(Onbuild(Run("x"))), InvalidValue, "ONBUILD: Onbuild is not allowed", id="nested"),
        pytest.param(lambda: Onbuild(Maintainer("x")), InvalidValue, "Maintainer is not allowed", id="MAINTAINER"),
        pytest.param(lambda: Onbuild(Comment("x")), InvalidValue, "Comment is not allowed", id="comment"),
        pytest.param(
            lambda: Onbuild(Copy("/a", "/a", from_=STAGE)), InvalidValue, "does not have; name an image", id="stage"
        ),
        pytest.param(
            lambda: Onbuild(Run("x", mounts=[Bind("/a", from_=STAGE)])),
            InvalidValue,
            "does not have",
            id="mounted stage",
        ),
        pytest.param(lambda: Onbuild(anything("RUN x")), InvalidType, "pass an instruction", id="text"),
        pytest.param(
            lambda: Onbuild(anything(STAGE)), InvalidType, "pass an instruction", id="stage as an instruction"
        ),
        pytest.param(lambda: Onbuild(anything(Run)), InvalidType, "pass an instruction", id="class"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """What BuildKit refuses here, and what could not work in another build, is refused."""
    laws.check_refused(make, kind, message, __file__)


def test_what_is_kept_is_read_with_a_backslash() -> None:
    """The directive is not kept, so what needs an escape character is refused where that is a backtick."""
    plain = Dockerfile(Stage("a", steps=[Onbuild(Run.chain("a", "b")), Onbuild(Env({"A": "b c"}))]), escape="`")

    assert str(plain).endswith('ONBUILD RUN a && `\n    b\nONBUILD ENV A="b c"\n')
    with pytest.raises(InvalidValue, match="takes the backslash for it; use the backslash"):
        Dockerfile(Stage("a", steps=[Onbuild(Env({"A": "C:\\x"}))]), escape="`")


@pytest.mark.parametrize(
    ("value", "version"),
    [
        pytest.param(Onbuild(Run("x")), "1.0", id="plain"),
        pytest.param(Onbuild(Copy("a", "b", link=True)), "1.4", id="flag of the instruction"),
        pytest.param(Onbuild(Run.script("x")), "1.4", id="heredoc"),
        pytest.param(Onbuild(Env({"A": "${B#c}"})), "1.7", id="modifier"),
    ],
)
def test_minimum_syntax(value: Onbuild, version: str) -> None:
    """It needs what the instruction in it needs."""
    assert version == value.minimum_syntax
