"""The rules that look at the build context, at stages and at files: verified cases, and their look-alikes."""

from __future__ import annotations

import cProfile
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockdsl import Copy, Dockerfile, Expose, Image, Stage, check
from dockdsl.context.sending import BuildContext
from dockdsl.lint.build import Build
from dockdsl.lint.checking import Checking
from dockdsl.lint.finding import Finding
from dockdsl.lint.rules import rules
from tests.corpora import CASES
from tests.lint.planting import build, plant
from tests.lint.test_check import check as run


def found(text: str, how: Build) -> list[Finding]:
    """Return what is found in a Dockerfile."""
    return Checking("Dockerfile").text(text, build=how)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The verified cases, with their judges."""
    folder = tmp_path_factory.mktemp("cases")
    with tarfile.open(CASES / "build" / "cases.tar.gz") as archive:
        archive.extractall(folder, filter="tar")
    return folder / "open"


def answers(cases: Path, kind: str) -> Iterator[tuple[dict[str, Any], list[Finding]]]:
    """Yield each case with what is found in it."""
    for path in sorted(cases.glob(f"{kind}/*/expect.json")):
        case = json.loads(path.read_text())
        dockerfile = path.parent / case["dockerfile"]
        targets = tuple(case.get("targets") or ("",))
        context = BuildContext.of(path.parent / case["context"], dockerfile=str(dockerfile))
        how = Build(context, targets=targets, is_all=bool(case.get("targets")), args=case.get("build_args") or {})
        checked = Checking(str(dockerfile)).text(dockerfile.read_text(), build=how)
        yield case, [each for each in checked if each.reason is None]


def judged(cases: Path, judge: str, *arguments: str) -> str:
    """Return the last line that a judge prints."""
    command = [sys.executable, str(cases / judge), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


@pytest.mark.corpora
def test_the_verified_cases(cases: Path, tmp_path: Path) -> None:
    """Nothing is missed, and nothing else is found, in cases whose right answers an engine gave."""
    rows = {
        case["id"]: [{"kind": each.rule, "line": each.line} for each in checked]
        for case, checked in answers(cases, "context_cases")
    }
    names: dict[str, list[str]] = {}
    for rule in rules():
        for alias in rule.aliases:
            names.setdefault(alias, []).append(rule.name)
    tmp_path.joinpath("found.json").write_text(json.dumps(rows))
    tmp_path.joinpath("names.json").write_text(json.dumps(names))
    told = judged(
        cases,
        "judge_context.py",
        str(tmp_path / "found.json"),
        "--names",
        str(tmp_path / "names.json"),
        "--strict-hints",
    )

    assert "46 cases, 0 missed, 0 false alarms, 22 of 22 clean cases quiet\n" in told


# What cannot be told without an engine: the platform of an image.
UNKNOWN = {"28-base-of-other-platform-second-stage"}


@pytest.mark.corpora
def test_the_checks_of_buildkit_with_a_context(cases: Path, tmp_path: Path) -> None:
    """With the context, BuildKit's rules say what BuildKit says."""
    rows = {
        case["id"]: [{"rule": each.rule, "line": each.line} for each in checked]
        for case, checked in answers(cases, "buildkit_checks")
    }
    tmp_path.joinpath("found.json").write_text(json.dumps(rows))
    told = judged(cases, "judge_checks.py", str(tmp_path / "found.json"), "--newest")
    failed = {line.split()[1] for line in told.splitlines() if line.startswith("FAIL")}

    assert UNKNOWN == failed, told


GO = "go.mod: module example.org/app\\n\\ngo 1.27\n"
NET = 'main.go: package main\\nimport (\\n\\t"net"\\n)\\nfunc main() { println(net.IPv4len) }\n'
ON_SCRATCH = "\nFROM scratch\nCOPY --from=build /app /app\n"
BUILD = "FROM golang:1.27 AS build\nWORKDIR /src\nCOPY . .\n"

