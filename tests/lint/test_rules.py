"""The rules: their own examples, and the verdicts of BuildKit on the cases where they are present."""

from __future__ import annotations

import cProfile
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dockdsl import Dockerfile, parse, to_python
from dockdsl.instructions.registry import KEYWORDS
from dockdsl.lint.checking import Checking, check_text
from dockdsl.lint.rule import Rule
from dockdsl.lint.rules import rules
from dockdsl.lint.wording import in_dockerfile, in_python
from tests.corpora import cases
from tests.lint.planting import build

# What a page without a Dockerfile says is in the tests of the command.
RULES = [pytest.param(rule, id=rule.name) for rule in rules() if rule.name not in ("NoDockerfile", "BrokenRule")]
OF_BUILDKIT = {rule.name for rule in rules() if rule.is_buildkit}


def found(text: str) -> set[tuple[str, int]]:
    """Return rule and line of each finding."""
    return {(each.rule, each.line) for each in check_text(text, "Dockerfile")}


def found_as_buildkit(text: str) -> set[tuple[str, int]]:
    """Return the findings of BuildKit's rules."""
    return {each for each in found(text) if each[0] in OF_BUILDKIT}


@pytest.mark.parametrize("rule", RULES)
def test_the_examples_of_a_rule(rule: Rule, tmp_path: Path) -> None:
    """What its page calls bad is found, and what it calls good is not, with the files and the options of the page."""
    how = build(tmp_path / "context", rule.example("Files"), rule.example("Options"))
    bad, good = [Checking("Dockerfile").text(rule.example(kind), build=how) for kind in ("Bad", "Good")]

    assert rule.name in {each.rule for each in bad}
    assert not [each for each in good if each.reason is None]
    assert "Fix: " in rule.page
    assert "Source: https://" in rule.page


@pytest.mark.parametrize("rule", [each for each in RULES if each.id not in ("Unreadable", "ReservedStageName")])
def test_what_a_rule_advises_in_python(rule: Rule, tmp_path: Path) -> None:
    """Of the same example as Python, a remedy names calls and their options, and nothing of a Dockerfile's text."""
    how = build(tmp_path / "context", rule.example("Files"), rule.example("Options"))
    source = to_python(parse(rule.example("Bad")))
    path = tmp_path / "app.py"
    path.write_text(source)
    namespace: dict[str, Any] = {"__name__": "app"}
    exec(compile(source, str(path), "exec"), namespace)
    (made,) = [each for each in namespace.values() if isinstance(each, Dockerfile)]
    found = Checking(str(path)).dockerfile(made, how)
    remedies = [each.remedy for each in found if each.origin.path == str(path)]

    assert not [each for each in remedies if re.search(rf"\b(?:{'|'.join(KEYWORDS)}|FROM)\b|`|(?<!add )--[a-z]", each)]


@pytest.mark.parametrize(
    ("remedy", "dockerfile", "python"),
    [
        ("write `USER root` above", "write USER root above", 'write User("root") above'),
        ("`COPY` or `ENV A=b`", "COPY or ENV A=b", 'Copy(…) or Env({"A": "b"})'),
        ("leave `--link` out", "leave --link out", "leave link= out"),
        ("write `--platform=$A`", "write --platform=$A", 'write platform="$A"'),
        ('write `HEALTHCHECK CMD ["a"]`', 'write HEALTHCHECK CMD ["a"]', 'write Healthcheck.exec("a")'),
    ],
)
def test_words_of_a_remedy(remedy: str, dockerfile: str, python: str) -> None:
    """What is in backticks is shown as the file has it; other things in backticks stay."""
    assert in_dockerfile(remedy) == dockerfile
    assert in_python(remedy) == python
    other = "see `dockdsl check`, `HOME=` and `NOTHING x`"
    assert in_dockerfile(other) == in_python(other) == other


def remedies(text: str) -> dict[str, str]:
    """Return the last remedy of each rule."""
    return {each.rule: each.remedy for each in check_text(text, "Dockerfile")}


LOST = "FROM alpine:3 AS build\nARG V=dev\nRUN echo $V\nFROM build AS x\nFROM alpine:3\n"


@pytest.mark.parametrize("use", ["LABEL a=$V", "RUN echo $V"])
@pytest.mark.parametrize(
    ("text", "advised"),
    [
        (LOST, "ARG V=dev, since a default counts only in its own stage, below it (ARG V is enough where the default"),
        (LOST.replace("V=dev", "V='d v'"), "ARG V='d v', since"),
        (LOST.replace("V=dev", f"V={41 * 'd'}"), "ARG V=…, since"),
        (LOST.replace("V=dev", "V"), "ARG V"),
        (f"ARG V=1\n{LOST}", "ARG V"),
    ],
)
def test_a_default_of_another_stage_is_repeated(text: str, advised: str, use: str) -> None:
    """What is advised gives the value; ARG with the name alone does so for a default before the first stage."""
    said = {**remedies(f"{text}{use}\n")}
    remedy = said.get("ArgLostBetweenStages") or said["UndefinedVar"]

    assert remedy.partition(": ")[2].startswith(advised)
    assert (remedy.partition(": ")[2] == advised) == ("since" not in advised)
    written = advised.partition(",")[0]
    assert not {"ArgLostBetweenStages", "UndefinedVar"} & {*remedies(f"{text}{written}\n{use}\n")}


