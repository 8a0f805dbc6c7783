"""What a project says in its pyproject.toml: rules that are ignored, levels, rules of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockdsl import Fault, Origin, Rule, SourceError, check
from dockdsl.lint.faults import faults_of_own
from dockdsl.lint.subject import Subject
from tests.lint.test_check import PYTHON
from tests.lint.test_check import check as run

SETTINGS = """\
[tool.other]
JSONArgsRecommended = "error"

[tool.dockdsl.check]
rules = ["own.rules:no_sudo"]
levels = { JSONArgsRecommended = "error", no_sudo = "hint" }

[[tool.dockdsl.check.ignore]]
rules = ["StageNameCasing", "DL3000"]
files = ["old/*", "*.old"]
reason = "they are replaced next year"

[[tool.dockdsl.check.ignore]]
rules = ["FromAsCasing"]
reason = "taste"
"""
OWN = '''\
from dockdsl import Fault


def no_sudo(subject):
    """RUN uses no sudo.

    It is root already.
    """
    for line in subject.steps("RUN"):
        if "sudo" in line.text:
            yield Fault(line, "sudo is used", "leave it out", part="sudo")
'''


OTHER = "from dockdsl.lint.subject import Subject; OTHER = Subject('FROM a:1\\n', 'x')"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with settings, a rule of its own, and files in two folders."""
    texts = {
        "pyproject.toml": SETTINGS,
        "own/rules.py": OWN,
        "old/Dockerfile": "FROM a:1 as B\nWORKDIR x\nCMD y\n",
        "Dockerfile": "FROM a:1 AS B\nRUN sudox\n",
        "app.py": PYTHON,
    }
    for name, text in texts.items():
        tmp_path.joinpath(name).parent.mkdir(exist_ok=True)
        tmp_path.joinpath(name).write_text(text)
    return tmp_path


def test_a_project(project: Path) -> None:
    """Rules are ignored in some files, others have another level, and its own rules run."""
    rows = [(each.origin.path, each.rule, each.severity) for each in check(project)]

    assert rows == [
        (f"{project}/Dockerfile", "StageNameCasing", "warning"),
        (f"{project}/Dockerfile", "no_sudo", "hint"),
        (f"{project}/app.py", "JSONArgsRecommended", "error"),
        (f"{project}/old/Dockerfile", "JSONArgsRecommended", "error"),
    ]
    assert "no_sudo (warning)\n\nRUN uses no sudo.\n" in run(project, "--explain", "no_sudo").stdout
    assert "no_sudo: RUN uses no sudo.\n" in run(project, "--rules").stdout
    assert run(project, ".").stderr == "3 findings in 3 files, 3 ignored\n"


def test_what_is_ignored_and_not_found(project: Path) -> None:
    """That is known when the whole project was checked, and then it is a finding."""
    project.joinpath("old", "Dockerfile").write_text("FROM a:1 AS B\n")

    unused = [(each.origin.line, each.message) for each in check(project) if each.rule == "UnusedIgnore"]
    remedy = "remove it from [tool.dockdsl.check]"
    assert unused == [
        (9, f"DL3000 is ignored in old/*, *.old, and finds nothing there; {remedy}"),
        (14, f"FromAsCasing is ignored, and finds nothing there; {remedy}"),
    ]
    assert not check(project / "old")
    assert not check(project / "old" / "Dockerfile")


def test_a_text_has_settings_by_its_path(project: Path) -> None:
    """A text without a path has none."""
    assert [each.severity for each in check("FROM a:1\nCMD x\n")] == ["warning"]
    assert [each.severity for each in check("FROM a:1\nCMD x\n", str(project / "new" / "Dockerfile"))] == ["error"]


