"""Smoke tests: readiness, checks, and that the container goes away whatever happens."""

from __future__ import annotations

import contextlib
import gzip
import os
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

import attrs
import pytest

from dockdsl import BuildFailed, CheckFailed, EngineUnavailable, HttpCheck, RunFailed
from dockdsl.checks.http_client import LONGEST_BODY, NoAnswer, ask
from dockdsl.checks.report import CheckResult, SmokeReport
from dockdsl.checks.smoke import build_and_smoke, smoke
from dockdsl.checks.subject import RunChanges
from dockdsl.engine.builders.buildx import Buildx
from dockdsl.engine.building import BuildRequest
from dockdsl.engine.fake import FakeBuilder, FakeRequest, FakeResponse, FakeRunner
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.engine.running import RunRequest
from tests.engine.helpers import (
    BUSYBOX,
    SERVER,
    Line,
    containers_of,
    docker,
    line_to_the_engine,
    patiently,
    temporary_tags,
)

HEALTHZ = HttpCheck("GET", "/healthz", json={"status": "ok"})


def serving(*, before: str = "", port: int = 8080) -> RunRequest:
    """Return a container that serves with busybox httpd after the shell text `before`."""
    command = ("sh", "-c", f"{SERVER}\n{before}\nexec httpd -f -p {port} -h /www")
    return RunRequest(image=BUSYBOX, ports=[8080], command=command)


def dockerfile(before: str = "") -> str:
    """Return a Dockerfile whose image serves with busybox httpd."""
    return f"""\
FROM {BUSYBOX}
RUN <<END
{SERVER}
END
CMD ["sh", "-c", "{before}exec httpd -f -p 8080 -h /www"]
"""


# --- in real containers


@pytest.mark.engine
def test_checks_of_a_real_server(runner: DockerSdk) -> None:
    """Each check is reported at once, in order, and the report has them all."""
    checks = [
        HEALTHZ,
        HttpCheck("GET", "/nothere", status=404),
        HttpCheck("POST", "/cgi-bin/echo", send_json={"a": [1]}, json={"a": [1]}, headers={"content-type": ...}),
        HttpCheck("HEAD", "/healthz", headers={"Content-Length": "34"}),
    ]
    told: list[str] = []
    report = smoke(runner, serving(), checks, ready="/healthz", report=lambda result: told.append(str(result)))

    assert report.ok, [str(result) for result in report.results]
    assert 4 == len(told)
    assert told[0].startswith("ok   GET /healthz 200 (")
    assert told == [str(result) for result in report.results]
    assert report.ready is not None
    assert 0 < report.ready < 20
    assert "4 of 4 checks passed; " in report.summary()
    report.raise_for_failures()


ANSWERS = r"""
import socket, zlib

with socket.create_server(("", 8080)) as listening:
    while True:
        connection, _ = listening.accept()
        with connection:
            if connection.recv(100).startswith(b"GET"):
                connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
                body = zlib.compress(b'{"status": "ok"}')
                head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(body)
                connection.sendall(head + body)
            else:
                connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
"""
"""A server that answers early, in two parts and encoded, and closes with what it did not read."""


@pytest.mark.engine
def test_answers_that_are_valid_and_rare(runner: DockerSdk) -> None:
    """Hints come before an answer; one that refuses a large body comes before the body is read."""
    request = RunRequest(image="python:3.13-slim", ports=[8080], command=("python3", "-c", ANSWERS))
    checks = [HEALTHZ, HttpCheck("POST", "/", status=413, send_body=bytes(30_000_000), body="^big$")]
    report = smoke(runner, request, checks * 5)

    assert report.ok, [str(result) for result in report.results]


