"""ADD: URLs, repositories and archives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import Add, DockdslError, Heredoc, InvalidType, InvalidValue, literal
from tests import laws
from tests.laws import anything

URL = "https://example.com/a.tar.gz"
SUM = "sha256:" + "0123456789abcdef" * 4
GIT = "https://example.com/a.git"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Add("a.tar", "/"), "ADD a.tar /", id="archive"),
        pytest.param(Add([URL, "b"], "/x/"), f"ADD {URL} b /x/", id="URL and file"),
        pytest.param(Add(URL + "?a=b&c=[d]*", "/x"), f"ADD {URL}?a=b&c=[d]* /x", id="URL is no pattern"),
        pytest.param(Add(literal(URL + "?a=$b[^"), "/x"), f'ADD ["{URL}?a=\\\\$b[^", "/x"]', id="literal URL"),
        pytest.param(Add(GIT + "#v1:sub", "/x"), f"ADD {GIT}#v1:sub /x", id="repository"),
        pytest.param(Add("git@example.com:a/b.git", "/x"), "ADD git@example.com:a/b.git /x", id="repository over SSH"),
        pytest.param(Add("$A", "/x"), "ADD $A /x", id="variable"),
        pytest.param(Add(GIT, "/x", keep_git_dir=True), f"ADD --keep-git-dir {GIT} /x", id="keep-git-dir"),
        pytest.param(Add(URL, "/x", checksum=SUM), f"ADD --checksum={SUM} \\\n    {URL} /x", id="checksum"),
        pytest.param(Add(GIT, "/x", checksum="0123abc"), f"ADD --checksum=0123abc {GIT} /x", id="commit"),
        pytest.param(Add("$A", "/x", checksum="$B"), "ADD --checksum=$B $A /x", id="checksum of a variable"),
        pytest.param(
            Add(URL, "/x", chmod="0644", chown="1:1"), f"ADD --chmod=0644 --chown=1:1 {URL} /x", id="permissions"
        ),
        pytest.param(Add("a", "/x", link=True), "ADD --link a /x", id="link"),
        pytest.param(Add(URL, "/x", unpack=True), f"ADD --unpack {URL} /x", id="unpack"),
        pytest.param(Add("a.tar", "/x", unpack=False), "ADD --unpack=false a.tar /x", id="do not unpack"),
        pytest.param(Add("a", "/x", exclude=["b", "c"]), "ADD --exclude=b --exclude=c a /x", id="exclude"),
        pytest.param(Add.text("a\n", "/x", chmod="0600"), "ADD --chmod=0600 <<'EOF' /x\na\nEOF", id="file in place"),
    ],
)
def test_text(value: Add, text: str) -> None:
    """It is written as COPY is, with flags of its own."""
    laws.check_row(value, text, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(
            lambda: Add("a", "/x", checksum=SUM), InvalidValue, "ADD: a checksum needs .* remote; split", id="local"
        ),
        pytest.param(lambda: Add([URL, URL], "/x/", checksum=SUM), InvalidValue, "exactly one source", id="two"),
        pytest.param(
            lambda: Add(Heredoc("a\n"), "/x", checksum=SUM), InvalidValue, "exactly one source", id="in place"
        ),
        pytest.param(lambda: Add(URL, "/x", checksum="md5:0"), InvalidValue, "is not a checksum; write", id="form"),
        pytest.param(
            lambda: Add(URL, "/x", checksum=literal("$A")), InvalidValue, "is not a checksum", id="literal checksum"
        ),
        pytest.param(lambda: Add(URL, "/x", checksum=""), InvalidValue, "is not a checksum", id="empty checksum"),
        pytest.param(lambda: Add(URL + "\nUSER root", "/x"), InvalidValue, "newline", id="newline in a URL"),
        pytest.param(lambda: Add(literal("a*"), "/x"), InvalidValue, "finds no such file", id="literal star"),
        pytest.param(lambda: Add("a", "/x", unpack=anything("no")), InvalidType, "--unpack: .*is a str", id="switch"),
        pytest.param(lambda: Add(URL, "/x", checksum=anything(5)), InvalidType, "--checksum: .*is an int", id="number"),
        pytest.param(lambda: Add(anything(5), "/x"), InvalidType, "the source 5 is an int", id="number as a source"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """What no ADD can say is refused."""
    laws.check_refused(make, kind, message, __file__)


@pytest.mark.parametrize(
    ("value", "version"),
    [
        pytest.param(Add("a", "/x"), "1.0", id="file"),
        pytest.param(Add(URL, "/x"), "1.0", id="URL"),
        pytest.param(Add(GIT, "/x"), "1.6", id="repository"),
        pytest.param(Add("git@example.com:a/b.git", "/x"), "1.6", id="repository over SSH"),
        pytest.param(Add(GIT + "?ref=v1", "/x"), "1.18", id="repository with a query"),
        pytest.param(Add(GIT, "/x", keep_git_dir=True), "1.6", id="keep-git-dir"),
        pytest.param(Add(URL, "/x", checksum=SUM), "1.6", id="checksum"),
        pytest.param(Add(GIT, "/x", checksum="0123abc"), "1.16", id="checksum of a repository"),
        pytest.param(Add(URL, "/x", unpack=True), "1.17", id="unpack"),
        pytest.param(Add(URL, "/x", chmod="1"), "1.2", id="chmod"),
        pytest.param(Add(URL, "/x", chown="$A"), "1.2", id="chown of a variable"),
        pytest.param(Add(URL, "/x", link=True), "1.4", id="link"),
        pytest.param(Add("a", "/x", exclude=["b"]), "1.19", id="exclude"),
        pytest.param(Add.text("a\n", "/x"), "1.4", id="heredoc"),
    ],
)
def test_minimum_syntax(value: Add, version: str) -> None:
    """Each flag and source needs the frontend that brought it."""
    assert version == value.minimum_syntax
