"""The large build as a user of containerspec writes it; ENV stands for ARG, and its RUN has no mount."""

from containerspec import ImageSpec  # type: ignore[import-not-found]  # not installed where the types are checked


def many(stages: int, cycles: int) -> str:
    """Make and render the build."""
    made = [
        _cycles(ImageSpec.from_registry("golang:1.27-alpine", pin_digest=False), number, cycles).with_stage(
            f"part-{number}"
        )
        for number in range(stages - 1)
    ]
    last = ImageSpec.from_registry("debian:13-slim", pin_digest=False)
    for stage in made:
        last = last.copy_from_stage(stage, "/out/app", f"/opt/{stage.name}")
    text: str = _cycles(last, stages, cycles).entrypoint(["/opt/part-0", "--serve"]).to_dockerfile()
    return text


def _cycles(spec: ImageSpec, number: int, cycles: int) -> ImageSpec:
    for cycle in range(cycles):
        spec = (
            spec.env({f"VERSION_{cycle}": f"1.{number}.{cycle}"})
            .env({f"GOFLAGS_{cycle}": "-mod=readonly"})
            .workdir(f"/src/{number}/{cycle}")
            .copy("go.*", "./", content_hash="sha256:0")
            .run_commands("go mod download")
            .env({"PATH": f"/opt/tools-{cycle}/bin:$PATH"})
            .copy(f"cmd/{number}", "./", content_hash="sha256:0")
            .run_commands(f"go build -trimpath -o /out/app-{cycle} ./cmd/{number}")
            .run_commands(
                "apt-get update",
                f"apt-get install --yes --no-install-recommends ca-certificates curl package-{cycle}",
                "rm -rf /var/lib/apt/lists/*",
            )
        )
    return spec