@pytest.mark.engine
def test_a_check_that_fails(runner: DockerSdk) -> None:
    """The others are asked all the same; the error has the failed ones, the body and the container's log."""
    checks = [HttpCheck("GET", "/cgi-bin/broken"), HEALTHZ]
    report = smoke(runner, serving(before="echo ready to serve"), checks, ready="/healthz")
    with pytest.raises(CheckFailed) as caught:
        report.raise_for_failures()

    assert [False, True] == [result.ok for result in report.results]
    place = f"{checks[0].origin}"
    expected = f"FAIL GET /cgi-bin/broken: expected status 200, got 500; body broken ({place})"
    assert (expected,) == caught.value.failures
    assert checks[0].origin == caught.value.origin
    assert place.endswith(f"test_smoke.py:{checks[0].origin.line}")
    assert "ready to serve" in caught.value.log
    assert "1 of 2 checks failed" in caught.value.message
    assert "\n  ready to serve" in caught.value.message
    assert "1 of 2 checks passed" in caught.value.summary


@pytest.mark.engine
def test_a_container_that_dies_at_once(runner: DockerSdk) -> None:
    """Nobody waits for it: its code and its last lines are told."""
    request = RunRequest(image=BUSYBOX, ports=[8080], command=("sh", "-c", "echo no config >&2; sleep 0.3; exit 3"))
    begin = time.monotonic()
    with pytest.raises(RunFailed) as caught:
        smoke(runner, request, [HEALTHZ], timeout=60)

    assert 3 == caught.value.exit_code
    assert ("no config",) == caught.value.log
    assert "the container exited with code 3" in caught.value.message
    assert time.monotonic() - begin < 20


@pytest.mark.engine
def test_a_container_that_is_never_ready(runner: DockerSdk) -> None:
    """The wait is bounded; what was asked, what came, and what to look at are told."""

    def test(seconds: int) -> None:
        begin = time.monotonic()
        with pytest.raises(RunFailed) as caught:
            smoke(runner, serving(before="echo wrong port", port=9090), [HEALTHZ], timeout=seconds)

        assert f"the container was not ready after {seconds} s " in caught.value.message
        assert "(GET /: the connection is closed without an answer)" in caught.value.message
        assert "see that it listens on 0.0.0.0:8080 inside" in caught.value.message
        assert ("wrong port",) == caught.value.log
        assert caught.value.exit_code is None
        assert time.monotonic() - begin < seconds + 13

    patiently(test, 2, 10, 30)


@pytest.mark.engine
def test_a_server_that_only_its_own_container_reaches(runner: DockerSdk) -> None:
    """A server on the loopback address of its container is not ready, since nobody outside reaches it."""
    request = serving()
    assert request.command is not None
    command = (*request.command[:2], request.command[2].replace("-p 8080", "-p 127.0.0.1:8080"))
    with pytest.raises(RunFailed, match=r"see that it listens on 0\.0\.0\.0:8080 inside"):
        smoke(runner, attrs.evolve(request, command=command), [HEALTHZ], timeout=2)


@pytest.mark.engine
def test_a_container_that_dies_between_checks(runner: DockerSdk) -> None:
    """The check that it did not answer says so, and the rest is not asked."""
    killing = r'printf "#!/bin/sh\nkill -9 1; kill 1; sleep 5\n" > /www/cgi-bin/die; chmod +x /www/cgi-bin/die'
    # Process 1 minds no signal that it has no handler for, so a shell is process 1 and waits for the server.
    request = serving(before=f"{killing}; trap 'exit 9' TERM; httpd -p 8080 -h /www; while :; do sleep 0.1; done")
    checks = [HEALTHZ, HttpCheck("GET", "/cgi-bin/die", timeout=3), HEALTHZ]
    report = smoke(runner, request, checks, ready="/healthz")

    assert [True, False, False] == [result.ok for result in report.results]
    assert "the container exited with code 9" in report.results[1].mismatches[0]
    assert ("not asked, since the container exited with code 9",) == report.results[2].mismatches


@pytest.mark.engine
def test_an_image_is_built_and_tested(runner: DockerSdk, context: Any, tag: str) -> None:
    """The report has both: what the build cost, and what the server answered."""
    build = BuildRequest(dockerfile=dockerfile(), context=context, tags=tag)
    report = build_and_smoke(Buildx(), runner, build, RunRequest(image="", ports=[8080]), [HEALTHZ], ready="/healthz")

    assert report.ok
    assert report.build is not None
    assert report.build.size
    assert report.summary().startswith(f"1 of 1 checks passed; {tag}, 2.")


