"""From values to Python: the source makes the very values, is formatted, and is what a person would write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tokenize
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import strategies as st

from dockdsl import (
    Add,
    Arg,
    Bind,
    Cache,
    Cmd,
    Comment,
    Copy,
    DockdslError,
    Dockerfile,
    Env,
    Expose,
    Healthcheck,
    Heredoc,
    InvalidType,
    InvalidValue,
    Label,
    Onbuild,
    Run,
    Secret,
    Ssh,
    Stage,
    Tmpfs,
    User,
    external,
    literal,
    parse,
    prove,
    render,
    to_python,
)
from dockdsl.selection import load
from tests import strategies
from tests.corpora import corpus
from tests.test_laws import tried

ROOT = Path(__file__).parents[2]
BUILDS = sorted(ROOT.joinpath("builds").glob("*.py"))
HEAD = '"""Imported from a Dockerfile."""\n\n'


def made(source: str) -> Dockerfile:
    """Run a module, and return the Dockerfile that it makes."""
    names: dict[str, Any] = {}
    exec(compile(source, "imported.py", "exec"), names)
    found = names["dockerfile"]
    assert isinstance(found, Dockerfile)
    return found


def check(value: Dockerfile) -> str:
    """Assert that the source of a Dockerfile makes an equal one of the same text; return it."""
    source = to_python(value)
    again = made(source)
    assert value == again, source
    assert render(value) == render(again)
    assert source == to_python(again)
    return source


def only(step: Any) -> str:
    """Return the source of a step."""
    source = check(Dockerfile(Stage("scratch", steps=[step])))
    _, _, rest = source.partition("steps=[")
    return rest.partition("])\n\ndockerfile = ")[0] if "])\n\n" in rest else rest.partition("],\n)\n\ndockerfile")[0]


@pytest.mark.parametrize("path", BUILDS, ids=lambda path: path.stem)
def test_a_build_file_comes_back(path: Path) -> None:
    """The source of each build file makes the same Dockerfile."""
    check(load(str(path), Dockerfile))


def test_equal_mounts_of_two_stages_are_two() -> None:
    """Stages without a name may be equal; each mount is of its own one."""
    check(parse("FROM a\nFROM a\nFROM b\nRUN --mount=from=0,target=/m x\nRUN --mount=from=1,target=/m y\n"))


def test_every_dockerfile_comes_back() -> None:
    """The source of whatever the constructors accept makes an equal value, which has the same source."""

    def law(value: Any) -> None:
        if not isinstance(value, DockdslError):
            check(value)

    tried(strategies.dockerfiles, 300, law)


@pytest.mark.parametrize("name", strategies.INSTRUCTIONS)
def test_every_step_comes_back(name: str) -> None:
    """So does that of a Dockerfile of two steps of a kind."""

    def law(found: list[Any]) -> None:
        steps = strategies.accepted(found)
        value = strategies.attempt(Dockerfile, Stage("scratch", steps=steps))
        if not isinstance(value, DockdslError):
            check(value)

    tried(st.lists(strategies.INSTRUCTIONS[name], min_size=2, max_size=2), 100, law)


@pytest.mark.parametrize(
    ("step", "source"),
    [
        pytest.param(User(1000), 'User("1000")', id="one operand"),
        pytest.param(Expose(80, "53/udp"), 'Expose(80, "53/udp")', id="ports"),
        pytest.param(Env({"A": "b c"}), 'Env({"A": "b c"})', id="pairs"),
        pytest.param(Env([("A", "b"), ("A", "c")]), 'Env([("A", "b"), ("A", "c")])', id="a key twice"),
        pytest.param(Label({"p": literal("$5") + "${A}"}), 'Label({"p": literal("$5") + "${A}"})', id="literal"),
        pytest.param(Arg("A"), 'Arg("A")', id="arg"),
        pytest.param(Arg.many({"A": None, "B": "1"}), 'Arg.many({"A": None, "B": "1"})', id="args"),
        pytest.param(Cmd.exec("a", "b"), 'Cmd.exec("a", "b")', id="exec"),
        pytest.param(Cmd('say "hi"'), "Cmd('say \"hi\"')", id="quotes"),
        pytest.param(Healthcheck.none(), "Healthcheck.none()", id="no health check"),
        pytest.param(Healthcheck("x", retries=2), 'Healthcheck("x", retries=2)', id="health check"),
        pytest.param(Comment.check("A", "B"), 'Comment.check("A", "B")', id="check"),
        pytest.param(Onbuild(Run("make")), 'Onbuild(Run("make"))', id="trigger"),
        pytest.param(Run.exec("a"), 'Run.exec("a")', id="run exec"),
        pytest.param(Copy("a", "b", from_=external("c")), 'Copy("a", "b", from_=external("c"))', id="external"),
        pytest.param(Copy(literal("a[1]"), "b"), 'Copy(literal("a[1]"), "b")', id="a file's very name"),
        pytest.param(Copy("a[0-9]", "b"), 'Copy("a[0-9]", "b")', id="pattern"),
        pytest.param(Copy(literal("$") + "*", "b"), 'Copy(literal("$") + "*", "b")', id="dollar and pattern"),
        pytest.param(Copy(["a", "b"], "c/"), 'Copy(["a", "b"], "c/")', id="sources"),
        pytest.param(Copy.text("a\n", "/b", name="n"), 'Copy.text("a\\n", "/b", name="n")', id="file in place"),
        pytest.param(Copy.text("a\n", "/b", name="EOF"), 'Copy.text("a\\n", "/b")', id="the usual delimiter"),
        pytest.param(Add.text("$A\n", "/b", expand=True), 'Add.text("$A\\n", "/b", expand=True)', id="expanded"),
        pytest.param(
            Copy(Heredoc("a\n"), "/b", parents=True), 'Copy(Heredoc("a\\n"), "/b", parents=True)', id="heredoc"
        ),
        pytest.param(Run("x", mounts=[Ssh("/s")]), 'Run("x", mounts=[Ssh("/s")])', id="mount"),
        pytest.param(
            Run("x", mounts=[Secret(target="/s")]), 'Run("x", mounts=[Secret(target="/s")])', id="without the first"
        ),
        pytest.param(Run.script("echo a"), 'Run.script("echo a")', id="script of one line"),
        pytest.param(User("e\u0301\ufeff本"), 'User("e\\u0301\\ufeff本")', id="what cannot be seen"),
        pytest.param(
            Run.chain("a", "b"),
            """
        Run.chain(
            "a",
            "b",
        ),
    """,
            id="chain",
        ),
        pytest.param(
            Run.script("a\n\tb\nc"),
            '''
        Run.script("""
            a
            \\tb
            c
        """),
    ''',
            id="script",
        ),
        pytest.param(
            Run("one \\\n    two"),
            '''
        Run(
            dedent(r"""
                one \\
                    two
            """),
        ),
    ''',
            id="layout",
        ),
        pytest.param(
            Run("a\nb", network="none"),
            '''
        Run(
            dedent("""
                a
                b
            """),
            network="none",
        ),
    ''',
            id="several lines",
        ),
        pytest.param(
            Copy.text("one\ntwo \\\nthree\n", "/a"),
            '''
        Copy.text(
            dedent("""\\
                one
                two \\\\
                three
            """),
            "/a",
        ),
    ''',
            id="file of several lines",
        ),
        pytest.param(
            Comment("one\n\n two"),
            """
        Comment("one"),
        Comment(""),
        Comment(" two"),
    """,
            id="remark of several lines",
        ),
        pytest.param(
            Env({"A": "word " * 30}),
            f"""
        Env(
            {{
                "A": (
                    "{"word " * 19}"
                    "{"word " * 11}"
                ),
            }},
        ),
    """,
            id="long text",
        ),
    ],
)
def test_how_a_step_is_written(step: Any, source: str) -> None:
    """Each form is that of the guide."""
    assert source == only(step)


def test_variables_are_named_after_stages() -> None:
    """A name that Python does not allow or already uses is changed; unnamed stages are named after their role."""
    first = Stage("alpine:3.22", name="import")
    second = Stage("alpine:3.22", name="a-b")
    third = Stage("alpine:3.22", name="a.b")
    fourth = Stage(first, name="dockerfile")
    base = Stage("alpine:3.22", steps=[Run("base")])
    build = Stage(base, steps=[Run("build")])
    other = Stage("ghcr.io/a/tool-1:2", name="id", steps=[Run("x", mounts=[Bind("/m", from_=build)])])
    aside = Stage("registry:5000/a/my-tool:2")
    last = Stage("scratch", steps=[Copy("a", "b", from_=each) for each in (second, third, fourth, other, build)])
    source = check(Dockerfile([aside, last]))

    assert [
        *["my_tool", "a_b", "a_b_stage", "import_stage", "dockerfile_stage"],
        *["base", "build", "id_stage", "final", "dockerfile"],
    ] == [line.partition(" = ")[0] for line in source.split("\n") if " = " in line and line[0] != " "]
    assert source.endswith("dockerfile = Dockerfile([my_tool, final])\n")


def test_mounts_that_are_used_again_are_variables() -> None:
    """They stand above the first stage that uses them, or above all; the others stay where they are."""
    build = Stage("alpine:3.22", name="build")
    again = [
        *[Cache("/root/.cache/pip"), Cache("/var/cache/apt"), Cache("/var/lib/apt/lists"), Cache("/x", id="go$A")],
        *[Bind("/src"), Bind("/go.mod", source="/go.mod", from_=build)],
        *[Secret("token"), Secret("my-secret"), Secret(target="/s"), Ssh(), Ssh(id="work"), Tmpfs("/tmp")],
    ]
    steps = [Run("a", mounts=[*again, Cache("/once")]), Onbuild(Run("b", mounts=[again[0]])), Run("c", mounts=again)]
    source = check(Dockerfile(Stage("alpine:3.22", name="app", steps=steps)))

    assert [
        *["pip_cache", "apt_cache", "apt_lists_cache", "go_a_cache", "src_files", "token_secret", "my_secret"],
        *["s_secret", "ssh_agent", "work_ssh", "tmp_tmpfs", "build", "go_mod_from_build", "app", "dockerfile"],
    ] == [line.partition(" = ")[0] for line in source.split("\n") if " = " in line and line[0] != " "]


def test_the_whole_file() -> None:
    """Directives, arguments and several targets are those of the `Dockerfile`."""
    base = Stage("alpine:${V}", name="base", platform="linux/amd64", comment="Two\nlines.")
    value = Dockerfile(
        [Stage(base, name="one"), Stage(base, name="two")],
        [Comment("The version."), Arg("V", "3.22")],
        syntax="docker/dockerfile:1",
        escape="`",
        check="skip=all",
    )

    assert dedent('''\
        """Imported from docker/Docker?file."""

        from dockdsl import Arg, Comment, Dockerfile, Stage

        base = Stage("alpine:${V}", name="base", platform="linux/amd64", comment="Two\\nlines.")

        one = Stage(base, name="one")

        two = Stage(base, name="two")

        dockerfile = Dockerfile(
            [one, two],
            args=[Comment("The version."), Arg("V", "3.22")],
            syntax="docker/dockerfile:1",
            escape="`",
            check="skip=all",
        )
        ''') == to_python(value, source='docker/Docker"file')
    assert value == made(check(value))
    assert "auto" == made(check(Dockerfile(base, [Arg("V")], syntax="auto"))).syntax


def test_stages_of_equal_value_and_names_in_strings() -> None:
    """An equal stage stands for the one that is kept; a name given as text stays text."""
    source = check(
        Dockerfile(
            Stage(
                "scratch",
                steps=[
                    Copy("a", "b", from_=Stage("alpine:3.22", name="build")),
                    Run("x", mounts=[Bind("/m", from_=Stage("alpine:3.22", name="build"))]),
                    Copy("a", "b", from_="build"),
                ],
            )
        )
    )

    assert 1 == source.count('Stage("alpine:3.22"')
    assert 'Copy("a", "b", from_="build")' in source


def test_what_is_no_dockerfile_is_refused() -> None:
    """A stage is most often meant to be put into one."""
    with pytest.raises(InvalidType, match="pass Dockerfile"):
        to_python(Stage("scratch"))  # type: ignore[arg-type]
    with pytest.raises(InvalidType, match="pass a Dockerfile"):
        to_python("FROM scratch")  # type: ignore[arg-type]


LAID_OUT = """\
apt-get update \\
 # what the build needs
 && apt-get install -y \\
