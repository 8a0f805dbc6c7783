"""Comments that ignore findings: whose they are, what they are about, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockdsl import Cmd, Comment, Dockerfile, Stage, check, parse, render
from dockdsl.lint.finding import Finding

OURS = "# dockdsl: ignore=JSONArgsRecommended a shell is wanted"


def found(text: str) -> list[tuple[str, int, str]]:
    """Return rule, line and severity of each finding."""
    return [(each.rule, each.line, each.severity) for each in check(text)]


@pytest.mark.parametrize(
    "text",
    [
        f"FROM a:1\n{OURS}\nCMD x\n",
        f"FROM a:1\n  {OURS}\n\n# another\nCMD x\n",
        f"FROM a:1\r\n{OURS}\r\nCMD x\r\n",
        f"FROM a:1\nRUN <<EOF\nx\nEOF\n{OURS}\nCMD x\n",
        "FROM a:1\n# dockdsl: ignore=jsonargsrecommended a shell is wanted\nCMD x\n",
        "FROM a:1\n# dockdsl: ignore=DL3025 a shell is wanted\nCMD x\n",
        "# dockdsl: ignore=StageNameCasing it is an old one\nFROM a:1 AS B\n",
        "FROM a:1 AS c\n# dockdsl: ignore=StageNameCasing,DuplicateStageName why\nFROM a:1 AS C\n",
        "FROM a:1 AS c\n# hadolint ignore=DL3024\n# check=skip=StageNameCasing\nFROM a:1 AS C\n",
        "# check=skip=JSONArgsRecommended\nFROM a:1\nCMD x\n",
        "# check=skip=all\nFROM a:1\nCMD x\n",
        "# remark\n# check=skip=all\nFROM a:1 AS B\n",
        "FROM a:1\n# check=skip=JSONArgsRecommended;error=true\nCMD x\n",
        "FROM a:1\n# check=skip=JSONArgsRecommended because of the shell\nCMD x\n",
        "FROM a:1\n# hadolint ignore=DL3025\nCMD x\n",
        "FROM a:1\n#hadolint ignore = DL3026, DL3025 # because\nCMD x\n",
        "FROM a:1\nCMD x\n# hadolint global ignore=DL3025\n",
        # Above the line of a command, or above all of them.
        "FROM a:1\nRUN x && \\\n    # dockdsl: ignore=InstallAsks it does not\n    apt-get install --no-install-recommends y=1 && \\\n    z\n",
        "FROM a:1\n# dockdsl: ignore=InstallAsks it does not\nRUN x && \\\n    apt-get install --no-install-recommends y=1 && \\\n    z\n",
        # Rules of others, and one that is an experiment.
        "FROM a:1\n# hadolint ignore=DL3026,SC2086\nRUN x\n",
        "FROM a:1\n# hadolint ignore=DL3005,dl3077,DL4007,DL1001\nRUN x\n",
        "# check=skip=InvalidBaseImagePlatform,InvalidDefinitionDescription\nFROM a:1\n",
        "FROM a:1\n# dockdsl: a word about it\nRUN x\n",
        "FROM a:1\n# dockdsl ignore files have a page of their own\nRUN x\n",
    ],
)
def test_what_is_ignored(text: str) -> None:
    """Comments of dockdsl, BuildKit and hadolint are obeyed, by all names of a rule.

    That BuildKit reads ``# check=skip=RULE`` above one instruction, and for that alone, is judged by its own cases, in
    `test_rules.test_buildkit_says_the_same`; tally, which reads it too, takes it for one of the whole file.
    """
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # Another instruction is not meant.
        (f"FROM a:1\n{OURS}\nCMD x\nFROM b:1\nCMD y\n", [("JSONArgsRecommended", 5, "warning")]),
        # BuildKit obeys a comment in the first column alone, and a text in a heredoc is no comment.
        ("FROM a:1\n # check=skip=JSONArgsRecommended\nCMD x\n", [("JSONArgsRecommended", 3, "warning")]),
        (f"FROM a:1\nRUN <<EOF\n{OURS}\nEOF\nCMD x\n", [("JSONArgsRecommended", 5, "warning")]),
        (
            "FROM a:1\nRUN x && \\\n  # hadolint ignore=DL3014\n    apt-get install --no-install-recommends y=1 && \\\n    # dockdsl: ignore=InstallAsks it does\n    z\n",
            [("InstallAsks", 4, "warning"), ("UnusedIgnore", 5, "warning")],
        ),
        # What is ignored and not found.
        (f"FROM a:1\n{OURS}\nRUN x\n", [("UnusedIgnore", 2, "warning")]),
        ("# check=skip=JSONArgsRecommended\nFROM a:1\n", [("UnusedIgnore", 1, "warning")]),
        ("FROM a:1\n# check=skip=all\nRUN x\n", [("UnusedIgnore", 2, "warning")]),
        ("FROM a:1\n# hadolint ignore=DL3025\nRUN x\n", [("UnusedIgnore", 2, "hint")]),
        # What is not right.
        ("FROM a:1\n# check=skip=JsonArgsRecomended\nRUN x\n", [("InvalidIgnore", 2, "warning")]),
        ("FROM a:1\n# hadolint ignore=DL30\nRUN x\n", [("InvalidIgnore", 2, "hint")]),
        ("# hadolint global ignore=DL9999\nFROM a:1\nRUN x\n", [("InvalidIgnore", 1, "hint")]),
        ("FROM a:1\n# hadolint ignore=DL3026,DL4011\nRUN x\n", [("InvalidIgnore", 2, "hint")]),
        ("FROM a:1\n# dockdsl: ignore=DL3100 why\nRUN x\n", [("InvalidIgnore", 2, "warning")]),
        ("FROM a:1\n# dockdsl: ignore=JSONArgsRecommended\nCMD x\n", [("InvalidIgnore", 2, "warning")]),
        (
            "FROM a:1\n# dockdsl: ignore=all why not\nCMD x\n",
            [("InvalidIgnore", 2, "warning"), ("JSONArgsRecommended", 3, "warning")],
        ),
        (
            "FROM a:1\n# dockdsl: ignore JSONArgsRecommended\nCMD x\n",
            [("InvalidIgnore", 2, "warning"), ("JSONArgsRecommended", 3, "warning")],
        ),
    ],
)
def test_what_is_not(text: str, wanted: list[tuple[str, int, str]]) -> None:
    """A comment is about the instruction below it, names rules that exist and find something, and says why."""
    assert wanted == found(text)


def test_a_file_whose_build_fails_of_a_warning() -> None:
    """With ``error=true``, what BuildKit's checks find is an error; what is uncertain stays a hint."""
    assert found("# check=error=true\nFROM a:1 AS B\n") == [("StageNameCasing", 2, "error")]
    assert found("# check=error=false\nFROM a:1 AS B\n") == [("StageNameCasing", 2, "warning")]
    assert found("# check=error=true\nFROM a:1\nCOPY $X /\n") == [("UndefinedVar", 3, "hint")]


