"""What the remedies advise is done, on a real engine, and then it works."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from dockdsl import (
    Add,
    Arg,
    Bind,
    Cmd,
    Copy,
    Dockerfile,
    Entrypoint,
    Env,
    Image,
    Run,
    Secret,
    Shell,
    Ssh,
    Stage,
    Tmpfs,
    User,
    Workdir,
    external,
)  # fmt: skip
from dockdsl.engine.failures.causes import CAUSES
from dockdsl.errors import BuildFailed, RunFailed
from tests.engine.failures.test_failures import GO, serving
from tests.engine.helpers import BUSYBOX, git, git_served, wait_until
from tests.engine.registry import registry

PYTHON = "python:3.13-slim"
MAIN = "package main\n\nfunc main() {}\n"
SCRIPT = "#!/bin/sh\necho hi\n"
FETCH = "python -c 'import urllib.request; urllib.request.urlopen(\"https://%s/v2/\")'"


@attrs.frozen
class Case:
    """What fails with a cause, and the same with the remedy: steps of a stage, or options of the image."""

    cause: str
    broken: list[Any] = attrs.field(factory=lambda: [Run("true")])
    mended: list[Any] | None = None
    base: str = BUSYBOX
    mended_base: str | None = None
    options: dict[str, Any] = attrs.field(factory=dict)
    mended_options: dict[str, Any] | None = None
    args: tuple[list[Arg], list[Arg]] = ([], [])
    runs: bool = False
    """Whether it is the container that fails, not the build."""

    def images(self, context: Path) -> tuple[Image, Image]:
        """Return the one that fails, and the one that does not."""
        mended = self.broken if self.mended is None else self.mended
        options = self.options if self.mended_options is None else self.mended_options
        return (
            self._image(context, self.base, self.broken, self.args[0], self.options),
            self._image(context, self.mended_base or self.base, mended, self.args[1], options),
        )

    def _image(self, context: Path, base: str, steps: list[Any], args: list[Arg], options: dict[str, Any]) -> Image:
        options = {name: _filled(value, context) for name, value in options.items() if name != "output"}
        dockerfile = Dockerfile(Stage(base, name="s", steps=steps), args=args)
        return Image(dockerfile, context=str(context), port=8080 if self.runs else None, **options)


def _filled(value: Any, context: Path) -> Any:
    if isinstance(value, dict):
        return {name: _filled(each, context) for name, each in value.items()}
    return value.replace("{folder}", str(context.parent)) if isinstance(value, str) else value


def module(go: str) -> list[Any]:
    """Return steps that build a Go program whose go.mod names a version of Go."""
    return [Workdir("/w"), Copy.text(f"module x\n\ngo {go}\n", "go.mod"), Copy.text(MAIN, "main.go"), Run("go build .")]


def commit(flag: str) -> list[Any]:
    """Return steps that build beside a repository for which git does not answer."""
    git = [Run("printf '#!/bin/sh\\nexit 128\\n' > /bin/git; chmod +x /bin/git; mkdir .git")]
    return [*module("1.21")[:-1], *git, Run(f"go build {flag} .")]


def script(text: str, **options: Any) -> list[Any]:
    """Return steps that run a script without a shell."""
    return [Copy.text(text, "/script", **options), Run.exec("/script")]


def starter(text: str) -> list[Any]:
    """Return steps in which Go, a program in Go, starts a script."""
    main = MAIN.replace("\n\n", "\n\n//go:generate /script\n\n", 1)
    return [
        Copy.text(text, "/script", chmod="755"),
        Workdir("/w"),
        Copy.text(main, "main.go"),
        Run("go generate main.go"),
    ]


def server(command: str) -> list[Any]:
    """Return the step that runs a command as a container's first process."""
    return [Cmd.exec("sh", "-c", command)]