\tcurl \\
\tgit   \\
 && for each in a b; do \\
      test $each && echo $each; \\
    done && rm x"""


def test_a_chain_in_any_layout() -> None:
    """With `relaid`, chains have the layout that ours have, comments and lines of commands included; without, their own."""
    value = parse(f"FROM scratch\nRUN {LAID_OUT}\n")
    source = to_python(value, relaid=True)

    assert dedent('''\
            Run.chain(
                "apt-get update",
                Comment("what the build needs"),
                r"""
                apt-get install -y \\
                    curl \\
                    git
                """,
                r"""
                for each in a b; do \\
                      test $each && echo $each; \\
                    done
                """,
                "rm x",
            ),
            ''') in dedent(source.partition("steps=[\n")[2].partition("    ],")[0]), source
    text = render(made(source))
    assert prove(f"FROM scratch\nRUN {LAID_OUT}\n", text) is None
    assert source == to_python(parse(text), relaid=True) == to_python(parse(text))
    assert value == made(to_python(value))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("a || b && c", id="or"),
        pytest.param("a; b \\\n && c", id="one after the other"),
        pytest.param("echo 'a \\\n  b' && c", id="lines in quotes"),
        pytest.param('echo "a \\\n  b" && c', id="lines in double quotes"),
        pytest.param("a\\\nb && c", id="a word on two lines"),
        pytest.param("a \\\n# x\n b && c", id="a comment within a command"),
        pytest.param("a && b # c", id="a comment of the shell"),
        pytest.param("cat <<E && b\nx\nE", id="a heredoc"),
        pytest.param("(a && b)", id="brackets"),
        pytest.param("a \\\n# check=skip=all\n && b", id="a comment that would act"),
    ],
)
def test_what_is_no_chain(command: str) -> None:
    """What a chain would say in another way stays text, with the lines it has."""
    text = f"FROM scratch\nRUN {command}\n"
    source = to_python(parse(text), relaid=True)

    assert "Run.chain" not in source
    assert prove(text, render(made(source))) is None


def test_other_shells_have_no_chains() -> None:
    """Where the shell is not one of the family of sh, the text keeps its layout."""
    for head in ('FROM scratch\nSHELL ["powershell"]\n', "# escape=`\nFROM scratch\n"):
        assert "Run.chain" not in to_python(parse(f"{head}RUN a && b\n"), relaid=True)


def test_a_layout_is_kept() -> None:
    """Text that only the Dockerfile's own layout can say goes through `layout`, as readable as it was."""
    text = "FROM scratch\nRUN set -eux; \\\n    # why\n    a; \\\n    b\n"
    source = check(parse(text))

    assert text == render(made(source))
    assert 'layout(r"""\n                set -eux; \\\n                    # why\n                    a; \\\n' in source