@pytest.mark.parametrize(
    "text",
    [
        '[tool.dockdsl.check]\nlevels.JSONArgsRecommended = "error"\n',
        '[tool."dockdsl" . check.levels]\nJSONArgsRecommended = "error"\n',
        "[tool]\n'dockdsl' = { check = { levels = { DL3025 = 'error' } } }\n",
        'tool . dockdsl . check . levels . JSONArgsRecommended = "error"\n',
    ],
)
def test_spellings_of_toml(tmp_path: Path, text: str) -> None:
    """Whatever way TOML has to write the table is read; the nearest file with the table counts."""
    tmp_path.joinpath("a", "b").mkdir(parents=True)
    tmp_path.joinpath("pyproject.toml").write_text(text)
    tmp_path.joinpath("a", "pyproject.toml").write_text('[project]\ndependencies = ["dockdsl==1"]\n')
    tmp_path.joinpath("a", "b", "Dockerfile").write_text("FROM a:1\nCMD x\n")

    assert ["error"] == [each.severity for each in check(tmp_path / "a" / "b")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("levels = { JSONArgRecommended = 'error' }", "levels: there is no rule 'JSONArgRecommended'; did you mean"),
        ("levels = { JSONArgsRecommended = 'eror' }", "levels: 'eror' is not a level; did you mean 'error'?"),
        ("levels = { JSONArgsRecommended = 'off' }", "or put the rule under ignore"),
        ("levels = 3", "levels is an int; write a table"),
        ("level = 3", "'level' is not a key; did you mean 'levels'?"),
        ("ignore = 'X'", "ignore is a str; write [[tool.dockdsl.check.ignore]]"),
        ("ignore = ['X']", 'ignore: \'X\' is a str; write { rules = ["RULE"], reason = "…" }'),
        ("ignore = [{ rules = ['StageNameCasing'] }]", "StageNameCasing has no reason; write reason = "),
        ("ignore = [{ rules = ['StageNameCasing'], reason = ' ' }]", "StageNameCasing has no reason"),
        ("ignore = [{ rules = ['StageNamCasing'], reason = 'x' }]", "did you mean 'StageNameCasing'?"),
        ("ignore = [{ rules = ['all'], reason = 'x' }]", "there is no rule 'all'; name each rule"),
        ("ignore = [{ rules = 'StageNameCasing', reason = 'x' }]", "is not a list of strings"),
        ("ignore = [{ reason = 'x' }]", "no rules are named; write rules"),
        ("ignore = [{ rule = ['StageNameCasing'], reason = 'x' }]", "'rule' is not a key; did you mean 'rules'?"),
        ("rules = ['own']", "'own' names no function; write \"package.module:function\""),
        ("rules = ['nowhere_at_all:x']", "cannot be imported (ModuleNotFoundError: No module named"),
        ("rules = ['json:dumping']", "cannot be imported (AttributeError: "),
        ("rules = ['json:decoder']", "is a module; name a function, or a Rule"),
        ("rules = ['dockdsl.lint.rules.stage_name_casing:_lowered']", "has no docstring"),
        ("x = ", "it is not valid TOML"),
    ],
)
def test_what_is_no_setting(tmp_path: Path, text: str, message: str) -> None:
    """Each mistake is an error with the line, and with what to write."""
    tmp_path.joinpath("pyproject.toml").write_text(f"[tool.dockdsl.check]\n{text}\n")
    with pytest.raises(SourceError, match=re.escape(message)) as raised:
        check("FROM a:1\n", str(tmp_path / "Dockerfile"))

    assert raised.value.origin is not None
    assert raised.value.origin.path == str(tmp_path / "pyproject.toml")


@pytest.mark.parametrize(("text", "line"), [("levels = {", 2), ("\nlevels = [\n", 3), ("\n\nx = = 1", 4)])
def test_the_line_of_what_is_not_toml(tmp_path: Path, text: str, line: int) -> None:
    """It is the one that the parser names; at the end of the file, the last."""
    tmp_path.joinpath("pyproject.toml").write_text(f"[tool.dockdsl.check]\n{text}")
    with pytest.raises(SourceError, match="it is not valid TOML") as raised:
        check("FROM a:1\n", str(tmp_path / "Dockerfile"))

    assert raised.value.origin == Origin(str(tmp_path / "pyproject.toml"), line)