FULL = "dd if=/dev/zero of=/t/x bs=1M count=9"
CASES = [
    Case("the result cannot be written to", options={"output": "type=tar,dest={folder}/no/such.tar"}, mended_options={"output": "type=tar,dest={folder}/new.tar"}),
    Case("dest= is to name a", options={"output": "type=local,dest={folder}/file"}, mended_options={"output": "type=tar,dest={folder}/file"}),
    Case("the Go of this stage is", module("1.99"), module("1.21"), base=GO),
    Case("Go wants to write the commit", commit(""), commit("-buildvcs=false"), base=GO),
    Case("there is no go.mod", [Workdir("/e"), *module("1.21")[1:-1], Run("cd /; go build .")], module("1.21"), base=GO),
    Case("a disk is full", [Run(FULL, mounts=[Tmpfs("/t", size="1m")])], [Run(FULL, mounts=[Tmpfs("/t", size="20m")])]),
    Case("what is written to is read-only", [Run("touch /src/x", mounts=[Bind("/src")])], [Run("touch /src/x", mounts=[Bind("/src", readwrite=True)])]),
    Case("the program is for another kind", script("echo hi\n", chmod="755"), script(SCRIPT, chmod="755")),
    Case("the stage has no {shell}", [Shell(["/bin/bash", "-c"]), Run("true")], [Run.exec("/bin/true")]),
    Case("the stage has no {shell}", [Copy("/bin/busybox", "/busybox", from_=BUSYBOX), Run("true")], [Copy("/bin/busybox", "/busybox", from_=BUSYBOX), Run.exec("/busybox", "true")], base="scratch"),
    Case("the stage has no program", [Run.exec("/nosuch")], [Run.exec("/bin/true")]),
    Case("{program} is a folder", [Entrypoint.exec("/etc")], [Entrypoint.exec("httpd", "-f", "-p", "8080")], runs=True),
    Case("{program}{path}{path2} may not be run", script(SCRIPT), script(SCRIPT, chmod="755")),
    Case("{path} is not there, or", starter(SCRIPT.replace("\n", "\r\n")), starter(SCRIPT), base=GO),
    Case("{path} is there, and", script(SCRIPT.replace("\n", "\r\n"), chmod="755"), script(SCRIPT, chmod="755")),
    Case("{path} is there, and", [Copy("dynamic", "/"), Run.exec("/dynamic")], base="scratch", mended_base=PYTHON),
    Case("its first process ended", server("httpd -p 8080"), server("httpd -f -p 8080"), runs=True),
    Case("the shell does not find a program", [Run("nosuch")], [Run("ls")]),
    Case("the stage does not know the user", [User("app"), Run("true")], [Run("useradd app"), User("app"), Run("true")], base=PYTHON),
    Case("the stage does not know the user", [User("app"), Run("true")], [User("65532:65532"), Run("true")]),
    Case("the user that it runs as", [User("1000"), Run("touch /etc/x")], [Run("touch /etc/x"), User("1000")]),
    Case("the user that it runs as", [Copy("file", "/x/"), User("1000"), Run("touch /x/file")], [Copy("file", "/x/", chown="1000"), User("1000"), Run("touch /x/file")]),
    Case("a pattern of what is left out", options={"ignore": ["["]}, mended_options={"ignore": ["[a]"]}),
    Case("a step wants the host's network", [Run("true", network="host")], mended_options={"allow": "network.host"}),
    Case("a folder would take the place", [Run("mkdir /a; touch /a/b"), Copy("sub", "/a/b")], [Run("mkdir /a; touch /a/b"), Copy("sub", "/a/new")]),
    Case("a part of the path is a file", [Copy("file", "/x"), Workdir("/x/y")], [Copy("file", "/x"), Workdir("/z/y")]),
    Case("the name of an image, {name}, is", [Copy("/bin/ls", "/x", from_=external("c"))], options={"contexts": {"c": "docker-image://UPPER"}}, mended_options={"contexts": {"c": f"docker-image://{BUSYBOX}"}}),
    Case("the name of an image is empty", base="$BASE", args=([Arg("BASE")], [Arg("BASE", BUSYBOX)])),
    Case("the name of an image is empty", base="$BASE", args=([Arg("BASE")], [Arg("BASE")]), mended_options={"build_args": {"BASE": BUSYBOX}}),
    Case("the command uses the variable", [Run("set -u; echo $V")], [Arg("V"), Run("set -u; echo $V")], mended_options={"build_args": {"V": "1"}}),
    Case("the command uses the variable", [Run("set -u; echo $V")], [Env({"V": "1"}), Run("set -u; echo $V")]),
    Case("a variable that the instruction needs", [Arg("X"), Env({"Y": "${X:?}"})], mended_options={"build_args": {"X": "1"}}),
    Case("a variable that the instruction needs", [Arg("X"), Env({"Y": "${X:?}"})], [Arg("X", "1"), Env({"Y": "${X:?}"})]),
]  # fmt: skip
"""The words with which the cause begins, as the table has them, are each case's name."""

