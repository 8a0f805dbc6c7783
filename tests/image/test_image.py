"""Image and HttpCheck: what they take, what they refuse, and how an answer is judged."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from dockdsl import (
    CheckFailed,
    Cmd,
    DockdslError,
    Dockerfile,
    Entrypoint,
    HttpCheck,
    Image,
    InvalidType,
    InvalidValue,
    Run,
    RunFailed,
    SizeBudget,
    SourceError,
    Stage,
    UnknownStage,
    User,
    parse,
    render,
    to_python,
)
from dockdsl.checks.check import Check
from dockdsl.engine.fake import FakeBuilder, FakeRequest, FakeResponse, FakeRunner
from dockdsl.engine.specifications import SshSpec
from dockdsl.image.place import place_of
from dockdsl.selection import load
from tests.laws import anything
from tests.refusals import check_refused

BASE = Stage("alpine:3.22", name="base", steps=[Run("true")])
API = Stage(BASE, name="api", steps=[Run("true")])
DOCKERFILE = Dockerfile(API)
CHECK = HttpCheck("GET", "/healthz")


def image(**options: Any) -> Image:
    """Return an image with these options."""
    return Image(DOCKERFILE, **options)


# --- Image


def test_the_parts_of_an_image() -> None:
    """Strings stand for lists of one, mappings become pairs, and a stage its name."""
    one = image(
        tags="api:dev",
        target=BASE,
        build_args={"A": "1", "B": ""},
        platforms="linux/arm64",
        labels={"a.b": "c"},
        secrets="id=t,env=T",
        port=8080,
        env={"PORT": "8080"},
        command=["serve", ""],
        checks=CHECK,
        ready=CHECK,
        timeout=5,
    )

    assert (("api:dev",), "base", ("linux/arm64",)) == (one.tags, one.target, one.platforms)
    assert (("A", "1"), ("B", "")) == one.build_args
    assert (("a.b", "c"),) == one.labels
    assert (8080, (("PORT", "8080"),), ("serve", "")) == (one.port, one.env, one.command)
    assert ((CHECK,), CHECK, 5) == (one.checks, one.ready, one.timeout)


def test_where_it_was_written_is_no_part_of_the_value() -> None:
    """Two images that say the same are equal, though they stand on two lines; they survive pickling."""
    one = Image(DOCKERFILE, tags="a", port=1, checks=[HttpCheck("GET", "/", json={"a": [1]})])
    two = Image(DOCKERFILE, tags="a", port=1, checks=[HttpCheck("GET", "/", json={"a": [1]})])

    assert one == two
    assert hash(one) == hash(two)
    assert one.origin.line + 1 == two.origin.line
    assert one.origin.path == __file__
    assert "origin" not in repr(one)
    assert one.origin == pickle.loads(pickle.dumps(one)).origin


@pytest.mark.parametrize(
    "tag",
    [
        "api",
        "api:dev",
        "org/api:1.2.3-rc_1",
        "a--b/c__d.e:V1",
        "registry.test/org/api",
        "localhost:5000/api:x",
        "Host/api",
        "[::1]:5000/api",
        f"api:{'x' * 128}",
    ],
)
def test_tags_that_are_taken(tag: str) -> None:
    """They follow the grammar of image references."""
    assert (tag,) == image(tags=[tag]).tags


@pytest.mark.parametrize("platform", ["linux", "linux/arm64", "linux/arm/v7", "windows(10.0.17763)/amd64"])
def test_platforms_that_are_taken(platform: str) -> None:
    """They follow the grammar that FROM has for them."""
    assert (platform,) == image(platforms=platform).platforms


@pytest.mark.parametrize(
    "tag",
    [
        "Api",
        "api:",
        ":dev",
        "api:-x",
        "api:a b",
        "a//b",
        "/api",
        "api/",
        "a_-b",
        "api:dev\n",
        "é",
        "-api",
        f"api:{'x' * 129}",
    ],
)
def test_tags_that_are_refused(tag: str) -> None:
    """What the engine would refuse after a build is refused before it."""
    with pytest.raises(InvalidValue, match="is not a tag; write"):
        image(tags=[tag])


REFUSED = [
    pytest.param({"context": ""}, InvalidValue, "Image: context: '' is empty", id="context empty"),
    pytest.param({"context": "-"}, InvalidValue, "is not a folder", id="context stdin"),
    pytest.param({"context": "a\0b"}, InvalidValue, "NUL character", id="context NUL"),
    pytest.param({"context": 7}, InvalidType, "context: 7 is an int; pass the path", id="context type"),
    pytest.param({"healthcheck": "/api"}, InvalidType, "healthcheck: '/api' is a str; pass True or False", id="health"),
    pytest.param({"tags": "a@sha256:0"}, InvalidValue, "has a digest", id="tag with digest"),
    pytest.param({"tags": ""}, InvalidValue, "tags: '' is empty", id="tag empty"),
    pytest.param({"tags": [1]}, InvalidType, "tags: 1 is an int; pass a str", id="tag type"),
    pytest.param(
        {"tags": {"a": "b"}}, InvalidType, "tags: {'a': 'b'} is a dict; pass a str or several", id="tags mapping"
    ),
    pytest.param(
        {"target": "apy"}, UnknownStage, "no stage 'apy' for the target; did you mean 'api'?", id="target typo"
    ),
    pytest.param({"target": "zz"}, UnknownStage, "its stages are base, api", id="target"),
    pytest.param({"target": "2"}, UnknownStage, "no stage '2'", id="target index"),
    pytest.param({"target": Stage("x")}, InvalidType, "target: a Stage has no name; name the stage", id="unnamed"),
    pytest.param({"build_args": {"A=B": "c"}}, InvalidValue, "has an equals sign", id="argument name"),
    pytest.param({"build_args": {"": "c"}}, InvalidValue, "a name: '' is empty", id="argument without name"),
    pytest.param({"build_args": {"A": 1}}, InvalidType, "the value of A is an int; pass a str", id="argument type"),
    pytest.param(
        {"env": ["A=b"]}, InvalidType, "Image: env: a list is not a mapping; pass a dict of str", id="env list"
    ),
    pytest.param({"env": {"A": "b\0"}}, InvalidValue, "NUL character", id="env NUL"),
    pytest.param({"platforms": "linux/"}, InvalidValue, "'linux/' is not a platform; write linux/arm64", id="platform"),
    pytest.param({"platforms": "linux/amd64,linux/arm64"}, InvalidValue, "several as a list", id="platforms in one"),
    pytest.param({"port": 0}, InvalidValue, "port: 0 is out of range; pass a number from 1 to 65535", id="port 0"),
    pytest.param({"port": 65536}, InvalidValue, "port: 65536 is out of range", id="port too high"),
    pytest.param({"port": "8080"}, InvalidType, "port: '8080' is a str; pass an int", id="port text"),
    pytest.param({"port": True}, InvalidType, "port: True is a bool; pass an int", id="port bool"),
    pytest.param(
        {"command": "serve"}, InvalidType, "command: 'serve' is a str; pass a list of arguments", id="command text"
    ),
    pytest.param({"command": []}, InvalidValue, "command: no program is given; name one", id="command empty"),
    pytest.param(
        {"checks": [CHECK]},
        InvalidValue,
        "its check GET /healthz needs a server, but no port is given; pass port=",
        id="checks without port",
    ),
    pytest.param(
        {"checks": ["/"], "port": 1},
        InvalidType,
        "checks: a str is not a check; pass checks such as HttpCheck(",
        id="check type",
    ),
    pytest.param(
        {"checks": "/", "port": 1},
        InvalidType,
        "checks: a str is not a check; pass checks such as HttpCheck(",
        id="checks type",
    ),
    pytest.param(
        {"ready": "healthz"},
        InvalidValue,
        "ready: 'healthz' does not start with a slash; start it with one",
        id="ready",
    ),
    pytest.param({"checks": [Check()]}, InvalidType, 'a Check has no title; give its class title = "…"', id="no title"),
    pytest.param(
        {"checks": type("Own", (Check,), {"title": "x"})()},
        InvalidType,
        "an Own has no examine; give its class examine(self, subject)",
        id="no examine",
    ),
    pytest.param(
        {"ready": 1},
        InvalidType,
        "ready: 1 is an int; pass a path, HttpCheck(…), Healthy() or Printed(…)",
        id="ready type",
    ),
    pytest.param({"timeout": 0}, InvalidValue, "timeout: 0 is out of range; pass seconds above 0", id="timeout"),
    pytest.param({"timeout": float("nan")}, InvalidValue, "timeout: nan is out of range", id="timeout nan"),
    pytest.param({"timeout": "5s"}, InvalidType, "timeout: '5s' is a str; pass a number of seconds", id="timeout type"),
]


@pytest.mark.parametrize(("options", "kind", "words"), REFUSED)
def test_what_an_image_refuses(options: dict[str, Any], kind: type[DockdslError], words: str) -> None:
    """Construct, fact and remedy are in the message, and the place is the line that says it."""
    check_refused(lambda: image(**options), kind, f"^(?=Image: ).*{re.escape(words)}", __file__)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param(API, "is a Stage; pass Dockerfile(stage)", id="stage"),
        pytest.param("FROM scratch", "Image: dockerfile: 'FROM scratch' is a str; pass a Dockerfile", id="text"),
    ],
)
def test_what_is_no_dockerfile(value: Any, words: str) -> None:
    """The nearest right thing is named."""
    with pytest.raises(InvalidType) as caught:
        Image(value)
    assert words in caught.value.message


@pytest.mark.parametrize("target", ["base", "BASE", "1", None])
def test_targets_that_are_taken(target: str | None) -> None:
    """A stage is known by its name, whatever the case, and by its index."""
    assert target == image(target=target).target


def test_the_context_is_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is so wherever the program runs; an absolute path stays."""
    builds = tmp_path / "builds"
    builds.mkdir()
    builds.joinpath("api.py").write_text(
        "from dockdsl import *\n"
        'stage = Dockerfile(Stage("scratch"))\n'
        'near = Image(stage, "../app")\nhere = Image(stage)\nfar = Image(stage, "/srv/app")\n'
    )
    monkeypatch.chdir("/")

    assert tmp_path.resolve() / "app" == load(f"{builds}/api.py:near", Image).folder
    assert builds.resolve() == load(f"{builds}/api.py:here", Image).folder
    assert Path("/srv/app") == load(f"{builds}/api.py:far", Image).folder


