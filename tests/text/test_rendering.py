"""Rendering: the text, and where each of its lines comes from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dockdsl import Arg, Cache, Comment, Copy, Dockerfile, Entrypoint, Env, Run, Stage, render, render_with_map

LONG = (
    "apt-get update && apt-get install -y --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/*"
)

BUILDS = sorted(Path(__file__).parents[2].joinpath("builds").glob("*.py"))
OUTPUT = """
import sys
from dockdsl import Dockerfile, describe, render, to_python
from dockdsl.selection import load
for path in sys.argv[1:]:
    dockerfile = load(path, Dockerfile)
    for output in (render, describe, to_python):
        print("an output:", output(dockerfile))
"""
"""Prints all that is made of the Dockerfiles of build files."""


def test_output_is_what_a_person_would_write() -> None:
    """Stages are separated by a blank line, flags are in the order of the reference, long lines are broken."""
    cache = Cache("/var/cache/apt", sharing="locked")
    build = Stage(
        "debian:13-slim",
        "build",
        comment="Everything that is needed to compile.",
        steps=[
            Env({"DEBIAN_FRONTEND": "noninteractive"}),
            Comment("One layer, and no lists in it."),
            Run(LONG, mounts=[cache]),
            Run.chain("make", "make install"),
        ],
    )
    final = Stage("scratch", steps=[Copy("/out", "/", link=True, chown="1:1", from_=build), Entrypoint.exec("/app")])

    assert render(Dockerfile(final, args=[Arg("VERSION", "1")])) == (
        "ARG VERSION=1\n"
        "\n"
        "# Everything that is needed to compile.\n"
        "FROM debian:13-slim AS build\n"
        "ENV DEBIAN_FRONTEND=noninteractive\n"
        "# One layer, and no lists in it.\n"
        "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\\n"
        "    apt-get update && \\\n"
        "    apt-get install -y --no-install-recommends ca-certificates curl && \\\n"
        "    rm -rf /var/lib/apt/lists/*\n"
        "RUN make && \\\n"
        "    make install\n"
        "\n"
        "FROM scratch\n"
        "COPY --from=build --chown=1:1 --link /out /\n"
        'ENTRYPOINT ["/app"]\n'
    )


def test_each_line_knows_its_origin() -> None:
    """The map has one entry a line: the instruction's place, or None for a blank line."""
    first = Run.script("echo one\necho two")
    stage = Stage("a", "b", comment="why", steps=[first])
    dockerfile = Dockerfile(stage, escape="`")
    text, origins = render_with_map(dockerfile)

    assert render(dockerfile) == text
    assert text.count("\n") == len(origins)
    assert [
        dockerfile.origin,
        None,
        stage.origin,
        stage.origin,
        *[first.origin] * 5,
    ] == list(origins)


def test_output_does_not_depend_on_hashes() -> None:
    """Processes that hash text differently render the build files, describe them and write them as Python alike."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", OUTPUT, *BUILDS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }

    assert 1 == len(outputs)
    assert 3 * len(BUILDS) == outputs.pop().count("an output:")