OTHERS = {
    "no tag says where": "test_a_push_without_a_tag",
    "go.sum in the context": "test_a_sum_that_is_missing",
    "the certificate of the other side": "test_a_certificate",
    "a name is not found": "test_addresses",
    "the network is not reachable": "test_addresses",
    "nothing listens at the address": "test_addresses",
    "the server answers": "test_addresses",
    "what is downloaded is not": "test_addresses",
    "the step wants an SSH agent": "test_an_agent",
    "there is no SSH agent and no key": "test_an_agent",
    "the secret that is read is not there": "test_a_secret",
    "SOURCE_DATE_EPOCH in the environment": "test_the_time_in_the_environment",
    "the engine has no git": "test_a_repository",
    "git does not get the repository": "test_a_repository",
    "a file of the context has a name": "test_failures.test_a_name_that_is_no_text",
}
"""Which test tries the remedy of the other causes."""

UNTRIED = {
    "the step does not know the key": "no image that is at hand has an SSH client",
    "a file that the command names": "a shell says more than its exit code in each case that was found",
    "the command was killed": "the engine would have to run out of memory",
    "the program crashed": "it takes a program that is built for another system and starts all the same",
    "{what}: the engine's own builder cannot": "it takes an engine with another image store, as tests of Buildx have",
    "the engine's own builder cannot rewrite": "it takes an engine with another image store, as tests of Buildx have",
    "the result cannot be written to the folder": "the disk would have to be full; the remedy is that of the row above",
    "there is no OCI layout": "it takes an engine with another image store",
    "this form of an image holds one": "it takes an engine with another image store",
    "several sources go to one": "BuildKit accepts it by now",
    "there is no SSH agent whose keys": "newer versions of BuildKit say it in other words",
    "a step wants to run without": "the engine would have to be configured for it",
}
"""What is not tried here, and why."""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A context with a few files, and a file beside it."""
    folder = tmp_path_factory.mktemp("remedies")
    for name in ("file", "context/file", "context/sub/file"):
        folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(name).write_text(f"{name}\n")
    shutil.copy("/bin/true", folder / "context/dynamic")
    return folder / "context"


def attempt(image: Image, **options: Any) -> None:
    """Build an image, and test it where it has a port."""
    if image.port is not None:
        image.test()
    else:
        image.build(**{"output": "type=cacheonly", **options})


def failing(image: Image, cause: str, **options: Any) -> None:
    """Build what fails, with this cause."""
    with pytest.raises((BuildFailed, RunFailed)) as caught:
        # Whether a secret or an agent is there does not count for the cache.
        attempt(image, no_cache=True, **options)
    first = cause.partition("{")[0] or cause.rpartition("}")[2]
    assert first in (caught.value.cause or ""), caught.value.message


@pytest.mark.engine
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cause)
def test_a_remedy(case: Case, context: Path) -> None:
    """What fails with the cause works with the remedy."""
    broken, mended = case.images(context)
    outputs = [
        {"output": _filled(options["output"], context)} if "output" in options else {}
        for options in (case.options, case.options if case.mended_options is None else case.mended_options)
    ]

    failing(broken, case.cause, **outputs[0])
    attempt(mended, **outputs[1])


def image_of(*steps: Any, base: str = BUSYBOX, **options: Any) -> Image:
    """Return an image of a few steps, which may use the network of this machine."""
    return Image(Dockerfile(Stage(base, name="s", steps=steps)), allow="network.host", **options)


def wget(address: str, network: str = "host") -> Image:
    """Return an image with a step that asks a server."""
    return image_of(Run(f"wget -O /x http://{address}", network=network))  # type: ignore[arg-type]


@pytest.mark.engine
def test_addresses() -> None:
    """With the right name, network, port, path and checksum a step gets what it asks for."""
    digest = f"sha256:{hashlib.sha256(b'{}').hexdigest()}"
    with serving() as place:
        failing(wget("nosuch.invalid/"), "a name is not found in the network (nosuch.invalid")
        failing(wget("192.0.2.1/", "none"), "the network is not reachable")
        failing(wget("127.0.0.1:1/"), "nothing listens at the address that is asked")
        failing(wget(f"{place}/x"), "the server answers 404")
        failing(image_of(Add(f"http://{place}/v2/", "/x", checksum=f"sha256:{'0' * 64}")), "what is downloaded is not")

        attempt(wget(f"{place}/v2/"))
        attempt(wget(f"{place.replace('127.0.0.1', 'localhost')}/v2/"))
        attempt(image_of(Add(f"http://{place}/v2/", "/x", checksum=digest)))


@pytest.mark.engine
def test_a_certificate(tmp_path: Path) -> None:
    """A certificate that is copied in is trusted, by tools that ask the system."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", tmp_path / "crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    certificate = tmp_path.joinpath("crt").read_text()
    tmp_path.joinpath("pem").write_text(tmp_path.joinpath("key").read_text() + certificate)
    trusted = [Copy.text(certificate, "/usr/local/share/ca-certificates/x.crt"), Run("update-ca-certificates")]
    with serving(tmp_path / "pem") as place:
        fetch = Run(FETCH % place, network="host")
        failing(image_of(fetch, base=PYTHON), "the certificate of the other side")
        attempt(image_of(*trusted, fetch, base=PYTHON))


