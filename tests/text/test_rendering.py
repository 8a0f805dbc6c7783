"""Rendering: the text, and where each of its lines comes from."""

from __future__ import annotations

from dockdsl import Arg, Cache, Comment, Copy, Dockerfile, Entrypoint, Env, Run, Stage, render, render_with_map

LONG = (
    "apt-get update && apt-get install -y --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/*"
)


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


def test_rendering_is_deterministic() -> None:
    """The same value gives the same text, every time."""
    dockerfile = Dockerfile(Stage("a", steps=[Env({"B": "1", "A": "2"}), Copy(["x", "y"], "/z/")]))

    assert render(dockerfile) == render(dockerfile) == str(dockerfile)