def test_a_changed_copy_keeps_the_context(tmp_path: Path) -> None:
    """It is relative to the file of the first one, though the copy is made here."""
    tmp_path.joinpath("api.py").write_text(
        'from dockdsl import *\nimage = Image(Dockerfile(Stage("scratch")), "app", tags="a")\n'
    )
    first = load(str(tmp_path / "api.py"), Image)
    copy = attrs.evolve(first, tags="b")

    assert tmp_path.resolve() / "app" == first.folder == copy.folder == pickle.loads(pickle.dumps(copy)).folder
    assert first == attrs.evolve(copy, tags="a")
    assert Path(__file__).parent.resolve() / "app" == attrs.evolve(first, context="app").folder


def test_a_request_says_all_that_the_image_says() -> None:
    """The text, its map and the options are those of the image; more of them can be given."""
    one = image(
        tags="a", target="base", build_args={"A": "1"}, platforms="linux/arm64", labels={"l": "m"}, ssh="default"
    )
    request = one.request(no_cache=True, timeout=7)

    assert render(DOCKERFILE) == request.dockerfile
    assert API.origin in request.origins
    assert len(request.origins) == request.dockerfile.count("\n")
    assert (("a",), "base", (("A", "1"),)) == (request.tags, request.target, request.build_args)
    assert (("linux/arm64",), (("l", "m"),), (SshSpec("default"),)) == (request.platforms, request.labels, request.ssh)
    assert (True, 7, False) == (request.no_cache, request.timeout, request.pull)
    assert Path(__file__).parent.resolve() == request.context


