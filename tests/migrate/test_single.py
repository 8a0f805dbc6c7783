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
    to = program.replace("/go/bin/", "/usr/local/bin/").replace("/usr/local/cargo/bin/", "/usr/local/bin/")
    assert f"COPY --from=build {program} {to}" in map(str, final.steps)


GO_IN_APP = "FROM golang:1.27-alpine\nENV CGO_ENABLED=0\nWORKDIR /app\n"
SERVER = "COPY . /app\nRUN go build -o /app/server .\n"
SHIPPED = [
    # A COPY of its own brings the script.
    (SERVER + 'COPY entry.sh /\nENTRYPOINT ["/entry.sh"]\nCMD ["/app/server"]\n', "alpine:3", ["COPY entry.sh /", "/app/server"]),
    ("COPY entry.sh /usr/local/bin/\n" + SERVER + 'ENTRYPOINT ["entry.sh"]\nCMD ["server"]\n', "alpine:3", ["COPY entry.sh /usr/local/bin/", "/app/server"]),
    # A RUN of the build changes it.
    ("COPY entry.sh /\nRUN chmod +x /entry.sh\n" + SERVER + 'ENTRYPOINT ["/entry.sh"]\nCMD ["/app/server"]\n', "alpine:3", ["/entry.sh", "/app/server"]),
    # It comes with the sources.
    (SERVER + 'ENTRYPOINT ["./docker/entry.sh"]\nCMD ["/app/server"]\n', "alpine:3", ["/app/docker/entry.sh", "/app/server"]),
    # It names the program itself.
    (SERVER + 'CMD ["sh", "./entry.sh"]\n', "alpine:3", ["/app/entry.sh", "/app/server"]),
    (SERVER + 'COPY docker /docker\nENTRYPOINT ["/docker/entry.sh"]\nCMD ["/app/server"]\n', "alpine:3", ["COPY docker /docker", "/app/server"]),
    # The shell is no program of the build.
    ('RUN go install .\nCMD ["/bin/sh", "-c", "exec /go/bin/srv"]\n', "alpine:3", ["/go/bin/srv"]),
    ('RUN go install .\nENTRYPOINT ["sh", "-c"]\nCMD ["umask 7; exec /go/bin/srv"]\n', "alpine:3", ["/go/bin/srv"]),
    ("RUN go build -o m ./m && go build -o s ./s\nCMD ./m up && PORT=1 exec ./s -p 80\n", "alpine:3", ["/app/s", "/app/m"]),
    ('RUN apk add tini\nRUN go build -o s\nENTRYPOINT ["/sbin/tini", "--"]\nCMD ["./s", "/data"]\n', "alpine:3", ["/app/s"]),
    # A health check in a shell, and a user by name, need more than the program.
    ('RUN go build -o s\nHEALTHCHECK CMD ./s -c\nCMD ["./s"]\n', "alpine:3", ["/app/s"]),
    ('RUN go build -o s\nUSER nobody\nCMD ["./s"]\n', "alpine:3", ["/app/s"]),
    ('RUN go build -o s\nUSER 1000\nCMD ["./s", "--port=80"]\n', "scratch", ["/app/s"]),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "base", "copies"), SHIPPED)
def test_all_that_the_command_names_is_shipped(steps: str, base: str, copies: list[str]) -> None:
    """Programs come from the build, scripts by their COPY; a script needs a shell."""
    final = split(parse(GO_IN_APP + steps)).dockerfile.stages[-1]

    assert str(final.base) == base
    assert [str(step) for step in final.steps if str(step).startswith("COPY")] == [
        each if each.startswith("COPY") else f"COPY --from=build {each} {each}" for each in copies
    ]


MAVEN = 'WORKDIR /s\nRUN mvn package\nCMD ["java", "-jar", "target/a.jar"]\n'
JAVA = [
    ("maven:3", None),
    ("gradle:8", None),
    ("gradle:8-jdk21", "21"),
    ("maven:3-jdk-17", "17"),
    ("openjdk:11", "11"),
    ("maven:3-amazoncorretto-17", "17"),
    ("eclipse-temurin:25-jdk", "25"),
    ("debian:stable\nRUN apt-get install -y openjdk-17-jdk", "17"),
]


