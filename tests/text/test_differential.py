"""Every text means to BuildKit what dockdsl makes of it: rare forms one by one, then generated and damaged texts."""

from __future__ import annotations

import json
import random
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockdsl import DockerfileSyntaxError, Expose, InvalidValue, Run, layout, parse, prove, render
from dockdsl.instructions.cmd import Cmd
from tests import strategies
from tests.text import differential

# The client says "run Build function" where its answer comes before that of the daemon.
_failed = re.compile(r"failed to (?:solve|run Build function): ").search
TEXTS = 500 if strategies.FACTOR == 1 else 100_000

STEPS = [
    # A variable that must be set, and quotes around one
    *["ARG A=${F:?}", "ENV A=${F:?msg}", "WORKDIR ${F?}", "ENV A a${F:?}x", "USER ${F?}", "LABEL ${F:?}=x", "ENV A='x'${F:?'q'}"],
    *["STOPSIGNAL ${F:?}", "ENV A=${F-${G:?m}}", "COPY --chown=${F:?m} a b", "ENV A=$\\{F?}", "ENV A=${F/}", "ENV A=${B:-${C}x}"],
    *["ENV A=''${F?$A'q'}", "ENV A=${F:-$A'q'$B}", 'ENV A=x${F:+$A"q"} B=$A\'q\''],
    *["EXPOSE ${F:-'x'}", 'EXPOSE "${X}-${Y}"', "EXPOSE '80'", 'EXPOSE "$A"/tcp', 'EXPOSE "80"-"90"', "EXPOSE \\80", "EXPOSE $A'/tcp'"],
    # Escape characters at the end
    *["CMD mkdir C:\\app\\\\\nRUN x", "ENTRYPOINT a\\\\\\\nRUN x", "COPY a b\\\\\nRUN x", "ONBUILD RUN a\\\\\nRUN x"],
    *["COPY a b \\ \\", "RUN a \\ \\", "CMD a \\\t\\", "VOLUME a \\ \\", "ONBUILD RUN a \\ \\", "STOPSIGNAL 9 \\ \\", "ENV A=b \\ \\"],
    *["RUN a \\ \\\n\n# x", "WORKDIR /a \\ \\"],
    # Mounts and devices that BuildKit refuses when it builds
    *["RUN --mount=type=,target=/a c", "RUN --mount=required,required=true,type=secret,id=s c", "RUN --mount=target=/a, c"],
    *["RUN --mount=type=cache,target=/a,ro,rw c", "RUN --mount=type=cache,target=/a,from= c", "RUN --mount=, c"],
    *["RUN --mount=type=cache,type=bind,target=/a c", "RUN --mount=size=1m,type=tmpfs,target=/a c", "RUN --mount=ro=x,rw c"],
    "RUN --mount='\"type=bind\",target=/a' c",
    # What is no array
    *["CMD [1e400]", 'CMD ["\\ud800"]', "CMD [NaN]", "RUN [1e400]", "HEALTHCHECK CMD [-Infinity]", 'CMD ["a"]\xa0', 'RUN --mount=target=/[x] ["a"]'],
    *["CMD " + "[" * 10_001 + "]" * 10_001, "RUN echo 1 <<", "RUN echo <<''", "RUN a <<\v b", "RUN a <<\u2028 b"],
    # Letters and blanks of other kinds
    *["RUN \x1cecho", "CMD \x1cecho", "ENV A=\x1cb", "ENTRYPO\u0130NT a", "RUN a\x1c", "COPY \ufeffa b"],
    # Keywords and triggers
    *["E\\\nXPOSE 80", "O\\\nNBUILD RUN x", "ONBUILD #", "ONBUILD R ", "ONBUILD ,\u3000"],
]  # fmt: skip
ACCEPTED = [
    *[f"FROM scratch\n{step}" for step in STEPS],
    "FROM scratch\nADD --chmod= --checksum= # c",
    "FROM scratch\nCOPY --chown= # c",
    "FROM \x1c",
    "#check\x1c=skip=all\nFROM a",
    "FROM a\n#\xa0check=skip=X\nRUN x",
    "# check= \nFROM a",
    "FROM --platform=$L\x1c a",
    "FROM --platform=\xa0b",
    "FROM t\u2028\\\t\\",
    'FROM --platform=$M\\" s',
    "FROM x\nHEALTHCHECK NONE []",
    "FROM x\nHEALTHCHECK --interval=3s none\t[\\\n ]",
    "#check=skip=;error=f;skip=;skip=\nFROM a",
    "FROM a\nCOPY <<'x'\x85 o\nx",
    "FROM a\nCOPY <<'x'\x85\\ o\nx",
    "FROM scratch\nRUN --device=, x",
    "FROM a AS b\nFROM c AS b\nRUN --mount=from=b x",
    "FROM a AS b\nFROM c AS b\nCOPY --from=b x y",
    "FROM a AS b\nFROM d\nCOPY --from=b x y\nFROM c AS b",
    "FROM a AS b\nFROM b AS b\nFROM b\nCOPY --from=B x y",
    *[f"# check={value}\nFROM a" for value in ("skip=,FromAsCasing;error=true", "error=t;skip=", "skip=A,,B", "skip=A;skip=B")],
    *[f"# check={value}\nFROM a" for value in ("bar=1", "error=yes", "error=true;", "skip=A;error=f;experimental=B;skip=C", "skip=é")],
    *["FROM a AS \u0130", "FROM a a\u017f b", "#!\n#check=skip=all\nFROM B", "#!\n# syntax=x\nFROM B", "#!\n# escape=`\nFROM B"],
    "FROM b AS b\nFROM \\b\nCOPY x y",
    "# escape=`\nFROM a\nONBUILD \\\nRUN",
    "#escape=`\nFROM a\nO`\nNBUILD`\n RUN a `\n b",
    "FROM a\nONBUILD \\\n# note\n RUN a \\\n b",
    "FROM a\n\\\n RUN a \\\n b",
    "FROM x\n\x85\\\nONBUILD S",
    "FROM x\n\\\n# note\n\nONBUILD S",
    "FROM a\nCOPY <<E \\\u3000\nE",
    "#escape=`\nFROM a\nONBUILD COPY <<E `\n`\x0b\nE",
    "FROM x\n\\\n\u2028#\nONBUILD S",
    "FROM a\nONBUILD HEALTHCHECK",
    "FROM a\nONBUILD -- LABEL t=",
    "#escape=`\nFROM a\nONBUILD LABEL A=`\u3000b",
    'FROM a\nONBUILD COPY ["",""] n',
    "#check=skip=X\nFROM a\nCMD cmd\\\n#",
    "FROM a\n# check=skip=X\nCOPY a \\\n#\n b",
    "# note\nFROM a\n# check=skip=X\n#\n# check=skip=Y\nRUN x",
    *[
        f"# escape=`\nFROM a\nONBUILD {step}"
        for step in ("COPY <<E `\n# c`\n /x\na`b\\c`\n\\\nE", "RUN <<E\nc:\\x`\nE", "LABEL A=a`b", "LABEL A=a\\b", "RUN a `\n b", 'ENV A="a`"b"', 'ENV A="b c"', "RUN echo `$x")
    ],
    *[
        f"FROM {base}"
        for base in ("__R__/x:1", "@BASE@", "#B#", "%%B%%", "{{B}}", "<b>", "~x", "x;y", "a\\b", "é", "-x", "-- --x", "a\xa0b", "\\$x", "''", "\\\x85")
    ],
]  # fmt: skip
REFUSED = [
    f"FROM scratch\n{step}"
    for step in (
        *[
            "COPY --from=5 <<EOF <<EOF\nx\nEOF\ny\nEOF",
            "ADD --chmod=${",
            "ADD --checksum=${ a",
            "ONBUILD --c COPY [ c",
            "ARG A=${ =b",
            "RUN <<\\ \\",
            'ONBUILD -- LABEL = "',
        ],
        *[
            "RUN --mount=type=bind,target='/a\"b' c",
            "RUN --mount= c",
            "RUN --mount='\"type=bind\"x' c",
            "RUN --mount='\"a' c",
        ],
        *[
            "RUN --mount='type=bind, \"target=/a\"' c",
            "RUN --device= c",
            "RUN --device='a\"b' c",
            "RUN --mount=a,from=$x c",
        ],
        *[f"RUN cat <<{blank} EOT\nset\nEOT" for blank in "\v\f\x85\xa0\u2028\u3000"],
        *["RUN cat <<- EOT\nset\nEOT", "CMD [1]", "CMD " + "[" * 10_000 + "]" * 10_000],
    )
]
KEPT_AS_WRITTEN = [
    "# syntax=a\xe9\n\nFROM a\n",
    "# check=bar=1\n\nFROM a\n",
    "# check=skip=A,B; error=true\n\nFROM a\n",
]