def test_a_test_needs_a_port() -> None:
    """Without one, and without checks, there is nothing to ask."""
    with pytest.raises(InvalidValue, match="there is nothing to test; pass port=…, where its server listens"):
        image().test(FakeBuilder(), FakeRunner())


def test_build_takes_the_request_that_is_given() -> None:
    """Else the image's own."""
    builder = FakeBuilder()
    one = image(tags="a")
    one.build(builder)
    one.build(builder, request=one.request(tags="b"))

    assert [("a",), ("b",)] == [request.tags for request in builder.requests]


def test_writing_an_image_down_is_light() -> None:
    """Nothing that builds, runs or asks is loaded."""
    code = (
        "import sys; from dockdsl import Dockerfile, HttpCheck, Image, Stage; "
        'Image(Dockerfile(Stage("scratch")), tags="a", port=1, checks=[HttpCheck("GET", "/", json={"a": 1})]); '
        'print(*sorted({"json", "http", "subprocess", "docker", "hashlib", "dockdsl.engine.building"} & set(sys.modules)))'
    )
    # Measuring coverage loads modules of its own.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, env=env)

    assert "" == done.stdout.strip()


def test_an_unknown_option() -> None:
    """The class in the message is the one that was written."""
    with pytest.raises(TypeError, match=r"^Image: it has no option 'tagz'; did you mean 'tags'"):
        Image(Dockerfile(API), **anything({"tagz": "a"}))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(to_python(parse("FROM scratch\n")), "image = Image(dockerfile)", id="imported"),
        pytest.param('from dockdsl import *\nd = Dockerfile(Stage("scratch"))\n', "image = Image(d)", id="all names"),
        pytest.param(
            'from dockdsl import Stage\nbase = Stage("scratch")\n',
            "image = Image(Dockerfile(base))",
            id="a stage alone",
        ),
    ],
)
def test_a_file_without_an_image(text: str, line: str, tmp_path: Path) -> None:
    """Where no Image stands, the message says how to write one, and that works."""
    path = tmp_path / "x.py"
    path.write_text(text)
    with pytest.raises(SourceError, match="defines no Image; write ") as caught:
        load(str(path), Image)
    remedy = re.fullmatch(r"write (.*?)(?:, and import (.*) from dockdsl)?", caught.value.message.partition("; ")[2])

    assert remedy is not None
    assert line == remedy[1]
    names = (remedy[2] or "Stage").replace(" and ", ", ")
    path.write_text(f"{text}from dockdsl import {names}\n{remedy[1]}\n")
    assert isinstance(load(str(path), Image), Image)


