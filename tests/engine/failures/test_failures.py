"""What goes wrong, on a real engine: each failure names the Python line, the cause and the fix."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import pytest

import dockdsl
from dockdsl import CommandCheck, Copy, Dockerfile, Image, Run, Secret, Stage, external
from dockdsl.engine.failures.causes import CAUSES, explain
from dockdsl.engine.runners.docker_sdk import DockerSdk
from dockdsl.errors import BuildFailed, CheckFailed, RunFailed
from dockdsl.selection import load
from tests.engine.helpers import BUSYBOX

GO = "golang:1.27-alpine"
MARK = "# here"


class Refusing(BaseHTTPRequestHandler):
    """A server that has and takes nothing: registries are asked under /v2/, and the name says how they are to answer."""

    default_request_version = "HTTP/1.0"  # so that who speaks TLS to it hears in HTTP that it has none

    def do_GET(self) -> None:
        """Answer by the name that is asked for."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = self.path.split("/")[2] if self.path.startswith("/v2/") else ""
        status = {"login": 401, "denied": 403, "busy": 429, "broken": 500}.get(name, 404)
        code = {401: "UNAUTHORIZED", 403: "DENIED", 429: "TOOMANYREQUESTS", 404: "NAME_UNKNOWN"}.get(status, "UNKNOWN")
        body = b"{}" if self.path == "/v2/" else f'{{"errors": [{{"code": "{code}", "message": "no"}}]}}'.encode()
        self.send_response(200 if self.path == "/v2/" else status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_GET  # noqa: N815 - http.server looks for these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@contextmanager
def serving(certificate: Path | None = None, address: str = "127.0.0.1") -> Iterator[str]:
    """Serve on an address of this machine; yields host and port."""
    server = ThreadingHTTPServer((address, 0), Refusing)
    if certificate is not None:
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trust.load_cert_chain(certificate)
        server.socket = trust.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{address}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Two servers that have nothing; the second one's certificate is signed by nobody who is known."""
    pem = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", pem, "-out", pem.with_suffix(".crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    pem.write_text(pem.read_text() + pem.with_suffix(".crt").read_text())
    with serving() as plain, serving(pem) as tls:
        yield {"http": plain, "https": tls}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A context with one file for each thing that can be wrong with a file."""
    folder = tmp_path_factory.mktemp("context")
    files = {
        "page": "hello\n",
        "hidden": "x\n",
        ".dockerignore": "hidden\n",
        "no-x.sh": "#!/bin/sh\necho hi\n",
        "crlf.sh": "#!/bin/sh\r\necho hi\r\n",
        "go.mod": "module example.com/x\n\ngo 1.99\n",
        "old/go.mod": "module example.com/x\n\ngo 1.21\n\nrequire example.com/y v1.0.0\n",
        "old/main.go": 'package main\n\nimport _ "example.com/y"\n\nfunc main() {}\n',
        "plain/go.mod": "module example.com/x\n\ngo 1.21\n",
        "plain/main.go": "package main\n\nfunc main() {}\n",
        "plain/.git": "gitdir: nowhere\n",
    }
    for name, text in files.items():
        folder.joinpath(name).parent.mkdir(exist_ok=True)
        folder.joinpath(name).write_bytes(text.encode())
    folder.joinpath("crlf.sh").chmod(0o755)
    # The head of a program for 64-bit ARM; the kernel reads no further.
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00\x01" + bytes(43)
    folder.joinpath("arm").write_bytes(head)
    shutil.copy("/bin/true", folder / "dynamic")
    for name in ("arm", "dynamic"):
        folder.joinpath(name).chmod(0o755)
    return folder


def row(name: str, steps: str, cause: str, **options: Any) -> Any:
    """Return a row: steps of a stage on busybox, one of them on a marked line, and words of the cause."""
    return pytest.param(steps, cause, options, id=name)


FAILURES = [
    # --- commands
    row("command fails", 'Run("echo no; exit 3"),', "", remedy="exit code: 3; fix the command"),
    row("no such command", 'Run("nosuch --x"),', "the shell does not find a program"),
    row("no such program", 'Run.exec("/nosuch"),', "the stage has no program /nosuch"),
    row("no such shell", 'Shell(["/bin/bash", "-c"]),\nRun("true"), # here', "the stage has no /bin/bash"),
    row("no shell on scratch", 'Run("true"),', "the stage has no /bin/sh: its base is scratch", base="scratch"),
    row("no x bit", 'Copy("no-x.sh", "/"),\nRun("/no-x.sh"), # here', "may not be run: its x bit is missing"),
    row("no x bit, exec", 'Copy("no-x.sh", "/"),\nRun.exec("/no-x.sh"), # here', "/no-x.sh may not be run"),
    row("other processor", 'Copy("arm", "/"),\nRun.exec("/arm"), # here', "another kind of processor"),
    row("dynamic on scratch", 'Copy("dynamic", "/"),\nRun.exec("/dynamic"), # here', "the loader of a dynamic program", base="scratch"),
    row("CRLF script", 'Copy("crlf.sh", "/"),\nRun.exec("/crlf.sh"), # here', "a script with CRLF line ends"),
    row("killed", 'Run("(sh -c \'kill -9 $$\'); exit $?"),', "most often because the memory ran out"),
    row("crashed", 'Run("(sh -c \'kill -SEGV $$\'); exit $?"),', "segmentation fault"),
    row("unset variable", 'Run("set -u; echo $VERSION"),', "the variable VERSION, which is not set in this stage"),
    row("not root", 'User("1000"),\nRun("echo x > /etc/x"), # here', "the user that it runs as may not do that"),
    row("no such user", 'User("nosuch"),\nRun("true"), # here', "does not know the user or group (nosuch)"),
    row("disk full", 'Run("dd if=/dev/zero of=/t/x bs=1M count=9", mounts=[Tmpfs("/t", size="1m")]),', "a disk is full"),
    row("read-only mount", 'Run("touch /src/x", mounts=[Bind("/src")]),', "what is written to is read-only"),
    row("unset, without words", 'Arg("X"),\nEnv({"Y": "${X:?give it}"}), # here', "a variable that the instruction needs has no value (X: give it)"),
    # --- the network
    row("no such name", 'Run("wget http://nosuch.invalid/x"),', "a name is not found in the network (nosuch.invalid"),
    row("no network", 'Run("wget http://192.0.2.1/x", network="none"),', "the network is not reachable"),
    row("nothing listens", 'Run("wget http://127.0.0.1:1/x"),', "nothing listens at the address"),
    row("page not found", 'Run("wget http://{http}/x", network="host"),', "the server answers 404"),
    row("host network", 'Run("true", network="host"),', "the host's network", allow=()),
    row("certificate", 'Run("GOPROXY=https://{https} GONOSUMDB=* GOFLAGS=-mod=mod go install example.com/y@v1.0.0", network="host"),', "signed by nobody who is trusted here", base=GO),
    # --- files
    row("no such file", 'Copy("nothere", "/x"),', '"/nothere" is not there to be copied'),
    row("ignored file", 'Copy("hidden", "/x"),', ".dockerignore leaves"),
    row("no such file in a stage", 'Copy("/nothere", "/x", from_=Stage("busybox:1.37", name="other")),', "/nothere"),
    row("no such mount", 'Run("true", mounts=[Bind("/x", source="nothere")]),', '"/nothere" is not there to be mounted'),
    row("ignored mount", 'Run("true", mounts=[Bind("/x", source="hidden")]),', ".dockerignore leaves"),
    row("no such mount in a stage", 'Run("true", mounts=[Bind("/x", source="page", from_=Stage("busybox:1.37", name="other"))]),', '"/page" is not there to be mounted'),
    row("folder over a file", 'Run("mkdir /a; touch /a/b"),\nCopy("old", "/a/b/"), # here', ""),
    row("workdir on a file", 'Copy("page", "/page"),\nWorkdir("/page/x"), # here', "a part of the path is a file"),
    row("download", 'Add("http://{http}/x", "/x"),', "the server answers 404"),
    row("checksum", 'Add("http://{http}/v2/", "/x", checksum="sha256:' + "0" * 64 + '"),', "is not what checksum= names"),
    row("download, certificate", 'Add("https://{https}/x", "/x"),', "signed by nobody who is trusted here"),
    # --- secrets and SSH
    row("no secret", 'Run("true", mounts=[Secret("token", required=True)]),', "was not given the secret token"),
    row("no secret file", 'Run("cat /run/secrets/token", mounts=[Secret("token")]),', "the secret that is read is not there (/run/secrets/token)"),
    row("no agent", 'Run("true", mounts=[Ssh(required=True)]),', "the step wants an SSH agent"),
    # --- Go
    row("Go too old", 'Copy("go.mod", "./"),\nRun("go build ./..."), # here', "the Go of this stage is 1.27", base=GO),
    row("no commit", 'Copy("plain", "./"),\nRun("printf \'#!/bin/sh\\\\nexit 128\\\\n\' > /bin/git; chmod +x /bin/git; rm .git; mkdir .git"),\nRun("go build -o /x ."), # here', "git does not answer in the build", base=GO),
    row("no go.mod", 'Run("mkdir /e; cd /e; go build ."),', "there is no go.mod", base=GO),
    row("no go.sum", 'Copy("old", "./"),\nRun("go build ."), # here', "go.sum in the context does not have the sum", base=GO),
    # --- images
    row("image not found", 'Copy("/x", "/x", from_="{http}/nosuch:1"),', "its registry does not have it"),
    row("image denied", 'Copy("/x", "/x", from_="{http}/denied:1"),', "its registry denies it"),
    row("too many pulls", 'Copy("/x", "/x", from_="{http}/busy:1"),', "limits how much it gives to this address"),
    row("no registry", 'Copy("/x", "/x", from_="127.0.0.1:1/nosuch:1"),', "its registry cannot be reached"),
    row("no registry of a mount", 'Run("true", mounts=[Bind("/y", from_="busybox:1.37")]),\nRun("true", mounts=[Bind("/x", from_="127.0.0.1:1/nosuch")]), # here', "its registry cannot be reached"),
    row("no image of a mount", 'Run("true", mounts=[Bind("/x", from_="{http}/nosuch:1")]),', "its registry does not have it"),
    row("base without a value", "", "", text='stage = Stage("$BASE", steps=[Run("true")])  # here\nimage = Image(Dockerfile(stage, args=[Arg("BASE")]), context={context!r})\n'),
]  # fmt: skip


def written(
    folder: Path, context: Path, steps: str, options: dict[str, Any], places: dict[str, str]
) -> tuple[Path, int]:
    """Write a Python file with an Image; return it, and the number of the line at fault."""
    for name, place in places.items():
        steps = steps.replace(f"{{{name}}}", place)
    if MARK not in steps:
        steps += f" {MARK}"
    text = options.get("text")
    if text is None:
        body = "\n".join(f"        {line}" for line in steps.splitlines())
        base = options.get("base", BUSYBOX)
        text = f"stage = Stage(\n    {base!r},\n    steps=[\n{body}\n    ],\n)\nimage = Image(Dockerfile(stage), context={str(context)!r})\n"
    else:
        text = text.format(context=str(context))
    file = folder / "broken.py"
    file.write_text(f"from dockdsl import *\n\n{text}")
    return file, next(number for number, line in enumerate(file.read_text().splitlines(), 1) if MARK in line)


NOISE = "echo 'probe: connection refused, retrying'"
PASSES = "for each in 1 2 3 4 5 6 7 8 9; do echo PASS $each; done"


@pytest.mark.engine
@pytest.mark.parametrize(
    ("command", "cause"),
    [
        (f"{NOISE}; {PASSES}; echo 'FAIL: TestAdd: 2+2 = 5'; exit 1", None),
        (f"{NOISE}; exit 1", "most likely nothing listens at the address that is asked"),
        (f"echo '{{go}}'; {NOISE}; exit 1", "most likely nothing listens at the address that is asked"),
        (f"{NOISE}; echo '{{go}}'; exit 1", "the Go of this stage is 1.20, and go.mod asks for 1.99 or newer"),
        (f"echo '{{go}}'; {PASSES}; exit 1", "the Go of this stage is 1.20, and go.mod asks for 1.99 or newer"),
        (f"echo '{{go}}'; {PASSES}; {PASSES}; {PASSES}; exit 1", None),
        ("""echo 'x_test.go:9: got "exec format error"'; exit 1""", None),
        ("echo 'disk_test.go:9: want no space left on device'; exit 1", None),
        ("echo '--- FAIL: TestDial (0.01s)'; echo '    dial.go:7: dial: connection refused'; exit 1", None),
        (f"{NOISE}; {PASSES}; nosuch", "the shell does not find a program that the command names"),
    ],
    ids=[
        "long ago",
        "likely",
        "last of two",
        "before",
        "seldom meant else",
        "not shown",
        "quoted",
        "compared",
        "in a test",
        "exit code",
    ],
)
def test_what_else_was_printed(command: str, cause: str | None, tmp_path: Path) -> None:
    """What was said last counts; words after which a program continues count near the end, and as likely."""
    command = command.replace("{go}", "go: go.mod requires go >= 1.99 (running go 1.20)")
    with pytest.raises(BuildFailed) as caught:
        Image(Dockerfile(Stage(BUSYBOX, name="s", steps=[Run(command)])), context=str(tmp_path)).build()

    assert cause == caught.value.cause


SERVER = 'Cmd.exec("sh", "-c", {command!r})'
DEATHS = [
    row("dynamic on scratch", 'Copy("dynamic", "/api"), Entrypoint.exec("/api")', "the loader of a dynamic program", base="scratch", at="Entrypoint"),
    row("other processor", 'Copy("arm", "/api"), Entrypoint.exec("/api")', "another kind of processor", at="Entrypoint"),
    row("no shell on scratch", 'Copy("arm", "/api"), Cmd("/api")', "the stage has no /bin/sh", base="scratch", at="Cmd"),
    row("CRLF script", 'Copy("crlf.sh", "/api"), Entrypoint.exec("/api")', "a script with CRLF line ends", at="Entrypoint"),
    row("no x bit", 'Copy("no-x.sh", "/api"), Entrypoint.exec("/api")', "/api may not be run: its x bit is missing", at="Entrypoint"),
    row("no such program", 'Entrypoint.exec("/api")', "the stage has no program /api", at="Entrypoint"),
    row("a folder", 'Entrypoint.exec("/etc")', "/etc is a folder, not a program", at="Entrypoint"),
    row("no such user", 'User("nosuch"), Cmd.exec("true")', "does not know the user or group (nosuch)", at="User"),
    row("no such command", SERVER.format(command="sleep 0.5; nosuch"), "the shell does not find a program", at="Cmd"),
    row("certificate", SERVER.format(command="echo tls: x509: certificate signed by unknown authority; exit 1"), "most likely the certificate"),
    row("nobody listens", SERVER.format(command="wget http://127.0.0.1:1/"), "most likely nothing listens at the address"),
    row("no rights", 'User("65534"), ' + SERVER.format(command="echo x > /etc/x"), "the user that it runs as may not do that"),
    row("killed", SERVER.format(command="(kill -9 $$); sleep 1; exit 137"), "killed from outside"),
    row("in the background", SERVER.format(command="httpd -p 8080"), "its first process ended"),
    row("no folder", 'Workdir("/x"), Run("rmdir /x; touch /x"), Cmd.exec("true")', "a part of the path is a file", at="Workdir"),
    row("unknown", SERVER.format(command="echo no config; exit 3"), "", remedy="exited with code 3"),
    row("silent", 'Cmd.exec("false")', "", remedy="exited with code 1"),
]  # fmt: skip


@pytest.mark.engine
@pytest.mark.parametrize(("steps", "cause", "options"), DEATHS)
def test_a_death(steps: str, cause: str, options: dict[str, Any], tmp_path: Path, folder: Path, tag: str) -> None:
    """A container that does not start or ends names tag and line, of the image or of what it runs, why and what to do."""
    file = tmp_path / "dying.py"
    steps = steps.replace("), ", "),\n")
    file.write_text(
        "from dockdsl import *\n"
        f"stage = Stage({options.get('base', BUSYBOX)!r}, steps=[\n{steps}])\n"
        f"image = Image(Dockerfile(stage), context={str(folder)!r}, tags={tag!r}, port=8080)\n"
    )
    with pytest.raises(RunFailed) as caught:
        load(str(file), Image).test()
    error = caught.value

    assert error.origin is not None
    assert str(file) == error.origin.path
    assert options.get("at", "image = Image(") in file.read_text().splitlines()[error.origin.line - 1]
    head = error.message.partition("\n")[0]
    assert head.startswith((f"run {tag}: ", f"test {tag}: "))
    assert options.get("remedy", "") in head
    if cause:
        assert cause in (error.cause or ""), error.message
        assert error.message.endswith(f"\ncause: {error.cause}\nfix: {error.fix}")
        assert head.endswith("; see cause and fix below")
    else:
        assert (None, None) == (error.cause, error.fix)
        assert error.log or ", and printed nothing; run its command in a shell of the image" in head
        assert not error.log or head.endswith("; fix what it says")


@pytest.mark.engine
def test_a_container_that_a_check_runs(tmp_path: Path) -> None:
    """What a check of its own could not start is reported with its cause; an image without a tag is named by a short id."""
    stage = Stage("scratch", steps=[Copy.text("x\n", "/x")])
    image = Image(Dockerfile(stage), context=str(tmp_path), checks=[CommandCheck(["/nosuch"])])
    with DockerSdk() as runner, pytest.raises(CheckFailed) as caught:
        image.test(None, runner)

    assert re.search(
        r"run [0-9a-f]{12}: the engine refused: .*directory; cause: the stage has no program /nosuch; fix: install",
        caught.value.failures[0],
    )


PUSHES = [
    pytest.param("{http}/login/x:1", "the registry wants a login", id="login"),
    pytest.param("{http}/denied/x:1", "the registry denies it", id="denied"),
    pytest.param("{http}/busy/x:1", "the registry limits how much it takes", id="too many"),
    # The engine tries that again for 50 seconds.
    pytest.param("{http}/broken/x:1", "the registry has an error of its own", id="broken", marks=pytest.mark.long),
    pytest.param("{http}/other/x:1", "the registry does not know the name", id="unknown"),
    pytest.param("127.0.0.1:1/x:1", "the registry cannot be reached", id="nobody there"),
    pytest.param("nosuch.invalid/x:1", "the registry's name is not found in the network", id="no such host"),
]


def pushed(place: str, folder: Path) -> tuple[BuildFailed, Image]:
    """Push an image to a place that does not take it."""
    image = Image(Dockerfile(Stage(BUSYBOX, name="s", steps=[Run("echo x > /x")])), context=str(folder), tags=place)
    try:
        with pytest.raises(BuildFailed) as caught:
            image.build(output="push")
    finally:
        subprocess.run(["docker", "rmi", "--force", place], capture_output=True, check=False)
    return caught.value, image


@pytest.mark.engine
@pytest.mark.parametrize(("place", "cause"), PUSHES)
def test_a_push(place: str, cause: str, tmp_path: Path, places: dict[str, str]) -> None:
    """What a registry does not take names the tag, the cause and the fix, and no step is at fault."""
    place = place.replace("{http}", places["http"])
    error, image = pushed(place, tmp_path)

    assert "registry" == error.kind
    assert image.origin == error.origin
    assert error.message.startswith(f"build: pushing {place}: {error.cause} (")
    assert error.message.endswith(f"); {error.fix}")
    assert cause in (error.cause or ""), error.message


@pytest.mark.engine
def test_a_push_without_tls(tmp_path: Path) -> None:
    """A registry without TLS, elsewhere than on the engine's loopback address, is not trusted."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but the loopback one")
        own = probe.getsockname()[0]
    with serving(address=own) as place:
        error, _ = pushed(f"{place}/x:1", tmp_path)

    assert "the registry uses HTTP without TLS, which the engine does not trust" == error.cause, error.message
    assert "insecure-registries" in (error.fix or "")


@pytest.mark.engine
@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"output": "push"}, "no tag says where the image is to be pushed to"),
        ({"output": "type=oci,dest={folder}/no/such/x.tar"}, "the result cannot be written to {folder}/no/such/x.tar"),
        ({"output": "type=local,dest={folder}/file/x"}, "the result cannot be written to {folder}/file/x"),
        ({"output": "type=local,dest=/proc/nosuch"}, "the result cannot be written to "),
        ({"output": "type=local,dest={folder}/file"}, "dest= is to name a directory, and {folder}/file is a file"),
        ({"output": "type=tar,dest={folder}"}, "dest= is to name a file, and {folder} is a directory"),
        ({"ssh": "default={folder}/nosuch"}, "there is no SSH agent and no key at the place that is named"),
        ({"ignore": ["["]}, "a pattern of what is left out of the context is not valid"),
        (
            {"output": "type=docker,dest={folder}/x.tar", "platforms": ["linux/amd64", "linux/arm64"]},
            "holds one platform alone",
        ),
        ({"contexts": {"c": "docker-image://UPPER"}}, "the name of an image, UPPER, is not in lower case"),
    ],
    ids=str,
)
def test_an_option(options: dict[str, Any], cause: str, tmp_path: Path) -> None:
    """An option that is at fault points to the image, with cause and fix."""
    tmp_path.joinpath("file").touch()
    options = {
        name: value.replace("{folder}", str(tmp_path)) if isinstance(value, str) else value
        for name, value in options.items()
    }
    steps = [Run("true"), *([Copy("x", "/", from_=external("c"))] if "contexts" in options else [])]
    image = Image(Dockerfile(Stage(BUSYBOX, name="s", steps=steps)), context=str(tmp_path))
    with pytest.raises(BuildFailed) as caught:
        image.build(request=image.request(**options))
    error = caught.value
    if error.lines is not None:
        # The engine names the line that uses it.
        assert error.origin == steps[-1].origin
        error.origin = image.origin

    assert ("definition", image.origin) == (error.kind, error.origin), error.message
    assert cause.replace("{folder}", str(tmp_path)) in (error.cause or ""), error.message
    assert error.fix
    assert f"; {error.fix}" in error.message


