"""Dockerfile: which stages it collects, in what order, and what it refuses."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from dockdsl import (
    Arg,
    Bind,
    Cache,
    Comment,
    Copy,
    Dockerfile,
    Env,
    Heredoc,
    InvalidType,
    InvalidValue,
    Run,
    Secret,
    Stage,
    StageError,
    Tmpfs,
    UnknownStage,
    external,
    render,
)
from tests.refusals import check_refused


def names(dockerfile: Dockerfile) -> list[str | None]:
    """Return the names of the stages in their order."""
    return [stage.name for stage in dockerfile.stages]


def test_collects_what_the_target_reaches_each_once() -> None:
    """A diamond is collected from base to final, each stage once, in the order of the references."""
    base = Stage("a", "base")
    left = Stage(base, "left")
    right = Stage(base, "right")
    unused = Stage(base, "unused")
    final = Stage("b", "final", steps=[Copy("/l", "/l", from_=left), Run("x", mounts=[Bind("/r", from_=right)])])

    assert ["base", "left", "right", "final"] == names(Dockerfile(final))
    assert unused not in Dockerfile(final).stages


def test_several_targets_keep_their_order_and_the_last_is_last() -> None:
    """Targets stand in the order given, and the last one is built by default."""
    base = Stage("a", "base")
    dev, prod = Stage(base, "dev"), Stage("b", "prod", steps=[Copy("/x", "/x", from_=base)])

    assert ["base", "dev", "prod"] == names(Dockerfile([dev, prod]))
    assert ["base", "prod", "dev"] == names(Dockerfile([prod, dev]))


def test_equal_stages_under_one_name_are_one() -> None:
    """A function that makes a stage anew for each user makes one stage of the Dockerfile."""

    def base() -> Stage:
        return Stage("a", "base")

    final = Stage(base(), "final", steps=[Copy("/x", "/x", from_=base())])

    assert ["base", "final"] == names(Dockerfile(final))


def test_stages_without_a_name_are_referred_to_by_index() -> None:
    """COPY refers to a stage without a name by its index."""
    build = Stage("a")
    text = render(Dockerfile(Stage("scratch", steps=[Copy("/x", "/x", from_=build)])))

    assert "FROM a\n\nFROM scratch\nCOPY --from=0 /x /x\n" == text


def test_stages_without_a_name_get_one_where_an_index_will_not_do() -> None:
    """FROM and mounts know stages by name alone, so a name is written; it never meets one of the user's."""
    first = Stage("a")
    second = Stage(first, "stage-0", steps=[Run("x", mounts=[Bind("/b", from_=first)]), Copy("/x", "/x", from_=first)])
    text = render(Dockerfile(second))

    assert (
        "FROM a AS stage-0-unnamed\n\n"
        "FROM stage-0-unnamed AS stage-0\n"
        "RUN --mount=type=bind,target=/b,from=stage-0-unnamed x\n"
        "COPY --from=stage-0-unnamed /x /x\n"
    ) == text


def test_references_by_string_are_resolved() -> None:
    """A string that names a stage is a reference: it orders the stages, whatever its case."""
    build = Stage("a", "build")
    final = Stage("b", "final", steps=[Copy("/x", "/x", from_="Build")])

    assert ["build", "final"] == names(Dockerfile([build, final]))


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("nginx:1.29", id="tag"),
        pytest.param("example.com/tools", id="registry"),
        pytest.param("team/tools", id="path"),
        pytest.param("alpine", id="official image"),
        pytest.param("a@sha256:" + "0" * 64, id="digest"),
        pytest.param(external("deps"), id="named context"),
    ],
)
def test_images_stay_allowed_as_sources(source: str) -> None:
    """What looks like an image is an image."""
    text = render(Dockerfile(Stage("scratch", steps=[Copy("/x", "/x", from_=source)])))

    assert f"COPY --from={source} /x /x" in text


def test_a_stage_named_like_its_image_is_no_circle() -> None:
    """``FROM alpine AS alpine`` takes the image, and a later stage takes the stage."""
    alpine = Stage("alpine", "alpine")

    assert ["alpine", "b"] == names(Dockerfile([alpine, Stage("alpine", "b")]))