def test_tabs_of_a_layout() -> None:
    """With `relaid`, tabs at the start of a continued line become blanks, unless they stand in quotes."""
    text = "FROM scratch\nRUN a; \\\n\tb\n"
    source = to_python(parse(text), relaid=True)

    assert 'dedent(r"""\n                a; \\\n                    b\n' in source
    assert prove(text, render(made(source))) is None
    text = "FROM scratch\nRUN echo 'a \\\n\tb'\n"
    assert "\\tb'" in to_python(parse(text), relaid=True)


def test_names_that_stages_should_not_bear() -> None:
    """A name of two stages is that of the last; a reserved one is left out. What refers to them still does."""
    text = (
        "FROM a AS x\nFROM b AS x\nFROM c AS scratch\nRUN --mount=target=/m,from=scratch y\nFROM d AS z\n"
        "COPY --from=x e f\nCOPY --from=scratch e f\nCOPY --from=0 e f\n"
    )
    text = text.replace("RUN --mount=target=/m,from=scratch y\n", "")

    assert prove(text, render(made(to_python(parse(text))))) is None


def test_files_of_a_stage_further_down() -> None:
    """A reference to a stage that is not there yet stays the text that it is."""
    text = "FROM a\nCOPY --from=X b c\nFROM d AS x\nCOPY --from=0 e f\n"
    source = to_python(parse(text), relaid=True)

    assert "Verbatim(" in source
    assert prove(text, render(made(source))) is None


