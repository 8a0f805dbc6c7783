"""Bases with variables: the stages that they may mean come first, or the order is refused as it is for a plain name."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dockdsl import Arg, Dockerfile, Run, Stage, StageError, literal, parse, render

DEV, PROD, OTHER = Stage("a", "layer-dev"), Stage("b", "layer-prod"), Stage("c", "other")


def final(base: str) -> Stage:
    """Return a stage whose base has variables."""
    return Stage(base, "final")


def names(targets: list[Stage], *args: Arg) -> list[str | None]:
    """Return the names of the stages in their order."""
    return [stage.name for stage in Dockerfile(targets, args).stages]


@pytest.mark.parametrize(
    ("base", "args", "expected"),
    [
        pytest.param("layer-${KIND}", [Arg("KIND", "dev")], "layer-dev layer-prod final other", id="default"),
        pytest.param("layer-${KIND}", [Arg("KIND")], "layer-dev layer-prod final other", id="no default"),
        pytest.param("layer-$KIND", [], "layer-dev layer-prod final other", id="not declared"),
        pytest.param("${KIND}-dev", [Arg("KIND", "layer")], "layer-dev final layer-prod other", id="prefix"),
        pytest.param("$BASE", [Arg("BASE", "layer-prod")], "layer-prod final layer-dev other", id="alone"),
        pytest.param("${BASE:-layer-prod}", [], "layer-prod final layer-dev other", id="default in the base"),
        pytest.param("$B", [Arg("A", "prod"), Arg("B", "layer-${A}")], "layer-prod final layer-dev other", id="nested"),
        pytest.param("$BASE", [Arg("BASE", "golang:1.27")], "final layer-dev layer-prod other", id="image"),
        pytest.param("$BASE", [Arg("BASE")], "final layer-dev layer-prod other", id="anything"),
        pytest.param("golang:${GO}", [Arg("GO", "1.27")], "final layer-dev layer-prod other", id="image with a tag"),
        pytest.param("x-${KIND}", [Arg("KIND", "dev")], "final layer-dev layer-prod other", id="other names"),
    ],
)
def test_order(base: str, args: list[Arg], expected: str) -> None:
    """A stage comes after all that its base may mean; the order of the others stays."""
    assert expected.split() == names([final(base), DEV, PROD, OTHER], *args)


def test_a_literal_part() -> None:
    """A base that is joined from literal text and a variable is read in the same way."""
    stage = Stage(literal("layer-") + "$KIND", "final")

    assert ["layer-dev", "layer-prod", "final", "other"] == names([stage, DEV, PROD, OTHER])


def test_the_last_target() -> None:
    """What is built by default comes last: a base that means it is refused, as its plain name is."""
    plain = "the last target, stage 'layer-prod', is built by default and so must come last, but stage 'final' "
    with pytest.raises(StageError, match=f"{plain}needs it; put it before the others"):
        names([final("layer-prod"), DEV, PROD])
    with pytest.raises(StageError, match=f"{plain}may be based on it; put it before the others"):
        names([final("layer-${KIND}"), DEV, PROD])
    with pytest.raises(StageError, match=f"{plain}may be based on it"):
        names([final("layer-${KIND}"), DEV, PROD], Arg("KIND", "prod"))
    assert ["layer-dev", "final", "layer-prod"] == names([final("layer-${KIND}"), DEV, PROD], Arg("KIND", "dev"))
    assert ["layer-dev", "layer-prod", "final"] == names([DEV, PROD, final("layer-${KIND}")])


def test_no_cycle_of_possibilities() -> None:
    """Only the defaults can close a cycle: what merely fits does not."""
    one, two = Stage("x-${A}", "x-1"), Stage("x-${B}", "x-2")

    assert ["x-2", "x-1", "other"] == names([one, two, OTHER])
    assert ["x-2", "x-1"] == names([two, one], Arg("A", "2"), Arg("B", "3"))
    with pytest.raises(StageError, match="in a cycle"):
        names([one, two], Arg("A", "2"), Arg("B", "1"))


def test_one_that_fits_is_above() -> None:
    """Where a stage that fits is above, the order is meant; what the default gives still comes first."""
    targets = [DEV, final("layer-${KIND}"), PROD, OTHER]

    assert ["layer-dev", "final", "layer-prod", "other"] == names(targets) == names(targets, Arg("KIND", "dev"))
    assert ["layer-dev", "layer-prod", "final", "other"] == names(targets, Arg("KIND", "prod"))


def test_a_stage_does_not_mean_itself() -> None:
    """A base that fits the name of its own stage is an image."""
    assert ["x-1"] == names([Stage("x-${A}", "x-1")], Arg("A", "1"))


def test_a_file_keeps_its_order() -> None:
    """Of a file that was read, the order is what its author meant."""
    text = "ARG KIND\n\nFROM layer-${KIND} AS final\n\nFROM a AS layer-dev\n"

    assert text.replace("AS layer-dev\n", "AS layer-dev\nRUN x\n") == render(
        parse(text).map(lambda stage: stage if stage.name == "final" else Stage("a", "layer-dev", steps=[Run("x")]))
    )


@pytest.mark.engine
def test_the_build_takes_the_stage(tmp_path: Path) -> None:
    """BuildKit builds on the stage that the default or the build argument names."""
    dev, prod = [
        Stage("busybox:1.37", f"layer-{name}", steps=[Run(f"echo {name} > /kind")]) for name in ("dev", "prod")
    ]
    chosen = Stage("layer-${KIND}", "chosen", steps=[Arg("KIND"), Run("grep -x $KIND /kind")])
    file = Dockerfile([chosen, dev, prod, Stage("scratch")], [Arg("KIND", "dev")])
    tmp_path.joinpath("Dockerfile").write_text(render(file))

    for options in ([], ["--build-arg=KIND=prod"]):
        command = ["docker", "buildx", "build", "--target=chosen", "--output=type=cacheonly", *options, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert 0 == done.returncode, done.stderr