@pytest.mark.parametrize(
    ("above", "remedy"),
    [
        ("", "declare NODE_VERSION with a default before the first stage: ARG NODE_VERSION=…"),
        ("ARG NODE=20\n", "declare NODE_VERSION with a default before the first stage: ARG NODE_VERSION=…"),
        ("ARG NODE_VERSIONS=20\n", "did you mean 'NODE_VERSIONS'?"),
        ("ARG NODE_VERSIONS=20\nARG NODE_VERSION\n", "declare NODE_VERSION with a default before the first stage: "),
        ("ARG NODE_VERSION=:\n", "correct the default"),
    ],
)
def test_a_name_in_from_without_a_value(above: str, remedy: str) -> None:
    """It is one that the file declares only if it is very like it, and else it is to be declared with a default."""
    said = remedies(f"{above}FROM node:${{NODE_VERSION}}\n")

    assert said["InvalidDefaultArgInFrom"].startswith(remedy)
    assert said.get("UndefinedArgInFrom", remedy).startswith(remedy)
    assert ("UndefinedArgInFrom" in said) == ("ARG NODE_VERSION" not in above.replace("VERSIONS", ""))


@pytest.mark.parametrize(
    ("text", "flaw", "array"),
    [
        ("['x', 'y']", "it has single quotes", '["x", "y"]'),
        ('["./run.sh", ]', "a comma follows the last word", '["./run.sh"]'),
        ('["python" "app.py"]', "a comma is missing", '["python", "app.py"]'),
        ('["a", "b"', "it does not end with ]", '["a", "b"]'),
        (r'["C:\d", "\"é"]', "it has a backslash that is not doubled", r'["C:\\d", "\"é"]'),
        ("[a, b]", "it is not valid JSON", '["program", "argument"]'),
        ("['a`', 'b']", "it is not valid JSON", '["program", "argument"]'),
    ],
)
def test_what_was_meant_as_an_array(text: str, flaw: str, array: str) -> None:
    """It is said what is wrong with it, and the array that is advised is one."""
    (fault,) = [each for each in check_text(f"FROM a:1\nCMD {text}\n", "D") if each.rule == "JSONArgsRecommended"]

    assert fault.message.startswith(f"CMD is not a JSON array, since {flaw}: ")
    assert fault.remedy == f"write CMD {array}"
    assert "JSONArgsRecommended" not in remedies(f"FROM a:1\n{fault.remedy.removeprefix('write ')}\n")


@pytest.mark.parametrize("text", ['[ "$X" = 1 ] && a', '[ -f "x" ]', "run ['a']"])
def test_a_test_of_a_shell_is_no_array(text: str) -> None:
    """A shell has a blank behind the bracket."""
    (fault,) = [each for each in check_text(f"FROM a:1\nCMD {text}\n", "D") if each.rule == "JSONArgsRecommended"]

    assert fault.message.startswith("CMD is in the shell form")


@pytest.mark.parametrize(
    ("port", "remedies_of_both"),
    [
        ("a:", ("write the port of the container alone", "write the port of the container alone")),
        ("a:b", ("write the port of the container alone", "write the port of the container alone")),
        ("x:80/udp", ("write 80/udp", "write 80/udp")),
        (":80", ("write 80", None)),
    ],
)
def test_a_port_of_the_host_without_one_of_the_container(port: str, remedies_of_both: tuple[str, str | None]) -> None:
    """A remedy is never empty, and keeps the protocol."""
    said = remedies(f"FROM a:1\nEXPOSE {port}\n")

    assert (said["ExposeInvalidFormat"], said.get("InvalidPort")) == remedies_of_both


def test_a_blank_line_is_named() -> None:
    """BuildKit reports the line where the instruction ends."""
    (fault,) = [each for each in check_text("FROM a:1\nRUN a \\\n\n && b \\\n && c\n", "D") if each.fix is not None]

    assert str(fault) == "D:5: warning: line 3 is blank, inside the instruction; remove it [NoEmptyContinuation]"


def verdicts() -> list[tuple[str, list[dict[str, Any]]]]:
    """Return BuildKit's cases that it builds, each with what its checks say."""
    built = [
        (case["dockerfile"], case["result"].get("lint") or [])
        for case in cases("integration_inline", "parse_snippets")
        if not any(case["result"].get(f"{kind}_error") for kind in ("parse", "instruction", "build"))
    ]
    pairs = [(case[kind], case[f"{kind}_result"]) for case in cases("lint_rules_own") for kind in ("bad", "good")]
    # What a client passes, and files of the context, are not in a Dockerfile; one of them is not valid.
    checked = [
        (case["dockerfile"], case["warnings"])
        for case in cases("lint_buildkit")
        if not (case["build_args"] or case["dockerignore"] or "BADCMD" in case["dockerfile"])
    ]
    return built + pairs + checked