def test_a_check_that_is_switched_off_for_a_stage() -> None:
    """A remark that acts stays one, above a stage as above a step."""
    text = "# check=skip=A\nFROM scratch\n# check=skip=B\nUSER c\n"
    source = check(parse(f"\n{text}"))

    assert 'comment=Comment.check("A")' in source
    assert 'Comment.check("B"),' in source


def test_a_file_without_a_stage() -> None:
    """It can be read, and no image can be made of it."""
    with pytest.raises(InvalidValue, match="no stage"):
        to_python(parse("ARG a\n"))


@pytest.mark.corpora
def test_real_files(tmp_path: Path) -> None:
    """Each real file becomes Python that makes it again, and means the same; the longest need hardly a last resort."""
    builds = tmp_path / "builds"
    builds.mkdir()
    good = [file for file in corpus() if file["cls"] == "good"]
    several = sorted(
        [file for file in good if file["text"].upper().count("\nFROM ") > 1], key=lambda file: len(file["text"])
    )
    verbatim = 0
    longest = {file["sha256"] for file in several[-30:]}
    for number, file in enumerate(good):
        source = to_python(parse(file["text"]), relaid=True)
        text = render(made(source))
        assert prove(file["text"], text) is None, source
        assert source == to_python(parse(text), relaid=True)
        verbatim += file["sha256"] in longest and "Verbatim(" in source
        if number % 30 == 0 or file["sha256"] in longest:
            builds.joinpath(f"build_{number}.py").write_text(source, encoding="utf-8")

    # One copies from a stage that stands further down, which no object can say that must be there first.
    assert 1 >= verbatim
    passes(tmp_path)


