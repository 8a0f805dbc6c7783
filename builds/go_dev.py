"""One Dockerfile, two targets: a development image with the toolchain, and the image that is shipped.

``docker buildx build --target dev`` gives a shell with Go in it, the sources and the test cache;
without ``--target`` the last target, `api`, is built. Both come from the same `base`, so that they
cannot drift apart.
"""

from dockdsl import (
    Arg,
    Bind,
    Cache,
    Cmd,
    Copy,
    Dockerfile,
    Entrypoint,
    Env,
    Expose,
    Label,
    Run,
    Stage,
    User,
    Workdir,
)

GO = "golang:1.27-alpine"

caches = [Cache("/go/pkg/mod"), Cache("/root/.cache/go-build")]

base = Stage(
    GO,
    name="base",
    steps=[
        Env({"CGO_ENABLED": "0", "GOFLAGS": "-trimpath"}),
        Workdir("/src"),
    ],
)

dev = Stage(
    base,
    name="dev",
    comment="The toolchain, the sources and their tests: for people.",
    steps=[
        Copy(".", "./"),
        Run("go vet ./...", mounts=caches),
        Expose(8080),
        Cmd.exec("go", "run", "."),
    ],
)

build = Stage(
    base,
    name="build",
    comment="The sources are mounted, not copied: this stage leaves nothing but the binary.",
    steps=[
        Arg("VERSION", "dev"),
        Run.chain(
            "go build -ldflags='-s -w' -o /out/api .",
            "/out/api version",
            mounts=[Bind("/src"), *caches],
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
        Entrypoint.exec("/api"),
    ],
)

dockerfile = Dockerfile([dev, api])
