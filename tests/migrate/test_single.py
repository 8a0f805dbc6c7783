"""A Dockerfile with its toolchain left in, as two stages."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from dockdsl import HttpCheck, Image, parse
from dockdsl.errors import SourceError
from dockdsl.migrate.single import lines, split
from dockdsl.selection import load
from tests.engine.helpers import docker
from tests.migrate.sets import GO
from tests.migrate.test_sets import files_of, made_in, migrate

SINGLE = """\
FROM golang:1.27-alpine
RUN adduser -D -u 1000 app
ENV CGO_ENABLED=0
ENV PORT=8080
WORKDIR /app
COPY . .
RUN go build -o server .
COPY page.txt /srv/
EXPOSE 8080
USER app
CMD ["./server"]
"""


def test_each_line_has_its_reason() -> None:
    """What compiles stays behind, what runs is shipped, and each line says why."""
    result = split(parse(SINGLE))

    assert str(result.dockerfile) == (
        "FROM golang:1.27-alpine AS build\nRUN adduser -D -u 1000 app\nENV CGO_ENABLED=0\nENV PORT=8080\nWORKDIR /app\n"
        "COPY . .\nRUN go build -o server .\n\n"
        "FROM alpine:3 AS final\nRUN adduser -D -u 1000 app\nENV PORT=8080\nWORKDIR /app\nCOPY page.txt /srv/\n"
        'COPY --from=build /app/server /app/server\nEXPOSE 8080\nUSER app\nCMD ["./server"]\n'
    )
    assert [*lines(result, "D")] == [
        "D:2: RUN adduser -D -u 1000 app: both: the user of the program",
        "D:3: ENV CGO_ENABLED=0: build: it is about the compiler",
        "D:4: ENV PORT=8080: both: the program may read it",
        "D:5: WORKDIR /app: both: paths are relative to it",
        "D:6: COPY . .: build: sources; copy from build what the program reads when it runs",
        "D:7: RUN go build -o server .: build: it compiles",
        "D:8: COPY page.txt /srv/: final: nothing that compiles comes behind it, so it is read when the program runs",
        "D:9: EXPOSE 8080: final: it says how the image runs",
        "D:10: USER app: final: it says how the image runs",
        'D:11: CMD ["./server"]: final: it says how the image runs',
        "D: the final stage is based on alpine:3; see that it has the C library that the build has",
    ]


BASES = [
    ('FROM golang:1.27\nRUN CGO_ENABLED=0 go build -o /api .\nENTRYPOINT ["/api"]\n', "scratch", "/api"),
    ("FROM golang:1.27-bookworm\nRUN go install .\nCMD exec api -v\n", "debian:bookworm-slim", "/go/bin/api"),
    ('FROM rust:1.90\nWORKDIR /s\nRUN cargo build --release\nCMD ["target/release/api"]\n', "debian:stable-slim", "/s/target/release/api"),
    ('FROM maven:3.9-eclipse-temurin-21\nWORKDIR /s\nRUN mvn package\nCMD ["java", "-jar", "target/a.jar"]\n', "eclipse-temurin:21-jre", "/s/target/a.jar"),
    ('FROM example.com/dotnet/sdk:9.0\nRUN dotnet publish -o /out\nCMD ["dotnet", "/out/A.dll"]\n', "example.com/dotnet/aspnet:9.0", "/out/"),
    ('FROM gcc:15\nCOPY a.c .\nRUN gcc -o /usr/local/bin/a a.c\nCMD ["a"]\n', "debian:stable-slim", "/usr/local/bin/a"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "base", "program"), BASES)
def test_bases_and_programs(text: str, base: str, program: str) -> None:
    """The final stage has the base that fits the toolchain, and what the image runs."""
    final = split(parse(text)).dockerfile.stages[-1]

    assert str(final.base) == base
    assert f"COPY --from=build {program} {program}" in map(str, final.steps)


REFUSED = [
    ("FROM a\nFROM b\n", "the Dockerfile has several stages; it is split already"),
    ("FROM python:3.13\nCOPY a.py /\nCMD python /a.py\n", "no step compiles anything, so nothing can be left out; keep one stage"),
    ("FROM golang\nRUN go build .\n", "it has neither CMD nor ENTRYPOINT, so what it ships cannot be told; add one"),
    ("FROM golang\nRUN go build .\nCMD api\n", "no step that compiles writes api; write its path into CMD or ENTRYPOINT"),
    ("FROM maven\nRUN mvn package\nCMD java Main\n", "java is given no .jar or .dll; name the file in CMD"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_cannot_be_split_is_refused(text: str, said: str) -> None:
    """The message says why, and what to do."""
    with pytest.raises(SourceError, match="migrate --single: ") as caught:
        split(parse(text))

    assert said in str(caught.value)


@pytest.mark.engine
def test_the_split_image_answers(tmp_path: Path, tag: str) -> None:
    """The program of the proposal answers as before, and the compiler is left behind."""
    for name, text in {
        **GO,
        "Dockerfile": SINGLE.replace("CMD", "# It has no users.\nCMD"),
        "page.txt": "single\n",
    }.items():
        tmp_path.joinpath(name).write_text(
            text.replace("RUN adduser -D -u 1000 app\n", "").replace("USER app", "USER 1000")
        )
    done = migrate(tmp_path, "--single", ".")
    assert done.returncode == 0, done.stderr

    image = load(str(made_in(tmp_path)), Image)
    image.build(tags=[tag])
    report = attrs.evolve(image, checks=[HttpCheck("GET", "/", body="single\n")]).test()

    assert report.ok, report
    assert not [name for name in files_of(tag) if name.startswith("usr/local/go")]
    assert int(docker("image", "inspect", "--format", "{{.Size}}", tag)) < 20_000_000
