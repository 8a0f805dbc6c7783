"""A Go build as a user of dockdsl writes it: the same as in docked_go.py, with both caches."""

from dockdsl import Arg, Cache, Copy, Dockerfile, Entrypoint, Expose, Healthcheck, Run, Stage, User, Workdir

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

image = Dockerfile(api)
