"""The kinds of checks on real images: the Go program on scratch, and busybox."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest

from dockdsl import (
    CheckFailed,
    Cmd,
    CommandCheck,
    Copy,
    Dockerfile,
    Env,
    FileCheck,
    GracefulShutdown,
    Hardened,
    Header,
    Healthcheck,
    Healthy,
    HttpCheck,
    Image,
    Instruction,
    InvalidType,
    InvalidValue,
    MetadataCheck,
    Run,
    Saved,
    Shell,
    SizeBudget,
    Stage,
    StartupBudget,
    User,
    Workdir,
)
from dockdsl.checks.check import Check
from dockdsl.checks.report import CheckResult
from dockdsl.checks.smoke import smoke
from dockdsl.checks.subject import Subject
from dockdsl.engine.building import BuildResult
from dockdsl.engine.fake import FakeBuilder, FakeCommand, FakeRequest, FakeResponse, FakeRunner
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.engine.running import RunRequest
from dockdsl.secrecy import remember
from dockdsl.selection import load
from tests.engine.helpers import BUSYBOX, SERVER, docker, inspect, wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def go_api() -> Iterator[str]:
    """The image of builds/go_api.py, under a tag of its own."""
    tag = f"dockdsl-pytest:checks-{os.getpid()}"
    image = load(str(ROOT / "builds/go_api.py"), Image)
    image.build(request=image.request(tags=tag))
    yield tag
    docker("rmi", "--force", tag)


def results(
    runner: Any, image: str, *checks: Check, port: int | None = None, ready: str | HttpCheck = "/", **options: Any
) -> list[str]:
    """Run the checks on an image; return the line of each."""
    request = RunRequest(image=image, ports=() if port is None else (port,), **options)
    return [str(result) for result in smoke(runner, request, checks, ready=ready).results]


def only(lines: list[str]) -> str:
    """Return the one line."""
    (line,) = lines
    return line


# --- CommandCheck


@pytest.mark.engine
def test_a_command_of_a_scratch_image(go_api: str, runner: DockerSdk) -> None:
    """A program, and the entrypoint with arguments; exit code and both streams are looked at."""
    found = results(
        runner,
        go_api,
        CommandCheck(["/api", "version"], stdout=[r'^\{"', r'"go":"go1\.27'], no_stdout="panic", stderr_text=""),
        CommandCheck(["nosuch"], entrypoint=True, exit_code=2, stderr="unknown command", stdout_text=""),
        CommandCheck(["help"], entrypoint=True, stdout_text="usage"),
        CommandCheck(["/api", "version"], env={"A": "b"}, user="1:1"),
        CommandCheck(["/bin/sh"]),
    )

    assert found[0].startswith("ok   run /api version exit code 0 (")
    assert found[1].startswith("ok   run entrypoint nosuch exit code 2 (")
    assert found[2].startswith("FAIL run entrypoint help: stdout: expected 'usage', got 'usage: api [command]")
    assert found[3].startswith("ok ")
    assert found[4].startswith(f"FAIL run /bin/sh: run {go_api}: the engine refused: ")


@pytest.mark.engine
def test_what_a_command_prints(runner: DockerSdk) -> None:
    """The streams are told apart; what is expected and what came stand in the line."""
    both = ["sh", "-c", "echo out; echo $A err >&2; exit 3"]
    check = CommandCheck(both, exit_code=3, stdout_text="out\n", stderr_text="set err\n", env={"A": "set"})
    wrong = CommandCheck(both, stdout="^err", stderr="x", no_stdout="o.t", exit_code=None)
    found = results(runner, BUSYBOX, check, wrong)

    assert found[0].startswith("ok   run sh -c 'echo out; ")
    assert (
        "stdout: expected a match of '^err', got 'out\\n'; stdout: expected no match of 'o.t', got 'out'; "
        f"stderr: expected a match of 'x', got 'err\\n' ({wrong.origin})"
    ) in found[1]


@pytest.mark.engine
def test_a_command_has_a_time_and_a_longest_output(runner: DockerSdk) -> None:
    """What does not end is ended; of endless output the beginning is read."""
    sleeping = CommandCheck(["sleep", "600"], timeout=0.5)
    printing = CommandCheck(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo end"], stdout="^x{1048576}$")
    found = results(runner, BUSYBOX, sleeping, printing)

    assert f"FAIL run sleep 600: it did not end within 0.5 s ({sleeping.origin})" == found[0]
    assert found[1].startswith("ok ")


@pytest.mark.engine
def test_the_log_of_a_command_is_shown(runner: DockerSdk) -> None:
    """It stands under the name of its check; an image that is not a server has no other."""
    report = smoke(runner, RunRequest(image=BUSYBOX), [CommandCheck(["sh", "-c", "echo why; exit 1"])])

    assert "\nlast output of the container of run sh -c 'echo why; exit 1':\n  why" == report.output()
    assert report.ready is None
    with pytest.raises(AssertionError, match="expected exit code 0, got 1"):
        report.raise_for_failures()


# --- budgets


@pytest.mark.engine
def test_budgets(go_api: str, runner: DockerSdk) -> None:
    """A size is a verdict, and a time is a note."""
    found = results(
        runner, go_api, SizeBudget("10MB"), SizeBudget(1000), StartupBudget(60), StartupBudget(0.000001), port=8080
    )

    assert found[0].startswith("ok   size ")
    assert found[0].endswith(" MB unpacked, at most 10 MB")
    assert found[1].startswith("FAIL size: expected at most 1 kB, got ")
    assert found[2].startswith("note start-up ")
    assert " s, within 60 s" in found[2]
    assert " s, over the budget of 1e-06 s" in found[3]


@pytest.mark.engine
@pytest.mark.usefixtures("in_store")
def test_a_budget_where_the_engine_tells_what_is_transferred(tmp_path: Path, tag: str) -> None:
    """The budget is for the layers unpacked all the same, and the summary says which size the engine told."""
    tmp_path.joinpath("zeros").write_bytes(bytes(3_000_000))
    stage = Stage("scratch", steps=[Copy("zeros", "/")])
    checks = [SizeBudget(3_000_000), SizeBudget(2_999_999)]
    reported: list[CheckResult] = []
    with pytest.raises(CheckFailed) as caught:
        Image(Dockerfile(stage), context=str(tmp_path), tags=tag, checks=checks).test(report=reported.append)
    with DockerSdk() as runner:
        found = results(runner, tag, checks[1])

    assert "ok   size 3 MB unpacked, at most 3 MB" == str(reported[0])
    wrong = f"FAIL size: expected at most 3 MB, got 3 MB unpacked: 1 B too many ({checks[1].origin})"
    assert [wrong, wrong] == [str(reported[1]), *found]
    assert " kB (its layers as they are transferred), built in " in caught.value.summary


def test_a_note_is_no_verdict() -> None:
    """It does not count, and a report of notes alone is good."""
    report = smoke(FakeRunner(lambda _: FakeResponse()), RunRequest(image="x", ports=[1]), [StartupBudget(1e-9)])

    assert report.ok
    assert report.summary().startswith("0 of 0 checks passed; x, ready in ")


# --- FileCheck


@pytest.mark.engine
def test_files_of_a_scratch_image(go_api: str, runner: DockerSdk) -> None:
    """A static Go program, its facts and what Go wrote into it; and that there is nothing else."""
    good = FileCheck(
        "/api",
        kind="file",
        mode=0o755,
        executable_by="other",
        owner="0:0",
        min_size="1MB",
        max_size="10MB",
        static=True,
        architecture={"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
        go_version="go1.27",
        go_module="example.com/api",
        go_settings={"CGO_ENABLED": "0", "-trimpath": "true"},
    )
    bad = FileCheck(
        "/api",
        kind="directory",
        mode="644",
        owner="1:2",
        max_size=5,
        min_size="1GB",
        architecture="s390x",
        go_version="go1.2",
        go_module="x",
        go_settings={"CGO_ENABLED": "1", "nosuch": "y"},
    )
    absent = FileCheck("/etc/hosts", exists=False)
    found = results(runner, go_api, good, bad, absent, FileCheck("/bin/sh"), FileCheck("/api", exists=False))

    assert found[0].startswith("ok   file /api 6."), found[0]
    assert ", mode 0755, owner 0:0, static amd64, go1.27." in found[0]
    assert found[1].startswith("FAIL file /api: expected a directory, got a file; expected mode 0644, got 0755; ")
    for words in (
        "expected owner 1, got 0; expected group 2, got 0; expected at most 5 B, got 6.",
        "expected at least 1 GB, got 6.",
        "expected architecture s390x, got amd64; expected go1.2, got go1.27.",
        "; expected CGO_ENABLED=1, got 0; expected nosuch=y, got none (",
        f" ({bad.origin})",
    ):
        assert words in found[1]
    # A container would have this file, which the image has not.
    assert "ok   no file /etc/hosts" == found[2]
    assert found[3].startswith("FAIL file /bin/sh: expected a file, got none (")
    assert found[4].startswith("FAIL no file /api: expected none, got a file (")


@pytest.mark.engine
def test_files_of_busybox(runner: DockerSdk, tmp_path: Path, tag: str) -> None:
    """Content, links, names of owners, and a file that is not a program."""
    tmp_path.joinpath("Dockerfile").write_text(
        f"FROM {BUSYBOX}\n"
        "RUN mkdir -p /etc && echo 'app:x:1000:1001::/:' >/etc/passwd && echo 'staff:x:1001:' >/etc/group &&"
        " printf 'one\\ntwo\\n' >/f && chown 1000:1001 /f && ln -s /f /l && head -c 17000000 /dev/zero >/big\n"
    )
    docker("buildx", "build", "--load", "-t", tag, str(tmp_path))
    found = results(
        runner,
        tag,
        FileCheck("/l", text="one\ntwo\n", content=["^two$", "o"], no_content="three", owner="app:staff"),
        FileCheck("/l", link="/f"),
        FileCheck("/l", kind="link"),
        FileCheck("/f", link="/l"),
        FileCheck("/f", text="one", content="x", no_content="t.o", owner="root"),
        FileCheck("/f", static=True),
        FileCheck("/big", content="x"),
        FileCheck("/etc", content="x", kind="directory"),
        FileCheck("/bin/busybox", static=True, go_version="go1"),
    )

    assert ["ok  "] * 3 == [line[:4] for line in found[:3]], found[:3]
    assert "FAIL file /f: expected a link to /l, got a file (" in found[3]
    assert (
        "expected owner root, got 1000; content: expected 'one', got 'one\\ntwo\\n'; content: expected a match"
        in found[4]
    )
    assert "content: expected no match of 't.o', got 'two'" in found[4]
    assert "FAIL file /f: expected a program (an ELF file), got another file (" in found[5]
    assert "FAIL file /big: expected content of at most 16.8 MB, got 17 MB (" in found[6]
    assert "FAIL file /etc: expected content, got a directory (" in found[7]
    assert (
        "FAIL file /bin/busybox: expected a program that Go 1.18 or later built, got one without build information"
        in found[8]
    )


# --- MetadataCheck


@pytest.mark.engine
def test_metadata(runner: DockerSdk, tmp_path: Path, tag: str) -> None:
    """All that an image says of how it is run."""
    tmp_path.joinpath("Dockerfile").write_text(
        f'FROM {BUSYBOX}\nUSER 7:8\nWORKDIR /w\nSTOPSIGNAL SIGQUIT\nENTRYPOINT ["/bin/sh", "-c"]\nCMD ["a b"]\n'
        'ENV A=b=c E=\nLABEL l.a=v\nEXPOSE 80 53/udp\nVOLUME /v\nHEALTHCHECK CMD ["/h", "x"]\n'
    )
    docker("buildx", "build", "--load", "-t", tag, str(tmp_path))
    good = MetadataCheck(
        user="7:8",
        workdir="/w",
        stopsignal="SIGQUIT",
        entrypoint=["/bin/sh", "-c"],
        cmd=["a b"],
        env={"A": "b=c", "E": "", "PATH": ..., "GOPATH": None},
        labels={"l.a": re.compile("^v$"), "none": None},
        ports=[80, "53/udp"],
        no_ports=8080,
        volumes="/v",
        no_volumes=["/w"],
        healthcheck=["/h", "x"],
        os="linux",
    )
    bad = MetadataCheck(
        user="",
        entrypoint=[],
        env={"A": "x", "PATH": None, "Z": ...},
        labels={"l.a": re.compile("w")},
        ports=81,
        no_ports=80,
        volumes="/x",
        healthcheck=None,
        architecture="vax",
    )
    found = results(runner, tag, good, bad)

    assert found[0].startswith(
        "ok   metadata user, workdir, stopsignal, entrypoint, cmd, env, labels, ports, no_ports, "
    )
    for words in (
        "expected user none, got '7:8'; expected entrypoint none, got ['/bin/sh', '-c']; expected healthcheck none, got",
        "expected the variable A to be 'x', got 'b=c'; expected no variable PATH, got '/",
        "expected the variable Z, got none; expected the label l.a with a match of 'w', got 'v'",
        "expected the port 81/tcp, got 53/udp, 80/tcp; expected no port 80/tcp, got 53/udp, 80/tcp",
        f"expected the volume /x, got /v ({bad.origin})",
    ):
        assert words in found[1], found[1]


def test_a_health_check_in_shell_form() -> None:
    """It is a str; one that is switched off is not there."""
    facts = {"Config": {"Healthcheck": {"Test": ["CMD-SHELL", "curl x || exit 1"]}}}
    off = {"Config": {"Healthcheck": {"Test": ["NONE"]}}}

    assert ["ok   metadata healthcheck"] == results(
        FakeRunner(facts=facts), "x", MetadataCheck(healthcheck="curl x || exit 1")
    )
    assert ["ok   metadata healthcheck"] == results(FakeRunner(facts=off), "x", MetadataCheck(healthcheck=None))


def test_files_without_an_engine() -> None:
    """The fake runner has files, too."""
    runner = FakeRunner(files={"/etc/motd": b"hello\n"})

    assert ["ok   file /etc/motd 6 B, mode 0755, owner 0:0"] == results(
        runner, "x", FileCheck("/etc/motd", content="^hello$")
    )


# --- values that go from one answer into the next request


def api() -> FakeRunner:
    """Return a server that makes notes, and tells what it was asked."""
    seen: list[str] = []

    def serve(request: FakeRequest) -> FakeResponse:
        seen.append(f"{request.method} {request.path} {request.body.decode()} {request.headers.get('x-token', '')}")
        if request.method == "POST":
            return FakeResponse(201, body=b'{"id": "a/b c", "n": [{"x": 7}], "token": "t"}')
        if request.method == "PUT":
            return FakeResponse(200, {"X-Is": "7"}, request.body)
        return FakeResponse(body=json.dumps(seen).encode())

    return FakeRunner(serve)


def test_saved_values() -> None:
    """They go into paths (quoted), headers and JSON (with their type), and are expected there, too."""
    checks = [
        HttpCheck("POST", "/n", status=201, save={"id": "/id", "x": "/n/0/x", "token": "/token", "all": ""}),
        HttpCheck(
            "PUT",
            "/n/{id}?x={x}&y={}&{1}",
            send_json={"x": [Saved("x")]},
            send_headers={"X-Token": "Bearer {token}"},
            headers={"X-Is": "{x}"},
            json={"x": [Saved("x")]},
        ),
        HttpCheck("GET", "/", json=[..., ..., 'PUT /n/a%2Fb%20c?x=7&y={}&{1} {"x": [7]} Bearer t', ...]),
        HttpCheck("PUT", "/", send_json=Saved("all"), json={"token": "x"}),
    ]
    found = results(api(), "x", *checks, port=1, ready=HttpCheck("POST", "/", status=201))

    assert ["ok  ", "ok  ", "ok  ", "FAIL"] == [line[:4] for line in found], found
    assert found[1].startswith("ok   PUT /n/a%2Fb%20c?x=7&y={}&{1} 200 (")
    assert '$.token: expected "x", got "t"' in found[3]


def test_a_value_that_was_not_saved() -> None:
    """The check that should have saved it fails, and those that need it are not asked."""
    checks = [HttpCheck("POST", "/", status=201, save={"id": "/nosuch"}), HttpCheck("GET", "/{id}")]
    found = results(api(), "x", *checks, port=1)

    assert "FAIL POST /: expected a value at /nosuch to save it as id, got none; body {" in found[0]
    assert f"FAIL GET /{{id}}: not asked, since no check before it saved id ({checks[1].origin})" == found[1]


def test_a_saved_value_that_no_request_can_say() -> None:
    """It is a failed check, not an error of ours."""
    checks = [
        HttpCheck("GET", "/", save={"bad": "/bad", "list": "/list"}),
        HttpCheck("GET", "/", send_headers={"X-A": "{bad}"}),
        HttpCheck("GET", "/"),
        HttpCheck("GET", "/{list}"),
    ]
    found = results(FakeRunner(lambda _: FakeResponse(body=b'{"bad": "a\\nb", "list": [1, 2]}')), "x", *checks, port=1)

    assert "FAIL GET /{list}: the saved value list is [1, 2], which is not text; save a part of it (" in found[3]
    assert "FAIL GET /: HttpCheck: send_headers: the value of X-A cannot be sent; use printable" in found[1]
    assert found[2].startswith("ok ")


NOTES = """
import gzip
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