def test_a_secret_that_is_not_there(tmp_path: Path) -> None:
    """It points to the image that names it."""
    stage = Stage(BUSYBOX, steps=[Run("true", mounts=[Secret("t")])])
    for secret, cause in (("id=t,src=nosuch", "its file nosuch cannot be read"), ("id=t,env=DOCKDSL_NO", "DOCKDSL_NO")):
        image = Image(Dockerfile(stage), context=str(tmp_path), secrets=secret)
        with pytest.raises(BuildFailed) as caught:
            image.build()
        assert ("definition", image.origin) == (caught.value.kind, caught.value.origin)
        assert cause in (caught.value.cause or "")


@pytest.mark.engine
def test_a_name_that_is_no_text(tmp_path: Path, tag: str) -> None:
    """BuildKit does not say which it is of the files of the context; left out of it, it does no harm."""
    tmp_path.joinpath(os.fsdecode(b"a\xff")).touch()
    image = Image(Dockerfile(Stage(BUSYBOX, steps=[Copy(".", "/x/")])), context=str(tmp_path))
    # The daemon may only say that it cancels the transfer, where the client's answer comes late.
    for _ in range(10):
        with pytest.raises(BuildFailed) as caught:
            image.build()
        if "context canceled" not in caught.value.message:
            break
    attrs.evolve(image, ignore=["a*"], tags=tag).build()

    assert "a file of the context has a name that is not UTF-8" in (caught.value.cause or ""), caught.value.message
    assert f"fix: {caught.value.fix}" in caught.value.message


