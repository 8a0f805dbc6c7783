"""The large build as a user of hpccm writes it; ARG is raw text."""

import hpccm  # type: ignore[import-not-found]  # not installed where the types are checked
from hpccm.primitives import (  # type: ignore[import-not-found]  # the same
    baseimage,
    copy,
    environment,
    raw,
    runscript,
    shell,
    workdir,
)

CACHE = "--mount=type=cache,target=/root/.cache/go-build"


def many(stages: int, cycles: int) -> str:
    """Make and render the build."""
    made = []
    for number in range(stages - 1):
        stage = hpccm.Stage()
        stage += baseimage(image="golang:1.27-alpine", _as=f"part-{number}", _distro="ubuntu")
        _cycles(stage, number, cycles)
        made.append(stage)
    last = hpccm.Stage()
    last += baseimage(image="debian:13-slim", _as="all", _distro="ubuntu")
    for stage in made:
        last += copy(_from=stage.name, src="/out/app", dest=f"/opt/{stage.name}")
    _cycles(last, stages, cycles)
    last += runscript(commands=["/opt/part-0 --serve"])
    return "\n\n".join([str(stage) for stage in [*made, last]])


def _cycles(stage: hpccm.Stage, number: int, cycles: int) -> None:
    for cycle in range(cycles):
        stage += raw(docker=f"ARG VERSION_{cycle}=1.{number}.{cycle}")
        stage += environment(variables={f"GOFLAGS_{cycle}": "-mod=readonly"})
        stage += workdir(directory=f"/src/{number}/{cycle}")
        stage += copy(src=["go.mod", "go.sum"], dest="./")
        stage += shell(commands=["go mod download"], _arguments=CACHE)
        stage += environment(variables={"PATH": f"/opt/tools-{cycle}/bin:$PATH"})
        stage += copy(src=f"cmd/{number}", dest="./")
        stage += shell(commands=[f"go build -trimpath -o /out/app-{cycle} ./cmd/{number}"], _arguments=CACHE)
        stage += shell(
            commands=[
                "apt-get update",
                f"apt-get install --yes --no-install-recommends ca-certificates curl package-{cycle}",
                "rm -rf /var/lib/apt/lists/*",
            ]
        )
