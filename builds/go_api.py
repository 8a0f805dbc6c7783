"""The Go REST API of go_app/: compiled in one stage, shipped in another.

A release says what it is made of: ``--build-arg VERSION=1.2.3 --build-arg REVISION=$(git rev-parse HEAD)``.
Both go into the binary, as ``/version`` shows, and into the labels of the image.
"""

from dockdsl import (
    Arg,
    Cache,
    CommandCheck,
    Comment,
    Copy,
    Dockerfile,
    Entrypoint,
    Expose,
    FileCheck,
    GracefulShutdown,
    Hardened,
    Healthcheck,
    HttpCheck,
    Image,
    Label,
    MetadataCheck,
    Run,
    SizeBudget,
    Stage,
    StartupBudget,
    User,
    Workdir,
)

modules = Cache("/go/pkg/mod")
objects = Cache("/root/.cache/go-build")
stamp = [Arg("VERSION", "dev"), Arg("REVISION", "unknown")]

build = Stage(
    "golang:1.27-alpine",
    name="build",
    platform="$BUILDPLATFORM",
    steps=[
        Workdir("/src"),
        Comment("The pattern: go.sum holds the checksums of what is downloaded, and exists once a module is required."),
        Copy(["go.mod", "go.sum*"], "./"),
        Run("go mod download", mounts=[modules]),
        Copy(".", "./"),
        Arg("TARGETOS"),
        Arg("TARGETARCH"),
        stamp,
        Run.chain(
            "export CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH",
            'go build -trimpath -ldflags="-s -w -X main.version=$VERSION -X main.revision=$REVISION" -o /out/api .',
            mounts=[modules, objects],
        ),
    ],
)

api = Stage(
    "scratch",
    name="api",
    steps=[
        stamp,
        Label(
            {
                "org.opencontainers.image.title": "Go API",
                "org.opencontainers.image.description": "A REST API of notes",
                "org.opencontainers.image.version": "$VERSION",
                "org.opencontainers.image.revision": "$REVISION",
            }
        ),
        Copy("/out/api", "/api", from_=build),
        User("65532:65532"),
        Expose(8080),
        Healthcheck.exec(
            "/api", "healthcheck", interval="30s", timeout="3s", start_period="10s", start_interval="500ms"
        ),
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
        HttpCheck("GET", "/version", status=200, json={"version": ..., "revision": ..., "os": "linux"}),
        HttpCheck(
            "POST",
            "/api/v1/notes",
            send_json={"title": "hello", "body": "from the smoke test"},
            status=201,
            headers={"Location": ...},
            json={"title": "hello"},
            save={"id": "/id"},
        ),
        HttpCheck("GET", "/api/v1/notes/{id}", status=200, json={"body": "from the smoke test"}),
        HttpCheck("DELETE", "/healthz", status=405, headers={"Allow": "GET, HEAD"}),
        HttpCheck("GET", "/nowhere", status=404),
        CommandCheck(["version"], entrypoint=True, stdout=r'"go":"go1\.27'),
        FileCheck("/api", mode=0o755, static=True, go_version="go1.27", go_settings={"CGO_ENABLED": "0"}),
        FileCheck("/bin/sh", exists=False),
        MetadataCheck(user="65532:65532", ports=8080, healthcheck=["/api", "healthcheck"]),
        SizeBudget("10MB"),
        StartupBudget(2),
        GracefulShutdown(HttpCheck("POST", "/api/v1/notes", status=201, send_json={"title": "late"})),
        Hardened(),
    ],
)