@pytest.mark.parametrize("text", ACCEPTED, ids=lambda text: repr(text)[:60])
def test_accepted(text: str) -> None:
    """A text that BuildKit reads is read, rendered, formatted and imported, and keeps its meaning."""
    assert not differential.unknown_to_the_parser(text) or "check" in text
    assert parse(text)
    differential.check_text(text)


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text)[:60])
def test_refused(text: str) -> None:
    """A text that BuildKit refuses is refused."""
    with pytest.raises(DockerfileSyntaxError):
        parse(text)
    differential.check_text(text)


@pytest.mark.parametrize("text", KEPT_AS_WRITTEN)
def test_directives_that_fail_in_a_build_stay(text: str) -> None:
    """A directive whose value BuildKit refuses is no comment, and is not repaired."""
    assert text == render(parse(text))


@pytest.mark.engine
def test_the_engine_reads_the_same(tmp_path: Path) -> None:
    """The engine lists the targets of each text that is accepted, all at once, and of no other."""
    # Its frontend would be fetched.
    texts = [text.replace("# syntax=x", "# x") for text in [*ACCEPTED, *REFUSED]]
    targets = {}
    for index, text in enumerate(texts):
        (tmp_path / f"f{index}").write_text(text, newline="")
        targets[f"t{index}"] = {"context": str(tmp_path), "dockerfile": f"f{index}", "call": "targets,format=json"}
    (tmp_path / "bake.json").write_text(json.dumps({"target": targets}))

    def bake(*names: str) -> subprocess.CompletedProcess[str]:
        command = [
            "docker",
            "buildx",
            "bake",
            "--allow=fs.read=*",
            "--progress=quiet",
            "-f",
            f"{tmp_path}/bake.json",
            *names,
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def asked(names: list[str]) -> list[str]:
        # BuildKit may lose one of many builds that end at once.
        for _ in range(5):
            found = bake(*names)
            if "no such job" not in found.stderr:
                break
        assert "" == found.stderr
        return re.findall(r"(?m)^t\d+$", found.stdout)

    accepted = [f"t{index}" for index in range(len(ACCEPTED))]
    listed = [name for at in range(0, len(accepted), 30) for name in asked(accepted[at : at + 30])]
    assert sorted(accepted) == sorted(listed)
    with ThreadPoolExecutor(4) as pool:
        refused = list(pool.map(bake, [f"t{index}" for index in range(len(ACCEPTED), len(texts))]))
    assert [] == [text for text, each in zip(REFUSED, refused, strict=True) if _failed(each.stderr) is None]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("EXPOSE $A", 'EXPOSE "$A"'),
        ("ENV A=${F:?m}", "ENV A=${F:?n}"),
        ("ENV A=${F:-x${B}}", "ENV A=${F:-${B}x}"),
        ("RUN --mount=required,type=secret,id=s c", "RUN --mount=type=secret,id=s,required c"),
        ("RUN --mount=type=cache,target=/a,ro,rw c", "RUN --mount=type=cache,target=/a,rw,ro c"),
        ('CMD ["a"] \x1c', 'CMD ["a"]'),
        ("# check=skip=A\nRUN x", "# check=skip=A\n#\nRUN x"),
        ("# check=skip=A\nRUN x", "# check=skip=B\n# check=skip=A\nRUN x"),
    ],
)
def test_differences(before: str, after: str) -> None:
    """The proof sees what differs to BuildKit alone."""
    assert prove(f"FROM a\n{before}\n", f"FROM a\n{after}\n") is not None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# check=error=true\nFROM a", "# check=error=false\nFROM a"),
        ("# check=skip=,A;error=true\nFROM a", "# check=error=true\nFROM a"),
        ("# check=bar=1\nFROM a", "FROM a"),
        ("#!\n# check=skip=A\nFROM a", "#!\nFROM a"),
        ("# syntax=a\xe9\nFROM a", "\n# syntax=a\xe9\nFROM a"),
        ("# escape=`\nFROM a\nONBUILD LABEL A=a`b", "# escape=`\nFROM a\nONBUILD LABEL A=ab"),
        ("FROM a AS b\nFROM c AS b\nRUN --mount=from=b x", "FROM a AS b\nFROM c AS d\nRUN --mount=from=b x"),
    ],
)
def test_differences_between_files(before: str, after: str) -> None:
    """So it does in directives, in triggers, and where a stage has a namesake."""
    assert prove(before, after) is not None


