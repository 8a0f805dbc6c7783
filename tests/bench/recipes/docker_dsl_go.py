"""The build of builds/go_api.py as a user of docker-dsl writes it.

It has no platform, no ARG without a default, no USER, EXPOSE, HEALTHCHECK.
"""

from docker_dsl import Stage  # type: ignore[import-not-found]  # not installed where the types are checked

with Stage("golang:1.27-alpine", name="build") as build:
    build.workdir("/src")
    build.copy("go.mod", "./")
    with build.cache("/go/pkg/mod"):
        build.run("go mod download")
    build.copy(".", "./")
    with build.cache("/go/pkg/mod"), build.cache("/root/.cache/go-build"):
        build.run("CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags='-s -w' -o /out/api .")

with Stage("scratch", name="api") as api:
    api.copy("/out/api", "/api", stage=build)
    api.entrypoint("/api")