# --- HttpCheck

CHECKS_REFUSED = [
    pytest.param(("get", "/"), {}, InvalidValue, "method: 'get' is not a method; write GET", id="method in lower case"),
    pytest.param(("G T", "/"), {}, InvalidValue, "method: 'G T' is not a method; write GET, POST", id="method"),
    pytest.param(
        ("GET", "healthz"), {}, InvalidValue, "does not start with a slash; start it with one", id="path without slash"
    ),
    pytest.param(("GET", "/a b"), {}, InvalidValue, "write such characters as %20", id="path with blank"),
    pytest.param(("GET", "/é"), {}, InvalidValue, "cannot be sent in a request", id="path not ASCII"),
    pytest.param(("GET", "/\r\nX: y"), {}, InvalidValue, "cannot be sent in a request", id="path with line end"),
    pytest.param(("GET", "/#a"), {}, InvalidValue, "cannot be sent in a request", id="fragment"),
    pytest.param(
        ("GET", "/"),
        {"status": 99},
        InvalidValue,
        "status: 99 is out of range; pass a number from 200 to 599",
        id="status",
    ),
    pytest.param(("GET", "/"), {"status": "200"}, InvalidType, "status: '200' is a str; pass an int", id="status type"),
    pytest.param(
        ("GET", "/"), {"headers": {"a b": "c"}}, InvalidValue, "'a b' is not the name of a header", id="header name"
    ),
    pytest.param(("GET", "/"), {"headers": {"a": 1}}, InvalidType, "the value of a is an int", id="header type"),
    pytest.param(
        ("GET", "/"),
        {"headers": {"a": re.compile(b"x")}},
        InvalidType,
        "the value of a is a Pattern",
        id="bytes pattern",
    ),
    pytest.param(
        ("GET", "/"),
        {"headers": "a: b"},
        InvalidType,
        "headers: a str is not a mapping; pass a dict",
        id="headers type",
    ),
    pytest.param(
        ("GET", "/"),
        {"send_headers": {"a": "b\r\nc: d"}},
        InvalidValue,
        "printable ASCII characters only",
        id="line end",
    ),
    pytest.param(
        ("GET", "/"),
        {"send_headers": {"a": ...}},
        InvalidType,
        "the value of a is an ellipsis",
        id="any header",
    ),
    pytest.param(("GET", "/"), {"json": {1: 2}}, InvalidType, "the key 1 of $ is an int; pass a str", id="key"),
    pytest.param(
        ("GET", "/"), {"json": {"a": [b"x"]}}, InvalidType, "$.a[0] is a bytes, which JSON does not have", id="bytes"
    ),
    pytest.param(
        ("GET", "/"), {"json": float("inf")}, InvalidValue, "$ is inf, which JSON does not have", id="infinite"
    ),
    pytest.param(
        ("GET", "/"), {"send_json": {"a": ...}}, InvalidType, "can be expected and not be sent", id="any sent"
    ),
    pytest.param(
        ("POST", "/"),
        {"send_json": 1, "send_body": ""},
        InvalidValue,
        "both send_json and send_body; leave one out",
        id="two",
    ),
    pytest.param(("POST", "/"), {"send_body": 1}, InvalidType, "send_body: 1 is an int; pass a str", id="sent"),
    pytest.param(
        ("POST", "/"), {"send_body": "\ud800"}, InvalidValue, "cannot be encoded as UTF-8; pass", id="no UTF-8"
    ),
    pytest.param(("GET", "/"), {"body": "("}, InvalidValue, "'(' is not a regular expression", id="pattern"),
    pytest.param(("GET", "/"), {"timeout": -1}, InvalidValue, "timeout: -1 is out of range", id="timeout"),
]