def passes(folder: Path) -> None:
    """Assert that the Python files of a folder pass ruff, by our rules and by its own, and mypy.

    Only lines in triple quotes are longer than those rules allow.
    """
    long = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--isolated",
            "--select=E501",
            "--line-length=120",
            "--no-cache",
            "--output-format=json",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    for each in json.loads(long.stdout):
        with tokenize.open(each["filename"]) as file:
            blocks = [token for token in tokenize.generate_tokens(file.readline) if token.string.endswith('"""')]
        row = each["location"]["row"]
        assert any(token.start[0] < row < token.end[0] for token in blocks), each
    for command in (
        ["ruff", "check", "--config", str(ROOT / "pyproject.toml"), "--ignore=E501", "--no-cache", "."],
        ["ruff", "check", "--isolated", "--no-cache", "--line-length=120", "."],
        ["ruff", "format", "--diff", "--isolated", "--no-cache", "--line-length=120", "."],
        ["mypy", "--strict", "--config-file=", "."],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**os.environ, "MYPYPATH": str(ROOT), "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache")},
        )
        assert 0 == done.returncode, done.stdout + done.stderr


def test_the_source_is_formatted_and_typed(tmp_path: Path) -> None:
    """What is made of whatever Hypothesis thinks of passes ruff and mypy --strict as it is."""
    builds = tmp_path / "builds"
    builds.mkdir()
    found: list[Dockerfile] = []

    def collect(value: Any) -> None:
        if not isinstance(value, DockdslError):
            found.append(value)

    tried(strategies.dockerfiles, 120, collect)
    for number, value in enumerate(found):
        builds.joinpath(f"build_{number}.py").write_text(to_python(value), encoding="utf-8")
    for path in BUILDS:
        builds.joinpath(path.name).write_text(to_python(load(str(path), Dockerfile)), encoding="utf-8")

    passes(tmp_path)
