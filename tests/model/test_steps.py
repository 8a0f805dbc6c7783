"""The walk over a model: its steps, what they take files from, and its variables."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from dockdsl import (
    Add,
    Arg,
    Bind,
    Cache,
    Cmd,
    Comment,
    Copy,
    Dockerfile,
    Entrypoint,
    Env,
    Healthcheck,
    Instruction,
    InvalidType,
    Label,
    Onbuild,
    Run,
    Secret,
    Stage,
    User,
    Variable,
    Verbatim,
    Workdir,
    external,
    literal,
    needs_of,
    parse,
    steps_of,
    variables_of,
)


def test_steps() -> None:
    """Each instruction comes with its stage and its place there; what an ONBUILD keeps comes behind it."""
    base = Stage("a", "base", steps=[User("1")])
    kept = Onbuild(Copy(".", "/"))
    file = Dockerfile(Stage(base, steps=[Comment("x"), kept, Run("y")]), args=[Arg("A")])
    last = file.stages[1]

    assert [
        (file.args[0], None, 0, None),
        (base.steps[0], base, 0, None),
        (last.steps[0], last, 0, None),
        (kept, last, 1, None),
        (kept.instruction, last, 1, kept),
        (last.steps[2], last, 2, None),
    ] == [tuple(step) for step in steps_of(file)]


def test_steps_of_what_was_read() -> None:
    """A file that was read is walked in the same way, one without a stage as well."""
    assert ["ARG"] == [step.instruction.keyword for step in steps_of(parse("ARG A\n"))]
    assert ["RUN", "CMD"] == [step.instruction.keyword for step in steps_of(parse("FROM a\nRUN b\nCMD c\n"))]


def needs(*steps: Instruction) -> list[tuple[str, str, str | None]]:
    """Return what steps need of a Dockerfile that has a stage called build."""
    found = needs_of(Dockerfile(Stage("scratch", "last", steps=steps)))
    return [(need.kind, need.by, need.name) for need in found if need.stage.name == "last"]


BUILD = Stage("golang", "build")


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param(Copy("a", "/"), [("context", "copy", None)], id="build context"),
        pytest.param(Copy("a", "/", from_=BUILD), [("stage", "copy", "build")], id="stage"),
        pytest.param(Copy("a", "/", from_="busybox:1"), [("image", "copy", "busybox:1")], id="image"),
        pytest.param(Copy("a", "/", from_=external("ctx")), [("context", "copy", "ctx")], id="named context"),
        pytest.param(Copy.text("a\n", "/x"), [], id="file written in place"),
        pytest.param(Add("https://example.com/a", "/"), [], id="remote file"),
        pytest.param(Add(["https://example.com/a", "b"], "/x/"), [("context", "copy", None)], id="remote and local"),
        pytest.param(Run("x", mounts=Bind("/src")), [("context", "mount", None)], id="mount of the build context"),
        pytest.param(Run("x", mounts=[Cache("/c"), Secret("s")]), [], id="mounts of nothing"),
        pytest.param(
            Run("x", mounts=[Bind("/a", from_=BUILD), Cache("/c", from_="b:1"), Bind("/d", from_=external("ctx"))]),
            [("stage", "mount", "build"), ("image", "mount", "b:1"), ("context", "mount", "ctx")],
            id="mounts",
        ),
        pytest.param(Onbuild(Copy("a", "/")), [("context", "copy", None)], id="kept, of the context"),
        pytest.param(Onbuild(Copy("a", "/", from_="build")), [("image", "copy", "build")], id="kept, by name"),
        pytest.param(User("1"), [], id="nothing"),
    ],
)
def test_needs(step: Instruction, expected: list[tuple[str, str, str | None]]) -> None:
    """What a step takes files from is a stage, an image or a context."""
    assert expected == needs(step)


def test_bases() -> None:
    """A base is an image, or a stage by object or by name; scratch is nothing."""
    first = Stage("a:$V", "first")
    second = Stage("first", "second")
    file = Dockerfile([first, second, Stage(second), Stage(external("b"), "third"), Stage("scratch", "fourth")])

    assert [
        ("image", "a:$V", None),
        ("stage", "first", first),
        ("stage", "second", second),
        ("image", "b", None),
    ] == [(need.kind, need.name, need.needs) for need in needs_of(file)]


def test_a_need_knows_who_needs_it() -> None:
    """It has the stage and the step, of a base only the stage; what is kept says in which ONBUILD."""
    kept = Onbuild(Copy("a", "/", from_="b:1"))
    stage = Stage("a", "a", steps=[User("1"), kept])
    base, copy = needs_of(Dockerfile(stage))

    assert (stage, None) == (base.stage, base.step)
    assert copy.step is not None
    assert (stage, 1, kept) == (copy.stage, copy.step.place, copy.step.onbuild)


def test_a_stage_that_is_named_by_its_index() -> None:
    """``--from=0`` is the first stage; a name twice in a file is the last one of it."""
    found = list(needs_of(parse("FROM a\nFROM b AS x\nFROM c AS x\nFROM d\nCOPY --from=0 /a /\nCOPY --from=X /a /\n")))

    assert ["a", "c"] == [need.needs.base for need in found if need.needs is not None]


def variables(file: Dockerfile) -> list[tuple[str, str, list[str]]]:
    """Return the variables of a file: name, kind, and who uses it."""
    return [
        (each.name, each.kind, [_user(each, number) for number in range(len(each.uses))]) for each in variables_of(file)
    ]


def _user(variable: Variable, number: int) -> str:
    step = variable.uses[number].step
    return "FROM" if step is None else step.instruction.keyword


def test_declared_and_used() -> None:
    """A variable has its declaration and its uses, each with step, stage and who fills it in."""
    stage = Stage("a", steps=[Arg("A", "1"), Workdir("/$A"), Run("echo $A", mounts=Cache("/${A}"))])
    (found,) = variables_of(Dockerfile(stage))

    assert found.declared is not None
    assert (stage.steps[0], 0) == (found.declared.instruction, found.declared.place)
    assert [(1, stage, "builder"), (2, stage, "builder"), (2, stage, "shell")] == [
        (use.step.place, use.stage, use.by) for use in found.uses if use.step is not None
    ]


def test_global_arguments() -> None:
    """FROM lines and later global arguments see them, a stage only what it declares again."""
    file = parse("ARG A=1\nARG B=$A\nFROM x:$A\nRUN $A $B\nARG A\nRUN $A\nARG B=2\nRUN $B\n")
    found = variables_of(file)

    assert [
        ("A", "global", ["ARG", "FROM"]),
        ("B", "global", []),
        ("A", "undeclared", ["RUN"]),
        ("B", "undeclared", ["RUN"]),
        ("A", "arg", ["RUN"]),
        ("B", "arg", ["RUN"]),
    ] == variables(file)
    assert found[0] is found[4].default
    assert None is found[5].default


@pytest.mark.parametrize(
    ("text", "used"),
    [
        pytest.param("ARG A=1\nENV A=2\nRUN $A\n", "env", id="ENV behind ARG"),
        pytest.param("ENV A=2\nARG A=1\nRUN $A\n", "arg", id="ARG behind ENV"),
        pytest.param("ENV A=2\nARG A\nRUN $A\n", "env", id="ARG without a value behind ENV"),
        pytest.param("ARG A=1\nCMD $A\n", "undeclared", id="ARG in a container"),
        pytest.param("ENV A=2\nARG A=1\nCMD $A\n", "env", id="ENV in a container"),
        pytest.param("RUN $A\nARG A=1\n", "undeclared", id="before it is declared"),
        pytest.param("ENV A=1 B=$A\n", "undeclared", id="in the same ENV"),
    ],
)
def test_of_several_declarations(text: str, used: str) -> None:
    """The later one counts for the build, and the ENV alone for what a container runs."""
    assert [used] == [each.kind for each in variables_of(parse(f"FROM x\n{text}")) if each.uses]


def test_a_stage_sees_what_its_base_declares() -> None:
    """Through FROM, a variable of either kind is inherited; another stage does not see it."""
    file = parse("FROM a AS base\nARG A=1\nENV B=2\nFROM base\nRUN $A $B\nFROM c\nRUN $A\n")

    assert [("A", "arg", ["RUN"]), ("B", "env", ["RUN"]), ("A", "undeclared", ["RUN"])] == variables(file)


def test_undeclared() -> None:
    """A name that nothing declares is one variable, predefined or not; a platform is seen like a base."""
    file = Dockerfile(Stage("a", platform="$BUILDPLATFORM", steps=[Run("$HOME"), Run("${HOME}")]))

    assert [("BUILDPLATFORM", "undeclared", ["FROM"]), ("HOME", "undeclared", ["RUN", "RUN"])] == variables(file)


@pytest.mark.parametrize(
    ("step", "names"),
    [
        pytest.param(Copy("$A", "/$B", chown="$C", chmod="${D:-0755}"), "ABDC", id="COPY"),
        pytest.param(Copy(literal("$A"), "/", exclude="$B"), "", id="COPY, what is not expanded"),
        pytest.param(Copy.text("$A\n", "/x", expand=True), "A", id="file that is expanded"),
        pytest.param(Copy.text("$A\n", "/x"), "", id="file that is not expanded"),
        pytest.param(Label({"$A": "${B:-$C}"}), "ABC", id="LABEL"),
        pytest.param(Run.exec("$A"), "", id="exec form"),
        pytest.param(Run("cat <<E\n$A\nE\n", mounts=Secret("$B", env="$C")), "BCA", id="RUN"),
        pytest.param(Entrypoint("$A"), "A", id="ENTRYPOINT"),
        pytest.param(Cmd.exec("$A"), "", id="CMD of the exec form"),
        pytest.param(Healthcheck("$A"), "A", id="HEALTHCHECK"),
        pytest.param(Comment("$A"), "", id="remark"),
        pytest.param(Verbatim("RUN $A"), "", id="text that is not looked into"),
        pytest.param(Onbuild(Run("$A")), "", id="another build"),
    ],
)
def test_where_variables_are_seen(step: Instruction, names: str) -> None:
    """They are seen wherever BuildKit or a shell fills them in, and nowhere else."""
    assert [*names] == [each.name for each in variables_of(Dockerfile(Stage("a", steps=[step])))]


@pytest.mark.parametrize("function", [needs_of, steps_of, variables_of])
@pytest.mark.parametrize(
    ("value", "remedy"),
    [(None, "pass a Dockerfile"), ("FROM a", "pass a Dockerfile"), (Stage("a"), "pass Dockerfile(stage)")],
    ids=["None", "text", "stage"],
)
def test_what_is_no_dockerfile(function: Callable[[Any], Any], value: object, remedy: str) -> None:
    """It is refused by name, with what to pass."""
    with pytest.raises(InvalidType, match=f"^{function.__name__}: .*; {re.escape(remedy)}$"):
        list(function(value))


def test_several_variables_in_one_instruction() -> None:
    """Each of them is declared on its own."""
    stage = Stage("a", steps=[Arg.many({"A": None, "B": "1"}), Env({"C": "1", "D": "2"})])

    assert [("A", "arg"), ("B", "arg"), ("C", "env"), ("D", "env")] == [
        (each.name, each.kind) for each in variables_of(Dockerfile(stage))
    ]