def test_a_misspelled_rule_gets_the_nearest_name() -> None:
    """The message has the name that was probably meant, or says how a comment is written."""
    (misspelled,) = check("FROM a:1\n# check=skip=JSONArgRecommended\nRUN x\n")
    (unknown,) = check("# hadolint global ignore=DL9999\nFROM a:1\n")
    (unreasoned,) = check("FROM a:1\n# dockdsl: ignore=StageNameCasing\nFROM a:1 AS B\n")

    assert "there is no rule 'JSONArgRecommended' that the comment could ignore" in misspelled.message
    assert "did you mean 'JSONArgsRecommended'?" == misspelled.remedy
    assert unknown.message == (
        "there is no rule 'DL9999' that the comment could ignore; dockdsl check --rules lists the rules"
    )
    assert "the comment gives no reason; write # dockdsl: ignore=RULE reason" == unreasoned.message


@pytest.mark.parametrize(
    ("comment", "fact"),
    [
        ("dockdsl ignore=JSONArgsRecommended why", "the comment has no colon after dockdsl, and ignores nothing"),
        ("dockdsl: ignore=all why", "'all' is not accepted here, since each rule is ignored by its name"),
        ("dockdsl: ignore= why", "the comment ignores no rule by its name"),
        ("dockdsl: ignore=JSONArgsRecommended", "the comment gives no reason"),
    ],
)
def test_how_a_comment_is_written_is_said(comment: str, fact: str, tmp_path: Path) -> None:
    """In a Dockerfile and in Python, what is wrong with a comment is found at its line, with what to write."""
    path = tmp_path / "app.py"
    text = f"from dockdsl import *\nc = Cmd('x')  # {comment}\nd = Dockerfile(Stage('a:1', steps=[c]))\n"
    path.write_text(text)
    rows = [*check(f"FROM a:1\n# {comment}\nCMD x\n"), *check(path)]
    invalid = [(each.origin.line, each.message) for each in rows if each.rule == "InvalidIgnore"]

    assert 2 * [(2, f"{fact}; write # dockdsl: ignore=RULE reason")] == invalid


def test_a_step_ignores_what_is_below_it() -> None:
    """A Comment in Python is one of the Dockerfile that is written, and of what is read from that."""
    remark = Comment("dockdsl: ignore=JSONArgsRecommended a shell is wanted")
    above = "dockdsl: ignore=FromPlatformFlagConstDisallowed there is no other"
    steps = [Comment("first"), remark, Cmd("x")]
    made = Dockerfile(Stage("a:1", platform="linux/amd64", comment=above, steps=steps))

    assert check(made) == []
    assert check(render(made)) == []
    assert check(parse(render(made))) == []