# Rule, files, Dockerfile, and the lines where the rule finds something.
LOOK_ALIKES = [
    ("CopySourceMissing", "a", "FROM x\nCOPY A /\nCOPY a/ /b\nCOPY a/x /\n", [2, 4]),
    ("CopySourceMissing", "v1/x", "FROM x\nARG V\nCOPY ${V:-v1}/x $V/y /\nCOPY ${V:-v2}/x /\n", [4]),
    ("CopySourceMissing", "a b", 'FROM x\nCOPY ["a b", "/"]\nCOPY a b /\n', [3, 3]),
    ("CopySourceMissing", "a", "FROM x\nARG TARGETARCH\nCOPY app-$TARGETARCH /\nONBUILD COPY x /\n", []),
    ("CopySourceMissing", "a", "FROM x\nRUN --mount=type=bind,source=b,target=/b --mount=target=/c x\n", [2]),
    ("CopySourceMissing", "a", "FROM x\nADD https://example.org/x git@example.org:x.git /\nCOPY --from=y /z /\n", []),
    ("CopySourceMissing", "l -> ../out\n../out", "FROM x\nCOPY l /\nCOPY . /\n", [2]),
    ("CopySourceMissing", "d/l -> nothing\nl -> d/l", "FROM x\nCOPY d /d\nCOPY l /\n", [3]),
    ("CopySourceMissing", "c -> c\nd/a\nl -> d", "FROM x\nCOPY c /\nCOPY l/a l/../d/a /\n", [2]),
    ("CopySourceIgnored", "a/b\n.dockerignore: *\\n!a", "FROM x\nCOPY a /a\nCOPY a/b /\n", []),
    ("CopySourceIgnored", "a/b\n.dockerignore: !a\\n*", "FROM x\nCOPY a /a\nCOPY . /\n", [2, 3]),
    ("CopySourceIgnored", "a/b\n.dockerignore: a/**", "FROM x\nCOPY a /a\n", [2]),
    ("CopySourceIgnored", "a/\n.dockerignore: a/**", "FROM x\nCOPY a /a\n", []),
    ("CopySourceIgnored", "a\nd/a\n.dockerignore: a", "FROM x\nCOPY d/a /\nCOPY --from=y a /a\n", []),
    ("CopySourceIgnored", "l -> a\na\n.dockerignore: a", "FROM x\nCOPY l /\n", [2]),
    ("CopySourceIgnored", "a\n.dockerignore: a", "FROM x\nRUN --mount=type=bind,source=a,target=/a x\n", [2]),
    ("WildcardMatchesNothing", "a.x\nd/", "FROM x\nCOPY *.y *.z /\nCOPY *.y a.x /\nCOPY d/*.y /\n", [2, 4]),
    ("WildcardMatchesNothing", "a.x", "FROM x\nARG V\nCOPY *.$V /\nCOPY --parents **/*.z /\n", []),
    ("WildcardMatchesNothing", "d/e/a.x\n.env", "FROM x\nCOPY d/*/*.x /\nCOPY */a.x /\nCOPY .* ?env /\n", [3]),
    ("SourcesOverwriteOneFile", "a\nb", "FROM alpine\nCOPY a b /x\nCOPY a b /etc\nCOPY a b .\n", [2]),
    ("SourcesOverwriteOneFile", "a\nb", "FROM alpine\nWORKDIR /x\nCOPY a b /x\nCOPY a b ../x\nCOPY a b y\n", [5]),
    ("SourcesOverwriteOneFile", "a\nb", "FROM alpine\nRUN mkdir -p /x/y\nCOPY a b /x\nCOPY a b /x/y\n", []),
    ("SourcesOverwriteOneFile", "a\nb", "FROM alpine\nRUN apk add x\nCOPY a b /x\nFROM nginx\nCOPY a b /x\n", []),
    ("SourcesOverwriteOneFile", "a\nd/b", "FROM alpine\nCOPY d /x\nCOPY a d/b /x\nCOPY a d /y\n", []),
    ("SourcesOverwriteOneFile", "a\nb", "FROM scratch AS s\nCOPY a b /\nFROM alpine\nCOPY --from=s /a /b /x\n", [4]),
    ("SourcesOverwriteOneFile", "a\nb", "FROM alpine AS s\nCOPY a /\nRUN b\nFROM alpine\nCOPY --from=s /a /b /x\n", []),
    ("SourcesOverwriteOneFile", "a.tar\nb.tar", "FROM alpine\nADD a.tar b.tar /x\nCOPY a.tar b.tar /x\n", []),
    ("SourcesOverwriteOneFile", "a", "FROM scratch\nCOPY <<A <<B /x\na\nA\nb\nB\nCOPY a /x\n", [2]),
    ("DestinationIsAFile", "a\nb", "FROM scratch\nCOPY a /x\nCOPY b /x\nCOPY b /x/y\nWORKDIR /x/z\n", [4]),
    ("DestinationIsAFile", "a\nb", "FROM alpine\nCOPY a /x\nRUN rm /x\nCOPY b /x/\n", []),
    ("DestinationIsAFile", "a\nb", "FROM alpine\nCOPY a /x\nRUN apk add y\nCOPY b /x/\n", [4]),
    ("DestinationIsAFile", "a\nd/b", "FROM scratch\nCOPY d a /x\nCOPY d /x\nCOPY a /x/a\n", []),
    ("DestinationIsAFile", "a\nb", "FROM nginx\nCOPY a /etc/nginx\nCOPY b /etc/nginx/\n", []),
    ("DestinationIsAFile", "a\nb", "FROM alpine AS one\nCOPY a /x\nFROM one\nWORKDIR /x\n", [4]),
    ("DestinationIsAFile", "a\nd/b", "FROM alpine\nCOPY a /x\nCOPY d /x\n", [3]),
    ("FolderCopiedToFileName", "d/a\nmain.go", "FROM x\nCOPY d /main.go\nCOPY main.go /main.go\nCOPY . /x.go\n", [2]),
    ("FolderCopiedToFileName", "d/a", "FROM x\nCOPY d /conf.d\nCOPY d /v1.2\nCOPY d /example.com\nCOPY d /a.go/\n", []),
    ("GoModNewerThanBuilder", "go.mod: go 1.28", "FROM golang:1.27.3\nCOPY . .\nRUN go build\n", [1]),
    (
        "GoModNewerThanBuilder",
        "go.mod: go 1.28",
        "FROM golang:1.27\nCOPY . .\nENV GOTOOLCHAIN=auto\nRUN go build\n",
        [],
    ),
    (
        "GoModNewerThanBuilder",
        "go.mod: go 1.28",
        "FROM golang:1.27\nCOPY . .\nRUN go mod edit -go=1.27 && go build\n",
        [],
    ),
    ("GoModNewerThanBuilder", "go.mod: go 1.28", "FROM golang:1\nCOPY . .\nRUN go build\nFROM golang:1.20\n", []),
    (
        "GoModNewerThanBuilder",
        "go.mod: go 1.27\\n\\ntoolchain go1.28",
        "FROM golang:1.27\nCOPY . .\nRUN go build\n",
        [],
    ),
    ("GoModNewerThanBuilder", "go.mod: go 1.27.9", "FROM golang:1.27\nCOPY . .\nRUN go build\n", []),
    ("GoModNewerThanBuilder", "go.mod: go 1.27.9", "FROM golang:1.27.3-alpine\nCOPY . .\nRUN go build\n", [1]),
    ("GoModNewerThanBuilder", "go.mod: go 1.27\ngo.work: go 1.28", "FROM golang:1.27\nCOPY . .\nRUN go build\n", [1]),
    (
        "GoModNewerThanBuilder",
        "x/go.mod: go 1.28",
        "FROM golang:1.27\nCOPY . .\nRUN go version\nRUN cd x && go test\n",
        [1],
    ),
    ("GoModNewerThanBuilder", "go.mod: go 1.28", "FROM golang:1.27\nCOPY . .\nRUN go install example.org/x@v1\n", []),
    ("GoModNewerThanBuilder", "go.mod: go 1.28", "FROM golang:1.27\nRUN --mount=target=. go build -o /x\n", [1]),
    ("CacheBrokenByCopy", "a", "FROM x\nCOPY ./ .\nRUN python -m pip install -U pip && pip install -r a\n", [2]),
    ("CacheBrokenByCopy", "a", "FROM x\nADD . /a\nRUN --mount=type=cache,target=/g ./gradlew dependencies\n", [2]),
    ("CacheBrokenByCopy", "a", "FROM x\nCOPY . .\nRUN npm ci && npm run build\nRUN pip install .\n", []),
    ("CacheBrokenByCopy", "go.mod\ngo.sum", "FROM x\nCOPY . .\nRUN go mod download\n", []),
    ("CacheBrokenByCopy", "a", "FROM x\nCOPY a .\nRUN npm ci\nCOPY . .\nRUN npm ci --omit=dev\n", []),
    ("CacheBrokenByCopy", "a", "FROM x\nCOPY --from=y . .\nRUN npm ci\nRUN npm install -g n\n", []),
    ("CgoBinaryOnScratch", GO + NET, BUILD + "RUN go build -o /app ." + ON_SCRATCH, [6]),
    ("CgoBinaryOnScratch", GO + NET, BUILD + "RUN go build -tags netgo -o /app ." + ON_SCRATCH, []),
    ("CgoBinaryOnScratch", GO + NET, BUILD + "RUN GOARCH=$TARGETARCH go build -o /app ." + ON_SCRATCH, []),
    ("CgoBinaryOnScratch", GO + NET, BUILD + "ENV CGO_ENABLED=0\nRUN go build -o /app ." + ON_SCRATCH, []),
    ("CgoBinaryOnScratch", GO + NET, BUILD + "RUN go -C /src build -o / ." + ON_SCRATCH, [6]),
    ("CgoBinaryOnScratch", GO + NET, BUILD + "RUN go build -o $OUT/app ." + ON_SCRATCH, []),
    ("CgoBinaryOnScratch", GO + NET, BUILD + "RUN go build -o /other ." + ON_SCRATCH, []),
    (
        "CgoBinaryOnScratch",
        GO + NET,
        BUILD + "RUN go build -o /app ." + ON_SCRATCH + "COPY --from=build /lib /lib\n",
        [],
    ),
    ("CgoBinaryOnScratch", GO + NET, BUILD + "RUN go build -o /app .\nFROM debian\nCOPY --from=build /app /app\n", []),
    (
        *(
            "CgoBinaryOnScratch",
            GO + NET.replace("main.go", "net_test.go") + "main.go: package main\\nfunc main() {}\n",
        ),
        *(BUILD + "RUN go build -o /app ." + ON_SCRATCH, []),
    ),
    (
        "CgoBinaryOnScratch",
        GO + NET.replace("main.go", "x/x.go") + 'cmd/a/a.go: package main\\nimport "example.org/app/x"\n',
        BUILD + "RUN go build -o /app ./cmd/a" + ON_SCRATCH,
        [6],
    ),
    (
        "CgoBinaryOnScratch",
        GO + 'main.go: package main // import "net"\n',
        BUILD + "RUN go build -o /app" + ON_SCRATCH,
        [],
    ),
    ("ShellFormWithoutShell", "a", "FROM scratch\nRUN a\nENTRYPOINT a\nHEALTHCHECK NONE\n", [2, 3]),
    ("ShellFormWithoutShell", "a", 'FROM scratch\nENTRYPOINT ["/a"]\nCMD a b\n', []),
    (
        "ShellFormWithoutShell",
        "bash",
        'FROM scratch\nCOPY bash /bin/\nSHELL ["/bin/bash", "-c"]\nCMD a\nHEALTHCHECK CMD a\n',
        [5],
    ),
    ("ShellFormWithoutShell", "bin/sh", "FROM scratch\nCMD a\nCOPY bin/sh /bin/\n", []),
    ("ShellFormWithoutShell", "a", "FROM scratch\nADD https://example.org/x.tar /\nCMD a\n", []),
    (
        "ShellFormWithoutShell",
        "a",
        "FROM gcr.io/distroless/base:debug\nCMD a\nFROM gcr.io/distroless/base\nCMD a\n",
        [4],
    ),
    ("ShellFormWithoutShell", "a", "FROM scratch\nRUN --mount=from=busybox,target=/bin a\n", []),
    ("ShellFormWithoutShell", "a", "FROM scratch AS base\nCMD a\nFROM base\nCOPY --from=busybox /bin /bin\n", []),
    ("NamedUserOnScratch", "passwd: app:x:1:1::/:", "FROM scratch\nCOPY passwd /etc/passwd\nUSER app\n", []),
    ("NamedUserOnScratch", "passwd: www:x:1:1::/:", "FROM scratch\nCOPY passwd /etc/passwd\nUSER app\n", [3]),
    ("NamedUserOnScratch", "a", "FROM scratch\nUSER app\nUSER 1000\nFROM scratch\nUSER 1:app\n", [5]),
    (
        "NamedUserOnScratch",
        "a",
        "FROM gcr.io/distroless/static\nUSER nonroot\nFROM gcr.io/distroless/static\nUSER x\n",
        [4],
    ),
    ("NamedUserOnScratch", "a", "FROM scratch\nCOPY --from=alpine /etc/ /etc/\nUSER app\n", []),
    ("SecretFileCopied", ".env: A=\n.env.example: A=1\nid_rsa.pub: ssh-rsa x", "FROM x\nCOPY . /\n", []),
    ("SecretFileCopied", "test/a.pem: -----BEGIN PRIVATE KEY-----\n.git/HEAD", "FROM x\nCOPY . /\n", [2]),
    ("SecretFileCopied", "a.pem: -----BEGIN CERTIFICATE-----\n.npmrc: _authToken=${T}", "FROM x\nCOPY . /\n", []),
    ("SecretFileCopied", ".npmrc: //r/:_authToken=abc", "FROM x AS a\nCOPY . /\nFROM x\nCOPY --from=a /x /\n", []),
    ("SecretFileCopied", "d/.npmrc: //r/:_authToken=abc", "FROM x AS a\nCOPY d /d\nFROM a\nCOPY d/.npmrc /\n", [2, 4]),
    ("SecretFileCopied", "prod.env: DB_PASSWORD=x\ndev.env: DEBUG=1", "FROM x\nCOPY prod.env /\nCOPY dev.env /\n", [2]),
    ("SecretFileCopied", "deploy_key: -----BEGIN OPENSSH PRIVATE KEY-----\nmonkey: x", "FROM x\nCOPY d* m* /\n", [2]),
    ("SecretFileCopied", "d/k.pem: -----BEGIN RSA PRIVATE KEY-----", "FROM x\nCOPY --exclude=*.pem d /\n", []),
    ("StageCopiesPathNeverMade", "a", "FROM scratch AS s\nCOPY a /x/\nFROM y\nCOPY --from=s /x/a /x/b /\n", [4]),
    ("StageCopiesPathNeverMade", "a", "FROM scratch AS s\nCOPY --from=y /z /x\nFROM y\nCOPY --from=s /x/b /\n", []),
    ("StageCopiesPathNeverMade", "a", "FROM scratch AS s\nCOPY $A /x\nFROM y\nCOPY --from=s /x/b /\n", []),
    ("StageCopiesPathNeverMade", "a", "FROM scratch AS s\nFROM y\nRUN --mount=from=s,source=/b,target=/b x\n", []),
    ("StageCopiesPathNeverMade", "a", "FROM scratch AS s\nWORKDIR /a\nFROM y\nRUN --mount=from=s,source=/b x\n", [4]),
    ("StageCopiesPathNeverMade", "d/l -> a", "FROM scratch AS s\nCOPY d /\nFROM y\nCOPY --from=s /l /l/x /\n", []),
    ("ArgLostBetweenStages", "a", "ARG V=1\nFROM alpine\nRUN echo '$V' \\$V ${V:-2} # $V\n", []),
    ("ArgLostBetweenStages", "a", "ARG V=1\nFROM alpine\nRUN V=2; echo $V\nRUN read -r V && echo $V\n", []),
    ("ArgLostBetweenStages", "a", 'ARG V=1\nFROM alpine\nRUN echo "it\'s $V"\nRUN cat <<E\n$V\nE\n', [3, 4]),
    ("ArgLostBetweenStages", "a", 'ARG V=1\nFROM alpine\nRUN cat <<"E"\n$V\nE\nRUN . /etc/os-release; echo $V\n', []),
    (
        "ArgLostBetweenStages",
        "a",
        "ARG NODE_VERSION=1\nFROM node:$NODE_VERSION\nRUN echo $NODE_VERSION $TARGETOS\n",
        [3],
    ),
    ("ArgLostBetweenStages", "a", "ARG JAVA_VERSION=1\nFROM eclipse-temurin:1\nRUN echo $JAVA_VERSION\n", []),
    (
        "ArgLostBetweenStages",
        "a",
        "ARG APP_VERSION=1\nFROM x\nRUN echo $APP_VERSION\nFROM golang\nRUN $APP_VERSION\n",
        [5],
    ),
    ("ArgLostBetweenStages", "a", "FROM a AS b\nARG V=1\nFROM c\nRUN echo $V\nFROM b\nRUN echo $V\n", [4]),
    (
        "CacheMountNotShared",
        "a",
        "FROM golang:1\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\nRUN go build\n",
        [3],
    ),
    (
        "CacheMountNotShared",
        "a",
        """FROM golang:1
RUN --mount=type=cache,target=/go,id=x go mod download
RUN --mount=type=cache,id=x,target=/go/ go build
""",
        [],
    ),
    ("CacheMountNotShared", "a", "FROM golang:1\nRUN --mount=type=cache,target=/x go mod download\nRUN go build\n", []),
    (
        "CacheMountNotShared",
        "a",
        """FROM node
WORKDIR /app
RUN --mount=type=cache,target=/root/.npm npm ci
RUN npm run build
RUN --mount=type=cache,target=node_modules npm test
""",
        [5],
    ),
    (
        "AptListsLeft",
        "a",
        "FROM debian AS a\nRUN apt-get update\nFROM debian\nRUN apt-get -qq update; rm -r /var/lib/apt\n",
        [],
    ),
    ("AptListsLeft", "a", "FROM debian AS a\nRUN apt update\nFROM a\nRUN rm -rf /var/lib/apt/lists\n", [2]),
    (
        "AptListsLeft",
        "a",
        """FROM debian
RUN --mount=type=tmpfs,target=/var/lib/apt/lists apt-get update
RUN --mount=type=cache,target=/var/cache/apt apt-get update
""",
        [3],
    ),
    ("LinkLeavesContext", "d/l -> /usr/bin/env\nd/m -> ../a\na", "FROM x\nCOPY d /d\n", []),
    ("HealthcheckProgramMissing", "a", "FROM alpine\nRUN apk add curl\nHEALTHCHECK CMD curl x\n", []),
    ("HealthcheckProgramMissing", "a", "FROM python:3.13-slim\nHEALTHCHECK CMD curl -f x || exit 1\n", [2]),
    (
        "HealthcheckProgramMissing",
        "a",
        'FROM scratch\nCOPY a /bin/\nHEALTHCHECK CMD ["a"]\nHEALTHCHECK CMD ["b"]\n',
        [4],
    ),
    ("HealthcheckProgramMissing", "a", 'FROM gcr.io/distroless/java\nHEALTHCHECK CMD ["java"]\n', []),
    ("HealthcheckProgramMissing", "a", 'FROM gcr.io/distroless/base\nHEALTHCHECK CMD ["curl"]\n', [2]),
    ("HealthcheckProgramMissing", "a", "FROM nginx\nHEALTHCHECK CMD curl x\n", []),
    ("MissingCaCertificates", GO + NET, BUILD + "RUN CGO_ENABLED=0 go build -o /app ." + ON_SCRATCH, []),
    ("CopySourceMissing", "a", "FROM x AS b\nONBUILD COPY b /\nFROM b\nFROM x\nONBUILD COPY c /\n", [2]),
    (
        "SourcesOverwriteOneFile",
        "a\nb",
        "FROM golang\nCOPY a b /tmp/x\nCOPY a b /usr/local/go\nCOPY a b /var/x\n",
        [2, 4],
    ),
    ("SourcesOverwriteOneFile", "a\nb", "FROM alpine\nCOPY --exclude=b a b /x\n", []),
    ("WildcardMatchesNothing", "d/a.x", "FROM x\nCOPY d/**/*.x /\n", [2]),
    ("FolderCopiedToFileName", "d/a\ne", "FROM x\nCOPY d* /a.go\nCOPY ? /b.go\nCOPY d /a.tf\nCOPY d /c.mjs/\n", [2, 4]),
    (
        "GoModNewerThanBuilder",
        "go.mod: go 1.27\ngo.work: go 1.28",
        "FROM golang:1.27\nCOPY . .\nENV GOWORK=off\nRUN go build\n",
        [],
    ),
    *[
        ("CacheBrokenByCopy", "a", f"FROM x\nCOPY . .\nRUN {fetching}\n", [2])
        for fetching in (
            "bundle config set without test && bundle install --jobs 4",
            "npm --prefix web ci && npm cache clean --force",
            "pip install poetry==2.1 && poetry install --no-root",
            "mix local.hex --force && mix deps.get",
            "./mvnw -B dependency:resolve dependency:resolve-plugins",
            "go mod download && go mod verify",
            "dart pub get",
        )
    ],
    *[
        ("CacheBrokenByCopy", "a", f"FROM x\nCOPY . .\nRUN {building}\n", [])
        for building in ("pip install -r a -e .", "npm run a", "bundle exec rake", "poetry install", "pip install ./a")
    ],
    ("CacheBrokenByCopy", "a", "FROM x\nCOPY a .\nRUN pnpm fetch\nCOPY . .\nRUN pnpm install --offline\n", []),
    ("CacheBrokenByCopy", "a", "FROM x AS b\nCOPY * ./\nFROM b\nRUN npm ci\nFROM b\nRUN npm ci\n", [2]),
    (
        "CacheMountNotShared",
        "go.mod\nvendor/modules.txt",
        "FROM golang\nWORKDIR /a\nRUN go mod download\nCOPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go build\n",
        [],
    ),
    (
        "CacheMountNotShared",
        "a",
        "FROM maven\nRUN --mount=type=cache,target=/root/.m2/repository mvn dependency:resolve\nRUN mvn package\n",
        [3],
    ),
    (
        "CacheMountNotShared",
        "a",
        "FROM gradle\nRUN --mount=type=cache,target=/home/gradle/.gradle gradle dependencies\nRUN ./gradlew build\n",
        [3],
    ),
    ("CgoBinaryOnScratch", GO + NET, BUILD + "RUN go build -o /app .\nFROM scratch\nCOPY --from=build /app /\n", [6]),
    ("CgoBinaryOnScratch", GO + NET, BUILD + "RUN go install .\nFROM scratch\nCOPY --from=build /go/bin/app /\n", [6]),
    (
        "CgoBinaryOnScratch",
        GO + NET.replace("main.go", "cmd/a/main.go") + "cmd/b/main.go: package main\\nfunc main() {}\n",
        BUILD
        + "RUN mkdir /out && go build -o /out ./cmd/...\n"
        + "FROM scratch\nCOPY --from=build /out/b /\nCOPY --from=build /out/a /\n",
        [7],
    ),
    (
        "CgoBinaryOnScratch",
        GO + NET,
        BUILD + "RUN go build -o /app .\nFROM gcr.io/distroless/static\nCOPY --from=build /app /\n",
        [6],
    ),
    (
        "CgoBinaryOnScratch",
        GO + NET,
        BUILD + "ENV CGO_ENABLED=0\nRUN CGO_ENABLED=1 go build -o /app ." + ON_SCRATCH,
        [7],
    ),
    ("CgoBinaryOnScratch", GO + NET, BUILD + "RUN go env -w CGO_ENABLED=0\nRUN go build -o /app ." + ON_SCRATCH, []),
    (
        "CgoBinaryOnScratch",
        GO + NET.replace('"net"', '"os/user"'),
        BUILD + "RUN go build -tags netgo -o /app .\nRUN go build -tags netgo,osusergo -o /b ." + ON_SCRATCH,
        [7],
    ),
    (
        "CgoBinaryOnScratch",
        GO + 'main.go: package main\\nimport "a.b/c"\nvendor/a.b/c/c.go: package c\\nimport "net"\n',
        BUILD + "RUN go build -o /app ." + ON_SCRATCH,
        [6],
    ),
    (
        "NamedUserOnScratch",
        "a",
        BUILD + "RUN go build -o /app .\nFROM scratch\nCOPY --from=build /app /\nUSER x\n",
        [7],
    ),
    (
        "NamedUserOnScratch",
        "a",
        BUILD + "RUN mkdir -p /o/etc && go build -o /o ./...\nFROM scratch\nCOPY --from=build /o /\nUSER x\n",
        [],
    ),
    ("NamedUserOnScratch", "a", "FROM scratch\nCOPY <<E /etc/passwd\nx:x:1:1::/:\nE\nUSER x\nUSER y\n", [6]),
    ("ArgLostBetweenStages", "a", "ARG V=1\nFROM alpine\nRUN echo ${V:?}\nRUN echo ${V:+x}${V-x}\n", [3]),
    (
        "ArgLostBetweenStages",
        "a",
        "ARG HOME=1\nARG T\nFROM alpine\nRUN --mount=type=secret,id=t,env=T a $T $HOME\n",
        [],
    ),
    ("ArgLostBetweenStages", "a", "ARG V=1\nFROM alpine AS a\nONBUILD ARG V\nFROM a\nRUN echo $V\n", []),
    ("ArgLostBetweenStages", "a", "ARG PG_MAJOR=1\nFROM postgres:$PG_MAJOR\nRUN echo $PG_MAJOR\n", []),
    ("AptListsLeft", "a", "FROM debian\nRUN rm -rf /var/lib/apt/lists/* && apt-get update\n", [2]),
    ("AptListsLeft", "a", "FROM debian\nRUN apt-get update && rm -rf /var/lib/{apt,dpkg}/\n", []),
    ("AptListsLeft", "a", "FROM debian\nRUN apt-get update && cd /var/lib/apt/lists && rm -rf ./*\n", []),
    ("AptListsLeft", "a", 'FROM debian\nRUN apt-get update && rm -rf "${lists:?}"/*\n', []),
    ("AptListsLeft", "a", 'FROM debian\nRUN apt-get update && rm -rf "$GNUPGHOME"\n', [2]),
    ("AptListsLeft", "a", "FROM debian\nRUN <<EOF bash -e\napt-get update\nEOF\n", [3]),
    (
        "MissingCaCertificates",
        GO + 'main.go: package main\\nimport "net/http"\\nfunc main() { http.Get(u) }\n',
        BUILD + "RUN CGO_ENABLED=0 go build -o /app ." + ON_SCRATCH,
        [5],
    ),
    (
        "MissingCaCertificates",
        GO + 'main.go: package main\\nimport "net/http"\\nfunc main() { http.Get("http://localhost") }\n',
        BUILD + "RUN CGO_ENABLED=0 go build -o /app ." + ON_SCRATCH,
        [],
    ),
]