def test_no_instruction() -> None:
    """A line that is nothing but an escape character is no instruction to either of the two."""
    with pytest.raises(InvalidValue, match="nothing but an escape character"):
        prove("FROM a\n\\", "FROM a")
    with pytest.raises(DockerfileSyntaxError):
        parse("FROM a\n\\")


def test_quotes_that_count_are_kept() -> None:
    """What quotes keep together is not an `Expose`, which would be split."""
    steps = parse('FROM a\nEXPOSE "$A"\nEXPOSE "80" $A\n').stages[0].steps
    assert ["Verbatim", "Expose"] == [type(each).__name__ for each in steps]
    assert Expose("80", "$A") == steps[1]


def test_references_without_blanks_need_no_quotes() -> None:
    """A default or a message of plain characters is written as it was."""
    text = "FROM a\nENV A=${F:?msg} B=x${C:-1.2}y\nWORKDIR ${D?}\n"
    assert text == render(parse(text))


@pytest.mark.parametrize("kind", [Cmd, Run])
def test_characters_at_the_start(kind: type[Cmd | Run]) -> None:
    """What BuildKit keeps is kept, and what it would strip is refused: nothing vanishes without a word."""
    assert f"{kind.KEYWORD} \x1cx" == str(kind(layout("\x1cx"))) == str(kind("\x1cx"))
    assert "RUN <<EOF\nset -e\n\x1c\nEOF" == str(Run.script("\x1c\n"))
    assert f"{kind.KEYWORD} x" == str(kind(layout(" \tx ")))
    for text in (" \x0cx", "\u2028x", "x\u2028", "x\\\n y\x85"):
        with pytest.raises(
            ValueError, match=f"{kind.KEYWORD}: .* whitespace at its start or end, which BuildKit strips"
        ):
            kind(layout(text))


def test_any_text() -> None:
    """Whatever the text is, only its syntax error is raised."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]

    @settings(max_examples=strategies.examples(400), deadline=None, suppress_health_check=checks)
    @given(st.one_of(st.text(max_size=60), st.text("#=\\` \n\"'<$aE", max_size=40).map("FROM x\nRUN {}".format)))
    def run(text: str) -> None:
        differential.check_text(text)

    run()


def test_generated_texts() -> None:
    """No difference to BuildKit is left that has no name."""
    seed = 0 if strategies.FACTOR == 1 else random.randrange(2**32)
    for text in differential.texts(TEXTS, seed, [*ACCEPTED, *REFUSED]):
        try:
            differential.check_text(text)
        except Exception as error:
            shorter = differential.smallest(text, differential.check_text)
            raise AssertionError(f"seed {seed}: {shorter!r}") from error
