"""The large build as a user of Docked writes it."""

import docked as d  # type: ignore[import-not-found]  # not installed where the types are checked


def many(stages: int, cycles: int) -> str:
    """Make and render the build."""
    cache = d.CacheMount("/root/.cache/go-build")
    made = [
        d.Stage(
            base=d.BaseImage("golang", tag="1.27-alpine"), name=f"part-{number}", build=_cycles(number, cycles, cache)
        )
        for number in range(stages - 1)
    ]
    last = d.Stage(
        base=d.BaseImage("debian", tag="13-slim"),
        name="all",
        build=[
            *[d.COPY("/out/app", f"/opt/{stage.name}", from_stage=stage) for stage in made],
            *_cycles(stages, cycles, cache),
        ],
        run=[d.ENTRYPOINT(["/opt/part-0", "--serve"])],
    )
    return str(d.Image(*made, last))


def _cycles(number: int, cycles: int, cache: d.CacheMount) -> list[d.Step]:
    steps: list[d.Step] = []
    for cycle in range(cycles):
        steps += [
            d.ARG(f"VERSION_{cycle}", f"1.{number}.{cycle}"),
            d.ENV(f"GOFLAGS_{cycle}", "-mod=readonly"),
            d.WORKDIR(f"/src/{number}/{cycle}"),
            d.COPY(["go.mod", "go.sum"], "./"),
            d.RUN("go mod download", mount=cache),
            d.ENV("PATH", f"/opt/tools-{cycle}/bin:$PATH"),
            d.COPY(f"cmd/{number}", "./"),
            d.RUN(f"go build -trimpath -o /out/app-{cycle} ./cmd/{number}", mount=cache),
            d.RUN(
                "apt-get update",
                f"apt-get install --yes --no-install-recommends ca-certificates curl package-{cycle}",
                "rm -rf /var/lib/apt/lists/*",
            ),
        ]
    return steps