@pytest.mark.parametrize(
    ("rule", "files", "text", "lines"), LOOK_ALIKES, ids=[f"{rule}-{n}" for n, (rule, *_) in enumerate(LOOK_ALIKES)]
)
def test_look_alikes(rule: str, files: str, text: str, lines: list[int], tmp_path: Path) -> None:
    """A rule finds what is wrong, and nothing in what only looks like it."""
    how = build(tmp_path / "context", files)

    assert lines == [each.line for each in found(text, how) if each.rule == rule]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("FROM a\nFROM a\nFROM a AS c\nCOPY --from=1 /x /x\nCOPY --from=0 /x /y\n", []),
        ("ARG V=1\nFROM a AS a-1\nFROM a AS a-2\nFROM a-$V AS c\n", [3]),
        ("FROM a AS t\nFROM a AS b\nONBUILD COPY --from=t /x /\nFROM b AS c\n", []),
    ],
)
def test_stages_that_are_needed(text: str, lines: list[int]) -> None:
    """A stage is needed by equal ones apart, by a variable in FROM, and by what ONBUILD does in another stage."""
    checked = found(text, Build(targets=("c",), is_all=True))

    assert lines == [each.line for each in checked if each.rule == "UnreachableStage"]


def test_nothing_is_said_of_what_could_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a context with too many names, what is missing or ignored is not known."""
    monkeypatch.setattr("dockdsl.context.folder._MOST_NAMES", 8)
    plant(tmp_path, "a/keep\nb/1\nb/2\nb/3\nb/4\nb/5\nb/6\nc/keep\n.dockerignore: *\\n!*/keep")
    text = "FROM x\nCOPY b/7 /\nCOPY c /c\nCOPY c/*.x /\nCOPY a /a\n"

    assert [] == [each.rule for each in found(text, Build(BuildContext.of(tmp_path))) if each.severity != "hint"]


def test_nothing_is_said_of_a_context_that_is_not_known() -> None:
    """Without a context, no rule that needs one says anything."""
    text = "FROM alpine:3.22\nCOPY nothing *.nothing /x\nCOPY dir/*.nothing /y/\nCOPY <<EOF /etc/x\nEOF\n"

    assert not {each.rule for each in found(text, Build())} & {
        *(
            "CopySourceMissing",
            "CopySourceIgnored",
            "WildcardMatchesNothing",
            "SourcesOverwriteOneFile",
            "CopyIgnoredFile",
        )
    }


@pytest.mark.parametrize(
    ("ignore", "text"),
    [
        ("*", "FROM x\nCOPY d/a /\n"),
        ("d", "FROM x\nCOPY d/a d /\n"),
        ("d/*", "FROM x\nCOPY d /\n"),
        ("**/a", "FROM x\nCOPY d/a /\n"),
        ("**", "FROM x\nCOPY . /\n"),
        ("d/a", "FROM x\nCOPY l /\n"),
        ("d/**", "FROM x\nCOPY d/* /\n"),
    ],
)
def test_the_remedy_of_what_is_ignored_works(ignore: str, text: str, tmp_path: Path) -> None:
    """With the line that the message gives, nothing is left out any more."""
    plant(tmp_path, f"d/a\nl -> d/a\n.dockerignore: {ignore}")
    names = {"CopySourceIgnored", "WildcardMatchesNothing"}
    for _ in range(2):
        context = BuildContext.of(tmp_path)
        faults = [each for each in found(text, Build(context)) if each.rule in names]
        if not faults:
            break
        line = faults[0].remedy.removeprefix("add ").removesuffix(" at the end of .dockerignore")
        with tmp_path.joinpath(".dockerignore").open("a") as file:
            file.write(f"{line}\n")

    assert not [each for each in found(text, Build(BuildContext.of(tmp_path))) if each.rule in names]
    assert f"{ignore}\n" != tmp_path.joinpath(".dockerignore").read_text()


PYTHON = """\
from dockdsl import Copy, Dockerfile, Expose, Image, Stage