@pytest.mark.engine
@pytest.mark.parametrize(("steps", "cause", "options"), FAILURES)
def test_a_failure(
    steps: str, cause: str, options: dict[str, Any], tmp_path: Path, folder: Path, places: dict[str, str]
) -> None:
    """It names the Python line as file, number and text, and says in plain words why it failed and what to do."""
    file, line = written(tmp_path, folder, steps, options, places)
    image = load(str(file), Image)
    # Whether a secret is there does not count for the cache.
    request = image.request(allow=options.get("allow", "network.host"), no_cache=True)
    with pytest.raises(BuildFailed) as caught:
        image.build(request=request)
    error = caught.value

    assert error.origin is not None
    assert (str(file), line) == (error.origin.path, error.origin.line), error.message
    assert error.source is not None
    assert (
        file.read_text().splitlines()[line - 1].partition(",  #")[0].partition(", #")[0].strip()[:100] in error.source
    )
    assert f"\n{file}:{line}: {error.source}" in error.message
    assert options.get("remedy", "") in error.message
    if "remedy" not in options:
        assert error.cause, error.message
        assert error.fix, error.message
        assert error.fix in error.message
    assert cause in (error.cause or "")


def test_the_table_is_long_enough() -> None:
    """Thirty different failures at least, each with its own name."""
    names = [row.id for row in FAILURES]

    assert 30 <= len(set(names)) == len(names)


