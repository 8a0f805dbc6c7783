"""A changed model: what referred to a stage refers to what has taken its place."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings

from dockdsl import (
    Comment,
    Copy,
    DockdslError,
    Dockerfile,
    Env,
    Instruction,
    InvalidType,
    Label,
    Maintainer,
    Origin,
    Run,
    Stage,
    StageError,
    User,
    external,
    parse,
    render,
    steps_of,
)
from tests import oracle, strategies
from tests.corpora import corpus

SEVERAL = """\
# escape=`
# check=skip=StageNameCasing

ARG GO=1.27

# What builds.
FROM golang:${GO} AS build
ENV A=1
RUN one && `
    # because
 && two

FROM busybox:1.37

FROM build AS base
ONBUILD COPY --from=build /x /y

FROM base AS final
COPY --from=build /api /api
COPY --from=1 /bin/sh /bin/
RUN --mount=type=bind,target=/a,from=build --mount=type=cache,target=/c,from=build make
"""


def named(name: str, /, **changes: Any) -> Callable[[Stage], Stage]:
    """Return the change of a stage with a name."""
    return lambda stage: attrs.evolve(stage, **changes) if stage.name == name else stage


def test_whatever_refers_to_a_stage_follows() -> None:
    """A base, COPY, both kinds of mounts and an instruction for the stages built on it refer to the renamed stage."""
    file = parse(SEVERAL)

    changed = file.map(named("build", name="compile", base="golang:1.28"))

    expected = SEVERAL.replace("golang:${GO}", "golang:1.28").replace("AS build", "AS compile")
    assert expected.replace("=build", "=compile").replace("FROM build", "FROM compile") == render(changed)
    assert SEVERAL == render(file)


def test_what_does_not_change_stays() -> None:
    """Steps, comments and layout are the same values, with their origins; a stage that has moved keeps its own."""
    file = parse(SEVERAL, "web.Dockerfile")

    changed = file.map(named("build", name="compile"))

    assert file.args == changed.args
    assert changed.stages[0].comment is file.stages[0].comment
    assert all(one is other for one, other in zip(file.stages[0].steps, changed.stages[0].steps, strict=True))
    assert changed.stages[1] is file.stages[1]
    assert [Origin("web.Dockerfile", line) for line in (15, 18)] == [each.origin for each in changed.stages[2:]]
    assert Origin("web.Dockerfile", 19) == changed.stages[3].steps[0].origin
    assert Path(__file__).name == Path(changed.stages[0].origin.path).name
    assert file.origin == changed.origin


def test_nothing_changed() -> None:
    """If no stage changes, it is the same Dockerfile; a file with arguments alone has no stage to change."""
    file, bare = parse(SEVERAL), parse("ARG A\n")

    assert file.map(lambda stage: stage) is file
    assert bare.map(attrs.evolve) is bare


def test_names_are_references() -> None:
    """A stage that is referred to by its name is followed as well, in any case of letters; other names stay."""
    build = Stage("golang", "build")
    copies = [Copy("a", "/", from_="Build"), Copy("b", "/", from_="busybox:1"), Copy("c", "/", from_=external("build"))]
    file = Dockerfile(
        [build, Stage("build", "two", steps=copies[:2]), Stage("scratch", steps=[Run("echo from=build")])]
    )

    assert (
        "FROM golang AS x\n\nFROM x AS two\nCOPY --from=x a /\nCOPY --from=busybox:1 b /\n\n"
        "FROM scratch\nRUN echo from=build\n"
    ) == render(file.map(named("build", name="x")))


def test_a_stage_with_the_name_of_its_image() -> None:
    """The base of a stage with the same name is an image, and stays it."""
    file = Dockerfile([Stage("golang", "golang"), Stage("golang", "test")])

    assert "FROM golang AS go\n\nFROM go AS test\n" == render(file.map(named("golang", name="go")))


def test_a_name_is_taken_away() -> None:
    """References to a stage that has no name any more are by its index."""
    file = parse("FROM a AS b\nFROM scratch\nCOPY --from=b /x /\n")

    assert "FROM a\n\nFROM scratch\nCOPY --from=0 /x /\n" == render(file.map(named("b", name=None)))


def test_an_onbuild_of_another_build() -> None:
    """A name in an ONBUILD is that of another build if no stage of this one is based on it."""
    text = "FROM a AS b\n\nFROM c\nONBUILD COPY --from=b /x /y\n"

    assert text.replace("AS b", "AS d") == render(parse(text).map(named("b", name="d")))


def test_targets_follow() -> None:
    """What was a target is one under its new name, and is built by default if it was."""
    dev = Stage("a", "dev")
    file = Dockerfile([dev, Stage(dev, "api")])

    changed = file.map(lambda stage: attrs.evolve(stage, name=f"{stage.name}-2"))

    assert ["dev-2", "api-2"] == [stage.name for stage in changed.targets] == [stage.name for stage in changed.stages]


def test_equal_stages_are_one() -> None:
    """Of equal stages with one name, the function is given one, and all references follow."""

    def build() -> Stage:
        return Stage("golang", "build")

    file = Dockerfile([Stage("a", "a", steps=[Copy("x", "/", from_=build())]), Stage(build(), "b")])

    assert "FROM go AS build\n\nFROM a AS a\nCOPY --from=build x /\n\nFROM build AS b\n" == render(
        file.map(named("build", base="go"))
    )


def test_a_new_stage_may_use_old_ones() -> None:
    """Stages that the function brings may refer to those of the file, and mean what takes their place."""
    file = parse("FROM golang AS build\nFROM scratch AS api\nCOPY --from=build /api /\n")
    build = file.stages[0]
    signed = Stage("signer", "signed", steps=[Copy("/api", "/", from_=build)])

    changed = file.map(
        lambda stage: (
            attrs.evolve(stage, name="compile")
            if stage is build
            else attrs.evolve(stage, steps=[Copy("/api", "/", from_=signed)])
        )
    )

    assert (
        "FROM golang AS compile\n\nFROM signer AS signed\nCOPY --from=compile /api /\n\n"
        "FROM scratch AS api\nCOPY --from=signed /api /\n"
    ) == render(changed)


def test_a_stage_on_the_one_that_it_replaces() -> None:
    """A stage may be built on the one whose place it takes: others refer to the new one."""
    file = parse("FROM golang AS build\nFROM scratch\nCOPY --from=build /api /\n")

    changed = file.map(lambda stage: Stage(stage, "checked", steps=[Run("check")]) if stage.name else stage)

    assert (
        "FROM golang AS build\n\nFROM build AS checked\nRUN check\n\nFROM scratch\nCOPY --from=checked /api /\n"
        == render(changed)
    )


def test_all_stages_of_a_file_are_kept() -> None:
    """A stage of a file that nothing needs any more stays; of a Dockerfile that was written in Python, it goes."""
    text = "FROM a AS b\n\nFROM scratch\nCOPY --from=b /x /\n"
    file = parse(text)
    written = Dockerfile(file.stages[-1])

    def cut(stage: Stage) -> Stage:
        return stage.map(lambda step: None if isinstance(step, Copy) else step)

    assert "FROM a AS b\n\nFROM scratch\n" == render(file.map(cut))
    assert "FROM scratch\n" == render(written.map(cut))


def test_two_stages_with_one_name() -> None:
    """A file may have a name twice; steps can be added to its stages, and references stay with the stage they meant."""
    text = "FROM a AS x\n\nFROM x AS x\n\nFROM x\n"
    file = parse(text)

    changed = file.map(lambda stage: attrs.evolve(stage, steps=[*stage.steps, User("1")]))

    assert "FROM a AS x\nUSER 1\n\nFROM x AS x\nUSER 1\n\nFROM x\nUSER 1\n" == render(changed)
    assert changed.stages[2].base is changed.stages[1]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda step: step, "ENV A=1\n# why\nRUN x\n", id="none"),
        pytest.param(lambda step: None if isinstance(step, Run) else step, "ENV A=1\n# why\n", id="dropped"),
        pytest.param(lambda step: [User("1"), step, []], "USER 1\nENV A=1\nUSER 1\n# why\nUSER 1\nRUN x\n", id="added"),
        pytest.param(
            lambda step: attrs.evolve(step, network="none") if isinstance(step, Run) else step,
            "ENV A=1\n# why\nRUN --network=none x\n",
            id="changed",
        ),
        pytest.param(
            lambda step: Comment("one") if isinstance(step, Env) else step, "# one\n# why\nRUN x\n", id="remarks"
        ),
    ],
)
def test_steps(change: Callable[[Instruction], Instruction], expected: str) -> None:
    """A step becomes what the function returns for it: another one, several, or none; the stage is where it was."""
    stage = Stage("a", steps=[Env({"A": "1"}), Comment("why"), Run("x")])

    changed = stage.map(change)

    assert f"FROM a\n{expected}" == render(Dockerfile(changed))
    assert stage.origin == changed.origin
    assert (stage == changed) is (stage is changed)


def test_what_is_returned_is_checked() -> None:
    """What is neither a stage nor a step is refused, with the place of the call."""
    file = parse("FROM a AS b\nUSER x\n")
    with pytest.raises(InvalidType, match=r"Dockerfile\.map: the function returned None for stage 'b'; return a Stage"):
        file.map(lambda _: None)  # type: ignore[arg-type,return-value]  # as somebody might
    with pytest.raises(InvalidType, match=r"Stage\.map: the step 'RUN x' is a str; pass an instruction") as caught:
        file.stages[0].map(lambda _: "RUN x")
    assert caught.value.origin is not None
    assert Path(__file__).name == Path(caught.value.origin.path).name


def test_what_cannot_follow() -> None:
    """A cycle, a name that is taken, and text that names the old stage are refused, each with its place."""
    file = parse("FROM a AS a1\nFROM b AS b1\nRUN --mount=from=a1,x=y z\nFROM a1\nCOPY --from=b1 /x /\n")
    a, b, _ = file.stages
    with pytest.raises(StageError, match="is Verbatim, and refers to the stage 'a1', whose name has changed") as caught:
        file.map(named("a1", name="c"))
    assert Origin("Dockerfile", 3) == caught.value.origin
    with pytest.raises(StageError, match="two different stages are named 'a1'"):
        file.map(named("b1", name="a1"))
    with pytest.raises(StageError, match=r"in a cycle: stage 'a1' at .*, stage 'b1' at .*; break the cycle"):
        file.map(lambda stage: attrs.evolve(stage, base=b if stage is a else a) if stage.name else stage)
    kept = parse("FROM a AS b\nFROM c AS d\nONBUILD COPY --from=b /x /\nFROM d\n")
    with pytest.raises(StageError, match="ONBUILD in stage 'd' refers to the stage 'b', which has no name any more"):
        kept.map(named("b", name=None))


def test_a_changed_copy_beside_the_old_stage() -> None:
    """Somebody who changes a stage by hand is told what still refers to the old one; the remedy works."""
    file = parse("FROM golang AS build\nFROM scratch AS api\nCOPY --from=build /api /\n")
    build, api = file.stages
    newer = attrs.evolve(build, base="golang:1.27")
    with pytest.raises(StageError) as caught:
        Dockerfile([newer, api])

    assert str(caught.value) == (
        f"Stage: two different stages are named 'build', at {newer.origin} and at Dockerfile:1, which stage 'api' refers "
        "to; rename one, or, if one is a changed copy of the other, change it with Dockerfile.map, which moves references "
        "to it"
    )
    assert "FROM golang:1.27 AS build\n\nFROM scratch AS api\nCOPY --from=build /api /\n" == render(
        file.map(lambda stage: newer if stage is build else stage)
    )


def test_a_long_chain() -> None:
    """Thousands of stages that are built on each other are changed without recursion."""
    text = "FROM a AS s0\n" + "".join(f"\nFROM s{number} AS s{number + 1}\nRUN x\n" for number in range(3000))

    changed = parse(text).map(lambda stage: attrs.evolve(stage, name=f"t{stage.name}"))

    assert text.replace("s", "ts") == render(changed)


def renamed(stage: Stage) -> Stage:
    """Return a stage with another name, or the first one."""
    return attrs.evolve(stage, name=f"z{stage.name or ''}")


@settings(max_examples=strategies.examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.dockerfiles)
def test_laws(value: Any) -> None:
    """A change that changes nothing keeps the text, of what was written and of what was read; so does one there and back."""
    if isinstance(value, DockdslError):
        return
    for file in (value, parse(render(value))):
        text = render(file)
        assert file.map(lambda stage: stage) is file
        assert text == render(file.map(lambda stage: attrs.evolve(stage, steps=[*stage.steps])))
        names = [stage.name for stage in file.stages]
        if None in names or len(set(names)) < len(names):
            continue
        there = file.map(renamed)
        assert text == render(there.map(lambda stage: attrs.evolve(stage, name=str(stage.name)[1:])))
        for before, after in zip(oracle.read(text), oracle.read(render(there)), strict=True):
            assert before.keyword == after.keyword
            assert len(before.flags) == len(after.flags)


@pytest.mark.corpora
def test_real_files() -> None:
    """Each real file keeps its text if nothing changes, and if its stages are renamed and get their names back."""
    for file in corpus():
        if file["cls"] != "good":
            continue
        parsed = parse(file["text"])
        names = [stage.name for stage in parsed.stages if stage.name]
        if "scratch" in names:
            continue
        assert render(parsed) == render(parsed.map(attrs.evolve))
        if len(set(names)) == len(names):
            there = parsed.map(lambda stage: renamed(stage) if stage.name else stage)
            back = there.map(lambda stage: attrs.evolve(stage, name=stage.name[1:]) if stage.name else stage)
            assert render(parsed) == render(back)


@pytest.mark.engine
def test_a_changed_file_is_built(tmp_path: Path) -> None:
    """BuildKit knows the new names, and builds what was read, changed and written again."""
    text = """\
FROM elsewhere.example/busybox:1 AS tools
RUN echo one > /x

FROM elsewhere.example/busybox:1 AS base
ONBUILD COPY --from=tools /x /y

FROM base AS final
COPY --from=tools /x /z
RUN --mount=type=bind,target=/t,from=tools cat /y /z /t/x
MAINTAINER somebody
"""
    file = parse(text).map(
        lambda stage: attrs.evolve(
            stage.map(lambda step: None if isinstance(step, Maintainer) else step),
            name=f"new-{stage.name}",
            base="busybox:1.37" if isinstance(stage.base, str) else stage.base,
        )
    )
    file = file.map(lambda stage: attrs.evolve(stage, steps=[*stage.steps, Label({"built": "yes"})]))
    tmp_path.joinpath("Dockerfile").write_text(render(file))

    def buildx(*options: str) -> str:
        command = ["docker", "buildx", "build", *options, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert 0 == done.returncode, done.stderr
        return done.stdout

    targets = json.loads(buildx("--call=targets,format=json"))["targets"]
    buildx("--output=type=cacheonly", "--no-cache")

    assert ["new-tools", "new-base", "new-final"] == [each["name"] for each in targets]
    assert [("new-tools", "busybox:1.37"), ("new-base", "busybox:1.37"), ("new-final", "new-base")] == [
        (each["name"], each["base"]) for each in targets
    ]
    assert 3 == sum(isinstance(step.instruction, Label) for step in steps_of(file))
