"""Fixes: each one changes what is wrong and nothing else, and BuildKit reads the same, or what the fix says."""

from __future__ import annotations

import cProfile
import json
import subprocess
from pathlib import Path

import pytest

from dockdsl.errors import SourceError
from dockdsl.lint import shellcheck
from dockdsl.lint.checking import check_text
from dockdsl.lint.finding import Finding
from dockdsl.lint.fix import Edit, Fix
from dockdsl.lint.fixing import applied, fix_text, next_round
from dockdsl.lint.rules import rules
from dockdsl.origins import Origin
from tests.corpora import corpus

FIXED = [
    (
        "StageNameCasing",
        "FROM a AS Build\nFROM build as other\nCOPY --from=Build x y\nRUN --mount=type=bind,from=bUILD,target=/x make Build\n",
        "FROM a AS build\nFROM build as other\nCOPY --from=build x y\nRUN --mount=type=bind,from=build,target=/x make Build\n",
    ),
    (
        "StageNameCasing",
        "FROM a AS B\nFROM b\nCOPY --from=B --chown=B B B\nCOPY --from=C x y\nONBUILD COPY --from=B x y\n",
        "FROM a AS b\nFROM b\nCOPY --from=b --chown=B B B\nCOPY --from=C x y\nONBUILD COPY --from=B x y\n",
    ),
    (
        "StageNameCasing",
        "FROM a \\\n  AS B\\\n# é😀\nuild\nCOPY \\\n --from=B\\\nuild x y\n",
        "FROM a \\\n  AS b\\\n# é😀\nuild\nCOPY \\\n --from=b\\\nuild x y\n",
    ),
    ("FromAsCasing", "FROM --platform=linux/amd64  as   As\tb\n", "FROM --platform=linux/amd64  as   AS\tb\n"),
    ("FromAsCasing", "FROM as  as\tas", "FROM as  AS\tas"),
    ("FromAsCasing", "from a AS b\n", "from a as b\n"),
    (
        "ConsistentInstructionCasing",
        "\ufeffFROM a\r\n  # x \r\n  run \\\r\n    x\r\nRUN y  \r\n",
        "\ufeffFROM a\r\n  # x \r\n  RUN \\\r\n    x\r\nRUN y  \r\n",
    ),
    ("ConsistentInstructionCasing", "from a\nrun x\nRu\\\nN   y\n", "from a\nrun x\nru\\\nn   y\n"),
    (
        "LegacyKeyValueFormat",
        "FROM a\nENV  A  b\nLABEL c d  e\nenv f\t$g h",
        'FROM a\nENV  A=b\nLABEL c="d  e"\nenv f="$g h"',
    ),
    ("LegacyKeyValueFormat", "FROM a\nENV A \\\r\n  b \\\r\n  c\r\nRUN d\r\n", 'FROM a\nENV A="b   c"\r\nRUN d\r\n'),
    ("LegacyKeyValueFormat", "FROM a\nENV A \\\n# why\n b\n", None),
    (
        "MaintainerDeprecated",
        'FROM a\nMAINTAINER Jane "J" <j@x.org> $1\n',
        'FROM a\nLABEL org.opencontainers.image.authors="Jane \\"J\\" <j@x.org> \\$1"\n',
    ),
    (
        "MaintainerDeprecated",
        'from a\nmaintainer  "Jane é😀"\n',
        'from a\nlabel  org.opencontainers.image.authors="Jane é😀"\n',
    ),
    (
        "MaintainerDeprecated",
        "# escape=`\nFROM a\nMAINTAINER a\\b `\n c\n",
        '# escape=`\nFROM a\nLABEL org.opencontainers.image.authors="a\\b  c"\n',
    ),
    ("ExposeProtoCasing", "FROM a\nEXPOSE 80/TCP  90 53/Udp\n", "FROM a\nEXPOSE 80/tcp  90 53/udp\n"),
    ("ExposeProtoCasing", "FROM a\nEXPOSE 80/TCP 1:2:3 a\n", "FROM a\nEXPOSE 80/tcp 1:2:3 a\n"),
    ("ExposeProtoCasing", "FROM a\nARG P=1/TCP\nEXPOSE $P\n", None),
    ("ExposeInvalidFormat", "FROM a\nEXPOSE 8080:80 127.0.0.1:1-2:3-4/tcp 5\n", "FROM a\nEXPOSE 80 3-4/tcp 5\n"),
    ("ExposeInvalidFormat", "FROM a\nENV P=1:2\nEXPOSE $P\n", None),
    ("RedundantTargetPlatform", "FROM  --platform=$TARGETPLATFORM  a AS b\n", "FROM  a AS b\n"),
    ("RedundantTargetPlatform", "FROM \\\n --platform=${TARGETPLATFORM} \\\n a\n", "FROM \\\n \\\n a\n"),
    (
        "NoEmptyContinuation",
        "FROM a\nRUN x \\\n\n  # y\n \t\n\n  z\n\nRUN a\n",
        "FROM a\nRUN x \\\n  # y\n  z\n\nRUN a\n",
    ),
    ("NoEmptyContinuation", "\ufeffFROM a\r\nCOPY b \\\r\n\r\n c\r\n", "\ufeffFROM a\r\nCOPY b \\\r\n c\r\n"),
    ("WorkdirRelativePath", "FROM scratch\nWORKDIR app/x\nWORKDIR y\n", "FROM scratch\nWORKDIR /app/x\nWORKDIR y\n"),
    ("WorkdirRelativePath", "FROM scratch\nWORKDIR ./app\n", "FROM scratch\nWORKDIR /app\n"),
    ("WorkdirRelativePath", "FROM a\nWORKDIR app\n", None),
    ("WorkdirRelativePath", "FROM scratch\nWORKDIR $A\n", None),
    (
        "MultipleInstructionsDisallowed",
        'FROM a\n# one\nCMD ["b", \\\n # two\n "c"]\nRUN x\nCMD ["d"]',
        'FROM a\n# one\nRUN x\nCMD ["d"]',
    ),
    (
        "MultipleInstructionsDisallowed",
        "FROM a\nHEALTHCHECK NONE\nHEALTHCHECK NONE\nHEALTHCHECK NONE\nFROM b\n",
        "FROM a\nHEALTHCHECK NONE\nFROM b\n",
    ),
    ("MultipleInstructionsDisallowed", 'FROM a\n# check=skip=X\n# two\nCMD ["b"]\nRUN x\nCMD ["d"]', None),
    (
        "InstallAsks",
        "FROM a\nRUN x && \\\n  apt-get -q install \\\n   # why\n  b && yum install c\n",
        "FROM a\nRUN x && \\\n  apt-get -q install -y \\\n   # why\n  b && yum install -y c\n",
    ),
    (
        "InstallAsks",
        "FROM a\nRUN <<-EOF\n\tset -e\n\t\tapt-get install 😀 b\nEOF\n",
        "FROM a\nRUN <<-EOF\n\tset -e\n\t\tapt-get install -y 😀 b\nEOF\n",
    ),
    ("InstallAsks", 'FROM a\nRUN apt-get "install" b; install c\nRUN ["apt-get", "install", "b"]\n', None),
    (
        "AptInRun",
        "FROM a\nRUN apt update -y && apt -y install b\n",
        "FROM a\nRUN apt-get update -y && apt-get -y install b\n",
    ),
    ("AptInRun", "FROM a\nRUN apt search b; apt upgrade -y\n", None),
    ("CopyTargetIsFolder", "FROM a\nCOPY a b /c\n", "FROM a\nCOPY a b /c/\n"),
    ("CopyTargetIsFolder", 'FROM a\nCOPY ["a", "b", "/c"]\n', None),
    ("AddCopiesFile", "FROM a\nADD --chown=x a b/ /c/\nadd d /e\n", "FROM a\nCOPY --chown=x a b/ /c/\ncopy d /e\n"),
    ("AddCopiesFile", "FROM a\nADD --checksum=sha256:x a /c\nADD b c.tar /c/\nADD c* /c/\nA\\\nDD d /e\n", None),
    (
        "PackageCacheKept",
        "FROM a\nRUN apk add b && apk add c\nRUN pip install -U d\n",
        "FROM a\nRUN apk add --no-cache b && apk add --no-cache c\nRUN pip install --no-cache-dir -U d\n",
    ),
    ("PackageCacheKept", "FROM a\nRUN yum install -y b\n", None),
    ("SparseUserLog", "FROM a\nRUN useradd -u 1234567 b\n", "FROM a\nRUN useradd -l -u 1234567 b\n"),
    (
        "JSONArgsRecommended",
        "FROM a\nCMD httpd  -f 'a b' k=v \"c\"\\\n  d\n",
        'FROM a\nCMD ["httpd", "-f", "a b", "k=v", "c", "d"]\n',
    ),
    ("JSONArgsRecommended", "FROM a\nENTRYPOINT run\n", 'FROM a\nENTRYPOINT ["run"]\n'),
    ("JSONArgsRecommended", "# escape=`\nFROM debian:13\nCMD `\n b\n", '# escape=`\nFROM debian:13\nCMD `\n ["b"]\n'),
    (
        "JSONArgsRecommended",
        "FROM nanoserver AS b\nFROM --platform=linux/amd64 a\nCMD b\n",
        'FROM nanoserver AS b\nFROM --platform=linux/amd64 a\nCMD ["b"]\n',
    ),
    *[
        ("JSONArgsRecommended", f"{text}\n", None)
        for text in (
            *(
                f"FROM a\nCMD {command}"
                for command in (
                    "a $B",
                    "a && b",
                    "a | b",
                    "a > b",
                    "a *",
                    "A=b c",
                    "cd a",
                    "exec a",
                    "a ~",
                    "a 'b",
                    'a "$b"',
                    "a `b`",
                    "a \\$",
                    "(a)",
                    "! a",
                    "a #b",
                    "[ a ]",
                    "a {b,c}",
                    "a \\\n# why\n  b",
                )
            ),
            'FROM a\nENTRYPOINT ["x"]\nCMD a',
            'FROM a AS b\nENTRYPOINT a\nFROM b\nCMD ["x"]',
            "# escape=`\nFROM a\nCMD b",
            "FROM mcr.microsoft.com/windows/nanoserver:ltsc2022\nCMD b",
            "FROM --platform=windows/amd64 a\nCMD b",
            "ARG A=nanoserver\nFROM $A AS b\nFROM c\nCMD b",
        )
    ],
]


