"""The Go REST API of go_app/: compiled in one stage, shipped in another."""

from dockdsl import (
    Arg,
    Cache,
    Copy,
    Dockerfile,
    Entrypoint,
    Expose,
    Healthcheck,
    HttpCheck,
    Image,
    Run,
    Stage,
    User,
    Workdir,
)

modules = Cache("/go/pkg/mod")
objects = Cache("/root/.cache/go-build")

build = Stage(
    "golang:1.27-alpine",
    name="build",
    platform="$BUILDPLATFORM",
    steps=[
        Workdir("/src"),
        Copy("go.mod", "./"),
        Run("go mod download", mounts=[modules]),
        Copy(".", "./"),
        Arg("TARGETOS"),
        Arg("TARGETARCH"),
        Run(
            "CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags='-s -w' -o /out/api .",
            mounts=[modules, objects],
        ),
    ],
)

api = Stage(
    "scratch",
    name="api",
    steps=[
        Copy("/out/api", "/api", from_=build),
        User("65532:65532"),
        Expose(8080),
        Healthcheck.exec("/api", "healthcheck", interval="10s"),
        Entrypoint.exec("/api"),
    ],
)

image = Image(
    Dockerfile(api),
    context="../go_app",
    tags=["go-api:dev"],
    port=8080,
    checks=[
        HttpCheck("GET", "/healthz", status=200, json={"status": "ok"}),
        HttpCheck("GET", "/version", status=200, json={"os": "linux"}),
        HttpCheck(
            "POST",
            "/api/v1/notes",
            send_json={"title": "hello", "body": "from the smoke test"},
            status=201,
            headers={"Location": "/api/v1/notes/1"},
            json={"title": "hello"},
        ),
        HttpCheck("GET", "/api/v1/notes/1", status=200, json={"body": "from the smoke test"}),
        HttpCheck("DELETE", "/healthz", status=405, headers={"Allow": "GET, HEAD"}),
        HttpCheck("GET", "/nowhere", status=404),
    ],
)