def test_what_is_unknown_is_not_explained() -> None:
    """A cause is said only where it is known."""
    assert explain("exit code: 1") is None
    assert explain("") is None


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("dd: error writing '/t/x': No space left on device", "a disk is full"),
        ("OSError: [Errno 28] No space left on device", "a disk is full"),
        ('level=error msg="dial tcp 10.0.0.1:5432: connect: connection refused"', "nothing listens"),
        ("curl: (6) Could not resolve host: nosuch.invalid", "a name is not found in the network (nosuch.invalid)"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "the certificate"),
        ("npm error EACCES: permission denied, mkdir '/x'", "the user that it runs as may not do that"),
        ("sh: line 1:     7 Segmentation fault      ./x", "the program crashed"),
        ("/bin/sh: /api: Exec format error", "another kind of processor"),
        ("exec /api: exec format error", "another kind of processor"),
        ("FAIL: TestDisk: no space left on device", None),
        ("not ok 3 - copes: permission denied", None),
        ("AssertionError: 'connection refused' != 'ok'", None),
        ("    Expected: no space left on device", None),
        ("error text should be: Permission denied", None),
        ("  permission denied", None),
        ("+ permission denied", None),
        ("Segmentation fault (core dumped)", "the program crashed"),
        ("checks that no space left on device is handled", None),
    ],
)
def test_who_says_it(line: str, cause: str | None) -> None:
    """Words count from a program that says what it could not do, and not from one that quotes or compares them."""
    found = explain("exit code: 1", [line])

    assert (found is None) == (cause is None), found
    assert found is None or (cause or "") in found.cause


def test_a_line_without_end() -> None:
    """It is not searched whole, which would take as long as its length squared; its end counts."""
    found = explain("exit code: 3", ["x" * 1_000_000 + ": permission denied"])

    assert found is not None
    assert "most likely the user that it runs as may not do that" == found.cause


def test_remedies_name_what_there_is() -> None:
    """What a remedy or a cause says to write in Python is a public name, with that attribute."""
    for row in CAUSES:
        for name, attribute in re.findall(r"\b([A-Z]\w+)(?:\.(\w+)|\()", f"{row.cause} {row.fix}"):
            found = getattr(dockdsl, name)
            assert not attribute or hasattr(found, attribute)
