"""A Go build as a user of Docked writes it; a RUN takes one mount, so the second cache is lost."""

import docked as d  # type: ignore[import-not-found]  # not installed where the types are checked

modules = d.CacheMount("/go/pkg/mod")

build = d.Stage(
    base=d.BaseImage("golang", tag="1.27-alpine"),
    name="build",
    platform="$BUILDPLATFORM",
    build=[
        d.WORKDIR("/src"),
        d.COPY("go.mod", "./"),
        d.RUN("go mod download", mount=modules),
        d.COPY(".", "./"),
        d.ARG("TARGETOS"),
        d.ARG("TARGETARCH"),
        d.RUN(
            "CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags='-s -w' -o /out/api .",
            mount=modules,
        ),
    ],
)

api = d.Stage(
    base=d.BaseImage("scratch"),
    name="api",
    build=[
        d.COPY("/out/api", "/api", from_stage=build),
        d.USER("65532", "65532"),
    ],
    run=[
        d.EXPOSE(8080),
        d.HEALTHCHECK(["/api", "healthcheck"], interval="10s"),
        d.ENTRYPOINT(["/api"]),
    ],
)

image = d.Image(build, api)