@pytest.mark.engine
def test_a_sum_that_is_missing(tmp_path: Path) -> None:
    """`go mod tidy` on this machine writes the go.sum that is copied beside go.mod."""
    versions = tmp_path / "proxy/example.com/y/@v"
    versions.mkdir(parents=True)
    versions.joinpath("list").write_text("v1.0.0\n")
    versions.joinpath("v1.0.0.info").write_text('{"Version": "v1.0.0"}')
    versions.joinpath("v1.0.0.mod").write_text("module example.com/y\n")
    with zipfile.ZipFile(versions / "v1.0.0.zip", "w") as archive:
        archive.writestr("example.com/y@v1.0.0/go.mod", "module example.com/y\n")
        archive.writestr("example.com/y@v1.0.0/y.go", "package y\n")
    tmp_path.joinpath("go.mod").write_text("module x\n\ngo 1.21\n\nrequire example.com/y v1.0.0\n")
    tmp_path.joinpath("main.go").write_text(MAIN.replace("\n\n", '\n\nimport _ "example.com/y"\n\n', 1))

    def image(*copied: str) -> Image:
        steps = [Copy("proxy", "/proxy"), Workdir("/w"), Copy(["main.go", "go.mod", *copied], "./")]
        return image_of(
            *steps, Run("GOPROXY=file:///proxy GONOSUMDB=* go list -deps . > /dev/null"), base=GO, context=str(tmp_path)
        )

    failing(image(), "go.sum in the context does not have the sum")
    environment = {
        **os.environ,
        "GOPROXY": f"file://{tmp_path}/proxy",
        "GONOSUMDB": "*",
        "GOMODCACHE": str(tmp_path / "cache"),
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
    }
    go = Path(sys.executable).parent / "go"
    subprocess.run([go, "mod", "tidy"], cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=120)
    attempt(image("go.sum"))


@pytest.mark.engine
def test_a_push_without_a_tag() -> None:
    """With a tag that begins with the registry, it is pushed there."""
    image = image_of(Run("true"))
    with registry() as (place, _):
        failing(image, "no tag says where the image is to be pushed to", output="push")
        image.build(tags=f"{place}/x:1", output="push")