@pytest.mark.parametrize(("operands", "options", "kind", "words"), CHECKS_REFUSED)
def test_what_a_check_refuses(
    operands: tuple[str, str], options: dict[str, Any], kind: type[DockdslError], words: str
) -> None:
    """What no request can say is refused where it is written."""
    check_refused(lambda: HttpCheck(*operands, **options), kind, f"^(?=HttpCheck: ).*{re.escape(words)}", __file__)


JUDGED = [
    pytest.param({}, 200, {}, b"", [], id="status by default"),
    pytest.param({}, 204, {}, b"", ["expected status 200, got 204"], id="another status"),
    pytest.param({"status": None}, 503, {}, b"", [], id="any status"),
    pytest.param({"headers": {"Content-Type": "a/b"}}, 200, {"content-TYPE": "a/b "}, b"", [], id="header"),
    pytest.param({"headers": {"X": ...}}, 200, {"x": "1"}, b"", [], id="any header"),
    pytest.param({"headers": {"X": ...}}, 200, {}, b"", ["expected the header X, got none"], id="no header"),
    pytest.param(
        {"headers": {"X": "1"}}, 200, {"x": "2"}, b"", ["expected the header X to be '1', got '2'"], id="another header"
    ),
    pytest.param({"headers": {"X": re.compile("^a/b(;|$)")}}, 200, {"x": "a/b; c"}, b"", [], id="header like it"),
    pytest.param(
        {"headers": {"X": re.compile("^a{id}$")}},
        200,
        {"x": "a/b; c "},
        b"",
        ["expected the header X with a match of '^a{id}$', got 'a/b; c'"],
        id="header unlike it",
    ),
    pytest.param(
        {"headers": {"X": re.compile("")}}, 200, {}, b"", ["expected the header X, got none"], id="no header like it"
    ),
    pytest.param({"body": r"^b.d$"}, 200, {}, b"bad", [], id="body"),
    pytest.param({"body": "x"}, 200, {}, b"\xff", ["expected a body with 'x'"], id="another body"),
    pytest.param({"json": {}}, 200, {}, b"", ["expected a JSON body"], id="no JSON"),
    pytest.param({"json": {}}, 200, {}, b"[" * 100_000, ["expected a JSON body"], id="JSON too deep"),
    pytest.param({"json": {}}, 200, {}, b"[]", ["$: expected {}, got []"], id="list for object"),
    pytest.param({"json": None}, 200, {}, b"null", [], id="null"),
    pytest.param({"json": {"a": ...}}, 200, {}, b'{"a": null}', [], id="any value"),
    pytest.param({"json": {"a": ...}}, 200, {}, b"{}", ["$.a: expected something, got nothing"], id="no value"),
    pytest.param({"json": {"a": {"b": 1}}}, 200, {}, b'{"a": {"b": 1, "c": 2}}', [], id="more keys"),
    pytest.param({"json": {"a": {"b": 1}}}, 200, {}, b'{"a": {}}', ["$.a.b: expected 1, got nothing"], id="key"),
    pytest.param({"json": [1, ...]}, 200, {}, b"[1, 2]", [], id="list"),
    pytest.param({"json": [1]}, 200, {}, b"[1, 2]", ["$: expected 1 elements, got 2"], id="longer list"),
    pytest.param(
        {"json": [1, 2]}, 200, {}, b"[2, 1]", ["$[0]: expected 1, got 2", "$[1]: expected 2, got 1"], id="order"
    ),
    pytest.param({"json": {"a": 1}}, 200, {}, b'{"a": true}', ["$.a: expected 1, got true"], id="true is not 1"),
    pytest.param({"json": {"a": False}}, 200, {}, b'{"a": 0}', ["$.a: expected false, got 0"], id="0 is not false"),
    pytest.param({"json": 1}, 200, {}, b"1.0", [], id="1 is 1.0"),
    pytest.param({"json": "é"}, 200, {}, '"é"'.encode(), [], id="not ASCII"),
    pytest.param({"json": "1"}, 200, {}, b"1", ['$: expected "1", got 1'], id="text is not a number"),
]