def test_a_mistake_in_settings_ends_the_command(project: Path) -> None:
    """Exit 2, and no traceback."""
    project.joinpath("pyproject.toml").write_text("[tool.dockdsl.check]\nlevels = { X = 'error' }\n")
    done = run(project, ".")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pyproject.toml:2: error: [tool.dockdsl.check] levels: there is no rule 'X'; ")


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("    raise KeyError('é')", 6, "raised KeyError: 'é' for Dockerfile; fix the rule"),
        ("    raise SystemExit", 6, "raised SystemExit for Dockerfile; fix the rule"),
        ("    yield json.loads('{')", 6, "raised JSONDecodeError: Expecting property name"),
        ("    return [1 / 0]", 6, "raised ZeroDivisionError: division by zero for Dockerfile; fix the rule"),
        ("    raise type('E', (Exception,), {'__str__': None})", 6, "raised E for Dockerfile; fix the rule"),
        ("    pass", 4, "returned None; yield Fault(line, fact, remedy)"),
        ("    return [None]", 4, "yielded None, which is not a Fault; yield Fault(line, fact, remedy)"),
        ("    yield 'text'", 6, "yielded 'text', which is not a Fault; yield Fault(line, fact, remedy)"),
        ("    yield Fault(99999, 'a', 'b')", 6, "a Fault whose line is 99999; take it from subject.lines or"),
        ("    yield Fault('1', 'a', 'b')", 6, "a Fault whose line is '1'; take it from subject.lines or"),
        ("    yield Fault(OTHER.lines[0], 'a', 'b')", 6, "a Fault whose line is of another Dockerfile; take it from"),
        ("    yield Fault(subject.lines[0], 3, 'b')", 6, "a Fault whose fact is 3; write half a sentence"),
        ("    yield Fault(subject.lines[0], 'a', '')", 6, "a Fault whose remedy is ''; write half a sentence"),
        ("    yield Fault(subject.lines[0], 'a', 'b', 'bad')", 6, "level is 'bad'; write error, warning, hint, or"),
        ("    yield Fault(subject.lines[0], 'a', 'b', at=99)", 6, "at is 99; write an index of line.logical.lines, or"),
        ("    yield Fault(subject.lines[0], 'a', 'b', part=1)", 6, "a Fault whose part is 1; leave it out"),
        (
            "    while True: yield Fault(subject.lines[0], 'a', 'b')",
            4,
            "yielded more than 10,000 faults for Dockerfile; let it come to an end",
        ),
    ],
)
def test_a_rule_that_is_wrong(project: Path, body: str, line: int, message: str) -> None:
    """It is an error at its own line, and all else is found as before."""
    head = "import json\nfrom dockdsl import Fault\nOTHER = None\ndef no_sudo(subject):\n"
    text = f'{head}    """X."""\n{body}\n'.replace("OTHER = None", OTHER)
    project.joinpath("own", "rules.py").write_text(text)
    project.joinpath("Second.Dockerfile").write_text("FROM a:1 AS B\n")
    done = run(project, "Dockerfile", "Second.Dockerfile")
    broken = [each for each in done.stdout.splitlines() if "[BrokenRule]" in each]

    assert (2, 2) == (len(broken), done.stdout.count("[StageNameCasing]"))
    assert broken[0].startswith(f"own/rules.py:{line}: error: the rule no_sudo ")
    assert message in broken[0]
    assert (1, "4 findings in 2 files\n") == (done.returncode, done.stderr)


def endless(subject: Subject) -> Iterator[Fault]:
    """A rule that catches what it can, and waits for what never comes."""
    yield Fault(subject.lines[0], "a", "b")
    while True:
        try:
            time.sleep(60)
        except Exception:  # noqa: BLE001 - what users write
            continue


def searching(subject: Subject) -> Iterator[Fault]:
    """A rule whose search has no end."""
    re.search("(a|a)+$", "a" * 99 + "b")
    yield Fault(subject.lines[0], "a", "b")