def find(text: str) -> list[Finding]:
    """Return what the rules find."""
    return check_text(text, "Dockerfile")


def fixed(text: str, *names: str) -> str:
    """Return a text with the fixes of these rules made, or of all."""
    return fix_text(
        text, "Dockerfile", lambda now: [each for each in find(now) if not names or each.rule in names]
    ).text


@pytest.mark.parametrize(("rule", "before", "after"), FIXED)
def test_fixes(rule: str, before: str, after: str | None) -> None:
    """What is wrong is rewritten, and not a character else; what is not certain is left alone."""
    found = [each for each in find(before) if each.rule == rule]
    again = fixed(before, rule)

    assert found
    assert again == (before if after is None else after)
    assert [each for each in find(again) if each.rule == rule and each.fix is not None] == []
    assert all(each.unfixed for each in find(again) if each.rule == rule)
    assert not any(each.unfixed for each in found if each.fix is not None)
    if after is not None:
        assert [each for each in find(again) if each.rule == rule] == []


PLENTY = """\
FROM --platform=$TARGETPLATFORM busybox:1.37 as Build
maintainer Jane <jane@example.com>
ENV A b c
EXPOSE 127.0.0.1:8080:80/TCP
COPY a \\

 /b
CMD ["x"]
CMD httpd -f
FROM scratch
WORKDIR app
COPY --from=Build /b /b
"""