@pytest.mark.parametrize(("options", "status", "headers", "body", "wrong"), JUDGED)
def test_judging(options: dict[str, Any], status: int, headers: dict[str, str], body: bytes, wrong: list[str]) -> None:
    """Each difference is one line; what is not said does not matter."""
    assert wrong == HttpCheck("GET", "/", **options).judge(status, headers, body)


def test_many_differences_are_cut() -> None:
    """The first ones are enough."""
    wrong = HttpCheck("GET", "/", json=[1] * 9).judge(200, {}, str([2] * 9).encode())

    assert 6 == len(wrong)
    assert "and 4 more differences" == wrong[-1]


def test_what_is_expected_cannot_change_afterwards() -> None:
    """The JSON that was given is copied."""
    expected = {"a": [1]}
    check = HttpCheck("GET", "/", json=expected, send_json=expected)
    expected["a"].append(2)

    assert {"a": [1]} == check.json
    assert b'{"a": [1]}' == check.request()[1]


def test_a_content_type_of_ones_own() -> None:
    """It is not replaced."""
    check = HttpCheck("POST", "/", send_json=1, send_headers={"content-type": "application/x"})

    assert {"content-type": "application/x"} == check.request()[0]


@pytest.mark.parametrize(
    ("body", "sent"), [("é{id}\0", b"\xc3\xa9{id}\0"), (b"\xff{id}", b"\xff{id}"), ("", b""), (None, None)]
)
def test_a_body_that_is_no_json(body: str | bytes | None, sent: bytes | None) -> None:
    """It is sent as it is, and nothing is said of what it is."""
    check = HttpCheck("POST", "/", send_body=body)

    assert ({}, sent) == check.request()
    assert () == check.uses


# --- numbers and values without end


@pytest.mark.parametrize(
    "seconds",
    [1e12, pytest.param(10**5000, id="huge"), 7 * 24 * 3600 + 1, float("nan"), float("inf"), -1, 0],
)
def test_times_beyond_what_a_clock_takes(seconds: float) -> None:
    """A week is the longest that anything may be allowed."""
    for make in (
        lambda: image(timeout=seconds),
        lambda: HttpCheck("GET", "/", timeout=seconds),
        lambda: image(port=1).test(FakeBuilder(), FakeRunner(lambda _: FakeResponse()), timeout=seconds),
    ):
        with pytest.raises(InvalidValue, match=r"pass seconds above 0, at most 604800"):
            make()


@pytest.mark.parametrize("seconds", ["5", True, [1]])
def test_times_of_other_types(seconds: Any) -> None:
    """A test's time is read as the image's own is."""
    with pytest.raises(InvalidType, match=r"Image: timeout: .* is a"):
        image(port=1).test(FakeBuilder(), FakeRunner(lambda _: FakeResponse()), timeout=seconds)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: image(port=10**5000), id="port"),
        pytest.param(lambda: HttpCheck("GET", "/", status=10**5000), id="status"),
        pytest.param(lambda: HttpCheck("GET", "/", send_json=10**5000), id="sent"),
        pytest.param(lambda: HttpCheck("GET", "/", json=[{"a": 10**5000}]), id="expected"),
    ],
)
def test_numbers_of_too_many_digits(make: Callable[[], object]) -> None:
    """Python writes no such number, and so neither does the message."""
    with pytest.raises(InvalidValue, match=r"an int of 16610 bits"):
        make()


def test_json_that_holds_itself() -> None:
    """What has no end, or is nested beyond reason, is refused."""
    cyclic: list[Any] = []
    cyclic.append({"a": cyclic})
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    for value in (cyclic, deep):
        with pytest.raises(InvalidValue, match="nested more than 100 deep, or contains itself"):
            HttpCheck("GET", "/", json=value)
        with pytest.raises(InvalidValue, match="nested more than 100 deep, or contains itself"):
            HttpCheck("POST", "/", send_json=value)