PYTHON = """\
from dockdsl import Cmd, Dockerfile, Run, Stage, Workdir
from helper import ending


def unused():
    return Cmd("y")  # dockdsl: ignore=JSONArgsRecommended nobody calls this


app = Stage(
    "alpine:3.22",
    platform="linux/arm64",  # dockdsl: ignore=FromPlatformFlagConstDisallowed the stage begins above
    steps=[
        Cmd("x"),  # dockdsl: ignore=JSONArgsRecommended,MultipleInstructionsDisallowed é why
        # dockdsl: ignore=WorkdirRelativePath the base image
        # has a folder of its own
        Workdir(
            "é",
        ),
        [Run(each) for each in ("a && b", "c && d")],  # dockdsl: ignore=UndefinedVar no longer
        *ending(),
    ],
)
text = "# dockdsl: ignore=UndefinedVar this is a string"
one, two = Dockerfile(app), Dockerfile([app])
"""
HELPER = """\
from dockdsl import Cmd, Run


def ending():
    yield Run("a")  # dockdsl: ignore=UndefinedVar another file may need it
    # dockdsl: ignore=JSONArgsRecommended a shell is wanted
    yield Cmd("x")
"""


def test_comments_in_python(tmp_path: Path) -> None:
    """A comment at the line where a value is made, or above that, is about the value, in helpers too.

    That it ignores nothing is found in the file that is checked, at lines where something was made.
    """
    tmp_path.joinpath("helper.py").write_text(HELPER, encoding="utf-8")
    app = tmp_path.joinpath("app.py")
    app.write_text(PYTHON, encoding="utf-8")
    rows = [(each.rule, each.origin.line, each.columns, each.remedy) for each in check(app)]

    assert rows == [
        ("FromPlatformFlagConstDisallowed", 9, (7, 13), "leave platform= out, or write $BUILDPLATFORM"),
        ("UnusedIgnore", 19, None, "remove it from the comment"),
    ]


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        # The finding is about the call.
        ("Cmd(\n    'x',  # IGNORE\n)", []),
        ("Cmd(\n    # IGNORE\n    'x',\n)", []),
        ("Cmd(\n    'x',\n    # IGNORE\n)", []),
        ("Cmd(\n    'x',\n)  # IGNORE", []),
        ("Onbuild(\n    Run(\n        'apt-get install y=1',  # IGNORE\n    ),\n)", []),
        # It is about a line of it: that one, one with nothing of the script, and another one.
        ("Run.chain(\n    'x',\n    'apt-get install y=1',  # IGNORE\n)", []),
        ("Run.chain(\n    'x',\n    'apt-get install y=1',\n    network='none',  # IGNORE\n)", []),
        ("Run.chain(\n    'x',\n    'apt-get install y=1',\n)  # IGNORE", []),
        (
            "Run.chain(\n    'x',  # IGNORE\n    'apt-get install y=1',\n)",
            [("UnusedIgnore", 5), ("InstallAsks", 6)],
        ),
        (
            "Run.chain(\n    'apt-get install y=1',  # IGNORE\n    'apt-get install z=1',\n)",
            [("InstallAsks", 6)],
        ),
        # It ignores nothing, or stands in no call of a step.
        ("Cmd.exec(\n    'x',  # IGNORE\n)", [("UnusedIgnore", 5)]),
        ("[\n    # IGNORE\n    Workdir('/x'),\n    Cmd('x'),\n]", [("UnusedIgnore", 5), ("JSONArgsRecommended", 7)]),
        ("Cmd(\n    'x # IGNORE'\n)", [("JSONArgsRecommended", 4)]),
    ],
)
def test_comments_inside_a_call(step: str, wanted: list[tuple[str, int]], tmp_path: Path) -> None:
    """A comment in a call of several lines is about the step; beside a line of a script, about that line."""
    rule = "InstallAsks" if "apt-get" in step else "JSONArgsRecommended"
    steps = step.replace("IGNORE", f"dockdsl: ignore={rule} why")
    path = tmp_path / "app.py"
    path.write_text(f"from dockdsl import *\n\napp = Stage('a:1', steps=(\n{steps}\n,))\nd = Dockerfile(app)\n")
    found = [(each.rule, each.origin.line) for each in check(path) if each.severity == "warning"]

    assert wanted == found


def test_a_finding_in_python_has_its_place(tmp_path: Path) -> None:
    """Columns are characters, and a call that goes on below ends at the end of its line."""
    app = tmp_path.joinpath("app.py")
    app.write_text(
        'from dockdsl import *\nd = Dockerfile(Stage("a:1", steps=["é" and Cmd("x"), Workdir(\n "x")]))\n', "utf-8"
    )
    found: list[Finding] = check(app)

    assert {each.rule: each.source[each.columns[0] - 1 : each.columns[1] - 1] for each in found if each.columns} == {
        "JSONArgsRecommended": 'Cmd("x")',
        "WorkdirRelativePath": "Workdir(",
    }


def test_a_message_names_other_places_as_they_were_written(tmp_path: Path) -> None:
    """What another instruction is about is named by its line of Python, too."""
    app = tmp_path.joinpath("app.py")
    app.write_text(
        'from dockdsl import *\na = Cmd.exec("a")\nb = Cmd.exec("b")\nd = Dockerfile(Stage("a:1", steps=[a, b]))\n'
    )

    (in_python,) = check(app)
    (in_dockerfile,) = check('FROM a:1\nCMD ["a"]\nCMD ["b"]\n')
    assert (in_python.origin.line, in_python.message) == (
        2,
        f"the CMD at {app}:3 replaces this one; remove one of the two",
    )
    assert in_dockerfile.message == "the CMD at line 3 replaces this one; remove one of the two"