@pytest.mark.corpora
def test_buildkit_says_the_same() -> None:
    """Rule and line of each finding are those of BuildKit."""
    judged = verdicts()

    assert len(judged) > 500
    for text, said in judged:
        assert found_as_buildkit(text) == {
            (each["rule"], each["lines"][0][0] if "lines" in each else each["line"]) for each in said
        }


@pytest.mark.engine
@pytest.mark.parametrize(
    "text",
    [
        'FROM busybox:1.37\nWORKDIR "/usr/bin/"\n',
        "ARG PYTHON_VERSION\nFROM busybox:${version}1.37\n",
        'FROM busybox:1.37\nSHELL ["a"]\nCMD x\n',
        "FROM busybox:1.37\nWORKDIR $GOPATH\n",
        "FROM busybox:1.37 AS BASE\nFROM BASE\n",
        "FROM busybox:1.37 as Build\nENV a b\nCMD x\nCMD y\nARG API_TOKEN\nCOPY a \\\n\n b\nEXPOSE 80/TCP\n",
    ],
)
def test_the_engine_says_the_same(text: str, tmp_path: Path) -> None:
    """So does the engine's own frontend, for what it knows."""
    tmp_path.joinpath("Dockerfile").write_text(text)
    command = ["docker", "buildx", "build", "--call=check,format=json", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    said = json.loads(done.stdout)["warnings"] or []

    assert found_as_buildkit(text) == {
        (each["ruleName"], each["location"]["ranges"][0]["start"]["line"]) for each in said
    }


def test_comments_of_the_file_silence() -> None:
    """A directive silences a rule in the file, a comment above an instruction there; experiments are asked for."""
    assert not found("# check=skip=JSONArgsRecommended,StageNameCasing\nFROM a:1 AS B\nCMD x\n")
    assert not found("# check=skip=all\nFROM a AS B\nCMD x\n")
    assert found("FROM a:1\n# check=skip=JSONArgsRecommended\n\nCMD x\nHEALTHCHECK CMD x\nENTRYPOINT y\n") == {
        ("JSONArgsRecommended", 6)
    }
    assert not found("# x\nFROM a:1 AS b\n")


def test_what_a_base_image_may_set_is_a_hint() -> None:
    """Nobody is warned of a variable that the base image may set, nor of a path of Windows."""
    levels = {
        each.line: each.severity
        for each in check_text("FROM a:2\nARG FOLDER\nWORKDIR $GOPATH\nCOPY $FOLDR .\nFROM a:1\nWORKDIR C:\\x\n", "D")
    }

    assert levels == {3: "hint", 4: "warning", 6: "hint"}
    own = 'FROM a:2\nENV OPT=1\nENV OPTS="$OPT $OPTS"\nENV PATH=/a:$PATH\nWORKDIR $GOPATH\n'
    assert {each.severity for each in check_text(own, "D")} == {"hint"}
    known = "FROM golang:1.27 AS a\nENV PATH=$GOPATH/bin:$PATH\nFROM a\nFROM mcr.microsoft.com/dotnet/aspnet:10.0\nUSER $APP_UID\n"
    assert [] == [each for each in check_text(known, "D") if each.rule == "UndefinedVar"]
    assert ["UndefinedVar"] == [each.rule for each in check_text("FROM python:3\nENV A=$PYTHONPATH:/a\n", "D")]
    windows = "# escape=`\nFROM golang:1.27\nENV GOPATH C:\\go\nWORKDIR $GOPATH\n"
    assert {each.severity for each in check_text(windows, "D") if each.rule == "WorkdirRelativePath"} == {"hint"}
    copied = "FROM a:1 AS alpine-base\nFROM a:1 AS build\nFROM a:1\nCOPY --from=alpine a /\nCOPY --from=biuld a /\n"
    assert [each.severity for each in check_text(copied, "D")] == ["hint", "warning"]
    key = f"FROM golang:1.27\nENV GPG_KEY={40 * 'A'}\nENV API_KEY={40 * 'A'}\n"
    assert [each.severity for each in check_text(key, "D")] == ["hint", "warning"]


def test_a_large_file_takes_time_in_proportion() -> None:
    """Ten times as many instructions take about ten times as long, counted in calls."""

    def calls(count: int) -> int:
        profile = cProfile.Profile()
        text = "FROM a AS b\nARG A=1\n" + "ENV X=$A Y=$Z\nWORKDIR $X\n# hadolint global ignore=DL3025\nCMD x\n" * count
        profile.runcall(check_text, text, "D")
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(500) < 7 * calls(100)