@pytest.mark.parametrize("pattern", ["(" * 5000 + ")" * 5000, "(" * 5000, "a{99999999999999999999}"])
def test_patterns_beyond_reason(pattern: str) -> None:
    """They are no regular expressions; the message shows the beginning."""
    with pytest.raises(InvalidValue, match="is not a regular expression") as caught:
        HttpCheck("GET", "/", body=pattern)
    assert len(caught.value.message) < 400


@pytest.mark.parametrize("depth", [90, 900, 990, 100_000])
@pytest.mark.parametrize("expected", [1, [], {"a": 1}, [[[1]]]])
def test_an_answer_nested_deep(depth: int, expected: Any) -> None:
    """It fails the check; whatever nests it."""
    check = HttpCheck("GET", "/", json=expected)
    for body in (b"[" * depth + b"1" + b"]" * depth, b'{"b":' * depth + b"1" + b"}" * depth):
        wrong = check.judge(200, {}, body)
        assert all(len(line) < 400 for line in wrong)
        if expected != [] or body.startswith(b"{"):
            assert wrong


def test_a_block_with_a_built_image() -> None:
    """It is built once; checks run one by one, servers start and go, and the temporary tag is taken away."""

    def echo(request: FakeRequest) -> FakeResponse:
        if request.path == "/method":
            return FakeResponse(body=request.method.encode() + request.body)
        return FakeResponse(body=request.body if request.path == "/echo" else b'{"a": 1}')

    builder, runner = FakeBuilder(), FakeRunner(echo, log=("one", "two"))
    one = image(port=8080, checks=[HttpCheck("GET", "/", status=500)])
    with one.built(builder, runner) as built:
        assert built.check(HttpCheck("GET", "/", json={"a": 1}), SizeBudget("1MB")).ok
        with built.start() as running:
            assert {"a": 1} == running.get("/").json()
            assert ('{"a": 1}', 200) == (running.post("/", json=[]).text, running.request("HEAD", "/x").status)
            assert ("two",) == running.logs(1)
            assert "text" == running.post("/echo", body="text").text
            for method in ("put", "patch", "delete"):
                assert f"{method.upper()}[1]" == getattr(running, method)("/method", json=[1]).text
            with pytest.raises(CheckFailed, match="expected status 404, got 200"):
                running.check(HttpCheck("GET", "/", status=404), HttpCheck("GET", "/"))
            with pytest.raises(InvalidValue, match="does not start with a slash; start it with one"):
                running.get("{a}")
            running.signal("SIGTERM")
            assert not running.state().running
            with pytest.raises(RunFailed, match="GET /: the connection is refused; the container exited with code 0"):
                running.get("/")
        assert (1, 2, 0) == (len(builder.requests), len(runner.requests), len(runner.running))
        assert [] == runner.untagged

    assert 1 == len(runner.untagged)
    with image().built(builder, runner) as built, pytest.raises(InvalidValue, match="it has no port, so there is"):
        built.check(HttpCheck("GET", "/"))


@pytest.mark.parametrize(
    ("message", "options", "at"),
    [
        ('run x: the engine refused: exec: "/a": stat /a: no such file', {}, "entrypoint"),
        ('run x: the engine refused: exec: "/a": stat /a: no such file', {"target": "tool"}, "command"),
        (
            'run x: the engine refused: exec: "/a": stat /a: no such file',
            {"target": "tool", "command": ["/a"]},
            "image",
        ),
        ("run x: the engine refused: unable to find user u: no matching entries in passwd file", {}, "user"),
        ("run x: the engine refused: Cannot mkdir: /x is not a directory", {}, "image"),
        ("run x: the engine refused: driver failed: port is already allocated", {}, "image"),
        ("test x: the container was not ready after 2 s", {}, "image"),
    ],
)
def test_what_a_container_cannot_start_with(message: str, options: dict[str, Any], at: str) -> None:
    """The error points to the instruction that says it, in the stage that is run or one below it, else to the image."""
    entrypoint, command, user = Entrypoint.exec("/a"), Cmd.exec("/a"), User("u")
    base = Stage("scratch", name="base", steps=[user, entrypoint])
    tool = Stage("scratch", name="tool", steps=[command])
    image = Image(Dockerfile([tool, Stage(base, name="api", steps=[command])]), **options)
    places: dict[str, Any] = {"entrypoint": entrypoint, "command": command, "user": user, "image": image}

    assert places[at].origin is place_of(image, RunFailed(message))