@pytest.mark.parametrize(("base", "version"), JAVA)
def test_the_version_of_java(base: str, version: str | None) -> None:
    """Only what names Java tells its version; where nothing does, a remark says so."""
    result = split(parse(f"FROM {base}\n{MAVEN}"))

    assert str(result.dockerfile.stages[-1].base) == f"eclipse-temurin:{version or 21}-jre"
    said = f"D:1: FROM {base}: check: its Java version is not known; see that the final stage has that of the build, or a later one"
    assert (said in lines(result, "D")) == (version is None)


def test_folders_of_the_base_are_left_behind() -> None:
    """The final stage has neither the variables of the other base nor its PATH."""
    rust = split(parse('FROM rust:1\nWORKDIR $CARGO_HOME/x\nRUN cargo install --path .\nCMD ["x"]\n')).dockerfile
    go = split(parse("FROM golang:1.13-buster\nENV A=b\nWORKDIR $GOPATH/$A\nRUN make out\nCMD ./out\n")).dockerfile

    assert "COPY --from=build /usr/local/cargo/bin/x /usr/local/bin/x" in str(rust)
    assert "WORKDIR /usr/local/cargo/x" in map(str, rust.stages[-1].steps)
    assert "COPY --from=build /go/b/out /go/b/out" in str(go)
    assert str(go.stages[-1].base) == "debian:buster-slim"


@pytest.mark.parametrize("base", ["ubuntu:18.04", "alpine:3.12", "registry.example/fedora:32"])
def test_a_base_without_a_compiler_is_kept(base: str) -> None:
    """The C library is the same then."""
    assert str(split(parse(f"FROM {base}\nRUN make\nCMD /usr/bin/x\n")).dockerfile.stages[-1].base) == base


REMARKS = [
    ('RUN go build -o s\nHEALTHCHECK CMD curl -f localhost || exit 1\nCMD ["./s"]\n', "D:5: HEALTHCHECK CMD curl -f localhost || exit 1: check: see that the final stage has curl"),
    ('RUN go build -o s\nHEALTHCHECK CMD ["./s", "-check"]\nMAINTAINER a\nCMD ["./s"]\n', None),
    ('RUN go build -o s && adduser -D app\nUSER app\nCMD ["./s"]\n', "D:5: USER app: check: no step of the final stage makes the user app; make it in a RUN of its own"),
    ('RUN adduser -D app\nRUN go build -o s\nUSER app:app\nCMD ["./s"]\n', None),
    ('RUN adduser -D apple\nRUN go build -o s\nUSER app\nCMD ["./s"]\n', "D:6: USER app: check: no step of the final stage makes the user app; make it in a RUN of its own"),
    ('RUN make\nCMD ["/usr/bin/x"]\n', 'D:5: CMD ["/usr/bin/x"]: check: no step is seen to write /usr/bin/x; see that the build has it'),
    ('COPY . .\nRUN go build\nCMD ["./x"]\n', 'D:6: CMD ["./x"]: check: no step is seen to write /app/x; see that the build has it'),
    ('RUN make && cp out/x /usr/bin/x\nCMD ["/usr/bin/x"]\n', None),
    (SERVER + 'CMD ["/app/run.sh"]\n', 'D:6: CMD ["/app/run.sh"]: check: /app/run.sh names the program; see that what it runs is copied from build'),
    (SERVER + 'CMD ["/app/run.sh", "server"]\n', 'D:6: CMD ["/app/run.sh", "server"]: check: /app/run.sh may be a script; see that the final stage has the interpreter that its first line names'),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "said"), REMARKS)
def test_what_cannot_be_seen_is_said(steps: str, said: str | None) -> None:
    """A proposal that may not work says what to check."""
    checks = [line for line in lines(split(parse(GO_IN_APP + steps)), "D") if ": check: " in line]

    assert said in checks if said else not checks