@pytest.mark.engine
def test_an_image_of_a_registry(context: Path) -> None:
    """The right name and tag are what a build needs, and the right address is what a push needs."""
    image = Image(Dockerfile(Stage("scratch", steps=[Copy("file", "/file")])), context=str(context))
    with registry() as (place, _):
        with pytest.raises(BuildFailed) as not_pushed:
            image.build(tags="127.0.0.1:1/x:1", output="push")
        image.build(tags=f"{place}/x:1", output="push")
        assert "the registry cannot be reached" == not_pushed.value.cause

        def taken(tag: str) -> Image:
            return image_of(Copy("/file", "/file", from_=Stage(f"{place}/{tag}", name="other")))

        failing(taken("x:2"), "its registry does not have it")
        failing(taken("y:1"), "its registry does not have it")
        attempt(taken("x:1"))


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """An agent that holds a key: the path of its socket, and of the key."""
    key, sock = tmp_path / "key", tmp_path / "agent"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.DEVNULL) as running:
        try:
            wait_until(sock.exists)
            environment = {**os.environ, "SSH_AUTH_SOCK": str(sock)}
            subprocess.run(["ssh-add", "-q", key], env=environment, check=True)
            yield sock, key
        finally:
            running.terminate()


@pytest.mark.engine
def test_an_agent(agent: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that wants an agent has it with ssh="default", and with the path of a key."""
    sock, key = agent
    step = Run("test -S $SSH_AUTH_SOCK", mounts=[Ssh(required=True)])
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)

    failing(image_of(step), "the step wants an SSH agent")
    failing(image_of(step, ssh=f"default={key}.nosuch"), "there is no SSH agent and no key at the place")
    attempt(image_of(step, ssh=f"default={key}"))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(sock))
    attempt(image_of(step, ssh="default"))


@pytest.mark.engine
def test_a_secret(tmp_path: Path) -> None:
    """A secret that is named in the Image is there to be read."""
    tmp_path.joinpath("token").write_text("hunter22")
    step = Run(f"cat /run/secrets/token  # {secrets.token_hex(6)}", mounts=[Secret("token")])

    failing(image_of(step), "the secret that is read is not there (/run/secrets/token)")
    attempt(image_of(step, secrets=f"id=token,src={tmp_path}/token"))


@pytest.mark.engine
def test_the_time_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number is accepted."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    failing(image_of(Run("true")), "SOURCE_DATE_EPOCH in the environment is not a number")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    attempt(image_of(Run("true")))


@pytest.mark.engine
def test_a_repository(tmp_path: Path) -> None:
    """With the right address an engine that has git gets it, and with its folder any engine."""
    git(tmp_path, "init", "-q", "repo")
    tmp_path.joinpath("repo", "file").write_text("x")
    git(tmp_path, "-C", "repo", "add", "file")
    git(tmp_path, "-C", "repo", "commit", "-q", "-m", "x")
    with git_served(tmp_path) as host:
        with pytest.raises(BuildFailed) as caught:
            attempt(image_of(Add(f"{host}/nosuch.git", "/x")))
        cause = caught.value.cause or ""
        assert cause.startswith(("the engine has no git", "git does not get the repository"))
        if cause.startswith("git "):
            attempt(image_of(Add(f"{host}/repo/.git", "/x")))
        git(tmp_path, "clone", "-q", f"{host}/repo/.git", "checked-out")
    context = {"repository": str(tmp_path / "checked-out")}
    attempt(image_of(Copy("/", "/x", from_=external("repository")), contexts=context))


def test_each_remedy_is_tried() -> None:
    """Each row of the table is tried here or in another test, or it is said why it is not."""
    tried = [*(case.cause for case in CASES), *OTHERS, *UNTRIED]

    assert [] == [row.cause for row in CAUSES if not any(row.cause.startswith(each) for each in tried)]
    assert [] == [each for each in tried if not any(row.cause.startswith(each) for row in CAUSES)]
    assert set() == {name for name in OTHERS.values() if "." not in name} - set(globals())
