"""Errors and warnings on a real engine: those of the plain Dockerfile, at the lines of Python.

That a definition may be solved again with other places, and that a step then fails at these, BuildKit documents nowhere:
the tests of failing steps hold it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.frontend.builds import Build

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(
    ("old", "new", "excerpt", "message"),
    [
        ('"A": "1"', '"A": 1', ('Env({"A": 1})',), "ENV: 'A': the operand 1 is an int; pass a str"),
        ("dockerfile = ", "dockerfile == 1 = ", ("dockerfile == 1 = ",), "Python cannot parse it: cannot assign to"),
        ("dockerfile = ", "1 / 0; dockerfile = ", ("1 / 0; ",), "the file raised ZeroDivisionError: division by zero"),
        (
            "from bases",
            "from nowhere",
            ("from nowhere",),
            "the file raised ModuleNotFoundError: No module named 'nowhere'",
        ),
        (
            '\n            network="none",\n',
            '\n            network="nun",\n',
            ("        Run(", "echo $GREETING", 'network="nun"', ")"),
            "RUN: --network: the value 'nun' is unknown; use one of",
        ),
    ],
    ids=["a value", "syntax", "an exception", "an import", "several lines"],
)
def test_what_the_file_does_wrong(build: Build, old: str, new: str, excerpt: tuple[str, ...], message: str) -> None:
    """The file is shown as BuildKit shows a Dockerfile, with the lines marked that are at fault."""
    build.write()
    build.replace(old, new)
    done = build.run()

    assert 1 == done.code
    assert f"ERROR: failed to build: failed to solve: {message}" in done.errors
    ((name, lines),) = done.excerpts
    assert "app.py" == name
    assert len(excerpt) == len(lines)
    assert all(part in line for part, line in zip(excerpt, lines, strict=True)), lines


@pytest.mark.parametrize(
    ("old", "new", "option", "message"),
    [
        ("dockerfile = ", "_hidden = ", "--no-cache", "app.py: it defines no Dockerfile; write dockerfile = "),
        (
            "dockerfile = ",
            "another = Dockerfile(test); dockerfile = ",
            "--no-cache",
            "app.py: it defines more than one Dockerfile; pick",
        ),
        ("dockerfile = ", "dockerfile = ", "--target=nope", 'target stage "nope" could not be found'),
    ],
    ids=["no Dockerfile", "several", "no such target"],
)
def test_what_is_about_no_line(build: Build, old: str, new: str, option: str, message: str) -> None:
    """No line is marked, which BuildKit would else do with the one that names the frontend."""
    build.write()
    build.replace(old, new)
    done = build.run(option)

    assert 1 == done.code
    assert f"ERROR: failed to build: failed to solve: {message}" in done.errors
    assert [] == done.excerpts


@pytest.mark.parametrize(
    ("file", "old", "new", "excerpts"),
    [
        (
            "app.py",
            "echo $GREETING > /greeting",
            "exit 7",
            [("app.py", ["        Run(", '            "exit 7",', '            network="none",', "        ),"])],
        ),
        (
            "parts/common.py",
            "mkdir -p /made",
            "exit 8",
            [("parts/common.py", ['setup = Run("exit 8", network="none")'])],
        ),
        (
            "app.py",
            'Copy(".", ',
            'Copy("nothing", ',
            [("app.py", ['app = Stage(base, name="app", steps=[Copy("nothing", '])],
        ),
        ("bases.py", "busybox:1.37", "127.0.0.1:9/nothing:1", [("app.py", ["base = Stage("])]),
    ],
    ids=["RUN", "RUN of a module", "COPY", "FROM"],
)
def test_what_the_build_does_wrong(
    build: Build, file: str, old: str, new: str, excerpts: list[tuple[str, list[str]]]
) -> None:
    """A failing step, a missing file and an unknown image: the error of the Dockerfile, and one excerpt for its one."""
    build.write()
    path = build.folder / file
    path.write_text(path.read_text().replace(old, new))
    done = build.run()
    plain = build.run(file=build.plain())

    assert (1, plain.error) == (done.code, done.error)
    assert [len(plain.excerpts)] == [len(done.excerpts)]
    for (name, lines), (shown_name, shown_lines) in zip(excerpts, done.excerpts, strict=True):
        assert name == shown_name
        assert len(lines) == len(shown_lines)
        assert all(shown.startswith(line) for line, shown in zip(lines, shown_lines, strict=True)), shown_lines


def test_warnings(build: Build) -> None:
    """Each warning of the Dockerfile, and each text that the file prints, has its line of Python."""
    build.write()
    build.replace('Env({"A": "1"})', 'Env({"API_TOKEN": "1"})')
    build.replace('Cmd.exec("cat", "/greeting")', 'Cmd("cat /greeting")')
    build.replace("dockerfile = ", 'print("a note")\ndockerfile = ')
    done, plain = build.run(), build.run(file=build.plain())
    at = [
        number
        for number, line in enumerate(build.folder.joinpath("app.py").read_text().splitlines(), 1)
        if "app = " in line
    ]

    assert 0 == done.code, done.errors
    assert 2 == len(plain.warnings)
    mapped = [f"{warning.partition(' (line')[0]} (line {at[0]})" for warning in plain.warnings]
    assert sorted([f"app.py printed: a note (line {at[0] + 1})", *mapped]) == sorted(done.warnings)
    # What dockerfile.v0 would say of the rendered text besides is not said.
    assert "plain" not in done.errors


@pytest.mark.parametrize("way", ["the command", "the file"])
def test_warnings_that_are_errors(build: Build, way: str) -> None:
    """Where a warning is to be an error, the build fails as that of the Dockerfile does."""
    build.write()
    build.replace('Cmd.exec("cat", "/greeting")', 'Cmd("cat /greeting")')
    options = []
    if way == "the command":
        options = ["--build-arg=BUILDKIT_DOCKERFILE_CHECK=error=true"]
    else:
        build.replace("Dockerfile([test, app])", 'Dockerfile([test, app], check="skip=StageNameCasing;error=true")')
    done, plain = build.run(*options), build.run(*options, file=build.plain())

    assert 1 == plain.code
    assert (plain.code, plain.error) == (done.code, done.error)


def test_warnings_that_are_skipped(build: Build) -> None:
    """What the command or the file skips is not said."""
    build.write()
    build.replace('Cmd.exec("cat", "/greeting")', 'Cmd("cat /greeting")')

    assert [] == build.run("--build-arg=BUILDKIT_DOCKERFILE_CHECK=skip=JSONArgsRecommended").warnings
    build.replace("Dockerfile([test, app])", 'Dockerfile([test, app], check="skip=all")')
    assert [] == build.run().warnings


PAGE = Path(__file__).parents[2] / "docs/guide/frontend.md"


@pytest.mark.parametrize("page", [PAGE, PAGE.parents[1] / "ja/guide/frontend.md"], ids=["en", "ja"])
def test_the_page_shows_what_is_shown(page: Path, build: Build) -> None:
    """The error on the page is that of its file, with a folder that is not there."""
    text = PAGE.read_text()
    file = re.search(r"^```\{file\} app.py\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    expected = re.search(r"^```text\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    assert file is not None
    assert expected is not None
    build.write(file[1].replace("> /hello", "> /no/such/folder"))
    shown = [line.rstrip() for line in build.run().errors.splitlines()]

    assert expected[1] in "\n".join(shown) + "\n"