REFUSED = [
    ("FROM a\nFROM b\n", "the Dockerfile has several stages; it is split already"),
    ("FROM python:3.13\nCOPY a.py /\nCMD python /a.py\n", "no step compiles anything, so nothing can be left out; keep one stage"),
    ("FROM golang\nRUN go build .\n", "neither CMD nor ENTRYPOINT names a program, so what it ships cannot be told; name it in CMD"),
    ('FROM gcc\nRUN curl -o sums x && make\nCOPY run.sh /\nCMD ["/run.sh"]\n', "what the script run.sh runs cannot be told"),
    ('FROM gcc\nRUN make\nCMD [""]\n', "neither CMD nor ENTRYPOINT names a program"),
    ('FROM golang\nRUN go build .\nCMD ["sh", "-c"]\n', "neither CMD nor ENTRYPOINT names a program, so what it ships cannot be told; name it in CMD"),
    ("FROM golang\nRUN go build .\nCMD 'api\n", "\"'api\" has an open quote; close it"),
    ('FROM gcc\nRUN make\nCOPY run.sh /\nCMD ["/run.sh"]\n', "what the script run.sh runs cannot be told; write its path into CMD or ENTRYPOINT"),
    ("FROM golang\nRUN go build .\nCMD api\n", "no step is seen to write api; write its path into CMD or ENTRYPOINT"),
    ('FROM gcc\nRUN make\nCMD ["x"]\n', "no step is seen to write x; write its path into CMD or ENTRYPOINT"),
    ('FROM python:3.13\nRUN apt-get install -y gcc\nENTRYPOINT ["/usr/bin/python3.13", "a.py"]\n', "python3.13 runs the program, so no step compiles that; keep one stage, or"),
    ("FROM node\nRUN make\nCMD npm start\n", "npm runs the program, so no step compiles that; keep one stage, or compile what it imports in a stage of its own"),
    ("FROM golang\nCOPY . .\nCMD go run main.go\n", "go run compiles each time that the container starts; compile with RUN go build -o PATH, and name"),
    ('FROM gcc\nWORKDIR $A/b\nRUN make\nCMD ["./x"]\n', "which folder WORKDIR $A/b is cannot be seen; write it without variables"),
    ("FROM maven\nRUN mvn package\nCMD java Main\n", "java is given no .jar or .dll; name the file in CMD"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_cannot_be_split_is_refused(text: str, said: str) -> None:
    """The message says why, and what to do."""
    with pytest.raises(SourceError, match="migrate --single: ") as caught:
        split(parse(text, "D"))

    assert said in str(caught.value)
    assert str(caught.value.origin).startswith("D:")


def test_a_refusal_has_the_line_and_its_remedy_works() -> None:
    """The error is at the instruction that names the program; with a path there, it is proposed."""
    text = "FROM gcc\nWORKDIR /s\nRUN make\n"
    with pytest.raises(SourceError, match="write its path into CMD") as caught:
        split(parse(f'{text}CMD ["x"]\n', "D"))
    result = split(parse(f'{text}CMD ["/s/x"]\n')).dockerfile

    assert "D:4" == str(caught.value.origin)
    assert "COPY --from=build /s/x /s/x" in str(result)


@pytest.mark.engine
def test_a_split_image_with_a_script_answers(tmp_path: Path, tag: str) -> None:
    """The script of ENTRYPOINT starts the program of CMD."""
    script = '#!/bin/sh\nexec "$@"\n'
    steps = SERVER + 'COPY --chmod=755 entry.sh /\nEXPOSE 8080\nENTRYPOINT ["/entry.sh"]\nCMD ["/app/server"]\n'
    text = GO_IN_APP + steps
    for name, content in {**GO, "Dockerfile": text, "entry.sh": script}.items():
        tmp_path.joinpath(name).write_text(content)
    done = migrate(tmp_path, "--single", ".")
    assert done.returncode == 0, done.stderr
    made = made_in(tmp_path)
    made.write_text(made.read_text().replace("alpine:3", "busybox:1.37"))

    image = load(str(made), Image)
    image.build(tags=[tag])
    report = attrs.evolve(image, checks=[HttpCheck("GET", "/", body="no page\n")]).test()

    assert report.ok, report


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
