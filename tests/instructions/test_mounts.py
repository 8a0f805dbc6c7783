"""Mounts: each type with each option."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import (
    Bind,
    Cache,
    DockdslError,
    InvalidType,
    InvalidValue,
    Mount,
    Run,
    Secret,
    Ssh,
    Stage,
    Tmpfs,
    external,
    literal,
)
from tests import laws
from tests.laws import anything

STAGE = Stage("a", "build")


@pytest.mark.parametrize(
    ("mount", "text"),
    [
        pytest.param(Bind("/src"), "type=bind,target=/src", id="bind"),
        pytest.param(Bind("src"), "type=bind,target=src", id="relative target"),
        pytest.param(Bind("/a", source="b"), "type=bind,target=/a,source=b", id="bind source in the context"),
        pytest.param(Bind("/a", from_=STAGE), "type=bind,target=/a,from=build", id="bind from a stage"),
        pytest.param(Bind("/a", from_="alpine:3"), "type=bind,target=/a,from=alpine:3", id="bind from an image"),
        pytest.param(Bind("/a", from_=external("x")), "type=bind,target=/a,from=x", id="bind from a named context"),
        pytest.param(Bind("/a", readwrite=True), "type=bind,target=/a,readwrite=true", id="bind readwrite"),
        pytest.param(Bind("/a", readwrite=False), "type=bind,target=/a,readwrite=false", id="bind read-only"),
        pytest.param(Cache("/a"), "type=cache,target=/a", id="cache"),
        pytest.param(
            Cache("/a", id="m", readonly=True, sharing="locked", from_=STAGE, source="/s", mode=0o700, uid=1, gid="2"),
            "type=cache,target=/a,id=m,readonly=true,sharing=locked,from=build,source=/s,mode=0700,uid=1,gid=2",
            id="cache with all options",
        ),
        pytest.param(Cache("/a", sharing="shared"), "type=cache,target=/a,sharing=shared", id="cache shared"),
        pytest.param(Cache("/a", sharing="private"), "type=cache,target=/a,sharing=private", id="cache private"),
        pytest.param(Cache("/a", mode="0755"), "type=cache,target=/a,mode=0755", id="mode as text"),
        pytest.param(Cache("/a", uid=2**32 - 1), "type=cache,target=/a,uid=4294967295", id="highest id"),
        pytest.param(Tmpfs("/t"), "type=tmpfs,target=/t", id="tmpfs"),
        pytest.param(Tmpfs("/t", size="64m"), "type=tmpfs,target=/t,size=64m", id="tmpfs size"),
        pytest.param(Tmpfs("/t", size=1024), "type=tmpfs,target=/t,size=1024", id="tmpfs size in bytes"),
        pytest.param(Secret("token"), "type=secret,id=token", id="secret"),
        pytest.param(
            Secret("t", target="/t", env="T", required=True, mode=0o400, uid=0, gid=0),
            "type=secret,id=t,target=/t,env=T,required=true,mode=0400,uid=0,gid=0",
            id="secret with all options",
        ),
        pytest.param(Secret(target="/t"), "type=secret,target=/t", id="secret by its target"),
        pytest.param(Secret("t", required=False), "type=secret,id=t,required=false", id="secret that may be missing"),
        pytest.param(Ssh(), "type=ssh", id="ssh"),
        pytest.param(
            Ssh(target="/s", id="k", required=True, mode=0o600, uid=1, gid=1),
            "type=ssh,target=/s,id=k,required=true,mode=0600,uid=1,gid=1",
            id="ssh with all options",
        ),
        pytest.param(Bind("/a,b"), '"type=bind,\\"target=/a,b\\""', id="comma needs CSV quotes"),
        pytest.param(Bind("/a b"), '"type=bind,target=/a b"', id="blank needs quotes of the flag"),
        pytest.param(Bind('/a"b'), r'"type=bind,\"target=/a\\\"\"b\""', id="quote is escaped, doubled and escaped"),
        pytest.param(Bind("/a'b"), '"type=bind,target=/a\\\\\'b"', id="single quote"),
        pytest.param(Bind("C:\\a"), r'"type=bind,target=C:\\\\a"', id="backslash"),
        pytest.param(Bind("/$A/${B}"), "type=bind,target=/$A/${B}", id="variables"),
        pytest.param(
            Cache("/a", id="${A:-x y}"), "'type=cache,target=/a,id=${A:-x y}'", id="default hidden from heredocs"
        ),
        pytest.param(Cache("/a", id=literal("$A")), r'"type=cache,target=/a,id=\\$A"', id="literal dollar"),
        pytest.param(Cache("/a", id="a=b"), "type=cache,target=/a,id=a=b", id="equals sign"),
    ],
)
def test_text(mount: Mount, text: str) -> None:
    """Options stand in the reference's order, each quoted as it must be: word, CSV, flag."""
    between = " " if len(text) < 80 else " \\\n    "
    laws.check_row(Run("x", mounts=[mount]), f"RUN --mount={text}{between}x", __file__)
    laws.check_row(Run.exec("x", mounts=mount), f'RUN --mount={text}{between}["x"]', __file__)
    laws.check_value(mount, __file__)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        pytest.param(lambda: Bind(""), InvalidValue, "Bind: target: the value is empty", id="empty target"),
        pytest.param(
            lambda: Bind("/"), InvalidValue, "Bind: target: .*root.*; mount below it", id="root as the target"
        ),
        pytest.param(lambda: Cache("/./"), InvalidValue, "Cache: target: ", id="root in a third spelling"),
        pytest.param(lambda: Tmpfs("//"), InvalidValue, "Tmpfs: target: ", id="root in another spelling"),
        pytest.param(lambda: Bind("/a\nUSER root"), InvalidValue, "Bind: target: .*newline", id="newline"),
        pytest.param(lambda: Bind("/é"), InvalidValue, "Bind: .*non-ASCII.*garbles", id="beyond ASCII"),
        pytest.param(
            lambda: Bind("/a", from_=""), InvalidValue, "not the name of an image; name a stage", id="empty from"
        ),
        pytest.param(
            lambda: Bind("/a", from_="$A"), InvalidValue, "has a variable.*; make a stage", id="variable in from"
        ),
        pytest.param(lambda: Bind("/a", from_="0"), InvalidValue, "index of a stage; pass the Stage", id="index"),
        pytest.param(
            lambda: Bind("/a", from_="a,type=cache"), InvalidValue, "not the name of an image", id="option in from"
        ),
        pytest.param(lambda: Bind("/a", source=""), InvalidValue, "source: the value is empty", id="empty source"),
        pytest.param(lambda: Cache("/a", source="/b"), InvalidValue, "source: .*; add from_=", id="source of nothing"),
        pytest.param(
            lambda: Cache("/a", sharing=anything("all")), InvalidValue, "sharing: .*; use shared", id="sharing"
        ),
        pytest.param(lambda: Cache("/a", mode="rwx"), InvalidValue, "mode: .*; write octal", id="symbolic mode"),
        pytest.param(lambda: Cache("/a", mode=0o10000), InvalidValue, "is 0o10000 in octal", id="mode out of range"),
        pytest.param(
            lambda: Cache("/a", mode=-1),
            InvalidValue,
            "mode: the number -1 is -0o1 in octal; write ",
            id="negative mode",
        ),
        pytest.param(lambda: Cache("/a", mode=8**5000), InvalidValue, r"is 0o10{16}… in octal", id="huge mode"),
        pytest.param(lambda: Cache("/a", mode=755), InvalidValue, "755 is 0o1363 in octal; write ", id="decimal mode"),
        pytest.param(lambda: Cache("/a", uid="root"), InvalidValue, "uid: .*; write a number", id="name as a number"),
        pytest.param(lambda: Cache("/a", gid=2**32), InvalidValue, "gid: ", id="number out of range"),
        pytest.param(lambda: Cache("/a", uid=literal("$A")), InvalidValue, "uid: ", id="literal dollar as a number"),
        pytest.param(lambda: Tmpfs("/a", size="much"), InvalidValue, "size: .*; write ", id="size"),
        pytest.param(lambda: Tmpfs("/a", size=-1), InvalidValue, "size: ", id="negative size"),
        pytest.param(lambda: Secret(), InvalidValue, "Secret: neither an id nor a target", id="secret without a name"),
        pytest.param(lambda: Secret("a", env="A-B"), InvalidValue, "env: .*; write the name", id="no variable"),
        pytest.param(lambda: Cache(anything(None)), InvalidType, "Cache: ", id="no target"),
        pytest.param(lambda: Bind("/a", from_=anything(5)), InvalidType, "the source 5 is an int", id="number as from"),
        pytest.param(
            lambda: Bind("/a", readwrite=anything("yes")), InvalidType, "readwrite: .*pass True", id="text as a switch"
        ),
        pytest.param(lambda: Cache("/a", uid=True), InvalidType, "uid: .*is a bool", id="switch as a number"),
        pytest.param(lambda: Cache("/a", id=anything(["x"])), InvalidType, "id: .*is a list", id="list"),
    ],
)
def test_refused(make: Callable[[], Any], kind: type[DockdslError], message: str) -> None:
    """A mount that BuildKit would refuse, or read otherwise, is refused by its own constructor."""
    laws.check_refused(make, kind, message, __file__)


@pytest.mark.parametrize(
    ("mount", "version"),
    [
        pytest.param(Bind("/a"), "1.2", id="bind"),
        pytest.param(Cache("/a"), "1.2", id="cache"),
        pytest.param(Tmpfs("/a"), "1.2", id="tmpfs"),
        pytest.param(Ssh(required=True), "1.2", id="ssh"),
        pytest.param(Secret("a"), "1.2", id="secret"),
        pytest.param(Tmpfs("/a", size="1m"), "1.4", id="size"),
        pytest.param(Cache("/$A"), "1.4", id="variable"),
        pytest.param(Cache(literal("/$A")), "1.4", id="escape"),
        pytest.param(Secret("a", env="A"), "1.10", id="env"),
        pytest.param(Cache("/${A#b}"), "1.7", id="modifier"),
    ],
)
def test_minimum_syntax(mount: Mount, version: str) -> None:
    """Each option needs the frontend that brought it."""
    assert version == Run("x", mounts=[mount]).minimum_syntax