app = Stage("scratch", name="app", steps=[
    Copy("conf/app.toml", "/srv/"),
    Copy("notes.md", "/srv/"),
    Expose(8000),
])
one = Image(Dockerfile(app), context=".", ignore=["*.md"], port=8000)
two = Image(one.dockerfile, context="other", port=80)
three = Image(one.dockerfile, context="missing")
"""


@pytest.mark.parametrize(
    ("base", "remedy"),
    [
        ("alpine:3.22", "use wget, which it has"),
        ("python:3.13-alpine", "use wget, which it has"),
        ("debian", "install curl"),
    ],
)
def test_the_remedy_of_a_program_that_is_not_there(base: str, remedy: str) -> None:
    """BusyBox has one for the same purpose."""
    (found,) = [
        each
        for each in check(f"FROM {base}\nHEALTHCHECK CMD curl -f http://localhost/\n")
        if each.rule == "HealthcheckProgramMissing"
    ]
    assert remedy == found.remedy


def test_python_files(tmp_path: Path) -> None:
    """An Image says what its context is, what is left out of it, and which port it serves; findings are in Python."""
    plant(tmp_path, "conf/app.yaml\nnotes.md\nother/conf/app.toml\nother/notes.md")
    tmp_path.joinpath("app.py").write_text(PYTHON)
    lines = [
        (4, f"the build context '{tmp_path}/missing' is not a folder; correct its path"),
        (4, "'conf/app.toml' is not in the build context; did you mean 'conf/app.yaml'?"),
        (5, """'notes.md' is in the folder, and ignore= leaves it out; add "!notes.md" at the end of ignore="""),
        (6, "the image is to serve port 80, and exposes 8000; correct port= or Expose(…)"),
    ]
    alone = json.loads(run(tmp_path, "app.py", "--format", "json").stdout)
    apart = json.loads(run(tmp_path, ".", "--format", "json").stdout)

    assert sorted(lines) == sorted((each["line"], each["message"]) for each in alone)
    assert alone == apart


def test_an_image_is_checked_with_its_context(tmp_path: Path) -> None:
    """So is one that is passed to `check`, and a `Dockerfile` with the context that is given."""
    stage = Stage("scratch", steps=[Copy("a", "/"), Expose(8000)])
    image = Image(Dockerfile(stage), context=str(tmp_path), port=80)

    assert ["CopySourceMissing", "PortNotExposed"] == [each.rule for each in check(image)]
    assert ["CopySourceMissing"] == [each.rule for each in check(image.dockerfile, context=tmp_path)]
    assert [] == check(image.dockerfile)


def test_options(tmp_path: Path) -> None:
    """A Dockerfile is checked with a context, an ignore file of its own, targets, and build arguments."""
    plant(tmp_path, "src/a\nv2/b\nDockerfile.dockerignore: src")
    text = "FROM alpine:3.22 AS one\nARG V=v1\nCOPY $V/b /\nFROM alpine:3.22 AS two\nCOPY src/a /\n"
    tmp_path.joinpath("Dockerfile").write_text(text)

    def rules_of(*options: str) -> list[tuple[int, str]]:
        done = run(tmp_path, "Dockerfile", "--severity", "hint", "--format", "json", *options)
        rows = [(each["line"], each["rule"]) for each in json.loads(done.stdout)]
        return [row for row in rows if row[1] != "CopyIgnoredFile"]

    missing, ignored = (3, "CopySourceMissing"), (5, "CopySourceIgnored")
    assert [] == rules_of()
    assert [missing, ignored] == rules_of("--context", ".")
    assert [ignored] == rules_of("--context", ".", "--build-arg", "V=v2")
    assert [missing, (4, "UnreachableStage")] == rules_of("--context", ".", "--target", "one")
    assert [missing, ignored] == rules_of("--context", ".", "--target", "one", "--target", "two")
    assert [(1, "UnreachableStage"), ignored] == rules_of("--context", ".", "--target", "")
    assert (1, "UnreachableStage") in rules_of("--target", "tow")
    done = run(tmp_path, "Dockerfile", "--context", "nowhere")
    assert (2, "--context: 'nowhere' is not a folder; pass that of the build context") == (
        done.returncode,
        done.stderr.strip().removeprefix("error: "),
    )


def test_an_ignore_file_that_buildkit_refuses(tmp_path: Path) -> None:
    """It is an error, in a context that is given and in that of an `Image`; one that is no file does not count."""
    plant(tmp_path, "a\n.dockerignore: [a")
    tmp_path.joinpath("Dockerfile").write_text("FROM scratch\nCOPY a /\n")
    image = Image(Dockerfile(Stage("scratch", steps=[Copy("a", "/")])), context=str(tmp_path))
    fact = "the pattern '[a' is not valid; close the bracket, and write no backslash at the end"
    checked = run(tmp_path, "Dockerfile", "--context", ".", "--format", "json")

    assert [f".dockerignore: {fact}"] == [each["message"] for each in json.loads(checked.stdout)]
    assert [f".dockerignore: {fact}"] == [each.message for each in check(image)]
    tmp_path.joinpath(".dockerignore").unlink()
    tmp_path.joinpath(".dockerignore").mkdir()
    assert 0 == run(tmp_path, "Dockerfile", "--context", ".").returncode


def test_very_many_patterns(tmp_path: Path) -> None:
    """Patterns of an ignore file are tried where a path ends as they do, so that fifty thousand take no minutes."""
    plant(tmp_path, "\n".join(f"f{number}.x{number}" for number in range(20)))
    patterns = [f"**/d{number}/*.x{number}" for number in range(2000)]
    profile = cProfile.Profile()
    profile.runcall(found, "FROM x\nCOPY . /\n", Build(BuildContext.of(tmp_path, ignore=patterns)))
    tried = [entry for entry in profile.getstats() if getattr(entry.code, "co_name", "") in ("_compile", "<lambda>")]

    assert sum(entry.callcount for entry in tried) < 1000


@pytest.mark.parametrize("pattern", ["[?(}[]", "/[(}-[]", "[b^-*]"])
def test_a_pattern_that_is_refused_by_its_expression(pattern: str, tmp_path: Path) -> None:
    """What BuildKit makes a broken expression of is an error, as it is for BuildKit."""
    plant(tmp_path, f"a\n.dockerignore: {pattern}")

    assert BuildContext.of(tmp_path) is None
    assert str(BuildContext.refusal(tmp_path)).startswith(f".dockerignore: the pattern {pattern.lstrip('/')!r} is not")


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """A pipe in a context, even as its ignore file, does not keep a check waiting."""
    for name in (".dockerignore", ".env", "go.mod", "passwd"):
        os.mkfifo(tmp_path / name)
    text = "FROM golang:1.27\nCOPY . .\nRUN go build\nFROM scratch\nCOPY passwd /etc/\nUSER x\nCOPY .env b /\n"
    how = Build(BuildContext.of(tmp_path, dockerfile=str(tmp_path / "go.mod")))

    assert ["CopySourceMissing"] == [each.rule for each in found(text, how) if each.severity == "error"]
    for name in (".dockerignore", ".env", "go.mod", "passwd"):
        tmp_path.joinpath(name).unlink()  # Hypothesis reads the files of folders that are loaded


@pytest.mark.parametrize("name", ["a\n.pem", "b[c].pem", "d\udcff.pem"])
def test_the_remedy_of_a_name_that_no_line_has(name: str, tmp_path: Path) -> None:
    """A name with a newline or a wildcard is not given as a line of an ignore file."""
    tmp_path.joinpath(name).write_text("-----BEGIN PRIVATE KEY-----\n")
    checked = found("FROM x\nCOPY . /\n", Build(BuildContext.of(tmp_path)))

    assert ["add it to .dockerignore"] == [each.remedy for each in checked if each.rule == "SecretFileCopied"]


def test_a_huge_context(tmp_path: Path) -> None:
    """Of a context with very many files, each folder is read once, whatever asks for it."""
    for folder in range(10):
        plant(tmp_path / "src" / str(folder), "\n".join(f"f{name}.txt" for name in range(200)))
    text = "FROM alpine:3.22\n" + "COPY . /x/\nCOPY src/*/*.txt /y/\nCOPY src/1/f1.txt /z/\n"

    def calls(count: int) -> int:
        profile = cProfile.Profile()
        profile.runcall(
            found, text + "COPY src/1/f1.txt /z/\n" * count, Build(BuildContext.of(tmp_path, ignore=["*.md"]))
        )
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(50) < 1.5 * calls(5)
    profile = cProfile.Profile()
    profile.runcall(lambda: found(text, Build(BuildContext.of(tmp_path, ignore=["*.md"]))))
    read = [entry for entry in profile.getstats() if "scandir" in str(entry.code)]
    assert 12 == sum(entry.callcount for entry in read)
