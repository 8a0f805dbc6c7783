"""The large build as a user of docker-dsl writes it: the module runs again for each rendering."""

from docker_dsl import Stage  # type: ignore[import-not-found]  # not installed where the types are checked
from docker_dsl import context as ctx

ctx.register("stages", int)
ctx.register("cycles", int)


def _cycles(stage: Stage, number: int, cycles: int) -> None:
    for cycle in range(cycles):
        stage.arg(f"VERSION_{cycle}", f"1.{number}.{cycle}")
        stage.env({f"GOFLAGS_{cycle}": "-mod=readonly"})
        stage.workdir(f"/src/{number}/{cycle}")
        stage.copy("go.*", "./")
        with stage.cache("/root/.cache/go-build"):
            stage.run("go mod download")
        stage.env({"PATH": f"/opt/tools-{cycle}/bin:$PATH"})
        stage.copy(f"cmd/{number}", "./")
        with stage.cache("/root/.cache/go-build"):
            stage.run(f"go build -trimpath -o /out/app-{cycle} ./cmd/{number}")
        stage.run(
            "apt-get update",
            "&&",
            f"apt-get install --yes --no-install-recommends ca-certificates curl package-{cycle}",
            "&&",
            "rm -rf /var/lib/apt/lists/*",
        )


made = []
for part in range((ctx.stages or 1) - 1):
    with Stage("golang:1.27-alpine", name=f"part-{part}") as each:
        _cycles(each, part, ctx.cycles)
    made.append(each)

with Stage("debian:13-slim", name="all") as last:
    for each in made:
        last.copy("/out/app", f"/opt/{each.name}", stage=each)
    _cycles(last, ctx.stages or 1, ctx.cycles or 0)
    last.entrypoint("/opt/part-0", "--serve")
