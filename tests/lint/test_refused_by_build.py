"""What BuildKit reads, and refuses when it builds: the engine and the rules say the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dockdsl import check, parse

REFUSED = [
    "RUN --mount=type=cache,tgt=/x ls",
    "RUN --mount=type=cache ls",
    "RUN --mount=type=cache,target=/x,sharing=some ls",
    "RUN --mount=type=secret,id=a,required=maybe ls",
    "RUN --mount=type=volume,target=/x ls",
    "EXPOSE 80-70",
    "EXPOSE 0x50",
    "STOPSIGNAL FOO",
    "VOLUME a ''",
    "COPY --chmod=999 a /b",
    "COPY --chmod=u+q a /b",
    "COPY --from=9 /a /b",
    "COPY --from=0 /a /b",
    "COPY --from=$A /a /b",
    "COPY http://example.com/a /b",
    "ADD --checksum=bad http://example.com/a /b",
    "ADD --checksum=sha256:abc a /b",
    "ENV A=it's",
    "ENV A=${B",
    "ENV A=${#B}",
    "ENV A=${1B}",
    "ENV A=${",
    "EXPOSE 1.2.3:80:80",
    "EXPOSE 80:80-90",
    "EXPOSE 127.0.0.1:80",
    "RUN --mount=type=bind ls",
    "RUN --mount=type=cache,target= ls",
    "RUN --mount=type=tmpfs,target=/x,size=10% ls",
    "RUN --mount=type=tmpfs,target=/x,size=1Ki ls",
    "RUN --mount=type=secret,source=a,id=b ls",
    "RUN --mount=type=ssh,source=/x ls",
    "RUN --mount=type=bind,target=/x,from=Foo ls",
    "COPY --from=busybox:1.37@sha256:abc a b",
    "COPY --from=Foo a b",
    "FROM busybox:",
    "FROM Busybox",
    "FROM a/b@md5:01234567890123456789012345678901",
    "FROM 0123456789012345678901234567890123456789012345678901234567890123",
    "FROM ${B.c}",
    "FROM --platform=foo busybox:1.37",
    "FROM --platform=linux/ busybox:1.37",
    "FROM busybox:1.37 AS x\nCOPY --from=Y /a /b\nFROM busybox:1.37 AS y\nFROM x",
    "FROM busybox:1.37 AS x\nRUN --mount=from=x,target=/x ls",
    "FROM busybox:1.37 AS x\nCOPY --from=y /a /b\nFROM busybox:1.37 AS y\nCOPY --from=x /a /b",
]
# What dockdsl's own classes refuse, or a variable tells.
BUILT = [
    "RUN --mount=type=cache,target=/x,mode=77777,sharing=Shared,id=${A:-b} ls",
    "RUN --mount=type=tmpfs,target=/x,size=1e3,source=/a ls",
    "ARG P='80 90-91/udp'\nEXPOSE $P 000080 80/ ::1:80:80",
    "STOPSIGNAL 99999999999",
    "COPY --chmod=007777 a /b",
    "COPY --from=1 /a /b\nFROM busybox:1.37",
    "ARG C\nADD --checksum=$C a /b",
    "ADD --checksum=bad https://example.com/a.git /b",
    "ENV A=$- B=${1} C=$ D=${Bé} E=${2:-x}",
    "EXPOSE 80:8080 127.0.0.1:80:80 [::1]:80:80 1-3:4-6 80-90:80 :80",
    "RUN --mount=type=secret,id=a,from= ls",
    "WORKDIR /w\nRUN --mount=type=cache,target= --mount=type=bind ls",
    "RUN --mount=type=tmpfs,target=/x,size=.5k --mount=type=tmpfs,target=/y,size=+64MiB --mount=type=tmpfs,target=/z,size=1_0 ls",
    "FROM --platform=amd64 busybox:1.37\nFROM --platform=linux() busybox:1.37 AS Build\nFROM build\nCOPY --from=BUILD /a /b",
    "FROM busybox:1.37 AS x\nCOPY --from=y /a /b\nFROM busybox:1.37 AS y",
    "ONBUILD RUN --mount=type=cache,tgt=/x ls\nONBUILD STOPSIGNAL FOO\nONBUILD ENV A=it's",
]


def errors(text: str) -> list[str]:
    """Return the rules of the errors that are found."""
    return [each.rule for each in check(text) if each.severity == "error"]


@pytest.mark.engine
@pytest.mark.parametrize("lines", [*REFUSED, *BUILT])
def test_the_engine_says_the_same(lines: str, tmp_path: Path) -> None:
    """What a build refuses is found once, and what it takes is not; both are read."""
    text = f"FROM busybox:1.37\n{lines}\n"
    tmp_path.joinpath("Dockerfile").write_text(text)
    command = ["docker", "buildx", "build", "--call=outline", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert len(errors(text)) == (done.returncode != 0) == (lines in REFUSED), done.stderr
    assert parse(text).stages


@pytest.mark.engine
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ARG A\n", 1),
        ("# check=error=maybe\nFROM busybox:1.37\n", 1),
        ("# escape=`\n# syntax=Foo\nFROM busybox:1.37\n", 2),
        ("FROM busybox:1.37\nRUN []\n", 2),
        ("FROM busybox:1.37\nCOPY a[b- /x\n", 2),
    ],
)
def test_what_is_no_value_of_an_instruction(text: str, line: int, tmp_path: Path) -> None:
    """What a whole file lacks, what its directives say, a step that runs nothing, a pattern; a real build is the judge."""
    tmp_path.joinpath("Dockerfile").write_text(text)
    command = ["docker", "buildx", "build", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode
    assert [(each.rule, each.origin.line) for each in check(text) if each.severity == "error"] == [
        ("RefusedByBuild", line)
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "RUN --mount=type=cache,target=/x,uid=a ls",
            "BuildKit refuses this when it builds: Cache: uid: 'a' is not valid; write a number",
        ),
        (
            "FROM Alpine",
            "BuildKit refuses this when it builds: 'Alpine' is not the name of an image; write name:tag, the name in lower case",
        ),
        ("COPY --from=3 a b", "BuildKit refuses this when it builds: no stage has the index 3; name a stage"),
        ("ARG P=99999\nEXPOSE $P", "the port 99999 is out of range; use 0 to 65535"),
        ("COPY --from=0 a b", "the stage '0' copies from itself; name another stage"),
    ],
)
def test_fact_and_remedy(lines: str, message: str) -> None:
    """They are those of the class of the instruction."""
    (found,) = [each for each in check(f"FROM a:1\n{lines}\n") if each.severity == "error"]

    assert found.message.endswith(message)
    assert message.endswith(found.remedy)