@pytest.mark.engine
@pytest.mark.parametrize("passes", [True, False])
def test_an_image_without_a_tag_goes_away(runner: DockerSdk, context: Any, passes: bool) -> None:
    """It has a tag for the time of the test only, and so does not stay behind."""
    seen: list[set[str]] = []
    build = BuildRequest(dockerfile=dockerfile(), context=context)
    check = HttpCheck("GET", "/healthz" if passes else "/nothere")
    report = build_and_smoke(
        Buildx(),
        runner,
        build,
        RunRequest(image="", ports=[8080]),
        [check],
        report=lambda _: seen.append(temporary_tags(os.getpid())),
    )

    assert passes == report.ok
    assert [1] == [len(tags) for tags in seen]
    assert set() == temporary_tags(os.getpid())


@pytest.mark.engine
def test_a_failing_build_is_not_run(runner: DockerSdk, context: Any) -> None:
    """Its error comes through, and nothing is left."""
    build = BuildRequest(dockerfile=f"FROM {BUSYBOX}\nRUN exit 4\n", context=context)
    with pytest.raises(BuildFailed, match="exit code: 4"):
        build_and_smoke(Buildx(), runner, build, RunRequest(image="", ports=[8080]), [HEALTHZ])


# --- the rules of waiting and asking, on servers of this process


def fake(handler: Callable[[FakeRequest], FakeResponse], *checks: HttpCheck, **options: Any) -> SmokeReport:
    """Smoke-test a server that is a function; return the report."""
    runner = FakeRunner(handler)
    try:
        return smoke(runner, RunRequest(image="api:dev", ports=[8080]), checks, **options)
    finally:
        assert () == runner.running


def test_ready_is_any_answer_but_a_server_error() -> None:
    """A path that does not exist is an answer; 503 is not yet one."""
    answers = iter([503, 500, 404])
    report = fake(lambda request: FakeResponse(next(answers) if request.path == "/" else 200), HttpCheck("GET", "/x"))

    assert report.ok
    assert [] == list(answers)


def test_ready_may_be_a_check() -> None:
    """It is asked until it passes, and the last reason is told where it never does."""
    bodies = iter([b"warming up", b"ready"])
    assert fake(lambda _: FakeResponse(body=next(bodies)), ready=HttpCheck("GET", "/", body="ready")).ok

    with pytest.raises(
        RunFailed, match=r"\(GET /: expected a body with 'ready'; body no\); see why it gives that answer, or"
    ):
        fake(lambda _: FakeResponse(body=b"no"), ready=HttpCheck("GET", "/", body="ready"), timeout=0.3)


def test_redirects_are_answers() -> None:
    """They are judged, and not followed."""
    found = FakeResponse(302, {"Location": "http://127.0.0.1:1/"})
    report = fake(lambda _: found, HttpCheck("GET", "/", status=302, headers={"location": "http://127.0.0.1:1/"}))

    assert report.ok


def test_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxies are for the world outside."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert fake(lambda _: FakeResponse(), HttpCheck("GET", "/")).ok


def test_what_is_sent() -> None:
    """Method, query, headers and body arrive as they were written."""
    seen: list[FakeRequest] = []

    def handler(request: FakeRequest) -> FakeResponse:
        seen.append(request)
        return FakeResponse(201)

    check = HttpCheck(
        "PUT", "/a%20b?c=d&c=e", status=201, send_json={"é": [None]}, send_headers={"X-Token": "t", "Host": "api.test"}
    )
    assert fake(handler, check).ok

    assert ("PUT", "/a%20b?c=d&c=e") == (seen[-1].method, seen[-1].path)
    assert b'{"\\u00e9": [null]}' == seen[-1].body
    assert ("t", "api.test") == (seen[-1].headers["x-token"], seen[-1].headers["host"])
    assert "application/json" == seen[-1].headers["content-type"]


