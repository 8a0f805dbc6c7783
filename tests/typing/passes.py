"""What users write, in its many forms: no type checker may report anything here."""

import re
from pathlib import Path

import dockdsl
from dockdsl import (
    Add,
    Arg,
    Bind,
    Cache,
    Cmd,
    CommandCheck,
    Copy,
    DockdslError,
    Dockerfile,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Healthy,
    HttpCheck,
    Image,
    Instruction,
    Label,
    Onbuild,
    Printed,
    Run,
    Secret,
    Shell,
    Stage,
    Stopsignal,
    User,
    Volume,
    Workdir,
    external,
    literal,
    parse,
    render,
)

version: str = dockdsl.__version__
modules = Cache("/go/pkg/mod", sharing="locked")
steps: list[Instruction] = [Workdir("/src"), Env({"PORT": "8080", "PATH": "/opt:$PATH"}), Label({"a": literal("$5")})]
build = Stage(
    "golang:1.27-alpine",
    name="build",
    platform="$BUILDPLATFORM",
    steps=[
        *steps,
        Arg("TARGETOS"),
        Arg("VERSION", "1.0"),
        Copy("go.mod", "./"),
        Copy(["go.mod", literal("a[1].txt")], "./", chown="65532:65532", chmod="0644", link=True),
        Add("https://example.com/a.tar", "/a", checksum="sha256:" + "0" * 64, unpack=False),
        Run("go mod download", mounts=modules),
        Run("make", mounts=[modules, Bind("/src"), Secret("token", env="TOKEN"), None], network="none"),
        Run.exec("make", "all"),
        Run.chain("make", "make install"),
        Run.script("make\nmake install"),
        Shell(["/bin/sh", "-c"]),
        Onbuild(Run("make")),
    ],
)
api = Stage(
    "scratch",
    steps=[
        Copy("/out/api", "/api", from_=build),
        Copy("/etc/ssl", "/etc/ssl", from_="alpine:3"),
        Copy("a", "/b", from_=external("files")),
        User("65532"),
        Expose(8080, "53/udp"),
        Volume("/data"),
        Stopsignal("SIGTERM"),
        Healthcheck.exec("/api", "healthcheck", interval="10s", retries=3),
        Entrypoint.exec("/api"),
        Cmd.exec("--verbose"),
    ],
)
dockerfile = Dockerfile([build, api], args=[Arg("REGISTRY")])
text: str = render(dockerfile)
again: Dockerfile = parse(text, path="Dockerfile")
image = Image(
    dockerfile,
    context=Path("go_app"),
    tags=["go-api:dev"],
    port=8080,
    checks=[
        HttpCheck("GET", "/healthz", status=200, headers={"Content-Type": re.compile("json")}, json={"status": "ok"}),
        CommandCheck(["api", "version"], stdout="1"),
        Healthy(required=False),
    ],
    healthcheck=False,
)
workers = [Image(Dockerfile(Stage("scratch")), ready=ready) for ready in (Printed("up", timeout=5), Healthy())]


def attempt() -> int:
    """Errors of dockdsl are caught by one name."""
    try:
        return len(render(dockerfile))
    except DockdslError as error:
        return len(str(error))