notes = []

class Notes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        notes.append((self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(201)
        place = f"/notes/{len(notes)}?of=a%20b"
        self.send_header("Location", f"http://{self.headers['Host']}{place}#top" if self.path == "/url" else place)
        self.send_header("Set-Cookie", "theme=dark; Path=/")
        self.send_header("Set-Cookie", f"session=s-{len(notes)}; Path=/; HttpOnly")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        number = self.path.removeprefix("/notes/").removesuffix("?of=a%20b")
        allowed = number.isdecimal() and self.headers["Cookie"] == f"session=s-{number}"
        kind, body = notes[int(number) - 1] if allowed else ("text/plain", self.path.encode())
        body = gzip.compress(body)
        self.send_response(200 if allowed else 403)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer(("", 8080), Notes).serve_forever()
"""
"""A server that makes notes, tells in headers alone where they are, and shows them to those who made them."""


@pytest.mark.engine
@pytest.mark.parametrize("path", ["/path", "/url"])
def test_what_was_made_is_found_by_its_headers(runner: DockerSdk, path: str) -> None:
    """Location is the next path, be it a URL, and Set-Cookie the next Cookie; a type may have more to it."""
    save = {
        "made": Header("location"),
        "id": Header("Location", pattern=r"/notes/(\d+)"),
        "session": Header("Set-Cookie", pattern="session=[^;,]+"),
    }
    cookie, kind = {"Cookie": "{session}"}, {"Content-Type": re.compile(r"^application/json(;|$)")}
    checks = [
        HttpCheck("POST", path, status=201, send_json={"title": "milk"}, save=save),
        HttpCheck("GET", "{made}", json={"title": "milk"}, send_headers=cookie, headers=kind),
        HttpCheck("GET", "/notes/{id}", json={"title": "milk"}, send_headers=cookie),
        HttpCheck("GET", "{made}", status=403, headers=kind, body="^/notes/1[?]of=a%20b$"),
        HttpCheck("GET", "/{made}", status=403, body="^/(http%3A|%2Fnotes%2F1%3Fof%3Da%2520b$)"),
        HttpCheck("GET", "{made}&x={made}", status=403, body="^/notes/1[?]of=a%20b&x=(http%3A|%2Fnotes)"),
    ]
    found = results(runner, "python:3.13-slim", *checks, port=8080, command=["python3", "-c", NOTES])

    assert ["ok  ", "ok  ", "ok  ", "FAIL", "ok  ", "ok  "] == [line[:4] for line in found], found
    assert (
        ": expected the header Content-Type with a match of '^application/json(;|$)', got 'text/plain; charset=utf-8'; body"
        in found[3]
    )
    assert found[1].startswith("ok   GET /notes/1?of=a%20b 200 (")


@pytest.mark.engine
def test_bodies_that_are_no_json(runner: DockerSdk) -> None:
    """A form, an upload of a megabyte of any bytes, and nothing at all arrive as they were written."""
    session = {"session": Header("Set-Cookie", pattern="session=[^;,]+"), "made": Header("Location")}
    cookie = {"Cookie": "{session}"}
    checks: list[HttpCheck] = []
    for kind, body, arrived in (
        ("application/x-www-form-urlencoded", "title=milk&of={made}", "^title=milk&of={made}$"),
        ("application/octet-stream", bytes(range(256)) * 4096 + b"end", r"\x00\x01.*end$"),
        ("text/plain", "é", "^é$"),
        ("text/plain", b"", "^$"),
    ):
        headers = {"Content-Type": kind}
        checks.append(HttpCheck("POST", "/", status=201, send_body=body, send_headers=headers, save=session))
        checks.append(HttpCheck("GET", "{made}", body=f"(?s){arrived}", send_headers=cookie))
    found = results(runner, "python:3.13-slim", *checks, port=8080, command=["python3", "-c", NOTES])

    assert ["ok  "] * 8 == [line[:4] for line in found], found


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("/a?b=c", "/a?b=c"),
        ("/a{b}%7B", "/a{b}%7B"),
        ("HTTPS://u@[::1]:1/a/../b?c#d", "/a/../b?c"),
        ("//h.test/a//", "/a//"),
        ("http://h.test", "/"),
        ("http://h.test?a", "/?a"),
        ("/#a", "/"),
    ],
)
def test_paths_that_a_saved_value_begins(value: str, path: str) -> None:
    """It is taken as it is; of a URL, path and query are."""
    seen: list[str] = []

    def serve(request: FakeRequest) -> FakeResponse:
        seen.append(request.path)
        return FakeResponse(200, {"X-A": value})

    checks = [HttpCheck("GET", "/", save={"a": Header("x-a")}), HttpCheck("GET", "{a}"), HttpCheck("GET", "{a}x{a}")]
    results(FakeRunner(serve), "x", *checks, port=1)

    assert [path, f"{path}x{quote(value, safe='')}"] == seen[-2:]


def test_headers_that_cannot_be_saved_or_used() -> None:
    """It is a failed check that says why, and what needs them is not asked."""
    save = {"a": Header("X-A"), "b": Header("X-B"), "c": Header("X-A", pattern="^a(x)?"), "d": Header("x-a")}
    checks = [
        HttpCheck("GET", "/", save={**save, "n": "/n"}),
        HttpCheck("GET", "{b}"),
        HttpCheck("GET", "{a}"),
        HttpCheck("GET", "{n}"),
        HttpCheck("GET", "/", send_headers={"X-C": "{d}{n}"}),
    ]
    answer = FakeResponse(200, {"X-A": "a{n}"}, b'{"n": 7}')
    seen: list[str] = []

    def serve(request: FakeRequest) -> FakeResponse:
        seen.append(request.headers.get("x-c", ""))
        return answer

    found = results(FakeRunner(serve), "x", *checks, port=1)

    assert (
        "FAIL GET /: expected the header X-B to save it as b, got none; expected the header X-A with a match of "
        "'^a(x)?' to save it as c, got a{n}; body {"
    ) in found[0]
    assert "FAIL GET {b}: not asked, since no check before it saved b (" in found[1]
    words = "which is neither a path nor a URL; write a path before {a}, or save another one ("
    assert f'FAIL GET {{a}}: the saved value a is "a{{n}}", {words}' in found[2]
    assert "FAIL GET {n}: the saved value n is 7, which is neither a path" in found[3]
    # What came of a server is not a text to be filled in.
    assert found[4].startswith("ok ")
    assert "a{n}7" == seen[-1]


def test_unknown_names_are_refused_where_the_image_is_written() -> None:
    """A check may use what one before it saves, and nothing else."""
    stage = Dockerfile(Stage("scratch"))
    save, use = HttpCheck("POST", "/", save={"id": "/id"}), HttpCheck("GET", "/{id}")

    assert (save, use) == Image(stage, port=1, checks=[save, use]).checks
    for checks, words in (
        ([use, save], r"the check GET /\{id\} uses 'id', which no check before it saves; give one of them save="),
        ([save, HttpCheck("GET", "/", json=[{"a": Saved("ID")}])], "uses 'ID', which no check"),
    ):
        with pytest.raises(InvalidValue, match=words):
            Image(stage, port=1, checks=checks)
    with pytest.raises(InvalidValue, match="ready is asked before all checks"):
        Image(stage, port=1, ready=use)


# --- GracefulShutdown


@pytest.mark.engine
def test_the_go_program_ends_gracefully(go_api: str, runner: DockerSdk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The note that is being posted is made; a request that is over too soon proves nothing, and says so."""
    # However busy the machine, it is over by then.
    monkeypatch.setattr("dockdsl.checks.http_client._STARTED", 20)
    post = HttpCheck("POST", "/api/v1/notes", status=201, send_json={"title": "late"}, json={"title": "late"})
    found = results(
        runner,
        go_api,
        GracefulShutdown(post),
        GracefulShutdown(HttpCheck("GET", "/healthz")),
        port=8080,
        ready="/healthz",
    )

    assert found[0].startswith("ok   graceful shutdown during POST /api/v1/notes ended with exit code 0 (")
    assert "during GET /healthz: it was answered before the signal; send a body, or request what" in found[1]


@pytest.mark.engine
@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param("exec httpd -f -p 8080 -h /www", "and it still runs; handle the signal in the image's", id="deaf"),
        pytest.param(
            "trap 'killall httpd; exit 3' TERM; httpd -f -p 8080 -h /www & wait",
            "the request in flight: the connection is closed without an answer; expected exit code 0, got 3",
            id="abrupt",
        ),
    ],
)
def test_servers_that_end_otherwise(
    runner: DockerSdk, script: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that minds no signal, and one that drops what is in flight."""
    # However busy the machine, the signal has done its work before the request is finished.
    monkeypatch.setattr("dockdsl.checks.http_client._HELD", 2)
    reading = r"""printf '#!/bin/sh\ncat >/x; printf "Status: 200 OK\r\n\r\n"\n' >/www/cgi-bin/read; chmod +x /www/cgi-bin/*"""
    check = GracefulShutdown(HttpCheck("POST", "/cgi-bin/read", send_json="0123456789"), within=0.5)
    (found,) = results(runner, BUSYBOX, check, port=8080, command=["sh", "-c", f"{SERVER}{reading}\n{script}"])

    assert found.startswith("FAIL graceful shutdown during POST /cgi-bin/read: ")
    assert words in found


@pytest.mark.engine
def test_a_server_that_ends_with_the_code_of_its_signal(runner: DockerSdk) -> None:
    """As a JVM does when all is answered: a failure that says what to write, and right where it is written."""
    # It ends when the request is answered, and not before.
    cgi = r"""printf '#!/bin/sh\ncat >/x; printf "Status: 200 OK\r\n\r\n"; >/done\n' >/www/cgi-bin/read; chmod +x /www/cgi-bin/*"""
    trap = "trap 'until [ -e /done ]; do sleep 0.1; done; sleep 0.5; exit 143' TERM; httpd -f -p 8080 -h /www & wait"
    request = HttpCheck("POST", "/cgi-bin/read", send_json="0123456789")
    found = results(
        runner,
        BUSYBOX,
        GracefulShutdown(request),
        GracefulShutdown(request, exit_code=143),
        GracefulShutdown(request, exit_code={0, 143}),
        GracefulShutdown(request, exit_code=(0, 3)),
        port=8080,
        command=["sh", "-c", f"{SERVER}{cgi}\n{trap}"],
    )
    title = "graceful shutdown during POST /cgi-bin/read"

    assert (
        f"FAIL {title}: expected exit code 0, got 143; if that is how it ends regularly after SIGTERM, pass exit_code=143 ("
    ) in found[0]
    assert [f"ok   {title} ended with exit code 143"] * 2 == [each.partition(" (")[0] for each in found[1:3]]
    assert f"FAIL {title}: expected exit code 0 or 3, got 143 (" in found[3]


def test_a_graceful_shutdown_without_an_engine() -> None:
    """The fake runner's servers finish what is in flight."""
    runner = FakeRunner(lambda request: FakeResponse(body=request.body))
    check = GracefulShutdown(HttpCheck("POST", "/", send_json={"a": [1, 2]}, json={"a": [1, 2]}))

    assert only(results(runner, "x", check, port=1)).startswith("ok   graceful shutdown during POST / ended with exit")
    assert () == runner.running


# --- Hardened


@pytest.mark.engine
def test_a_hardened_server(go_api: str, runner: DockerSdk) -> None:
    """The Go program needs no rights."""
    found = results(runner, go_api, Hardened(), port=8080, ready="/healthz")

    assert ["ok   hardened user 65532:65532, read-only, no capabilities"] == found


@pytest.mark.engine
def test_images_that_need_rights(runner: DockerSdk) -> None:
    """Root is reported, and what could not be done; tmpfs and capabilities may be granted."""
    writing: dict[str, Any] = {"command": ["sh", "-c", "mkdir /x/y && chown 1 /x/y"]}
    found = [
        *results(runner, BUSYBOX, Hardened(), **writing),
        *results(runner, BUSYBOX, Hardened(tmpfs="/x", cap_add="CHOWN"), **writing),
        *results(runner, BUSYBOX, Hardened(timeout=0.5), command=["sleep", "60"]),
    ]

    assert "FAIL hardened: expected a user other than root, got none; add User(" in found[0]
    assert "; expected exit code 0, got 1 (" in found[0]
    assert "expected exit code" not in found[1]
    assert "; it did not end within 0.5 s (" in found[2]


@pytest.mark.engine
def test_a_tmpfs_has_its_options(runner: DockerSdk) -> None:
    """What follows the colon is how it is mounted, and no part of the path; one that the engine does not know is told."""
    script = "grep -q '^tmpfs /x tmpfs .*size=128k,mode=700' /proc/mounts && ! dd if=/dev/zero of=/x/y bs=1k count=129"
    found = [
        *results(runner, BUSYBOX, Hardened(tmpfs="/x:size=128k,mode=700"), command=["sh", "-c", script]),
        *results(runner, BUSYBOX, Hardened(tmpfs="/x:sise=128k"), command=["true"]),
    ]

    assert "expected exit code" not in found[0]
    assert 'invalid tmpfs option "sise"' in found[1]


@pytest.mark.parametrize(
    ("user", "is_root"),
    [("", True), ("0:1", True), ("00", True), ("root", True), ("toor", True), ("app", False), ("5", False)],
)
def test_who_is_root(user: str, is_root: bool) -> None:
    """Names are looked up in the image."""
    runner = FakeRunner(facts={"Config": {"User": user}}, files={"/etc/passwd": b"toor:x:0:0::/:\napp:x:7:7::/:\n"})

    assert is_root == ("other than root" in only(results(runner, "x", Hardened())))


# --- Healthy


def served(*steps: Instruction, base: str | Stage = BUSYBOX, **options: Any) -> Image:
    """Return an image that serves with busybox httpd."""
    server = Cmd.exec("httpd", "-f", "-p", "8080", "-h", "/www")
    return Image(Dockerfile(Stage(base, steps=[Run.script(SERVER), server, *steps])), port=8080, **options)


def judged(image: Image, **options: Any) -> list[str]:
    """Build and test an image; return the line of each check, whether it passes or not."""
    lines: list[str] = []
    with contextlib.suppress(CheckFailed):
        image.test(report=lambda result: lines.append(str(result)), **options)
    return lines


WGET = ("wget", "-q", "-O-", "http://127.0.0.1:8080/healthz")


@pytest.mark.engine
@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([Healthcheck.exec(*WGET)], id="exec form"),
        pytest.param([Env({"URL": WGET[-1]}), Healthcheck("wget -q -O- $URL")], id="shell form"),
        pytest.param([User("7:8"), Healthcheck('test "$(id -u):$(id -g)" = 7:8')], id="its user"),
        pytest.param([Healthcheck("mkdir /tmp/a && exit 1; test -d /tmp/a")], id="in the end"),
    ],
)
def test_an_image_that_is_healthy(runner: DockerSdk, steps: list[Instruction]) -> None:
    """Its own health check is asked without being listed, after the others, as the engine asks it."""
    found = judged(served(*steps, checks=HttpCheck("GET", "/healthz")), runner=runner)

    assert ["ok   GET /healthz 200", "ok   healthy"] == [found[0].partition(" (")[0], found[1][:12]]
    assert 2 == len(found)


@pytest.mark.engine
def test_a_health_check_is_run_as_the_engine_runs_it(runner: DockerSdk) -> None:
    """The engine's own run of it prints the same: of shell, variables, user and folder."""
    step = Healthcheck('echo "$0 $- $A $(id -u):$(id -g) $(pwd)"; exit 1', interval="1s", retries=1)
    image = served(Env({"A": "b"}), Shell(["sh", "-ec"]), User("7:8"), Workdir("/tmp"), step)
    with image.built(runner=runner) as built, built.start() as running:

        def told() -> list[str]:
            return [run["Output"] for run in inspect(running.id, "container")["State"]["Health"]["Log"]]

        wait_until(lambda: bool(told()), 60)
        said = told()[0].strip()
        with pytest.raises(CheckFailed) as caught:
            running.check(Healthy())

    assert "/bin/sh c b 7:8 /tmp" == said
    assert f"it printed {said!r}" in caught.value.message


@pytest.mark.engine
def test_an_image_that_is_unhealthy(runner: DockerSdk) -> None:
    """The test fails with code and output of the last run and what to do, at the line of the instruction."""
    step = Healthcheck("echo run >> /tmp/runs; wc -l < /tmp/runs; exit 3", interval="1s", retries=1)
    found = only(judged(served(step), runner=runner))
    words = re.fullmatch(
        r"FAIL healthy: expected exit code 0 of \"/bin/sh -c 'echo run .*; exit 3'\", got 3 after (\d+) runs in .* s; "
        r"it printed '(\d+)'; see why it fails, or give HEALTHCHECK a start_period if the server needs more time "
        rf"\({re.escape(str(step.origin))}\)",
        found,
    )

    assert words is not None, found
    # The engine runs it, too.
    assert int(words[2]) >= int(words[1])


@pytest.mark.engine
def test_a_health_check_that_hangs(runner: DockerSdk) -> None:
    """It is waited for no longer than its timeout; what it printed until then is told."""
    step = Healthcheck.exec("sh", "-c", "echo asking; sleep 600", timeout="3s", interval="1ms", retries=1)
    found = only(judged(served(step), runner=runner))

    assert (
        "expected \"sh -c 'echo asking; sleep 600'\" to end within its timeout of 3 s, but it was still running, after 1 run in "
    ) in found
    assert " s; it printed 'asking'; let it end sooner, or give HEALTHCHECK a longer timeout (" in found


@pytest.mark.engine
@pytest.mark.parametrize(
    ("step", "words"),
    [
        pytest.param(
            Healthcheck("/api healthcheck"),
            "cause: the stage has no /bin/sh: its base is scratch or a distroless image",
            id="no shell",
        ),
        pytest.param(
            Healthcheck.exec("curl"), "cause: the stage has no program curl; fix: install it in", id="nothing"
        ),
    ],
)
def test_a_health_check_that_cannot_run(go_api: str, runner: DockerSdk, step: Instruction, words: str) -> None:
    """Nobody waits for it, though the engine would run it again."""
    image = Image(Dockerfile(Stage(go_api, steps=[step])), port=8080, ready="/healthz")
    found = only(judged(image, runner=runner))

    assert "got 127 after 1 run in " in found
    assert words in found


@pytest.mark.engine
def test_the_health_check_of_a_base_image(go_api: str, runner: DockerSdk) -> None:
    """What a base image on scratch declares counts; NONE takes it away."""
    own: dict[str, Any] = {"port": 8080, "ready": "/healthz"}
    image = Image(Dockerfile(Stage(go_api)), **own)
    without = Image(Dockerfile(Stage(go_api, steps=[Healthcheck.none()])), **own)

    assert only(judged(image, runner=runner)).startswith("ok   healthy /api healthcheck (")
    assert [] == judged(without, runner=runner)


@pytest.mark.engine
def test_a_health_check_of_a_container_that_ended(runner: DockerSdk) -> None:
    """A check before it ended the server: its end is told, and no refusal of the engine."""
    found = judged(
        served(
            Run.script(
                "printf '#!/bin/sh\\nkill -9 1; killall httpd\\n' > /www/cgi-bin/die; chmod +x /www/cgi-bin/die"
            ),
            Cmd("httpd -p 8080 -h /www; while pidof httpd; do sleep 0.1; done; exit 3"),
            Healthcheck.exec(*WGET),
            checks=HttpCheck("GET", "/cgi-bin/die"),
        ),
        runner=runner,
    )

    assert "the container exited with code 3" in found[1]
    assert "engine refused" not in found[1]


HEALTH = {"Config": {"Healthcheck": {"Test": ["CMD", "probe", "a b"]}}}


def test_a_health_check_is_asked_for_or_left_out() -> None:
    """Listed, it stands where it is written, once, and needs a HEALTHCHECK; `healthcheck` and `checks` leave it out."""

    def found(facts: Any = HEALTH, **options: Any) -> list[str]:
        runner = FakeRunner(lambda _: FakeResponse(), facts=facts)
        options = {"port": 1, "checks": HttpCheck("GET", "/"), **options}
        lines = judged(Image(Dockerfile(Stage("scratch")), **options), builder=FakeBuilder(), runner=runner)
        return [line.partition(" (")[0] for line in lines]

    listed = [Healthy(), HttpCheck("GET", "/")]

    assert ["ok   GET / 200", "ok   healthy probe 'a b'"] == found()
    assert ["ok   healthy probe 'a b'", "ok   GET / 200"] == found(checks=listed)
    assert ["ok   GET / 200"] == found(healthcheck=False)
    assert ["ok   GET / 200"] == found({})
    assert ["ok   GET / 200"] == found({"Config": {"Healthcheck": {"Test": ["NONE"]}}})
    assert (
        "FAIL healthy: expected a HEALTHCHECK, got none; add Healthcheck.exec(…) to the stage"
        == found({}, checks=listed)[0]
    )
    image = Image(Dockerfile(Stage("scratch")), port=1)
    assert [] == judged(
        image, builder=FakeBuilder(), runner=FakeRunner(lambda _: FakeResponse(), facts=HEALTH), checks=[]
    )


def test_where_a_health_check_is_written() -> None:
    """It is the last instruction of the stage that is tested and of those below it, else the image."""
    step = Healthcheck("x")
    below = Stage("scratch", name="below", steps=[Healthcheck("y"), step])
    runner = FakeRunner(lambda _: FakeResponse(), facts=HEALTH, execute=lambda _: FakeCommand(126))
    for dockerfile, origin in ((Dockerfile([below, Stage(below)]), step.origin), (Dockerfile(Stage("x")), None)):
        image = Image(dockerfile, port=1)
        found = only(judged(image, builder=FakeBuilder(), runner=runner))
        assert found.endswith(f" ({origin or image.origin})")


def test_the_end_of_what_a_health_check_printed() -> None:
    """Of much, the end is shown; a secret that is cut there is none the less hidden; what is known of it is told."""
    secret = "hunter2" * 30
    remember([secret])
    printed = f"{'x' * 300} {secret}\nconnection refused\n".encode()
    runner = FakeRunner(lambda _: FakeResponse(), facts=HEALTH, execute=lambda _: FakeCommand(126, printed))
    image = Image(Dockerfile(Stage("scratch")), port=1)
    found = only(judged(image, builder=FakeBuilder(), runner=runner))

    assert "; it printed '…xxx" in found
    assert "***\\nconnection refused'; cause: most likely nothing listens at the address that is asked; fix: " in found
    assert "hunter2" not in found


class Clock:
    """A clock that stands still but for what is slept."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        pytest.param({}, "30.0", id="the engine's own times are longer than the timeout of the image"),
        pytest.param({"Interval": 2e9, "Retries": 4}, "8.0", id="its intervals"),
        pytest.param({"StartPeriod": 60e9, "Interval": 1e9, "Retries": 1}, "61.0", id="its start period besides"),
        pytest.param({"StartPeriod": 3600e9}, "630.0", id="ten minutes of it at most"),
        pytest.param({"Interval": 1e6, "Retries": 1}, "0.0", id="very short"),
    ],
)
def test_how_long_an_image_may_take_to_be_healthy(
    times: dict[str, float], seconds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the engine waits before it says unhealthy, within the bounds of the image's timeout."""
    clock = Clock()
    monkeypatch.setattr("dockdsl.checks.healthy.time", clock)
    monkeypatch.setattr("dockdsl.checks.waiting.time", clock)
    runner = FakeRunner(
        lambda _: FakeResponse(),
        facts={"Config": {"Healthcheck": {"Test": ["CMD-SHELL", "x"], **times}}},
        execute=lambda _: FakeCommand(1),
    )
    found = only(judged(Image(Dockerfile(Stage("scratch")), port=1), builder=FakeBuilder(), runner=runner))

    assert re.search(
        rf"expected exit code 0 of '/bin/sh -c x', got 1 after \d+ runs? in {seconds} s; it printed nothing; see", found
    )


# --- a kind of a project's own


class Layers(Check):
    """Expects one layer."""

    title = "layers"

    def examine(self, subject: Subject) -> CheckResult:
        """Count them."""
        found = len(subject.facts["RootFS"]["Layers"])
        wrong = [] if found == 1 else [f"expected one, got {found}"]
        return CheckResult(title=self.title, detail=str(found), mismatches=wrong, origin=self.origin)


@pytest.mark.engine
def test_a_check_of_a_projects_own(runner: DockerSdk) -> None:
    """It is a class under Check, stands in an Image, and looks at what ours look at."""
    check = Layers()

    assert (check,) == Image(Dockerfile(Stage("scratch")), checks=check).checks
    assert ["ok   layers 1"] == results(runner, BUSYBOX, check)
    assert __file__ == check.origin.path


class Unlucky(Check):
    """Returns or raises what a mistake in it would."""

    title = "unlucky"

    def __init__(self, mistake: Any) -> None:
        super().__init__()
        object.__setattr__(self, "mistake", mistake)

    def examine(self, subject: Subject) -> CheckResult:
        """Make the mistake."""
        return vars(self)["mistake"]()  # type: ignore[no-any-return]  # nor is it always a result


class Executing(Check):
    """Runs a command in the server."""

    title = "executing"
    needs_server = True

    def __init__(self, command: Any, timeout: Any) -> None:
        super().__init__()
        self.__dict__.update(command=command, timeout=timeout)

    def examine(self, subject: Subject) -> CheckResult:
        """Run it."""
        return self.result([str(subject.execute(vars(self)["command"], timeout=vars(self)["timeout"]).exit_code)])


@pytest.mark.parametrize(
    ("command", "timeout", "message"),
    [
        ("ls", 1, "execute: command: 'ls' is a str; pass a list of arguments"),
        ([], 1, "execute: command: no program is given; name one"),
        ([1], 1, "execute: command: 1 is an int; pass a str"),
        (["ls"], 0, "execute: timeout: 0 is out of range; pass seconds above 0, at most 604800 (a week)"),
        (["ls"], "1", "execute: timeout: '1' is a str; pass a number of seconds"),
    ],
)
def test_a_command_that_is_none(command: Any, timeout: Any, message: str) -> None:
    """What a check of a project's own runs in the server is checked before."""
    with pytest.raises((InvalidType, InvalidValue)) as caught:
        results(FakeRunner(lambda _: FakeResponse()), "x", Executing(command, timeout), port=1)

    assert message == caught.value.message


class Mute(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise ValueError


def test_a_mistake_in_a_check_of_a_projects_own() -> None:
    """It is a failure of that check, with its place in the project's file; the other checks run."""
    lines = results(
        FakeRunner(),
        "x",
        Unlucky(lambda: 1 / 0),
        Unlucky(lambda: None),
        Unlucky(lambda: (_ for _ in ()).throw(Mute)),
        Unlucky(lambda: json.loads("{")),
        Unlucky(lambda: sys.exit(0)),
        MetadataCheck(user=""),
    )

    assert ["FAIL", "FAIL", "FAIL", "FAIL", "FAIL", "ok  "] == [line[:4] for line in lines]
    assert re.search(r"examine raised ZeroDivisionError at \S*test_checks.py:\d+: division by zero", lines[0])
    assert "examine returned a NoneType; return self.result(…)" in lines[1]
    assert re.search(r"examine raised Mute at \S*test_checks.py:\d+ \(", lines[2])
    assert re.search(r"examine raised JSONDecodeError at \S*test_checks.py:\d+: Expecting", lines[3])
    assert re.search(r"examine raised SystemExit at \S*test_checks.py:\d+: 0", lines[4])


def test_an_error_of_dockdsl_is_not_hidden_by_a_check() -> None:
    """What is no mistake of the check's is raised as it is."""

    def refuse() -> None:
        raise InvalidValue("x: it is wrong; leave it out")

    with pytest.raises(InvalidValue, match="it is wrong"):
        results(FakeRunner(), "x", Unlucky(refuse))


# --- the order of things


def test_all_checks_run_where_the_server_does_not() -> None:
    """Those that need no server are run and reported before the error is raised."""
    reported: list[CheckResult] = []
    checks = [HttpCheck("GET", "/"), SizeBudget("1MB"), CommandCheck(["x"], exit_code=1)]
    with pytest.raises(RuntimeError, match="exited with code 3"):
        smoke(
            FakeRunner(exit_code=3),
            RunRequest(image="x", ports=[1]),
            checks,
            report=reported.append,
            build=BuildResult(image="x", size=5),
        )

    assert ["size", "run x"] == [result.title for result in reported]
    assert [True, False] == [result.ok for result in reported]


def test_an_image_that_is_no_server() -> None:
    """It has checks and no port; a check that asks for one is refused where the image is written."""
    image = Image(Dockerfile(Stage("scratch")), checks=[CommandCheck(["x"], stdout="^1$"), SizeBudget("2MB")])
    report = image.test(FakeBuilder(), FakeRunner(command=lambda _: FakeCommand(0, b"1\n")))

    assert report.ok
    assert "2 of 2 checks passed; " in report.summary()
    with pytest.raises(InvalidValue, match=r"its check start-up needs a server, but no port is given; pass port="):
        Image(Dockerfile(Stage("scratch")), checks=[StartupBudget(1)])


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        pytest.param(lambda: CommandCheck("ls -l"), InvalidType, "CommandCheck: argv: 'ls -l' is a str", id="argv"),
        pytest.param(
            lambda: CommandCheck([]), InvalidValue, "CommandCheck: argv: no program is given; name one", id="none"
        ),
        pytest.param(lambda: CommandCheck(["a\0"]), InvalidValue, "has a NUL character", id="NUL"),
        pytest.param(lambda: CommandCheck(["a"], exit_code=256), InvalidValue, "from 0 to 255", id="exit code"),
        pytest.param(
            lambda: CommandCheck(["a"], stdout="("), InvalidValue, "is not a regular expression", id="pattern"
        ),
        pytest.param(
            lambda: CommandCheck(["a"], timeout=0), InvalidValue, "timeout: 0 is out of range; pass seconds", id="time"
        ),
        pytest.param(
            lambda: Healthy(required=cast(Any, None)),
            InvalidType,
            "Healthy: required: None is a NoneType; pass",
            id="bool",
        ),
        pytest.param(lambda: SizeBudget("10 mb"), InvalidValue, "size: '10 mb' is not a size; write it as", id="unit"),
        pytest.param(
            lambda: SizeBudget(-1), InvalidValue, "size: -1 is out of range; pass a number from 0", id="negative"
        ),
        pytest.param(lambda: SizeBudget(cast(Any, 1.5)), InvalidType, "size: 1.5 is a float", id="float"),
        pytest.param(lambda: FileCheck("api"), InvalidValue, "write it from the root on, with a slash", id="path"),
        pytest.param(
            lambda: FileCheck("/a", mode="rwx"),
            InvalidValue,
            "mode: 'rwx' is not a mode; write octal digits",
            id="mode",
        ),
        pytest.param(
            lambda: FileCheck("/a", mode=0o10000),
            InvalidValue,
            "mode: 4096 is out of range; pass a number",
            id="high mode",
        ),
        pytest.param(lambda: FileCheck("/a", mode=755), InvalidValue, "mode: 755 is 0o1363 in octal; write", id="slip"),
        pytest.param(lambda: FileCheck("/a", owner="a:b:c"), InvalidValue, 'write "user", "user:group"', id="owner"),
        pytest.param(
            lambda: FileCheck("/a", kind=cast(Any, "dir")), InvalidValue, "kind: 'dir' is not one of file", id="kind"
        ),
        pytest.param(lambda: FileCheck("/a", content="["), InvalidValue, "is not a regular expression", id="content"),
        pytest.param(lambda: FileCheck("/a", exists=False, mode=0), InvalidValue, "/a must not exist", id="absent"),
        pytest.param(lambda: FileCheck("/a", static=cast(Any, "y")), InvalidType, "pass True or False", id="flag"),
        pytest.param(
            lambda: CommandCheck(["a"], entrypoint=cast(Any, "/b")),
            InvalidType,
            "entrypoint: '/b' is a str",
            id="own",
        ),
        pytest.param(lambda: FileCheck("/a", executable_by=cast(Any, ["any"])), InvalidValue, "executable_by", id="by"),
        pytest.param(
            lambda: FileCheck("/a", executable_by=cast(Any, "me")), InvalidValue, "'me' is not one of owner,", id="who"
        ),
        pytest.param(MetadataCheck, InvalidValue, "it expects nothing; pass at least", id="no metadata"),
        pytest.param(
            lambda: MetadataCheck(ports="http"), InvalidValue, "'http' is not a port; write 8080 or", id="port"
        ),
        pytest.param(
            lambda: MetadataCheck(env=cast(Any, {"A": 1})), InvalidType, "the value of 'A' is an int", id="env"
        ),
        pytest.param(
            lambda: MetadataCheck(env={"A": "\ud800"}), InvalidValue, "the value of 'A': a lone surrogate", id="half"
        ),
        pytest.param(lambda: MetadataCheck(cmd="a b"), InvalidType, "cmd: 'a b' is a str; pass a list", id="cmd"),
        pytest.param(lambda: HttpCheck("GET", "/", save={"a-b": "/x"}), InvalidValue, "'a-b' is not a name", id="name"),
        pytest.param(
            lambda: HttpCheck("GET", "/", save={"a": "x"}), InvalidValue, "is not a JSON pointer", id="pointer"
        ),
        pytest.param(
            lambda: HttpCheck("GET", "/", save={"a": cast(Any, 1)}), InvalidType, "of a: 1 is an int", id="source"
        ),
        pytest.param(
            lambda: HttpCheck("GET", "{a} b"), InvalidValue, "path: '{a} b' cannot be sent in a request", id="path"
        ),
        pytest.param(
            lambda: HttpCheck("GET", "{1}"),
            InvalidValue,
            "does not start with a slash; start it with one",
            id="no leading name",
        ),
        pytest.param(
            lambda: Header("a b"), InvalidValue, "Header: name: 'a b' is not the name of a header", id="header"
        ),
        pytest.param(lambda: Header(cast(Any, 1)), InvalidType, "Header: name: 1 is an int", id="header type"),
        pytest.param(
            lambda: Header("a", pattern="("), InvalidValue, "is not a regular expression", id="header pattern"
        ),
        pytest.param(lambda: Saved("a b"), InvalidValue, "Saved: name: 'a b' is not a name", id="saved"),
        pytest.param(
            lambda: Hardened(tmpfs="x:size=1m"),
            InvalidValue,
            "tmpfs: 'x:size=1m' is not an absolute path; write the",
            id="tmpfs",
        ),
        pytest.param(lambda: GracefulShutdown(cast(Any, "/")), InvalidType, "pass an HttpCheck", id="request"),
        pytest.param(
            lambda: GracefulShutdown(HttpCheck("GET", "/"), exit_code=256),
            InvalidValue,
            "GracefulShutdown: exit_code: 256 is out of range; pass a number from 0 to 255",
            id="exit code",
        ),
        pytest.param(
            lambda: GracefulShutdown(HttpCheck("GET", "/"), exit_code=[0, cast(Any, "143")]),
            InvalidType,
            "exit_code: '143' is a str; pass an int",
            id="exit code of text",
        ),
        pytest.param(
            lambda: GracefulShutdown(HttpCheck("GET", "/"), exit_code=[]),
            InvalidValue,
            "exit_code: no code is given; name one",
            id="no exit code",
        ),
        pytest.param(lambda: GracefulShutdown(HttpCheck("GET", "/{a}")), InvalidValue, "a fresh one", id="fresh"),
        pytest.param(lambda: StartupBudget(cast(Any, "1s")), InvalidType, "seconds: '1s' is a str", id="seconds"),
    ],
)
def test_what_checks_refuse(make: Any, kind: type[Exception], words: str) -> None:
    """Construct, fact and remedy are in the message."""
    with pytest.raises(kind) as caught:
        make()
    assert words in str(caught.value)


def test_entrypoint_alone_may_have_no_arguments() -> None:
    """It is the image as it stands."""
    assert "run entrypoint" == CommandCheck([], entrypoint=True).title


def test_titles_do_not_steer_the_terminal() -> None:
    """A command with control characters is shown without them."""
    result = CheckResult(title=CommandCheck(["\x1b[2J"]).title)
    assert "\x1b" not in str(result)


def test_the_command_line_takes_an_image_without_a_server(tmp_path: Path) -> None:
    """`dockdsl test` refuses one that has nothing to test, with the place."""
    file = tmp_path / "x.py"
    file.write_text('from dockdsl import *\nimage = Image(Dockerfile(Stage("scratch")))\n')
    done = subprocess.run(
        [sys.executable, "-m", "dockdsl", "test", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 2 == done.returncode
    assert f"{file}:2: error: Image: there is nothing to test; pass port=" in done.stderr