def test_unknown_stage_is_refused_with_a_hint() -> None:
    """A string that looks like a stage and names none is refused at the step, with the nearest name."""
    build = Stage("a", "build")
    final = Stage("b", "final", steps=[Copy("/y", "/y", from_=build), Copy("/x", "/x", from_="biuld")])

    with pytest.raises(UnknownStage, match=r"from_='biuld' is not another stage.*did you mean 'build'\?") as caught:
        Dockerfile(final)

    assert caught.value.origin == final.steps[1].origin
    assert isinstance(caught.value, LookupError)


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        ("context", r"leave it out for the build context, or write external\('context'\)"),
        ("scratch", r"scratch is empty: pass the Stage that has the files, or external\('scratch'\)"),
    ],
)
def test_reserved_names_as_sources_are_refused_with_what_is_meant(source: str, remedy: str) -> None:
    """They name neither a stage nor an image with a tag; said on purpose, they are taken."""
    with pytest.raises(UnknownStage, match=rf"from_='{source}' is not another stage of this Dockerfile; {remedy}"):
        Dockerfile(Stage("a", steps=[Run("x", mounts=[Bind("/m", from_=source)])]))

    assert f"from={source}" in str(Dockerfile(Stage("a", steps=[Copy("/x", "/x", from_=external(source))])))


def test_two_different_stages_under_one_name_are_refused_with_both_places() -> None:
    """The message names both places."""
    first = Stage("a", "build")
    second = Stage("b", "build")

    with pytest.raises(StageError, match="two different stages are named 'build'") as caught:
        Dockerfile([first, second])

    assert str(first.origin) in caught.value.message
    assert str(second.origin) in caught.value.message


def test_circles_are_refused_with_all_places() -> None:
    """Strings can close a circle; all its places are named."""
    a = Stage("x", "a", steps=[Copy("/x", "/x", from_="b")])
    b = Stage("x", "b", steps=[Copy("/x", "/x", from_=a)])

    with pytest.raises(StageError, match="in a cycle") as caught:
        Dockerfile(b)

    assert str(a.origin) in caught.value.message
    assert str(b.origin) in caught.value.message


def test_a_stage_cannot_copy_from_itself() -> None:
    """The shortest circle is refused too."""
    with pytest.raises(StageError, match="in a cycle"):
        Dockerfile(Stage("x", "a", steps=[Copy("/x", "/x", from_="a")]))


def test_a_default_target_that_others_need_is_refused() -> None:
    """The last target is what is built by default, so nothing may stand after it."""
    base = Stage("a", "base")

    with pytest.raises(StageError, match="stage 'base', is built by default"):
        Dockerfile([Stage(base, "final"), base])


def test_an_image_that_shares_its_name_with_an_earlier_stage_is_refused() -> None:
    """`external` says that no stage is meant, so BuildKit must not take one."""
    tool = Stage("a", "tool")

    with pytest.raises(StageError, match="rename the stage"):
        Dockerfile([tool, Stage(external("tool"), "b")])


def test_a_context_that_shares_its_name_with_a_stage_is_refused() -> None:
    """BuildKit would take the stage, whatever the case of the name."""
    build = Stage("a", "build")
    final = Stage("b", steps=[Copy("/x", "/x", from_=build), Copy("/x", "/y", from_=external("Build"))])

    with pytest.raises(StageError, match=r"external\('Build'\) is also the name of the stage.*rename the stage"):
        Dockerfile(final)


def test_an_automatic_syntax_follows_what_is_changed() -> None:
    """A copy with other stages has the version that those need."""
    plain = Dockerfile(Stage("a"), syntax="auto")
    changed = attrs.evolve(plain, targets=Stage("a", steps=[Copy("a", "b", parents=True)]))

    assert "docker/dockerfile:1.0" == plain.frontend
    assert "docker/dockerfile:1.20" == changed.frontend
    assert plain == Dockerfile(Stage("a"), syntax="docker/dockerfile:1.0")


def test_a_comment_above_a_stage_counts_for_the_version() -> None:
    """A comment that switches checks needs the frontend that knows it, wherever it stands."""
    assert "1.21" == Dockerfile(Stage("a", comment=Comment.check("all"))).minimum_syntax


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: Dockerfile("x"), "pass a Stage", id="text"),  # type: ignore[arg-type]
        pytest.param(lambda: Dockerfile([]), "no target", id="nothing"),
        pytest.param(
            lambda: Dockerfile(Stage("a"), Stage("b")),  # type: ignore[arg-type]
            r"a Stage; pass several targets as a list: Dockerfile\(\[a, b\]\)",
            id="targets one by one",
        ),
        pytest.param(lambda: Dockerfile([Run("x")]), "pass a Stage", id="instruction"),  # type: ignore[list-item]
        pytest.param(
            lambda: Dockerfile(Stage("a"), args=[Run("x")]), "neither an Arg nor a Comment", id="instruction as arg"
        ),
        pytest.param(lambda: Dockerfile(Stage("a"), args="X"), "pass a list", id="text as args"),
        pytest.param(lambda: Dockerfile(Stage("a"), escape="^"), "backslash or a backtick", id="escape"),  # type: ignore[arg-type]
        pytest.param(lambda: Dockerfile(Stage("a"), syntax="a\nFROM b"), "syntax", id="newline in syntax"),
        pytest.param(lambda: Dockerfile(Stage("a"), syntax=""), "syntax", id="empty syntax"),
        pytest.param(lambda: Dockerfile(Stage("a"), syntax=1), "pass a str", id="number as syntax"),  # type: ignore[arg-type]
        pytest.param(lambda: Dockerfile(Stage("a"), check="skip=A, B"), "without whitespace", id="blank in check"),
        pytest.param(lambda: Dockerfile(Stage("a"), check="nonsense"), "refuses, or reads in part", id="unknown check"),
        pytest.param(lambda: render(Stage("a")), "pass Dockerfile", id="stage rendered"),  # type: ignore[arg-type]
        pytest.param(lambda: render(None), "pass a Dockerfile", id="nothing rendered"),  # type: ignore[arg-type]
    ],
)
def test_refused(make: Callable[[], Any], message: str) -> None:
    """Other values are refused by the constructor, at the line of the caller."""
    check_refused(make, (InvalidValue, InvalidType), message, __file__)


