"""The large build as a user of dockdsl writes it."""

from dockdsl import Arg, Cache, Copy, Dockerfile, Entrypoint, Env, Instruction, Run, Stage, Workdir, render


def many(stages: int, cycles: int) -> str:
    """Make and render the build."""
    cache = Cache("/root/.cache/go-build")
    made = [
        Stage("golang:1.27-alpine", name=f"part-{number}", steps=_cycles(number, cycles, cache))
        for number in range(stages - 1)
    ]
    last = Stage(
        "debian:13-slim",
        name="all",
        steps=[
            *[Copy("/out/app", f"/opt/{stage.name}", from_=stage) for stage in made],
            *_cycles(stages, cycles, cache),
            Entrypoint.exec("/opt/part-0", "--serve"),
        ],
    )
    return render(Dockerfile(last))


def _cycles(number: int, cycles: int, cache: Cache) -> list[Instruction]:
    steps: list[Instruction] = []
    for cycle in range(cycles):
        steps += [
            Arg(f"VERSION_{cycle}", f"1.{number}.{cycle}"),
            Env({f"GOFLAGS_{cycle}": "-mod=readonly"}),
            Workdir(f"/src/{number}/{cycle}"),
            Copy(["go.mod", "go.sum"], "./"),
            Run("go mod download", mounts=[cache]),
            Env({"PATH": f"/opt/tools-{cycle}/bin:$PATH"}),
            Copy(f"cmd/{number}", "./"),
            Run(f"go build -trimpath -o /out/app-{cycle} ./cmd/{number}", mounts=[cache]),
            Run.chain(
                "apt-get update",
                f"apt-get install --yes --no-install-recommends ca-certificates curl package-{cycle}",
                "rm -rf /var/lib/apt/lists/*",
            ),
        ]
    return steps