@pytest.mark.engine
def test_the_engine_finds_nothing_more(tmp_path: Path) -> None:
    """Of a file with a fault of each kind nothing is left to BuildKit after one run, and another run changes nothing."""

    def said(text: str) -> set[str]:
        tmp_path.joinpath("Dockerfile").write_text(text)
        command = ["docker", "buildx", "build", "--call=check,format=json", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        return {each["ruleName"] for each in json.loads(done.stdout)["warnings"] or []}

    again = fixed(PLENTY)

    fixable = {rule for rule, _, after in FIXED if after is not None}
    of_buildkit = {each.name for each in rules() if each.is_buildkit}
    # The engine's frontend may be older than that one.
    assert fixable & of_buildkit <= said(PLENTY) | {"ExposeInvalidFormat"}
    assert said(again) == set()
    assert fixed(again) == again
    assert (
        again
        == """\
FROM busybox:1.37 AS build
LABEL org.opencontainers.image.authors="Jane <jane@example.com>"
ENV A="b c"
EXPOSE 80/tcp
COPY a \\
 /b
CMD ["httpd", "-f"]
FROM scratch
WORKDIR /app
COPY --from=build /b /b
"""
    )


@pytest.mark.corpora
@pytest.mark.parametrize("part", range(4))
def test_real_files(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each real file is fixed: what has no effect is proven to have none, nothing is left to fix, and all can be read."""
    # What it finds has no fixes, and it is a process for each file.
    monkeypatch.setattr(shellcheck, "program", lambda: None)
    changed = 0
    for text in [each["text"] for each in corpus()][part::4]:
        found = find(text)
        again = fixed(text) if any(each.fix is not None for each in found) else text
        left = find(again) if again != text else found
        changed += again != text

        assert [each for each in left if each.fix is not None] == []
        # What is written as it should be may be hinted at by rules that did not know it before.
        assert {each.rule for each in left if each.severity != "hint"} <= {each.rule for each in found}
    assert changed > 50


def made(rule: str, *edits: Edit, effect: str = "") -> Finding:
    """Return a finding with a fix."""
    return Finding(rule, "warning", "x; y", "y", Origin("D", 1), fix=Fix(edits, effect))


def test_fixes_that_are_in_the_way_of_each_other() -> None:
    """The first one is made; so is one with the same edit, and one beside it; the effect of a fix comes last."""
    one, same = made("one", Edit(0, 2, "x"), Edit(4, 5, "y")), made("same", Edit(4, 5, "y"))
    over, beside = made("over", Edit(8, 9, ""), Edit(3, 5, "")), made("beside", Edit(2, 4, "z"))
    inserted, effect = made("inserted", Edit(4, 4, "i")), made("effect", Edit(7, 8, ""), effect="less")

    assert next_round([one, same, over, beside, inserted, effect]) == [one, same, beside]
    assert applied("0123456789", [one, same, beside]) == "xzy56789"
    assert next_round([effect]) == [effect]


def test_a_fix_that_is_not_what_it_says_is_refused() -> None:
    """An edit that changes the meaning is not made."""
    wrong = made("wrong", Edit(5, 6, "b"))

    with pytest.raises(SourceError, match="D: the fixed text would not mean the same; the file is unchanged: FROM: "):
        fix_text("FROM a\n", "D", lambda _: [wrong])


def test_fixes_of_a_large_file_take_time_in_proportion() -> None:
    """Ten times as many faults take about ten times as long, counted in calls."""

    def calls(count: int) -> int:
        profile = cProfile.Profile()
        text = "FROM a AS B\n" + "ENV X y\nCOPY --from=B a b\nRUN a \\\n\n b\n" * count
        profile.runcall(fixed, text)
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(500) < 7 * calls(100)