def test_directives_stand_first() -> None:
    """Directives come before the header and all remarks, so that they still work."""
    dockerfile = Dockerfile(
        Stage("a"),
        args=[Comment("an argument"), Arg("V", "1")],
        syntax="docker/dockerfile:1",
        escape="`",
        check="skip=all",
    )

    assert (
        "# syntax=docker/dockerfile:1\n# escape=`\n# check=skip=all\n\n"
        "# made by\n#   x\n\n# an argument\nARG V=1\n\nFROM a\n"
    ) == render(dockerfile, header="made by\n  x")


@pytest.mark.parametrize("remark", ["escape=`", "syntax=evil", " Syntax = evil", "key=value"])
def test_a_remark_on_the_first_line_is_no_directive(remark: str) -> None:
    """A remark that has the look of a directive does not act."""
    for dockerfile in (Dockerfile(Stage("a"), args=[Comment(remark)]), Dockerfile(Stage("a", comment=remark))):
        assert render(dockerfile).startswith("\n# ")


@pytest.mark.parametrize(
    ("steps", "version"),
    [
        pytest.param([Copy("a", "b"), Env({"A": "${B:-c}"})], "1.0", id="nothing new"),
        pytest.param([Run("x", mounts=[Cache("/a")])], "1.2", id="mount"),
        pytest.param([Run("x", network="none")], "1.3", id="network"),
        pytest.param([Copy("a", "b", link=True)], "1.4", id="link"),
        pytest.param([Run.script("x")], "1.4", id="heredoc"),
        pytest.param([Run("x", mounts=[Tmpfs("/a", size="1m")])], "1.4", id="size"),
        pytest.param([Env({"A": "${B%%x}"})], "1.7", id="modifier"),
        pytest.param([Run("echo ${B%%x}")], "1.0", id="modifier of the shell"),
        pytest.param([Run("x", mounts=[Secret("a", env="A")])], "1.10", id="secret in a variable"),
        pytest.param([Copy("a", "b", link=True), Copy("a", "b", exclude=["x"])], "1.19", id="numbers, not text"),
        pytest.param([Copy("a", "b", parents=True)], "1.20", id="parents"),
        pytest.param([Run("x", device="vendor.example/gpu=all")], "1.14-labs", id="labs"),
        pytest.param(
            [Run("x", device="vendor.example/gpu=all"), Copy("a", "b", parents=True)], "1.20-labs", id="labs and newer"
        ),
        pytest.param([Comment.check("all")], "1.21", id="check on an instruction"),
    ],
)
def test_minimum_syntax(steps: list[Run], version: str) -> None:
    """The minimum is the highest of the versions that brought what is used; `auto` writes it."""
    dockerfile = Dockerfile(Stage("a", steps=steps), syntax="auto")

    assert version == dockerfile.minimum_syntax
    assert version.endswith("labs") == dockerfile.minimum_syntax.labs
    assert render(dockerfile).startswith(f"# syntax=docker/dockerfile:{version}\n")


def test_values_are_equal_by_what_they_say() -> None:
    """Equality ignores where a value was made and what the targets were called by."""

    def make() -> Dockerfile:
        return Dockerfile([Stage("a", "b"), Stage("c", "d", steps=[Copy(Heredoc("x\n"), "/x")])], args=[Arg("A")])

    assert make() == make()
    assert hash(make()) == hash(make())
    assert make() == pickle.loads(pickle.dumps(make()))
    assert make() != Dockerfile(Stage("a"))
    assert "<Dockerfile of stage 'b', stage 'd'>" == repr(make())