def test_a_handler_that_breaks_off() -> None:
    """A connection that is closed without an answer is a failed check, not an error of ours."""

    def handler(request: FakeRequest) -> FakeResponse:
        if request.path == "/bad":
            raise ZeroDivisionError
        return FakeResponse()

    report = fake(handler, HttpCheck("GET", "/bad"), HttpCheck("GET", "/good"))

    assert ["the connection is closed without an answer"] == list(report.results[0].mismatches)
    assert report.results[1].ok


def test_a_port_that_nobody_listens_on() -> None:
    """It is a refused connection."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    with pytest.raises(NoAnswer, match="the connection is refused"):
        ask(address, HEALTHZ, timeout=2)


@contextmanager
def raw_server(*pieces: bytes, pause: float = 0) -> Iterator[tuple[str, int]]:
    """A server that sends these bytes to the first client, whatever it asks, and then holds the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                for piece in pieces:
                    try:
                        connection.sendall(piece)
                    except OSError:
                        return
                    if done.wait(pause):
                        return
                if not pause:
                    return
                done.wait(30)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()
        finally:
            done.set()
            thread.join()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        pytest.param([b""], "no answer within 0.5 s", id="silence"),
        pytest.param([HEAD, *[b"x"] * 300], "no (whole )?answer within 0.5 s", id="a drop at a time"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\n", *[b"A: b\r\n"] * 300], "no (whole )?answer within 0.5 s", id="headers without end"
        ),
    ],
)
def test_the_whole_answer_has_a_time(pieces: list[bytes], words: str) -> None:
    """A server that never comes to an end is given up, however busy it is."""
    begin = time.monotonic()
    with raw_server(*pieces, pause=0.1) as address, pytest.raises(NoAnswer, match=words):
        ask(address, HEALTHZ, timeout=0.5)
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize(
    ("pieces", "words", "has_begun"),
    [
        pytest.param([b"SSH-2.0-server\r\n\r\n"], "no HTTP answer .BadStatusLine", True, id="another protocol"),
        pytest.param([HEAD, b"half"], "closed in the middle of the answer", True, id="half a body"),
        pytest.param([], "closed without an answer", False, id="nothing"),
        pytest.param([b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 200 + b"\r\n"], "no HTTP answer", True, id="long headers"),
    ],
)
def test_answers_that_are_none(pieces: list[bytes], words: str, has_begun: bool) -> None:
    """What is not HTTP is reported, and breaks nothing; an answer of another kind is not confused with silence."""
    with raw_server(*pieces) as address, pytest.raises(NoAnswer, match=words) as caught:
        ask(address, HEALTHZ, timeout=5)
    assert has_begun is caught.value.has_begun


def test_a_body_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read into memory for ever."""
    monkeypatch.setattr("dockdsl.checks.http_client.LONGEST_BODY", 1 << 20)
    pieces = [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * (1 << 19)] * 3]
    with raw_server(*pieces) as address, pytest.raises(NoAnswer, match="the body is longer than 1 MiB"):
        ask(address, HEALTHZ, timeout=5)


def test_headers_of_one_name_are_joined() -> None:
    """They are one value, with commas."""
    head = b"HTTP/1.1 200 OK\r\nVary: a\r\nVARY: b\r\nContent-Length: 0\r\n\r\n"
    with raw_server(head) as address:
        assert {"vary": "a, b", "content-length": "0"} == ask(address, HEALTHZ, timeout=5).headers


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nContent-Encoding: br\r\n\r\n"], id="hints"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n"] * 3, id="several"),
    ],
)
@pytest.mark.parametrize("midway", [None, lambda _: None])
def test_answers_that_say_that_one_is_to_come(before: list[bytes], midway: Any) -> None:
    """They are passed over, and their headers with them."""
    with raw_server(*before, b"HTTP/1.1 201 Made\r\nContent-Length: 2\r\n\r\nhi", pause=0.01) as address:
        answer = ask(address, HttpCheck("POST", "/", send_json="x"), timeout=5, midway=midway)

    assert (201, {"content-length": "2"}, b"hi") == (answer.status, answer.headers, answer.body)


def test_another_protocol_is_an_answer() -> None:
    """After 101 no other comes."""
    with raw_server(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", pause=0.1) as address:
        assert 101 == ask(address, HEALTHZ, timeout=5).status


@contextmanager
def closing_server(*answers: bytes) -> Iterator[tuple[str, int]]:
    """A server that reads a little of a request before each of its answers, and closes with the rest unread."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                # What waits to be sent would be lost as it closes.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for answer in answers:
                    connection.recv(100)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()
        finally:
            thread.join()


