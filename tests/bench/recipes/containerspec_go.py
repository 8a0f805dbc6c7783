"""The build of builds/go_api.py as a user of containerspec writes it.

It has no platform, no mounts, no ARG, no USER without making the user, no HEALTHCHECK.
"""

from containerspec import ImageSpec  # type: ignore[import-not-found]  # not installed where the types are checked

build = (
    ImageSpec.from_registry("golang:1.27-alpine", pin_digest=False)
    .workdir("/src")
    .copy("go.mod", "./", content_hash="sha256:0")
    .run_commands("go mod download")
    .copy(".", "./", content_hash="sha256:0")
    .run_commands(
        "CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags='-s -w' -o /out/api .",
    )
    .with_stage("build")
)

api = (
    ImageSpec.from_registry("scratch", pin_digest=False)
    .copy_from_stage(build, "/out/api", "/api")
    .expose(8080)
    .entrypoint(["/api"])
)

if __name__ == "__main__":
    print(api.to_dockerfile())