@pytest.mark.parametrize(("rule", "below"), [(endless, 5), (searching, 2)])
def test_a_rule_without_an_end(rule: Any, below: int) -> None:
    """It is ended, with an error at the line where it was, and an alarm that was set before goes off when it is due."""
    heard: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: heard.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        found, error = faults_of_own(Rule("endless", rule, "X."), Subject("FROM a:1\n", "D"), 0.3)
        time.sleep(0.05)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert [] == found
    assert error is not None
    assert error.message == "the rule endless did not end within 0.3 s for D; take out what takes so long"
    assert error.origin == Origin(__file__, rule.__code__.co_firstlineno + below)
    assert heard == [signal.SIGALRM]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("Rule(1, print, 'X.')", "a Rule whose name is 1; write a text"),
        ("Rule('x', 'f', 'X.')", "a Rule whose examine is 'f'; write a function"),
        ("Rule('x', print, None)", "a Rule whose page is None; write a text"),
        ("Rule('x', print, 'X.', 'bad')", "a Rule whose level is 'bad'; write error, warning, hint"),
        ("Rule('x', print, 'X.', aliases='DL1')", "a Rule whose aliases is 'DL1'; write a tuple of texts"),
    ],
)
def test_a_rule_with_wrong_fields(project: Path, rule: str, message: str) -> None:
    """It is an error at the line that names it."""
    project.joinpath("own", "rules.py").write_text(f"from dockdsl import Rule\nno_sudo = {rule}\n")
    done = run(project, "Dockerfile")

    prefix = "pyproject.toml:5: error: [tool.dockdsl.check] rules: 'own.rules:no_sudo' is"
    assert (2, f"{prefix} {message}\n") == (done.returncode, done.stderr)


def test_all_mistakes_are_shown(project: Path) -> None:
    """Each has its line, in the order of the file; what depends on a rule that is missing is not one."""
    prefix = "error: [tool.dockdsl.check]"
    text = "[tool.dockdsl.check]\ncolour = 1\nlevels = { X = 'eror' }\n"
    entry = "[[tool.dockdsl.check.ignore]]\nrules = ['StageNamCasing']\nrule = 'x'\n"
    project.joinpath("pyproject.toml").write_text(text + entry)
    done = run(project, ".")

    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.splitlines() == [
        f"pyproject.toml:2: {prefix} 'colour' is not a key; the keys are ignore, levels, rules",
        f"pyproject.toml:3: {prefix} levels: 'eror' is not a level; did you mean 'error'?",
        f"pyproject.toml:5: {prefix} ignore: there is no rule 'StageNamCasing'; did you mean 'StageNameCasing'?",
        f"pyproject.toml:6: {prefix} ignore: 'rule' is not a key; did you mean 'rules'?",
    ]
    project.joinpath("pyproject.toml").write_text(f"{text}rules = ['nowhere_at_all:X', 'json:decoder']\n")
    lines = run(project, ".").stderr.splitlines()

    assert [each.partition(": ")[0] for each in lines] == [f"pyproject.toml:{line}" for line in (2, 4, 4)]


def test_a_rule_of_an_installed_package(tmp_path: Path) -> None:
    """A package that is installed brings a rule to every project that names it, as a Rule with a level and a page."""
    package = tmp_path / "package"
    package.joinpath("house_rules").mkdir(parents=True)
    package.joinpath("pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "house-rules"\nversion = "1"\n'
    )
    rule = f"{OWN}\n\nRULE = Rule('NoSudo', no_sudo, no_sudo.__doc__, 'error', ('HR1',))\n"
    package.joinpath("house_rules", "__init__.py").write_text(rule.replace("import Fault", "import Fault, Rule"))
    place = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(place), str(package)], check=True, timeout=120)
    project = tmp_path / "project"
    project.mkdir()
    project.joinpath("pyproject.toml").write_text("[tool.dockdsl.check]\nrules = ['house_rules:RULE']\n")
    project.joinpath("Dockerfile").write_text("FROM a:1\nRUN sudox\n# dockdsl: ignore=HR1 why\nRUN sudo y\n")
    code = f"import site, sys; site.addsitedir({str(place)!r}); from dockdsl.cli import program; sys.exit(program())"
    command = [sys.executable, "-c", code, "check", "Dockerfile"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout == (
        "Dockerfile:2: error: sudo is used; leave it out [NoSudo]\n  2 | RUN sudox\n    |     ^~~~\n"
    )
    assert done.returncode == 1
