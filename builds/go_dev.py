"""One Dockerfile, two targets: a development image with the toolchain, and the image that is shipped.

``docker buildx build -f builds/go_dev.Dockerfile --target dev -t api-dev go_app`` vets and tests the sources.
``docker run --rm -it -p 8080:8080 api-dev`` is then a shell with Go, the sources and a warm build cache: ``go run .``
and ``go test ./...`` start at once. To work on the sources of the host, add ``--user $(id -u) -v "$PWD/go_app:/src"``.

Without ``--target`` the last target, `api`, is built. Both come from the same `base`, so that they cannot drift apart.
"""

from dockdsl import (
    Arg,
    Bind,
    Cache,
    Cmd,
    Comment,
    Copy,
    Dockerfile,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Label,
    Run,
    Stage,
    Stopsignal,
    User,
    Workdir,
)

base = Stage(
    "golang:1.27-alpine",
    name="base",
    platform="$BUILDPLATFORM",
    steps=[
        Env({"CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}),
        Workdir("/src"),
    ],
)

dev = Stage(
    base,
    name="dev",
    comment="For people: a shell with the toolchain, the sources and a warm build cache.",
    steps=[
        Comment("Anybody may write here, so that the container can run as the user of the host."),
        Env({"GOCACHE": "/var/cache/go/build", "GOMODCACHE": "/var/cache/go/mod"}),
        Run("mkdir -p -m 0777 /var/cache/go/build /var/cache/go/mod"),
        User("1000:1000"),
        Copy(".", "./"),
        Comment("Without a cache mount: the cache stays in the image."),
        Run.chain("umask 0", "go vet ./...", "go test ./...", "go build -o /dev/null ."),
        Expose(8080),
        Comment("A shell ignores SIGTERM, so `docker stop` would wait for ten seconds."),
        Stopsignal("SIGKILL"),
        Cmd.exec("sh"),
    ],
)

build = Stage(
    base,
    name="build",
    comment="The sources are mounted, not copied: this stage leaves nothing but the binary.",
    steps=[
        Arg("TARGETOS"),
        Arg("TARGETARCH"),
        Arg("VERSION", "dev"),
        Run(
            'GOOS=$TARGETOS GOARCH=$TARGETARCH go build -ldflags="-s -w -X main.version=$VERSION" -o /out/api .',
            mounts=[Bind("/src"), Cache("/go/pkg/mod"), Cache("/root/.cache/go-build")],
        ),
    ],
)

api = Stage(
    "scratch",
    name="api",
    steps=[
        Arg("VERSION", "dev"),
        Label({"org.opencontainers.image.title": "Go API", "org.opencontainers.image.version": "${VERSION}"}),
        Copy("/out/api", "/api", from_=build, link=True),
        User("65532:65532"),
        Expose(8080),
        Healthcheck.exec(
            "/api", "healthcheck", interval="30s", timeout="3s", start_period="10s", start_interval="500ms"
        ),
        Entrypoint.exec("/api"),
    ],
)

dockerfile = Dockerfile([dev, api])