@pytest.mark.parametrize("length", [b"Content-Length: 3\r\n", b""])
@pytest.mark.parametrize(
    ("in_two", "size", "before"),
    [
        pytest.param(False, 1000, [], id="sent"),
        pytest.param(False, 30_000_000, [], id="half sent"),
        pytest.param(True, 30_000_000, [], id="in two"),
        pytest.param(True, 30_000_000, [b"HTTP/1.1 100 Continue\r\n\r\n"], id="in two, asked for"),
    ],
)
def test_an_answer_before_the_body_is_read(in_two: bool, size: int, before: list[bytes], length: bytes) -> None:
    """It is the answer, though the rest of the body cannot be sent any more, or is sent for nothing."""
    said: list[bool] = []
    check = HttpCheck("POST", "/", send_body=bytes(size))
    with closing_server(*before, b"HTTP/1.1 413 Too Large\r\n" + length + b"\r\nbig") as address:
        answer = ask(address, check, timeout=20, midway=said.append if in_two else None)

    assert (413, b"big") == (answer.status, answer.body)
    assert ([True] if in_two else []) == said


@pytest.mark.parametrize("head", [HEAD, b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_connection_that_is_reset_in_the_middle_of_an_answer(head: bytes) -> None:
    """The answer to a request that was read is not whole then."""
    # Nobody has sent a body that could be unread.
    check = HttpCheck("GET", "/", send_headers={"X-Long": "x" * 1000})
    with (
        closing_server(head + b"half") as address,
        pytest.raises(NoAnswer, match="closed in the middle of the answer") as caught,
    ):
        ask(address, check, timeout=5)
    assert caught.value.has_begun


def test_no_answer_before_the_body_is_read() -> None:
    """Where nothing was said, the connection is closed."""
    with closing_server(b"") as address, pytest.raises(NoAnswer, match="is closed without an answer") as caught:
        ask(address, HttpCheck("POST", "/", send_json="x" * 30_000_000), timeout=20)
    assert not caught.value.has_begun


def raw_deflate(body: bytes) -> bytes:
    """Return the bare stream, which some servers send as deflate."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip", gzip.compress(b'{"status": "ok"}'), id="gzip"),
        pytest.param("X-GZip", gzip.compress(b'{"status": ') + gzip.compress(b'"ok"}'), id="two parts"),
        pytest.param("deflate", zlib.compress(b'{"status": "ok"}'), id="deflate"),
        pytest.param("deflate", raw_deflate(b'{"status": "ok"}'), id="bare deflate"),
        pytest.param("identity", b'{"status": "ok"}', id="none"),
    ],
)
def test_bodies_that_are_encoded(encoding: str, body: bytes) -> None:
    """They are decoded; the headers stay as they came."""
    seen = HttpCheck("GET", "/", json={"status": "ok"}, headers={"Content-Encoding": encoding})
    result = fake(lambda _: FakeResponse(200, {"Content-Encoding": encoding}, body), seen).results[0]

    assert result.ok, str(result)


def test_an_encoded_answer_without_a_body() -> None:
    """That of HEAD has the headers alone."""
    head = HttpCheck("HEAD", "/", headers={"Content-Encoding": "gzip"})
    assert fake(lambda _: FakeResponse(200, {"Content-Encoding": "gzip"}, b"x"), head, ready=head).ok


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        pytest.param("gzip", gzip.compress, id="gzip"),
        pytest.param("deflate", zlib.compress, id="deflate"),
        pytest.param("deflate", raw_deflate, id="bare deflate"),
    ],
)
def test_a_small_body_that_is_long_when_decoded(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    """It is given up as a long one is, and what is as long as may be is not."""
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\n\r\n".encode()
    with raw_server(head, encode(b"x" * LONGEST_BODY)) as address:
        assert LONGEST_BODY == len(ask(address, HEALTHZ, timeout=30).body)
    with (
        raw_server(head, encode(b"x" * (LONGEST_BODY + 1))) as address,
        pytest.raises(NoAnswer, match="the body is longer than 16 MiB"),
    ):
        ask(address, HEALTHZ, timeout=30)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip", b'{"status": "ok"}', id="plain"),
        pytest.param("gzip", gzip.compress(b"x" * 999)[:-9], id="half"),
        pytest.param("deflate", b'{"status": "ok"}', id="plain deflate"),
        pytest.param("deflate", zlib.compress(b"x" * 999)[:-9], id="half deflate"),
    ],
)
def test_a_body_that_is_not_encoded_as_its_header_says(encoding: str, body: bytes) -> None:
    """It is not a whole answer."""
    result = fake(
        lambda _: FakeResponse(200, {"Content-Encoding": encoding}, body), HEALTHZ, ready=HttpCheck("HEAD", "/")
    ).results[0]

    assert (f"the body is not in the encoding {encoding} that its header names",) == result.mismatches


def test_an_encoding_that_is_not_read() -> None:
    """It does not matter to who looks at the status alone, and is told to who looks at the body."""
    checks = [HttpCheck("GET", "/"), HEALTHZ, HttpCheck("GET", "/", body="ok")]
    report = fake(lambda _: FakeResponse(200, {"Content-Encoding": "br"}, b"\x8b"), *checks)
    told = ", got one in the encoding br; have the server send gzip, deflate or none"

    assert report.results[0].ok
    assert [(f"expected a JSON body{told}",), (f"expected a body with 'ok'{told}",)] == [
        result.mismatches for result in report.results[1:]
    ]


def test_the_addresses_of_a_name_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not answer leaves some to the next; all of them have no more than the whole."""
    with contextlib.ExitStack() as stack:
        full = []
        for _ in range(2):
            # What nobody accepts waits; what finds no room to wait gets no word.
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
            stack.enter_context(socket.create_connection(listening.getsockname()))
            full.append((socket.AF_INET, socket.SOCK_STREAM, 0, "", listening.getsockname()))
        places: list[Any] = [*full]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
        begin = time.monotonic()
        with pytest.raises(NoAnswer, match="no answer within 3 s"):
            ask(("both.test", 80), HEALTHZ, timeout=3)
        assert time.monotonic() - begin < 5.9

        address = stack.enter_context(raw_server(b"HTTP/1.1 204 No\r\n\r\n"))
        places[1:] = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address)]
        assert 204 == ask(("both.test", 80), HEALTHZ, timeout=2).status


def test_a_failed_check_cannot_steer_the_terminal() -> None:
    """The body that is shown has no control characters, and is short."""
    hostile = FakeResponse(404, body=b"\x1b[2J" + b"x" * 999)
    report = fake(lambda _: hostile, HttpCheck("GET", "/x"))

    line = str(report.results[0])
    assert "\x1b" not in line
    assert len(line) < 400


def test_an_exception_of_the_caller_removes_the_container() -> None:
    """Whatever happens while results are told, the container goes away."""

    def tell(_: CheckResult) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fake(lambda _: FakeResponse(), HttpCheck("GET", "/"), report=tell)


def test_a_temporary_tag_is_taken_away_when_the_build_fails() -> None:
    """Nothing stays of an image that was not built."""
    runner = FakeRunner()
    build = BuildRequest(dockerfile="FROM scratch", context=".")
    with pytest.raises(BuildFailed):
        build_and_smoke(FakeBuilder(error=BuildFailed("no")), runner, build, RunRequest(image="", ports=[1]), [])

    assert 1 == len(runner.untagged)
    assert 1 == runner.sweeps


# --- what the container says, and an engine that goes away


def test_what_a_check_quotes_steers_no_terminal() -> None:
    """Escapes, line breaks, reversed text and halves of characters come from the container, and are made harmless."""
    body = b'{"a": "\\ud800\\u001b[2J\\u009b31m\\u202eabc\\u2028", "b\\nc": 1}'
    answer = FakeResponse(200, {"X-Name": "\x9b31mred\x85"}, body)
    check = HttpCheck("GET", "/", json={"a": "b", "b\nc": 2, "d\u202e\n": 1}, headers={"X-Name": "x"})
    result = fake(lambda _: answer, check).results[0]
    text = str(result)

    assert 4 == len(result.mismatches)
    assert not [each for each in text if not each.isprintable()]
    assert "\\ud800" in text
    text.encode()


def test_what_is_wrong_while_it_is_not_ready_is_quoted_harmlessly() -> None:
    """As it is for checks."""
    ready = HttpCheck("GET", "/", json={"a": "b"})
    with pytest.raises(RunFailed) as caught:
        fake(lambda _: FakeResponse(body=b'{"a": "\\ud800\\u009b"}'), ready=ready, timeout=0.2)

    assert "see why it gives that answer, or allow it more time" in caught.value.message
    assert "0.0.0.0" not in caught.value.message
    assert caught.value.message.isprintable()


def test_a_request_that_the_end_of_the_time_cuts_short() -> None:
    """What is told is the answer before it."""
    asked: list[FakeRequest] = []

    def answer(request: FakeRequest) -> FakeResponse:
        asked.append(request)
        time.sleep(2 if asked[1:] else 0)
        return FakeResponse(503)

    with pytest.raises(RunFailed, match=r"\(GET /: answered with status 503\); see why it gives that answer"):
        fake(answer, timeout=1)


def test_a_long_answer_is_cut() -> None:
    """A header of thousands of characters does not fill the screen."""
    check = HttpCheck("GET", "/", headers={"X-Name": "x"}, json={"k" * 9000: 1})
    result = fake(lambda _: FakeResponse(200, {"X-Name": "y" * 9000}, b"{}"), check).results[0]

    assert 2 == len(result.mismatches)
    assert all(len(line) <= 400 for line in result.mismatches)


@pytest.mark.engine
def test_an_engine_that_goes_away_during_a_test(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first error is told, not that the clean-up has no engine either."""
    with line_to_the_engine() as line:
        with DockerSdk() as direct, monkeypatch.context() as changed:
            changed.setenv("DOCKER_HOST", line.host)
            build = BuildRequest(dockerfile=dockerfile(), context=context)
            checks = [HEALTHZ, HttpCheck("GET", "/nothere", status=404)]

            def tell(_: CheckResult) -> None:
                line.cut()
                raise KeyError("the first error")

            with DockerSdk(patience=0.5) as runner, pytest.raises(KeyError, match="the first error"):
                build_and_smoke(Buildx(), runner, build, RunRequest(image="", ports=[8080]), checks, report=tell)
        left = containers_of(os.getpid())
        assert left, "the engine is gone, so the container cannot be removed"
        docker("rm", "--force", "--volumes", *left)
        for tag in temporary_tags(os.getpid()):
            direct.untag(tag)


def test_changes_are_what_the_fields_accept() -> None:
    """What a check changes of a container are the fields of its request, but for its name."""
    fields: dict[str, Any] = {each.name: each.converter for each in attrs.fields(RunRequest)}
    accepted = {
        name: next(iter(signature(converter).parameters.values())).annotation
        for name, converter in fields.items()
        if converter
    }

    assert fields.keys() - {"name"} == RunChanges.__annotations__.keys()
    for name, kind in accepted.items():
        assert kind == RunChanges.__annotations__[name].__forward_arg__, name


@pytest.mark.engine
def test_a_container_whose_engine_goes_away_in_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was raised in the block is raised; without that, the engine's absence is."""
    for raised in (True, False):
        with line_to_the_engine() as line, monkeypatch.context() as changed:
            changed.setenv("DOCKER_HOST", line.host)

            def leave(runner: DockerSdk, line: Line = line, raised: bool = raised) -> None:
                with runner.start(serving()):
                    line.cut()
                    if raised:
                        raise KeyError("the first error")

            with DockerSdk(patience=0.5) as runner, pytest.raises(KeyError if raised else EngineUnavailable):
                leave(runner)
        docker("rm", "--force", "--volumes", *containers_of(os.getpid()))
